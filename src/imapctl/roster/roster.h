/*
 * What a file of another program says of its users, a line at a time.  Pure, but for the file beside /etc/shadow.
 */
#ifndef IMAPCTL_ROSTER_H
#define IMAPCTL_ROSTER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"

#define PERSON_RULES_MAX 4

/* One user; the spans are borrowed from the line. */
struct person {
	struct span name;
	struct span stored;		/* instead of the password: auth/foreign.h */
	struct span rules[PERSON_RULES_MAX];	/* of quota, as Dovecot writes them */
	size_t rule_count;
	bool is_locked;			/* gets mail, and may not log in */
	const char *refusal;		/* why nobody comes of this line; NULL: somebody does */
	bool is_passed_over;		/* an account of the system: no fault of the file's */
};

struct roster;

struct roster_format {
	const char *name;

	/* Read a line, without its end.  False: there is nobody on it, a comment or nothing. */
	bool (*read)(struct roster *roster, struct span line, struct person *person_out);
};

/* A field that nothing comes of. */
#define PASSED_OVER_MAX 100
struct passed_over {
	struct span field;
	const char *consequence;	/* NULL: none */
	size_t users;
};

struct roster {
	const struct roster_format *format;
	struct map *uids;		/* of shadow: by name, in what passwd_uid() reads; NULL: nobody knows */
	int64_t today;			/* days since 1970-01-01 */
	struct arena *arena;
	struct passed_over *passed_over;	/* in the order of the file */
	size_t passed_over_count;
};

/* Begin to read a file.  False: there is no format of this name. */
bool roster_begin(struct roster *roster, const char *format, const char *path);
void roster_end(struct roster *roster);

/* A field of a line has no meaning here; consequence: what the users are to know, or NULL. */
void roster_pass_over(struct roster *roster, struct span field, const char *consequence);

/* Cut the next field off, up to a separator or the end; false when there is none left. */
bool roster_cut(struct span *rest, uint8_t separator, struct span *field_out);

/* Read the users beside a file of shadow(5), for what is an account of the system. */
void shadow_begin(struct roster *roster, const char *path);

bool passwd_file_read(struct roster *roster, struct span line, struct person *person_out);
bool shadow_read(struct roster *roster, struct span line, struct person *person_out);

/* Whether a line is rather one of shadow(5). */
bool shadow_is_line(struct span line);

#endif
