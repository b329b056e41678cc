/*
 * What a connection does.  A work without a name of its own is a template of IMAP commands, one a line, in which
 *	%n	is the number of a message or mailbox, 1 to MESSAGES, the next one in each round (or in each second one)
 *	%s	is + and - in turn
 *	%w	is the number of the connection
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.h"

#define RANGE_OCTETS 65536	/* what mail programs ask for at a time */
#define MULTIAPPEND  20
#define MARK	     "X-Load: %016llx\r\n"
#define MARK_LENGTH  26

void
work_sample(struct worker *worker, double begun_s, unsigned operations)
{
	if (worker->sample_count < SAMPLES_MAX)
		worker->samples_us[worker->sample_count++] = (uint32_t)((now_s() - begun_s) * 1e6);
	worker->operations += operations;
}

/* ---- letters ---------------------------------------------------------------------------------------------- */

static void
stuff(struct letter *letter)
{
	char *out = letter->stuffed = malloc(letter->length * 2 + 2);
	bool is_start = true;

	for (size_t i = 0; i < letter->length; i++) {
		if (is_start && letter->octets[i] == '.')
			*out++ = '.';
		*out++ = letter->octets[i];
		is_start = letter->octets[i] == '\n';
	}
	if (!is_start) {
		*out++ = '\r';
		*out++ = '\n';
	}
	letter->stuffed_length = (size_t)(out - letter->stuffed);
}

static char *
read_file(const char *path, size_t *length_out)
{
	int file = open(path, O_RDONLY);
	struct stat stat;
	char *octets;

	if (file < 0 || fstat(file, &stat) != 0)
		fail("no file of letters");
	octets = malloc((size_t)stat.st_size + 1);
	for (*length_out = 0; *length_out < (size_t)stat.st_size;) {
		ssize_t got = read(file, octets + *length_out, (size_t)stat.st_size - *length_out);

		if (got <= 0)
			fail("the file of letters cannot be read");
		*length_out += (size_t)got;
	}
	octets[*length_out] = '\0';
	close(file);
	return octets;
}

/* They are the literals of APPEND commands. */
void
work_read_letters(struct plan *plan, const char *path)
{
	size_t length, size = 0;
	char *octets = read_file(path, &length), *at = octets, *brace;

	while (at < octets + length && (brace = strstr(at, "+}\r\n")) != NULL) {
		char *digits = brace;
		struct letter *letter;

		while (digits[-1] != '{')
			digits--;
		if (plan->letter_count == size)
			plan->letters = realloc(plan->letters, (size = size * 2 + 64) * sizeof *plan->letters);
		letter = &plan->letters[plan->letter_count++];
		*letter = (struct letter){ .octets = brace + 4, .length = strtoul(digits, NULL, 10) };
		stuff(letter);
		at = letter->octets + letter->length;
	}
	if (plan->letter_count == 0)
		fail("no letters in the file");
}

/* Each connection begins at another place, so that all of them together send what is in the file. */
static const struct letter *
next_letter(struct worker *worker)
{
	const struct plan *plan = worker->plan;
	uint64_t first = (uint64_t)worker->number * plan->letter_count / plan->connections;

	if (plan->letter_count == 0)
		fail("this work needs letters");
	return &plan->letters[(first + worker->rounds++) % plan->letter_count];
}

/* A field before each message, by which it is another one than those before. */
static void
put_mark(struct worker *worker)
{
	char mark[MARK_LENGTH + 1];

	snprintf(mark, sizeof mark, MARK,
	    (unsigned long long)(worker->plan->salt << 40 ^ (uint64_t)worker->number << 32 ^ worker->rounds));
	client_put(&worker->client, mark, MARK_LENGTH);
}

/* ---- logging in ------------------------------------------------------------------------------------------- */

static void
enter(struct worker *worker, unsigned user)
{
	client_dial(&worker->client, worker->plan->port, worker->plan->tls);
	client_log_in(&worker->client, worker->plan->first_user + user % worker->plan->users);
}

