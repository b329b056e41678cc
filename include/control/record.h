/*
 * Answers as records: a line `kind key=value key="two words" key:=12`.  Pure; any thread.
 */
#ifndef CONTROL_RECORD_H
#define CONTROL_RECORD_H

#include "base/arena.h"
#include "base/buffer.h"

#define RECORD_FIELDS_MAX 32

struct record_member {
	struct span key, value;
	bool is_number;
};

struct record {
	struct span kind;
	struct record_member *fields;
	size_t count;
};

/* Read a line; what comes out lives in the arena.  False: it is no record. */
bool record_parse(struct span line, struct arena *arena, struct record *record_out);

/* Append the fields as a JSON object, without the kind: what programs get of `imapctl --json`. */
void record_add_json(const struct record *record, struct buffer *out);

#endif
