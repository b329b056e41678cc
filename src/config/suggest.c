/*
 * What somebody may have meant by a word with a slip or two in it: the restricted distance of Damerau, in
 * which a missing, a needless, a wrong and two exchanged letters are one slip each.  Pure.
 */
#include "options.h"

#define WORD_MAX 48
#define SLIPS_MAX 2	/* three in long words */
#define LONG_WORD 12
#define CUT_MIN	  3	/* letters that a word has to have to be the beginning of another */

/* What a slip, and what other differences cost: a word cut short goes before two slips. */
enum { SLIP = SUGGESTION_TWO_SLIPS / 2, CUT = 14, OTHER_BEGINNING = 2, OTHER_LENGTH = 1 };

struct spelling {
	uint8_t at[WORD_MAX];
	size_t length;
};

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* In small letters, and with hyphens as all options have them.  False: too long to be meant. */
static bool
spell(struct span word, struct spelling *spelling_out)
{
	if (word.length > WORD_MAX)
		return false;
	for (size_t i = 0; i < word.length; i++)
		spelling_out->at[i] = word.at[i] == '_' ? '-' : ascii_lower(word.at[i]);
	spelling_out->length = word.length;
	return true;
}

/*
 * How many slips away two words are.
 *
 *	cut_out	the same for the beginning of b that is nearest
 */
static size_t
distance(const struct spelling *a, const struct spelling *b, size_t *cut_out)
{
	size_t rows[3][WORD_MAX + 1], *row = rows[0];

	for (size_t x = 0; x <= b->length; x++)
		row[x] = x;
	for (size_t y = 1; y <= a->length; y++) {
		const size_t *last = rows[(y - 1) % 3], *before = rows[(y + 1) % 3];

		row = rows[y % 3];
		row[0] = y;
		for (size_t x = 1; x <= b->length; x++) {
			row[x] = smaller(last[x - 1] + (a->at[y - 1] != b->at[x - 1]),
			    smaller(last[x], row[x - 1]) + 1);
			if (y > 1 && x > 1 && a->at[y - 1] == b->at[x - 2] && a->at[y - 2] == b->at[x - 1])
				row[x] = smaller(row[x], before[x - 2] + 1);
		}
	}
	*cut_out = row[0];
	for (size_t x = 1; x <= b->length; x++)
		*cut_out = smaller(*cut_out, row[x]);
	return row[b->length];
}

/* Each part between hyphens begins the same part of the other: "max-conn-user" does not, "max-conn-per" does. */
static bool
is_shortened(const struct spelling *given, const struct spelling *known)
{
	size_t at = 0, in = 0, letters = 0;

	for (; at < given->length; at++) {
		if (in < known->length && given->at[at] == known->at[in]) {
			letters = given->at[at] == '-' ? 0 : letters + 1;
			in++;
			continue;
		}
		if (given->at[at] != '-' || letters == 0)
			return false;
		while (in < known->length && known->at[in] != '-')
			in++;
		if (in++ == known->length)
			return false;
		letters = 0;
	}
	return given->length >= CUT_MIN;
}

/* UINT_MAX: they have nothing to do with each other. */
static unsigned
cost_of(const struct spelling *given, const struct spelling *known)
{
	size_t cut, slips = distance(given, known, &cut), longest = known->length;
	unsigned cost = UINT32_MAX;

	if (given->length > longest)
		longest = given->length;
	if (slips <= SLIPS_MAX + (longest >= LONG_WORD) && slips < longest)
		cost = (unsigned)slips * SLIP;
	if (is_shortened(given, known) && CUT < cost)
		cost = CUT;
	else if (given->length > CUT_MIN && cut <= 1 && CUT + cut * SLIP < cost)
		cost = CUT + (unsigned)cut * SLIP;
	if (cost == UINT32_MAX)
		return cost;
	if (given->length == 0 || given->at[0] != known->at[0])
		cost += OTHER_BEGINNING;
	return cost + (given->length != known->length ? OTHER_LENGTH : 0);
}

void
suggestion_consider(struct suggestion *suggestion, struct span given, const char *known)
{
	struct spelling a, b;
	unsigned cost;

	if (!spell(given, &a) || !spell(span_from_string(known), &b))
		return;
	cost = cost_of(&a, &b);
	if (cost == UINT32_MAX || (suggestion->best != NULL && cost > suggestion->cost) ||
	    (suggestion->best != NULL && cost == suggestion->cost && strlen(known) >= strlen(suggestion->best)))
		return;
	suggestion->best = known;
	suggestion->cost = cost;
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
	if (suggestion->best != NULL) {
		suggestion_print(suggestion, reason_out);
		return;
	}
	for (const struct option_word *word = option->words; word->text != NULL; word++)
		buffer_printf(reason_out, "%s%s", word == option->words ? "; there is " : ", ", word->text);
}

static void
consider_options(struct suggestion *suggestion, struct span name)
{
	suggestion_consider(suggestion, name, "include");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		suggestion_consider(suggestion, name, options[i].name);
}

/* Ours do not say that a file is one. */
static struct span
without_file(struct span name)
{
	static const size_t length = sizeof "-file" - 1;
	struct span end = span_from(name, name.length < length ? 0 : name.length - length);

	if (end.length == length && span_equals_nocase(span_from(end, 1), SPAN("file")))
		return span_slice(name, 0, name.length - length);
	return name;
}

const char *
option_suggest(struct span name)
{
	struct suggestion suggestion = { 0 };
	const char *own, *note;

	if (foreign_find(name, &own, &note))
		return own;
	consider_options(&suggestion, name);
	consider_options(&suggestion, without_file(name));
	return suggestion.best;
}

bool
config_option_find(struct span name, size_t *index_out, struct buffer *reason_out)
{
	const char *meant;

	*index_out = option_find(name);
	if (*index_out < OPTION_COUNT)
		return true;
	meant = option_suggest(name);
	if (meant != NULL)
		buffer_printf(reason_out, "did you mean \"%s\"?", meant);
	return false;
}
