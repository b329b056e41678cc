/*
 * Where Prometheus and balancers ask: /metrics, /healthz and /readyz by HTTP, always on a Unix socket beside the
 * control socket, for whoever may come to that, and on the loopback where metrics-listen says so.  Loop thread.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http.h"
#include "internal.h"

enum { ON_SOCKET, ON_LOOPBACK };

static void
answer_prometheus(struct span text, void *request)
{
	http_answer(request, 200, metrics_content_type(METRICS_PROMETHEUS), text);
}

static void
answer_openmetrics(struct span text, void *request)
{
	http_answer(request, 200, metrics_content_type(METRICS_OPENMETRICS), text);
}

static void
on_metrics(struct http_request *request, void *context)
{
	if (metrics_format_for(http_request_field(request, "Accept")) == METRICS_OPENMETRICS)
		stats_ask(context, STATS_OPENMETRICS, answer_openmetrics, request);
	else
		stats_ask(context, STATS_PROMETHEUS, answer_prometheus, request);
}

/* That there is an answer says all. */
static void
on_healthz(struct http_request *request, void *context)
{
	(void)context;
	http_answer_text(request, 200, "ok");
}

static void
answer_readiness(bool is_ready, struct span lines, void *request)
{
	http_answer(request, is_ready ? 200 : 503, "text/plain; charset=utf-8", lines);
}

static void
on_readyz(struct http_request *request, void *context)
{
	readiness_ask(context, answer_readiness, request);
}

static struct http *
begin(struct service *service, bool is_local)
{
	const struct http_settings settings = { .is_local = is_local };
	struct http *http = http_new(service->loop, &settings);

	http_register(http, "GET", "/metrics", on_metrics, service);
	http_register(http, "GET", "/healthz", on_healthz, service);
	http_register(http, "GET", "/readyz", on_readyz, service);
	return http;
}

/* Whoever may come to the control socket; what is counted says nothing of anybody. */
static void
share_as_control(const struct config *config, const char *path)
{
	struct stat control;

	if (stat(config->control_socket, &control) == 0 && lchown(path, (uid_t)-1, control.st_gid) == 0)
		chmod(path, control.st_mode & 0666);
}

/* It is no reason not to serve clients that this cannot be asked. */
static void
open_socket(struct service *service)
{
	struct buffer path = { 0 };
	char *error = NULL;

	buffer_printf(&path, "%s.metrics", service->config->control_socket);
	service->endpoints[ON_SOCKET] = begin(service, false);
	if (http_listen(service->endpoints[ON_SOCKET], buffer_string(&path), 0660, &error))
		share_as_control(service->config, buffer_string(&path));
	else
		log_warning("metrics-socket", log_text("path", buffer_string(&path)), log_text("reason", error));
	free(error);
	buffer_free(&path);
}

bool
endpoint_open(struct service *service, char **error_out)
{
	open_socket(service);
	service->endpoints[ON_LOOPBACK] = begin(service, true);
	return endpoint_reload(service, error_out);
}

bool
endpoint_reload(struct service *service, char **error_out)
{
	return listen_locally(service->endpoints[ON_LOOPBACK], &service->config->metrics_listen, error_out);
}

void
endpoint_close(struct service *service)
{
	http_free(&service->endpoints[ON_SOCKET]);
	http_free(&service->endpoints[ON_LOOPBACK]);
}
