/*
 * The selected mailbox as one client sees it: message numbers <-> UIDs.  Numbers change only in
 * view_announce(), which a command calls when its replies may hold EXPUNGE (RFC 9051 section 7.5.1:
 * never while answering FETCH, STORE or SEARCH).  Loop thread.
 *
 * A view keeps no array of all messages: it knows the state it looks at, up to which UID its client was
 * told of messages, and the UIDs that have gone and are not yet announced ("ghosts").
 */
#ifndef VIEW_H
#define VIEW_H

#include "../shared/state.h"
#include "base/buffer.h"
#include "imap/partial.h"
#include "imap/rights.h"
#include "imap/sequence.h"
#include "store/acl.h"

struct view_known {
	uint32_t uid;
	uint64_t flags, modseq;
};

struct view {
	struct state_listener listener;
	struct state *state;		/* held */
	bool is_read_only;		/* by EXAMINE, or for lack of rights */
	bool is_examined;
	const struct store_identity *who;	/* whose mailbox it is not; NULL: its owner looks */
	unsigned rights;		/* IMAP_RIGHT_* */
	bool owes_flags;		/* FLAGS and PERMANENTFLAGS have changed */
	uint32_t limit_uid;		/* UIDs below this one have been announced by EXISTS */
	uint64_t told_modseq;		/* changes of flags up to here are told */
	uint64_t round_modseq;		/* not 0: they are being told up to here, from round_uid on */
	uint32_t round_uid;
	size_t told_keywords;
	uint32_t told_exists;		/* what the client counts */
	uint32_t told_recent;		/* if it is told of those */
	uint32_t *ghosts;		/* rising UIDs, below limit_uid, that are gone and not announced */
	size_t ghost_count, ghost_capacity;
	uint64_t ghost_modseq;		/* with ghosts: the modseq with which the first of them went */
	bool owes_modseq;		/* EXISTS or expunges were told, and not yet up to which modseq */
	struct view_known *known;	/* as the client knows messages that others have changed since; or NULL */
	size_t known_count, known_capacity;
	bool is_own_change;		/* under way */
	struct imap_range *recent;	/* UIDs that are recent to this session, rising */
	size_t recent_count, recent_capacity;

	/* Something could be announced now, or the state is gone.  Must not announce itself: defer. */
	void (*on_news)(void *context);
	void *context;
};

/* What a client has been told of a mailbox, apart from the state: see struct view. */
struct view_memory {
	uint32_t limit_uid, told_exists, told_recent;
	uint64_t told_modseq, told_keywords, ghost_modseq;
	bool owes_flags, owes_modseq;
	struct imap_sequence ghosts, recent;	/* UIDs */
	struct view_known *known;
	size_t known_count;
};

/* One message of a view. */
struct view_message {
	uint32_t number;
	bool is_ghost;			/* gone, and not announced: only number and message.uid are valid */
	bool is_recent;
	struct store_message message;
};

/* Look at a ready state; takes over the caller's hold.  A read-write view claims what is recent. */
struct view *view_new(struct state *state, bool is_read_only, void (*on_news)(void *context),
    void *context);
/*
 * The same at somebody else's mailbox, with these rights; it claims nothing.
 *
 *	who	who looks; borrowed for life.  NULL: as view_new()
 */
struct view *view_new_with(struct state *state, bool is_examined, const struct store_identity *who, unsigned rights,
    void (*on_news)(void *context), void *context);

/* What the client of a view has been told; borrowed until the view changes, ghosts are in the arena. */
void view_remember(const struct view *view, struct arena *arena, struct view_memory *memory_out);

/*
 * Go on for a client that was told so elsewhere: of the same mailbox, whose owner looks.
 *
 *	state	as for view_new(); released on failure
 *	memory	copied
 *
 * NULL: it is no memory of this state.
 */
struct view *view_resume(struct state *state, bool is_examined, const struct view_memory *memory,
    void (*on_news)(void *context), void *context);

/* With none of them a mailbox is READ-ONLY: RFC 4314 section 5.2. */
#define VIEW_WRITE_RIGHTS (IMAP_RIGHT_INSERT | IMAP_RIGHT_EXPUNGE | IMAP_RIGHT_SEEN | IMAP_RIGHT_DELETED | IMAP_RIGHT_WRITE)

/* Other rights are given; true: they are others than before. */
bool view_set_rights(struct view *view, unsigned rights);

/* It may be read no more, for lack of the right or because its owner was deleted: the view is lost. */
bool view_is_revoked(const struct view *view);

/* The system flags that these rights let change: RFC 4314 section 4.  Any thread. */
uint64_t view_flags_of(unsigned rights);

/* Accepts NULL, leaves NULL behind. */
void view_free(struct view **view);

/* Messages by the client's count. */
uint32_t view_count(const struct view *view);

/* The greatest UID the client knows of; 0 when it knows of none. */
uint32_t view_last_uid(const struct view *view);

/* Message numbers from 1 to view_count(). */
uint32_t view_uid(const struct view *view, uint32_t number);
void view_message(const struct view *view, uint32_t number, struct view_message *message_out);

/* The number of the first message with this UID or a higher one; view_count() + 1 if there is none. */
uint32_t view_number_from(const struct view *view, uint32_t uid);

/* The number of a UID; 0 when the client does not know of it. */
uint32_t view_number(const struct view *view, uint32_t uid);

bool view_is_recent(const struct view *view, uint32_t uid);
uint32_t view_recent_count(const struct view *view);

/*
 * From now on keep what the client knows of messages that others change, until that is announced: of the first
 * 16,384.
 */
void view_keep_known(struct view *view);

/* It was announced. */
void view_forget_known(struct view *view);

