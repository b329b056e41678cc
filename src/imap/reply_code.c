/*
 * Response codes.  RFC 9051 section 7.1, RFC 5530, RFC 4315 section 3, RFC 7162 section 3.1.  Pure.
 */
#include "base/memory.h"
#include "reply_read.h"

/*
 * The length of what stands in brackets, behind the first.  A bracket in quotes or parentheses belongs to a keyword or a
 * mailbox; where these do not end, the first bracket counts.
 */
static size_t
find_end(struct span text)
{
	size_t depth = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = text.at[i];

		if (octet == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && octet == '\\')
			i++;
		else if (!is_quoted && octet == '(')
			depth++;
		else if (!is_quoted && octet == ')' && depth > 0)
			depth--;
		else if (!is_quoted && depth == 0 && octet == ']')
			return i;
	}
	return span_find(text, ']');
}

static bool
is_any(struct span name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (span_equals_nocase(name, span_from_string(*names)))
			return true;
	return false;
}

/* The arguments that mean something to a client; what is not as it should be is left out. */
static void
read_arguments(struct reply_cursor *cursor, struct imap_reply_code *code)
{
	static const char *const numbers[] = { "UIDVALIDITY", "UIDNEXT", "UNSEEN", "HIGHESTMODSEQ", "APPENDUID", "COPYUID",
		"APPENDLIMIT", "MESSAGELIMIT", NULL };
	static const char *const lists[] = { "PERMANENTFLAGS", "BADCHARSET", NULL };

	if (is_any(code->name, numbers))
		reply_number(cursor, UINT64_MAX, &code->number);
	else if (is_any(code->name, lists))
		reply_list(cursor, &code->words, &code->word_count);
	else if (span_equals_nocase(code->name, SPAN("CAPABILITY")))
		reply_strings(cursor, &code->words, &code->word_count);
	cursor_skip_spaces(&cursor->in);
	if (span_equals_nocase(code->name, SPAN("COPYUID")) || span_equals_nocase(code->name, SPAN("MODIFIED")))
		reply_word(cursor, &code->source);
	cursor_skip_spaces(&cursor->in);
	if (span_equals_nocase(code->name, SPAN("COPYUID")) || span_equals_nocase(code->name, SPAN("APPENDUID")))
		reply_word(cursor, &code->target);
}

bool
reply_read_code(struct reply_cursor *cursor, struct imap_reply_code *code_out)
{
	static const struct imap_reply_text nothing_taken = { .taken_count = 0 };
	struct span rest = span_from(cursor->in.text, cursor->in.at + 1);
	struct span inside = span_slice(rest, 0, find_end(rest));
	struct reply_cursor within = { .in = { .text = inside, .arena = cursor->in.arena }, .text = &nothing_taken };

	if (inside.length == rest.length)
		return true;	/* a text that begins with a bracket */
	cursor->in.at += inside.length + 2;
	if (!reply_word(&within, &code_out->name))
		return true;
	code_out->arguments = span_trim(span_from(inside, within.in.at));
	read_arguments(&within, code_out);
	return true;
}
