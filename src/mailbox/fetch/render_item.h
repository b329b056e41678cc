/*
 * One item of a FETCH line that is being rendered: its name, and its text or what leads to that.  Worker, one at a time.
 */
#ifndef MAILBOX_FETCH_RENDER_ITEM_H
#define MAILBOX_FETCH_RENDER_ITEM_H

#include "render.h"

/*
 * Append an item of the message whose line is begun; the content is loaded as far as the item needs it.  What is long is
 * left in render->octets, and what has to be measured before it is in render->is_measuring: octets.h goes on with both.
 */
enum store_status fetch_render_item(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store,
    struct buffer *out);

#endif
