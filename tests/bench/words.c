/*
 * Words by chance, and text that is made of them.
 */
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED	   UINT64_C(20261128)
#define TABLE_BITS 20

/* Syllables and words of one script.  Lists end with NULL. */
struct language {
	const char *onsets[64], *vowels[24], *ends[48];	/* the first are the most frequent */
	unsigned percent, word_count;
	bool has_spaces;
	char **words;
	uint32_t *table;		/* from a random number to a word */
};

static struct language languages[] = {
	{ { "t", "s", "r", "d", "", "c", "m", "l", "n", "p", "th", "b", "f", "h", "w", "g", "st", "v", "pr", "tr", "ch", "sh", "k",
	    "pl", "gr", "fr", "br", "cl", "sp", "dr", "j", "cr", "bl", "fl", "sc", "str", "qu", "y", "sl", "wh", "gl", "sw", "sk",
	    "sm", "kn", "z", "ph", "sn", "wr", "spr", "tw", "scr", "x", "thr", "gn", "kl", NULL },
	  { "e", "a", "i", "o", "u", "ea", "io", "y", "ou", "ie", "ai", "ee", "oo", "au", "ue", "oa", "ia", "ei", "ui", "oy", NULL },
	  { "", "n", "r", "s", "t", "l", "d", "ng", "nt", "m", "c", "st", "ct", "rs", "nd", "ly", "p", "k", "ss", "rt", "ll", "ck", "ns",
	    "v", "b", "g", "x", "ght", "th", "sh", "f", "rd", "rk", "rm", "w", "mp", "pt", "lt", "ft", "tch", "lk", "rn", "zz", NULL },
	  64, 30000, true, NULL, NULL },
	{ { "b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "sch", "st", "t", "w", "z", "v", NULL },
	  { "a", "e", "i", "o", "u", "ä", "ö", "ü", "ei", "ie", NULL }, { "", "", "n", "r", "ß", "cht", "lt", "st", NULL }, 14, 20000, true, NULL, NULL },
	{ { "б", "в", "г", "д", "ж", "з", "к", "л", "м", "н", "п", "р", "с", "т", "ст", "пр", "", NULL },
	  { "а", "е", "и", "о", "у", "ы", "я", "ё", NULL }, { "", "", "н", "т", "й", "ль", "ть", NULL }, 9, 20000, true, NULL, NULL },
	{ { "β", "γ", "δ", "θ", "κ", "λ", "μ", "ν", "π", "ρ", "σ", "τ", "φ", "χ", NULL },
	  { "α", "ε", "η", "ι", "ο", "ω", "ά", "ού", NULL }, { "", "", "ς", "ν", NULL }, 3, 10000, true, NULL, NULL },
	{ { "日", "本", "会", "議", "資", "料", "送", "付", "確", "認", "お", "願", "い", "し", "ま", "す", "予", "定", NULL },
	  { "の", "を", "に", "は", "が", "で", "と", "り", NULL }, { "", "", "", "す", "た", NULL }, 7, 10000, false, NULL, NULL },
	{ { "ب", "ت", "ج", "ح", "د", "ر", "س", "ش", "ع", "ف", "ق", "ك", "ل", "م", "ن", "ه", NULL },
	  { "ا", "ي", "و", "", "ى", NULL }, { "", "", "ة", "ين", NULL }, 3, 10000, true, NULL, NULL },
};

#define LANGUAGE_COUNT (sizeof languages / sizeof languages[0])

const struct language *const latin = &languages[0];

/* ---- chance --------------------------------------------------------------------------------------------- */

uint64_t
draw(struct chance *chance)
{
	uint64_t z = (chance->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

struct chance
chance_of(enum stream stream, uint64_t number)
{
	struct chance chance = { SEED ^ (uint64_t)stream << 56 };

	chance.state = draw(&chance) ^ number * UINT64_C(0xd6e8feb86659fd93);
	return chance;
}

unsigned
below(struct chance *chance, unsigned limit)
{
	return (unsigned)((draw(chance) >> 32) * limit >> 32);
}

bool
percent(struct chance *chance, unsigned share)
{
	return below(chance, 100) < share;
}

/* A rank, the first by far the likeliest. */
unsigned
rank(struct chance *chance, unsigned count)
{
	double uniform = (double)(draw(chance) >> 11) / (double)(UINT64_C(1) << 53);

	return (unsigned)(exp(uniform * log(count + 1.0)) - 1.0) % count;
}

double
normal(struct chance *chance)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double)(draw(chance) >> 11) / (double)(UINT64_C(1) << 53);
	return sum;
}

/* ---- text ----------------------------------------------------------------------------------------------- */

void
add_octets(struct text *text, const void *octets, size_t length)
{
	while (text->length + length > text->capacity) {
		text->capacity = text->capacity * 2 + 4096;
		text->at = realloc(text->at, text->capacity);
	}
	memcpy(text->at + text->length, octets, length);
	text->length += length;
}

void
add(struct text *text, const char *string)
{
	add_octets(text, string, strlen(string));
}

static size_t
count_of(const char *const *list)
{
	size_t count = 0;

	while (list[count] != NULL)
		count++;
	return count;
}

static const char *
pick(struct chance *chance, const char *const *list)
{
	unsigned count = (unsigned)count_of(list), first = below(chance, count), second = below(chance, count);

	return list[first * second / count];
}

/* A word of this many syllables, in a place that is overwritten by the eighth call after. */
const char *
make_word(struct chance *chance, const struct language *language, unsigned syllables)
{
	static char places[8][128];
	static unsigned next;
	char *word = places[next++ % 8];

	word[0] = '\0';
	for (unsigned i = 0; i < syllables; i++) {
		strcat(word, pick(chance, language->onsets));
		strcat(word, pick(chance, language->vowels));
		strcat(word, pick(chance, language->ends));
	}
	return word;
}

/* Frequent words are short. */
static void
learn(struct language *language, unsigned number)
{
	double total = 0, so_far = 0;
	size_t place = 0, size = (size_t)1 << TABLE_BITS;

	language->words = malloc(language->word_count * sizeof *language->words);
	language->table = malloc(size * sizeof *language->table);
	for (unsigned i = 0; i < language->word_count; i++) {
		struct chance chance = chance_of(OF_WORD, number << 20 | i);
		unsigned syllables = i < 40 ? 1 : i < 600 ? 2 : 2 + below(&chance, 3);

		language->words[i] = strdup(make_word(&chance, language, syllables));
		total += 1.0 / (i + 2.7);
	}
	for (unsigned i = 0; i < language->word_count; i++) {
		so_far += 1.0 / (i + 2.7);
		while (place < size && (double)place < so_far / total * (double)size)
			language->table[place++] = i;
	}
	while (place < size)
		language->table[place++] = 0;
}

const char *
any_word(struct chance *chance, const struct language *language)
{
	return language->words[language->table[draw(chance) >> (64 - TABLE_BITS)]];
}

/* Words that are nowhere but where they were put; those from NEEDLES on were put nowhere. */
const char *
needle(unsigned number)
{
	struct chance chance = chance_of(OF_NEEDLE, number);

	return make_word(&chance, latin, 3);
}

void
add_words(struct text *text, struct chance *chance, const struct language *language, size_t length)
{
	size_t end = text->length + length, line = text->length;
	unsigned in_sentence = 0;

	while (text->length < end) {
		add(text, any_word(chance, language));
		if (++in_sentence > 4 && percent(chance, 12)) {
			add(text, percent(chance, 70) ? "." : percent(chance, 50) ? "?" : ":");
			in_sentence = 0;
		}
		if (text->length - line > 68) {
			add(text, percent(chance, 8) ? "\r\n\r\n" : "\r\n");
			line = text->length;
			if (percent(chance, 10))
				add(text, "> ");
		} else if (language->has_spaces) {
			add(text, " ");
		}
	}
	add(text, "\r\n");
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A line is of 76 digits: nobody looks into it. */
void
add_noise(struct text *text, struct chance *chance, size_t digits)
{
	char line[80];

	for (size_t done = 0; done < digits; done += 4) {
		uint64_t bits = draw(chance);

		for (size_t i = 0; i < 4; i++, bits >>= 6)
			line[done % 76 + i] = base64_digits[bits & 63];
		if ((done + 4) % 76 == 0 || done + 4 >= digits) {
			add_octets(text, line, done % 76 + 4);
			add(text, "\r\n");
		}
	}
}

void
add_base64(struct text *text, const char *octets, size_t length, bool has_lines)
{
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i < 3 ? length - i : 3;
		uint32_t bits = 0;
		char four[4];

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < left ? (uint8_t)octets[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			four[j] = j > left ? '=' : base64_digits[bits >> (18 - 6 * j) & 63];
		add_octets(text, four, 4);
		if (has_lines && (i + 3) % 57 == 0)
			add(text, "\r\n");
	}
	if (has_lines)
		add(text, "\r\n");
}

void
add_quoted_printable(struct text *text, const char *octets, size_t length)
{
	size_t line = text->length;

	for (size_t i = 0; i < length; i++) {
		unsigned char octet = (unsigned char)octets[i];

		if (octet >= 127 || octet == '=')
			ADDF(text, "=%02X", octet);
		else
			add_octets(text, &octets[i], 1);
		if (octet == '\n') {
			line = text->length;
		} else if (text->length - line > 72 && octet != '\r') {
			add(text, "=\r\n");
			line = text->length;
		}
	}
}

bool
is_ascii(const char *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)octets[i] >= 127)
			return false;
	return true;
}

/* A display name or a subject; encoded-words hold at most 39 octets, and whole characters. */
void
add_encoded(struct text *text, const char *octets)
{
	size_t length = strlen(octets);

	if (is_ascii(octets, length)) {
		add(text, octets);
		return;
	}
	for (size_t begin = 0, end; begin < length; begin = end) {
		end = begin + 39 < length ? begin + 39 : length;
		while (end < length && ((unsigned char)octets[end] & 0xc0) == 0x80)
			end--;
		add(text, begin > 0 ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		add_base64(text, octets + begin, end - begin, false);
		add(text, "?=");
	}
}

const struct language *
any_language(struct chance *chance)
{
	unsigned share = below(chance, 100), i = 0;

	while (share >= languages[i].percent)
		share -= languages[i++].percent;
	return &languages[i];
}

bool
language_has_spaces(const struct language *language)
{
	return language->has_spaces;
}

void
learn_all(void)
{
	for (unsigned i = 0; i < LANGUAGE_COUNT; i++)
		learn(&languages[i], i);
}
