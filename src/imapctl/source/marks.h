/*
 * The header fields in which mbox files keep what is not part of the message: flags, keywords, numbers.
 * Such a field counts as the program's only in the form in which programs write it; a sender's own
 * `Status: Done` is part of the message.
 */
#ifndef IMAPCTL_MARKS_H
#define IMAPCTL_MARKS_H

#include "source.h"

enum marks_verdict {
	MARKS_MESSAGE,
	MARKS_DELETED,		/* deleted in Thunderbird, the folder was not compacted */
	MARKS_INTERNAL,		/* c-client's and Dovecot's own record of the folder: no mail */
};

/* Read flags, keywords and labels from message->octets, and take the fields out that they stood in. */
enum marks_verdict marks_take(struct source *source, struct message *message);

/* The same, but message->octets stay as they are, and whatever they say it is a message. */
void marks_read(struct source *source, struct message *message);

/* The same for one field alone, wherever a program writes that: it is taken out. */
void marks_take_field(struct source *source, struct message *message, struct span name);

/* The value of the last Content-Length field of a header; false if there is none that is a number. */
bool marks_content_length(struct span header, uint64_t *length_out);

/* What each letter of Status and X-Status means; a letter that stands for nothing gives 0. */
unsigned marks_flag(uint8_t letter);

/*
 * Take keywords that stand with spaces between them.  Those that IMAP cannot have are noted.
 */
void marks_add_keywords(struct source *source, struct message *message, struct span names);

#endif
