/*
 * Connections to LDAP servers, in the order the operator named them.  A server that fails is down for
 * some seconds; then one question tries it, while the others still pass it by, so that a silent server
 * costs one login its timeout and not all.  Worker threads; the lock is never held over a call of libldap
 * that waits.
 */
#include "servers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "silence.h"

#define IDLE_MAX 8	/* connections that wait, of each use; more are closed */

struct idle {
	LDAP *at[IDLE_MAX];	/* the last one used last */
	size_t count;
};

struct server {
	char *uri;
	bool is_down;
	uint64_t retry_us;	/* when it may be tried again */
	struct idle idle[SERVERS_USE_COUNT];
};

struct servers {
	pthread_mutex_t lock;	/* guards what changes in struct server */
	struct server *at;
	size_t count;
	char *bind_dn, *tls_ca;
	char *password;
	size_t password_length;
	bool is_starttls;
	unsigned timeout_s;
	uint64_t retry_us;
	struct silence silence;
};

static char *
copy_optional(const char *text)
{
	return text == NULL ? NULL : memory_copy_string(text);
}

struct servers *
servers_new(const struct directory_ldap_settings *settings, struct span password)
{
	struct servers *servers = NEW(struct servers);

	pthread_mutex_init(&servers->lock, NULL);
	servers->count = settings->uri_count;
	servers->at = memory_new_array(servers->count, sizeof *servers->at);
	for (size_t i = 0; i < servers->count; i++)
		servers->at[i].uri = memory_copy_string(settings->uris[i]);
	servers->bind_dn = copy_optional(settings->bind_dn);
	servers->tls_ca = copy_optional(settings->tls_ca);
	servers->password = memory_copy_span(password);
	servers->password_length = password.length;
	servers->is_starttls = settings->is_starttls;
	servers->timeout_s = settings->timeout_s;
	silence_init(&servers->silence, settings->timeout_s);
	servers->retry_us = (uint64_t)settings->retry_s * 1000000;
	return servers;
}

static void
disconnect(LDAP *ldap)
{
	if (ldap != NULL)
		ldap_unbind_ext(ldap, NULL, NULL);
}

static void
close_idle(struct server *server)
{
	for (int use = 0; use < SERVERS_USE_COUNT; use++)
		while (server->idle[use].count > 0)
			disconnect(server->idle[use].at[--server->idle[use].count]);
}

void
servers_free(struct servers **servers)
{
	if (*servers == NULL)
		return;
	for (size_t i = 0; i < (*servers)->count; i++) {
		close_idle(&(*servers)->at[i]);
		free((*servers)->at[i].uri);
	}
	free((*servers)->at);
	memory_wipe((*servers)->password, (*servers)->password_length);
	free((*servers)->password);
	free((*servers)->bind_dn);
	free((*servers)->tls_ca);
	pthread_mutex_destroy(&(*servers)->lock);
	free(*servers);
	*servers = NULL;
}

/* Whether the server, and not the question, is the trouble: another one may know. */
static bool
is_trouble(int result)
{
	if (result == LDAP_FILTER_ERROR || result == LDAP_PARAM_ERROR)
		return false;
	return LDAP_API_ERROR(result) || result == LDAP_BUSY || result == LDAP_UNAVAILABLE;
}

/* Of those who find a server down, one may try it when it is time. */
static bool
may_try(struct servers *servers, struct server *server)
{
	uint64_t now_us = clock_monotonic_us();
	bool is_due;

	pthread_mutex_lock(&servers->lock);
	is_due = !server->is_down || now_us >= server->retry_us;
	if (is_due && server->is_down)
		server->retry_us = now_us + servers->retry_us;
	pthread_mutex_unlock(&servers->lock);
	return is_due;
}

/* The connections that wait go down with the server.  ldap may be NULL; it says more about the reason. */
static void
note_down(struct servers *servers, struct server *server, const char *step, int result, LDAP *ldap)
{
	struct server gone = { 0 };
	char *message = NULL;

	pthread_mutex_lock(&servers->lock);
	memcpy(gone.idle, server->idle, sizeof gone.idle);
	memset(server->idle, 0, sizeof server->idle);
	server->is_down = true;
	server->retry_us = clock_monotonic_us() + servers->retry_us;
	pthread_mutex_unlock(&servers->lock);
	close_idle(&gone);
	if (ldap != NULL)
		ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &message);
	log_warning("ldap-down", log_text("uri", server->uri), log_text("step", step),
	    log_text("reason", ldap_err2string(result)), log_text("message", message));
	ldap_memfree(message);
}

static void
note_up(struct servers *servers, struct server *server)
{
	bool was_down;

	pthread_mutex_lock(&servers->lock);
	was_down = server->is_down;
	server->is_down = false;
	pthread_mutex_unlock(&servers->lock);
	if (was_down)
		log_info("ldap-up", log_text("uri", server->uri));
}

static LDAP *
take_idle(struct servers *servers, struct server *server, enum servers_use use)
{
	struct idle *idle = &server->idle[use];
	LDAP *ldap;

	pthread_mutex_lock(&servers->lock);
	ldap = idle->count == 0 ? NULL : idle->at[--idle->count];
	pthread_mutex_unlock(&servers->lock);
	return ldap;
}

