/*
 * What somebody may have meant by a word with a slip or two in it: Levenshtein's distance.  Pure.
 */
#include "options.h"

#define WORD_MAX 40
#define SLIPS_MAX 2

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
distance(struct span a, struct span b)
{
	size_t row[WORD_MAX + 1];

	if (a.length > WORD_MAX || b.length > WORD_MAX)
		return SIZE_MAX;
	for (size_t x = 0; x <= b.length; x++)
		row[x] = x;
	for (size_t y = 1; y <= a.length; y++) {
		size_t diagonal = row[0];

		row[0] = y;
		for (size_t x = 1; x <= b.length; x++) {
			size_t replace = diagonal + (a.at[y - 1] != b.at[x - 1]);

			diagonal = row[x];
			row[x] = smaller(replace, smaller(row[x], row[x - 1]) + 1);
		}
	}
	return row[b.length];
}

void
suggestion_consider(struct suggestion *suggestion, struct span given, const char *known)
{
	size_t slips = distance(given, span_from_string(known));

	if (slips > SLIPS_MAX || (suggestion->best != NULL && slips >= suggestion->distance))
		return;
	suggestion->best = known;
	suggestion->distance = slips;
}

void
suggestion_print(const struct suggestion *suggestion, struct buffer *out)
{
	if (suggestion->best != NULL)
		buffer_printf(out, "; did you mean \"%s\"?", suggestion->best);
}

void
option_print_choice(const struct option *option, const struct suggestion *suggestion, struct buffer *reason_out)
{
	size_t length = reason_out->length;

	suggestion_print(suggestion, reason_out);
	if (reason_out->length > length)
		return;
	for (const struct option_word *word = option->words; word->text != NULL; word++)
		buffer_printf(reason_out, "%s%s", word == option->words ? "; there is " : ", ", word->text);
}
