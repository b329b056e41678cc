/*
 * Reading one whole command from left to right: each octet is looked at a bounded number of times.  The text
 * has no line end behind it; a literal stands in it as "{3}\nabc" (the CR is gone).
 *
 * Every reader returns false after it has set the error, and callers pass that on.  Private to this room.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include "imap/mailbox_name.h"
#include "imap/parser.h"

struct cursor {
	struct span text;
	size_t at;
	struct arena *arena;
	const struct imap_limits *limits;
	size_t nodes;			/* elements so far, against limits->list_nodes */
	size_t forgotten;		/* pairs of ID that were read before, and are not in the text */
	bool is_utf8;			/* mailbox names are UTF-8 */
	const struct imap_capabilities *masked;
	bool has_charset;		/* texts are of another charset than UTF-8 */
	struct span sent_name;		/* of the command line, like the next */
	bool has_other_name;
	enum imap_error_status status;
	const char *refusal, *refusal_code;	/* cursor_refuse(), or NULL */
	const char *code;
	const char *error;		/* NULL while all is well */
};

/* Classes of octets: RFC 9051 section 9, "ATOM-CHAR", "ASTRING-CHAR", "list-char", "tag". */
bool imap_is_atom_octet(uint8_t octet);
bool imap_is_astring_octet(uint8_t octet);
bool imap_is_list_octet(uint8_t octet);
bool imap_is_tag_octet(uint8_t octet);

/* Set the error, unless there is one, and return false. */
bool cursor_fail(struct cursor *cursor, const char *error);
/*
 * Note what is well written but not to be had, unless something is noted already, and return true: the rest
 * of the command is still read, since one that is not well written is BAD.
 */
bool cursor_refuse(struct cursor *cursor, const char *code, const char *reason);
/* All is read: what was noted is now the error, with NO; false when there is one. */
bool cursor_settle(struct cursor *cursor);

/* The next octet, or -1 at the end. */
int cursor_peek(const struct cursor *cursor);
bool cursor_is_at_end(const struct cursor *cursor);

/* Step over this octet if it is next; sets no error. */
bool cursor_skip(struct cursor *cursor, uint8_t octet);

/* The next octet must be this one. */
bool cursor_expect(struct cursor *cursor, uint8_t octet);
bool cursor_space(struct cursor *cursor);
/*
 * One or more spaces, among the keys of SEARCH.  The grammar has one between two words.  Programs that join keys of which
 * one may be empty send two, or one too many at the end: Roundcube's advanced search "UNDELETED  ALL".
 */
bool cursor_spaces(struct cursor *cursor);
void cursor_skip_spaces(struct cursor *cursor);
bool cursor_end(struct cursor *cursor);

/* Count one element of a list against the limit. */
bool cursor_node(struct cursor *cursor);

/* One or more octets of a class. */
typedef bool octet_class(uint8_t octet);
bool cursor_run(struct cursor *cursor, octet_class *is_member, struct span *run_out);
bool cursor_atom(struct cursor *cursor, struct span *atom_out);

/* Look at the atom that comes next without stepping over it; empty when there is none. */
struct span cursor_peek_atom(const struct cursor *cursor);
/* Step over this word in any case if it is the whole next atom; sets no error. */
bool cursor_word(struct cursor *cursor, const char *word);

bool cursor_string(struct cursor *cursor, struct span *string_out);
bool cursor_astring(struct cursor *cursor, struct span *string_out);
/* "nstring" or literal8, which alone may hold NUL; NIL has no octets, and at is NULL. */
bool cursor_value(struct cursor *cursor, struct span *value_out);
/* An astring that is valid UTF-8, or whatever it is of another charset. */
bool cursor_text(struct cursor *cursor, struct span *text_out);
bool cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number_out);
/* "nz-number": 1 to UINT32_MAX, without a zero before it; "nz-number64" goes up to INT64_MAX. */
bool cursor_nz_number(struct cursor *cursor, uint64_t max, uint64_t *number_out);
bool cursor_sequence(struct cursor *cursor, struct imap_sequence *sequence_out);
/* A name, made canonical; a bad one is NO [CANNOT]. */
bool cursor_mailbox(struct cursor *cursor, struct span *name_out);
/* The same of a name that was read already. */
bool cursor_canonical(struct cursor *cursor, struct span sent, struct span *name_out);
/* "(\Seen $x)"; STORE may leave the parentheses out, and APPEND may say \Recent, which counts for nothing. */
bool cursor_flags(struct cursor *cursor, bool is_store, struct imap_flags *flags_out);
bool cursor_date_time(struct cursor *cursor, struct imap_date_time *time_out);

/* Read each element of "(a b c)" by a callback; empty only when allowed. */
typedef bool cursor_element(struct cursor *cursor, void *context);
bool cursor_list(struct cursor *cursor, bool may_be_empty, cursor_element *element, void *context);

/* An array in the arena that doubles; returns room for one more, counted in *count. */
void *cursor_grow(struct cursor *cursor, void **array, size_t *count, size_t size);

#endif
