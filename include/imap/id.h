/*
 * What a client says of itself in ID (RFC 2971), as text of printable ASCII characters; others become "?".  Names
 * that begin with "x-" are left out: so proxies speak of others, and in a log that would look like our own words.
 * Pure.
 */
#ifndef IMAP_ID_H
#define IMAP_ID_H

#include "imap/command.h"

#define IMAP_ID_TEXT_MAX 1000	/* octets; the rest is left out */

/* For the log: "name=Thunderbird; version=128.5". */
void imap_id_write(const struct imap_id *id, struct buffer *out);

/* Its values alone, for looking for words: "Thunderbird; 128.5". */
void imap_id_write_values(const struct imap_id *id, struct buffer *out);

#endif
