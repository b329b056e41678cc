/*
 * The verb sysreport: what somebody who was not there needs to know of a fault.  Text, to be read before it is sent;
 * no mail, no secret, and unless wanted no names of users and no addresses.  Each part that cannot be had says why.
 */
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"
#include "config/config.h"
#include "verbs.h"

#define LOG_LINES   "200"
#define FILE_OCTETS 4096	/* of a small file of the system */

struct sysreport {
	const struct order *order;
	struct config *config;		/* NULL: it cannot be read */
	struct config_problems problems;
	struct ctl *ctl;		/* NULL: the server is not running */
	struct map *pseudonyms;		/* by what they stand for; the number of each */
	uint64_t pseudonym_count;
	struct buffer out;
	size_t part;			/* where the one that is written begins in out */
	bool is_log;			/* or a crash, with lines of the log */
};

/* Keys of the log and of records whose values are people, or where they are; the first one in the log alone. */
static const char *const private_keys[] = { "name", "user", "rip", "address", "ip", "rcpt", "peer", "identity", "entry", "dn", "by",
	"old", "other", "asked-by", "of" };

/* Options that name people. */
static const char *const private_options[] = { "postmaster", "deny-users", "server-admin", "ldap-bind-dn" };

/* Parts. */

static void
begin_part(struct sysreport *report, const char *name)
{
	if (report->order->json != NULL) {
		buffer_add_string(report->order->json, report->order->json->at[report->order->json->length - 1] == '[' ? "{" : ",{");
		json_add_text(report->order->json, "name", span_from_string(name));
		buffer_clear(&report->out);
	} else {
		buffer_printf(&report->out, "%s== %s\n", report->out.length > 0 ? "\n" : "", name);
	}
	report->part = report->out.length;
}

static void
end_part(struct sysreport *report)
{
	if (report->out.length == report->part)
		buffer_add_string(&report->out, "nothing\n");
	if (report->order->json != NULL) {
		json_add_text(report->order->json, "text", buffer_span(&report->out));
		buffer_add_octet(report->order->json, '}');
	}
}

/* Private values. */

static bool
is_private(const struct sysreport *report, struct span key, struct span value)
{
	if (span_equals(key, SPAN("from")))	/* a sender, or else what a state was before */
		return span_find(value, '@') < value.length;
	for (size_t i = report->is_log ? 0 : 1; i < COUNT_OF(private_keys); i++)
		if (span_equals(key, span_from_string(private_keys[i])))
			return true;
	return false;
}

/* The same value gets the same pseudonym everywhere in the report. */
static void
add_pseudonym(struct sysreport *report, struct span value)
{
	uint64_t number = (uint64_t)(uintptr_t)map_get(report->pseudonyms, value);

	if (number == 0) {
		number = ++report->pseudonym_count;
		map_put(report->pseudonyms, value, (void *)(uintptr_t)number);
	}
	buffer_printf(&report->out, "#%llu", (unsigned long long)number);
}

/* The value at the beginning of a text, to its closing quotation mark or the next space. */
static struct span
value_at(struct span text)
{
	size_t at = 1;

	if (text.length == 0 || text.at[0] != '"')
		return span_slice(text, 0, span_find(text, ' '));
	while (at < text.length && text.at[at] != '"')
		at += text.at[at] == '\\' ? 2 : 1;
	return span_slice(text, 0, at < text.length ? at + 1 : text.length);
}

/* What is said of such an option may name somebody: how much of a value, `"deny-users: nobody ...`, comes before; 0: it is not. */
static size_t
before_what_an_option_names(struct span value)
{
	size_t quote = value.length > 0 && value.at[0] == '"';

	for (size_t i = 0; i < COUNT_OF(private_options); i++) {
		struct span option = span_from_string(private_options[i]), rest = span_from(value, quote);

		if (span_starts_with(rest, option) && span_starts_with(span_from(rest, option.length), SPAN(": ")))
			return quote + option.length + 2;
	}
	return 0;
}

static void
add_value(struct sysreport *report, struct span key, struct span value)
{
	size_t kept = before_what_an_option_names(value);

	if (order_has(report->order, OPTION_NAMES) || value.length == 0 || span_equals(value, SPAN("\"\""))) {
		buffer_add_span(&report->out, value);
	} else if (is_private(report, key, value)) {
		add_pseudonym(report, value);
	} else if (kept > 0) {
		buffer_add_span(&report->out, span_slice(value, 0, kept));
		add_pseudonym(report, span_from(value, kept));
		if (value.at[0] == '"')
			buffer_add_octet(&report->out, '"');
	} else {
		buffer_add_span(&report->out, value);
	}
}

