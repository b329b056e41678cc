/*
 * The keys of SEARCH, as a flat program.  Open keys are a chain of parents in the program itself, so nesting
 * costs neither stack nor a second look.  RFC 9051 section 9, "search"; RFC 3501; RFC 5032; RFC 7162; RFC 8474; RFC 8514;
 * RFC 9738.  Pure.
 */
#include "base/memory.h"
#include "read.h"

#define OBJECTID_MAX 255

struct program {
	struct cursor *cursor;
	struct imap_search *search;
	size_t open;		/* the innermost AND, OR or NOT that still takes keys */
	size_t level;		/* open keys above the next one */
};

/* A node under the open one.  The pointer is good until the next node is added. */
static struct imap_search_node *
add(struct program *program, enum imap_search_key key, enum imap_search_cost cost)
{
	struct imap_search *search = program->search;
	struct imap_search_node *node;

	program->cursor->nodes++;
	node = cursor_grow(program->cursor, (void **)&search->nodes, &search->node_count, sizeof *node);
	*node = (struct imap_search_node){ .key = key, .cost = cost, .parent = (uint32_t)program->open,
		.end = (uint32_t)search->node_count };
	return node;
}

static void
open_key(struct program *program, enum imap_search_key key)
{
	add(program, key, IMAP_COST_STATE);
	program->open = program->search->node_count - 1;
	program->level++;
	if (program->level > program->search->depth)
		program->search->depth = program->level;
}

/* The innermost open key has all its children. */
static void
close_key(struct program *program)
{
	struct imap_search_node *nodes = program->search->nodes, *closed = &nodes[program->open];

	closed->end = (uint32_t)program->search->node_count;
	closed->number = 0;
	if (closed->cost > nodes[closed->parent].cost)
		nodes[closed->parent].cost = closed->cost;
	program->open = closed->parent;
	program->level--;
}

static struct imap_search_node *
add_leaf(struct program *program, enum imap_search_key key, enum imap_search_cost cost)
{
	struct imap_search_node *leaf = add(program, key, cost);
	struct imap_search_node *parent = &program->search->nodes[program->open];

	if (cost > parent->cost)
		parent->cost = cost;
	return leaf;
}

static void
add_flag(struct program *program, uint64_t bit, bool is_set)
{
	if (!is_set)
		open_key(program, IMAP_SEARCH_NOT);
	add_leaf(program, IMAP_SEARCH_FLAG, IMAP_COST_STATE)->number = bit;
	if (!is_set)
		close_key(program);
}

static bool
read_flag_key(struct program *program)
{
	static const struct {
		const char *name;
		uint64_t bit;
		bool is_set;
	} keys[] = {
		{ "ANSWERED", IMAP_FLAG_ANSWERED, true }, { "UNANSWERED", IMAP_FLAG_ANSWERED, false },
		{ "DELETED", IMAP_FLAG_DELETED, true }, { "UNDELETED", IMAP_FLAG_DELETED, false },
		{ "DRAFT", IMAP_FLAG_DRAFT, true }, { "UNDRAFT", IMAP_FLAG_DRAFT, false },
		{ "FLAGGED", IMAP_FLAG_FLAGGED, true }, { "UNFLAGGED", IMAP_FLAG_FLAGGED, false },
		{ "SEEN", IMAP_FLAG_SEEN, true }, { "UNSEEN", IMAP_FLAG_SEEN, false },
	};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (cursor_word(program->cursor, keys[i].name)) {
			add_flag(program, keys[i].bit, keys[i].is_set);
			return true;
		}
	return false;
}

