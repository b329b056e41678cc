/*
 * AUTHENTICATE on the link.  EXTERNAL: the other role says who its client is (RFC 4422 appendix A).  PLAIN
 * (RFC 4616): the other role has no directory and hands over what its client says; a user that does not exist
 * costs as much here as a wrong password.  Streams that are not of the link never come here (link/link.h).
 */
#include <stdlib.h>

#include "../shared/role.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands.h"
#include "config/config.h"
#include "link/move.h"
#include "link/trace.h"

#define VERIFYING_MAX 256

struct login {
	struct role_lookup lookup;
	struct session *session;
	bool is_plain;
	struct buffer password, credential;	/* PLAIN; wiped as soon as they were compared */
	struct directory_claim claim;		/* PLAIN: of name and identity, in the arena */
	struct job check;
	mailbox_fits *fits;
	struct directory *directory;
	enum directory_status status;		/* of the comparison, like the next */
	bool is_match;
};

static void
end(struct login *login, enum reply reply)
{
	struct session *session = login->session;

	buffer_free(&login->lookup.groups);
	buffer_wipe(&login->password);
	buffer_wipe(&login->credential);
	session_finish(session, reply);
	session_end_wait(session);
}

static void
welcome(struct login *login)
{
	struct session *session = login->session;
	struct buffer code = { 0 };

	buffer_wipe(&login->password);
	buffer_wipe(&login->credential);
	if (login->is_plain) {
		free(session->prover);
		session->prover = login->lookup.prover.length > 0 ? memory_copy_string(login->lookup.prover.text) : NULL;
		session->is_master = login->lookup.is_master;
	}
	session_login(session, directory_name_span(&login->lookup.found), login->lookup.mailbox_id,
	    buffer_span(&login->lookup.groups), directory_name_span(&login->lookup.former));
	buffer_free(&login->lookup.groups);
	session_write_capability(session, &code);
	session_finish_with(session, REPLY_DONE, buffer_span(&code));
	buffer_free(&code);
	session_end_wait(session);
}

static void
log_failure(const struct login *login, enum directory_status status)
{
	log_warning("login-failed", log_text("sid", login->session->sid),
	    log_span("user", login->is_plain ? login->claim.name : directory_name_span(&login->lookup.names[0])),
	    log_span("identity", login->claim.identity), log_text("address", login->session->address),
	    log_text("error", status == DIRECTORY_OK ? "password" : directory_status_text(status)));
}

static void
work_check(struct job *job)
{
	struct login *login = CONTAINER_OF(job, struct login, check);
	struct span password = buffer_span(&login->password), credential = buffer_span(&login->credential);

	login->status = DIRECTORY_OK;
	if (directory_is_verifier(login->directory))
		login->status = directory_verify(login->directory, credential, password, &login->is_match);
	else
		login->is_match = login->fits(password, credential);
}

static void
on_checked(struct job *job)
{
	struct login *login = CONTAINER_OF(job, struct login, check);
	struct mailbox_role *role = login->session->role;

	role->verifying--;
	if (session_is_closing(login->session)) {
		end(login, REPLY_CANCELLED);
	} else if (login->status != DIRECTORY_OK) {
		log_failure(login, login->status);
		end(login, REPLY_UNAVAILABLE);
	} else if (login->is_match && login->lookup.status == DIRECTORY_OK) {
		welcome(login);
	} else {
		log_failure(login, login->lookup.status);
		end(login, REPLY_NOT_PROVED);
	}
	role->jobs--;
	role->on_ended(role);
}

static void
check(struct login *login)
{
	struct mailbox_role *role = login->session->role;

	if (role->verifying == VERIFYING_MAX) {
		end(login, REPLY_UNAVAILABLE);
		return;
	}
	role->verifying++;
	role->jobs++;
	login->fits = role->parts.fits;
	login->directory = role->parts.directory;
	login->check.work = work_check;
	login->check.done = on_checked;
	workers_submit(directory_is_verifier(login->directory) ? role->parts.storage : role->parts.compute,
	    &login->check);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct login *login = CONTAINER_OF(lookup, struct login, lookup);
	bool is_answer = lookup->status == DIRECTORY_OK || lookup->status == DIRECTORY_NOT_FOUND;

	if (session_is_closing(login->session)) {
		end(login, REPLY_CANCELLED);
	} else if (login->is_plain && is_answer) {
		check(login);
	} else if (lookup->status == DIRECTORY_OK) {
		welcome(login);
	} else {
		log_failure(login, lookup->status);
		end(login, lookup->status == DIRECTORY_NOT_FOUND ? REPLY_NO_USER : REPLY_UNAVAILABLE);
	}
}