/*
 * The flags and modseqs of messages as the client knows them, as far as that was kept; else as they are.
 *
 *	known	count of them, in the order of uids, which rise; holds what the state has
 */
void view_apply_known(const struct view *view, const uint32_t *uids, size_t count, struct store_flag_known *known);

/*
 * The set of a command: resolves "*", and "$" to what SEARCH has saved.
 */
struct view_set {
	const struct view *view;
	const struct imap_sequence *sequence;
	bool is_uid;			/* the sequence holds UIDs */
	uint32_t number;		/* the last that view_set_next() gave */
	uint32_t lowest;		/* message number below which nothing is in the set any more; 0: view_set_limit() left it alone */
};

/*
 *	sequence  resolved in place; lives as long as the set
 *	saved	  UIDs for "$", resolved; NULL: none saved
 *
 * False: a message number above view_count(), the client's error (BAD); UIDs may be anything.
 */
bool view_set_init(struct view_set *set, const struct view *view, struct imap_sequence *sequence, bool is_uid,
    const struct imap_sequence *saved);

/* The first number from this one on whose message is in the set, ghosts too; 0: there is none.  Costs log(ranges) and log(messages). */
uint32_t view_set_from(const struct view_set *set, uint32_t number);

/*
 * Walk the messages of a set by rising numbers, ghosts too: false at the end.  Goes on where it was also
 * after jobs have come home: numbers stay while nothing is announced.
 */
bool view_set_next(struct view_set *set, struct view_message *message_out);

/*
 * Let the set have no more than its last messages that are there (RFC 9738 section 3.1); ghosts are not counted.  Before
 * the walk begins; costs most log(ranges).
 *
 *	most	so many of them; 0: any number
 *
 * Gives the UID of the first of them; 0: there are no more, and the set is as it was.
 */
uint32_t view_set_limit(struct view_set *set, uint32_t most);

/* As view_set_next(), by falling numbers. */
bool view_set_previous(struct view_set *set, struct view_message *message_out);

/*
 * Let the set have those of its messages that are there whose places among them the range has: RFC 9394 section 3.3.
 * Before the walk begins; costs log(messages) for each range of the set.
 *
 *	chosen_out	is the set afterwards, its ranges in the arena; lives as long as the set
 */
void view_set_choose(struct view_set *set, const struct imap_partial *partial, struct arena *arena,
    struct imap_sequence *chosen_out);

/* As many messages as the set can hold, or more. */
size_t view_set_bound(const struct view_set *set);

/* Whether a message is in the set; costs log(ranges). */
bool view_set_contains(const struct view_set *set, uint32_t number, uint32_t uid);

/*
 * As state_flags_changed(), for a change that the session of this view has made, which it tells its client
 * itself: the view does not announce it, unless others have changed something, too.
 */
void view_flags_changed(struct view *view, struct account *account, uint64_t mailbox_id,
    const struct store_flag_result *results, size_t count);

/* The same for a change of \Seen that is the user's own: state_seen_changed(). */
struct seen_change;
void view_seen_changed(struct view *view, const struct seen_change *change);

/*
 * Walk the messages of a set that have changed since some modseq, by rising numbers.  Nothing but modseqs is looked
 * at on the way, and only so many at a time: VIEW_PAUSE asks to be called again in another turn.  Goes on where it
 * was also after jobs have come home.  RFC 7162 section 3.1.4.1.
 */
struct view_changes {
	const struct view_set *set;
	uint64_t since;
	uint32_t uid;			/* the last that was looked at; 0 at first */
};

enum view_step { VIEW_MESSAGE, VIEW_PAUSE, VIEW_END };

enum view_step view_changes_next(struct view_changes *changes, struct view_message *message_out);

/* The same, by falling numbers. */
enum view_step view_changes_previous(struct view_changes *changes, struct view_message *message_out);

/* Let the client know of all messages there are: its EXISTS must follow. */
void view_raise_limit(struct view *view);

/*
 * Write what has happened since the last time: FLAGS, EXPUNGE or VANISHED, FETCH (FLAGS), EXISTS, RECENT.
 *
 *	may_expunge	numbers may change now
 *	wants_uid	FETCH lines carry the UID
 *	has_modseq	and the modseq, RFC 7162 section 3.2.4
 *	has_vanished	VANISHED in place of EXPUNGE, RFC 7162 section 3.2.10.2
 *	is_uid_only	UIDFETCH in place of FETCH, RFC 9586 section 3.6
 *	has_recent	the client speaks IMAP4rev1: RECENT and \Recent are told
 *	keeps_messages	EXISTS and EXPUNGE are not told; keeps_flags: nor are changes of flags
 *	octets_max	stop when out is that long: many changes are told in pieces
 *
 * True: all was told.  False: call again, when the client has taken this much.
 */
struct view_manner {
	bool may_expunge, wants_uid, has_modseq, has_vanished, has_recent, is_uid_only;
	bool keeps_messages, keeps_flags;
	size_t octets_max;
};
bool view_announce(struct view *view, struct buffer *out, const struct view_manner *manner);

/* Is there anything view_announce() would write? */
bool view_has_news(const struct view *view, bool may_expunge);

/*
 * The modseq up to which the client knows of all that happened: HIGHESTMODSEQ as it may be told now, lower than
 * the mailbox's while expunges are held back (RFC 7162 section 3.2).
 */
uint64_t view_told_modseq(const struct view *view);

/* "FLAGS" and "OK [PERMANENTFLAGS]" lines. */
void view_write_flag_lines(struct view *view, struct buffer *out);

/* The "RECENT" line. */
void view_write_recent(struct view *view, struct buffer *out);

#endif
