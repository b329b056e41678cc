/*
 * A user's file in which rows were changed to anything, or octets of pages: whatever the store reads out of it, looks for in
 * it, mends and salvages, it gives answers and never more than there is.
 *
 * The input is a list of changes: a column, a row, a kind, how many octets of value, and these.
 */
#include <sys/stat.h>

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "mime/signature.h"
#include "store/acl.h"
#include "store/content.h"
#include "store/image.h"
#include "store/index.h"
#include "store/keyword.h"
#include "store/message.h"
#include "store/metadata.h"
#include "store/place.h"
#include "store/quota.h"
#include "store/repair.h"
#include "store/retained.h"
#include "store/salvage.h"
#include "store/seen.h"
#include "store/training.h"

#define LETTERS	     520	/* of which a dictionary is made */
#define KEPT	     90		/* of them; a change of flags of so many is one row */
#define COLUMNS_MAX  256
#define CHANGES_MAX  8
#define OCTETS_MAX   (1 << 20)
#define INDEX_VERSION 7

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

struct column {
	char table[32], name[32], key[96];
	unsigned rows;
};

enum change_kind { SET_NULL, SET_NUMBER, SET_BLOB, SET_TEXT, SET_REAL, PATCH, SET_FRAME, DELETE_ROW, PATCH_FILE, CHANGE_KINDS };

static char folder[128], path[160], mark_path[160];
static struct buffer whole;		/* the file before changes */
static struct column columns[COLUMNS_MAX];
static size_t column_count;

static void
must(bool is_good)
{
	if (!is_good)
		abort();
}

/* ---- the file as it should be ----------------------------------------------------------------------------- */

static void
append(struct store *store, uint64_t mailbox_id, unsigned number)
{
	struct buffer octets = { 0 };
	struct store_searchable searchable = { .version = 1, .texts = { SPAN("SUBJECT"), SPAN("ANN <ANN@EXAMPLE.ORG>") } };
	struct store_ordering ordering = { .subject = SPAN("SUBJECT"), .links = SPAN("0123456789abcdef"), .is_reply = true };
	struct span piece;
	uint32_t header_length;

	buffer_printf(&octets, "From: Ann %u <ann%u@example.org>\r\nSubject: letter %x of the fuzzer\r\n\r\n", number, number, number * 40503);
	header_length = (uint32_t)octets.length;
	for (unsigned i = 0; i < 8; i++)
		buffer_printf(&octets, "A line with %x in it, one of those that are much like others\r\n", number * 40503 * (i + 1));
	piece = buffer_span(&octets);
	must(store_append(store, mailbox_id, &(struct store_arrival){ .pieces = &piece, .piece_count = 1,
	    .header_length = header_length, .compression = STORE_COMPRESSION_ZSTD, .internal_date_s = number,
	    .envelope = SPAN("(NIL \"letter\" ((\"Ann\" NIL \"ann\" \"example.org\")) NIL NIL NIL NIL NIL NIL \"<1@example.org>\")"),
	    .bodystructure = SPAN("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" 500 8 NIL NIL NIL NIL)"),
	    .body = SPAN("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" 500 8)"), .parts = SPAN("parts"),
	    .preview = SPAN("A line that is much like others"), .message_id = SPAN("<1@example.org>"), .has_sent_date = true,
	    .searchable = &searchable, .ordering = &ordering }, NULL) == STORE_OK);
	buffer_free(&octets);
}

/* All keywords that a message can have, and one more. */
static uint64_t
make_keywords(struct store *store, uint64_t mailbox_id)
{
	char texts[STORE_KEYWORD_BITS + 2][8];
	struct span names[STORE_KEYWORD_BITS + 2];
	uint64_t word = 0;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(texts[i], sizeof texts[i], "$%zu", i);
		names[i] = span_from_string(texts[i]);
	}
	must(store_keyword_flags(store, mailbox_id, names, COUNT_OF(names), &word) == STORE_OK);
	return word;
}

static void
change_flags(struct store *store, uint64_t mailbox_id, uint32_t first, uint32_t last, uint64_t flags)
{
	uint32_t uids[LETTERS];
	struct store_flag_result results[LETTERS];
	size_t count = 0;

	for (uint32_t uid = first; uid <= last; uid++)
		uids[count++] = uid;
	must(store_change_flags(store, mailbox_id, uids, count, &(struct store_flag_change){ .operation = STORE_FLAGS_ADD,
	    .flags = flags, .unchanged_since = UINT64_MAX }, results, NULL) == STORE_OK);
}

