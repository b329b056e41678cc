#include "present.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bound.h"
#include "base/digest.h"
#include "base/memory.h"

#define RUN_MESSAGES 100
#define RUN_OCTETS ((uint64_t)4 << 20)

struct present_entry {
	int64_t date_s;
	uint64_t size;
	uint32_t uid;
	bool is_asked;		/* its octets were asked for */
	bool has_digest;
	bool is_used;
	uint8_t digest[DIGEST_LENGTH];
};

static bool
on_facts(const struct imap_reply *reply, bool is_malformed, void *context)
{
	static const unsigned needed = IMAP_FETCH_HAS_UID | IMAP_FETCH_HAS_DATE | IMAP_FETCH_HAS_SIZE;
	struct present *present = context;

	if (is_malformed || reply->kind != IMAP_REPLY_FETCH || (reply->fetch.has & needed) != needed)
		return true;
	if (present->count == present->room) {
		present->room = present->room == 0 ? 64 : 2 * present->room;
		present->entries = memory_resize(present->entries, present->room, sizeof *present->entries);
	}
	present->entries[present->count++] = (struct present_entry){ .date_s = reply->fetch.date.seconds,
		.size = reply->fetch.size, .uid = reply->fetch.uid };
	return true;
}

static int
by_date(const void *left, const void *right)
{
	const struct present_entry *a = left, *b = right;

	if (a->date_s != b->date_s)
		return a->date_s < b->date_s ? -1 : 1;
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

/* End the command that was begun, and wait.  A mailbox that cannot be read holds nothing. */
static bool
finish(struct present *present, uint32_t number)
{
	struct remote_answer answer;
	bool is_alive;

	remote_end(present->remote);
	is_alive = remote_wait(present->remote, number, &answer);
	remote_listen(present->remote, NULL, NULL);
	return is_alive;
}

bool
present_learn(struct present *present)
{
	uint32_t number = remote_begin(present->remote, "UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE)");
	bool is_alive;

	remote_listen(present->remote, on_facts, present);
	is_alive = finish(present, number);
	if (present->count > 0)
		qsort(present->entries, present->count, sizeof *present->entries, by_date);
	return is_alive;
}

/*
 * Without any CR and the line ends at the end: servers drop the bare ones, make others CRLF, and add a last one.  In the place
 * of NUL, which BODY[] cannot send (RFC 9051 section 4.3.1), they send 0x80.
 */
static void
digest_lines(struct span octets, uint8_t digest_out[DIGEST_LENGTH])
{
	struct buffer lines = { 0 };

	for (size_t i = 0; i < octets.length;) {
		struct span rest = span_from(octets, i);
		size_t cr = span_find(rest, '\r');

		buffer_add_span(&lines, span_slice(rest, 0, cr));
		i += cr + 1;
	}
	while (lines.length > 0 && lines.at[lines.length - 1] == '\n')
		lines.length--;
	for (size_t i = 0; i < lines.length; i++)
		lines.at[i] = lines.at[i] == '\0' ? 0x80 : lines.at[i];
	digest_sha256(buffer_span(&lines), digest_out);
	buffer_free(&lines);
}

static bool
on_octets(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct present *present = context;

	if (is_malformed || reply->kind != IMAP_REPLY_FETCH || reply->fetch.body_count != 1)
		return true;
	for (size_t i = 0; i < present->run_count; i++) {
		struct present_entry *entry = &present->run[i];

		if (entry->uid == reply->fetch.uid && entry->is_asked && !entry->has_digest) {
			digest_lines(reply->fetch.bodies[0].octets, entry->digest);
			entry->has_digest = true;
		}
	}
	return true;
}

/* Ask for the octets of an entry, and of those behind it that may be asked for next. */
static bool
fetch(struct present *present, size_t first)
{
	uint32_t number = remote_begin(present->remote, "UID FETCH ");
	uint64_t octets = 0;
	size_t end = first;

	for (; end < present->count && end - first < RUN_MESSAGES && octets < RUN_OCTETS; end++) {
		struct present_entry *entry = &present->entries[end];

		if (entry->is_asked || entry->is_used)
			continue;
		buffer_printf(remote_out(present->remote), "%s%u", octets > 0 ? "," : "", entry->uid);
		octets += entry->size + 1;
		entry->is_asked = true;
	}
	buffer_add_string(remote_out(present->remote), " (UID BODY.PEEK[])");
	present->run = &present->entries[first];
	present->run_count = end - first;
	remote_listen(present->remote, on_octets, present);
	return finish(present, number);
}

/* The first entry of a date, or the place where it would be. */
static size_t
find(const struct present *present, int64_t date_s)
{
	return LOWER_BOUND(present->count, middle, present->entries[middle].date_s < date_s);
}

bool
present_is_odd_date(int64_t date_s)
{
	return date_s <= 0 || date_s > time(NULL);
}

struct question {
	uint64_t size_min, size_max;	/* without any line end, and with CRLF for each half of one */
	uint8_t digest[DIGEST_LENGTH];
};

static struct question
question_of(struct span octets)
{
	struct question question = { 0 };
	uint64_t halves = 0;

	for (size_t i = 0; i < octets.length; i++)
		halves += octets.at[i] == '\r' || octets.at[i] == '\n';
	question.size_min = octets.length - halves;
	question.size_max = octets.length + halves + 2;
	digest_lines(octets, question.digest);
	return question;
}

/* Is an entry the message?  False: the connection is lost. */
static bool
ask(struct present *present, size_t at, const struct question *question, bool *is_same_out)
{
	struct present_entry *entry = &present->entries[at];

	*is_same_out = false;
	if (entry->is_used || entry->size < question->size_min || entry->size > question->size_max)
		return true;
	if (!entry->is_asked && !fetch(present, at))
		return false;
	*is_same_out = entry->has_digest && memcmp(entry->digest, question->digest, DIGEST_LENGTH) == 0;
	entry->is_used = *is_same_out;
	return true;
}

bool
present_has(struct present *present, const struct target_message *message, bool *has_out)
{
	struct question question;
	bool is_odd = present_is_odd_date(message->date_s), is_alive = true;

	*has_out = false;
	if (present->count == 0)
		return true;
	question = question_of(message->octets);
	for (size_t i = find(present, message->date_s); is_alive && !*has_out && i < present->count &&
	    present->entries[i].date_s == message->date_s; i++)
		is_alive = ask(present, i, &question, has_out);
	for (size_t i = 0; is_odd && is_alive && !*has_out && i < present->count; i++)
		is_alive = ask(present, i, &question, has_out);
	return is_alive;
}

void
present_free(struct present *present)
{
	free(present->entries);
	*present = (struct present){ .remote = present->remote };
}
