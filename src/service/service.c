/*
 * The running process.  Parts are made from the ground up and unmade the other way round; files are made
 * as the configured user, ports are bound as root.
 */
#include "service/service.h"

#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/memory.h"
#include "internal.h"
#include "loop/spool.h"

#define LDAP_THREADS 4	/* passwords asked for at a time; each bind takes about as long as a round trip */
#define NAME_THREADS 4	/* names looked up at a time; a name server that is silent takes 10 s each and more */
#define FAREWELL_MS  2000	/* at the end of the process, for clients that are still sending to read why it ends, */
#define QUIET_MS     200	/* and for those that neither send nor close */

void
service_complain(const char *event, char *error)
{
	log_error(event, log_text("reason", error == NULL ? "unknown" : error));
	free(error);
}

void
service_log_warnings(const struct config_problems *problems)
{
	struct buffer text = { 0 };

	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->at[i];

		if (problem->gravity != CONFIG_WARNING)
			continue;
		buffer_clear(&text);
		buffer_printf(&text, "%s:%u:%u", problem->file, problem->line, problem->column);
		log_warning("config-warning", log_text("at", buffer_string(&text)), log_text("reason", problem->text));
	}
	buffer_free(&text);
}

static enum tls_user_field
user_field(const struct config *config)
{
	static const enum tls_user_field fields[] = {
		[CONFIG_USER_RFC822_NAME] = TLS_USER_RFC822_NAME,
		[CONFIG_USER_OTHER_NAME] = TLS_USER_OTHER_NAME,
		[CONFIG_USER_COMMON_NAME] = TLS_USER_COMMON_NAME,
	};

	return fields[config->tls_client_user];
}

struct tls_context *
service_tls(const struct config *config, char **error_out)
{
	struct tls_context *context;
	bool is_good;

	if (config->tls_certificate == NULL)
		return NULL;
	context = tls_context_new(config->tls_certificate, config->tls_key, error_out);
	if (context == NULL)
		return NULL;
	tls_context_set_handshake_timeout(context, config->handshake_timeout_s * 1000);
	is_good = config->tls_minimum != CONFIG_TLS_1_3 || tls_context_require_1_3(context, error_out);
	for (size_t i = 0; i < config->tls_certificate_for.count && is_good; i++) {
		const struct config_certificate *named = &config->tls_certificate_for.at[i];

		is_good = tls_context_add_certificate(context, named->name, named->certificate, named->key,
		    error_out);
	}
	if (is_good && config->tls_client_ca != NULL)
		is_good = tls_context_ask_certificates(context, config->tls_client_ca, user_field(config), error_out);
	if (!is_good)
		tls_context_free(&context);
	return context;
}

struct tls_context *
service_http_tls(const struct config *config, char **error_out)
{
	struct tls_context *context;
	bool is_wanted = false;

	for (size_t i = 0; i < config->autoconfig_listen.count; i++)
		is_wanted |= config->autoconfig_listen.at[i].is_tls;
	if (!is_wanted || (context = service_tls(config, error_out)) == NULL)
		return NULL;
	tls_context_serve_http(context);
	return context;
}

/* The directory's queue runs what each job says. */
static void
run_directory_jobs(void *context, struct list *jobs)
{
	(void)context;
	LIST_FOREACH(jobs, link) {
		struct job *job = LIST_ENTRY(link, struct job, link);

		job_queue_go_on(job->queue);
		job->work(job);
		job_complete(job);
	}
}

static unsigned
processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : (unsigned)count;
}

static unsigned
compute_threads(const struct config *config)
{
	return config->compute_threads > 0 ? (unsigned)config->compute_threads : processors();
}

/* What reads and makes files. */
static bool
open_files(struct service *service)
{
	char *error = NULL;

	if (!service_open_directory(service->config, false, &service->directory) ||
	    ((service->config->role & CONFIG_ROLE_MAILBOX) != 0 &&
		!service_open_directory(service->config, true, &service->mailbox_directory)))
		return false;
	service_read_secret(service->config, service->secret);
	service->directory_queue = job_queue_new(service->ldap != NULL ? service->ldap : service->storage,
	    run_directory_jobs, NULL);
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (!role_prepare_now(&service->roles[i], &error)) {
			service_complain("data-directory", error);
			return false;
		}
	}
	return true;
}

