/*
 * The lists of UIDs that Dovecot and Courier keep in a maildir.  Blocking.
 */
#ifndef IMAPCTL_MAILDIR_UIDS_H
#define IMAPCTL_MAILDIR_UIDS_H

#include "base/map.h"

/* UIDs, as the pointers' values, by the files' unique names.  NULL: there is no list.  Given. */
struct map *maildir_uids_read(const char *path);

#endif