static void
expunge(struct store *store, uint64_t mailbox_id, uint32_t first, uint32_t last, const struct store_parting *parting)
{
	uint32_t uids[LETTERS], expunged[LETTERS];
	size_t count = 0;
	uint64_t modseq;

	for (uint32_t uid = first; uid <= last; uid++)
		uids[count++] = uid;
	must(store_expunge(store, mailbox_id, uids, count, parting, expunged, &count, &modseq) == STORE_OK);
}

static enum store_status
purge(struct store *store)
{
	enum store_status status = STORE_OK;
	bool is_more = true;

	for (unsigned steps = 0; status == STORE_OK && is_more && steps < LETTERS; steps++)
		status = store_purge(store, LETTERS, OCTETS_MAX, &is_more);
	return status;
}

static enum store_status
index_all(struct store *store)
{
	struct store_indexing indexing;
	enum store_status status = store_indexing_begin(store, INDEX_VERSION, &indexing);
	uint64_t content_id;

	for (unsigned i = 0; status == STORE_OK && i < LETTERS; i++) {
		if ((status = store_indexing_next(store, &indexing, &content_id)) != STORE_OK)
			break;
		for (unsigned place = 0; place < STORE_INDEX_TEXTS && status == STORE_OK; place++) {
			mime_signature_add((struct mime_signature *)indexing.open[place].bits, SPAN("A LETTER OF THE FUZZER"));
			indexing.open[place].octets += 22;
			store_indexing_note(&indexing, place, content_id);
			if (i % 30 == 29)
				status = store_indexing_close(store, &indexing, place);
		}
		if (status == STORE_OK)
			status = store_indexing_done(store, &indexing, content_id);
	}
	if (status == STORE_NOT_FOUND)
		status = store_indexing_end(store, &indexing);
	store_indexing_fini(&indexing);
	return status;
}

static void
fill(struct store *store)
{
	static const struct store_seen_mailbox other = { "0123456789abcdef0123456789abcdef", 3, 5 };
	static const struct store_annotation annotation = { .entry = SPAN("/private/comment"), .value = SPAN("x") };
	struct store_parting parting = { STORE_LEFT_EXPUNGED, SPAN("ann") };
	struct arena *arena = arena_new();
	struct store_mailbox inbox;

	store_set_retention(store, 1000);
	must(store_mailbox_find(store, SPAN("INBOX"), arena, &inbox) == STORE_OK);
	for (unsigned i = 0; i < LETTERS; i++)
		append(store, inbox.id, i);
	must(store_train(store) == STORE_OK);
	expunge(store, inbox.id, KEPT / 2, LETTERS - KEPT / 2, NULL);
	expunge(store, inbox.id, LETTERS - KEPT / 2 + 1, LETTERS - KEPT / 2 + 3, &parting);
	must(purge(store) == STORE_OK);
	for (unsigned i = 0; i < KEPT; i++)
		append(store, inbox.id, i);		/* with the dictionary */
	change_flags(store, inbox.id, 3, 3, make_keywords(store, inbox.id));
	change_flags(store, inbox.id, LETTERS + 1, LETTERS + KEPT, STORE_FLAG_SEEN);
	must(index_all(store) == STORE_OK);
	must(store_acl_set(store, inbox.id, SPAN("anyone"), 3) == STORE_OK);
	must(store_annotations_set(store, &(struct store_annotated){ .mailbox_id = inbox.id }, &annotation, 1) == STORE_OK);
	must(store_seen_change(store, &other, &(struct store_uid_range){ 4, 9 }, 1, true) == STORE_OK);
	must(store_mailbox_create(store, SPAN("Archive/2026"), NULL, NULL) == STORE_OK);
	arena_free(&arena);
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

static void
clear_folder(void)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;

	while (entries != NULL && (entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries != NULL)
		closedir(entries);
}

static void
unmake(void)
{
	clear_folder();
	rmdir(folder);
}

static sqlite3 *
open_file(void)
{
	sqlite3 *file;

	must(sqlite3_open(path, &file) == SQLITE_OK);
	return file;
}

/* The columns of tables that have rows. */
static void
list_columns(void)
{
	static const char query[] = "SELECT t.name, c.name, coalesce((SELECT group_concat('\"' || k.name || '\"') "
	    "FROM pragma_table_info(t.name) AS k WHERE k.pk > 0), 'rowid') FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
	    "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid";
	sqlite3 *file = open_file();
	sqlite3_stmt *statement, *counted;
	char count[64];

	must(sqlite3_prepare_v2(file, query, -1, &statement, NULL) == SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW && column_count < COLUMNS_MAX) {
		struct column *column = &columns[column_count];

		snprintf(column->table, sizeof column->table, "%s", sqlite3_column_text(statement, 0));
		snprintf(column->name, sizeof column->name, "%s", sqlite3_column_text(statement, 1));
		snprintf(column->key, sizeof column->key, "%s", sqlite3_column_text(statement, 2));
		snprintf(count, sizeof count, "SELECT count(*) FROM %s", column->table);
		must(sqlite3_prepare_v2(file, count, -1, &counted, NULL) == SQLITE_OK && sqlite3_step(counted) == SQLITE_ROW);
		column->rows = (unsigned)sqlite3_column_int(counted, 0);
		column_count += column->rows > 0;
		sqlite3_finalize(counted);
	}
	sqlite3_finalize(statement);
	sqlite3_close(file);
}

static void
read_whole_file(void)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;

	must(descriptor >= 0 && fstat(descriptor, &about) == 0);
	must(read(descriptor, buffer_reserve(&whole, (size_t)about.st_size), (size_t)about.st_size) == about.st_size);
	whole.length = (size_t)about.st_size;
	close(descriptor);
}

