/*
 * The configuration: compared with the file that is there, written when there is none, and never replaced without being
 * asked, unless it is the example that came with imapd.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "../ctl/terminal.h"
#include "../host/program.h"
#include "base/memory.h"
#include "config/sample.h"
#include "step.h"

/* Take a line off the front: its words, each behind one space; empty for a comment. */
static void
take_line(struct span *text, struct buffer *words_out)
{
	struct span line = span_slice(*text, 0, span_find(*text, '\n'));

	*text = span_from(*text, line.length + 1);
	buffer_clear(words_out);
	line = span_trim(span_without_line_end(line));
	if (line.length > 0 && line.at[0] == '#')
		return;
	for (size_t i = 0; i < line.length; i++) {
		bool is_space = line.at[i] == ' ' || line.at[i] == '\t';

		if (!is_space || line.at[i - 1] != ' ')
			buffer_add_octet(words_out, is_space ? ' ' : line.at[i]);
	}
}

/* Whether a text has such a line; or, for an option that nobody has given a value now, a line of this option at all. */
static bool
has_line(struct span text, struct span wanted, bool is_free)
{
	struct span option = span_slice(wanted, 0, span_find(wanted, ' '));
	struct buffer words = { 0 };
	bool is_found = false;

	while (text.length > 0 && !is_found) {
		take_line(&text, &words);
		is_found = span_equals(buffer_span(&words), wanted) || (is_free && span_equals(option,
			span_slice(buffer_span(&words), 0, span_find(buffer_span(&words), ' '))));
	}
	buffer_free(&words);
	return is_found;
}

/* Whether the value of this line's option is by default, and was not ordered. */
static bool
is_free(const struct setup *setup, struct span line)
{
	static const struct {
		const char *option;
		enum order_option by;
	} ordered[] = { { "hostname", OPTION_HOSTNAME }, { "role", OPTION_ROLE }, { "tls-certificate", OPTION_CERT },
		{ "tls-key", OPTION_KEY }, { "mailbox-server", OPTION_MAILBOX_SERVER } };
	struct span option = span_slice(line, 0, span_find(line, ' '));

	for (size_t i = 0; i < COUNT_OF(ordered); i++)
		if (span_equals(option, span_from_string(ordered[i].option)))
			return !order_has(setup->order, ordered[i].by);
	return true;
}

/* Whether each option that is wanted is said so already; what else is said is the operator's own. */
static bool
says_all(const struct setup *setup, struct span there)
{
	struct span wanted = buffer_span(&setup->wanted);
	struct buffer words = { 0 };
	bool is_all = true;

	while (wanted.length > 0 && is_all) {
		take_line(&wanted, &words);
		is_all = words.length == 0 ||
		    has_line(there, buffer_span(&words), is_free(setup, buffer_span(&words)));
	}
	buffer_free(&words);
	return is_all;
}

/* What would change, on standard error: standard output is for what is done. */
static void
show_difference(const struct setup *setup)
{
	const char *const words[] = { "diff", "-u", "--label", setup->path, "--label", "setup", setup->path, "-", NULL };
	struct buffer lines = { 0 };

	if (program_run(words, buffer_span(&setup->wanted), &lines) == PROGRAM_MISSING)
		buffer_add_span(&lines, buffer_span(&setup->wanted));
	fwrite(lines.at, 1, lines.length, stderr);
	buffer_free(&lines);
}

static bool
may_replace(const struct setup *setup)
{
	char question[5000];

	if (setup->is_dry || order_has(setup->order, OPTION_YES))
		return true;
	snprintf(question, sizeof question, "Replace %s as shown?  The file as it is becomes %s.old.", setup->path,
	    setup->path);
	return terminal_confirms(question);
}

bool
setup_is_sample(const char *path)
{
	struct buffer there = { 0 };
	bool is_sample = setup_get(path, &there) && span_equals(buffer_span(&there), config_sample);

	buffer_free(&there);
	return is_sample;
}

int
setup_compare(struct setup *setup, bool *is_to_be_written_out)
{
	struct buffer there = { 0 };
	bool is_there = setup_get(setup->path, &there);
	int error = errno, code = EX_OK;

	bool is_sample = is_there && setup_is_sample(setup->path);

	*is_to_be_written_out = !is_there || is_sample || !says_all(setup, buffer_span(&there));
	if (!is_there && error != ENOENT) {
		complain("%s: %s", setup->path, strerror(error));
		code = EX_NOINPUT;
	} else if (is_there && *is_to_be_written_out && !is_sample) {
		show_difference(setup);
		if (!may_replace(setup)) {
			complain("%s stays as it is, and nothing was done", setup->path);
			code = 1;
		}
	}
	buffer_free(&there);
	return code;
}

/* The file as it was, under another name; the example is in the documentation. */
static bool
keep_old(const struct setup *setup, bool *is_kept_out)
{
	struct buffer name = { 0 };
	bool is_good = true;

	*is_kept_out = access(setup->path, F_OK) == 0 && !setup_is_sample(setup->path);
	if (*is_kept_out) {
		buffer_printf(&name, "%s.old", setup->path);
		unlink(buffer_string(&name));
		is_good = link(setup->path, buffer_string(&name)) == 0;
	}
	if (!is_good)
		complain("%s: %s", buffer_string(&name), strerror(errno));
	buffer_free(&name);
	return is_good;
}

int
setup_write(struct setup *setup)
{
	bool is_kept = false;

	if (!setup->is_dry && (!keep_old(setup, &is_kept) ||
	    !setup_put(setup, setup->path, buffer_span(&setup->wanted), 0, 0, 0644)))
		return EX_CANTCREAT;
	setup_tell(setup, is_kept ? SETUP_CHANGED : SETUP_MADE, "the configuration %s%s", setup->path,
	    is_kept ? "; the old one has .old behind its name" : "");
	if (setup->is_dry && setup->order->json == NULL)
		printf("%.*s", SPAN_ARGS(buffer_span(&setup->wanted)));
	return EX_OK;
}
