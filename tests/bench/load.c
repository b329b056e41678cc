/*
 * A load generator for IMAP and LMTP servers: N connections, each on a thread of its own, do the same
 * operation again and again for some seconds.  Prints one line: operations, seconds, p50 and p99 in
 * microseconds, octets received (inflated).  Knows nothing of the server but its ports.
 *
 *	load PORT USERS CONNECTIONS SECONDS WORKLOAD [ARGUMENT]
 *
 * Connection i logs in as bench<i mod USERS> with the password "bench".  "DEFLATE " before the workload: both ways
 * are compressed (RFC 4978).
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define SAMPLES_MAX 1000000
#define INPUT_SIZE  (1 << 21)	/* a line of SORT names 100,000 messages */
#define DEFLATE     "DEFLATE "
#define RAW_BITS    (-15)	/* DEFLATE alone (RFC 4978 section 4) */

struct worker {
	pthread_t thread;
	int number, port, socket;
	const char *workload;
	long argument;
	double until_s;
	char *input;
	size_t have, at;
	bool is_deflated;
	z_stream inflating, deflating;
	char *packed;		/* input that is still to be inflated */
	uint64_t operations, octets;
	uint32_t *samples_us;
};

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static void
dial(struct worker *worker)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)worker->port) };
	int on = 1;

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	worker->socket = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(worker->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(worker->socket, (struct sockaddr *)&address, sizeof address) != 0)
		fail("connect");
	worker->have = worker->at = 0;
}

static void
put_plain(struct worker *worker, const char *octets, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(worker->socket, octets, length);

		if (sent <= 0)
			fail("write");
		octets += sent;
		length -= (size_t)sent;
	}
}

/* What there is of a command goes with a flush; the server must not wait for the rest. */
static void
put(struct worker *worker, const char *octets, size_t length)
{
	char out[1 << 14];

	if (!worker->is_deflated) {
		put_plain(worker, octets, length);
		return;
	}
	worker->deflating.next_in = (Bytef *)(uintptr_t)octets;
	worker->deflating.avail_in = (uInt)length;
	do {
		worker->deflating.next_out = (Bytef *)out;
		worker->deflating.avail_out = sizeof out;
		deflate(&worker->deflating, Z_SYNC_FLUSH);
		put_plain(worker, out, sizeof out - worker->deflating.avail_out);
	} while (worker->deflating.avail_out == 0);
}

/* Read what there is, up to this length; the octets are inflated where that was agreed. */
static size_t
get(struct worker *worker, char *out, size_t length)
{
	z_stream *stream = &worker->inflating;
	ssize_t got;

	if (worker->is_deflated) {
		stream->next_out = (Bytef *)out;
		stream->avail_out = (uInt)length;
		while (stream->avail_out == length) {
			if (stream->avail_in == 0) {
				got = read(worker->socket, worker->packed, INPUT_SIZE);
				if (got <= 0)
					fail("the server closed the connection");
				stream->next_in = (Bytef *)worker->packed;
				stream->avail_in = (uInt)got;
			}
			if (inflate(stream, Z_SYNC_FLUSH) != Z_OK)
				fail("what came cannot be inflated");
		}
		return length - stream->avail_out;
	}
	got = read(worker->socket, out, length);
	if (got <= 0)
		fail("the server closed the connection");
	return (size_t)got;
}

static void
more(struct worker *worker)
{
	size_t got;

	if (worker->at > 0) {
		memmove(worker->input, worker->input + worker->at, worker->have - worker->at);
		worker->have -= worker->at;
		worker->at = 0;
	}
	if (worker->have == INPUT_SIZE)
		fail("line too long");
	got = get(worker, worker->input + worker->have, INPUT_SIZE - worker->have);
	worker->have += got;
	worker->octets += got;
}

