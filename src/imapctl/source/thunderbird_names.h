/*
 * What a Thunderbird profile says of its accounts and folders beside the mail: prefs.js, folderCache.json.  Blocking.
 */
#ifndef IMAPCTL_THUNDERBIRD_NAMES_H
#define IMAPCTL_THUNDERBIRD_NAMES_H

#include "base/buffer.h"
#include "base/map.h"

struct thunderbird_names {
	struct map *folders;	/* names as struct buffer, by "Mail/Local Folders/what26c83686"; or NULL */
	struct map *accounts;	/* names as struct buffer, by "ImapMail/imap.example.org"; or NULL */
};

/* Read them, where they are; *names is zeroed. */
void thunderbird_names_read(struct thunderbird_names *names, const char *profile);
void thunderbird_names_free(struct thunderbird_names *names);

/*
 * The name of an account or folder by its path, as it lies on the disk or did where the profile was; empty when it is
 * not known.  Borrowed.
 */
struct span thunderbird_name_of(const struct map *names, struct span path);

#endif
