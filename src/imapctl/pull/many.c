/*
 * A process for each user, so that what one meets stays with it.  Its standard output and standard error are pipes: the
 * lines come out here whole, each behind the user's name.  A signal goes to all of them, and no more is begun.
 */
#include "many.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "pull.h"
#include "user_list.h"

#define JOBS 4
#define JOBS_MAX 1000
#define PIECE_OCTETS 4096

struct stream {
	int descriptor;			/* -1: at its end */
	struct buffer text;		/* what is not printed yet */
};

struct job {
	const struct listed_user *user;	/* NULL: none runs */
	pid_t process;
	struct stream out, errors;
	bool has_said;			/* something on standard output */
};

struct many {
	const struct order *order;
	struct user_list list;
	bool *is_begun;			/* beside the list */
	struct job *jobs;
	size_t job_count;		/* at once */
	size_t per_host;
	size_t running;
	bool is_told;			/* a signal has come, and was passed on */
	int worst;
	size_t printed;			/* objects of the JSON */
};

/* ---- a process ------------------------------------------------------------------------------------------ */

/* What one user's pull is ordered: the same, without the list. */
static int
pull_one(const struct many *many, const struct listed_user *user)
{
	const struct order *all = many->order;
	char *words[] = { user->name, user->url };
	struct order_value *values = memory_new_array(all->value_count + 1, sizeof *values);
	struct order order = *all;
	struct buffer json = { 0 };
	int code;

	memcpy(values, all->values, all->value_count * sizeof *values);
	values[all->value_count] = (struct order_value){ OPTION_PASSWORD_FILE, user->password_file };
	order.values = values;
	order.value_count = all->value_count + 1;
	order.given |= OPTION_BIT(OPTION_PASSWORD_FILE);
	order.words = words;
	order.word_count = COUNT_OF(words);
	order.json = all->json == NULL ? NULL : &json;
	code = run_pull(&order);
	if (order.json != NULL && code != EX_OK && complaint() != NULL) {
		buffer_printf(&json, ",\"error\":{\"code\":%d", code);
		json_add_text(&json, "text", span_from_string(complaint()));
		buffer_add_octet(&json, '}');
	}
	if (order.json != NULL)
		fwrite(json.at, 1, json.length, stdout);
	buffer_free(&json);
	free(values);
	return code;
}

static void
run_child(const struct many *many, const struct listed_user *user, const int *out, const int *errors)
{
	int code;

	prctl(PR_SET_PDEATHSIG, SIGTERM);	/* also when this process is killed */
	dup2(out[1], STDOUT_FILENO);
	dup2(errors[1], STDERR_FILENO);
	close(out[1]);
	close(errors[1]);
	code = pull_one(many, user);
	fflush(stdout);
	_exit(code);
}

/* A pipe whose reading end no other process gets. */
static bool
open_pipe(int *ends)
{
	return pipe2(ends, O_CLOEXEC) == 0;
}

static bool
start(struct many *many, struct job *job, const struct listed_user *user)
{
	int out[2], errors[2];

	if (!open_pipe(out))
		return false;
	if (!open_pipe(errors)) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	fflush(stdout);
	*job = (struct job){ .user = user, .process = fork(), .out.descriptor = out[0], .errors.descriptor = errors[0] };
	if (job->process == 0)
		run_child(many, user, out, errors);
	close(out[1]);
	close(errors[1]);
	if (job->process < 0) {
		close(out[0]);
		close(errors[0]);
		job->user = NULL;
		return false;
	}
	many->running++;
	return true;
}

/* ---- who is next ---------------------------------------------------------------------------------------- */

/* Whether a user's pull may begin: there is one for a user at a time, and so many for a host. */
static bool
may_begin(const struct many *many, const struct listed_user *user)
{
	size_t at_host = 0;

	for (size_t i = 0; i < many->job_count; i++) {
		const struct listed_user *other = many->jobs[i].user;

		if (other != NULL && strcmp(other->name, user->name) == 0)
			return false;
		at_host += other != NULL && strcmp(other->host, user->host) == 0;
	}
	return at_host < many->per_host;
}

static struct job *
free_job(struct many *many)
{
	for (size_t i = 0; i < many->job_count; i++) {
		if (many->jobs[i].user == NULL)
			return &many->jobs[i];
	}
	return NULL;
}

/* Begin as many as may run. */
static bool
begin_more(struct many *many)
{
	struct job *job;

	for (size_t i = 0; i < many->list.count && !interrupt_came(); i++) {
		if (many->is_begun[i] || !may_begin(many, &many->list.at[i]))
			continue;
		if ((job = free_job(many)) == NULL)
			return true;
		if (!start(many, job, &many->list.at[i]))
			return false;
		many->is_begun[i] = true;
	}
	return true;
}

/* ---- what they say -------------------------------------------------------------------------------------- */

/* Print whole lines, each behind the name; at the end what is left as well. */
static void
print_lines(const char *name, struct stream *stream, FILE *to)
{
	struct span rest = buffer_span(&stream->text);
	bool is_end = stream->descriptor < 0;
	size_t end;

	while ((end = span_find(rest, '\n')) < rest.length || (is_end && rest.length > 0)) {
		fprintf(to, "%s: %.*s\n", name, (int)end, (const char *)rest.at);
		rest = span_from(rest, end + 1);
	}
	fflush(to);
	buffer_consume(&stream->text, stream->text.length - rest.length);
}

