/*
 * The .msf file that Thunderbird keeps beside an mbox.  Until the folder is compacted, flags and tags stand there
 * alone, and so does which messages are deleted.  Blocking.
 */
#ifndef IMAPCTL_MSF_H
#define IMAPCTL_MSF_H

#include "input.h"
#include "source.h"

struct msf;

/*
 * Read the file beside an mbox or a maildir.  NULL: there is none, or it is no such file.
 *
 *	mbox	open; NULL: it is a maildir
 */
struct msf *msf_open(const char *path, struct input *mbox);

/* How many messages it knows that are on their server alone. */
size_t msf_absent(const struct msf *msf);

/* Accepts NULL, leaves NULL behind. */
void msf_close(struct msf **msf);

/*
 * Give a message, which begins in the mbox at message->offset, the flags and keywords that it has in Thunderbird.
 * False: it is deleted there.
 */
bool msf_take(const struct msf *msf, struct source *source, struct message *message);

/* The same for a message in a maildir, by its file's name, but nobody says of it that it is deleted. */
void msf_take_file(const struct msf *msf, struct source *source, struct message *message, struct span name);

/* What is known of a folder, from the file alone. */
struct msf_folder {
	struct buffer name;	/* UTF-8, as the user sees it; empty: not known */
	struct buffer online;	/* the whole name on the IMAP server, as that writes it; empty: it is no copy of one */
	uint32_t flags;		/* enum msf_folder_flag and others */
};

enum msf_folder_flag {
	MSF_VIRTUAL = 0x20,
	MSF_TRASH = 0x100,
	MSF_SENT = 0x200,
	MSF_DRAFTS = 0x400,
	MSF_INBOX = 0x1000,
	MSF_ARCHIVE = 0x4000,
	MSF_TEMPLATES = 0x400000,
	MSF_JUNK = 0x40000000,
};

/* Read of a file whose path is "Inbox.msf"; *folder_out is zeroed.  False: it is not there. */
bool msf_read_folder(const char *path, struct msf_folder *folder_out);
void msf_folder_free(struct msf_folder *folder);

#endif
