#include "alias_file.h"

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* Cut the next word off; empty: there is none. */
static struct span
cut(struct span *rest)
{
	struct span word;
	size_t length = 0;

	while (rest->length > 0 && is_blank(rest->at[0]))
		*rest = span_from(*rest, 1);
	while (length < rest->length && !is_blank(rest->at[length]))
		length++;
	word = span_slice(*rest, 0, length);
	*rest = span_from(*rest, length);
	return word;
}

enum alias_line
alias_line_read(struct span line, struct span *alias_out, struct span *user_out)
{
	struct span rest = line, more;

	*alias_out = cut(&rest);
	*user_out = SPAN("");
	if (alias_out->length == 0 || alias_out->at[0] == '#')
		return ALIAS_LINE_NOTHING;
	if (is_blank(line.at[0]))
		return ALIAS_LINE_MORE;
	*user_out = cut(&rest);
	more = cut(&rest);
	if (user_out->length == 0)
		return ALIAS_LINE_HALF;
	return more.length > 0 || span_find(*user_out, ',') < user_out->length ? ALIAS_LINE_SEVERAL : ALIAS_LINE_PAIR;
}

bool
alias_line_is_head(struct span line)
{
	struct span rest = line, name = cut(&rest), user = cut(&rest);

	return span_equals(name, SPAN("name")) && span_equals(user, SPAN("user")) && cut(&rest).length == 0;
}