/* RECENT, OLD (NOT RECENT) and NEW (RECENT UNSEEN): RFC 3501 section 6.4.4. */
static bool
read_recent_key(struct program *program)
{
	if (cursor_word(program->cursor, "RECENT")) {
		add_leaf(program, IMAP_SEARCH_RECENT, IMAP_COST_STATE);
	} else if (cursor_word(program->cursor, "OLD")) {
		open_key(program, IMAP_SEARCH_NOT);
		add_leaf(program, IMAP_SEARCH_RECENT, IMAP_COST_STATE);
		close_key(program);
	} else if (cursor_word(program->cursor, "NEW")) {
		open_key(program, IMAP_SEARCH_AND);
		add_leaf(program, IMAP_SEARCH_RECENT, IMAP_COST_STATE);
		add_flag(program, IMAP_FLAG_SEEN, false);
		close_key(program);
	} else {
		return false;
	}
	return true;
}

typedef bool argument_reader(struct cursor *cursor, struct imap_search_node *node);

static bool
read_no_argument(struct cursor *cursor, struct imap_search_node *node)
{
	(void)cursor;
	(void)node;
	return true;
}

static bool
read_date(struct cursor *cursor, struct imap_search_node *node)
{
	struct span text;

	return cursor_spaces(cursor) && cursor_astring(cursor, &text) &&
	    (imap_date_parse(text, &node->days) || cursor_fail(cursor, "Invalid date"));
}

static bool
read_size(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_number(cursor, INT64_MAX, &node->number);
}

/* RFC 5032 section 4: nz-number. */
static bool
read_interval(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_nz_number(cursor, UINT32_MAX, &node->number);
}

/* RFC 8474 section 7: 1*255(ALPHA / DIGIT / "_" / "-"). */
static bool
is_objectid_octet(uint8_t octet)
{
	uint8_t lower = ascii_lower(octet);

	return (lower >= 'a' && lower <= 'z') || ascii_is_digit(octet) || octet == '_' || octet == '-';
}

static bool
read_objectid(struct cursor *cursor, struct imap_search_node *node)
{
	if (!cursor_spaces(cursor))
		return false;
	if (!cursor_run(cursor, is_objectid_octet, &node->text))
		return cursor_fail(cursor, "Expected an identifier");
	return node->text.length <= OBJECTID_MAX || cursor_fail(cursor, "The identifier is too long");
}

static bool
read_text(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_text(cursor, &node->text);
}

static bool
read_header(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_text(cursor, &node->field) && cursor_spaces(cursor) &&
	    cursor_text(cursor, &node->text);
}

static bool
read_uids(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_sequence(cursor, &node->set);
}

/* RFC 9738 section 3.2: uniqueid. */
static bool
read_uid(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_nz_number(cursor, UINT32_MAX, &node->number);
}

static bool
read_keyword(struct cursor *cursor, struct imap_search_node *node)
{
	return cursor_spaces(cursor) && cursor_atom(cursor, &node->text);
}

/* "/flags/$MDNSent" or "/flags/\\draft", its escapes undone: RFC 7162 section 7, "entry-flag-name". */
static bool
is_entry_name(struct span name)
{
	struct span prefix = SPAN("/flags/"), flag = span_from(name, prefix.length);

	if (!span_equals_nocase(span_slice(name, 0, prefix.length), prefix))
		return false;
	if (flag.length > 0 && flag.at[0] == '\\')
		flag = span_from(flag, 1);
	for (size_t i = 0; i < flag.length; i++)
		if (!imap_is_atom_octet(flag.at[i]))
			return false;
	return flag.length > 0;
}

/* "620162338" or "\"/flags/\\\\draft\" all 620162338"; we keep one number for all of a message. */
static bool
read_modseq(struct cursor *cursor, struct imap_search_node *node)
{
	struct span entry;

	if (!cursor_spaces(cursor))
		return false;
	if (cursor_peek(cursor) == '"') {
		if (!cursor_string(cursor, &entry))
			return false;
		if (!is_entry_name(entry))
			return cursor_fail(cursor, "Expected an entry name such as \"/flags/$Work\"");
		if (!cursor_spaces(cursor))
			return false;
		if (!cursor_word(cursor, "all") && !cursor_word(cursor, "priv") && !cursor_word(cursor, "shared"))
			return cursor_fail(cursor, "Expected all, priv or shared");
		if (!cursor_spaces(cursor))
			return false;
	}
	return imap_read_modseq(cursor, &node->number);
}