static void
give_back(struct servers *servers, struct server *server, enum servers_use use, LDAP *ldap)
{
	struct idle *idle = &server->idle[use];
	bool is_kept;

	pthread_mutex_lock(&servers->lock);
	is_kept = idle->count < IDLE_MAX;
	if (is_kept)
		idle->at[idle->count++] = ldap;
	pthread_mutex_unlock(&servers->lock);
	if (!is_kept)
		disconnect(ldap);
}

static void
set(LDAP *ldap, int option, const void *value)
{
	if (ldap_set_option(ldap, option, value) != LDAP_OPT_SUCCESS)
		log_error("ldap-option", log_number("option", option));
}

/* What ldap.conf(5) may say otherwise is set here: version 3, no referrals, no aliases, timeouts. */
static void
set_options(struct servers *servers, LDAP *ldap)
{
	static const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	struct timeval timeout = { .tv_sec = (time_t)servers->timeout_s };
	unsigned silence_ms = servers->timeout_s * 1000;

	set(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
	set(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	set(ldap, LDAP_OPT_DEREF, &deref);
	set(ldap, LDAP_OPT_RESTART, LDAP_OPT_ON);
	set(ldap, LDAP_OPT_NETWORK_TIMEOUT, &timeout);
	set(ldap, LDAP_OPT_TIMEOUT, &timeout);
	set(ldap, LDAP_OPT_TCP_USER_TIMEOUT, &silence_ms);
	if (silence_limit(ldap, &servers->silence) != LDAP_OPT_SUCCESS)
		log_error("ldap-option", log_number("option", LDAP_OPT_CONNECT_CB));
}

/* False: the authorities cannot be read, or TLS cannot be had; nothing is said over the connection then. */
static bool
set_tls_options(const struct servers *servers, LDAP *ldap)
{
	static const int demand = LDAP_OPT_X_TLS_DEMAND, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;

	return (servers->tls_ca == NULL || ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE,
	    servers->tls_ca) == LDAP_OPT_SUCCESS) &&
	    ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS &&
	    ldap_set_option(ldap, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) == LDAP_OPT_SUCCESS &&
	    ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
}

static int
bind_service(const struct servers *servers, LDAP *ldap)
{
	struct berval password = { .bv_val = servers->password, .bv_len = servers->password_length };

	if (servers->bind_dn == NULL)
		return LDAP_SUCCESS;
	return ldap_sasl_bind_s(ldap, servers->bind_dn, LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL);
}

/* TLS is there, or is not asked for: ldapi stays within this machine. */
static int
secure(const struct servers *servers, const char *uri, LDAP *ldap)
{
	bool is_plain = span_starts_with_nocase(span_from_string(uri), SPAN("ldap:"));

	if (span_starts_with_nocase(span_from_string(uri), SPAN("ldapi:")) ||
	    (is_plain && !servers->is_starttls))
		return LDAP_SUCCESS;
	if (!set_tls_options(servers, ldap))
		return LDAP_CONNECT_ERROR;
	return is_plain ? ldap_start_tls_s(ldap, NULL, NULL) : LDAP_SUCCESS;
}

/* NULL: the server is down, and that is noted. */
static LDAP *
connect_to(struct servers *servers, struct server *server, enum servers_use use)
{
	const char *step = "connect";
	LDAP *ldap = NULL;
	int result = ldap_initialize(&ldap, server->uri);

	if (result == LDAP_SUCCESS) {
		set_options(servers, ldap);
		step = "tls";
		result = secure(servers, server->uri, ldap);
	}
	if (result == LDAP_SUCCESS && use == SERVERS_SEARCH) {
		step = "bind";
		result = bind_service(servers, ldap);
	}
	if (result == LDAP_SUCCESS)
		return ldap;
	note_down(servers, server, step, result, ldap);
	disconnect(ldap);
	return NULL;
}

/* Ask over this connection, and keep it for the next question when it is good. */
static int
ask_over(struct servers *servers, struct server *server, enum servers_use use, LDAP *ldap,
    servers_question *question, void *context)
{
	int result = question(ldap, context);

	if (is_trouble(result)) {
		disconnect(ldap);
		return result;
	}
	note_up(servers, server);
	give_back(servers, server, use, ldap);
	return result;
}

/*
 * A connection that has waited may have been closed by the server, which says nothing about the server:
 * a new one is made then.  Silence says enough.
 */
static int
ask_server(struct servers *servers, struct server *server, enum servers_use use,
    servers_question *question, void *context)
{
	int result = LDAP_SERVER_DOWN;
	LDAP *ldap;

	if (!may_try(servers, server))
		return result;
	while (result == LDAP_SERVER_DOWN && (ldap = take_idle(servers, server, use)) != NULL)
		result = ask_over(servers, server, use, ldap, question, context);
	if (result == LDAP_SERVER_DOWN) {
		if ((ldap = connect_to(servers, server, use)) == NULL)
			return result;
		result = ask_over(servers, server, use, ldap, question, context);
	}
	if (is_trouble(result))
		note_down(servers, server, "ask", result, NULL);
	return result;
}

int
servers_ask(struct servers *servers, enum servers_use use, servers_question *question, void *context)
{
	for (size_t i = 0; i < servers->count; i++) {
		int result = ask_server(servers, &servers->at[i], use, question, context);

		if (!is_trouble(result))
			return result;
	}
	return LDAP_SERVER_DOWN;
}
