/*
 * Another configuration while running: read and checked by a worker, then swapped in whole, or not at
 * all.  Certificates are read again even if the file is the same.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/memory.h"
#include "control/words.h"
#include "internal.h"
#include "service/service.h"

struct reload {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;	/* NULL: SIGHUP */
	const char *path, *role;
	struct service_occasion occasion;
	struct config *config;		/* NULL: what is wrong is in problems */
	struct tls_context *tls, *http_tls;
	struct token_rules *tokens;
	struct config_problems problems;
};

struct retired {
	struct list link;
	struct config *config;
};

static void
reload_work(struct job *job)
{
	struct reload *reload = CONTAINER_OF(job, struct reload, job);
	char *error = NULL;

	reload->config = service_load(reload->path, reload->role, &reload->occasion, &reload->problems);
	if (reload->config == NULL)
		return;
	reload->tls = service_tls(reload->config, &error);
	if (error == NULL)
		reload->http_tls = service_http_tls(reload->config, &error);
	reload->tokens = service_tokens(reload->config, &reload->problems);
	if (error != NULL) {
		config_complain(&reload->problems, CONFIG_WRONG, config_place(reload->config, "tls-certificate"), 1, "%s",
		    error);
		config_free(&reload->config);
	}
	free(error);
}

/* The lines go to the log, and to the operator who waits. */
static void
tell_lines(struct reload *reload, const char *event, struct span lines)
{
	while (lines.length > 0) {
		size_t end = span_find(lines, '\n');
		struct span line = span_slice(lines, 0, end);

		log_warning(event, log_span("reason", line));
		if (reload->call != NULL)
			control_reply(reload->call, line);
		lines = span_from(lines, end + 1);
	}
}

static void
tell_problems(struct reload *reload)
{
	struct buffer line = { 0 };

	service_log_warnings(&reload->problems);
	for (size_t i = 0; i < reload->problems.count; i++) {
		buffer_clear(&line);
		config_problem_print(&reload->problems.at[i], &line);
		if (reload->problems.at[i].gravity != CONFIG_WARNING)
			tell_lines(reload, "reload-failed", buffer_span(&line));
		else if (reload->call != NULL)
			control_reply(reload->call, buffer_span(&line));
	}
	buffer_free(&line);
}

/* What cannot listen where it is to goes on where it did. */
static void
move_listeners(struct service *service, struct buffer *problems)
{
	static const struct {
		const char *option;
		bool (*reload)(struct service *service, char **error_out);
	} parts[] = { { "admin-listen", page_reload }, { "metrics-listen", endpoint_reload } };

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		char *error = NULL;

		if (!parts[i].reload(service, &error))
			buffer_printf(problems, "%s: %s\n", parts[i].option, error);
		free(error);
	}
}

/* Parts may point into the old configuration for as long as they live. */
static void
retire(struct service *service)
{
	struct retired *retired = NEW(struct retired);

	retired->config = service->config;
	list_push_back(&service->retired, &retired->link);
}

static void
use(struct reload *reload)
{
	struct service *service = reload->service;
	struct buffer waiting = { 0 }, problems = { 0 };

	config_list_restart_needed(service->config, reload->config, &waiting);
	tell_lines(reload, "restart-needed", buffer_span(&waiting));
	buffer_free(&waiting);
	retire(service);
	service->config = reload->config;
	tls_context_free(&service->tls);
	service->tls = reload->tls;
	tls_context_free(&service->http_tls);
	service->http_tls = reload->http_tls;
	token_rules_free(&service->tokens);
	service->tokens = reload->tokens;
	log_set_level((enum log_level)service->config->log_level);
	move_listeners(service, &problems);
	if (service->cas != NULL)
		cas_reload(service->cas, service->config, service->tls, service->http_tls, service->tokens, &problems);
	tell_lines(reload, "reload-incomplete", buffer_span(&problems));
	buffer_free(&problems);
	if (service->mailbox != NULL)
		mailbox_role_reload(service->mailbox, service->config);
	log_info("reload", log_text("config", service->path));
}

