/*
 * The two services of Exchange's IMAP4, as this process plays them: what making, draining and counting
 * each of them takes.  Loop thread, but for prepare().
 */
#include "internal.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/password.h"

/* Who asks the directory: LDAP servers may be silent, and mail must not wait for them. */
static struct workers *
asking(const struct service *service)
{
	return service->ldap != NULL ? service->ldap : service->storage;
}

/* Other hosts of a site have nobody to order it from. */
static void
on_move(struct control_call *call, void *context)
{
	(void)context;
	control_finish(call, EX_UNAVAILABLE, "users are moved by the service cas of the host that clients log in to; it does not run here");
}

void
kinds_forget_moves(struct service *service)
{
	control_register(service->control, "move start", CONTROL_CHANGE, on_move, NULL);
	control_register(service->control, "move watch", CONTROL_VIEW, on_move, NULL);
	control_register(service->control, "move cancel", CONTROL_CHANGE, on_move, NULL);
	control_register(service->control, "move status", CONTROL_VIEW, on_move, NULL);
}

static bool
open_cas(struct service *service, const struct mailbox_lock *lock, char **error_out)
{
	struct cas_parts parts = {
		.loop = service->loop,
		.compute = service->compute,
		.guests = service->guests,
		.storage = asking(service),
		.names = service->names,
		.directory = service->directory,
		.directory_queue = service->directory_queue,
		.link = service->link,
		.tls = service->tls,
		.http_tls = service->http_tls,
		.tokens = service->tokens,
		.traces = &service->traces,
		.protocol_log = service->protocol_log,
		.secret = span_of(service->secret, sizeof service->secret),
		.config = service->config,
	};

	(void)lock;
	service->cas = cas_new(&parts);
	if (!cas_listen(service->cas, error_out)) {
		cas_free(&service->cas);
		return false;
	}
	cas_register(service->cas, service->control);
	return true;
}

static void
drain_cas(struct service *service, uint64_t over_ms, void (*on_stopped)(void *context), void *context)
{
	cas_drain(service->cas, over_ms, on_stopped, context);
}

static void
close_cas(struct service *service)
{
	cas_free(&service->cas);
	kinds_forget_moves(service);
}

static void
count_cas(const struct service *service, struct role_figures *figures_out)
{
	struct cas_status status;

	cas_status(service->cas, &status);
	*figures_out = (struct role_figures){ status.connections, status.sessions, status.logins };
}

static const char *
cas_address(const struct service *service, size_t index)
{
	return cas_listener(service->cas, index);
}

static bool
prepare_mailbox(const char *data_directory, struct mailbox_lock *lock_out, char **error_out)
{
	return mailbox_role_lock(data_directory, lock_out, error_out);
}

static bool
open_mailbox(struct service *service, const struct mailbox_lock *lock, char **error_out)
{
	struct mailbox_parts parts = {
		.loop = service->loop,
		.storage = service->storage,
		.compute = service->compute,
		.checks = service->checks,
		.directory = service->mailbox_directory,
		.fits = password_verify,
		.link = service->link,
		.traces = &service->traces,
		.on_look = looking_take,
		.look_context = service,
		.protocol_log = service->protocol_log,
		.config = service->config,
		.lock = *lock,
	};

	service->mailbox = mailbox_role_new(&parts, error_out);
	if (service->mailbox == NULL)
		return false;
	if (!mailbox_role_listen(service->mailbox, error_out)) {
		mailbox_role_free(&service->mailbox);
		return false;
	}
	mailbox_role_register(service->mailbox, service->control);
	return true;
}

bool
service_has_mailboxes(const struct service *service)
{
	return service->roles[ROLE_MAILBOX].state == ROLE_RUNNING;
}

static void
drain_mailbox(struct service *service, uint64_t over_ms, void (*on_stopped)(void *context), void *context)
{
	mailbox_role_drain(service->mailbox, over_ms, on_stopped, context);
}

/* They are known, and say that nobody answers, also when the part was never there. */
static const struct {
	const char *name;
	enum control_right right;
} mailbox_verbs[] = {
	{ "session", CONTROL_CHANGE }, { "acknowledge", CONTROL_CHANGE }, { "user renew", CONTROL_CHANGE },
	{ "index", CONTROL_CHANGE }, { "verify", CONTROL_CHANGE }, { "undelete", CONTROL_CHANGE }, { "quota", CONTROL_VIEW },
	{ "acl list", CONTROL_VIEW }, { "acl set", CONTROL_CHANGE }, { "acl remove", CONTROL_CHANGE },
	{ "acl seen", CONTROL_CHANGE }, { "image", CONTROL_CHANGE }, { "restore", CONTROL_CHANGE }, { "repair", CONTROL_CHANGE },
};

static void
close_mailbox(struct service *service)
{
	if (service->mailbox != NULL)
		control_forget(service->control, service->mailbox);
	mailbox_role_free(&service->mailbox);
	for (size_t i = 0; i < COUNT_OF(mailbox_verbs); i++)
		control_register(service->control, mailbox_verbs[i].name, mailbox_verbs[i].right, NULL, NULL);
}

static void
count_mailbox(const struct service *service, struct role_figures *figures_out)
{
	struct mailbox_status status;

	mailbox_role_status(service->mailbox, &status);
	*figures_out = (struct role_figures){ status.sessions + status.deliveries, status.sessions,
		status.logins };
}

/* Where mail comes in, then where other hosts do. */
static const char *
mailbox_address(const struct service *service, size_t index)
{
	for (size_t i = 0; i <= index; i++) {
		if (mailbox_role_listener(service->mailbox, i) == NULL)
			return link_listener(service->link, index - i);
	}
	return mailbox_role_listener(service->mailbox, index);
}

const struct role_kind role_kinds[ROLE_COUNT] = {
	[ROLE_CAS] = { "cas", CONFIG_ROLE_CAS, NULL, open_cas, drain_cas, close_cas, count_cas, cas_address },
	[ROLE_MAILBOX] = { "mailbox", CONFIG_ROLE_MAILBOX, prepare_mailbox, open_mailbox, drain_mailbox,
	    close_mailbox, count_mailbox, mailbox_address },
};
