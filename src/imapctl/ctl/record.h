/*
 * Answers as records: a line `kind key=value key="two words"`, printed as a table for people or as one
 * JSON object for programs.
 */
#ifndef IMAPCTL_RECORD_H
#define IMAPCTL_RECORD_H

#include "base/json.h"

struct answer;
struct arena;
struct order;

/* Print on standard output a table a kind, no wider than a terminal; or add to the order's JSON. */
void records_print(const struct order *order, const struct answer *answer);

/* Append the tables, with an empty line between two; width as for table_write(). */
void records_write_tables(const struct answer *answer, size_t width, struct buffer *out);

/*
 * Append a member for each of the kinds, a list of words, also for those without a record:
 * ,"role":[{"name":"cas","state":"running","sessions":12}],"listener":[]
 */
void records_write_json(const struct answer *answer, const char *kinds, struct buffer *out);

/*
 * Find a field in the record of one line.
 *
 *	value_out	lives in the arena
 *
 * False: a record of another kind, or one without such a field.
 */
bool record_field(struct span line, struct arena *arena, const char *kind, const char *key,
    struct span *value_out);

/*
 * The same for several keys, NULL behind the last; those that the record lacks are empty.
 *
 *	values_out	one for each key
 */
bool record_fields(struct span line, struct arena *arena, const char *kind, const char *const *keys, struct span *values_out);

/*
 * Print the one object that answers a call: {"schema":1 and the members.
 *
 *	kinds	members that are empty when there is none at all
 *	error	NULL: nobody complained
 */
void json_print(const struct buffer *members, const char *kinds, int code, const char *error);

#endif
