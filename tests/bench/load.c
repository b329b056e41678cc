/*
 * A load generator for IMAP and LMTP servers: N connections, each on a thread of its own, do the same work again and
 * again for some seconds.  Knows nothing of the server but its port.
 *
 *	load [-trzlw] [-c CONNECTIONS] [-u USERS] [-s SECONDS] [-n OPERATIONS] [-d DEPTH] [-m MESSAGES] [-k RECIPIENTS]
 *	     [-b MAILBOX] [-o FIRST] [-f LETTERS] PORT WORK
 *
 *	-t  TLS from the first octet on; -r resumes the session of the connection before
 *	-z  COMPRESS DEFLATE
 *	-l  another connection and login for each operation
 *	-w  each connection does its work once before the time counts
 *	-n  each connection does no more than this; without -s, this
 *	-d  so many commands at once
 *	-f  what is stored: a file that letters.c has written
 *	-o  number of the first user
 *
 * Connection i logs in as bench<FIRST + i mod USERS> with the password "bench", and where each operation logs in, as
 * another one each time.  WORK is a name or a template of commands, see work.c.  When all connections are there it prints
 * "ready" and waits for a line on standard input; then it works, prints operations, seconds, p50 and p99 in microseconds,
 * octets transferred and TLS sessions resumed, and keeps the connections until the end of standard input, so that what the
 * server holds and has used can be looked at.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

struct thread {
	pthread_t id;
	struct worker worker;
};

static pthread_barrier_t prepared, begun;
static double until_s;

static void *
run(void *context)
{
	struct worker *worker = context;
	const struct plan *plan = worker->plan;
	const struct work *work = work_find(plan->workload);

	worker->samples_us = malloc(SAMPLES_MAX * sizeof *worker->samples_us);
	work->prepare(worker);
	if (plan->is_warm) {
		work->operate(worker);
		worker->operations = worker->sample_count = 0;
	}
	worker->client.octets = worker->octets = 0;
	pthread_barrier_wait(&prepared);
	pthread_barrier_wait(&begun);
	while (worker->operations < plan->operations_max && now_s() < until_s)
		work->operate(worker);
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void
wait_for_line(void)
{
	int c;

	while ((c = getchar()) != EOF && c != '\n')
		continue;
}

static void
report(const struct thread *threads, unsigned count, double seconds)
{
	uint64_t operations = 0, octets = 0, resumed = 0;
	size_t sample_count = 0;
	uint32_t *all;

	for (unsigned i = 0; i < count; i++)
		sample_count += threads[i].worker.sample_count;
	all = malloc((sample_count + 1) * sizeof *all);
	sample_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct worker *worker = &threads[i].worker;

		memcpy(all + sample_count, worker->samples_us, worker->sample_count * sizeof *all);
		sample_count += worker->sample_count;
		operations += worker->operations;
		octets += worker->octets + worker->client.octets;
		resumed += worker->client.resumed;
	}
	qsort(all, sample_count, sizeof *all, by_value);
	printf("%llu %.4f %u %u %llu %llu\n", (unsigned long long)operations, seconds, sample_count ? all[sample_count / 2] : 0,
	    sample_count ? all[sample_count * 99 / 100] : 0, (unsigned long long)octets,
	    (unsigned long long)resumed);
	fflush(stdout);
}

static void
run_all(const struct plan *plan)
{
	struct thread *threads = calloc(plan->connections, sizeof *threads);
	double begun_s;

	pthread_barrier_init(&prepared, NULL, plan->connections + 1);
	pthread_barrier_init(&begun, NULL, plan->connections + 1);
	for (unsigned i = 0; i < plan->connections; i++) {
		threads[i].worker = (struct worker){ .plan = plan, .number = i };
		pthread_create(&threads[i].id, NULL, run, &threads[i].worker);
	}
	pthread_barrier_wait(&prepared);
	printf("ready\n");
	fflush(stdout);
	wait_for_line();
	begun_s = now_s();
	until_s = begun_s + plan->seconds;
	pthread_barrier_wait(&begun);
	for (unsigned i = 0; i < plan->connections; i++)
		pthread_join(threads[i].id, NULL);
	report(threads, plan->connections, now_s() - begun_s);
	wait_for_line();
}

static void
allow_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
set_option(struct plan *plan, int option, const char *value)
{
	unsigned number = value != NULL ? (unsigned)strtoul(value, NULL, 10) : 0;

	switch (option) {
	case 't': plan->tls = FULL_TLS; break;
	case 'r': plan->tls = RESUMED_TLS; break;
	case 'z': plan->is_deflated = true; break;
	case 'l': plan->is_anew = true; break;
	case 'w': plan->is_warm = true; break;
	case 'c': plan->connections = number; break;
	case 'u': plan->users = number; break;
	case 's': plan->seconds = strtod(value, NULL); break;
	case 'n': plan->operations_max = number; break;
	case 'd': plan->depth = number; break;
	case 'm': plan->messages = number; break;
	case 'k': plan->recipients = number; break;
	case 'b': plan->mailbox = value; break;
	case 'o': plan->first_user = number; break;
	case 'f': work_read_letters(plan, value); break;
	default: fail("see the top of load.c for what it wants");
	}
}

int
main(int argc, char **argv)
{
	struct plan plan = { .users = 1, .connections = 1, .depth = 1, .messages = 1, .recipients = 1, .mailbox = "INBOX",
		.seconds = 1e9, .operations_max = UINT64_MAX, .salt = (uint64_t)time(NULL) };
	int option;

	while ((option = getopt(argc, argv, "trzlwc:u:s:n:d:m:k:b:f:o:")) != -1)
		set_option(&plan, option, optarg);
	if (optind + 2 != argc)
		set_option(&plan, '?', NULL);
	plan.port = atoi(argv[optind]);
	plan.workload = argv[optind + 1];
	allow_descriptors();
	run_all(&plan);
	return 0;
}
