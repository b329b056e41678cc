/*
 * Answers as records: a line `kind key=value key="two words"`, printed as a table for people or as one
 * JSON object for programs.
 */
#ifndef IMAPCTL_RECORD_H
#define IMAPCTL_RECORD_H

#include "base/buffer.h"

struct answer;
struct arena;

/*
 * Print on standard output: a table a kind, columns named after the keys, or
 * {"schema":1,"role":[{"name":"cas","state":"running"}]}.
 */
void records_print(const struct answer *answer, bool is_json);

/* As records_print(), into a buffer. */
void records_write(const struct answer *answer, bool is_json, struct buffer *out);

/*
 * Find a field in the record of one line.
 *
 *	value_out	lives in the arena
 *
 * False: a record of another kind, or one without such a field.
 */
bool record_field(struct span line, struct arena *arena, const char *kind, const char *key,
    struct span *value_out);

/* Append a JSON string, quotes included; what is not UTF-8 becomes U+FFFD. */
void json_add_string(struct buffer *out, struct span text);

#endif
