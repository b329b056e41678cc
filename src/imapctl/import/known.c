/*
 * Date and size of all messages in a mailbox are fetched when it is first asked for.  Only where both are
 * those of a message in question, its octets are, and then some more that may be asked for next, so that a
 * second import of the same does not wait for each message; of these the digests are kept.
 */
#include "known.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/memory.h"
#include "imap/writer.h"

#define RUN_MESSAGES 100
#define RUN_OCTETS ((uint64_t)1 << 20)

struct entry {
	int64_t date_s;
	uint64_t size;
	uint32_t uid;
	bool is_asked;		/* its octets were asked for */
	bool is_used;		/* it was found, or is gone */
	uint8_t digest[DIGEST_LENGTH];
};

struct box {
	struct buffer name;
	const struct known_filter *filter;	/* while it is filled */
	struct entry *entries;	/* by date, size, UID */
	size_t count, capacity;
};

struct known {
	struct remote *remote;
	struct map *boxes;
	struct box *selected;		/* NULL: none */
	uint32_t asking;		/* the number of the command under way */
	/* Where a reply belongs that comes in: to a box that is filled, or to entries whose octets come. */
	struct box *filling;
	struct entry *run;
	size_t run_count;
};

static void
add_entry(struct box *box, const struct imap_fetch_reply *fetch)
{
	const unsigned needed = IMAP_FETCH_HAS_UID | IMAP_FETCH_HAS_DATE | IMAP_FETCH_HAS_SIZE;

	if ((fetch->has & needed) != needed ||
	    (box->filter != NULL && !box->filter->counts(fetch->uid, box->filter->context)))
		return;
	if (box->count == box->capacity) {
		box->capacity = box->capacity == 0 ? 64 : 2 * box->capacity;
		box->entries = memory_resize(box->entries, box->capacity, sizeof *box->entries);
	}
	box->entries[box->count++] =
	    (struct entry){ .date_s = fetch->date.seconds, .size = fetch->size, .uid = fetch->uid };
}

static void
take_octets(struct known *known, const struct imap_fetch_reply *fetch)
{
	if ((fetch->has & IMAP_FETCH_HAS_UID) == 0 || fetch->body_count != 1 || fetch->bodies[0].is_nil)
		return;
	for (size_t i = 0; i < known->run_count; i++) {
		struct entry *entry = &known->run[i];

		if (entry->uid == fetch->uid && entry->is_asked && entry->size == fetch->bodies[0].octets.length) {
			digest_sha256(fetch->bodies[0].octets, entry->digest);
			entry->is_used = false;
		}
	}
}

static bool
on_untagged(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct known *known = context;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_FETCH && known->filling != NULL)
		add_entry(known->filling, &reply->fetch);
	else if (reply->kind == IMAP_REPLY_FETCH && known->run != NULL)
		take_octets(known, &reply->fetch);
	return true;
}

struct known *
known_new(struct remote *remote)
{
	struct known *known = NEW(struct known);

	known->remote = remote;
	known->boxes = map_new();
	return known;
}

static void
box_free(struct box *box)
{
	buffer_free(&box->name);
	free(box->entries);
	free(box);
}

static void
free_boxes(struct known *known)
{
	size_t position = 0;
	struct span name;
	void *box;

	while (map_next(known->boxes, &position, &name, &box))
		box_free(box);
	map_free(&known->boxes);
}

void
known_free(struct known **known)
{
	if (*known == NULL)
		return;
	free_boxes(*known);
	free(*known);
	*known = NULL;
}

void
known_forget(struct known *known)
{
	free_boxes(known);
	known->boxes = map_new();
	known->selected = NULL;
}

static struct buffer *
begin(struct known *known, const char *words)
{
	remote_listen(known->remote, on_untagged, known);
	known->asking = remote_begin(known->remote, words);
	return remote_out(known->remote);
}

/* End the command that begin() began, and wait for its answer; false when the connection is lost. */
static bool
finish(struct known *known, bool *is_ok_out)
{
	struct remote_answer answer;
	bool is_alive;

	remote_end(known->remote);
	is_alive = remote_wait(known->remote, known->asking, &answer);
	*is_ok_out = is_alive && answer.condition == IMAP_REPLY_OK;
	remote_listen(known->remote, NULL, NULL);
	return is_alive;
}