static void
name_mailbox(struct worker *worker, char *out, size_t size)
{
	const char *name = worker->plan->mailbox, *place = strstr(name, "%u");

	if (place == NULL)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%.*s%u%s", (int)(place - name), name, worker->number, place + 2);
}

static void
select_mailbox(struct worker *worker)
{
	char name[100], text[128];

	name_mailbox(worker, name, sizeof name);
	snprintf(text, sizeof text, "SELECT %s", name);
	client_ask(&worker->client, text);
}

static void
prepare_session(struct worker *worker)
{
	const char *workload = worker->plan->workload;

	if (worker->plan->is_anew)
		return;
	enter(worker, worker->number);
	if (worker->plan->is_deflated)
		client_compress(&worker->client);
	if (strstr(workload, "QRESYNC") != NULL || strstr(workload, "VANISHED") != NULL)
		client_ask(&worker->client, "ENABLE QRESYNC");
	select_mailbox(worker);
}

/* Each time another user, so that in operations_max rounds each one comes once. */
static void
log_in(struct worker *worker)
{
	double begun_s = now_s();

	enter(worker, worker->number + worker->plan->connections * (unsigned)worker->rounds++);
	select_mailbox(worker);
	client_close(&worker->client);
	work_sample(worker, begun_s, 1);
}

static void
prepare_login(struct worker *worker)
{
	if (worker->plan->tls != RESUMED_TLS)
		return;
	log_in(worker);		/* for the session that is then resumed */
	worker->operations = worker->sample_count = worker->rounds = 0;
}

/* ---- storing ---------------------------------------------------------------------------------------------- */

static void
prepare_append(struct worker *worker)
{
	char name[100], text[128];

	enter(worker, worker->number);
	if (worker->plan->is_deflated)
		client_compress(&worker->client);
	name_mailbox(worker, name, sizeof name);
	snprintf(text, sizeof text, "CREATE %s", name);
	if (strcmp(name, "INBOX") != 0)
		client_ask(&worker->client, text);
}

static void
put_letter(struct worker *worker, const struct letter *letter)
{
	put_mark(worker);
	client_put(&worker->client, letter->octets, letter->length);
	worker->octets += letter->length + MARK_LENGTH;
}

static void
put_head(struct worker *worker, const char *words, const struct letter *letter, const char *plus)
{
	char name[100], text[200];
	int length;

	name_mailbox(worker, name, sizeof name);
	length = snprintf(text, sizeof text, "%s%s {%zu%s}\r\n", words, words[0] == 't' ? name : "",
	    letter->length + MARK_LENGTH, plus);
	client_put(&worker->client, text, (size_t)length);
}

/* One message, sent when the server has asked for it. */
static void
append_synchronizing(struct worker *worker)
{
	const struct letter *letter = next_letter(worker);
	double begun_s = now_s();

	put_head(worker, "t APPEND ", letter, "");
	if (client_line(&worker->client)[0] != '+')
		fail("no continuation for APPEND");
	put_letter(worker, letter);
	client_put(&worker->client, "\r\n", 2);
	client_await(&worker->client, "t");
	work_sample(worker, begun_s, 1);
}

static void
send_append(struct worker *worker)
{
	const struct letter *letter = next_letter(worker);

	put_head(worker, "t APPEND ", letter, "+");
	put_letter(worker, letter);
	client_put(&worker->client, "\r\n", 2);
}

/* DEPTH commands, one behind the other. */
static void
append_pipelined(struct worker *worker)
{
	double begun_s = now_s();

	for (unsigned i = 0; i < worker->plan->depth; i++)
		send_append(worker);
	for (unsigned i = 0; i < worker->plan->depth; i++) {
		client_await(&worker->client, "t");
		work_sample(worker, begun_s, 1);
	}
}

/* Twenty messages by one command (RFC 3502). */
static void
append_many(struct worker *worker)
{
	double begun_s = now_s();

	for (unsigned i = 0; i < MULTIAPPEND; i++) {
		const struct letter *letter = next_letter(worker);

		put_head(worker, i == 0 ? "t APPEND " : "", letter, "+");
		put_letter(worker, letter);
	}
	client_put(&worker->client, "\r\n", 2);
	client_await(&worker->client, "t");
	work_sample(worker, begun_s, MULTIAPPEND);
}

