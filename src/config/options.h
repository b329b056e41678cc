/*
 * The table of options, what its columns mean, and what the files of this room share.
 *
 *	options.c	the table
 *	load.c		from files to struct config
 *	line.c		the name in a line
 *	read.c		their text
 *	words.c		lines and their words
 *	value.c		values of each kind, from text
 *	end.c		what they hold, freed
 *	number.c	numbers, sizes and durations
 *	access.c	who may come in, and how
 *	ldap.c		names as LDAP has them
 *	address.c	addresses to listen at and to connect to
 *	network.c	networks
 *	mask.c		capabilities that some do not get
 *	suggest.c	what was probably meant
 *	foreign.c	options as other servers call them
 *	fit.c		whether the options fit each other
 *	useless.c	options that nothing uses
 *	environment.c	whether files, folders and users fit the options
 *	files.c		why a path cannot be used
 *	print.c		values of each kind, to text
 *	problems.c	what is wrong
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <strings.h>

#include "config/config.h"

enum option_kind { STRING, HOST, PATH, URI, DN, ATTRIBUTE, NUMBER, AUTO_NUMBER, SECONDS, PERIOD, SIZE, BOOL, WORD, TEXT, FOLDER, LISTEN, LMTP_LISTEN,
	LINK_LISTEN, LOCAL_LISTEN, WEB_LISTEN, OUTGOING, SERVER, DIRECTORY, CERTIFICATE, NETWORK, NAMES, WORDS, MASK, ISSUER };
enum option_applies { AT_START, AT_RELOAD };

struct option_word {
	const char *text;	/* NULL ends the list */
	int value;
};

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset;			/* in struct config */
	const char *fallback;		/* values parted by ";"; NULL: stays empty */
	enum option_applies applies;
	uint64_t least, most;
	const struct option_word *words;
};

#define OPTION_COUNT 102
#define OPTION_VALUES_MAX 64	/* names in a line of deny-users */
#define LDAP_SERVERS_MAX  8
#define ISSUER_FILES_MAX  8

extern const struct option options[OPTION_COUNT];

struct config_place {
	struct config_place *next;	/* of the same configuration, in the order in which they were read */
	size_t option;			/* index in the table */
	const char *file;		/* owned by struct config_places */
	unsigned file_number, line;
	unsigned count;			/* of columns */
	unsigned columns[];		/* from 1; of the option, then of its values */
};

struct config_places {
	struct {
		const struct config_place *place;	/* where it was first set; NULL: nowhere */
		bool is_guess;				/* there is another name there, with a slip in it */
		bool is_wrong;				/* what was said cannot be used */
		bool is_meant;				/* and what was probably meant is in its place */
	} at[OPTION_COUNT];
	struct config_place *all, **end;
	char **files;			/* in the order in which they were read */
	unsigned file_count;
	bool is_role_given;		/* by --role */
};

/* Index of an option, or OPTION_COUNT. */
size_t option_find(struct span name);

/* A word of an option's table, in any case; NULL: there is none. */
const struct option_word *option_find_word(const char *name, struct span word);

/* Where the server listens. */
static inline bool
option_is_listener(const struct option *option)
{
	return option->kind == LISTEN || option->kind == LMTP_LISTEN || option->kind == LINK_LISTEN ||
	    option->kind == LOCAL_LISTEN || option->kind == WEB_LISTEN;
}

static inline bool
option_is_repeatable(const struct option *option)
{
	return option_is_listener(option) || option->kind == SERVER || option->kind == CERTIFICATE || option->kind == NETWORK ||
	    option->kind == NAMES || option->kind == WORDS || option->kind == MASK ||
	    option->kind == ISSUER;
}

/* Where its value is. */
static inline void *
option_place(const struct option *option, const struct config *config)
{
	return (char *)(uintptr_t)config + option->offset;
}

/* Whether a file says something about an option, right or wrong. */
bool option_is_said(const struct config *config, const char *name);

/* Note options that nothing uses. */
void config_check_use(const struct config *config, struct config_problems *problems);

/* Warn of what is hardly meant: doubt.c. */
void config_check_doubts(const struct config *config, struct config_problems *problems);

/*
 * Whether a folder is one for mail: not one of the system's.  folder.c, like the next.
 *
 * False: the reason is appended.
 */
bool folder_is_for_mail(const char *path, struct buffer *reason_out);

/* The first thing in a folder that is none of imapd's, given; NULL: there is none, or some of imapd's is there, too. */
char *folder_find_foreign(const char *path);

/* One line that sets an option. */
struct setting {
	const struct option *option;
	struct config *config;
	const struct config_place *place;	/* NULL: not from a file */
	const struct span *values;
	size_t count;
	struct config_problems *problems;	/* NULL: one reason is enough */
	size_t word;			/* out: which value is wrong, the last that is */
	struct buffer *reason;		/* out: why, when it is */
	bool is_meant;			/* out: what was probably meant is set instead */
};

/* Begin to say what is wrong with a value; what was said of another one is whole, and becomes a problem. */
void setting_blame(struct setting *setting, size_t word);

/* Whether so many values are right.  False: reason and word say what is wrong. */
bool option_takes(struct setting *setting);

/* Put the values, as many as option_takes(), into the configuration.  False: reason and word say what is wrong. */
bool option_set(struct setting *setting);

/* Say that a value is not what it has to be; false, for the caller to return. */
bool option_refuse(struct setting *setting, size_t word, const char *expected);

/* Whether a text names an attribute, or an entry, of LDAP. */
bool ldap_is_attribute(struct span text);
bool ldap_is_dn(struct span text);

/* Whether the values from one on, counted from 0, are absolute paths; those that are not are told. */
bool option_are_paths(struct setting *setting, size_t first);

