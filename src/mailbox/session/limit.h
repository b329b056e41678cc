/*
 * What message-limit and save-limit ask of a session: RFC 9738.  Loop thread.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include "session.h"

/* Take the limits from the configuration, for as long as the session lasts. */
void limit_begin(struct session *session);

/* Mask what the limits, or that there are none, take from the session. */
void limit_mask(struct session *session);

/* Append "MESSAGELIMIT n uid", without the uid when it is 0. */
void limit_write_code(uint32_t limit, uint32_t lowest_uid, struct buffer *out);

#endif