static void
prepare_delivery(struct worker *worker)
{
	client_dial(&worker->client, worker->plan->port, worker->plan->tls);
	client_line(&worker->client);
	client_put(&worker->client, "LHLO x\r\n", 8);
	while (client_line(&worker->client)[3] == '-')
		continue;
}

static void
expect(struct worker *worker, const char *code)
{
	char *text = client_line(&worker->client);

	if (strncmp(text, code, 3) != 0)
		fail(text);
}

/* One message for RECIPIENTS users in turn, and the replies that RFC 2033 has for each. */
static void
deliver(struct worker *worker)
{
	const struct plan *plan = worker->plan;
	uint64_t first = (uint64_t)plan->recipients * (worker->number + plan->connections * worker->rounds);
	const struct letter *letter = next_letter(worker);
	double begun_s = now_s();
	char text[128];

	client_put(&worker->client, "MAIL FROM:<a@b>\r\n", 17);
	for (unsigned i = 0; i < plan->recipients; i++)
		client_put(&worker->client, text,
		    (size_t)snprintf(text, sizeof text, "RCPT TO:<bench%u>\r\n", (unsigned)((first + i) % plan->users)));
	client_put(&worker->client, "DATA\r\n", 6);
	for (unsigned i = 0; i < 1 + plan->recipients; i++)
		expect(worker, "250");
	expect(worker, "354");
	put_mark(worker);
	client_put(&worker->client, letter->stuffed, letter->stuffed_length);
	client_put(&worker->client, ".\r\n", 3);
	for (unsigned i = 0; i < plan->recipients; i++)
		expect(worker, "250");
	worker->octets += letter->length + MARK_LENGTH;
	work_sample(worker, begun_s, plan->recipients);
}

/* ---- reading, and commands as they stand ------------------------------------------------------------------ */

/* One line of a template. */
static int
fill_in(struct worker *worker, const char *template, size_t length, char *out, size_t size)
{
	const struct plan *plan = worker->plan;
	uint64_t round = worker->rounds + worker->number;
	bool has_sign = strstr(plan->workload, "%s") != NULL;
	size_t used = 0;

	for (size_t i = 0; i < length && used + 24 < size; i++) {
		if (template[i] != '%' || i + 1 == length || strchr("nsw", template[i + 1]) == NULL) {
			out[used++] = template[i];
			continue;
		}
		switch (template[++i]) {
		case 'n':
			used += (size_t)sprintf(out + used, "%u", (unsigned)((has_sign ? round / 2 : round) % plan->messages + 1));
			break;
		case 's':
			out[used++] = worker->rounds % 2 ? '-' : '+';
			break;
		default:
			used += (size_t)sprintf(out + used, "%u", worker->number);
		}
	}
	out[used] = '\0';
	return (int)used;
}

/* The commands of a template in turn; DEPTH of them at once where it has one line. */
static void
ask(struct worker *worker)
{
	const char *line = worker->plan->workload, *end;
	char text[1024], out[16384];
	double begun_s = now_s();
	size_t length = 0;

	if (worker->plan->is_anew) {
		enter(worker, worker->number + worker->plan->connections * (unsigned)worker->rounds);
		select_mailbox(worker);
	}
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		fill_in(worker, line, (size_t)(end - line), text, sizeof text);
		client_ask(&worker->client, text);
	}
	for (unsigned i = 0; i < worker->plan->depth; i++) {
		fill_in(worker, line, strlen(line), text, sizeof text);
		length += (size_t)snprintf(out + length, sizeof out - length, "t %s\r\n", text);
		worker->rounds++;
	}
	client_put(&worker->client, out, length);
	for (unsigned i = 0; i < worker->plan->depth; i++) {
		client_await(&worker->client, "t");
		work_sample(worker, begun_s, 1);
	}
	if (worker->plan->is_anew)
		client_close(&worker->client);
}

