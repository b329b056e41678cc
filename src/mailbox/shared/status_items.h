/*
 * The line of a STATUS reply, for STATUS and for LIST with RETURN (STATUS ...): RFC 9051 section 7.3.5,
 * RFC 5819.  Any thread, except where said.
 */
#ifndef STATUS_ITEMS_H
#define STATUS_ITEMS_H

#include "imap/command.h"
#include "store/message.h"

struct status_style {
	unsigned items;			/* IMAP_STATUS_* */
	bool is_utf8;			/* names */
	uint64_t append_limit;
};

/* Append "* STATUS name (...)\r\n". */
void status_write(struct buffer *out, const struct store_mailbox *mailbox, uint32_t recent,
    const struct status_style *style);

/* Whether a row says all that is asked for: how many messages are recent it only says where none is. */
bool status_is_in_row(const struct store_mailbox *mailbox, const struct status_style *style);

/* The same with what is recent counted in the store, if it is asked for.  Worker thread. */
enum store_status status_write_stored(struct buffer *out, struct store *store,
    const struct store_mailbox *mailbox, const struct status_style *style);

#endif
