/*
 * Copying what SQLite can read: a range of keys with one statement, and where that meets damage, each half of it by itself.
 */
#include "salvage_rows.h"

#include "base/memory.h"

#define IN_A_ROW_MAX   100000	/* statements that meet damage, and nothing else: then the rest is tried from its end */
#define AT_ONCE	       1024	/* contents in one statement */
#define LOST_UIDS      100000	/* are looked for in a mailbox whose row is lost */
#define LOST_POSITIONS 64	/* rows in a row, of a content of which nobody knows how many it has */

struct salvage {
	struct sql *sql;
	bool has_lost;			/* something could not be read */
	uint64_t in_a_row;		/* statements that met damage since one did not */
	enum sql_status trouble;	/* other than damage: it ends everything */
	struct buffer *given_up;
};

/* Tables with a few rows, and how their rows are read from the end. */
static const struct { const char *from_begin, *from_end; } few[] = {
#define FEW(table, last) { "INSERT OR IGNORE INTO main." table " SELECT * FROM damaged." table " LIMIT ?1", \
	"INSERT OR IGNORE INTO main." table " SELECT * FROM damaged." table " ORDER BY " last " LIMIT ?1" }
	FEW("account", "id DESC"),
	FEW("subscription", "name DESC"),
	FEW("keyword", "mailbox_id DESC, bit DESC"),
	FEW("keyword_set", "id DESC"),
	FEW("expunged", "mailbox_id DESC, modseq DESC, first_uid DESC"),
	FEW("flag_change", "mailbox_id DESC, first_uid DESC"),
	FEW("metadata", "owner DESC, mailbox_id DESC, entry DESC"),
	FEW("acl", "mailbox_id DESC, identifier DESC"),
	FEW("dictionary", "encoding DESC"),
	FEW("seen_mailbox", "id DESC"),
	FEW("seen", "seen_mailbox_id DESC, first_uid DESC"),
	FEW("retained", "id DESC"),
	FEW("deleted_mailbox", "id DESC"),
	FEW("garbage", "content_id DESC"),
#undef FEW
};

/* False: it met damage, or there is no sense in going on. */
static bool
copy(struct salvage *salvage, struct sql_statement *statement)
{
	enum sql_status status = sql_run(statement);

	if (status == SQL_OK) {
		salvage->in_a_row = 0;
		return true;
	}
	if (status != SQL_CORRUPT)
		salvage->trouble = status;
	salvage->has_lost = true;
	salvage->in_a_row++;
	return false;
}

static bool
goes_on(const struct salvage *salvage)
{
	return salvage->trouble == SQL_OK && salvage->in_a_row < IN_A_ROW_MAX;
}

static bool
copy_some(struct salvage *salvage, const char *text, int64_t count)
{
	struct sql_statement *statement = sql_prepare(salvage->sql, text);

	sql_bind_number(statement, 1, count);
	return copy(salvage, statement);
}

/* As many rows as come before the damage. */
static void
copy_few(struct salvage *salvage, const char *text)
{
	int64_t good = 0, bad = 1;

	while (goes_on(salvage) && copy_some(salvage, text, bad) && bad < (INT64_C(1) << 32)) {
		good = bad;
		bad *= 2;
	}
	while (goes_on(salvage) && bad - good > 1) {
		int64_t middle = good + (bad - good) / 2;

		if (copy_some(salvage, text, middle))
			good = middle;
		else
			bad = middle;
	}
}

static void
copy_all_of_few(struct salvage *salvage)
{
	for (size_t i = 0; i < COUNT_OF(few); i++) {
		salvage->in_a_row = 0;
		if (!goes_on(salvage) || copy_some(salvage, few[i].from_begin, -1))
			continue;
		copy_few(salvage, few[i].from_begin);
		copy_few(salvage, few[i].from_end);
	}
}

/* Keys from first to last. */
struct range {
	const char *table;
	const char *text;		/* ?1, ?2: first and last key */
	uint64_t at_once;		/* keys, at most; 0: all */
	uint64_t id;			/* ?3, if the text has one */
	void (*on_lost)(struct salvage *salvage, uint64_t key);	/* gets what is bad at a single key; or NULL */
};

