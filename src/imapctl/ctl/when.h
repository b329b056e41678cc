/*
 * Points in time as an operator types them: 2026-11-29, 2026-11-29T08:30, with seconds, with Z for UTC or in the time of
 * this host; or how long ago: 90m, 12h, 3d, 2w.
 */
#ifndef IMAPCTL_WHEN_H
#define IMAPCTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970 UTC.  False: it is none, and that was said. */
bool when_read(const char *option, const char *text, int64_t *time_out);

#endif
