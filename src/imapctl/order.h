/*
 * What the operator ordered: the words and options of one call of imapctl, and how verbs are found.
 */
#ifndef IMAPCTL_ORDER_H
#define IMAPCTL_ORDER_H

#include "base/arena.h"
#include "base/buffer.h"

struct config;

enum order_option {
	OPTION_JSON = 1,
	OPTION_IF_MISSING = 2,
	OPTION_MAILBOX = 4,
	OPTION_YES = 8,
	OPTION_HOME = 16,
	OPTION_IMAP = 32,
	OPTION_TIMEOUT = 64,
	OPTION_LABELS = 128,
	OPTION_ENTRY = 4096,
};

struct order {
	const struct verb *verb;
	const char *config_path;
	const char *mailbox;	/* NULL: INBOX */
	const char *home;	/* with OPTION_HOME; empty: this host */
	const char *imap;	/* with OPTION_IMAP: on or off */
	const char *entry;	/* with OPTION_ENTRY: any */
	unsigned timeout_s;	/* with OPTION_TIMEOUT: how long the server may be silent */
	struct buffer *json;	/* with OPTION_JSON: members of the one object, each behind a comma; else NULL */
	const char *labels;	/* with OPTION_LABELS: keywords or mailboxes */
	unsigned given;		/* enum order_option */
	char **words;		/* behind the verb */
	size_t word_count;
};

struct verb {
	const char *name;	/* one word or two */
	const char *arguments;
	const char *purpose;
	const char *kinds;	/* of the records that it prints, in this order, separated by spaces; NULL: none */
	bool is_slow;		/* the server answers when something has ended, a drain for instance */
	unsigned options;	/* enum order_option that make sense, beside those of all verbs */
	size_t words_min, words_max;
	int (*run)(const struct order *order);
};

extern const struct verb verbs[];	/* the last has no name */

/* Find by the first one or two words; *used_out says how many. */
const struct verb *verb_find(char *const *words, size_t count, size_t *used_out);

/* The verb whose name is nearest to what was typed, or NULL when none is near. */
const struct verb *verb_suggest(char *const *words, size_t count);

/* The whole help, examples first. */
void help_print(void);

static inline bool
order_has(const struct order *order, enum order_option option)
{
	return (order->given & option) != 0;
}

/*
 * Read the configuration.  NULL: what is wrong was said on standard error, the exit code is EX_CONFIG.
 */
struct config *order_config(const struct order *order);

/* The same, but nothing except where the server is to be found has to be right: it runs with what was right once. */
struct config *order_find_server(const struct order *order);

/* The verbs; each returns an exit code. */
int run_user_add(const struct order *order);
int run_user_passwd(const struct order *order);
int run_user_set(const struct order *order);
int run_user_show(const struct order *order);
int run_user_del(const struct order *order);
int run_user_list(const struct order *order);
int run_import(const struct order *order);
int run_status(const struct order *order);
int run_start(const struct order *order);
int run_stop(const struct order *order);
int run_drain(const struct order *order);
int run_restart(const struct order *order);
int run_net_start(const struct order *order);
int run_net_stop(const struct order *order);
int run_services(const struct order *order);
int run_log(const struct order *order);
int run_who(const struct order *order);
int run_kick(const struct order *order);
int run_reload(const struct order *order);
int run_link_key(const struct order *order);
int run_config_show(const struct order *order);

/* "imapctl: ..." on standard error, and the member error of the JSON object. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say on standard output what was done; a program sees it in the exit status. */
void order_say(const struct order *order, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