static bool
copy_whole(struct salvage *salvage, const struct range *range, uint64_t first, uint64_t last)
{
	struct sql_statement *statement = sql_prepare(salvage->sql, range->text);

	sql_bind_number(statement, 1, (int64_t)first);
	sql_bind_number(statement, 2, (int64_t)last);
	if (range->id != 0)
		sql_bind_number(statement, 3, (int64_t)range->id);
	return copy(salvage, statement);
}

/* All at once, else one half and then the other. */
static void
copy_range(struct salvage *salvage, const struct range *range, uint64_t first, uint64_t last, bool is_backward)
{
	uint64_t middle = first + (last - first) / 2;

	if (!goes_on(salvage))
		return;
	if ((range->at_once == 0 || last - first < range->at_once) && copy_whole(salvage, range, first, last))
		return;
	if (first == last) {
		if (range->on_lost != NULL)
			range->on_lost(salvage, first);
		return;
	}
	copy_range(salvage, range, is_backward ? middle + 1 : first, is_backward ? last : middle, is_backward);
	copy_range(salvage, range, is_backward ? first : middle + 1, is_backward ? middle : last, is_backward);
}

static void
note_given_up(struct salvage *salvage, const char *table)
{
	struct buffer *names = salvage->given_up;

	if (names->length > 0 && strstr(buffer_string(names), table) != NULL)
		return;
	buffer_printf(names, "%s%s", names->length > 0 ? ", " : "", table);
}

/* A page may stand for any number of keys that are not there, and each of them would be tried. */
static void
copy_keys(struct salvage *salvage, const struct range *range, uint64_t last)
{
	salvage->in_a_row = 0;
	if (last > 0)
		copy_range(salvage, range, 1, last, false);
	if (goes_on(salvage) || salvage->trouble != SQL_OK)
		return;
	salvage->in_a_row = 0;
	copy_range(salvage, range, 1, last, true);
	if (!goes_on(salvage))
		note_given_up(salvage, range->table);
	salvage->in_a_row = 0;
}

/* 0: it cannot be read. */
static uint64_t
read_number(struct salvage *salvage, const char *text)
{
	struct sql_statement *query = sql_prepare(salvage->sql, text);
	uint64_t number = sql_step(query) == SQL_ROW ? (uint64_t)sql_column_number(query, 0) : 0;

	sql_reset(query);
	return number;
}

static void
copy_mailboxes(struct salvage *salvage)
{
	static const struct range range = { .table = "mailbox", .at_once = AT_ONCE,
	    .text = "INSERT OR IGNORE INTO main.mailbox SELECT * FROM damaged.mailbox WHERE id BETWEEN ?1 AND ?2" };
	uint64_t last = read_number(salvage, "SELECT seq FROM damaged.sqlite_sequence WHERE name = 'mailbox'");

	copy_keys(salvage, &range, last > 0 ? last : STORE_MAILBOX_MAX);
}

/* The UIDs that a mailbox may have had; 0: it is not known. */
static uint64_t
last_uid(struct salvage *salvage, uint64_t mailbox_id)
{
	struct sql_statement *query = sql_prepare(salvage->sql, "SELECT uidnext - 1 FROM main.mailbox WHERE id = ?1");
	uint64_t last;

	sql_bind_number(query, 1, (int64_t)mailbox_id);
	last = sql_step(query) == SQL_ROW ? (uint64_t)sql_column_number(query, 0) : LOST_UIDS;
	sql_reset(query);
	return last;
}

static uint64_t
read_after(struct salvage *salvage, const char *text, uint64_t id)
{
	struct sql_statement *query = sql_prepare(salvage->sql, text);
	uint64_t found = 0;

	sql_bind_number(query, 1, (int64_t)id);
	if (sql_step(query) == SQL_ROW)
		found = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return found;
}

/* The next mailbox, one that is there or one that has messages; 0: none.  Ids may have jumped by a million. */
static uint64_t
next_mailbox(struct salvage *salvage, uint64_t id)
{
	uint64_t there = read_after(salvage, "SELECT min(id) FROM main.mailbox WHERE id > ?1", id);
	uint64_t used = read_after(salvage, "SELECT mailbox_id FROM damaged.message WHERE mailbox_id > ?1 "
	    "ORDER BY mailbox_id, uid LIMIT 1", id);

	return used != 0 && (there == 0 || used < there) ? used : there;
}

