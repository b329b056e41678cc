/*
 * The directory in LDAP servers.  A user is one entry, found by a search; a password is proved by a bind
 * as that entry (RFC 4513 section 5.1).  A password is never kept here: while no server answers, a user
 * seen a short while ago is still known, and nothing new can be proved.
 *
 * Mailbox ids are a matter of this host and stand in its directory.db: a user gets a row with the first
 * lookup.  Worker threads; verify() alone may be run by several.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "claim.h"
#include "entry.h"
#include "memo.h"
#include "pattern.h"

#define KNOWN_MAX 10000		/* users remembered */

struct ldap_directory {
	struct directory directory;
	struct directory *local;	/* NULL: no mailboxes on this host */
	bool gives_mailboxes;
	struct servers *servers;
	struct memo *memo;
	char *base, *filter, *user_attribute, *home_attribute, *server_name;
	unsigned timeout_s;
};

static struct ldap_directory *
own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct ldap_directory, directory);
}

/* A name that no entry has. */
static struct span
draw_name(char text[DIRECTORY_ID_LENGTH + 1])
{
	random_hex(text, DIRECTORY_ID_LENGTH);
	return span_of(text, DIRECTORY_ID_LENGTH);
}

/* A search, and what it borrows. */
struct question {
	struct entry_search search;
	struct buffer base, filter;
	char drawn[DIRECTORY_ID_LENGTH + 1];
};

/* For a name that cannot be another one is asked for, so that it takes as long. */
static void
question_init(struct question *question, const struct ldap_directory *ldap, struct span name)
{
	*question = (struct question){ .search = { .user_attribute = ldap->user_attribute,
		.home_attribute = ldap->home_attribute, .timeout_s = ldap->timeout_s,
		.is_base_fixed = strchr(ldap->base, '%') == NULL } };
	question->search.name = name.length > 0 ? name : draw_name(question->drawn);
	pattern_expand(ldap->base, question->search.name, &question->base);
	pattern_expand(ldap->filter, question->search.name, &question->filter);
	question->search.base = buffer_string(&question->base);
	question->search.filter = buffer_string(&question->filter);
}

static void
question_fini(struct question *question)
{
	buffer_free(&question->base);
	buffer_free(&question->filter);
}

/* Ask the servers; when none answers, who was known a short while ago still is, without names. */
static enum directory_status
find(struct ldap_directory *ldap, struct span name, struct arena *arena, struct directory_user *user_out,
    struct entry_names *names_out)
{
	enum directory_status status;
	struct question question;

	question_init(&question, ldap, name);
	status = entry_find(ldap->servers, &question.search, arena, user_out, names_out);
	question_fini(&question);
	if (status == DIRECTORY_UNAVAILABLE)
		return memo_find(ldap->memo, name, arena, user_out) ? DIRECTORY_OK : status;
	if (status == DIRECTORY_OK)
		memo_add(ldap->memo, name, user_out);
	else
		memo_forget(ldap->memo, name);
	return status;
}

struct fill {
	struct ldap_directory *ldap;
	struct span name;		/* that was asked for: the base may depend on it */
};

static enum directory_status
ask_for_entry(void *context, struct span entry, bool *is_there_out)
{
	const struct fill *fill = context;
	struct question question;
	enum directory_status status;

	question_init(&question, fill->ldap, fill->name);
	status = entry_is_there(fill->ldap->servers, &question.search, entry, is_there_out);
	question_fini(&question);
	return status;
}

/* Get the mailbox id that belongs to the entry on this host, and give one to a new user. */
static enum directory_status
fill_mailbox(struct ldap_directory *ldap, struct span name, const struct entry_names *names, struct arena *arena,
    struct directory_user *user)
{
	struct fill fill = { .ldap = ldap, .name = name };
	struct claim claim = { .entry = user->entry, .dn = entry_of_dn(user->credential, arena),
		.names = names->at, .name_count = names->count, .ask = ask_for_entry, .context = &fill };

	return claim_mailbox(ldap->local, &claim, arena, user);
}

