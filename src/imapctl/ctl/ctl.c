/*
 * Asking the server by its control socket: framing as in control/control.h.
 */
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "config/config.h"
#include "control/words.h"
#include "ctl.h"
#include "interrupt.h"
#include "local_socket.h"
#include "order.h"
#include "record.h"
#include "terminal.h"

#define LINES_MAX 1000000	/* more is not an answer but a fault */
#define SILENCE_S 30		/* of the server, when nobody says how long */
#define GRACE_S	  30		/* what a drain may take beyond drain-time */
#define SLICE_MS  200		/* until a signal is seen that came just before a wait */

struct ctl {
	int descriptor;
	struct buffer in;
	struct arena *arena;	/* of the answer */
	struct answer answer;
	unsigned silence_s;
	bool heeds_interrupts;
	ctl_line *on_line;		/* NULL: nobody looks */
	void *line_context;
};

/* How long the server may be silent: what was said, or what the verb may take at most. */
static unsigned
silence_of(const struct order *order, const struct config *config)
{
	if (order_has(order, OPTION_TIMEOUT))
		return order->timeout_s;
	return order->verb->is_slow ? (unsigned)config->drain_time_s + GRACE_S : SILENCE_S;
}

/* Why there is no connection, and what to do. */
static int
explain(const char *path, const char *config_path)
{
	if (errno == ENOENT || errno == ECONNREFUSED) {
		complain("imapd is not running: nobody answers on %s; start it with "
			 "`imapd --config=%s`, or `systemctl start imapd`",
		    path, config_path);
		return EX_UNAVAILABLE;
	}
	if (errno == EACCES || errno == EPERM) {
		complain("no permission for %s: be root or a member of the group imapd-admin", path);
		return EX_NOPERM;
	}
	if (errno == EAGAIN) {
		complain("imapd does not answer: nobody takes the call on %s", path);
		return EX_TEMPFAIL;
	}
	complain("%s: %s", path, strerror(errno));
	return EX_OSERR;
}

struct ctl *
ctl_open(const struct order *order, int *code_out)
{
	struct config *config = order_find_server(order);
	struct ctl *ctl = NULL;
	unsigned silence_s;
	int descriptor;

	*code_out = EX_CONFIG;
	if (config == NULL)
		return NULL;
	silence_s = silence_of(order, config);
	descriptor = local_socket_connect(config->control_socket, silence_s);
	if (descriptor >= 0) {
		ctl = NEW(struct ctl);
		ctl->silence_s = silence_s;
		ctl->descriptor = descriptor;
		ctl->arena = arena_new();
		*code_out = EX_OK;
	} else {
		*code_out = explain(config->control_socket, order->config_path);
	}
	config_free(&config);
	return ctl;
}

bool
ctl_is_there(const struct order *order)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(order->config_path, config_read_file, NULL, &problems);
	bool is_there = false;

	if (config != NULL && config_is_usable(config, "control-socket")) {
		int descriptor = local_socket_connect(config->control_socket, SILENCE_S);

		is_there = descriptor >= 0 || (errno != ENOENT && errno != ECONNREFUSED);
		if (descriptor >= 0)
			close(descriptor);
	}
	config_free(&config);
	config_problems_free(&problems);
	return is_there;
}

void
ctl_close(struct ctl **ctl)
{
	if (*ctl == NULL)
		return;
	if ((*ctl)->descriptor >= 0)
		close((*ctl)->descriptor);
	arena_free(&(*ctl)->arena);
	buffer_free(&(*ctl)->in);
	free((*ctl)->answer.lines);
	free(*ctl);
	*ctl = NULL;
}

int
ctl_take_descriptor(struct ctl **ctl)
{
	int descriptor = (*ctl)->descriptor;

	local_socket_set_silence(descriptor, 0);
	(*ctl)->descriptor = -1;
	ctl_close(ctl);
	return descriptor;
}

