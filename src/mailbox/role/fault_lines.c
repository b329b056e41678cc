#include "fault_lines.h"

#include "store/repair.h"

#define FIELDS 4

/* The fields of a line, the last with all tabs that are left. */
static void
split(struct span line, struct span *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = i + 1 < count ? span_find(line, '\t') : line.length;

		fields[i] = span_slice(line, 0, length);
		line = span_from(line, length + 1);
	}
}

static void
add(struct fault_lines *lines, struct span word, const char *mailbox, uint32_t uid, struct span content, struct span text)
{
	if (lines->count++ < FAULT_LINES_MAX)
		buffer_printf(&lines->text, "%.*s\t%s\t%u\t%.*s\t%.*s\n", SPAN_ARGS(word), mailbox, (unsigned)uid, SPAN_ARGS(content),
		    SPAN_ARGS(text));
}

void
fault_lines_add_pages(struct fault_lines *lines, const char *error)
{
	add(lines, SPAN("pages"), "", 0, SPAN("0"), span_from_string(error == NULL ? store_status_text(STORE_CORRUPT) : error));
}

/* A file that cannot be read has no names, and the finding is told without. */
static enum store_status
add_content(struct fault_lines *lines, struct store *store, struct arena *arena, uint64_t content_id,
    const struct span fields[FIELDS])
{
	struct store_repair_place *places;
	size_t count = 0;
	enum store_status status = store_repair_places(store, content_id, arena, &places, &count);

	for (size_t i = 0; status == STORE_OK && i < count; i++)
		add(lines, fields[0], places[i].mailbox == NULL ? "" : places[i].mailbox, places[i].uid, fields[2], fields[3]);
	if (status != STORE_OK || count == 0)
		add(lines, fields[0], "", 0, fields[2], fields[3]);
	return status == STORE_CORRUPT ? STORE_OK : status;
}

static enum store_status
add_finding(struct fault_lines *lines, struct store *store, struct arena *arena, struct span line)
{
	struct span fields[FIELDS];
	uint64_t mailbox_id = 0, content_id = 0;
	const char *name = "";
	enum store_status status = STORE_OK;

	split(line, fields, FIELDS);
	span_to_number(fields[1], INT64_MAX, &mailbox_id);
	span_to_number(fields[2], INT64_MAX, &content_id);
	if (content_id != 0)
		return add_content(lines, store, arena, content_id, fields);
	if (mailbox_id != 0)
		status = store_repair_mailbox_name(store, mailbox_id, arena, &name);
	add(lines, fields[0], name, 0, fields[2], fields[3]);
	return status == STORE_CORRUPT || status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status
fault_lines_take(struct fault_lines *lines, struct store *store, struct buffer *findings)
{
	struct arena *arena = arena_new();
	struct span rest = buffer_span(findings);
	enum store_status status = STORE_OK;

	while (status == STORE_OK && rest.length > 0) {
		size_t length = span_find(rest, '\n');

		status = add_finding(lines, store, arena, span_slice(rest, 0, length));
		rest = span_from(rest, length + 1);
	}
	buffer_clear(findings);
	arena_free(&arena);
	return status;
}

static void
reply(const struct user_verb *verb, struct span kind, struct span line_text)
{
	struct span fields[5];
	struct buffer line = { 0 };
	uint64_t uid = 0, content = 0;

	split(line_text, fields, COUNT_OF(fields));
	span_to_number(fields[2], UINT32_MAX, &uid);
	span_to_number(fields[3], INT64_MAX, &content);
	user_verb_begin_line(verb, kind, &line);
	control_add_field(&line, "what", fields[0]);
	control_add_field(&line, "mailbox", fields[1]);
	control_add_number(&line, "uid", (int64_t)uid);
	control_add_number(&line, "content", (int64_t)content);
	control_add_field(&line, "text", fields[4]);
	control_reply(verb->call, buffer_span(&line));
	buffer_free(&line);
}

int64_t
fault_lines_reply(const struct user_verb *verb, struct span kind, struct fault_lines *lines)
{
	struct span rest = buffer_span(&lines->text);
	int64_t count = lines->count;

	while (rest.length > 0) {
		size_t length = span_find(rest, '\n');

		reply(verb, kind, span_slice(rest, 0, length));
		rest = span_from(rest, length + 1);
	}
	buffer_clear(&lines->text);
	lines->count = 0;
	return count;
}

void
fault_lines_fini(struct fault_lines *lines)
{
	buffer_free(&lines->text);
}