/* The next line, its literal skipped; NUL in place of its CRLF. */
static char *
line(struct worker *worker)
{
	char *start, *end, *brace;
	size_t skip;

	while ((end = memchr(worker->input + worker->at, '\n', worker->have - worker->at)) == NULL)
		more(worker);
	start = worker->input + worker->at;
	worker->at = (size_t)(end + 1 - worker->input);
	end[end > start && end[-1] == '\r' ? -1 : 0] = '\0';
	brace = strrchr(start, '{');
	if (brace != NULL && start[strlen(start) - 1] == '}') {
		for (skip = strtoul(brace + 1, NULL, 10); skip > 0;) {
			size_t here = worker->have - worker->at;

			if (here == 0) {
				worker->at = worker->have = 0;
				more(worker);
				continue;
			}
			here = here < skip ? here : skip;
			worker->at += here;
			skip -= here;
		}
		return line(worker);
	}
	return start;
}

/* Read up to the tagged reply. */
static void
await(struct worker *worker, const char *tag)
{
	size_t length = strlen(tag);
	char *text;

	do
		text = line(worker);
	while (strncmp(text, tag, length) != 0 || text[length] != ' ');
	if (strncmp(text + length + 1, "OK", 2) != 0)
		fail(text);
}

static void
command(struct worker *worker, const char *text)
{
	char out[1024];
	int length = snprintf(out, sizeof out, "t %s\r\n", text);

	put(worker, out, (size_t)length);
	await(worker, "t");
}

static void
log_in(struct worker *worker, const char *user)
{
	char text[128];

	dial(worker);
	line(worker);
	snprintf(text, sizeof text, "LOGIN %s bench", user);
	command(worker, text);
}