/* The mailbox has the messages of the file: all octets of those that have more than one range. */
static void
fetch_range(struct worker *worker)
{
	const struct plan *plan = worker->plan;
	unsigned number = (unsigned)(worker->rounds >> 32), block = (unsigned)worker->rounds;
	double begun_s = now_s();
	char text[128];

	while ((uint64_t)block * RANGE_OCTETS >= plan->letters[number].length || plan->letters[number].length <= RANGE_OCTETS) {
		number = (number + 1) % plan->letter_count;
		block = 0;
	}
	worker->rounds = (uint64_t)number << 32 | (block + 1);
	snprintf(text, sizeof text, "FETCH %u BODY.PEEK[]<%u.%u>", number + 1, block * RANGE_OCTETS, RANGE_OCTETS);
	client_ask(&worker->client, text);
	work_sample(worker, begun_s, 1);
}

/* ---- what users do ---------------------------------------------------------------------------------------- */

/* A session of a mail program: looks what is there, reads four messages, sends one. */
static void
hold_session(struct worker *worker)
{
	static const char *const steps[] = { "LIST \"\" *", "STATUS INBOX (MESSAGES UNSEEN)", "SELECT INBOX",
		"FETCH 1:* (UID FLAGS)", "FETCH 1:20 (ENVELOPE INTERNALDATE RFC822.SIZE BODYSTRUCTURE)", "FETCH %n BODY.PEEK[]",
		"STORE %n %sFLAGS (\\Seen)", "FETCH %n BODY.PEEK[]", "STORE %n %sFLAGS (\\Seen)", "FETCH %n BODY.PEEK[]",
		"STORE %n %sFLAGS (\\Seen)", "FETCH %n BODY.PEEK[]", "NOOP" };
	const unsigned count = sizeof steps / sizeof *steps;
	double begun_s = now_s();
	char text[128];

	enter(worker, worker->number);
	for (unsigned i = 0; i < count; i++) {
		fill_in(worker, steps[i], strlen(steps[i]), text, sizeof text);
		client_ask(&worker->client, text);
		worker->rounds += steps[i][0] == 'S';
	}
	send_append(worker);
	client_await(&worker->client, "t");
	client_ask(&worker->client, "LOGOUT");
	client_close(&worker->client);
	work_sample(worker, begun_s, count + 3);
}

/* OPERATIONS clients of each connection's thread, in IDLE. */
static void
prepare_idle(struct worker *worker)
{
	struct client *clients = calloc(worker->plan->operations_max, sizeof *clients);

	for (uint64_t i = 0; i < worker->plan->operations_max; i++) {
		unsigned user = (unsigned)(worker->number + worker->plan->connections * i) % worker->plan->users;

		client_dial(&clients[i], worker->plan->port, worker->plan->tls);
		client_log_in(&clients[i], user);
		client_ask(&clients[i], "SELECT INBOX");
		client_put(&clients[i], "t IDLE\r\n", 8);
		while (client_line(&clients[i])[0] != '+')
			continue;
	}
}

static void
do_nothing(struct worker *worker)
{
	work_sample(worker, now_s(), 1);
}

static void
prepare_nothing(struct worker *worker)
{
	(void)worker;
}

const struct work *
work_find(const char *name)
{
	static const struct work works[] = {
		{ "login", prepare_login, log_in },
		{ "append", prepare_append, append_synchronizing },
		{ "append-pipelined", prepare_append, append_pipelined },
		{ "multiappend", prepare_append, append_many },
		{ "lmtp", prepare_delivery, deliver },
		{ "ranges", prepare_session, fetch_range },
		{ "session", prepare_nothing, hold_session },
		{ "idle", prepare_idle, do_nothing },
	};
	static const struct work any = { NULL, prepare_session, ask };

	for (size_t i = 0; i < sizeof works / sizeof *works; i++)
		if (strcmp(works[i].name, name) == 0)
			return &works[i];
	return &any;
}
