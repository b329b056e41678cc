#include "program.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define WORDS_MAX  16
#define PLACES	   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct child {
	pid_t pid;
	int in, out;		/* our ends of its pipes */
};

static void
become(const char *path, char *const words[], const int in[2], const int out[2])
{
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(out[1], STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	execv(path, words);
	_exit(PROGRAM_MISSING);
}

static bool
start(const char *path, char *const words[], struct child *child_out)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0)
		return false;
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	fflush(stdout);
	child_out->pid = fork();
	if (child_out->pid < 0)
		abort();	/* out of memory */
	if (child_out->pid == 0)
		become(path, words, in, out);
	close(in[0]);
	close(out[1]);
	child_out->in = in[1];
	child_out->out = out[0];
	return true;
}

/* Hand over some of the input; the pipe is closed behind the last of it, or when nobody reads it. */
static void
give(struct child *child, struct span *input)
{
	ssize_t sent = input->length == 0 ? 0 : write(child->in, input->at, input->length);

	if (sent > 0)
		*input = span_from(*input, (size_t)sent);
	if (input->length > 0 && (sent > 0 || errno == EINTR || errno == EAGAIN))
		return;
	close(child->in);
	child->in = -1;
}

static void
hear(struct child *child, struct buffer *out)
{
	char octets[4096];
	ssize_t got = read(child->out, octets, sizeof octets);

	if (got > 0 && out != NULL && out->length < OUTPUT_MAX)
		buffer_add(out, octets, (size_t)got);
	if (got > 0 || (got < 0 && errno == EINTR))
		return;
	close(child->out);
	child->out = -1;
}

/* Until it has closed its output, and has ended. */
static int
attend(struct child *child, struct span input, struct buffer *out)
{
	int status = -1;

	fcntl(child->in, F_SETFL, O_NONBLOCK);
	while (child->out >= 0) {
		struct pollfd ends[] = { { child->out, POLLIN, 0 }, { child->in, POLLOUT, 0 } };

		if (poll(ends, 2, -1) < 0 && errno != EINTR)
			break;
		if (ends[1].revents != 0)
			give(child, &input);
		if (ends[0].revents != 0)
			hear(child, out);
	}
	if (child->in >= 0)
		close(child->in);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
run(const char *path, const char *const words[], struct span input, struct buffer *out)
{
	char *copies[WORDS_MAX + 1] = { NULL };
	struct child child;
	int code = -1;

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		copies[i] = memory_copy_string(words[i]);
	if (start(path, copies, &child))
		code = attend(&child, input, out);
	for (size_t i = 0; i < WORDS_MAX; i++)
		free(copies[i]);
	return code;
}

int
program_run(const char *const words[], struct span input, struct buffer *out)
{
	char *path = program_find(words[0]);
	int code = path == NULL ? PROGRAM_MISSING : run(path, words, input, out);

	free(path);
	return code;
}

static int
run_self(const char *name, const char *const words[], struct span input, struct buffer *out)
{
	const char *all[WORDS_MAX + 1] = { name };

	for (size_t i = 0; i + 1 < WORDS_MAX && words[i] != NULL; i++)
		all[i + 1] = words[i];
	return run("/proc/self/exe", all, input, out);
}

int
program_run_imapd(const char *const words[], struct span input, struct buffer *out)
{
	return run_self("imapd", words, input, out);
}

int
program_run_imapctl(const char *const words[], struct span input, struct buffer *out)
{
	return run_self("imapctl", words, input, out);
}

char *
program_find(const char *name)
{
	const char *places = PLACES;
	struct buffer path = { 0 };
	char *found = NULL;

	while (*places != '\0' && found == NULL) {
		size_t length = strcspn(places, ":");

		buffer_clear(&path);
		buffer_printf(&path, "%.*s/%s", (int)length, places, name);
		if (access(buffer_string(&path), X_OK) == 0)
			found = memory_copy_string(buffer_string(&path));
		places += length + (places[length] == ':');
	}
	buffer_free(&path);
	return found;
}