static bool
send_all(int descriptor, struct span octets)
{
	while (octets.length > 0) {
		ssize_t sent = send(descriptor, octets.at, octets.length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		octets = span_from(octets, (size_t)sent);
	}
	return true;
}

/* False: a signal came, or nothing for too long. */
static bool
await_answer(const struct ctl *ctl)
{
	uint64_t until_us = clock_monotonic_us() + (uint64_t)ctl->silence_s * 1000000;
	struct pollfd wait = { .fd = ctl->descriptor, .events = POLLIN };

	while (!interrupt_came() && clock_monotonic_us() < until_us)
		if (poll(&wait, 1, SLICE_MS) > 0)
			return true;
	errno = interrupt_came() ? EINTR : EAGAIN;
	return false;
}

/* Receive into memory; how much came, or 0 when the connection is over. */
static size_t
receive(struct ctl *ctl, void *at, size_t length)
{
	ssize_t got;

	if (ctl->heeds_interrupts && !await_answer(ctl))
		return 0;
	do
		got = recv(ctl->descriptor, at, length, 0);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		errno = ECONNRESET;
	return got <= 0 ? 0 : (size_t)got;
}

bool
ctl_read_line(struct ctl *ctl, struct arena *arena, struct span *line_out)
{
	size_t end, seen = 0;

	while ((end = seen + span_find(span_from(buffer_span(&ctl->in), seen), '\n')) ==
	    ctl->in.length) {
		size_t got;

		seen = ctl->in.length;
		if ((got = receive(ctl, buffer_reserve(&ctl->in, 4096), 4096)) == 0)
			return false;
		ctl->in.length += got;
	}
	*line_out = arena_copy(arena, span_slice(buffer_span(&ctl->in), 0, end));
	buffer_consume(&ctl->in, end + 1);
	return true;
}

bool
ctl_read(struct ctl *ctl, void *octets_out, size_t length)
{
	size_t had = ctl->in.length < length ? ctl->in.length : length, got;

	if (had > 0) {
		memcpy(octets_out, ctl->in.at, had);
		buffer_consume(&ctl->in, had);
	}
	for (; had < length; had += got)
		if ((got = receive(ctl, (uint8_t *)octets_out + had, length - had)) == 0)
			return false;
	return true;
}

bool
ctl_write(struct ctl *ctl, struct span octets)
{
	return send_all(ctl->descriptor, octets);
}

/* One line of the answer. */
static bool
read_line(struct ctl *ctl, struct span *line_out)
{
	return ctl_read_line(ctl, ctl->arena, line_out);
}

void
answer_keep(struct answer *answer, struct span line)
{
	if (answer->line_count == answer->line_capacity) {
		answer->line_capacity = answer->line_capacity * 2 + 16;
		answer->lines = memory_resize(answer->lines, answer->line_capacity, sizeof *answer->lines);
	}
	answer->lines[answer->line_count++] = line;
}

static void
fail(struct answer *answer, int code, const char *text)
{
	answer->code = code;
	answer->text = span_from_string(text);
}

/* The connection has ended, the server is silent, or nobody waits for it. */
static void
fail_to_talk(struct ctl *ctl, int error)
{
	struct buffer text = { 0 };

	ctl->answer.is_lost = true;
	buffer_printf(&text, "imapd has not answered for %u seconds; --timeout=SECONDS waits longer", ctl->silence_s);
	if (error == EINTR)
		fail(&ctl->answer, EX_TEMPFAIL, "interrupted");
	else if (error == EAGAIN)
		fail(&ctl->answer, EX_TEMPFAIL, arena_copy_string(ctl->arena, buffer_span(&text)));
	else
		fail(&ctl->answer, EX_TEMPFAIL, "the server ended the connection before it answered");
	buffer_free(&text);
}

/* `.0` or `.67 no such user` */
static void
take_status(struct answer *answer, struct span line)
{
	size_t space = span_find(line, ' ');
	uint64_t code;

	if (!span_to_number(span_slice(line, 0, space), 255, &code)) {
		fail(answer, EX_PROTOCOL, "the server's answer cannot be understood");
		return;
	}
	answer->code = (int)code;
	answer->text = span_from(line, space + 1);
}

void
ctl_listen(struct ctl *ctl, ctl_line *on_line, void *context)
{
	ctl->on_line = on_line;
	ctl->line_context = context;
}

void
ctl_heed_interrupts(struct ctl *ctl)
{
	ctl->heeds_interrupts = true;
}

static void
read_answer(struct ctl *ctl)
{
	struct answer *answer = &ctl->answer;
	struct span line;

	while (read_line(ctl, &line)) {
		if (line.length > 0 && line.at[0] == '.') {
			take_status(answer, span_from(line, 1));
			return;
		}
		if (line.length == 0 || line.at[0] != '+' || answer->line_count == LINES_MAX) {
			fail(answer, EX_PROTOCOL, "the server's answer cannot be understood");
			return;
		}
		if (ctl->on_line == NULL || !ctl->on_line(span_from(line, 1), ctl->line_context))
			answer_keep(answer, span_from(line, 1));
	}
	fail_to_talk(ctl, errno);
}

const struct answer *
ctl_call(struct ctl *ctl, const char *verb, const struct span *words, size_t word_count,
    struct span body)
{
	struct buffer request = { 0 };

	arena_reset(ctl->arena);
	ctl->answer.line_count = 0;
	ctl->answer.is_lost = false;
	fail(&ctl->answer, EX_OK, "");
	if (ctl->heeds_interrupts && interrupt_came()) {
		fail_to_talk(ctl, EINTR);
		return &ctl->answer;
	}
	buffer_add_string(&request, verb);
	for (size_t i = 0; i < word_count; i++)
		control_add_word(&request, words[i]);
	if (body.at != NULL)
		buffer_printf(&request, " {%zu}", body.length);
	buffer_add_octet(&request, '\n');
	if ((send_all(ctl->descriptor, buffer_span(&request)) && send_all(ctl->descriptor, body)) || errno == EPIPE)
		read_answer(ctl);	/* who refuses has hung up already, and said why */
	else
		fail_to_talk(ctl, errno);
	buffer_free(&request);
	return &ctl->answer;
}

/* False: the time is over. */
static bool
await_octets(const struct ctl *ctl, uint64_t until_ms)
{
	struct pollfd wait = { .fd = ctl->descriptor, .events = POLLIN };

	while (until_ms != 0) {
		uint64_t now_ms = clock_monotonic_us() / 1000;
		int left_ms = until_ms > now_ms + INT_MAX ? INT_MAX : (int)(until_ms - now_ms);

		if (now_ms >= until_ms)
			return false;
		if (poll(&wait, 1, left_ms) > 0)
			return true;
	}
	return true;
}

bool
ctl_read_on(struct ctl *ctl, uint64_t until_ms, struct span *line_out, int *code_out)
{
	struct span line;

	arena_reset(ctl->arena);
	local_socket_set_silence(ctl->descriptor, 0);
	*code_out = EX_OK;
	if (span_find(buffer_span(&ctl->in), '\n') == ctl->in.length && !await_octets(ctl, until_ms))
		return false;
	if (!read_line(ctl, &line)) {
		complain("the server ended the connection");
		*code_out = EX_TEMPFAIL;
		return false;
	}
	if (line.length == 0 || line.at[0] != '+')
		return false;
	*line_out = span_from(line, 1);
	return true;
}

int
ctl_report(const struct answer *answer)
{
	if (answer->code != EX_OK)
		complain("%.*s", SPAN_ARGS(answer->text));
	return answer->code;
}

int
ctl_may(const struct order *order, const char *verb)
{
	struct buffer words = { 0 };
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	buffer_printf(&words, "may %s", verb);
	code = ctl_call(ctl, buffer_string(&words), NULL, 0, (struct span){ NULL, 0 })->code;
	if (code == EX_USAGE)
		code = EX_OK;
	else
		ctl_report(&ctl->answer);
	buffer_free(&words);
	ctl_close(&ctl);
	return code;
}

int
ctl_confirm(const struct order *order, const char *verb, const char *question)
{
	int code = order_has(order, OPTION_YES) ? EX_OK : ctl_may(order, verb);

	if (code != EX_OK || order_has(order, OPTION_YES) || terminal_confirms(question))
		return code;
	return EX_USAGE;
}

int
ctl_print(const struct order *order, const char *verb, const struct span *words, size_t word_count)
{
	const struct answer *answer;
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	answer = ctl_call(ctl, verb, words, word_count, (struct span){ NULL, 0 });
	code = ctl_report(answer);
	if (code == EX_OK)
		records_print(order, answer);
	ctl_close(&ctl);
	return code;
}
