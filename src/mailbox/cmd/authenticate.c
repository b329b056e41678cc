/*
 * AUTHENTICATE EXTERNAL on the link: the other role says who its client is (RFC 4422 appendix A).  Streams
 * that are not of the link never come here (link/link.h).
 */
#include "base/base64.h"
#include "base/log.h"
#include "../role.h"
#include "../session.h"

struct login {
	struct role_lookup lookup;
	struct session *session;
};

static enum reply
reply_to_lookup(enum directory_status status)
{
	return status == DIRECTORY_NOT_FOUND ? REPLY_NO_USER : REPLY_UNAVAILABLE;
}

static void
finish_logged_in(struct session *session)
{
	struct buffer code = { 0 };

	session_write_capability(session, &code);
	session_finish_with(session, REPLY_DONE, buffer_span(&code));
	buffer_free(&code);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct login *login = CONTAINER_OF(lookup, struct login, lookup);
	struct session *session = login->session;

	if (session_is_closing(session)) {
		session_finish(session, REPLY_CANCELLED);
	} else if (lookup->status != DIRECTORY_OK) {
		log_warning("login-failed", log_text("sid", session->sid),
		    log_span("user", directory_name_span(&lookup->names[0])),
		    log_text("error", directory_status_text(lookup->status)));
		session_finish(session, reply_to_lookup(lookup->status));
	} else {
		session_login(session, directory_name_span(&lookup->found), lookup->mailbox_id);
		finish_logged_in(session);
	}
	session_end_wait(session);
}

static void
log_in(struct session *session, struct span text)
{
	struct login *login = ARENA_NEW(session->line->arena, struct login);
	struct buffer name = { 0 };
	bool is_good = base64_decode(text, &name) &&
	    directory_prepare_name(buffer_span(&name), &login->lookup.names[0]);

	buffer_free(&name);
	if (!is_good) {
		session_finish(session, REPLY_NO_USER);
		return;
	}
	login->session = session;
	login->lookup.name_count = 1;
	login->lookup.done = on_looked_up;
	session_begin_wait(session);
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

void
cmd_authenticate(struct session *session)
{
	const struct imap_authenticate *authenticate = &session->line->authenticate;

	if (!span_equals_nocase(authenticate->mechanism, SPAN("EXTERNAL"))) {
		session_finish(session, REPLY_NO_MECHANISM);
	} else if (authenticate->has_initial) {
		log_in(session, authenticate->initial);
	} else {
		buffer_add_string(session_out(session), "+ \r\n");
		session_expect_line(session, 4 * DIRECTORY_NAME_MAX, on_line);
	}
}
