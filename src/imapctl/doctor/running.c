/*
 * What the server that runs has, beside what its files say.
 */
#include <string.h>
#include <sysexits.h>

#include "../host/program.h"
#include "config/config.h"
#include "finding.h"

#define NAMED_MAX 5	/* options that are named */

static bool
ends_with(struct span text, struct span end)
{
	return text.length >= end.length && span_equals(span_from(text, text.length - end.length), end);
}

/* The options of what `imapctl config diff` prints; *needs_start_out: a reload is not enough for one of them. */
static size_t
name_options(struct span said, struct buffer *names_out, bool *needs_start_out)
{
	struct span before = SPAN("");
	size_t count = 0;

	while (said.length > 0) {
		struct span line = span_slice(said, 0, span_find(said, '\n')), name = span_from(line, 1);

		said = span_from(said, line.length + 1);
		name = span_slice(name, 0, span_find(name, ' '));
		if (line.length < 2 || strchr("+-", line.at[0]) == NULL)
			continue;
		*needs_start_out = *needs_start_out || ends_with(line, SPAN("# at the next start"));
		if (span_equals(name, before))
			continue;
		before = name;
		if (count++ < NAMED_MAX)
			buffer_printf(names_out, "%s%.*s", count > 1 ? ", " : "", SPAN_ARGS(name));
	}
	return count;
}

void
doctor_drift(struct doctor *doctor)
{
	const char *const words[] = { doctor_text(doctor, "--config=%s", doctor->order->config_path), "config", "diff", NULL };
	struct buffer said = { 0 }, names = { 0 };
	bool needs_start = false;
	size_t count;

	if (program_run_imapctl(words, SPAN(""), &said) == 1 &&
	    (count = name_options(buffer_span(&said), &names, &needs_start)) > 0)
		finding(doctor, WARNING, needs_start ? "systemctl restart imapd" : doctor_imapctl(doctor, "reload"),
		    "the server runs with other settings than its files have: %s%s", buffer_string(&names),
		    count > NAMED_MAX ? " and more" : "");
	buffer_free(&said);
	buffer_free(&names);
}

/* systemd's journal keeps no more lines than RateLimitBurst= within RateLimitIntervalSec= (journald.conf(5)), and says so. */
void
doctor_journal(struct doctor *doctor)
{
	const char *const words[] = { "journalctl", "--quiet", "--output=cat", "--since=-1day", "--lines=1", "--identifier=systemd-journald",
		"--grep=Suppressed .* messages from imapd", NULL };
	struct buffer said = { 0 };

	if (program_run(words, SPAN(""), &said) == 0 && said.length > 0)
		finding(doctor, WARNING, "systemctl edit imapd   # [Service] LogRateLimitIntervalSec=0",
		    "the journal has left out lines of the log: %.*s", SPAN_ARGS(span_slice(buffer_span(&said), 0,
			span_find(buffer_span(&said), '\n'))));
	buffer_free(&said);
}
