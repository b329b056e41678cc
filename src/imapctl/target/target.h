/*
 * Where exported messages go: a folder that is written in one of the formats, or another server.  A target is given
 * one mailbox after the other, and in each the messages that it does not have yet.  Blocking; writes as the user who
 * called imapctl.
 */
#ifndef IMAPCTL_TARGET_H
#define IMAPCTL_TARGET_H

#include "../source/source.h"

enum target_status {
	TARGET_OK,
	TARGET_THERE,		/* by add: the message is there already */
	TARGET_REFUSED,		/* this mailbox or message stays out, trouble says why; the others may go in */
	TARGET_FAILED,		/* nothing more can be written: trouble says why, error is the errno or 0 */
};

struct target_mailbox {
	struct span name;	/* UTF-8, canonical */
	uint32_t uidvalidity, uidnext;
	bool is_subscribed;
	bool is_selectable;	/* false: there is no such mailbox, but it is subscribed */
	struct span use;	/* "\\Sent", or empty (RFC 6154) */
};

struct target_message {
	uint32_t uid;
	struct span octets;	/* as IMAP shows them */
	unsigned flags;		/* enum message_flag, with FLAG_FORWARDED for $Forwarded */
	struct span keywords;	/* the others, with a space between two */
	int64_t date_s;		/* INTERNALDATE */
};

/* A message of the mailbox under way that the target has already. */
struct target_entry {
	uint32_t uid;
	unsigned flags;
	char *keywords;		/* with a space between two */
	char *file;		/* the format's own; or NULL */
	int64_t date_s;		/* the format's own */
};

struct target {
	/* Take note of all mailboxes that will come. */
	enum target_status (*plan)(struct target *target, const struct target_mailbox *mailboxes, size_t count);
	/* Begin with a mailbox, made when it is missing: what it holds is in entries afterwards. */
	enum target_status (*begin)(struct target *target, const struct target_mailbox *mailbox);
	enum target_status (*add)(struct target *target, const struct target_message *message);
	/* Give a message other flags and keywords, or take it out; only when is_mirror. */
	enum target_status (*change)(struct target *target, struct target_entry *entry, const struct target_message *message);
	enum target_status (*remove)(struct target *target, struct target_entry *entry);
	/* What was added, changed and removed is safe on the disk afterwards. */
	enum target_status (*end)(struct target *target);
	/* All mailboxes are there, as planned. */
	enum target_status (*finish)(struct target *target);
	void (*close)(struct target *target);	/* frees it; what was not ended is left out */

	/* Set by the caller: */
	bool is_mirror;		/* changes and expunges follow */
	bool is_dry;		/* a server's: nothing is changed, and what would be added counts as added */
	bool is_whole;		/* all mailboxes were planned: others are gone */
	/*
	 * Not NULL: instead of changes and removals, all is written anew.  There are no entries any more afterwards, and
	 * every message is added.
	 */
	enum target_status (*begin_anew)(struct target *target);
	struct target_entry *entries;	/* by UID */
	size_t entry_count, entry_room;
	struct buffer trouble;
	int error;
	struct span keywords;	/* all that messages of the mailbox under way have; set by the caller before the first is added */
	/* A message that was added is not taken, as it turns out; set by the caller. */
	void (*on_refused)(uint32_t uid, struct span reason, void *context);
	void *context;
	uint64_t keywords_lost;	/* messages that have gone without some of their keywords */
	uint64_t dates_lost;	/* messages whose date the file system cannot keep */
};


/*
 * Open a target that is a folder.
 *
 *	kind	"maildir", "mbox", "eml"; NULL: what was exported there before, else maildir
 *
 * NULL: trouble_out says why; *status_out is TARGET_REFUSED, or TARGET_FAILED and *error_out the errno, EINVAL for a
 * format that is none.
 */
struct target *target_open(const char *kind, const char *root, const char *user, enum target_status *status_out, int *error_out,
    struct buffer *trouble_out);

/* The formats; target_open() calls them. */
struct target *maildir_target_open(const char *root, const char *user, enum target_status *status_out);
struct target *mbox_target_open(const char *root, const char *user, enum target_status *status_out);
struct target *eml_target_open(const char *root, const char *user, enum target_status *status_out);

/* The entry of a UID, or NULL. */
struct target_entry *target_find(const struct target *target, uint32_t uid);

/* Append an entry with copies of the texts; target_sort() when all are there. */
struct target_entry *target_add_entry(struct target *target, uint32_t uid, unsigned flags, struct span keywords, const char *file);
void target_sort(struct target *target);
void target_clear_entries(struct target *target);

/* For close: the entries and words. */
void target_free_rest(struct target *target);

/* Say why; they return TARGET_REFUSED, and TARGET_FAILED for errno. */
enum target_status target_refuse(struct target *target, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum target_status target_fail(struct target *target, const char *path);

#endif
