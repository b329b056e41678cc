/*
 * What the steps of the verb setup share.  Each step looks at what is there, and makes what is missing: so that a second
 * run changes nothing, and finishes what an interrupted one has left.
 */
#ifndef IMAPCTL_STEP_H
#define IMAPCTL_STEP_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"

struct config;
struct order;

enum setup_state { SETUP_KEPT, SETUP_CHECKED, SETUP_MADE, SETUP_CHANGED };	/* from SETUP_MADE on the host is another */

struct setup {
	const struct order *order;
	const char *path;		/* of the configuration, absolute; owned */
	bool is_dry;			/* nothing is touched, all is said */
	bool is_root;			/* it is root's affair: imapd gets a user of its own, and ports below 1024 */
	bool has_cas, has_mailbox;	/* the roles of this host */
	const char *hostname, *domain;
	const char *user;		/* the first; NULL: none is wanted */
	const char *server;		/* role cas: where the mail is, HOST:PORT */
	const char *postmaster;		/* NULL: nobody */
	const char *given_certificate, *given_key;	/* NULL: none were said */
	const char *data, *control, *tls;	/* folders */
	const char *certificate, *key, *link_key;	/* files, as the configuration names them */
	bool is_pair_copied;		/* the given pair has to be copied there */
	const char *account;		/* who imapd runs as, when root sets it up */
	uid_t uid;			/* who imapd runs as; as root known after setup_identity() */
	gid_t gid;
	struct buffer wanted;		/* the configuration */
	bool is_default_path;		/* it is the one that imapd reads when nobody says another */
	unsigned changes;
	struct buffer steps;		/* of the JSON object */
	struct arena *arena;		/* what the texts above live in */
};

/* tell.c: say what a step has done, or would do. */
void setup_tell(struct setup *setup, enum setup_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text that lives as long as the setup. */
char *setup_text(struct setup *setup, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * plan.c: what was ordered, completed from what is there; nothing is touched.  A code of sysexits.h; what is wrong was
 * said.
 */
int setup_plan(struct setup *setup);

/* configuration.c: compare the file with what is wanted, and ask before another one is replaced.  EX_OK: go on. */
int setup_compare(struct setup *setup, bool *is_to_be_written_out);
int setup_write(struct setup *setup);

/* Whether a file is the example that came with imapd, which is nobody's own. */
bool setup_is_sample(const char *path);

/* The steps; each returns a code of sysexits.h, and has said what is wrong. */
int setup_identity(struct setup *setup);
int setup_folders(struct setup *setup);
int setup_certificate(struct setup *setup);
int setup_link_key(struct setup *setup);
int setup_check(struct setup *setup);
int setup_first_user(struct setup *setup);

/* Show the password that was made for the first user. */
void setup_show_password(struct setup *setup, struct span password);

/* advice.c: the next commands, and what the zone of the domain needs. */
void setup_advise(struct setup *setup);

/* files.c: write a file anew, whole or not at all, for imapd's user with these rights.  False: said. */
bool setup_put(struct setup *setup, const char *path, struct span text, uid_t owner, gid_t group, mode_t mode);

/* Append a file's text, at most 1 MiB.  False, errno says why: it cannot be read. */
bool setup_get(const char *path, struct buffer *text_out);

/* self_signed.c: make a key, unless there is one, and a certificate of its own for a name; both as PEM. */
bool self_signed_make(const char *name, struct buffer *key, struct buffer *certificate_out);

/* Whether a certificate, as PEM, is self-signed, and for another name or for less than a month. */
bool self_signed_is_stale(struct buffer *text, const char *name);

#endif
