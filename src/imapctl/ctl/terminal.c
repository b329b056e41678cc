/*
 * Secrets, questions and progress.
 */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "order.h"

#define PASSWORD_MAX 1024	/* as auth/password.h; the server decides */
#define BAR_WIDTH 30
#define WIDTH_USUAL 80

/* An octet at a time: what follows belongs to somebody else. */
bool
terminal_read_line(int descriptor, size_t octets_max, struct buffer *line_out)
{
	uint8_t octet;
	ssize_t got;

	buffer_reserve(line_out, octets_max + 2);	/* once, so that no copy stays behind */
	while ((got = read(descriptor, &octet, 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || line_out->length > octets_max)
			return false;
		if (octet == '\n')
			break;
		buffer_add_octet(line_out, octet);
	}
	if (line_out->length > 0 && line_out->at[line_out->length - 1] == '\r')
		line_out->length--;
	return true;
}

static bool
ask_secret(int terminal, const char *prompt, struct buffer *line_out)
{
	struct termios before, silent;
	bool is_read;

	dprintf(terminal, "%s", prompt);
	if (tcgetattr(terminal, &before) != 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal, TCSAFLUSH, &silent);
	is_read = terminal_read_line(terminal, TERMINAL_SECRET_MAX, line_out);
	tcsetattr(terminal, TCSAFLUSH, &before);
	dprintf(terminal, "\n");
	return is_read;
}

static bool
ask_twice(const char *user, struct buffer *password_out)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct buffer again = { 0 };
	char prompt[320];
	bool is_same;

	if (terminal < 0)
		return false;
	snprintf(prompt, sizeof prompt, "Password for %s: ", user);
	is_same = ask_secret(terminal, prompt, password_out) &&
	    ask_secret(terminal, "Again: ", &again) &&
	    span_equals(buffer_span(password_out), buffer_span(&again));
	if (!is_same)
		complain("the passwords differ");
	buffer_wipe(&again);
	close(terminal);
	return is_same;
}

bool
terminal_password(const char *user, struct buffer *password_out)
{
	bool is_read = isatty(STDIN_FILENO) ? ask_twice(user, password_out)
					    : terminal_read_line(STDIN_FILENO, PASSWORD_MAX, password_out);

	if (is_read && password_out->length == 0)
		complain("no password came on standard input");
	else if (!is_read && !isatty(STDIN_FILENO))
		complain("a password has at most %d octets", PASSWORD_MAX);
	return is_read && password_out->length > 0;
}

bool
terminal_secret(const char *who, struct buffer *secret_out)
{
	int terminal = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : STDIN_FILENO;
	char prompt[320];
	bool is_read;

	snprintf(prompt, sizeof prompt, "Password for %s: ", who);
	is_read = terminal == STDIN_FILENO ? terminal_read_line(terminal, TERMINAL_SECRET_MAX, secret_out) :
	    terminal >= 0 && ask_secret(terminal, prompt, secret_out);
	if (terminal > STDIN_FILENO)
		close(terminal);
	if (!is_read || secret_out->length == 0)
		complain("no password came on standard input; --password-file=FILE reads it from a file");
	return is_read && secret_out->length > 0;
}

bool
terminal_confirms(const char *question)
{
	char answer[16];

	if (!isatty(STDIN_FILENO)) {
		complain("%s  Nobody can be asked here: say --yes", question);
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

size_t
terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH_USUAL;
}

bool
terminal_has_colour(void)
{
	const char *word = getenv("NO_COLOR");

	return word == NULL || word[0] == '\0';
}

void
progress_begin(struct progress *progress)
{
	const char *kind = getenv("TERM");

	*progress = (struct progress){ .drawn_us = clock_monotonic_us() };
	progress->is_bar = isatty(STDERR_FILENO) && terminal_has_colour() && kind != NULL &&
	    strcmp(kind, "dumb") != 0;
}

/* "812/s, 0:11 left"; what was there before it began says nothing. */
static void
print_pace(const struct progress *progress, uint64_t now_us, uint64_t done, uint64_t total, uint64_t messages)
{
	uint64_t elapsed_us = now_us - progress->begun_us, came = messages - progress->first_messages, left_s;
	uint64_t moved = done - progress->first_done;

	if (elapsed_us == 0 || moved == 0 || messages < progress->first_messages || done < progress->first_done)
		return;
	fprintf(stderr, ", %llu/s", (unsigned long long)(came * 1000000 / elapsed_us));
	if (done >= total)
		return;
	left_s = (uint64_t)((double)elapsed_us / 1e6 * (double)(total - done) / (double)moved);
	fprintf(stderr, ", %llu:%02llu left", (unsigned long long)(left_s / 60), (unsigned long long)(left_s % 60));
}

static void
draw_bar(unsigned percent)
{
	char bar[BAR_WIDTH + 1];
	size_t filled = BAR_WIDTH * percent / 100;

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '=', filled);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] ", bar);
}

static unsigned
percent_of(uint64_t done, uint64_t total)
{
	return total == 0 || done >= total ? 100 : (unsigned)(done * 100 / total);
}

static void
draw(const struct progress *progress, uint64_t now_us, uint64_t done, uint64_t total, uint64_t messages)
{
	unsigned percent = percent_of(done, total);

	if (progress->is_bar)
		draw_bar(percent);
	fprintf(stderr, progress->is_bar ? "%3u %%, %llu messages" : "%u %%, %llu messages", percent,
	    (unsigned long long)messages);
	print_pace(progress, now_us, done, total, messages);
	fputs(progress->is_bar ? "\033[K" : "\n", stderr);
}

void
progress_show(struct progress *progress, uint64_t done, uint64_t total, uint64_t messages)
{
	uint64_t now_us = clock_monotonic_us();

	if (!progress->is_begun) {
		progress->is_begun = true;
		progress->begun_us = now_us;
		progress->first_done = done;
		progress->first_messages = messages;
	}
	if (now_us - progress->drawn_us < (progress->is_bar ? 100000u : 10000000u))
		return;
	progress->drawn_us = now_us;
	progress->is_drawn = true;
	draw(progress, now_us, done, total, messages);
}

void
progress_turn(struct progress *progress)
{
	progress->is_begun = false;
}

void
progress_show_share(struct progress *progress, uint64_t done, uint64_t total)
{
	if (!progress->is_bar)
		return;
	progress->is_drawn = true;
	draw_bar(percent_of(done, total));
	fprintf(stderr, "%3u %%\033[K", percent_of(done, total));
}

void
progress_end(struct progress *progress)
{
	if (progress->is_bar && progress->is_drawn)
		fputs("\r\033[K", stderr);
}
