/*
 * The console: what Exchange Server's operators know as the services snap-in, on a terminal.  The picture
 * is drawn whole, once a second and after each key; nothing is kept of what was there before.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/order.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "services.h"

#define TICK_MS	     1000
#define SERVICES_MAX 2
#define MESSAGE_MAX  320

struct console {
	struct ctl *ctl;
	struct buffer picture;
	size_t rows, columns;
	char services[SERVICES_MAX][16], sessions[SERVICES_MAX][24];	/* as the last picture shows them */
	size_t count, selected;
	const char *question;		/* the verb that waits for a yes, or NULL */
	bool is_coloured, is_log, is_over;
	char message[MESSAGE_MAX];
	int code;
};

/* Set by SIGTERM and SIGHUP, so that the terminal is left as it was. */
static volatile sig_atomic_t is_ended;

static const struct {
	const char *key, *title;
	int width;
} columns[] = {
	{ "name", "SERVICE", 9 }, { "state", "STATE", 10 }, { "since", "SINCE", 22 },
	{ "asked-by", "ASKED BY", 15 }, { "sessions", "SESSIONS", 10 }, { "error", "LAST ERROR", 0 },
};

static void
measure(struct console *console)
{
	struct winsize size;

	console->rows = 24;
	console->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		console->rows = size.ws_row;
		console->columns = size.ws_col;
	}
}

/* One line of text, cut at the right edge; colour does not count. */
static void
add_line(struct console *console, const char *colour, struct span text)
{
	bool is_coloured = colour != NULL && console->is_coloured;

	if (is_coloured)
		buffer_printf(&console->picture, "\033[%sm", colour);
	buffer_add_span(&console->picture, span_slice(text, 0, console->columns - 1));
	if (is_coloured)
		buffer_add_string(&console->picture, "\033[0m");
	buffer_add_string(&console->picture, "\033[K\r\n");
}

static const char *
colour_of(struct span state)
{
	if (span_equals(state, SPAN("running")))
		return "32";
	return span_equals(state, SPAN("failed")) ? "31" : "33";
}

static void
add_service(struct console *console, struct span line)
{
	struct arena *arena = arena_new();
	struct buffer text = { 0 };
	struct span value, state = { NULL, 0 };
	size_t index = console->count;

	if (index < SERVICES_MAX && record_field(line, arena, "service", "name", &value)) {
		snprintf(console->services[index], sizeof console->services[index], "%.*s", SPAN_ARGS(value));
		value.length = 0;
		record_field(line, arena, "service", "sessions", &value);
		snprintf(console->sessions[index], sizeof console->sessions[index], "%.*s", SPAN_ARGS(value));
		console->count++;
		buffer_add_string(&text, index == console->selected ? "> " : "  ");
		record_field(line, arena, "service", "state", &state);
		for (size_t i = 0; i < COUNT_OF(columns); i++) {
			if (!record_field(line, arena, "service", columns[i].key, &value))
				value = (struct span){ (const uint8_t *)"", 0 };
			buffer_printf(&text, "%-*.*s", columns[i].width, SPAN_ARGS(value));
		}
		add_line(console, colour_of(state), buffer_span(&text));
	}
	buffer_free(&text);
	arena_free(&arena);
}

static void
add_titles(struct console *console)
{
	struct buffer text = { 0 };

	buffer_add_string(&text, "  ");
	for (size_t i = 0; i < COUNT_OF(columns); i++)
		buffer_printf(&text, "%-*s", columns[i].width, columns[i].title);
	add_line(console, "1", buffer_span(&text));
	buffer_free(&text);
}

/* The server has gone, or forbids even to look: that ends the console. */
static const struct answer *
ask(struct console *console, const char *verb, const struct span *words, size_t count)
{
	const struct answer *answer = ctl_call(console->ctl, verb, words, count, (struct span){ NULL, 0 });

	if (answer->code == EX_TEMPFAIL || answer->code == EX_PROTOCOL) {
		console->is_over = true;
		console->code = answer->code;
	}
	snprintf(console->message, sizeof console->message, "%.*s", SPAN_ARGS(answer->text));
	return answer;
}

static void
draw_services(struct console *console)
{
	const struct answer *answer;
	char kept[MESSAGE_MAX];

	snprintf(kept, sizeof kept, "%s", console->message);
	answer = ask(console, "services", NULL, 0);
	if (answer->code != EX_OK) {
		console->is_over = true;
		console->code = answer->code;
		return;
	}
	console->count = 0;
	add_titles(console);
	for (size_t i = 0; i < answer->line_count; i++)
		add_service(console, answer->lines[i]);
	if (console->selected >= console->count)
		console->selected = 0;
	snprintf(console->message, sizeof console->message, "%s", kept);
}

