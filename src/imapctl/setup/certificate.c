/*
 * The certificate and the key that clients meet, and the key of the link.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "base/memory.h"
#include "link/key.h"
#include "step.h"

/* Root owns them, and imapd's group reads: who breaks in as imapd cannot change them. */
static bool
put_certificate(struct setup *setup, struct span text)
{
	return setup_put(setup, setup->certificate, text, 0, setup->gid, 0644);
}

static bool
put_key(struct setup *setup, struct span text)
{
	return setup_put(setup, setup->key, text, 0, setup->gid, setup->is_root ? 0640 : 0600);
}

static bool
is_same(const char *path, const struct buffer *text)
{
	struct buffer there = { 0 };
	bool is_equal = setup_get(path, &there) && span_equals(buffer_span(&there), buffer_span(text));

	buffer_wipe(&there);
	return is_equal;
}

/* The pair that was given lies where imapd may not read: what is needed is copied, again when it was renewed. */
static int
copy_pair(struct setup *setup)
{
	struct buffer certificate = { 0 }, key = { 0 };
	int code = EX_OK;

	if (!setup_get(setup->given_certificate, &certificate) || !setup_get(setup->given_key, &key)) {
		complain("%s: cannot be read", certificate.length == 0 ? setup->given_certificate : setup->given_key);
		code = EX_NOINPUT;
	} else if (is_same(setup->certificate, &certificate) && is_same(setup->key, &key)) {
		setup_tell(setup, SETUP_KEPT, "the certificate in %s", setup->certificate);
	} else {
		if (!setup->is_dry && (!put_key(setup, buffer_span(&key)) || !put_certificate(setup, buffer_span(&certificate))))
			code = EX_CANTCREAT;
		if (code == EX_OK)
			setup_tell(setup, SETUP_MADE, "a copy of %s and its key in %s, where imapd may read them",
			    setup->given_certificate, setup->tls);
	}
	buffer_free(&certificate);
	buffer_wipe(&key);
	return code;
}

/* With the key of a run that was interrupted, if there is one. */
static int
make_self_signed(struct setup *setup)
{
	struct buffer certificate = { 0 }, key = { 0 };
	bool has_key = setup_get(setup->key, &key);
	int code = EX_OK;

	if (!setup->is_dry) {
		if (!self_signed_make(setup->hostname, &key, &certificate)) {
			complain("no certificate can be made for %s%s%s", setup->hostname, has_key ? " with the key in " : "",
			    has_key ? setup->key : "");
			code = EX_SOFTWARE;
		} else if ((!has_key && !put_key(setup, buffer_span(&key))) ||
		    !put_certificate(setup, buffer_span(&certificate))) {
			code = EX_CANTCREAT;
		}
	}
	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "a self-signed certificate for %s in %s: clients warn of it, until you have "
		    "another", setup->hostname, setup->certificate);
	buffer_free(&certificate);
	buffer_wipe(&key);
	return code;
}

/* A new one is asked for, and what is there is one of ours that will not do for long. */
static bool
is_to_be_renewed(const struct setup *setup)
{
	struct buffer there = { 0 };
	bool is_stale = order_has(setup->order, OPTION_SELF_SIGNED) && setup_get(setup->certificate, &there) &&
	    self_signed_is_stale(&there, setup->hostname);

	buffer_free(&there);
	return is_stale;
}

int
setup_certificate(struct setup *setup)
{
	bool has_certificate = access(setup->certificate, F_OK) == 0, has_key = access(setup->key, F_OK) == 0;

	if (!setup->has_cas)
		return EX_OK;
	if (setup->is_pair_copied)
		return copy_pair(setup);
	if (has_certificate && has_key && !is_to_be_renewed(setup)) {
		setup_tell(setup, SETUP_KEPT, "the certificate in %s", setup->certificate);
		return EX_OK;
	}
	if (has_certificate && !has_key) {
		complain("%s is there, and its key %s is not: put it there, or take the certificate away", setup->certificate,
		    setup->key);
		return EX_NOINPUT;
	}
	return make_self_signed(setup);
}

/* Whole or not at all, and imapd's from the beginning. */
static int
make_link_key(struct setup *setup)
{
	const char *draft = setup_text(setup, "%s.setup", setup->link_key);
	char *error = NULL;

	unlink(draft);	/* of a run that was interrupted */
	if (!link_key_make(draft, &error)) {
		complain("%s", error);
		free(error);
		return EX_CANTCREAT;
	}
	if ((setup->is_root && chown(draft, setup->uid, setup->gid) != 0) || rename(draft, setup->link_key) != 0) {
		complain("%s: %s", setup->link_key, strerror(errno));
		unlink(draft);
		return EX_CANTCREAT;
	}
	return EX_OK;
}

/* One that an operator has copied as root, say. */
static int
give_link_key(struct setup *setup)
{
	struct stat about;

	if (stat(setup->link_key, &about) != 0) {
		complain("%s: %s", setup->link_key, strerror(errno));
		return EX_NOINPUT;
	}
	if ((!setup->is_root || about.st_uid == setup->uid) && (about.st_mode & 07777) == 0600) {
		setup_tell(setup, SETUP_KEPT, "the link key in %s", setup->link_key);
		return EX_OK;
	}
	if (!setup->is_dry && ((setup->is_root && chown(setup->link_key, setup->uid, setup->gid) != 0) ||
	    chmod(setup->link_key, 0600) != 0)) {
		complain("%s: %s", setup->link_key, strerror(errno));
		return EX_NOPERM;
	}
	setup_tell(setup, SETUP_CHANGED, "owner and mode of the link key in %s, now 0600", setup->link_key);
	return EX_OK;
}

/* Of the mailbox server; a client access server gets its copy by hand. */
int
setup_link_key(struct setup *setup)
{
	int code;

	if (setup->has_cas && setup->has_mailbox)
		return EX_OK;
	if (access(setup->link_key, F_OK) == 0)
		return give_link_key(setup);
	if (!setup->has_mailbox) {
		complain("%s is missing: copy the file of that name from the mailbox server, where `imapctl setup "
		    "--role=mailbox` makes it, and run this again", setup->link_key);
		return EX_NOINPUT;
	}
	code = setup->is_dry ? EX_OK : make_link_key(setup);
	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "the link key in %s", setup->link_key);
	return code;
}
