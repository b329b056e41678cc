/*
 * Messages leave their mailboxes: what becomes of their contents.  They are kept, and then somebody uses them still; or
 * they are let go.  Worker threads.
 */
#include <ctype.h>

#include "base/clock.h"
#include "base/map.h"
#include "retain.h"
#include "store/content.h"
#include "store/trial_letter.h"

#define NO_KEYWORDS SPAN("")

/* The names that words of keywords stand for, each looked up once. */
struct names {
	struct store *store;
	uint64_t mailbox_id;
	struct arena *arena;
	struct map *map;		/* NULL: no message has had a keyword */
	struct store_keywords keywords;
};

static void
names_init(struct names *names, struct store *store, uint64_t mailbox_id)
{
	*names = (struct names){ .store = store, .mailbox_id = mailbox_id };
}

static void
names_fini(struct names *names)
{
	arena_free(&names->arena);
	map_free(&names->map);
}

static enum store_status
begin_to_look(struct names *names)
{
	if (names->map != NULL)
		return STORE_OK;
	names->map = map_new();
	names->arena = arena_new();
	return store_keyword_list(names->store, names->mailbox_id, names->arena, &names->keywords);
}

/* A set that is missing is damage that was there before: the message goes without its keywords. */
static enum store_status
join_names(struct names *names, uint64_t word, struct span *text_out)
{
	uint16_t numbers[STORE_KEYWORDS_MAX];
	struct buffer text = { 0 };
	size_t count = 0;
	enum store_status status = store_word_expand(names->store, word, numbers, &count);

	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		if (numbers[i] >= names->keywords.count || names->keywords.names[numbers[i]] == NULL)
			continue;
		if (text.length > 0)
			buffer_add_octet(&text, ' ');
		buffer_add_string(&text, names->keywords.names[numbers[i]]);
	}
	*text_out = arena_copy(names->arena, buffer_span(&text));
	buffer_free(&text);
	return status == STORE_CORRUPT ? STORE_OK : status;
}

/* Borrowed from the names. */
static enum store_status
find_names(struct names *names, uint64_t flags, struct span *text_out)
{
	uint64_t word = flags & ~STORE_FLAGS_SYSTEM;
	struct span *text;
	enum store_status status;

	*text_out = NO_KEYWORDS;
	if (word == 0)
		return STORE_OK;
	if ((status = begin_to_look(names)) != STORE_OK)
		return status;
	text = map_get(names->map, span_of(&word, sizeof word));
	if (text == NULL) {
		text = ARENA_NEW(names->arena, struct span);
		status = join_names(names, word, text);
		map_put(names->map, arena_copy(names->arena, span_of(&word, sizeof word)), text);
	}
	*text_out = *text;
	return status;
}

static void
bind_text_or_null(struct sql_statement *statement, int index, struct span text)
{
	if (text.length > 0)
		sql_bind_text(statement, index, text);
	else
		sql_bind_null(statement, index);
}

static enum store_status
keep_message(struct names *names, const struct store_message *message, const struct store_parting *parting, int64_t now_s)
{
	struct sql_statement *insert;
	struct span keywords;
	enum store_status status = find_names(names, message->flags, &keywords);

	if (status != STORE_OK)
		return status;
	insert = sql_prepare(names->store->sql,
	    "INSERT INTO retained (mailbox_id, uid, content_id, size, flags, keywords, internal_date, left_at, left_how, "
	    "left_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
	sql_bind_number(insert, 1, (int64_t)names->mailbox_id);
	sql_bind_number(insert, 2, message->uid);
	sql_bind_number(insert, 3, (int64_t)message->content_id);
	sql_bind_number(insert, 4, message->size);
	sql_bind_number(insert, 5, (int64_t)(message->flags & STORE_FLAGS_SYSTEM));
	bind_text_or_null(insert, 6, keywords);
	sql_bind_number(insert, 7, message->internal_date_s);
	sql_bind_number(insert, 8, now_s);
	sql_bind_number(insert, 9, parting->how);
	bind_text_or_null(insert, 10, parting->by);
	return store_run(insert);
}

static bool
is_trial_letter(struct span octets)
{
	const struct span head = SPAN(TRIAL_LETTER_HEAD);
	struct span word = span_slice(octets, head.length, TRIAL_LETTER_WORD);

	for (size_t i = 0; i < word.length; i++)
		if (!isxdigit(word.at[i]))
			return false;
	return span_starts_with(octets, head) && span_equals(span_from(octets, head.length + TRIAL_LETTER_WORD), SPAN(TRIAL_LETTER_TAIL));
}

/* Whether it is the message of a test, which nobody wants back.  What cannot be read is not. */
static bool
is_trial(struct store *store, const struct store_message *message)
{
	struct buffer octets = { 0 };
	bool is_it = false;

	if (message->size == sizeof TRIAL_LETTER_HEAD - 1 + TRIAL_LETTER_WORD + sizeof TRIAL_LETTER_TAIL - 1)
		is_it = store_read_octets(store, message->content_id, 0, message->size, &octets) == STORE_OK &&
		    is_trial_letter(buffer_span(&octets));
	buffer_free(&octets);
	return is_it;
}

static enum store_status
keep_all(struct store *store, uint64_t mailbox_id, const struct store_rows *rows, const struct store_parting *parting)
{
	int64_t now_s = clock_calendar_s();
	enum store_status status = STORE_OK;
	struct names names;

	names_init(&names, store, mailbox_id);
	for (size_t i = 0; status == STORE_OK && i < rows->count; i++) {
		const struct store_message *message = &rows->rows[i].message;

		if (!rows->rows[i].is_wanted)
			continue;
		if (parting->how != STORE_LEFT_DAMAGED && is_trial(store, message)) {
			status = store_content_release(store, message->content_id);
			continue;
		}
		status = keep_message(&names, message, parting, now_s);
		retention_note(store, now_s, message->size);
	}
	names_fini(&names);
	return status;
}

static enum store_status
release_all(struct store *store, const struct store_rows *rows)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < rows->count; i++)
		if (rows->rows[i].is_wanted)
			status = store_content_release(store, rows->rows[i].message.content_id);
	return status;
}

enum store_status
store_rows_part(struct store *store, uint64_t mailbox_id, const struct store_rows *rows, const struct store_parting *parting)
{
	bool is_kept = parting != NULL && (store->retention_s > 0 || parting->how == STORE_LEFT_DAMAGED);

	return is_kept ? keep_all(store, mailbox_id, rows, parting) : release_all(store, rows);
}

enum store_status
store_note_deleted_mailbox(struct store *store, uint64_t mailbox_id)
{
	struct sql_statement *insert = sql_prepare(store->sql, "INSERT INTO deleted_mailbox (id, name) "
	    "SELECT id, name FROM mailbox WHERE id = ?1 AND EXISTS (SELECT 1 FROM retained WHERE mailbox_id = ?1)");

	sql_bind_number(insert, 1, (int64_t)mailbox_id);
	return store_run(insert);
}