static void
draw_log(struct console *console)
{
	size_t used = console->count + 5, room = console->rows > used ? console->rows - used : 1;
	const struct answer *answer;
	struct span word;
	char number[8];

	snprintf(number, sizeof number, "%zu", room < 200 ? room : 200);
	word = span_from_string(number);
	answer = ask(console, "log", &word, 1);
	for (size_t i = 0; i < answer->line_count; i++)
		add_line(console, NULL, answer->lines[i]);
}

static void
draw_message(struct console *console)
{
	struct buffer text = { 0 };

	if (console->question != NULL)
		buffer_printf(&text, "%s %s (sessions: %s)?  y yes, any other key no", console->question,
		    console->services[console->selected], console->sessions[console->selected]);
	else
		buffer_add_string(&text, console->message);
	add_line(console, "33", buffer_span(&text));
	buffer_free(&text);
}

static void
draw(struct console *console)
{
	static const char keys[] = "s start  t stop  r restart  d drain  l log  j/k or arrows select  q quit";

	measure(console);
	buffer_clear(&console->picture);
	buffer_add_string(&console->picture, "\033[H");
	draw_services(console);
	add_line(console, NULL, SPAN(""));
	add_line(console, NULL, span_from_string(keys));
	draw_message(console);
	if (console->is_log && !console->is_over)
		draw_log(console);
	buffer_add_string(&console->picture, "\033[J");
	if (!console->is_over && write(STDOUT_FILENO, console->picture.at, console->picture.length) < 0)
		console->is_over = true;
}

/* Without waiting: the table shows how it goes on. */
static void
order_change(struct console *console, const char *verb)
{
	struct span words[2] = { span_from_string(console->services[console->selected]), SPAN("no-wait") };
	const struct answer *answer;

	if (console->count == 0)
		return;
	answer = ask(console, verb, words, COUNT_OF(words));
	if (answer->code == EX_OK)
		snprintf(console->message, sizeof console->message, "%s %s: asked", verb,
		    console->services[console->selected]);
}

static void
select_next(struct console *console, size_t step)
{
	if (console->count > 0)
		console->selected = (console->selected + step) % console->count;
}

/* What cuts clients off is asked about first: a key is hit quickly.  A drain can be taken back by a start. */
static void
ask_first(struct console *console, const char *verb)
{
	if (console->count > 0)
		console->question = verb;
}

static void
take_answer(struct console *console, char key)
{
	const char *verb = console->question;

	console->question = NULL;
	if (key == 'y' || key == 'Y')
		order_change(console, verb);
	else
		snprintf(console->message, sizeof console->message, "%s %s: not asked", verb,
		    console->services[console->selected]);
}

static void
take_key(struct console *console, char key)
{
	switch (key) {
	case 's':
		order_change(console, "start");
		break;
	case 't':
		ask_first(console, "stop");
		break;
	case 'r':
		ask_first(console, "restart");
		break;
	case 'd':
		order_change(console, "drain");
		break;
	case 'l':
		console->is_log = !console->is_log;
		break;
	case 'j':
	case 'B':	/* of the arrow's ESC [ B */
		select_next(console, 1);
		break;
	case 'k':
	case 'A':
		select_next(console, console->count > 0 ? console->count - 1 : 0);
		break;
	case 'q':
	case 3:		/* control-C */
	case 4:
		console->is_over = true;
		break;
	default:
		break;
	}
}

static void
read_keys(struct console *console)
{
	char keys[32];
	ssize_t count = read(STDIN_FILENO, keys, sizeof keys);

	if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN))
		console->is_over = true;
	for (ssize_t i = 0; i < count && !console->is_over; i++) {
		if (console->question != NULL && keys[i] != 3 && keys[i] != 4)
			take_answer(console, keys[i]);
		else
			take_key(console, keys[i]);
	}
}

static void
on_end_signal(int number)
{
	(void)number;
	is_ended = 1;
}

static void
on_window_signal(int number)
{
	(void)number;	/* poll() returns, and all is drawn anew */
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_end_signal };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	action.sa_handler = on_window_signal;
	action.sa_flags = SA_RESTART;
	sigaction(SIGWINCH, &action, NULL);
}

static void
watch(struct console *console)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!console->is_over && !is_ended) {
		draw(console);
		if (!console->is_over && poll(&input, 1, TICK_MS) > 0)
			read_keys(console);
	}
}

int
console_run(struct ctl *ctl)
{
	struct console console = { .ctl = ctl, .is_coloured = terminal_has_colour() };
	struct termios before, raw;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return EX_OSERR;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	catch_signals();
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	fputs("\033[H\033[2J\033[?25l", stdout);	/* an empty screen without a cursor */
	fflush(stdout);
	watch(&console);
	fputs("\033[?25h\r\n", stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	if (console.code != EX_OK)
		complain("%s", console.message);
	buffer_free(&console.picture);
	return console.code;
}
