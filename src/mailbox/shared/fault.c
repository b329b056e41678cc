/*
 * The entries: in a list, since there are few; at most FAULTS_MAX, since a disk can fail for all users at once.
 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"

#define FAULTS_MAX 1000
#define LOG_EVERY_US UINT64_C(60000000)

struct entry {
	struct list link;
	struct span key;		/* id/kind; owned */
	enum fault_kind kind;
	char *id, *user, *path, *error;
	uint64_t file, logged_us, times, suppressed;
	int64_t since_s;
	bool is_over;			/* kept for a while, so that it is not logged again at once */
};

struct faults {
	struct list entries;		/* oldest first */
	struct map *by_key;
	size_t count;
	struct list *tried;		/* of faults_next_to_try(): the entry tried last, or the head */
};

static const char *const words[FAULT_KIND_COUNT] = {
	[FAULT_DAMAGED] = "damaged",
	[FAULT_MISSING] = "missing",
	[FAULT_FULL] = "disk-full",
	[FAULT_FAILED] = "disk-failed",
	[FAULT_DIRECTORY] = "directory",
};

struct faults *
faults_new(void)
{
	struct faults *faults = NEW(struct faults);

	list_init(&faults->entries);
	faults->by_key = map_new();
	faults->tried = &faults->entries;
	return faults;
}

static void
entry_free(struct faults *faults, struct entry *entry)
{
	if (faults->tried == &entry->link)
		faults->tried = &faults->entries;
	map_remove(faults->by_key, entry->key);
	list_remove(&entry->link);
	faults->count--;
	free((void *)entry->key.at);
	free(entry->id);
	free(entry->user);
	free(entry->path);
	free(entry->error);
	free(entry);
}

void
faults_free(struct faults **faults)
{
	if (*faults == NULL)
		return;
	LIST_FOREACH(&(*faults)->entries, link)
		entry_free(*faults, LIST_ENTRY(link, struct entry, link));
	map_free(&(*faults)->by_key);
	free(*faults);
	*faults = NULL;
}

static struct span
make_key(const char *id, enum fault_kind kind)
{
	struct buffer text = { 0 };
	struct span key;

	buffer_printf(&text, "%s/%d", id, kind);
	key = span_from_string(memory_copy_string(buffer_string(&text)));
	buffer_free(&text);
	return key;
}

static struct entry *
find(const struct faults *faults, const char *id, enum fault_kind kind)
{
	struct span key = make_key(id, kind);
	struct entry *entry = map_get(faults->by_key, key);

	free((void *)key.at);
	return entry;
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : memory_copy_string(text);
}

/* What is over makes room first, then what is oldest. */
static void
make_room(struct faults *faults)
{
	struct entry *chosen = NULL;

	if (faults->count < FAULTS_MAX)
		return;
	LIST_FOREACH(&faults->entries, link) {
		struct entry *entry = LIST_ENTRY(link, struct entry, link);

		if (chosen == NULL || (entry->is_over && !chosen->is_over))
			chosen = entry;
	}
	entry_free(faults, chosen);
}

static struct entry *
entry_new(struct faults *faults, const struct fault *fault)
{
	struct entry *entry;

	make_room(faults);
	entry = NEW(struct entry);
	entry->kind = fault->kind;
	entry->key = make_key(fault->id, fault->kind);
	entry->id = copy(fault->id);
	entry->user = copy(fault->user);
	entry->path = copy(fault->path);
	entry->is_over = true;
	map_put(faults->by_key, entry->key, entry);
	list_push_back(&faults->entries, &entry->link);
	faults->count++;
	return entry;
}

static void
say(struct entry *entry)
{
	uint64_t now_us = clock_monotonic_us();

	if (entry->kind == FAULT_DIRECTORY)
		return;
	if (entry->logged_us != 0 && now_us - entry->logged_us < LOG_EVERY_US) {
		entry->suppressed++;
		return;
	}
	log_error("store-failed", log_text("user", entry->user), log_text("path", entry->path),
	    log_text("reason", words[entry->kind]), log_text("error", entry->error),
	    log_number("suppressed", (int64_t)entry->suppressed));
	entry->logged_us = now_us;
	entry->suppressed = 0;
}

void
faults_note(struct faults *faults, const struct fault *fault)
{
	struct entry *entry = find(faults, fault->id, fault->kind);

	if (entry == NULL)
		entry = entry_new(faults, fault);
	if (entry->is_over) {
		entry->since_s = clock_calendar_s();
		entry->times = 0;
	}
	entry->is_over = false;
	entry->times++;
	entry->file = fault->file;
	free(entry->error);
	entry->error = copy(fault->error);
	say(entry);
}

void
faults_note_disk(struct faults *faults, const char *user, const char *path, bool is_full, int error)
{
	faults_note(faults, &(struct fault){ .kind = is_full ? FAULT_FULL : FAULT_FAILED, .id = "", .user = user,
	    .path = path, .error = strerror(error) });
}

unsigned
faults_of(const struct faults *faults, const char *id)
{
	unsigned kinds = 0;

	if (faults->count == 0)
		return 0;
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		const struct entry *entry = find(faults, id, kind);

		if (entry != NULL && !entry->is_over)
			kinds |= FAULT_BIT(kind);
	}
	return kinds;
}

void
faults_end(struct faults *faults, const char *id, unsigned kinds, uint64_t file)
{
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		struct entry *entry = kinds & FAULT_BIT(kind) ? find(faults, id, kind) : NULL;

		if (entry == NULL || entry->is_over || (kind == FAULT_DAMAGED && entry->file == file))
			continue;
		entry->is_over = true;
		if (kind == FAULT_DIRECTORY)
			continue;
		log_info("store-recovered", log_text("user", entry->user), log_text("path", entry->path),
		    log_text("reason", words[kind]));
	}
}

void
faults_rename(struct faults *faults, const char *id, const char *user)
{
	LIST_FOREACH(&faults->entries, link) {
		struct entry *entry = LIST_ENTRY(link, struct entry, link);

		if (strcmp(entry->id, id) != 0)
			continue;
		free(entry->user);
		entry->user = copy(user);
	}
}

size_t
faults_forget(struct faults *faults, const char *user)
{
	size_t count = 0;

	LIST_FOREACH(&faults->entries, link) {
		struct entry *entry = LIST_ENTRY(link, struct entry, link);

		if (user != NULL && (entry->user == NULL || strcmp(entry->user, user) != 0))
			continue;
		count += !entry->is_over;
		entry_free(faults, entry);
	}
	return count;
}

bool
faults_get(const struct faults *faults, size_t index, struct mailbox_fault *fault_out)
{
	LIST_FOREACH((struct list *)&faults->entries, link) {
		const struct entry *entry = LIST_ENTRY(link, struct entry, link);

		if (entry->is_over || index-- > 0)
			continue;
		*fault_out = (struct mailbox_fault){ words[entry->kind], entry->user, entry->path, entry->error,
			entry->since_s, entry->times };
		return true;
	}
	return false;
}

const char *
faults_next_to_try(struct faults *faults, const char **user_out)
{
	struct list *place = faults->tried;

	for (size_t i = 0; i <= faults->count; i++) {
		const struct entry *entry;

		place = place->next;
		if (place == &faults->entries)
			continue;
		entry = LIST_ENTRY(place, struct entry, link);
		if (entry->is_over || entry->kind == FAULT_DAMAGED || entry->id[0] == '\0')
			continue;
		faults->tried = place;
		*user_out = entry->user;
		return entry->id;
	}
	return NULL;
}