static void
copy_messages(struct salvage *salvage)
{
	struct range range = { .table = "message", .text = "INSERT OR IGNORE INTO main.message SELECT * FROM damaged.message "
	    "WHERE mailbox_id = ?3 AND uid BETWEEN ?1 AND ?2" };

	while (goes_on(salvage) && (range.id = next_mailbox(salvage, range.id)) != 0)
		copy_keys(salvage, &range, last_uid(salvage, range.id));
}

/* What lies between the damaged pages that the ends have met. */
static void
copy_retained(struct salvage *salvage)
{
	static const struct range range = { .table = "retained", .text = "INSERT OR IGNORE INTO main.retained SELECT * FROM damaged.retained "
	    "WHERE id BETWEEN ?1 AND ?2" };

	copy_keys(salvage, &range, read_number(salvage, "SELECT max(id) FROM main.retained"));
}

/* How many rows a content has; 0: nobody knows. */
static uint64_t
count_rows(struct salvage *salvage, uint64_t content_id)
{
	return read_after(salvage, "SELECT (header_length + chunk_octets - 1) / chunk_octets + "
	    "(size - header_length + chunk_octets - 1) / chunk_octets FROM main.content WHERE id = ?1 AND chunk_octets > 0", content_id);
}

/* Of a content whose rows cannot be read together each by itself. */
static void
copy_rows_of(struct salvage *salvage, uint64_t content_id)
{
	uint64_t rows = count_rows(salvage, content_id), missed = 0;

	for (uint64_t position = 0; goes_on(salvage) && (rows > 0 ? position < rows : missed < LOST_POSITIONS); position++) {
		struct sql_statement *statement = sql_prepare(salvage->sql,
		    "INSERT OR IGNORE INTO main.chunk SELECT * FROM damaged.chunk WHERE id = ?1");

		sql_bind_number(statement, 1, (int64_t)(content_id << 20 | position));
		missed = copy(salvage, statement) && sql_changed_rows(salvage->sql) > 0 ? 0 : missed + 1;
	}
}

static void
copy_contents(struct salvage *salvage)
{
	static const struct range contents = { .table = "content", .at_once = AT_ONCE,
	    .text = "INSERT OR IGNORE INTO main.content SELECT * FROM damaged.content WHERE id BETWEEN ?1 AND ?2" };
	static const struct range chunks = { .table = "chunk", .at_once = AT_ONCE, .text = "INSERT OR IGNORE INTO main.chunk SELECT * FROM damaged.chunk "
	    "WHERE id BETWEEN ?1 << 20 AND ?2 << 20 | 1048575", .on_lost = copy_rows_of };
	uint64_t last = read_number(salvage, "SELECT seq FROM damaged.sqlite_sequence WHERE name = 'content'");

	if (last == 0)
		last = read_number(salvage, "SELECT max(coalesce((SELECT max(content_id) FROM main.message), 0), "
		    "coalesce((SELECT max(content_id) FROM main.retained), 0))");
	copy_keys(salvage, &contents, last);
	copy_keys(salvage, &chunks, last);
}

/* Ids that were given are not given again. */
static void
copy_sequences(struct salvage *salvage)
{
	copy(salvage, sql_prepare(salvage->sql, "UPDATE main.sqlite_sequence SET seq = max(seq, "
	    "coalesce((SELECT d.seq FROM damaged.sqlite_sequence AS d WHERE d.name = sqlite_sequence.name), 0))"));
}

enum sql_status
salvage_rows(struct sql *sql, struct buffer *given_up_out, bool *has_lost_out)
{
	struct salvage salvage = { .sql = sql, .given_up = given_up_out };

	copy_mailboxes(&salvage);
	copy_all_of_few(&salvage);
	copy_retained(&salvage);
	copy_sequences(&salvage);
	copy_messages(&salvage);
	copy_contents(&salvage);
	copy_sequences(&salvage);
	*has_lost_out = salvage.has_lost;
	return salvage.trouble;
}

uint64_t
salvage_read_number(struct sql *sql, const char *text)
{
	struct salvage looking = { .sql = sql };

	return read_number(&looking, text);
}
