/*
 * The verb doctor: looks at all that an operator would look at, also when no server runs.
 */
#include "doctor.h"

#include <sysexits.h>

#include "../ctl/ctl.h"
#include "config/config.h"
#include "finding.h"

static void
examine(struct doctor *doctor)
{
	doctor_configuration(doctor);
	if (doctor->config == NULL)
		return;
	doctor_certificates(doctor);
	doctor_host(doctor);
	doctor_journal(doctor);
	doctor_server(doctor);
	if (order_has(doctor->order, OPTION_DNS))
		doctor_names(doctor, order_value(doctor->order, OPTION_DNS));
}

int
run_doctor(const struct order *order)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(order->config_path, config_read_file, NULL, &problems);
	struct doctor doctor = { .order = order, .config = config, .arena = arena_new(),
		.is_running = ctl_is_there(order) };

	examine(&doctor);
	if (order->json != NULL)
		buffer_printf(order->json, ",\"finding\":[%.*s]", SPAN_ARGS(buffer_span(&doctor.records)));
	else if (doctor.records.length == 0)
		order_say(order, "Nothing was found.");
	buffer_free(&doctor.records);
	arena_free(&doctor.arena);
	config_free(&config);
	config_problems_free(&problems);
	return doctor.found > 0 ? 1 : EX_OK;
}
