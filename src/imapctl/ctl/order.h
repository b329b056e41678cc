/*
 * What the operator ordered: the words and options of one call of imapctl.
 */
#ifndef IMAPCTL_ORDER_H
#define IMAPCTL_ORDER_H

#include "base/arena.h"
#include "base/buffer.h"

struct config;

/* Options of verbs; what they are called is in options.c. */
enum order_option {
	OPTION_JSON,
	OPTION_TIMEOUT,
	OPTION_IF_MISSING,
	OPTION_MAILBOX,
	OPTION_YES,
	OPTION_FILE,
	OPTION_SECONDS,
	OPTION_ONLY,
	OPTION_FOLLOW,
	OPTION_HOME,
	OPTION_IMAP,
	OPTION_ENTRY,
	OPTION_MASTER,
	OPTION_DELEGATE,
	OPTION_ALIAS,
	OPTION_ABANDON,
	OPTION_QUOTA_STORAGE,
	OPTION_QUOTA_MESSAGES,
	OPTION_QUOTA_MAILBOXES,
	OPTION_NO_PASSWORD,
	OPTION_SHARED,
	OPTION_PURGE,
	OPTION_ORPHANS,
	OPTION_ALL,
	OPTION_REBUILD,
	OPTION_VERIFY,
	OPTION_LABELS,
	OPTION_EXCLUDE,
	OPTION_PASSWORD_FILE,
	OPTION_AUTH,
	OPTION_LOGIN,
	OPTION_TLS_CA,
	OPTION_INSECURE,
	OPTION_LIGHT,
	OPTION_INTERVAL,
	OPTION_MIRROR,
	OPTION_DRY_RUN,
	OPTION_LIST,
	OPTION_JOBS,
	OPTION_JOBS_PER_HOST,
	OPTION_NON_DEFAULT,
	OPTION_DEFAULTS,
	OPTION_ORIGIN,
	OPTION_NAMES,
	OPTION_HOSTNAME,
	OPTION_ROLE,
	OPTION_MAILBOX_SERVER,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_SELF_SIGNED,
	OPTION_USER,
	OPTION_OUT,
	OPTION_DNS,
	OPTION_SMTP,
	OPTION_STRANGERS,
	OPTION_CLIENT,
	OPTION_COUNTED,
	OPTION_BY,
	OPTION_SORT,
	OPTION_LIST_KEPT,
	OPTION_SINCE,
	OPTION_BEFORE,
	OPTION_SEARCH,
	OPTION_INTO,
	OPTION_END,
	OPTION_FORMAT,
	OPTION_UPDATE,
	OPTION_RATE,
	OPTION_AS,
	OPTION_REPLACE,
	OPTION_REPAIR,
	OPTION_STATUS,
	OPTION_CANCEL,
	OPTION_COUNT
};

/* One in a set of options. */
typedef unsigned __int128 order_set;
#define OPTION_BIT(option) ((order_set)1 << (option))

/* What an option was given, in the order of the command line. */
struct order_value {
	enum order_option option;
	const char *text;
};

struct order {
	const struct verb *verbs;	/* all; the last has no name */
	const struct verb *verb;
	const char *config_path;
	unsigned timeout_s;	/* with OPTION_TIMEOUT: how long the server may be silent */
	struct buffer *json;	/* with OPTION_JSON: members of the one object, each behind a comma; else NULL */
	bool is_help, is_version;	/* asked for instead */
	order_set given;	/* a set of options */
	struct order_value *values;	/* of those that take one */
	size_t value_count;
	char **words;		/* behind the verb */
	size_t word_count;
};

struct verb {
	const char *name;	/* one word or two */
	const char *arguments;
	const char *purpose;
	const char *kinds;	/* of the records that it prints, in this order, separated by spaces; NULL: none */
	bool is_slow;		/* the server answers when something has ended, a drain for instance */
	order_set options;	/* the set of those that make sense, beside those of all verbs */
	size_t words_min, words_max;
	int (*run)(const struct order *order);
	const char *example;	/* of words and options behind "imapctl " */
};

static inline bool
order_has(const struct order *order, enum order_option option)
{
	return (order->given & OPTION_BIT(option)) != 0;
}

/* What an option was given last; NULL: it was not given. */
const char *order_value(const struct order *order, enum order_option option);

/*
 * Read the configuration.  NULL: what is wrong was said on standard error, the exit code is EX_CONFIG.
 */
struct config *order_config(const struct order *order);

/* The same, but nothing except where the server is to be found has to be right: it runs with what was right once. */
struct config *order_find_server(const struct order *order);

/* "imapctl: ..." on standard error, and the member error of the JSON object. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What was complained of last; NULL: nothing.  Borrowed until the next complaint. */
const char *complaint(void);

/* Say on standard output what was done; a program sees it in the exit status. */
void order_say(const struct order *order, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
