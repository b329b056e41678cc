/*
 * What `imapd --check-config` says, line by line: files, folders, rights, ports, certificates and names with it.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../host/program.h"
#include "config/config.h"
#include "finding.h"

/* A line is "FILE:LINE:COLUMN: what is wrong; try COMMAND"; without a command the line is to be edited. */
static const char *
find_command(struct doctor *doctor, const char *line, const char *text)
{
	const char *try = strstr(text, "; try "), *colon = strchr(line, ':');
	unsigned number = 1;

	if (try != NULL)
		return doctor_text(doctor, "%s", try + strlen("; try "));
	if (strstr(text, " is in use by ") != NULL && strstr(text, ", pid ") != NULL)
		return doctor_text(doctor, "ps -fp %.*s", (int)strspn(strstr(text, ", pid ") + 6, "0123456789"),
		    strstr(text, ", pid ") + 6);
	if (strstr(text, " was written by a later version ") != NULL)
		return "apt-cache policy imapd   # and install the later version again";
	if (colon == NULL || sscanf(colon, ":%u:", &number) != 1)
		return doctor_text(doctor, "${EDITOR:-vi} %s", doctor->order->config_path);
	if (strstr(text, "the certificate in ") != NULL || strstr(text, "tls-key: ") == text)
		return doctor_imapctl(doctor, "setup --cert=FILE --key=FILE");
	return doctor_text(doctor, "${EDITOR:-vi} +%u %.*s", number, (int)(colon - line), line);
}

/* Behind "FILE:LINE:COLUMN: " and "warning: ". */
static const char *
find_text(const char *line, enum severity *severity_out)
{
	const char *text = strstr(line, ": ");

	*severity_out = WRONG;
	if (text == NULL)
		return line;
	text += 2;
	if (strncmp(text, "warning: ", 9) != 0)
		return text;
	*severity_out = WARNING;
	return text + 9;
}

/* Of others than root the check says that it has not looked at everything: that is nothing about the host. */
static void
take_line(struct doctor *doctor, const char *line)
{
	enum severity severity;
	const char *text = find_text(line, &severity);
	size_t place = (size_t)(text - line);

	if (strstr(text, "only root can become user ") != NULL) {
		finding(doctor, NOTE, doctor_text(doctor, "sudo %s", doctor_imapctl(doctor, "doctor")),
		    "only root can see what user %s may read: not all was looked at", doctor->config != NULL &&
		    doctor->config->user != NULL ? doctor->config->user : "imapd");
		return;
	}
	if (severity == WARNING)
		place -= strlen("warning: ");
	finding(doctor, severity, find_command(doctor, line, text), "%.*s%s", (int)place, line, text);
}

void
doctor_configuration(struct doctor *doctor)
{
	const char *const words[] = { "--check-config", doctor_text(doctor, "--config=%s", doctor->order->config_path), NULL };
	struct buffer said = { 0 };
	struct span rest;

	if (access(doctor->order->config_path, F_OK) != 0) {
		finding(doctor, WRONG, doctor_imapctl(doctor, "setup"), "there is no configuration %s", doctor->order->config_path);
		return;
	}
	program_run_imapd(words, SPAN(""), &said);
	for (rest = buffer_span(&said); rest.length > 0;) {
		struct span line = span_slice(rest, 0, span_find(rest, '\n'));
		const char *text = arena_copy_string(doctor->arena, line);

		rest = span_from(rest, line.length + 1);
		if (line.length > 0 && strstr(text, ": no errors") == NULL && strncmp(text, "imapd: ", 7) != 0)
			take_line(doctor, text);
	}
	if (doctor->config != NULL && config_place(doctor->config, "config-version") == NULL)
		finding(doctor, NOTE, doctor_text(doctor, "sed -i '1i config-version 1' %s", doctor->order->config_path),
		    "%s does not say config-version: a later imapd would take its own defaults", doctor->order->config_path);
	buffer_free(&said);
}