/* What may need root. */
static bool
open_ports(struct service *service, uid_t owner)
{
	char *error = NULL;

	service->control = control_new(service->loop, service->storage, service->config->control_socket,
	    &error);
	if (service->control != NULL)
		kinds_forget_moves(service);
	if (service->control != NULL && page_open(service, &error) && endpoint_open(service, &error) &&
	    service_open_links(service, owner, &error) &&
	    role_open_now(&service->roles[ROLE_CAS], &error) &&
	    role_open_now(&service->roles[ROLE_MAILBOX], &error))
		return true;
	service_complain("listen", error);
	return false;
}

static void
register_verbs(struct service *service)
{
	status_register(service);
	users_register(service);
	user_import_register(service);
	user_rename_register(service);
	groups_register(service);
	aliases_register(service);
	alias_import_register(service);
	remains_register(service);
	entry_register(service);
	reload_register(service);
	requests_register(service);
	sessions_register(service);
	looking_register(service);
	logging_register(service);
	stats_register(service);
	history_register(service);
	crashes_register(service);
}

static int
open_all(struct service *service)
{
	struct config_problems problems = { 0 };
	struct identity identity;
	char *error = NULL;

	service->tls = service_tls(service->config, &error);
	if (error == NULL)
		service->http_tls = service_http_tls(service->config, &error);
	if (error != NULL) {
		service_complain("tls-certificate", error);
		return EX_CONFIG;
	}
	service->tokens = service_tokens(service->config, &problems);
	service_log_warnings(&problems);
	config_problems_free(&problems);
	if (!identity_find(service->config, &identity) || !identity_borrow(&identity))
		return EX_NOPERM;
	crashes_look(service);
	if (!open_files(service))
		return EX_CANTCREAT;
	if (!identity_return(&identity) || !open_ports(service, identity.uid))
		return EX_UNAVAILABLE;
	if (!identity_become(&identity))
		return EX_NOPERM;
	register_verbs(service);
	return EX_OK;
}

static void
add_address(struct buffer *out, const char *address)
{
	if (out->length > 0)
		buffer_add_string(out, ", ");
	buffer_add_string(out, address);
}

static void
add_addresses(const struct role *role, struct buffer *out)
{
	const char *address;

	if (role->state != ROLE_RUNNING)
		return;
	for (size_t i = 0; (address = role->kind->listener(role->service, i)) != NULL; i++)
		add_address(out, address);
}

static const char *
role_word(const struct service *service)
{
	switch (service->config->role) {
	case CONFIG_ROLE_CAS:
		return "cas";
	case CONFIG_ROLE_MAILBOX:
		return "mailbox";
	default:
		return "both";
	}
}

/* The one line that says what listens where; whoever waits for the start waits for this event. */
static void
log_ready(const struct service *service)
{
	struct buffer imap = { 0 }, lmtp = { 0 }, link = { 0 };
	const char *address;

	add_addresses(&service->roles[ROLE_CAS], &imap);
	for (size_t i = 0; service->mailbox != NULL &&
	     (address = mailbox_role_listener(service->mailbox, i)) != NULL; i++)
		add_address(&lmtp, address);
	for (size_t i = 0; (address = link_listener(service->link, i)) != NULL; i++)
		add_address(&link, address);
	log_info("ready", log_text("version", VERSION), log_text("role", role_word(service)),
	    log_text("imap", buffer_string(&imap)), log_text("lmtp", buffer_string(&lmtp)),
	    log_text("link", buffer_string(&link)),
	    log_text("control", service->config->control_socket),
	    log_text("data", service->config->data_directory));
	buffer_free(&imap);
	buffer_free(&lmtp);
	buffer_free(&link);
}

/* Clients leave through the cas, so that the mailbox role can answer them to the last. */
void
service_end(struct service *service)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (role_is_at_rest(&service->roles[i]))
			continue;
		role_end(&service->roles[i]);
		return;
	}
	loop_stop(service->loop);
}