static void
compress_both_ways(struct worker *worker)
{
	command(worker, "COMPRESS DEFLATE");
	if (worker->have != worker->at)
		fail("octets behind the answer to COMPRESS");
	worker->packed = malloc(INPUT_SIZE);
	if (inflateInit2(&worker->inflating, RAW_BITS) != Z_OK ||
	    deflateInit2(&worker->deflating, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		fail("zlib");
	worker->is_deflated = true;
}

static size_t
make_message(char *out, uint32_t number, size_t size)
{
	size_t length = (size_t)sprintf(out,
	    "From: Ada <ada@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: load %u\r\n"
	    "Date: Mon, 23 Nov 2026 10:00:00 +0100\r\nMessage-ID: <%u@load>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n", number, number);

	for (uint32_t word = number; length + 2 < size; word = word * 1664525 + 1013904223)
		if (length % 78 == 76)
			memcpy(out + length, "\r\n", 2), length += 2;
		else
			out[length++] = (char)('a' + (word >> 24) % 26);
	memcpy(out + length, "\r\n", 2);
	return length + 2;
}

static void
append(struct worker *worker, uint32_t number, long count)
{
	static const char head[] = "t APPEND INBOX";
	char *message = malloc((size_t)worker->argument + 1024), out[64];

	put(worker, head, sizeof head - 1);
	for (long i = 0; i < count; i++) {
		size_t length = make_message(message, number + (uint32_t)i, (size_t)worker->argument);

		put(worker, out, (size_t)sprintf(out, " {%zu+}\r\n", length));
		put(worker, message, length);
	}
	put(worker, "\r\n", 2);
	free(message);
	await(worker, "t");
}

static void
deliver(struct worker *worker, uint32_t number)
{
	char *message = malloc((size_t)worker->argument + 1024), out[128];
	size_t length = make_message(message, number, (size_t)worker->argument);

	put(worker, out, (size_t)sprintf(out, "MAIL FROM:<a@b>\r\nRCPT TO:<bench%d>\r\nDATA\r\n", worker->number));
	for (int replies = 0; replies < 3; replies++)
		line(worker);
	put(worker, message, length);
	put(worker, ".\r\n", 3);
	if (strncmp(line(worker), "250", 3) != 0)
		fail("LMTP refused");
	free(message);
}

static void
operate(struct worker *worker, uint32_t number, const char *user)
{
	const char *name = worker->workload;
	char text[256];

	if (strcmp(name, "login") == 0) {
		log_in(worker, user);
		command(worker, "SELECT INBOX");
		close(worker->socket);
	} else if (strcmp(name, "append") == 0) {
		append(worker, number, 1);
	} else if (strcmp(name, "multiappend") == 0) {
		append(worker, number, 20);
	} else if (strcmp(name, "lmtp") == 0) {
		deliver(worker, number);
	} else if (strcmp(name, "select") == 0) {
		command(worker, "SELECT INBOX");
	} else if (strcmp(name, "body") == 0) {
		snprintf(text, sizeof text, "FETCH %u BODY.PEEK[]", number % (uint32_t)worker->argument + 1);
		command(worker, text);
	} else if (strcmp(name, "store") == 0) {
		snprintf(text, sizeof text, "STORE %u %cFLAGS (\\Flagged)", number / 2 % (uint32_t)worker->argument + 1,
		    number % 2 ? '-' : '+');
		command(worker, text);
	} else if (strcmp(name, "store-all") == 0) {
		snprintf(text, sizeof text, "STORE 1:* %cFLAGS.SILENT (\\Answered)", number % 2 ? '-' : '+');
		command(worker, text);
	} else {
		command(worker, name);	/* any IMAP command as it stands */
	}
}

static void *
run(void *context)
{
	struct worker *worker = context;
	bool is_lmtp = strcmp(worker->workload, "lmtp") == 0;
	char user[32];

	snprintf(user, sizeof user, "bench%d", worker->number);
	worker->input = malloc(INPUT_SIZE);
	worker->samples_us = malloc(SAMPLES_MAX * sizeof *worker->samples_us);
	if (is_lmtp) {
		dial(worker);
		line(worker);
		put(worker, "LHLO x\r\n", 8);
		while (line(worker)[3] == '-')
			continue;
	} else if (strcmp(worker->workload, "login") != 0) {
		log_in(worker, user);
		if (strncmp(worker->workload, DEFLATE, sizeof DEFLATE - 1) == 0) {
			worker->workload += sizeof DEFLATE - 1;
			compress_both_ways(worker);
		}
		if (strstr(worker->workload, "QRESYNC") != NULL || strstr(worker->workload, "VANISHED") != NULL)
			command(worker, "ENABLE QRESYNC");
		command(worker, "SELECT INBOX");
	}
	worker->octets = 0;
	while (now_s() < worker->until_s && worker->operations < SAMPLES_MAX) {
		double begun_s = now_s();

		operate(worker, (uint32_t)worker->operations, user);
		worker->samples_us[worker->operations++] = (uint32_t)((now_s() - begun_s) * 1e6);
	}
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

int
main(int argc, char **argv)
{
	int users, count;
	struct worker *workers;
	double begun_s, seconds;
	uint64_t operations = 0, octets = 0;
	uint32_t *all;

	if (argc < 6)
		fail("usage: load PORT USERS CONNECTIONS SECONDS WORKLOAD [ARGUMENT]");
	users = atoi(argv[2]);
	count = atoi(argv[3]);
	workers = calloc((size_t)count, sizeof *workers);
	begun_s = now_s();
	for (int i = 0; i < count; i++) {
		workers[i] = (struct worker){ .number = i % users, .port = atoi(argv[1]), .workload = argv[5],
			.argument = argc > 6 ? atol(argv[6]) : 1, .until_s = begun_s + atof(argv[4]) };
		pthread_create(&workers[i].thread, NULL, run, &workers[i]);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		operations += workers[i].operations;
		octets += workers[i].octets;
	}
	seconds = now_s() - begun_s;
	all = malloc((operations + 1) * sizeof *all);
	operations = 0;
	for (int i = 0; i < count; i++) {
		memcpy(all + operations, workers[i].samples_us, workers[i].operations * sizeof *all);
		operations += workers[i].operations;
	}
	qsort(all, operations, sizeof *all, by_value);
	printf("%llu %.3f %u %u %llu\n", (unsigned long long)operations, seconds, operations ? all[operations / 2] : 0,
	    operations ? all[operations * 99 / 100] : 0, (unsigned long long)octets);
	return 0;
}
