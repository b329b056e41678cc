/*
 * What single users may keep instead of what the configuration says, by the mailbox id.  Loop thread.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include "store/quota.h"

struct limits;

struct limits *limits_new(void);
void limits_free(struct limits **limits);

/* Remember; 0 is as configured.  False: that is what was known. */
bool limits_set(struct limits *limits, const char *mailbox_id, const struct store_amounts *amounts);

struct store_amounts limits_of(const struct limits *limits, const char *mailbox_id);

#endif
