/*
 * White space, comments and quoted strings.  Comments nest by counting, not by recursion.  Any thread.
 */
#include "token.h"

/* Is a line end here that only folds the line? */
static bool
is_folding(const struct cursor *cursor)
{
	const uint8_t *at = cursor->at;

	if (*at == '\r' && cursor->end - at > 1 && at[1] == '\n')
		return true;
	return *at == '\n' && cursor->end - at > 1 && (at[1] == ' ' || at[1] == '\t');
}

/* At the opening parenthesis. */
static void
read_comment(struct cursor *cursor, struct buffer *comment)
{
	size_t depth = 0;

	if (comment != NULL)
		buffer_clear(comment);
	for (; cursor->at < cursor->end; cursor->at++) {
		uint8_t octet = *cursor->at;

		if (octet == ')' && --depth == 0) {
			cursor->at++;
			return;
		}
		if (octet == '(' && depth++ == 0)
			continue;
		if (octet == '\\' && cursor->end - cursor->at > 1)
			octet = *++cursor->at;
		else if (is_folding(cursor))
			continue;
		if (comment != NULL)
			token_add(comment, octet);
	}
}

void
token_skip_space(struct cursor *cursor, struct buffer *comment)
{
	while (cursor->at < cursor->end) {
		if (token_is_space(*cursor->at))
			cursor->at++;
		else if (*cursor->at == '(')
			read_comment(cursor, comment);
		else
			break;
	}
}

void
token_read_quoted(struct cursor *cursor, struct buffer *out)
{
	for (cursor->at++; cursor->at < cursor->end; cursor->at++) {
		uint8_t octet = *cursor->at;

		if (octet == '"') {
			cursor->at++;
			return;
		}
		if (octet == '\\' && cursor->end - cursor->at > 1)
			octet = *++cursor->at;
		else if (is_folding(cursor))
			continue;
		token_add(out, octet);
	}
}
