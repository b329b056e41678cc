/*
 * For how long certificates for clients are good, and what is wrong with them now: for a check, and for the verb
 * status.  Any thread; the records on the loop thread.
 */
#include <time.h>

#include "base/clock.h"
#include "control/words.h"
#include "internal.h"

#define DAY_S	86400
#define SOON_S	(14 * DAY_S)	/* whoever renews has done so by then, also of a certificate for 45 days */

static void
add_date(struct buffer *out, int64_t calendar_s)
{
	time_t moment = (time_t)calendar_s;
	char text[16] = "";
	struct tm parts;

	if (gmtime_r(&moment, &parts) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d", &parts);
	buffer_add_string(out, text);
}

static void
add_days(struct buffer *out, int64_t seconds)
{
	int64_t days = seconds / DAY_S;

	buffer_printf(out, "%lld day%s", (long long)days, days == 1 ? "" : "s");
}

/* "; " before all but the first. */
static void
begin_trouble(struct buffer *out, const char *words)
{
	buffer_printf(out, "%s%s", out->length > 0 ? "; " : "", words);
}

void
certificate_add_trouble(const struct tls_validity *validity, const char *name, struct buffer *out)
{
	int64_t now_s = clock_calendar_s();

	if (validity->ends_s < now_s) {
		begin_trouble(out, "expired ");
		add_days(out, now_s - validity->ends_s);
		buffer_add_string(out, " ago, on ");
		add_date(out, validity->ends_s);
	} else if (validity->begins_s > now_s) {
		begin_trouble(out, "is not valid before ");
		add_date(out, validity->begins_s);
	} else if (validity->ends_s - now_s < SOON_S) {
		begin_trouble(out, "expires in ");
		add_days(out, validity->ends_s - now_s);
		buffer_add_string(out, ", on ");
		add_date(out, validity->ends_s);
	}
	if (!validity->is_named) {
		begin_trouble(out, "is not for the name ");
		buffer_add_string(out, name);
	}
}

const char *
certificate_name(const struct config *config)
{
	return config_place(config, "hostname") != NULL && config_is_usable(config, "hostname") ? config->hostname : NULL;
}

/* Whole days; below zero when the time is over. */
static int64_t
days_until(int64_t ends_s)
{
	int64_t left_s = ends_s - clock_calendar_s();

	return (left_s < 0 ? left_s - (DAY_S - 1) : left_s) / DAY_S;
}

bool
certificates_end(const struct service *service, int64_t *days_out)
{
	const struct config_certificates *named = &service->config->tls_certificate_for;
	struct tls_validity validity;
	int64_t ends_s;

	if (service->tls == NULL || !tls_context_validity(service->tls, NULL, NULL, &validity))
		return false;
	ends_s = validity.ends_s;
	for (size_t i = 0; i < named->count; i++)
		if (tls_context_validity(service->tls, named->at[i].name, NULL, &validity) && validity.ends_s < ends_s)
			ends_s = validity.ends_s;
	*days_out = days_until(ends_s);
	return true;
}

void
certificates_walk(const struct service *service, certificate_each *each, void *context)
{
	const struct config_certificates *named = &service->config->tls_certificate_for;
	struct tls_validity validity;

	if (service->tls == NULL)
		return;
	if (tls_context_validity(service->tls, NULL, NULL, &validity))
		each(service->config->hostname, validity.ends_s, context);
	for (size_t i = 0; i < named->count; i++)
		if (tls_context_validity(service->tls, named->at[i].name, NULL, &validity))
			each(named->at[i].name, validity.ends_s, context);
}

static void
tell(const struct service *service, const char *server_name, struct control_call *call)
{
	const char *name = server_name != NULL ? server_name : certificate_name(service->config);
	struct buffer line = { 0 }, trouble = { 0 };
	struct tls_validity validity;

	if (!tls_context_validity(service->tls, server_name, name, &validity))
		return;
	certificate_add_trouble(&validity, name, &trouble);
	control_add_word(&line, SPAN("certificate"));
	control_add_field(&line, "name",
	    span_from_string(server_name != NULL ? server_name : service->config->hostname));
	status_add_time(&line, "expires", validity.ends_s);
	control_add_number(&line, "days", days_until(validity.ends_s));
	control_add_field(&line, "trouble", buffer_span(&trouble));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
	buffer_free(&trouble);
}

void
certificates_tell(const struct role *role, struct control_call *call)
{
	const struct service *service = role->service;
	const struct config_certificates *named = &service->config->tls_certificate_for;

	if (role->kind->bit != CONFIG_ROLE_CAS || service->tls == NULL)
		return;
	tell(service, NULL, call);
	for (size_t i = 0; i < named->count; i++)
		tell(service, named->at[i].name, call);
}
