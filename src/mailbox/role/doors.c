/*
 * Who comes in: deliveries at the listeners, sessions over the link, from the process and by a call.  Loop thread.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../cmd/commands.h"
#include "../incoming/delivery.h"
#include "config/config.h"
#include "control/control.h"
#include "life.h"
#include "link/link.h"
#include "net/listener.h"
#include "net/stream.h"

static void
on_delivery_accepted(struct stream *stream, void *context)
{
	delivery_accept(context, stream);
}

static void
on_link_arrived(struct stream *stream, void *context)
{
	mailbox_role_accept(context, stream);
}

void
role_close_doors(struct mailbox_role *role)
{
	for (size_t i = 0; i < role->listener_count; i++)
		listener_free(&role->listeners[i]);
	free(role->listeners);
	role->listeners = NULL;
	role->listener_count = 0;
}

bool
mailbox_role_listen(struct mailbox_role *role, char **error_out)
{
	const struct config_listeners *wanted = &role->parts.config->lmtp_listen;
	struct buffer address = { 0 };
	bool is_good = true;

	role->listeners = memory_new_array(wanted->count, sizeof role->listeners[0]);
	for (size_t i = 0; i < wanted->count && is_good; i++) {
		struct listener *listener;

		buffer_clear(&address);
		config_listener_print(&wanted->at[i], &address);
		/* Whoever may send mail on this host may deliver it: as with the program sendmail. */
		listener = listener_new(role->parts.loop, buffer_string(&address), 0666, on_delivery_accepted,
		    role, error_out);
		is_good = listener != NULL;
		if (is_good)
			role->listeners[role->listener_count++] = listener;
	}
	buffer_free(&address);
	is_good = is_good && (role->parts.link == NULL || link_listen(role->parts.link, error_out));
	if (!is_good)
		role_close_doors(role);
	else if (role->parts.link != NULL)
		link_serve(role->parts.link, on_link_arrived, role);
	return is_good;
}

const char *
mailbox_role_listener(const struct mailbox_role *role, size_t index)
{
	return index < role->listener_count ? listener_address(role->listeners[index]) : NULL;
}

void
mailbox_role_accept(struct mailbox_role *role, struct stream *stream)
{
	struct session *session = session_new(role, stream, &cmd_table);

	session_greet(session);
	if (role->is_stopping)
		session_bye(session, METRIC_SERVER_STOPS, "UNAVAILABLE", "the server is stopping");
}

/* A stream whose user is known: imapctl's. */
struct attach {
	struct role_lookup lookup;
	struct stream *stream;
	struct control_call *call;	/* or a call that gives the stream */
};

static void
begin_attached(struct mailbox_role *role, struct attach *attach)
{
	const struct role_lookup *lookup = &attach->lookup;
	struct session *session;

	if (lookup->status != DIRECTORY_OK || role->is_stopping) {
		stream_write(attach->stream, SPAN("* BYE [UNAVAILABLE] no such user, or not now\r\n"));
		stream_close_after_flush(&attach->stream, 1000);
		return;
	}
	session = session_new(role, attach->stream, &cmd_table);
	session->is_operators = true;
	session_login(session, directory_name_span(&lookup->found), lookup->mailbox_id, SPAN(""), SPAN(""));
	session_greet(session);
}

static void
on_attach_looked_up(struct role_lookup *lookup)
{
	struct attach *attach = CONTAINER_OF(lookup, struct attach, lookup);

	begin_attached(lookup->role, attach);
	free(attach);
}

void
mailbox_role_attach(struct mailbox_role *role, struct stream *stream, struct span user)
{
	struct attach *attach = NEW(struct attach);

	attach->stream = stream;
	attach->lookup.name_count = directory_prepare_name(user, &attach->lookup.names[0]) ? 1 : 0;
	attach->lookup.done = on_attach_looked_up;
	role_look_up(role, &attach->lookup);
}

/*
 * Whether the operator has a session of this user already.  Who imports first asks what is there; an import
 * that was killed may have commands under way that would bring the same in meanwhile.
 */
static bool
is_attached(const struct mailbox_role *role, struct span user)
{
	LIST_FOREACH(&role->sessions, link) {
		const struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->is_operators && span_equals(span_from_string(session->user), user))
			return true;
	}
	return false;
}

static void
on_call_looked_up(struct role_lookup *lookup)
{
	struct attach *attach = CONTAINER_OF(lookup, struct attach, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND)
		control_finish(attach->call, EX_NOUSER, "no such user");
	else if (lookup->status != DIRECTORY_OK || lookup->role->is_stopping)
		control_finish(attach->call, EX_TEMPFAIL, "not now, try again");
	else if (is_attached(lookup->role, directory_name_span(&lookup->found)))
		control_finish(attach->call, EX_TEMPFAIL, "an import for this user is still under way");
	else if ((attach->stream = control_take_stream(attach->call)) != NULL)
		begin_attached(lookup->role, attach);
	free(attach);
}

static void
on_session_call(struct control_call *call, void *context)
{
	struct attach *attach;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "session USER");
		return;
	}
	attach = NEW(struct attach);
	attach->call = call;
	attach->lookup.name_count =
	    directory_prepare_name(control_call_word(call, 0), &attach->lookup.names[0]) ? 1 : 0;
	attach->lookup.done = on_call_looked_up;
	role_look_up(context, &attach->lookup);
}

void
mailbox_role_register(struct mailbox_role *role, struct control *control)
{
	control_register(control, "session", CONTROL_CHANGE, on_session_call, role);
	role_register_upkeep(role, control);
	role_register_index(role, control);
	role_register_verify(role, control);
	role_register_undelete(role, control);
	role_register_image(role, control);
	role_register_restore(role, control);
	role_register_repair(role, control);
	role_register_quota(role, control);
	role_register_acl(role, control);
	role_register_sharing(role, control);
}