/* The message of PLAIN: an authorization identity or nothing, NUL, the user, NUL, the password. */
static bool
read_plain(struct login *login, struct span message)
{
	struct arena *arena = login->session->line->arena;
	size_t identity_end = span_find(message, 0), user_end;

	login->claim.identity = arena_copy(arena, span_slice(message, 0, identity_end));
	message = span_from(message, identity_end + 1);
	user_end = span_find(message, 0);
	login->claim.name = arena_copy(arena, span_slice(message, 0, user_end));
	login->claim.separator = config_master_separator(login->session->role->parts.config);
	login->lookup.claim = &login->claim;
	login->lookup.credential = &login->credential;
	if (user_end == 0 || user_end == message.length)
		return false;
	message = span_from(message, user_end + 1);
	buffer_reserve(&login->password, message.length + 1);
	buffer_add_span(&login->password, message);
	return message.length > 0 && span_find(message, 0) == message.length;
}

static void
log_in(struct session *session, struct span text)
{
	struct login *login = ARENA_NEW(session->line->arena, struct login);
	struct buffer message = { 0 };
	bool is_good;

	login->session = session;
	login->is_plain = !span_equals_nocase(session->line->authenticate.mechanism, SPAN("EXTERNAL"));
	buffer_reserve(&message, text.length + 1);
	is_good = base64_decode(text, &message) && (login->is_plain ? read_plain(login, buffer_span(&message)) :
	    directory_prepare_name(buffer_span(&message), &login->lookup.names[0]));
	buffer_wipe(&message);
	session_begin_wait(session);
	if (!is_good) {
		log_warning("login-failed", log_text("sid", session->sid),
		    log_text("address", session->address), log_text("error", "not a name"));
		end(login, login->is_plain ? REPLY_NOT_PROVED : REPLY_NO_USER);
		return;
	}
	login->lookup.name_count = login->is_plain ? 0 : 1;
	login->lookup.is_login = true;
	if (!login->is_plain) {
		login->lookup.may_be_shared = session->prover != NULL;
		login->lookup.may_be_disabled = session->is_master;
	}
	login->lookup.done = on_looked_up;
	role_look_up(session->role, &login->lookup);
}

static void
on_line(struct session *session, struct span line)
{
	if (span_equals(line, SPAN("*")))
		session_finish(session, REPLY_CANCELLED);
	else
		log_in(session, line);
}

static bool
is_offered(const struct session *session, struct span mechanism)
{
	return span_equals_nocase(mechanism, SPAN("EXTERNAL")) ||
	    (span_equals_nocase(mechanism, SPAN("PLAIN")) && session->role->parts.fits != NULL);
}

/* Not a user, but somebody who moves one, or looks on: the stream is theirs behind the OK. */
static void
give_away(struct session *session, bool is_mover)
{
	struct mailbox_role *role = session->role;
	struct buffer wish = { 0 };

	if (!base64_decode(session->line->authenticate.initial, &wish)) {
		session_finish(session, REPLY_BAD_ARGUMENT);
	} else {
		session_finish(session, REPLY_DONE);
		if (is_mover)
			role->on_mover(role, session_take_stream(session), buffer_span(&wish));
		else
			role->parts.on_look(session_take_stream(session), buffer_span(&wish), role->parts.look_context);
	}
	buffer_free(&wish);
}

/* False: a user wants to log in. */
static bool
is_of_server(struct session *session, bool *is_mover_out)
{
	const struct imap_authenticate *authenticate = &session->line->authenticate;
	bool is_look = span_equals(authenticate->mechanism, SPAN(LINK_TRACE_MECHANISM)) && session->role->parts.on_look != NULL;

	*is_mover_out = span_equals(authenticate->mechanism, SPAN(LINK_MOVE_MECHANISM));
	return (*is_mover_out || is_look) && authenticate->has_initial && !session->role->is_stopping;
}

void
cmd_authenticate(struct session *session)
{
	const struct imap_authenticate *authenticate = &session->line->authenticate;
	bool is_mover;

	if (is_of_server(session, &is_mover)) {
		give_away(session, is_mover);
	} else if (span_equals(authenticate->mechanism, SPAN(LINK_CARRY_MECHANISM)) && authenticate->has_initial) {
		cmd_carry(session);
	} else if (!is_offered(session, authenticate->mechanism)) {
		session_finish(session, REPLY_NO_MECHANISM);
	} else if (authenticate->has_initial) {
		log_in(session, authenticate->initial);
	} else {
		buffer_add_string(session_out(session), "+ \r\n");
		session_expect_line(session, 4 * DIRECTORY_NAME_MAX, on_line);
	}
}