static const struct leaf {
	const char *name;
	enum imap_search_key key;
	enum imap_search_cost cost;
	argument_reader *read_argument;
} leaves[] = {
	{ "ALL", IMAP_SEARCH_ALL, IMAP_COST_STATE, read_no_argument },
	{ "KEYWORD", IMAP_SEARCH_KEYWORD, IMAP_COST_STATE, read_keyword },
	{ "UID", IMAP_SEARCH_UID, IMAP_COST_STATE, read_uids },
	{ "UIDAFTER", IMAP_SEARCH_UIDAFTER, IMAP_COST_STATE, read_uid },
	{ "UIDBEFORE", IMAP_SEARCH_UIDBEFORE, IMAP_COST_STATE, read_uid },
	{ "MODSEQ", IMAP_SEARCH_MODSEQ, IMAP_COST_STATE, read_modseq },
	{ "EMAILID", IMAP_SEARCH_EMAILID, IMAP_COST_STATE, read_objectid },
	{ "THREADID", IMAP_SEARCH_THREADID, IMAP_COST_STATE, read_objectid },
	{ "OLDER", IMAP_SEARCH_OLDER, IMAP_COST_STATE, read_interval },
	{ "YOUNGER", IMAP_SEARCH_YOUNGER, IMAP_COST_STATE, read_interval },
	{ "SAVEDATESUPPORTED", IMAP_SEARCH_SAVEDATESUPPORTED, IMAP_COST_STATE, read_no_argument },
	{ "SAVEDBEFORE", IMAP_SEARCH_SAVEDBEFORE, IMAP_COST_HEADER, read_date },
	{ "SAVEDON", IMAP_SEARCH_SAVEDON, IMAP_COST_HEADER, read_date },
	{ "SAVEDSINCE", IMAP_SEARCH_SAVEDSINCE, IMAP_COST_HEADER, read_date },
	{ "LARGER", IMAP_SEARCH_LARGER, IMAP_COST_STATE, read_size },
	{ "SMALLER", IMAP_SEARCH_SMALLER, IMAP_COST_STATE, read_size },
	{ "BEFORE", IMAP_SEARCH_BEFORE, IMAP_COST_STATE, read_date },
	{ "ON", IMAP_SEARCH_ON, IMAP_COST_STATE, read_date },
	{ "SINCE", IMAP_SEARCH_SINCE, IMAP_COST_STATE, read_date },
	{ "SENTBEFORE", IMAP_SEARCH_SENTBEFORE, IMAP_COST_HEADER, read_date },
	{ "SENTON", IMAP_SEARCH_SENTON, IMAP_COST_HEADER, read_date },
	{ "SENTSINCE", IMAP_SEARCH_SENTSINCE, IMAP_COST_HEADER, read_date },
	{ "FROM", IMAP_SEARCH_FROM, IMAP_COST_HEADER, read_text },
	{ "TO", IMAP_SEARCH_TO, IMAP_COST_HEADER, read_text },
	{ "CC", IMAP_SEARCH_CC, IMAP_COST_HEADER, read_text },
	{ "BCC", IMAP_SEARCH_BCC, IMAP_COST_HEADER, read_text },
	{ "SUBJECT", IMAP_SEARCH_SUBJECT, IMAP_COST_HEADER, read_text },
	{ "HEADER", IMAP_SEARCH_HEADER, IMAP_COST_HEADER, read_header },
	{ "BODY", IMAP_SEARCH_BODY, IMAP_COST_BODY, read_text },
	{ "TEXT", IMAP_SEARCH_TEXT, IMAP_COST_BODY, read_text },
};

