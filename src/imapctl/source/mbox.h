/*
 * Sources of one file that holds many messages, or of a folder of such files.
 */
#ifndef IMAPCTL_MBOX_H
#define IMAPCTL_MBOX_H

#include "source.h"

/* An mbox file; flags, keywords and labels of its header fields, dates of its separators. */
struct source *mbox_open(const char *path);

/* MMDF: as mbox, but between lines of four Control-A. */
struct source *mmdf_open(const char *path);

/* Babyl, of Emacs's Rmail and Python's mailbox: flags and keywords of its lines of labels. */
struct source *babyl_open(const char *path);

/* mbx of UW imapd and alpine (c-client): flags, keywords and dates of its lines between the messages. */
struct source *mbx_open(const char *path);

/* A folder in the format mix of Panda and UW imapd (c-client), and the mailboxes below it. */
struct source *mix_open(const char *path);

#endif
