#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctl/record.h"
#include "base/memory.h"

static const char *const severities[] = { [NOTE] = "note", [WARNING] = "warning", [WRONG] = "wrong" };

void
finding(struct doctor *doctor, enum severity severity, const char *command, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	doctor->found += severity != NOTE;
	order_say(doctor->order, "%-8s %s\n         %s", severities[severity], text, command);
	buffer_printf(&doctor->records, "%s{\"severity\":\"%s\"", doctor->records.length > 0 ? "," : "", severities[severity]);
	json_add_text(&doctor->records, "text", span_from_string(text));
	json_add_text(&doctor->records, "command", span_from_string(command));
	buffer_add_octet(&doctor->records, '}');
	free(text);
}

const char *
doctor_text(struct doctor *doctor, const char *format, ...)
{
	va_list arguments;
	char *text;
	const char *copy;

	va_start(arguments, format);
	text = memory_print(format, arguments);
	va_end(arguments);
	copy = arena_copy_string(doctor->arena, span_from_string(text));
	free(text);
	return copy;
}

const char *
doctor_imapctl(struct doctor *doctor, const char *words)
{
	const char *path = doctor->order->config_path;

	if (strcmp(path, SYSCONF "/imapd/imapd.conf") == 0)
		return doctor_text(doctor, "imapctl %s", words);
	return doctor_text(doctor, "imapctl --config=%s %s", path, words);
}
