/*
 * The words of a control line: separated by spaces; what holds a space, a quote, a backslash or `{`, or
 * is empty, stands in double quotes, where `\` protects `"` and `\`.  Control characters have no way
 * in.  Pure; any thread.
 */
#ifndef CONTROL_WORDS_H
#define CONTROL_WORDS_H

#include "base/arena.h"
#include "base/buffer.h"

/* Append a word, quoted if need be, and a space before it unless the line is empty. */
void control_add_word(struct buffer *line, struct span word);

/*
 * Append key=value; the value is quoted if need be.  Readers see one word `key=value`, for a number
 * `key:=value`: a user may be called 12.
 */
void control_add_field(struct buffer *line, const char *key, struct span value);
void control_add_number(struct buffer *line, const char *key, int64_t value);

/*
 * Split a line, without its line end.
 *
 *	words_out	room for limit words; they live in the arena
 *
 * False: an open quote, a control character, or more than limit words.
 */
bool control_split_words(struct span line, struct arena *arena, struct span *words_out, size_t limit,
    size_t *count_out);

#endif