static void
on_reloaded(struct job *job)
{
	struct reload *reload = CONTAINER_OF(job, struct reload, job);
	bool is_good = reload->config != NULL && !reload->service->is_stopping;

	reload->service->is_reloading = false;
	reload->service->jobs--;
	tell_problems(reload);
	if (is_good) {
		use(reload);
	} else {
		config_free(&reload->config);
		tls_context_free(&reload->tls);
		tls_context_free(&reload->http_tls);
		token_rules_free(&reload->tokens);
	}
	supervisor_tell_reload(false);
	if (reload->call != NULL)
		control_finish(reload->call, is_good ? EX_OK : EX_CONFIG,
		    is_good ? NULL : "nothing was changed: the configuration has errors");
	if (reload->service->is_reload_wanted)
		reload_begin(reload->service, NULL);
	config_problems_free(&reload->problems);
	free(reload);
}

void
reload_begin(struct service *service, struct control_call *call)
{
	struct reload *reload;

	if (service->is_reloading) {
		if (call != NULL)
			control_finish(call, EX_TEMPFAIL, "a reload is under way");
		else
			service->is_reload_wanted = true;	/* the files may have changed since they were read */
		return;
	}
	service->is_reload_wanted = false;
	supervisor_tell_reload(true);
	service->is_reloading = true;
	service->jobs++;
	reload = NEW(struct reload);
	reload->service = service;
	reload->call = call;
	reload->path = service->path;
	reload->role = service->role;
	reload->occasion.ports = (service->cas != NULL ? CONFIG_ROLE_CAS : 0) |
	    (service->mailbox != NULL ? CONFIG_ROLE_MAILBOX : 0);
	reload->job.work = reload_work;
	reload->job.done = on_reloaded;
	workers_submit(service->storage, &reload->job);
}

/* Of what applies at the start the first configuration holds, whatever was read since. */
static const struct config *
in_force(const struct service *service, size_t option)
{
	const struct list *first = service->retired.next;

	if (list_is_empty(&service->retired) || !config_option_needs_restart(option))
		return service->config;
	return LIST_ENTRY(first, struct retired, link)->config;
}

static void
tell_option(struct control_call *call, const struct config *config, size_t option)
{
	struct buffer text = { 0 }, line = { 0 };
	struct span rest;

	config_print_option(config, option, &text);
	rest = buffer_span(&text);
	while (rest.length > 0) {
		size_t end = span_find(rest, '\n');

		buffer_clear(&line);
		control_add_word(&line, SPAN("option"));
		control_add_field(&line, "name", span_from_string(config_option_name(option)));
		control_add_field(&line, "line", span_slice(rest, 0, end));
		control_reply(call, buffer_span(&line));
		rest = span_from(rest, end + 1);
	}
	buffer_free(&text);
	buffer_free(&line);
}

/* All settings in force, as lines of a file; and those that an argument of the process set. */
static void
on_config(struct control_call *call, void *context)
{
	const struct service *service = context;

	if (service->role != NULL)
		control_reply(call, SPAN("argument name=role"));
	for (size_t i = 0; config_option_name(i) != NULL; i++)
		tell_option(call, in_force(service, i), i);
	control_finish(call, EX_OK, NULL);
}

static void
on_reload(struct control_call *call, void *context)
{
	reload_begin(context, call);
}

void
reload_register(struct service *service)
{
	control_register(service->control, "reload", CONTROL_CHANGE, on_reload, service);
	control_register(service->control, "config", CONTROL_VIEW, on_config, service);
}

void
reload_forget(struct service *service)
{
	LIST_FOREACH(&service->retired, link) {
		struct retired *retired = LIST_ENTRY(link, struct retired, link);

		list_remove(link);
		config_free(&retired->config);
		free(retired);
	}
}
