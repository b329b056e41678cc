/*
 * The labels of Gmail, which Google Takeout writes into the field X-Gmail-Labels: a list with commas, in the
 * language of the account.
 */
#ifndef IMAPCTL_LABELS_H
#define IMAPCTL_LABELS_H

#include "source.h"

/*
 * Take labels over: those of Gmail's own become flags and mailboxes, those of the user keywords or, with
 * LABELS_MAILBOXES, mailboxes.
 */
void labels_take(struct source *source, struct message *message, struct span value);

/*
 * The same for a list that IMAP tells (X-GM-LABELS): Gmail's own labels are attributes, those of the user modified UTF-7.
 * Without one that is a mailbox, message->mailbox stays empty.
 *
 *	is_kept	it is not in Gmail's Spam or Trash, so that labels say where it belongs
 */
void labels_take_list(struct source *source, struct message *message, const struct span *labels, size_t count, bool is_kept);

/*
 * Add the keyword for a label: "Two words" becomes Two_words, and what is not ASCII modified UTF-7.  One that can be none is
 * noted.
 */
void labels_add_keyword(struct source *source, struct message *message, struct span label);

#endif