static enum directory_status
lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	struct ldap_directory *ldap = own(directory);
	struct directory_user user;
	struct entry_names names = { .count = 0 };
	enum directory_status status = find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	if (span_equals_nocase(user.home, span_from_string(ldap->server_name)))
		user.home.length = 0;
	if (ldap->gives_mailboxes) {
		if (user.home.length > 0)
			return DIRECTORY_ELSEWHERE;
		if ((status = fill_mailbox(ldap, name, &names, arena, &user)) != DIRECTORY_OK)
			return status;
	}
	*user_out = user;
	return DIRECTORY_OK;
}

struct proof {
	const char *dn;
	struct berval password;
};

static int
ask_to_bind(LDAP *ldap, void *context)
{
	struct proof *proof = context;

	return ldap_sasl_bind_s(ldap, proof->dn, LDAP_SASL_SIMPLE, &proof->password, NULL, NULL, NULL);
}

/* What a bind says about the password (RFC 4511 appendix A.2). */
static enum directory_status
read_answer(const char *dn, int result, bool *is_match_out)
{
	switch (result) {
	case LDAP_SUCCESS:
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:		/* the entry has no password */
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_UNWILLING_TO_PERFORM:		/* locked, expired */
	case LDAP_NO_SUCH_OBJECT:		/* deleted meanwhile */
	case LDAP_INVALID_DN_SYNTAX:
		*is_match_out = result == LDAP_SUCCESS;
		return DIRECTORY_OK;
	case LDAP_SERVER_DOWN:			/* logged for each server */
		return DIRECTORY_UNAVAILABLE;
	default:
		log_warning("ldap-failed", log_text("dn", dn), log_text("reason", ldap_err2string(result)));
		return DIRECTORY_UNAVAILABLE;
	}
}

/* A password that no entry of ours can have; a bind with an empty one succeeds and proves nothing (RFC
 * 4513 section 5.1.2). */
static bool
is_usable(struct span password)
{
	return password.length > 0 && password.length <= DIRECTORY_PASSWORD_MAX &&
	    span_find(password, '\0') == password.length;
}

/* Name an entry that does not exist, to be asked for in the place of a user who does not. */
static void
name_nobody(const struct ldap_directory *ldap, struct buffer *out)
{
	char drawn[DIRECTORY_ID_LENGTH + 1];
	struct span name = draw_name(drawn);

	buffer_add_string(out, "cn=");
	buffer_add_span(out, name);
	buffer_add_octet(out, ',');
	pattern_expand(ldap->base, name, out);
}

static enum directory_status
verify(struct directory *directory, struct span credential, struct span password, bool *is_match_out)
{
	struct ldap_directory *ldap = own(directory);
	struct buffer dn = { 0 };
	struct proof proof = { .password = { .bv_len = password.length } };
	enum directory_status status;
	bool is_match = false;

	if (!is_usable(password)) {
		*is_match_out = false;
		return DIRECTORY_OK;
	}
	if (credential.length > 0)
		buffer_add_span(&dn, credential);
	else
		name_nobody(ldap, &dn);
	proof.dn = buffer_string(&dn);
	proof.password.bv_val = memory_copy_span(password);
	status = read_answer(proof.dn, servers_ask(ldap->servers, SERVERS_BIND, ask_to_bind, &proof),
	    &is_match);
	if (status == DIRECTORY_OK)
		*is_match_out = is_match && credential.length > 0;
	memory_wipe(proof.password.bv_val, password.length);
	free(proof.password.bv_val);
	buffer_free(&dn);
	return status;
}

static enum directory_status
refuse_change(struct directory *directory, struct span name, struct span text)
{
	(void)directory, (void)name, (void)text;
	return DIRECTORY_READ_ONLY;
}

static enum directory_status
refuse_set_enabled(struct directory *directory, struct span name, bool is_enabled)
{
	(void)directory, (void)name, (void)is_enabled;
	return DIRECTORY_READ_ONLY;
}

/* Give the mailbox on this host to whichever entry is next to have the name. */
static enum directory_status
release(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = own(directory);

	return ldap->local == NULL ? DIRECTORY_READ_ONLY : directory_release(ldap->local, name);
}

