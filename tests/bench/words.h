/*
 * Random numbers that are the same in every run, words of syllables in six scripts that come as often as words do (Zipf's
 * law), and text that is made of them.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream of random numbers of its own for each thing that there is. */
struct chance {
	uint64_t state;
};

enum stream { OF_WORD, OF_NEEDLE, OF_PERSON, OF_MESSAGE, OF_THREAD, OF_PARENT, OF_SIZE };

struct chance chance_of(enum stream stream, uint64_t number);
uint64_t draw(struct chance *chance);
unsigned below(struct chance *chance, unsigned limit);
bool percent(struct chance *chance, unsigned share);
/* A rank below count, the first by far the likeliest. */
unsigned rank(struct chance *chance, unsigned count);
/* Around 0, with deviation 1. */
double normal(struct chance *chance);

struct language;
extern const struct language *const latin;

/* Make the vocabularies; comes before all of the following. */
void learn_all(void);
const struct language *any_language(struct chance *chance);
bool language_has_spaces(const struct language *language);
const char *any_word(struct chance *chance, const struct language *language);
/* A word of this many syllables, in a place that is overwritten by the eighth call after. */
const char *make_word(struct chance *chance, const struct language *language, unsigned syllables);
/* Words that are nowhere but where they are put on purpose. */
const char *needle(unsigned number);

struct text {
	char *at;
	size_t length, capacity;
};

void add_octets(struct text *text, const void *octets, size_t length);
void add(struct text *text, const char *string);
#define ADDF(text, ...)	do { char line_[1024]; snprintf(line_, sizeof line_, __VA_ARGS__); add(text, line_); } while (0)
/* Lines of words, of about this length. */
void add_words(struct text *text, struct chance *chance, const struct language *language, size_t length);
/* Lines of base64 that mean nothing; digits is a multiple of four. */
void add_noise(struct text *text, struct chance *chance, size_t digits);
void add_base64(struct text *text, const char *octets, size_t length, bool has_lines);
void add_quoted_printable(struct text *text, const char *octets, size_t length);
/* A display name or a subject, as encoded-words where it must be. */
void add_encoded(struct text *text, const char *octets);
bool is_ascii(const char *octets, size_t length);

#endif
