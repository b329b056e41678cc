/*
 * The operator's page: where it is served, and the samples that its charts are drawn of.  Loop thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "http/http.h"
#include "internal.h"

bool
listen_locally(struct http *http, const struct config_listeners *wanted, char **error_out)
{
	char **addresses = memory_new_array(wanted->count + 1, sizeof *addresses);
	bool is_good;

	for (size_t i = 0; i < wanted->count; i++) {
		struct buffer address = { 0 };

		config_listener_print(&wanted->at[i], &address);
		addresses[i] = memory_copy_string(buffer_string(&address));
		buffer_free(&address);
	}
	is_good = http_listen_at(http, (const char *const *)addresses, wanted->count, error_out);
	for (size_t i = 0; i < wanted->count; i++)
		free(addresses[i]);
	free(addresses);
	return is_good;
}

bool
page_open(struct service *service, char **error_out)
{
	service->web = web_new(service->loop, service->control);
	return page_reload(service, error_out);
}

bool
page_reload(struct service *service, char **error_out)
{
	if (!listen_locally(web_http(service->web), &service->config->admin_listen, error_out))
		return false;
	if (web_listener(service->web) != NULL)
		history_begin(service);
	else
		history_end(service);
	return true;
}

void
page_close(struct service *service)
{
	web_free(&service->web);
	history_end(service);
}
