/*
 * Writing JSON: RFC 8259.  Pure; any thread.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buffer.h"

/* Append a JSON string, quotes included; what is not UTF-8 becomes U+FFFD. */
void json_add_string(struct buffer *out, struct span text);

/* Append a member whose value is a string, and a comma before it unless it is the first of its object. */
void json_add_text(struct buffer *out, const char *key, struct span text);

#endif