static bool
read_leaf(struct program *program, const struct leaf *leaf)
{
	struct imap_search_node *node = add_leaf(program, leaf->key, leaf->cost);

	program->search->has_modseq |= leaf->key == IMAP_SEARCH_MODSEQ;
	return leaf->read_argument(program->cursor, node);
}

static bool
read_unkeyword(struct program *program)
{
	struct imap_search_node *node;

	open_key(program, IMAP_SEARCH_NOT);
	node = add_leaf(program, IMAP_SEARCH_KEYWORD, IMAP_COST_STATE);
	if (!read_keyword(program->cursor, node))
		return false;
	close_key(program);
	return true;
}

static bool
read_named_key(struct program *program)
{
	if (read_flag_key(program) || read_recent_key(program))
		return true;
	if (cursor_word(program->cursor, "UNKEYWORD"))
		return read_unkeyword(program);
	for (size_t i = 0; i < COUNT_OF(leaves); i++)
		if (cursor_word(program->cursor, leaves[i].name))
			return read_leaf(program, &leaves[i]);
	return cursor_fail(program->cursor, "Unknown search key");
}

/* Open what begins here, or read a whole leaf; *is_whole_out says which. */
static bool
read_key(struct program *program, bool *is_whole_out)
{
	struct cursor *cursor = program->cursor;
	int next = cursor_peek(cursor);

	*is_whole_out = false;
	if (cursor_skip(cursor, '(')) {
		open_key(program, IMAP_SEARCH_AND);
		cursor_skip_spaces(cursor);
		return true;
	}
	if (cursor_word(cursor, "NOT")) {
		open_key(program, IMAP_SEARCH_NOT);
		return cursor_spaces(cursor);
	}
	if (cursor_word(cursor, "OR")) {
		open_key(program, IMAP_SEARCH_OR);
		return cursor_spaces(cursor);
	}
	*is_whole_out = true;
	if (next == '*' || next == '$' || (next >= '0' && next <= '9'))
		return cursor_sequence(cursor, &add_leaf(program, IMAP_SEARCH_SEQUENCE, IMAP_COST_STATE)->set);
	return read_named_key(program);
}

/* Step to the end of all keys, or over the parenthesis that ends a list, if only spaces are before it. */
static bool
ends_program(struct cursor *cursor)
{
	struct cursor copy = *cursor;

	cursor_skip_spaces(&copy);
	if (!cursor_is_at_end(&copy))
		return false;
	cursor->at = copy.at;
	return true;
}

static bool
ends_list(struct cursor *cursor)
{
	struct cursor copy = *cursor;

	cursor_skip_spaces(&copy);
	if (!cursor_skip(&copy, ')'))
		return false;
	cursor->at = copy.at;
	return true;
}

/* A key is whole: close what it completes, up to the key that takes another one.  *is_done_out: the root. */
static bool
complete(struct program *program, bool *is_done_out)
{
	struct cursor *cursor = program->cursor;

	for (;;) {
		struct imap_search_node *open = &program->search->nodes[program->open];

		*is_done_out = program->open == 0 && ends_program(cursor);
		if (*is_done_out) {
			open->end = (uint32_t)program->search->node_count;
			return true;
		}
		if (open->key == IMAP_SEARCH_OR && open->number++ == 0)
			return cursor_spaces(cursor);
		if (open->key == IMAP_SEARCH_AND) {
			if (program->open == 0 || !ends_list(cursor))
				return cursor_spaces(cursor);
		}
		close_key(program);
	}
}

bool
imap_read_search_keys(struct cursor *cursor, struct imap_search *search)
{
	struct program program = { .cursor = cursor, .search = search };
	bool is_whole, is_done = false;

	open_key(&program, IMAP_SEARCH_AND);
	program.open = 0;
	while (!is_done) {
		if (cursor->nodes > cursor->limits->list_nodes)
			return cursor_fail(cursor, "Too many search keys");
		if (!read_key(&program, &is_whole))
			return false;
		if (is_whole && !complete(&program, &is_done))
			return false;
	}
	return true;
}
