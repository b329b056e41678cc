/*
 * What the operator ordered: the words and options of one call of imapctl.
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
	OPTION_NO_PASSWORD = 8192,
	OPTION_PURGE = 16384,
	OPTION_ORPHANS = 32768,
	OPTION_ALL = 256,
	OPTION_REBUILD = 512,
	OPTION_VERIFY = 1024,
	OPTION_SHARED = 2048,
	OPTION_QUOTA_STORAGE = 65536,
	OPTION_QUOTA_MESSAGES = 131072,
	OPTION_QUOTA_MAILBOXES = 262144,
	OPTION_MASTER = 524288,
	OPTION_DELEGATE = 1048576,
	OPTION_QUOTA = OPTION_QUOTA_STORAGE | OPTION_QUOTA_MESSAGES | OPTION_QUOTA_MAILBOXES,
};

struct order {
	const struct verb *verb;
	const char *config_path;
	const char *mailbox;	/* NULL: INBOX */
	const char *home;	/* with OPTION_HOME; empty: this host */
	const char *imap;	/* with OPTION_IMAP: on or off */
	const char *entry;	/* with OPTION_ENTRY: any */
	const char *master;	/* with OPTION_MASTER: on or off */
	const char *delegate;	/* with OPTION_DELEGATE */
	const char *quota_storage, *quota_messages, *quota_mailboxes;	/* with their options */
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

/* "imapctl: ..." on standard error, and the member error of the JSON object. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What was complained of last; NULL: nothing.  Borrowed until the next complaint. */
const char *complaint(void);

/* Say on standard output what was done; a program sees it in the exit status. */
void order_say(const struct order *order, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