int
LLVMFuzzerInitialize(int *count, char ***words)
{
	const char *where = getenv("TMPDIR");
	struct store *store = NULL;

	(void)count;
	(void)words;
	snprintf(folder, sizeof folder, "%s/fuzz-rows.XXXXXX", where == NULL ? "/tmp" : where);
	must(mkdtemp(folder) != NULL);
	atexit(unmake);
	snprintf(path, sizeof path, "%s/mail.db", folder);
	snprintf(mark_path, sizeof mark_path, "%s/mark", folder);
	must(store_open(path, true, &store) == STORE_OK && store_begin(store, STORE_DURABLE) == STORE_OK);
	fill(store);
	must(store_end(store, STORE_OK) == STORE_OK && store_close(&store) == STORE_OK);
	list_columns();
	read_whole_file();
	return 0;
}

static void
get_old_value(sqlite3 *file, const struct column *column, unsigned row, struct buffer *room)
{
	char query[320];
	sqlite3_stmt *statement;

	snprintf(query, sizeof query, "SELECT \"%s\" FROM \"%s\" LIMIT 1 OFFSET %u", column->name, column->table, row);
	must(sqlite3_prepare_v2(file, query, -1, &statement, NULL) == SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		buffer_add(room, sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
	sqlite3_finalize(statement);
}

/* Octets over those from a place on, which the first two say. */
static void
patch(struct buffer *octets, struct span value)
{
	size_t place;

	if (value.length < 3 || octets->length == 0)
		return;
	place = (size_t)(value.at[0] << 8 | value.at[1]) % octets->length;
	for (size_t i = 2; i < value.length && place < octets->length; i++)
		octets->at[place++] = value.at[i];
}

static void
bind(sqlite3_stmt *statement, enum change_kind kind, struct span value, struct buffer *room)
{
	int64_t number = 0;
	size_t length;

	switch (kind) {
	case SET_NUMBER:
	case SET_REAL:
		for (size_t i = 0; i < value.length && i < 8; i++)
			number = (int64_t)((uint64_t)number << 8 | value.at[i]);
		if (kind == SET_NUMBER)
			sqlite3_bind_int64(statement, 1, number);
		else
			sqlite3_bind_double(statement, 1, (double)number / 3);
		break;
	case SET_TEXT:
		sqlite3_bind_text(statement, 1, (const char *)value.at, (int)value.length, SQLITE_STATIC);
		break;
	case PATCH:
		patch(room, value);
		sqlite3_bind_blob(statement, 1, room->at, (int)room->length, SQLITE_STATIC);
		break;
	case SET_FRAME:
		buffer_clear(room);
		length = ZSTD_compressBound(value.length);
		room->length = ZSTD_compress(buffer_reserve(room, length), length, value.at, value.length, 1);
		sqlite3_bind_blob(statement, 1, room->at, (int)room->length, SQLITE_STATIC);
		break;
	case SET_BLOB:
		sqlite3_bind_blob(statement, 1, value.at, (int)value.length, SQLITE_STATIC);
		break;
	default:
		break;
	}
}

/* A change that the table's rules do not allow is none. */
static void
change_row(sqlite3 *file, const struct column *column, unsigned row, enum change_kind kind, struct span value)
{
	sqlite3_stmt *statement;
	struct buffer room = { 0 }, text = { 0 };

	get_old_value(file, column, row, &room);
	buffer_printf(&text, kind == DELETE_ROW ? "DELETE FROM %s" : "UPDATE %s SET \"%s\" = ?1", column->table, column->name);
	buffer_printf(&text, " WHERE (%s) = (SELECT %s FROM %s LIMIT 1 OFFSET %u)", column->key, column->key, column->table, row);
	must(sqlite3_prepare_v2(file, buffer_string(&text), -1, &statement, NULL) == SQLITE_OK);
	bind(statement, kind, value, &room);
	sqlite3_step(statement);
	sqlite3_finalize(statement);
	buffer_free(&room);
	buffer_free(&text);
}

static bool
take_change(struct span *rest, const struct column **column_out, unsigned *row_out, enum change_kind *kind_out,
    struct span *value_out)
{
	if (rest->length < 4)
		return false;
	*column_out = &columns[rest->at[0] % column_count];
	*row_out = rest->at[1] % (*column_out)->rows;
	*kind_out = rest->at[2] % CHANGE_KINDS;
	*value_out = span_slice(*rest, 4, rest->at[3]);
	*rest = span_from(*rest, 4 + value_out->length);
	return true;
}

/* Rows first, since SQLite may not read the file any more behind the others. */
static void
change_file(struct span changes)
{
	int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct column *column;
	enum change_kind kind;
	struct span value, rest = changes;
	sqlite3 *file;
	unsigned row;

	must(descriptor >= 0 && file_write(descriptor, buffer_span(&whole)));
	file = open_file();
	sqlite3_exec(file, "PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
	for (unsigned i = 0; i < CHANGES_MAX && take_change(&rest, &column, &row, &kind, &value); i++)
		if (kind != PATCH_FILE)
			change_row(file, column, row, kind, value);
	sqlite3_exec(file, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	sqlite3_close(file);
	rest = changes;
	for (unsigned i = 0; i < CHANGES_MAX && take_change(&rest, &column, &row, &kind, &value); i++)
		if (kind == PATCH_FILE && value.length > 3)
			must(pwrite(descriptor, value.at + 3, value.length - 3,
			    (off_t)((size_t)(value.at[0] << 16 | value.at[1] << 8 | value.at[2]) % whole.length)) > 0);
	close(descriptor);
}

/* ---- what is read of it ----------------------------------------------------------------------------------- */

static bool
see_content(const struct store_content *content, void *context)
{
	size_t *octets = context;

	*octets += content->envelope.length + content->body.length + content->bodystructure.length + content->parts.length +
	    content->message_id.length + content->preview.length;
	return true;
}

static bool
see_ordering(size_t place, const struct store_ordering *ordering, void *context)
{
	size_t *octets = context;

	(void)place;
	*octets += ordering == NULL ? 0 : ordering->subject.length + ordering->links.length + ordering->to_name.length;
	return true;
}

static bool
see_searchable(size_t place, const struct store_searchable *searchable, void *context)
{
	size_t *octets = context;

	(void)place;
	for (size_t i = 0; searchable != NULL && i < STORE_SEARCHABLE_COUNT; i++)
		*octets += searchable->texts[i].length;
	return true;
}

static bool
see_retained(const struct store_retained *retained, void *context)
{
	size_t *octets = context;

	assert(retained->mailbox != NULL);
	*octets += strlen(retained->mailbox) + (retained->keywords == NULL ? 0 : strlen(retained->keywords));
	return true;
}

static void
see_annotation(const struct store_annotation *annotation, void *context)
{
	size_t *octets = context;

	*octets += annotation->entry.length + annotation->value.length;
}

static void
read_contents(struct store *store, const struct store_message *message)
{
	struct buffer out = { 0 };
	uint64_t id = message->content_id;
	size_t octets = 0, before;
	bool is_whole;

	store_content_each(store, &id, 1, STORE_CONTENT_DIGEST * 2 - 1, see_content, &octets);
	store_ordering_each(store, &id, 1, STORE_ORDERING_ALL, see_ordering, &octets);
	store_searchable_each(store, &id, 1, (1 << STORE_SEARCHABLE_COUNT) - 1, see_searchable, &octets);
	before = out.length;
	if (store_read_header(store, id, &out) != STORE_OK)
		assert(out.length == before);
	before = out.length;
	if (store_read_octets(store, id, message->size / 2, 100, &out) != STORE_OK)
		assert(out.length == before);
	assert(out.length - before <= 100);
	before = out.length;
	if (store_read_ahead(store, id, 10, 20, OCTETS_MAX, &out) != STORE_OK)
		assert(out.length == before);
	assert(out.length - before <= OCTETS_MAX);
	store_repair_is_whole(store, id, &is_whole);
	buffer_free(&out);
}

static void
read_mailbox(struct store *store, uint64_t mailbox_id, struct arena *arena)
{
	struct store_snapshot snapshot = { 0 };
	struct store_history history;
	size_t octets = 0;

	store_expunged_since(store, mailbox_id, 1, arena, &history);
	store_annotation_each(store, &(struct store_annotated){ .mailbox_id = mailbox_id }, SPAN("/private"), STORE_DEPTH_ALL,
	    OCTETS_MAX, see_annotation, &octets);
	if (store_snapshot_init(store, mailbox_id, &snapshot) != STORE_OK)
		return;
	for (size_t i = 0; i < snapshot.count; i++)
		assert(i == 0 || snapshot.messages[i - 1].uid < snapshot.messages[i].uid);
	for (size_t i = 0; i < snapshot.count; i += 13)
		read_contents(store, &snapshot.messages[i]);
	if (snapshot.count > 0)
		read_contents(store, &snapshot.messages[snapshot.count - 1]);
	store_snapshot_fini(&snapshot);
}

static void
find_in_index(struct store *store)
{
	struct store_index_cursor cursor = { .version = INDEX_VERSION };
	struct store_candidates found = { 0 };
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	size_t count = mime_signature_key(SPAN("FUZZER"), buckets);
	struct buffer findings = { 0 };
	struct store_index_place place = { .block_id = 0 };
	bool is_whole = false;

	while (!is_whole && store_index_find(store, STORE_INDEX_HEADER | STORE_INDEX_BODY, buckets, count, UINT64_MAX, &cursor,
	    &found, &is_whole) == STORE_OK)
		;
	for (size_t i = 1; is_whole && i < found.count; i++)
		assert(found.ids[i - 1] < found.ids[i]);
	store_candidates_fini(&found);
	for (unsigned i = 0; i < 4000 && store_index_verify(store, &place, &findings) == STORE_OK; i++)
		;
	buffer_free(&findings);
}

static void
read_all(struct store *store)
{
	static const struct store_seen_mailbox other = { "0123456789abcdef0123456789abcdef", 3, 5 };
	struct arena *arena = arena_new();
	struct store_mailbox *mailboxes;
	struct store_seen seen = { 0 };
	struct store_amounts usage, limits;
	struct span *names;
	size_t count = 0, octets = 0, ignored;

	if (store_mailbox_list(store, SPAN(""), arena, &mailboxes, &count) == STORE_OK)
		for (size_t i = 0; i < count; i++)
			read_mailbox(store, mailboxes[i].id, arena);
	store_subscription_list(store, arena, &names, &ignored);
	store_acl_identifiers(store, arena, &names, &ignored);
	store_usage(store, &usage, &limits);
	store_retained_each(store, 0, see_retained, &octets);
	if (store_seen_load(store, &other, &seen) == STORE_OK)
		store_seen_fini(&seen);
	find_in_index(store);
	arena_free(&arena);
}

/* What is done to it while the user is quiet, each in a transaction of its own, as it may fail. */
static enum store_status
settle_flags(struct store *store)
{
	bool is_more;

	return store_settle_flags(store, 1000, &is_more);
}

static enum store_status
tend_index(struct store *store)
{
	bool is_more;

	return store_index_tend(store, &is_more);
}

static void
tend(struct store *store)
{
	static enum store_status (*const works[])(struct store *store) = { settle_flags, purge, tend_index, index_all, store_train,
		store_repair_rows };

	for (size_t i = 0; i < COUNT_OF(works); i++)
		if (store_begin(store, STORE_DURABLE) == STORE_OK)
			store_end(store, works[i](store));
}

/* As a file that comes from elsewhere: src/mailbox/role/restore.c. */
static void
check_place(void)
{
	char *error = NULL;
	uint64_t messages;
	enum store_status status = store_place_check(path, &messages, &error);

	assert(status == STORE_OK || error != NULL || status == STORE_CORRUPT);
	free(error);
}

static void
look(bool tends)
{
	struct store *store = NULL;
	struct buffer findings = { 0 };

	if (store_open(path, false, &store) != STORE_OK)
		return;
	store_verify(store, STORE_VERIFY_ALL, &findings);
	read_all(store);
	if (tends) {
		tend(store);
		read_all(store);
	}
	store_close(&store);
	buffer_free(&findings);
}

/* What is done with the file: the first octet says it. */
enum use { LOOK, TEND, PLACE, SALVAGE, USES };

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct salvage_report report = { 0 };
	enum use use;

	if (size == 0)
		return 0;
	use = octets[0] % USES;
	clear_folder();
	change_file(span_of(octets + 1, size - 1));
	if (use == PLACE)
		check_place();
	if (use == SALVAGE)
		store_salvage(path, mark_path, &report);
	look(use == TEND || use == SALVAGE);
	salvage_report_fini(&report);
	return 0;
}
