/*
 * A line for the export and one for each mailbox, with tabs between the fields: names of mailboxes hold no controls.
 *
 *	imapd-export 1	maildir	alice	complete
 *	.Sent	Sent	1764373205	18	subscribed	\Sent
 */
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "lines.h"

#define FIRST_WORD "imapd-export 1"

static struct span
next_field(struct span *rest)
{
	size_t end = span_find(*rest, '\t');
	struct span field = span_slice(*rest, 0, end);

	*rest = span_from(*rest, end + 1);
	return field;
}

static uint32_t
next_number(struct span *rest)
{
	uint64_t number = 0;

	span_to_number(next_field(rest), UINT32_MAX, &number);
	return (uint32_t)number;
}

/* A path leads below the folder, whatever somebody has written there. */
static bool
is_path_below(struct span path)
{
	if (path.length == 0 || span_equals(path, SPAN(".")))
		return true;
	while (path.length > 0) {
		size_t end = span_find(path, '/');
		struct span level = span_slice(path, 0, end);

		if (level.length == 0 || span_equals(level, SPAN(".")) || span_equals(level, SPAN("..")))
			return false;
		path = span_from(path, end + 1);
	}
	return true;
}

struct manifest_entry *
manifest_add(struct manifest *manifest, const char *path, const char *name)
{
	struct manifest_entry *entry;

	if ((manifest->count & (manifest->count - 1)) == 0)
		manifest->entries = memory_resize(manifest->entries, manifest->count == 0 ? 1 : 2 * manifest->count, sizeof *entry);
	entry = &manifest->entries[manifest->count++];
	*entry = (struct manifest_entry){ .path = memory_copy_string(path), .name = memory_copy_string(name),
		.use = memory_copy_string("") };
	if (manifest->by_name == NULL) {
		manifest->by_name = map_new();
		manifest->by_path = map_new();
	}
	map_put(manifest->by_name, span_from_string(name), (void *)(uintptr_t)manifest->count);
	if (path[0] != '\0')
		map_put(manifest->by_path, span_from_string(path), (void *)(uintptr_t)manifest->count);
	return entry;
}

/* A line that makes no sense is passed over: what it stands for is read as if there were no list. */
static void
read_entry(struct manifest *manifest, struct span line)
{
	struct span path = next_field(&line), name = next_field(&line);
	struct buffer canonical = { 0 };
	struct manifest_entry *entry;

	if (is_path_below(path) && span_find(path, '\0') == path.length && imap_utf8_is_valid(name) &&
	    imap_name_canonical(name, true, &canonical) == IMAP_NAME_OK) {
		char *text = memory_copy_span(path);

		entry = manifest_add(manifest, text, buffer_string(&canonical));
		free(text);
		entry->uidvalidity = next_number(&line);
		entry->uidnext = next_number(&line);
		entry->is_subscribed = span_equals(next_field(&line), SPAN("subscribed"));
		free(entry->use);
		entry->use = memory_copy_span(next_field(&line));
	}
	buffer_free(&canonical);
}

static bool
read_first(struct manifest *manifest, struct span line)
{
	if (!span_equals(next_field(&line), SPAN(FIRST_WORD)))
		return false;
	manifest->kind = memory_copy_span(next_field(&line));
	manifest->user = memory_copy_span(next_field(&line));
	manifest->is_complete = span_equals(next_field(&line), SPAN("complete"));
	return true;
}

bool
manifest_read(const char *folder, struct manifest *manifest_out)
{
	struct lines lines;
	struct span line;
	bool is_ours;

	*manifest_out = (struct manifest){ 0 };
	if (!lines_open(&lines, folder, MANIFEST_NAME))
		return false;
	is_ours = lines_next(&lines, &line) && read_first(manifest_out, line);
	while (is_ours && lines_next(&lines, &line))
		read_entry(manifest_out, line);
	lines_close(&lines);
	return is_ours;
}

void
manifest_write(const struct manifest *manifest, struct buffer *out)
{
	buffer_printf(out, FIRST_WORD "\t%s\t%s\t%s\n", manifest->kind, manifest->user,
	    manifest->is_complete ? "complete" : "incomplete");
	for (size_t i = 0; i < manifest->count; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];

		if (entry->is_gone)
			continue;
		buffer_printf(out, "%s\t%s\t%u\t%u\t%s\t%s\n", entry->path, entry->name, entry->uidvalidity, entry->uidnext,
		    entry->is_subscribed ? "subscribed" : "-", entry->use);
	}
}

static struct manifest_entry *
find(const struct manifest *manifest, const struct map *map, struct span key)
{
	uintptr_t number = map == NULL ? 0 : (uintptr_t)map_get(map, key);

	return number == 0 ? NULL : &manifest->entries[number - 1];
}

struct manifest_entry *
manifest_find_name(const struct manifest *manifest, struct span name)
{
	return find(manifest, manifest->by_name, name);
}

struct manifest_entry *
manifest_find_path(const struct manifest *manifest, struct span path)
{
	return find(manifest, manifest->by_path, path);
}

void
manifest_add_name(const struct manifest_entry *entry, struct buffer *out)
{
	if (strcmp(entry->name, "INBOX") != 0)
		imap_utf7_encode(span_from_string(entry->name), out);
}

bool
manifest_mailbox(const struct manifest *manifest, struct span root, struct span path, struct buffer *mailbox_out)
{
	const struct manifest_entry *entry;

	while (path.length > root.length && path.at[path.length - 1] == '/')
		path.length--;
	if (!span_starts_with(path, root))
		return false;
	path = span_from(path, root.length);
	while (path.length > 0 && path.at[0] == '/')
		path = span_from(path, 1);
	entry = manifest_find_path(manifest, path.length == 0 ? SPAN(".") : path);
	if (entry != NULL)
		manifest_add_name(entry, mailbox_out);
	return entry != NULL;
}

void
manifest_free(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++) {
		free(manifest->entries[i].path);
		free(manifest->entries[i].name);
		free(manifest->entries[i].use);
	}
	map_free(&manifest->by_name);
	map_free(&manifest->by_path);
	free(manifest->entries);
	free(manifest->kind);
	free(manifest->user);
	*manifest = (struct manifest){ 0 };
}