/* One word of a line, key=value or other; gives what follows it. */
static struct span
add_word(struct sysreport *report, struct span line)
{
	size_t equals = span_find(line, '='), space = span_find(line, ' ');
	struct span key = span_slice(line, 0, equals), value;

	if (equals >= space || equals == line.length) {
		buffer_add_span(&report->out, span_slice(line, 0, space));
		return span_from(line, space);
	}
	value = value_at(span_from(line, equals + 1));
	buffer_add_span(&report->out, key);
	buffer_add_octet(&report->out, '=');
	add_value(report, key, value);
	return span_from(line, equals + 1 + value.length);
}

static void
add_line(struct sysreport *report, struct span line)
{
	while (line.length > 0) {
		line = add_word(report, line);
		for (; line.length > 0 && line.at[0] == ' '; line = span_from(line, 1))
			buffer_add_octet(&report->out, ' ');
	}
	buffer_add_octet(&report->out, '\n');
}

static bool
is_private_option(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(private_options); i++)
		if (span_equals(name, span_from_string(private_options[i])))
			return true;
	return false;
}

/* A line of imapd.conf. */
static void
add_setting(struct sysreport *report, struct span line)
{
	struct span name = span_slice(line, 0, span_find(line, ' '));

	if (!is_private_option(name) || order_has(report->order, OPTION_NAMES)) {
		buffer_add_span(&report->out, line);
		buffer_add_octet(&report->out, '\n');
		return;
	}
	buffer_add_span(&report->out, name);
	for (line = span_from(line, name.length); line.length > 0;) {
		struct span value = value_at(line = span_from(line, 1));

		buffer_add_octet(&report->out, ' ');
		add_pseudonym(report, value);
		line = span_from(line, value.length);
	}
	buffer_add_octet(&report->out, '\n');
}

static void
add_settings(struct sysreport *report, struct span lines)
{
	while (lines.length > 0) {
		size_t end = span_find(lines, '\n');

		add_setting(report, span_slice(lines, 0, end));
		lines = span_from(lines, end + 1);
	}
}

/* What is told. */

static void
add_record(struct sysreport *report, struct span line)
{
	struct arena *arena = arena_new();
	struct span setting;

	if (record_field(line, arena, "option", "line", &setting))
		add_setting(report, setting);
	else
		add_line(report, line);
	arena_free(&arena);
}

/* What the server answers to a verb. */
static void
ask(struct sysreport *report, const char *name, const char *verb, const char *word)
{
	struct span words = span_from_string(word == NULL ? "" : word);
	const struct answer *answer;

	begin_part(report, name);
	if (report->ctl == NULL) {
		buffer_add_string(&report->out, "the server is not running, or cannot be asked\n");
	} else {
		answer = ctl_call(report->ctl, verb, &words, word == NULL ? 0 : 1, (struct span){ NULL, 0 });
		for (size_t i = 0; i < answer->line_count; i++)
			add_record(report, answer->lines[i]);
		if (answer->code != EX_OK)
			buffer_printf(&report->out, "%.*s\n", SPAN_ARGS(answer->text));
	}
	end_part(report);
}

static void
add_file(struct sysreport *report, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count;

	if (file < 0) {
		buffer_printf(&report->out, "%s: %s\n", path, strerror(errno));
		return;
	}
	count = read(file, buffer_reserve(&report->out, FILE_OCTETS), FILE_OCTETS);
	if (count > 0)
		report->out.length += (size_t)count;
	close(file);
}

/* The names of the libraries that are loaded, which have their versions in them. */
static void
add_libraries(struct sysreport *report)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024], last[1024] = "";

	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		const char *path = strchr(line, '/'), *name = strrchr(line, '/');

		if (path == NULL || strstr(name, ".so") == NULL || strcmp(path, last) == 0)
			continue;
		strcpy(last, path);
		buffer_add_string(&report->out, name + 1);
	}
	if (maps != NULL)
		fclose(maps);
}

static void
tell_program(struct sysreport *report)
{
	begin_part(report, "program");
	buffer_printf(&report->out, "imapd %s\n", VERSION);
	add_libraries(report);
	end_part(report);
}