/* A mailbox that is not there, or cannot be read, holds nothing. */
static bool
select_box(struct known *known, struct box *box, bool *is_there_out)
{
	bool is_alive;

	imap_write_quoted(begin(known, "EXAMINE "), buffer_span(&box->name));
	is_alive = finish(known, is_there_out);
	known->selected = *is_there_out ? box : NULL;
	return is_alive;
}

static int
compare(const struct entry *a, int64_t date_s, uint64_t size)
{
	if (a->date_s != date_s)
		return a->date_s < date_s ? -1 : 1;
	return a->size < size ? -1 : a->size > size;
}

static int
by_facts(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = compare(left, right->date_s, right->size);

	return order != 0 ? order : left->uid < right->uid ? -1 : left->uid > right->uid;
}

static bool
fill(struct known *known, struct box *box)
{
	bool is_there, is_alive;

	if (!select_box(known, box, &is_there))
		return false;
	if (!is_there)
		return true;
	buffer_printf(begin(known, "UID FETCH "), "%u:* (INTERNALDATE RFC822.SIZE)",
	    box->filter == NULL ? 1 : box->filter->first_uid);
	known->filling = box;
	is_alive = finish(known, &is_there);
	known->filling = NULL;
	if (box->count > 0)
		qsort(box->entries, box->count, sizeof *box->entries, by_facts);
	return is_alive;
}

/* The mailbox with what it holds; NULL when the connection is lost. */
static struct box *
box_get(struct known *known, struct span name, const struct known_filter *filter)
{
	struct box *box = map_get(known->boxes, name);
	bool is_alive;

	if (box != NULL)
		return box;
	box = NEW(struct box);
	buffer_add_span(&box->name, name);
	map_put(known->boxes, name, box);
	box->filter = filter;
	is_alive = fill(known, box);
	box->filter = NULL;
	return is_alive ? box : NULL;
}

/* The first entry of a date and size, or the place where it would be. */
static size_t
find(const struct box *box, int64_t date_s, uint64_t size)
{
	return LOWER_BOUND(box->count, middle, compare(&box->entries[middle], date_s, size) < 0);
}

/* Name the entries of a run, from first on, in a command; returns where the run ends. */
static size_t
add_run(struct box *box, size_t first, struct buffer *out)
{
	uint64_t octets = 0;
	size_t end = first;

	for (; end < box->count && end - first < RUN_MESSAGES; end++) {
		struct entry *entry = &box->entries[end];

		if (end > first && octets + entry->size > RUN_OCTETS)
			break;
		if (entry->is_asked || entry->is_used)
			continue;
		buffer_printf(out, "%s%u", end > first && octets > 0 ? "," : "", entry->uid);
		octets += entry->size;
		entry->is_asked = true;
		entry->is_used = true;	/* gone, unless its octets come */
	}
	return end;
}

/* Fetch the octets of an entry and of those behind it; false when the connection is lost. */
static bool
fetch(struct known *known, struct box *box, size_t first)
{
	bool is_there = true, is_alive;
	struct buffer *out;

	if (known->selected != box && !select_box(known, box, &is_there))
		return false;
	if (!is_there) {	/* deleted meanwhile */
		box->count = 0;
		return true;
	}
	out = begin(known, "UID FETCH ");
	known->run = &box->entries[first];
	known->run_count = add_run(box, first, out) - first;
	buffer_add_string(out, " (BINARY.PEEK[])");
	is_alive = finish(known, &is_there);
	known->run = NULL;
	return is_alive;
}

bool
known_find(struct known *known, struct span mailbox, const struct known_filter *filter, const struct message *message,
    uint32_t *uid_out)
{
	uint8_t digest[DIGEST_LENGTH];
	struct box *box = box_get(known, mailbox, filter);
	uint64_t size = message->octets.length;
	bool has_digest = false;

	*uid_out = 0;
	if (box == NULL)
		return false;
	for (size_t i = find(box, message->date_s, size); i < box->count; i++) {
		struct entry *entry = &box->entries[i];

		if (compare(entry, message->date_s, size) != 0)
			break;
		if (!has_digest)
			digest_sha256(buffer_span(&message->octets), digest);
		has_digest = true;
		if (!entry->is_used && !entry->is_asked && !fetch(known, box, i))
			return false;
		if (i < box->count && !entry->is_used && memcmp(entry->digest, digest, DIGEST_LENGTH) == 0) {
			entry->is_used = true;
			*uid_out = entry->uid;
			return true;
		}
	}
	return true;
}