/* The same, parts of option_set(). */
bool set_number(struct setting *setting);

/* Append a number, a size or a time, with its unit, as set_number() takes it. */
void number_print(const struct option *option, uint64_t number, struct buffer *out);

bool set_listen(struct setting *setting);
bool set_lmtp_listen(struct setting *setting);
bool set_link_listen(struct setting *setting);
bool set_local_listen(struct setting *setting);
bool set_web_listen(struct setting *setting);
bool set_outgoing(struct setting *setting);
bool set_server(struct setting *setting);
bool set_ldap_server(struct setting *setting, size_t word);
bool set_words(struct setting *setting);
bool set_issuer(struct setting *setting);
bool set_mask(struct setting *setting);

/* A value that is one string of its own. */
static inline bool
option_is_string(const struct option *option)
{
	return option->kind == STRING || option->kind == HOST || option->kind == PATH || option->kind == TEXT || option->kind == FOLDER ||
	    option->kind == URI || option->kind == DN || option->kind == ATTRIBUTE || option->kind == OUTGOING;
}

/* Whether a name of a server is imap://HOST or imaps://HOST, to which users are relayed. */
static inline bool
option_is_foreign_home(const char *name)
{
	return strncasecmp(name, "imap://", 7) == 0 || strncasecmp(name, "imaps://", 8) == 0;
}

/* Append the option's lines of a configuration file; nothing when it is empty. */
void option_print(const struct option *option, const struct config *config, struct buffer *out);

/*
 * Read a network: an address, a slash and how many bits of it count; an address alone is itself.
 *
 * False: it is none, or has bits behind those that count.
 */
bool network_parse(struct span text, struct config_network *network_out);
void network_print(const struct config_network *network, struct buffer *out);

/* Numeric text as an IPv6 address, IPv4 in it; false when it is none. */
bool network_parse_address(struct span text, uint8_t address_out[16]);

/* Whether both cannot be listened at: one is the other, or has it. */
bool network_listeners_clash(const struct config_listener *one, const struct config_listener *other);

/* Say that only one of two can be listened at. */
void config_complain_of_clash(const struct config *config, const struct config_listener *one,
    const struct config_listener *other, struct config_problems *problems);

void masks_free(struct config_masks *masks);
void issuers_free(struct config_issuers *issuers);

/* Free what the option holds. */
void option_fini(const struct option *option, struct config *config);

/*
 * The best so far of what may have been meant.  Slips are missing, needless, wrong and exchanged letters; a word
 * that was cut short counts as well.
 */
struct suggestion {
	const char *best;	/* NULL: none is near */
	unsigned cost;		/* below SUGGESTION_TWO_SLIPS: one */
};
#define SUGGESTION_TWO_SLIPS 20
void suggestion_consider(struct suggestion *suggestion, struct span given, const char *known);

/* Append "; did you mean" and the best, if there is one. */
void suggestion_print(const struct suggestion *suggestion, struct buffer *out);

/* Append what was probably meant, or all that there is. */
void option_print_choice(const struct option *option, const struct suggestion *suggestion, struct buffer *reason_out);

/* The option that a name from another server's configuration, or a slip, stands for; NULL: none. */
const char *option_suggest(struct span name);

/*
 * Find what another server calls an option.  False: nobody does.
 *
 *	own_out		ours that does the same; NULL: none does
 *	note_out	what to know of it; NULL: nothing
 */
bool foreign_find(struct span name, const char **own_out, const char **note_out);

/* The same for a word of an option's value. */
bool foreign_find_word(const char *option, struct span word, const char **own_out, const char **note_out);

/*
 * Hints, behind the reason that a value is refused for: what was probably meant, if that can be told.  hint.c.
 */

/* A path, also one that is written as others write it. */
void hint_path(struct span value, struct buffer *reason);

/* A name of a host, within a URL or beside a port; or one with letters that DNS does not have. */
void hint_host(struct span value, bool (*is_host)(struct span name), struct buffer *reason);

/* A network with a mask in the place of a number, or with stars. */
void hint_network(struct span value, struct buffer *reason);

/* Quotation marks that are none: 'x' and those of typography. */
void hint_quotes(struct span value, struct buffer *reason);

/* A line's words; words.c. */
#define WORDS_MAX (OPTION_VALUES_MAX + 2)	/* a name, its values, and one that is too many */

struct word {
	struct buffer text;
	unsigned column;	/* from 1 */
	bool is_quoted;
};

struct words {
	struct word at[WORDS_MAX];
	size_t count;
};

/* A column of a line at which stands what looks like a space and is none (U+00A0 and its like); 0: there is none. */
unsigned words_find_blank(struct span line, size_t *length_out);

/* Whether all words are UTF-8.  False: where the first begins that is not. */
bool words_are_utf8(const struct words *words, unsigned *column_out);

/* Whether a line holds what no line does, where, and what it is, static. */
bool words_find_control(struct span line, unsigned *column_out, const char **reason_out);

/* Cut a line into words.  False: reason_out, static, says what is wrong at column_out. */
bool words_split(struct words *words, struct span line, unsigned *column_out, const char **reason_out);
void words_remove(struct words *words, size_t index);

/* There is room: fewer than WORDS_MAX - 1 words.  The text is copied. */
void words_insert(struct words *words, size_t index, struct span text, unsigned column);
void words_free(struct words *words);

/* Of files: why a path cannot be used by somebody, for an operator; files.c. */
struct file_use {
	bool is_folder;
	int wish;		/* R_OK, W_OK, X_OK */
	const char *who;	/* the user we are, "user imapd" */
	bool is_other;		/* somebody else will use it, whose rights are not ours */
};
/* False: reason_out gets why. */
bool file_can_be_used(const char *path, const struct file_use *use, struct buffer *reason_out);

#endif