static void
tell_system(struct sysreport *report)
{
	struct utsname about;

	begin_part(report, "system");
	if (uname(&about) == 0)
		buffer_printf(&report->out, "%s %s %s %s\n", about.sysname, about.release, about.version, about.machine);
	buffer_printf(&report->out, "%ld processors, %ld MiB of memory\n", sysconf(_SC_NPROCESSORS_ONLN),
	    sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024));
	add_file(report, "/etc/os-release");
	end_part(report);
}

static void
tell_disk(struct sysreport *report)
{
	struct statvfs about;

	begin_part(report, "disk of data-directory");
	if (report->config == NULL)
		buffer_add_string(&report->out, "the configuration cannot be read\n");
	else if (statvfs(report->config->data_directory, &about) != 0)
		buffer_printf(&report->out, "%s: %s\n", report->config->data_directory, strerror(errno));
	else
		buffer_printf(&report->out, "%llu of %llu MiB free, %llu of %llu inodes free\n",
		    (unsigned long long)about.f_bavail * about.f_frsize >> 20, (unsigned long long)about.f_blocks * about.f_frsize >> 20,
		    (unsigned long long)about.f_favail, (unsigned long long)about.f_files);
	end_part(report);
}

/* What differs from the defaults, in the lines of a file. */
static void
tell_settings(struct sysreport *report)
{
	struct config *defaults = config_defaults();
	struct buffer text = { 0 }, usual = { 0 };

	begin_part(report, "config show -n");
	for (size_t i = 0; report->config != NULL && config_option_name(i) != NULL; i++) {
		buffer_clear(&text);
		buffer_clear(&usual);
		config_print_option(report->config, i, &text);
		config_print_option(defaults, i, &usual);
		if (!span_equals(buffer_span(&text), buffer_span(&usual)))
			add_settings(report, buffer_span(&text));
	}
	end_part(report);
	begin_part(report, "errors and warnings of the configuration");
	for (size_t i = 0; i < report->problems.count; i++) {
		config_problem_print(&report->problems.at[i], &report->out);
		buffer_add_octet(&report->out, '\n');
	}
	end_part(report);
	buffer_free(&text);
	buffer_free(&usual);
	config_free(&defaults);
}

static void
tell_all(struct sysreport *report)
{
	tell_program(report);
	tell_system(report);
	tell_disk(report);
	tell_settings(report);
	ask(report, "config in force", "config", NULL);
	ask(report, "status", "status", "all");
	report->is_log = true;
	ask(report, "the last crash", "crash", NULL);
	ask(report, "log", "log", LOG_LINES);
}

/* The file must be new: what is there may be of somebody else. */
static int
write_to(const char *path, const struct buffer *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *stream = file < 0 ? NULL : fdopen(file, "w");
	bool is_good = stream != NULL && fwrite(text->at, 1, text->length, stream) == text->length;

	if (stream != NULL && fclose(stream) != 0)
		is_good = false;
	if (!is_good)
		complain("%s: %s", path, strerror(errno));
	return is_good ? EX_OK : EX_CANTCREAT;
}

/* The report goes to standard output, to a file, or into the order's JSON. */
static int
deliver(const struct sysreport *report)
{
	const struct order *order = report->order;

	if (order->json != NULL) {
		buffer_add_octet(order->json, ']');
		return EX_OK;
	}
	if (order->word_count == 0) {
		fwrite(report->out.at, 1, report->out.length, stdout);
		return EX_OK;
	}
	return write_to(order->words[0], &report->out);
}

int
run_sysreport(const struct order *order)
{
	struct sysreport report = { .order = order, .pseudonyms = map_new() };
	int code;

	if (order->json != NULL && order->word_count > 0) {
		complain("a file and --json exclude each other");
		return EX_USAGE;
	}
	report.config = config_load(order->config_path, config_read_file, NULL, &report.problems);
	if (report.config != NULL)
		config_check(report.config, &report.problems);
	report.ctl = report.config == NULL ? NULL : ctl_open(order, &code);
	if (order->json != NULL)
		buffer_add_string(order->json, ",\"part\":[");
	tell_all(&report);
	code = deliver(&report);
	ctl_close(&report.ctl);
	config_free(&report.config);
	config_problems_free(&report.problems);
	map_free(&report.pseudonyms);
	buffer_free(&report.out);
	return code;
}