/* The row that the entry of this name has, when the row has another one. */
static enum directory_status
delete_by_entry(struct ldap_directory *ldap, struct span name, struct arena *arena)
{
	struct directory_user user;
	struct entry_names names;
	enum directory_status status = find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	names.count = 0;		/* a row that is not there is not to be made */
	if (fill_mailbox(ldap, name, &names, arena, &user) != DIRECTORY_OK)
		return DIRECTORY_NOT_FOUND;
	return directory_delete(ldap->local, user.name);
}

/* Forget the mailbox on this host: for a user whose entry is gone. */
static enum directory_status
delete(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = own(directory);
	struct arena *arena;
	enum directory_status status;

	if (ldap->local == NULL)
		return DIRECTORY_READ_ONLY;
	if ((status = directory_delete(ldap->local, name)) != DIRECTORY_NOT_FOUND)
		return status;
	arena = arena_new();
	status = delete_by_entry(ldap, name, arena);
	arena_free(&arena);
	return status;
}

/* Those who have a mailbox here. */
static enum directory_status
list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_list(ldap->local, after, arena, users_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static enum directory_status
list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_list_retired(ldap->local, after, arena, retired_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static enum directory_status
count_users(struct directory *directory, uint64_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_count(ldap->local, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static void
close_all(struct directory *directory)
{
	struct ldap_directory *ldap = own(directory);

	directory_close(&ldap->local);
	servers_free(&ldap->servers);
	memo_free(&ldap->memo);
	free(ldap->base);
	free(ldap->filter);
	free(ldap->user_attribute);
	free(ldap->home_attribute);
	free(ldap->server_name);
	free(ldap);
}

/* The first line of the file, without its end.  False: unreadable or empty; that is logged. */
static bool
read_password(const char *path, char text[DIRECTORY_PASSWORD_MAX + 1], struct span *password_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, DIRECTORY_PASSWORD_MAX);

	if (file >= 0)
		close(file);
	text[length < 0 ? 0 : length] = '\0';
	*password_out = span_of(text, strcspn(text, "\r\n"));
	if (password_out->length == 0)
		log_error("directory-failed", log_text("path", path),
		    log_text("reason", length < 0 ? "cannot be read" : "holds no password"));
	return password_out->length > 0;
}

static const struct directory_backend backend = {
	.lookup = lookup,
	.verify = verify,
	.add = refuse_change,
	.set_credential = refuse_change,
	.set_enabled = refuse_set_enabled,
	.set_home = refuse_change,
	.release = release,
	.delete = delete,
	.list = list,
	.list_retired = list_retired,
	.count = count_users,
	.close = close_all,
};

static struct ldap_directory *
ldap_new(const struct directory_ldap_settings *settings, struct span password)
{
	struct ldap_directory *ldap = NEW(struct ldap_directory);

	ldap->directory.backend = &backend;
	ldap->servers = servers_new(settings, password);
	ldap->memo = memo_new(settings->cache_s, KNOWN_MAX);
	ldap->base = memory_copy_string(settings->base);
	ldap->filter = memory_copy_string(settings->filter);
	ldap->user_attribute = memory_copy_string(settings->user_attribute);
	if (settings->home_attribute != NULL)
		ldap->home_attribute = memory_copy_string(settings->home_attribute);
	ldap->server_name = memory_copy_string(settings->server_name);
	ldap->timeout_s = settings->timeout_s;
	ldap->gives_mailboxes = settings->gives_mailboxes;
	return ldap;
}

bool
directory_has_ldap(void)
{
	return true;
}

enum directory_status
directory_open_ldap(const struct directory_ldap_settings *settings, struct directory **directory_out)
{
	char text[DIRECTORY_PASSWORD_MAX + 1];
	struct span password = { NULL, 0 };
	struct ldap_directory *ldap;
	enum directory_status status = DIRECTORY_OK;

	assert_off_loop();
	if (settings->bind_dn != NULL && !read_password(settings->password_file, text, &password))
		return DIRECTORY_CORRUPT;
	ldap = ldap_new(settings, password);
	memory_wipe(text, sizeof text);
	if (settings->local_path != NULL)
		status = directory_open_sqlite(settings->local_path, &ldap->local);
	if (status == DIRECTORY_OK)
		*directory_out = &ldap->directory;
	else
		close_all(&ldap->directory);
	return status;
}
