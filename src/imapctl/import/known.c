/*
 * Date and size of all messages in a mailbox are fetched when it is first asked for.  Only where both are
 * those of a message in question, its octets are, and then some more that may be asked for next, so that a
 * second import of the same does not wait for each message; of these the digests are kept.
 */
#include "known.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/map.h"
#include "base/memory.h"
#include "imap/date.h"

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
	struct entry *entries;	/* by date, size, UID */
	size_t count, capacity;
};

struct known {
	struct dialog *dialog;
	struct map *boxes;
	struct box *selected;		/* NULL: none */
	uint32_t next_tag;
	bool is_answered, is_ok;	/* the command under way */
	/* Where a reply belongs that comes in: to a box that is filled, or to entries whose octets come. */
	struct box *filling;
	struct entry *run;
	size_t run_count;
};

/* What stands behind a word and a space in a FETCH reply; empty if it is not there. */
static struct span
behind(struct span reply, struct span word)
{
	for (size_t i = 0; i + word.length < reply.length; i++) {
		if (reply.at[i] == word.at[0] && span_starts_with(span_from(reply, i), word))
			return span_from(reply, i + word.length);
	}
	return (struct span){ NULL, 0 };
}

static bool
read_number(struct span text, uint64_t *number_out)
{
	size_t digits = 0;

	while (digits < text.length && ascii_is_digit(text.at[digits]))
		digits++;
	return span_to_number(span_slice(text, 0, digits), UINT64_MAX, number_out);
}

/* "* 1 FETCH (UID 7 INTERNALDATE "28-Nov-2026 10:46:52 +0000" RFC822.SIZE 61)" */
static void
add_entry(struct box *box, struct span reply)
{
	struct span date = behind(reply, SPAN("INTERNALDATE \""));
	struct imap_date_time when;
	uint64_t uid, size;

	if (!imap_date_time_parse(span_slice(date, 0, span_find(date, '"')), &when) ||
	    !read_number(behind(reply, SPAN("UID ")), &uid) ||
	    !read_number(behind(reply, SPAN("RFC822.SIZE ")), &size))
		return;
	if (box->count == box->capacity) {
		box->capacity = box->capacity == 0 ? 64 : 2 * box->capacity;
		box->entries = memory_resize(box->entries, box->capacity, sizeof *box->entries);
	}
	box->entries[box->count++] = (struct entry){ .date_s = when.seconds, .size = size, .uid = (uint32_t)uid };
}

/* "* 1 FETCH (UID 7 BINARY[] {61}" and the octets behind the line end. */
static void
take_octets(struct known *known, struct span reply)
{
	size_t line_end = span_find(reply, '\n');
	struct span line = span_slice(reply, 0, line_end), octets = span_from(reply, line_end + 1);
	uint64_t uid, size;

	if (!read_number(behind(line, SPAN("UID ")), &uid) || !read_number(behind(line, SPAN("{")), &size) ||
	    size > octets.length)
		return;
	for (size_t i = 0; i < known->run_count; i++) {
		struct entry *entry = &known->run[i];

		if (entry->uid == uid && entry->is_asked && entry->size == size) {
			digest_sha256(span_slice(octets, 0, (size_t)size), entry->digest);
			entry->is_used = false;
		}
	}
}

static bool
on_untagged(struct span reply, void *context)
{
	struct known *known = context;
	bool is_fetch = behind(span_slice(reply, 0, 40), SPAN(" FETCH ")).length > 0;

	if (is_fetch && known->filling != NULL)
		add_entry(known->filling, reply);
	else if (is_fetch && known->run != NULL)
		take_octets(known, reply);
	return true;
}

static bool
on_tagged(struct span reply, void *context)
{
	struct known *known = context;
	struct span rest = span_from(reply, span_find(reply, ' ') + 1);

	known->is_answered = true;
	known->is_ok = span_starts_with(rest, SPAN("OK"));
	return true;
}

struct known *
known_new(struct dialog *dialog)
{
	struct known *known = NEW(struct known);

	known->dialog = dialog;
	known->boxes = map_new();
	dialog_listen(dialog, '*', on_untagged, known);
	dialog_listen(dialog, 'k', on_tagged, known);
	return known;
}

static void
box_free(struct box *box)
{
	buffer_free(&box->name);
	free(box->entries);
	free(box);
}

void
known_free(struct known **known)
{
	size_t position = 0;
	struct span name;
	void *box;

	if (*known == NULL)
		return;
	while (map_next((*known)->boxes, &position, &name, &box))
		box_free(box);
	map_free(&(*known)->boxes);
	free(*known);
	*known = NULL;
}

static struct buffer *
begin(struct known *known)
{
	buffer_printf(dialog_out(known->dialog), "k%u ", ++known->next_tag);
	return dialog_out(known->dialog);
}

/* End the command that begin() began, and wait for its answer; false when the connection is lost. */
static bool
finish(struct known *known)
{
	buffer_add_string(dialog_out(known->dialog), "\r\n");
	known->is_answered = false;
	while (!known->is_answered) {
		if (!dialog_step(known->dialog))
			return false;
	}
	return true;
}

/* A mailbox that is not there, or cannot be read, holds nothing. */
static bool
select_box(struct known *known, struct box *box, bool *is_there_out)
{
	struct buffer *out = begin(known);
	bool is_alive;

	buffer_add_string(out, "EXAMINE ");
	dialog_add_quoted(out, buffer_span(&box->name));
	is_alive = finish(known);
	known->selected = known->is_ok ? box : NULL;
	*is_there_out = known->is_ok;
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
	buffer_add_string(begin(known), "UID FETCH 1:* (INTERNALDATE RFC822.SIZE)");
	known->filling = box;
	is_alive = finish(known);
	known->filling = NULL;
	if (box->count > 0)
		qsort(box->entries, box->count, sizeof *box->entries, by_facts);
	return is_alive;
}

/* The mailbox with what it holds; NULL when the connection is lost. */
static struct box *
box_get(struct known *known, struct span name)
{
	struct box *box = map_get(known->boxes, name);

	if (box != NULL)
		return box;
	box = NEW(struct box);
	buffer_add_span(&box->name, name);
	map_put(known->boxes, name, box);
	return fill(known, box) ? box : NULL;
}

/* The first entry of a date and size, or the place where it would be. */
static size_t
find(const struct box *box, int64_t date_s, uint64_t size)
{
	size_t low = 0, high = box->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&box->entries[middle], date_s, size) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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
	out = begin(known);
	buffer_add_string(out, "UID FETCH ");
	known->run = &box->entries[first];
	known->run_count = add_run(box, first, out) - first;
	buffer_add_string(out, " (BINARY.PEEK[])");
	is_alive = finish(known);
	known->run = NULL;
	return is_alive;
}

bool
known_has(struct known *known, struct span mailbox, const struct message *message, bool *has_out)
{
	uint8_t digest[DIGEST_LENGTH];
	struct box *box = box_get(known, mailbox);
	uint64_t size = message->octets.length;
	bool has_digest = false;

	*has_out = false;
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
			*has_out = entry->is_used = true;
			return true;
		}
	}
	return true;
}
