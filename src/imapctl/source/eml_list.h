/*
 * What `imapctl export` puts beside messages that are files of their own, in a hidden file of each folder: dates, flags and
 * keywords.  A file that stands in it holds the octets of its message as they are to be.  Blocking.
 *
 *	imapd-messages 1	1764373205
 *	0000000007.eml	1500000001	\Seen $Forwarded work
 */
#ifndef IMAPCTL_EML_LIST_H
#define IMAPCTL_EML_LIST_H

#include "base/map.h"
#include "source.h"

#define EML_LIST_NAME ".imapd-messages"

struct eml_list {
	uint32_t uidvalidity;
	struct map *lines;	/* file -> what stands behind it, as a string; NULL: there is no list */
};

/* Read the list of a folder, if there is one; *list is zeroed. */
void eml_list_read(struct eml_list *list, const char *folder);

/* Give a message its date, flags and keywords.  False: the list does not have the file. */
bool eml_list_take(const struct eml_list *list, struct span file, struct message *message);

/* Append the first line of a list, and one for a message. */
void eml_list_write_first(uint32_t uidvalidity, struct buffer *out);
void eml_list_write(const char *file, int64_t date_s, unsigned flags, struct span keywords, struct buffer *out);

void eml_list_free(struct eml_list *list);

#endif