static void
read_stream(struct stream *stream)
{
	ssize_t got = read(stream->descriptor, buffer_reserve(&stream->text, PIECE_OCTETS), PIECE_OCTETS);

	if (got < 0 && errno == EINTR)
		return;
	if (got > 0) {
		stream->text.length += (size_t)got;
		return;
	}
	close(stream->descriptor);
	stream->descriptor = -1;
}

static void
hear(struct many *many, struct job *job, struct stream *stream)
{
	bool is_data = stream == &job->out;

	read_stream(stream);
	job->has_said |= is_data && stream->text.length > 0;
	if (!is_data || many->order->json == NULL)
		print_lines(job->user->name, stream, is_data ? stdout : stderr);
}

/* The worst: of two that are not 0 the one that says more than "try again". */
static int
worse(int a, int b)
{
	if (a == EX_OK || b == EX_OK)
		return a == EX_OK ? b : a;
	if (a == EX_TEMPFAIL || b == EX_TEMPFAIL)
		return a == EX_TEMPFAIL ? b : a;
	return a > b ? a : b;
}

/* {"user":"alice","code":0,"imported":...} */
static void
add_json(struct many *many, const struct job *job, int code)
{
	struct buffer *out = many->order->json;

	buffer_add_string(out, many->printed++ == 0 ? ",\"user\":[" : ",");
	buffer_add_octet(out, '{');
	json_add_text(out, "user", span_from_string(job->user->name));
	buffer_printf(out, ",\"code\":%d", code);
	buffer_add_span(out, buffer_span(&job->out.text));
	buffer_add_octet(out, '}');
}

static void
end_job(struct many *many, struct job *job)
{
	int status = 0, code;

	while (waitpid(job->process, &status, 0) < 0 && errno == EINTR)
		;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
	many->worst = worse(many->worst, code);
	if (many->order->json != NULL)
		add_json(many, job, code);
	else if (code != EX_OK && !job->has_said)
		printf("%s: failed, exit status %d\n", job->user->name, code);
	fflush(stdout);
	buffer_free(&job->out.text);
	buffer_free(&job->errors.text);
	job->user = NULL;
	many->running--;
}

/* ---- all ------------------------------------------------------------------------------------------------ */

static size_t
add_waits(const struct many *many, struct pollfd *waits)
{
	size_t count = 0;

	for (size_t i = 0; i < many->job_count; i++) {
		const struct job *job = &many->jobs[i];

		waits[count++] = (struct pollfd){ .fd = job->user == NULL ? -1 : job->out.descriptor, .events = POLLIN };
		waits[count++] = (struct pollfd){ .fd = job->user == NULL ? -1 : job->errors.descriptor, .events = POLLIN };
	}
	return count;
}

/* Pass a signal on, once; SIGHUP, since a terminal tells all of them SIGINT, and the second of a kind ends them at once. */
static void
pass_on(struct many *many)
{
	if (!interrupt_came() || many->is_told)
		return;
	many->is_told = true;
	for (size_t i = 0; i < many->job_count; i++) {
		if (many->jobs[i].user != NULL)
			kill(many->jobs[i].process, SIGHUP);
	}
}

static void
wait_and_hear(struct many *many, struct pollfd *waits)
{
	size_t count = add_waits(many, waits);

	if (poll(waits, count, -1) < 0)
		return;
	for (size_t i = 0; i < many->job_count; i++) {
		struct job *job = &many->jobs[i];

		if (waits[2 * i].revents != 0)
			hear(many, job, &job->out);
		if (waits[2 * i + 1].revents != 0)
			hear(many, job, &job->errors);
		if (job->user != NULL && job->out.descriptor < 0 && job->errors.descriptor < 0)
			end_job(many, job);
	}
}

static void
run_all(struct many *many)
{
	struct pollfd *waits = memory_new_array(2 * many->job_count, sizeof *waits);

	while (begin_more(many) && many->running > 0) {
		pass_on(many);
		wait_and_hear(many, waits);
	}
	free(waits);
}

/* A number from 1 on; otherwise if the option was not given.  0: it is none, and that was said. */
static size_t
read_number(const struct order *order, enum order_option option, size_t otherwise)
{
	const char *text = order_value(order, option);
	uint64_t number;

	if (text == NULL)
		return otherwise;
	if (span_to_number(span_from_string(text), JOBS_MAX, &number) && number > 0)
		return (size_t)number;
	complain("%s: it is a number from 1 to %d", text, JOBS_MAX);
	return 0;
}

/* Also for those that were not begun. */
static int
sum_up(struct many *many)
{
	size_t left = 0;

	for (size_t i = 0; i < many->list.count; i++)
		left += !many->is_begun[i];
	if (many->order->json != NULL)
		buffer_add_string(many->order->json, many->printed == 0 ? ",\"user\":[]" : "]");
	if (left == 0)
		return many->worst;
	complain("%zu users were not begun; run again, it goes on where it stopped", left);
	return worse(many->worst, EX_TEMPFAIL);
}

int
run_many(const struct order *order)
{
	struct many many = { .order = order };
	int code = EX_USAGE;

	many.job_count = read_number(order, OPTION_JOBS, JOBS);
	many.per_host = read_number(order, OPTION_JOBS_PER_HOST, many.job_count);
	if (many.job_count > 0 && many.per_host > 0)
		code = user_list_read(&many.list, order_value(order, OPTION_LIST));
	if (code == EX_OK) {
		interrupt_catch();
		many.is_begun = memory_new_array(many.list.count, sizeof *many.is_begun);
		many.jobs = memory_new_array(many.job_count, sizeof *many.jobs);
		run_all(&many);
		code = sum_up(&many);
	}
	free(many.is_begun);
	free(many.jobs);
	user_list_free(&many.list);
	return code;
}
