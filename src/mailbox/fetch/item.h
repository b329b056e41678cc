/*
 * What an item of FETCH needs of a content, and whether its text can be kept.  Any thread.
 */
#ifndef MAILBOX_FETCH_ITEM_H
#define MAILBOX_FETCH_ITEM_H

#include "imap/fetch.h"

/* Is it cut out of a header block? */
bool fetch_item_has_fields(const struct imap_fetch_item *item);

/* Is it octets of the message as they are? */
bool fetch_item_is_plain(const struct imap_fetch_item *item);

/* Cut what is there to what the client wants of it: RFC 9051 section 6.4.5, BODY[<section>]<<partial>>. */
void fetch_item_apply_partial(const struct imap_fetch_item *item, uint64_t *at, uint64_t *length);

/* What to load for it: as for fetch_content_load(). */
unsigned fetch_item_needs(const struct imap_fetch_item *item);

/* What its texts are kept under, as for fetch_kept_item(); empty: they are not.  Borrowed from the item. */
struct span fetch_item_kept_name(const struct imap_fetch_item *item, bool is_rev2);

#endif
