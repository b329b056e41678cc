/*
 * What health has found, as it is noted and told.
 */
#include "health.h"

#include <string.h>
#include <sysexits.h>

#include "../ctl/record.h"
#include "control/words.h"

static const char *const state_names[] = { "Healthy", "Disabled", "Degraded", "Unhealthy" };

const char *const health_set_names[SET_COUNT] = { "IMAP", "IMAP.Proxy", "IMAP.Protocol", "Store", "MailboxTransport",
	"Autodiscover", "ECP", "Monitoring" };

void
health_add(struct health *health, enum health_set set, const char *name, const char *target, enum health_state state, uint64_t us,
    const char *error)
{
	struct buffer line = { 0 };

	health->is_asked[set] = true;
	if (state > health->sets[set] && state != DISABLED)
		health->sets[set] = state;
	control_add_word(&line, SPAN("probe"));
	control_add_field(&line, "health-set", span_from_string(health_set_names[set]));
	control_add_field(&line, "name", span_from_string(name));
	control_add_field(&line, "target", span_from_string(target));
	control_add_field(&line, "state", span_from_string(state_names[state]));
	control_add_number(&line, "ms", (int64_t)((us + 999) / 1000));
	control_add_field(&line, "error", span_from_string(error));
	findings_add(&health->probes, &line);
	buffer_free(&line);
}

const char *
health_field(struct health *health, struct span line, const char *kind, const char *key)
{
	struct span value;

	return record_field(line, health->arena, kind, key, &value) ? arena_copy_string(health->arena, value) : NULL;
}

/* Get-ServerComponentState's words. */
void
health_add_component(struct health *health, const char *name, const char *state)
{
	struct buffer line = { 0 };
	const char *word = strcmp(state, "running") == 0 ? "Active" : strcmp(state, "draining") == 0 ? "Draining" : "Inactive";

	control_add_word(&line, SPAN("component"));
	control_add_field(&line, "name", span_from_string(name));
	control_add_field(&line, "state", span_from_string(word));
	findings_add(&health->components, &line);
	buffer_free(&line);
}

static void
tell_sets(struct health *health, struct findings *all)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < SET_COUNT; i++) {
		if (!health->is_asked[i])
			continue;
		control_add_word(&line, SPAN("health-set"));
		control_add_field(&line, "name", span_from_string(health_set_names[i]));
		control_add_field(&line, "state", span_from_string(state_names[health->sets[i]]));
		findings_add(all, &line);
	}
	buffer_free(&line);
}

static void
tell_lines(const struct findings *from, struct findings *all)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < from->answer.line_count; i++) {
		buffer_add_span(&line, from->answer.lines[i]);
		findings_add(all, &line);
	}
	buffer_free(&line);
}

int
health_tell(struct health *health)
{
	struct findings all = { .arena = NULL };
	int code = EX_OK;

	tell_sets(health, &all);
	tell_lines(&health->components, &all);
	tell_lines(&health->probes, &all);
	records_print(health->order, &all.answer);
	for (size_t i = 0; i < SET_COUNT; i++)
		if (health->sets[i] == UNHEALTHY)
			code = 1;
	findings_free(&all);
	return code;
}
