/*
 * Where messages to import come from: a file of many, or folders of files.  A source gives one message
 * after the other, with CRLF line ends, and keeps flags, keywords and dates as far as its format has them.
 * Blocking; reads as the user who called imapctl.
 */
#ifndef IMAPCTL_SOURCE_H
#define IMAPCTL_SOURCE_H

#include "base/buffer.h"

struct input;
struct manifest;

enum message_flag {
	FLAG_ANSWERED = 1,
	FLAG_FLAGGED = 2,
	FLAG_DELETED = 4,
	FLAG_SEEN = 8,
	FLAG_DRAFT = 16,
	FLAG_FORWARDED = 32,
};

enum source_result {
	SOURCE_MESSAGE,
	SOURCE_MAILBOX,		/* message->mailbox is made, though it may have no messages; message->origin is its path */
	SOURCE_END,
	SOURCE_UNREADABLE,	/* message->origin could not be read, errno says why; the rest follows */
	SOURCE_REFUSED,		/* message->origin is not imported, message->reason says why; the rest follows */
};

struct message {
	struct buffer octets;	/* with CRLF line ends */
	struct buffer origin;	/* "path" or "path:offset", for reports */
	uint64_t offset;	/* where it begins in a file of many */
	struct buffer mailbox;	/* modified UTF-7, below the one named for the import; empty: that one itself */
	struct buffer copies;	/* more mailboxes that get it, each with a NUL behind it */
	struct buffer keywords;	/* with a space between two; see message_add_keyword() */
	struct buffer reason;	/* why it is refused */
	unsigned flags;
	int64_t date_s;		/* since 1970 UTC; meaningful when has_date */
	bool has_date;
	size_t octets_max;	/* of the source; message_add() keeps no more */
	bool is_too_large;	/* there were more */
	uint32_t number;	/* the caller's, by which appender_events.on_stored names it; 0: none */
	uint32_t uid, uidvalidity;	/* where an export tells them; or 0 */
	bool is_exact;		/* an export tells what is a program's in it and what is not */
	/* Of SOURCE_MAILBOX: */
	bool is_no_mailbox;	/* there is none of this name, but it is subscribed */
	bool is_unsubscribed;
	struct buffer use;	/* "\\Sent" (RFC 6154), or empty */
};

void message_clear(struct message *message);
void message_free(struct message *message);

/* Append to the octets, as add_with_crlf(), up to octets_max. */
void message_add(struct message *message, struct span octets);

/* The same for octets that are to stay as they are. */
void message_add_octets(struct message *message, struct span octets);

/* Say why it is not imported; both return SOURCE_REFUSED. */
enum source_result message_refuse(struct message *message, const char *reason);
enum source_result message_refuse_size(struct message *message);

/*
 * It could not be read.  SOURCE_REFUSED, with words, where the contents are at fault, as expand_error_text()
 * and EFBIG have it; otherwise SOURCE_UNREADABLE with errno set.
 */
enum source_result message_fail(struct message *message, int error);

/*
 * Add a keyword (RFC 9051 section 2.3.2), once whatever its case; $Forwarded becomes FLAG_FORWARDED.
 * False, with nothing added: IMAP has no keyword of this name, and the caller notes that.
 */
bool message_add_keyword(struct message *message, struct span name);

/* What a source tells about what it gave or left out, beside the messages. */
enum note_kind {
	NOTE_LEFT_OUT,		/* on purpose: no mail, or deleted where it comes from */
	NOTE_NOT_TAKEN_OVER,	/* a mark that IMAP cannot hold; the message went in */
	NOTE_DOUBTFUL,		/* may have been read wrongly: the import ends with EX_DATAERR */
};

struct note {
	enum note_kind kind;
	struct buffer what;
	struct buffer first;	/* the origin of the first */
	uint64_t count;
};

/* What becomes of the labels that a Gmail user has made. */
enum label_style { LABELS_KEYWORDS, LABELS_MAILBOXES };

struct source {
	enum source_result (*next)(struct source *source, struct message *message);
	void (*close)(struct source *source);	/* frees it */
	uint64_t done, total;	/* octets or files, for the progress bar */
	size_t octets_max;	/* of a message, set by the caller; a larger one is refused before it fills the memory */
	enum label_style labels;
	const struct manifest *manifest;	/* of the export that is read, or NULL; borrowed */
	const char *kind;	/* what it was taken for, as source_open() has it */
	struct buffer what;	/* the same in words, for people: "a Thunderbird profile, 2 accounts" */
	struct note *notes;
	size_t note_count;
};

/*
 * Count something worth telling at the end; what is the same is told once, with its number.
 *
 *	what	"deleted in Thunderbird, folder not compacted"
 *	origin	where it was met
 */
void source_note(struct source *source, enum note_kind kind, struct span what, struct span origin);

/* Count what another source has noted as one's own, and take it from there. */
void source_take_notes(struct source *source, struct source *other);

/*
 * Open a file or folder.
 *
 *	kind	"maildir", or NULL: what it is is found out
 *
 * NULL: errno says why; EINVAL: no such kind, EBADMSG: not of this kind, EISDIR or ENOTDIR: a folder where
 * a file is wanted, or the other way round.
 */
struct source *source_open(const char *kind, const char *path);

/* Append the names of all kinds, as a sentence has them. */
void source_kinds(struct buffer *out);

static inline enum source_result
source_next(struct source *source, struct message *message)
{
	message->octets_max = source->octets_max;
	return source->next(source, message);
}

/* Accepts NULL, leaves NULL behind. */
void source_close(struct source **source);

/* What a source says when its input has no more: that it could not be read on, once, or that it ended. */
enum source_result source_end(struct input *input, struct message *message);

/* A folder that `imapctl export` has written, of this kind or of any if that is NULL.  NULL: it is none. */
struct source *exported_open(const char *kind, const char *path);

/* Folders of Thunderbird: a profile, an account in it, or several profiles. */
struct source *thunderbird_open(const char *path);

/* A maildir in an account of Thunderbird, which keeps flags in the .msf file beside it as of an mbox. */
struct source *thunderbird_maildir_open(const char *path);

/* A file of Outlook, where readpst is installed: errno ENOPKG if it is not. */
struct source *pst_open(const char *path);

/* An archive of zip or tar, or the first of several parts; what was in it is opened by a function like source_open(). */
struct source *archive_open(const char *path, struct source *(*open)(const char *kind, const char *path));

/* Dovecot's sdbox and mdbox are recognized, and not read: NULL, errno ENOTSUP. */
struct source *dbox_open(const char *path);

/* An .emlx file of Apple Mail, or a folder with its mailboxes. */
struct source *emlx_open(const char *path);

/* A folder of files that hold many messages each, and the folders below it. */
struct source *mboxes_open(const char *path);

/* A maildir or a tree of them; flags and keywords of the file names and of the servers' lists, dates of the files. */
struct source *maildir_open(const char *path);

/* An MH folder or a tree of them; flags and keywords of sequences and marks, dates of the files. */
struct source *mh_open(const char *path);

/* A file, or all files in a folder and below it; the date of the Date field, else of the file. */
struct source *eml_open(const char *path);

/*
 * Append a piece of a line or of several, bare LF made CRLF; CRLF and bare CR stay as they are.  What
 * was appended before tells whether a first LF has its CR.
 */
void add_with_crlf(struct buffer *out, struct span octets);

/* Take the date of the Date field instead, if there is one that can be read. */
void message_use_date_field(struct message *message);

#endif
