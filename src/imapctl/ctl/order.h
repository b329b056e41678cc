/*
 * What the operator ordered: the words and options of one call of imapctl.
 */
#ifndef IMAPCTL_ORDER_H
#define IMAPCTL_ORDER_H

#include "base/arena.h"
#include "base/buffer.h"

struct config;

/* Options of verbs, as bits of order.given and verb.options. */
typedef uint64_t order_options;

#define OPTION_JSON		(UINT64_C(1) << 0)
#define OPTION_IF_MISSING	(UINT64_C(1) << 1)
#define OPTION_MAILBOX		(UINT64_C(1) << 2)
#define OPTION_YES		(UINT64_C(1) << 3)
#define OPTION_HOME		(UINT64_C(1) << 4)
#define OPTION_IMAP		(UINT64_C(1) << 5)
#define OPTION_TIMEOUT		(UINT64_C(1) << 6)
#define OPTION_LABELS		(UINT64_C(1) << 7)
#define OPTION_ALL		(UINT64_C(1) << 8)
#define OPTION_REBUILD		(UINT64_C(1) << 9)
#define OPTION_VERIFY		(UINT64_C(1) << 10)
#define OPTION_SHARED		(UINT64_C(1) << 11)
#define OPTION_ENTRY		(UINT64_C(1) << 12)
#define OPTION_NO_PASSWORD	(UINT64_C(1) << 13)
#define OPTION_PURGE		(UINT64_C(1) << 14)
#define OPTION_ORPHANS		(UINT64_C(1) << 15)
#define OPTION_QUOTA_STORAGE	(UINT64_C(1) << 16)
#define OPTION_QUOTA_MESSAGES	(UINT64_C(1) << 17)
#define OPTION_QUOTA_MAILBOXES	(UINT64_C(1) << 18)
#define OPTION_MASTER		(UINT64_C(1) << 19)
#define OPTION_DELEGATE		(UINT64_C(1) << 20)
#define OPTION_QUOTA		(OPTION_QUOTA_STORAGE | OPTION_QUOTA_MESSAGES | OPTION_QUOTA_MAILBOXES)

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
	order_options given;
	char **words;		/* behind the verb */
	size_t word_count;
};

struct verb {
	const char *name;	/* one word or two */
	const char *arguments;
	const char *purpose;
	const char *kinds;	/* of the records that it prints, in this order, separated by spaces; NULL: none */
	bool is_slow;		/* the server answers when something has ended, a drain for instance */
	order_options options;	/* that make sense, beside those of all verbs */
	size_t words_min, words_max;
	int (*run)(const struct order *order);
};

static inline bool
order_has(const struct order *order, order_options option)
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
