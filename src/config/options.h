/*
 * The table of options and what its columns mean.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config/config.h"

enum option_kind { STRING, PATH, NUMBER, AUTO_NUMBER, SECONDS, SIZE, BOOL, WORD, TEXT, LISTEN, LMTP_LISTEN,
	LINK_LISTEN, SERVER, DIRECTORY, CERTIFICATE, NETWORK, NAMES, WORDS, MASK };
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

#define OPTION_COUNT 55
#define OPTION_VALUES_MAX 64	/* names in a line of deny-users */
#define LDAP_SERVERS_MAX  8

extern const struct option options[OPTION_COUNT];

struct config_places {
	struct {
		char *file;	/* NULL: not set */
		unsigned line, column;
	} at[OPTION_COUNT];
};

/* Index of an option, or OPTION_COUNT. */
size_t option_find(struct span name);

static inline bool
option_is_repeatable(const struct option *option)
{
	return option->kind == LISTEN || option->kind == LMTP_LISTEN || option->kind == LINK_LISTEN ||
	    option->kind == SERVER || option->kind == CERTIFICATE || option->kind == NETWORK ||
	    option->kind == NAMES || option->kind == WORDS || option->kind == MASK;
}

/* Where its value is. */
static inline void *
option_place(const struct option *option, const struct config *config)
{
	return (char *)(uintptr_t)config + option->offset;
}

/* Whether a value of this option can have so many words. */
static inline bool
option_takes(const struct option *option, size_t count)
{
	switch (option->kind) {
	case DIRECTORY:
		return count >= 1 && count <= 1 + LDAP_SERVERS_MAX;
	case NAMES:
	case WORDS:
		return count >= 1 && count <= OPTION_VALUES_MAX;
	case MASK:
		return count >= 1 && count <= 4;
	case LISTEN:
		return count == 2 || count == 3;
	case CERTIFICATE:
		return count == 3;
	default:
		return count == (option->kind == SERVER ? 2 : 1);
	}
}

/* A word of an option's table, in any case; NULL: there is none. */
const struct option_word *option_find_word(const char *name, struct span word);

/*
 * Put a value into the configuration.
 *
 *	count	of words; as option_takes() permits
 *
 * False: reason_out gets what is wrong with word *word_out.
 */
bool option_set(const struct option *option, struct config *config, const struct span *values,
    size_t count, size_t *word_out, struct buffer *reason_out);

/* option_set() for WORDS: each must be in the option's table; access.c. */
bool option_add_words(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out);

/* The same for MASK; mask.c. */
bool option_add_mask(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out);
void option_free_masks(struct config_masks *masks);

/* Append the option's lines of a configuration file; nothing when it is empty. */
void option_print(const struct option *option, const struct config *config, struct buffer *out);

/*
 * Read a network: an address, a slash and how many bits of it count; an address alone is itself.
 *
 * False: it is none, or has bits behind those that count.
 */
bool network_parse(struct span text, struct config_network *network_out);
void network_print(const struct config_network *network, struct buffer *out);

/* Free what the option holds. */
void option_fini(const struct option *option, struct config *config);

/* Keep known as the best so far when it is at most two slips away from given. */
struct suggestion {
	const char *best;	/* NULL: none is near */
	size_t distance;
};
void suggestion_consider(struct suggestion *suggestion, struct span given, const char *known);

/* Append what was probably meant, or all that there is. */
void option_print_choice(const struct option *option, const struct suggestion *suggestion, struct buffer *reason_out);

/* Append "; did you mean" and the best, if there is one. */
void suggestion_print(const struct suggestion *suggestion, struct buffer *out);

#endif
