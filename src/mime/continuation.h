/*
 * Parameters that were cut into sections, put together again: RFC 2231 section 3.  Any thread; pure.
 */
#ifndef MIME_CONTINUATION_H
#define MIME_CONTINUATION_H

#include "mime/part.h"

/*
 * Join name*0, name*1 ... to name, or to name* if a section is extended (section 4.1); its sections are
 * all then.  Works in place, at where the first of them stands; returns how many parameters are left.  A
 * section without those before it stays as it is written.  Values come from the arena.
 */
size_t continuation_join(struct mime_parameter *parameters, size_t count, struct arena *arena);

#endif