static void
on_signal(int number, void *context)
{
	struct service *service = context;

	if (service->is_stopping)
		return;
	if (number == SIGHUP) {
		reload_begin(service, NULL);
		return;
	}
	log_info("stop", log_text("signal", number == SIGTERM ? "TERM" : "INT"));
	service->is_stopping = true;
	supervisor_end(service);
	service_end(service);
}

static void
serve(struct service *service)
{
	loop_on_signal(service->loop, SIGTERM, on_signal, service);
	loop_on_signal(service->loop, SIGINT, on_signal, service);
	loop_on_signal(service->loop, SIGHUP, on_signal, service);
	log_ready(service);
	supervisor_begin(service);
	stats_begin(service);
	loop_run(service->loop);
}

/* Half-built is fine; jobs are home before what they point to goes, queues go before their workers. */
static void
close_all(struct service *service)
{
	while (service->jobs > 0)
		loop_turn(service->loop, true);
	timer_stop(&service->tick);
	timer_stop(&service->lag_probe);
	status_forget(service);
	page_close(service);
	endpoint_close(service);
	control_free(&service->control);
	looking_on_end(service);
	cas_free(&service->cas);
	mailbox_role_free(&service->mailbox);
	link_free(&service->link);
	if (service->directory_queue != NULL)
		job_queue_free(&service->directory_queue);
	loop_turn(service->loop, false);
	loop_see_off_leftovers(service->loop, QUIET_MS, FAREWELL_MS);
	loop_end_leftovers(service->loop);
	workers_free(&service->compute);
	workers_free(&service->storage);
	workers_free(&service->ldap);
	workers_free(&service->names);
	workers_free(&service->guests);
	workers_free(&service->reports);
	workers_free(&service->checks);
	loop_turn(service->loop, false);
	protocol_log_free(&service->protocol_log);
	directory_close(&service->directory);
	directory_close(&service->mailbox_directory);
	tls_context_free(&service->tls);
	tls_context_free(&service->http_tls);
	token_rules_free(&service->tokens);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		role_fini(&service->roles[i]);
	loop_free(&service->loop);
	reload_forget(service);
	config_free(&service->config);
	free(service->crashes.path);
}

static void
begin_protocol_log(struct service *service)
{
	const struct config *config = service->config;
	struct protocol_log_settings settings = { config->protocol_log, config->protocol_log_size_octets,
		config->protocol_log_time_s, service->storage };

	if (config->protocol_log != NULL)
		service->protocol_log = protocol_log_new(&settings);
}

int
service_run(const char *path, const char *role, struct config *config, const struct config_problems *warnings)
{
	struct service service = { .path = path, .role = role, .config = config,
		.began_us = clock_monotonic_us(), .began_calendar_us = clock_calendar_us() };
	const char *word;
	int code;

	signal(SIGPIPE, SIG_IGN);
	crash_watch(VERSION);
	crash_report_in(config->data_directory);
	log_set_level((enum log_level)config->log_level);
	service_log_warnings(warnings);
	raise_descriptor_limit();
	list_init(&service.retired);
	list_init(&service.statuses);
	list_init(&service.scrapes);
	service.loop = loop_new();
	spool_share(service.loop, SPOOL_SHARED);
	service.storage = workers_new(service.loop, "storage", (unsigned)config->storage_threads);
	workers_limit(service.storage, processors() + 1);
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		service.ldap = workers_new(service.loop, "ldap", LDAP_THREADS);
	service.names = workers_new(service.loop, "names", NAME_THREADS);
	service.guests = workers_new(service.loop, "guests", 1);
	service.reports = workers_new(service.loop, "reports", 1);
	service.checks = workers_new(service.loop, "checks", 1);
	service.compute = workers_new(service.loop, "compute", compute_threads(config));
	service.link = link_new(service.loop);
	looking_on_begin(&service);
	begin_protocol_log(&service);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		role_init(&service.roles[i], &service, &role_kinds[i]);
	word = role_word(&service);
	code = open_all(&service);
	if (code == EX_OK)
		serve(&service);
	close_all(&service);
	if (code == EX_OK)
		log_info("stopped", log_text("role", word));
	return code;
}
