/*
 * What an item of FETCH needs of a content, and whether its text can be kept.  Any thread.
 */
#ifndef MAILBOX_FETCH_ITEM_H
#define MAILBOX_FETCH_ITEM_H

#include "imap/fetch.h"

/* Is it cut out of a header block? */
bool fetch_item_has_fields(const struct imap_fetch_item *item);

/* What to load for it: as for fetch_content_load(). */
unsigned fetch_item_needs(const struct imap_fetch_item *item);

/* What its texts are kept under, as for fetch_kept_item(); empty: they are not.  Borrowed from the item. */
struct span fetch_item_kept_name(const struct imap_fetch_item *item, bool is_rev2);

#endif
