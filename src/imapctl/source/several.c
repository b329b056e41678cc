#include "several.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/map.h"
#include "base/memory.h"
#include "expand.h"
#include "folder_name.h"
#include "troubles.h"

struct item {
	char *path;
	struct buffer mailbox;	/* modified UTF-7 */
	several_opener *open;
	uint64_t weight;	/* of its part of the progress: octets, or one */
};

struct several {
	struct source source;
	struct item *items;
	size_t count, next;
	struct source *current;		/* what items[next - 1] gives; NULL: open the next one */
	bool has_given;			/* something came from it */
	uint64_t done;			/* weight of those before it */
	struct troubles troubles;
	struct map *seen;		/* digests of messages; NULL: copies are no matter */
};

static void
set_mailbox(const struct several *several, struct message *message)
{
	struct span above = buffer_span(&several->items[several->next - 1].mailbox);
	struct buffer name = { 0 };

	buffer_add_span(&name, above);
	if (above.length > 0 && message->mailbox.length > 0)
		buffer_add_octet(&name, '/');
	buffer_add_span(&name, buffer_span(&message->mailbox));
	buffer_free(&message->mailbox);
	message->mailbox = name;
}

static void
leave(struct several *several)
{
	if (several->current == NULL)
		return;
	source_take_notes(&several->source, several->current);
	several->done += several->items[several->next - 1].weight;
	source_close(&several->current);
}

/* Why a part cannot be opened. */
static enum source_result
fail(const struct item *item, struct message *message, int error)
{
	message_clear(message);
	buffer_add_string(&message->origin, item->path);
	if (error == EBADMSG || error == EISDIR || error == ENOTDIR)
		return message_refuse(message, "it is of no format that can be read");
	return message_fail(message, error);
}

static enum source_result
give_mailbox(struct several *several, struct message *message)
{
	message_clear(message);
	buffer_add_string(&message->origin, several->items[several->next - 1].path);
	set_mailbox(several, message);
	return SOURCE_MAILBOX;
}

/* Open the next part.  SOURCE_MESSAGE: it is open. */
static enum source_result
begin(struct several *several, struct message *message)
{
	const struct item *item = &several->items[several->next++];

	several->has_given = false;
	if (item->open == NULL)
		return give_mailbox(several, message);
	if ((several->current = item->open(item->path)) == NULL)
		return fail(item, message, errno);
	several->current->octets_max = several->source.octets_max;
	several->current->labels = several->source.labels;
	return SOURCE_MESSAGE;
}

static bool
is_copy(struct several *several, const struct message *message)
{
	uint8_t digest[DIGEST_LENGTH];

	if (several->seen == NULL)
		return false;
	digest_sha256(buffer_span(&message->octets), digest);
	return map_put(several->seen, span_of(digest, sizeof digest), several) != NULL;
}

/* Progress: the part's own, as a share of its weight. */
static void
count_done(struct several *several)
{
	const struct source *current = several->current;
	double share = current->total > 0 ? (double)current->done / (double)current->total : 1;

	several->source.done = several->done + (uint64_t)(share * (double)several->items[several->next - 1].weight);
	if (several->source.done > several->source.total)
		several->source.done = several->source.total;
}

/* What the part under way gives next; SOURCE_END: nothing more. */
static enum source_result
continue_part(struct several *several, struct message *message)
{
	enum source_result result;

	do
		result = source_next(several->current, message);
	while (result == SOURCE_MESSAGE && is_copy(several, message));
	count_done(several);
	if (result == SOURCE_END)
		leave(several);
	if (result == SOURCE_MESSAGE || result == SOURCE_MAILBOX)
		set_mailbox(several, message);
	return result;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct several *several = CONTAINER_OF(source, struct several, source);
	enum source_result result;

	message_clear(message);
	for (;;) {
		if (troubles_give(&several->troubles, message, &result))
			return result;
		if (several->current == NULL && several->next == several->count)
			return SOURCE_END;
		if (several->current == NULL && (result = begin(several, message)) != SOURCE_MESSAGE)
			return result;
		if ((result = continue_part(several, message)) != SOURCE_END) {
			several->has_given = true;
			return result;
		}
		if (!several->has_given)
			return give_mailbox(several, message);
	}
}

static void
several_close(struct source *source)
{
	struct several *several = CONTAINER_OF(source, struct several, source);

	source_close(&several->current);
	for (size_t i = 0; i < several->count; i++) {
		free(several->items[i].path);
		buffer_free(&several->items[i].mailbox);
	}
	free(several->items);
	troubles_free(&several->troubles);
	map_free(&several->seen);
	free(several);
}

struct several *
several_new(void)
{
	struct several *several = NEW(struct several);

	several->source.next = next;
	several->source.close = several_close;
	troubles_init(&several->troubles);
	return several;
}

void
several_add(struct several *several, const char *path, struct span name, several_opener *open)
{
	struct item item = { .open = open, .weight = 1 };
	const char *why = folder_name_finish(name, &item.mailbox);
	struct stat facts;

	if (why != NULL) {
		several_refuse(several, path, why);
		return;
	}
	if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
		item.weight += (uint64_t)facts.st_size;
	item.path = memory_copy_string(path);
	several->items = memory_resize(several->items, several->count + 1, sizeof item);
	several->items[several->count++] = item;
	several->source.total += item.weight;
}

void
several_refuse(struct several *several, const char *path, const char *reason)
{
	troubles_refused(&several->troubles, path, reason);
}

void
several_fail(struct several *several, const char *path, int error)
{
	troubles_unreadable(&several->troubles, path, error);
}

void
several_leave_out(struct several *several, const char *path, const char *what)
{
	source_note(&several->source, NOTE_LEFT_OUT, span_from_string(what), span_from_string(path));
}

size_t
several_count(const struct several *several)
{
	return several->count;
}

void
several_drop_copies(struct several *several)
{
	several->seen = map_new();
}

struct source *
several_source(struct several *several)
{
	return &several->source;
}
