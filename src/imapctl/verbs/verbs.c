/*
 * The verbs of imapctl: one table, from which come dispatch, help and suggestions.
 */
#include <stdio.h>
#include <string.h>

#include "../import/import.h"
#include "base/memory.h"
#include "base/span.h"
#include "verbs.h"

#define GROUP_WORDS_MAX 50	/* fewer than a line to the server may have */
#define STATUS_KINDS "server role listener certificate mailbox-server problem"

const struct verb verbs[] = {
	{ "user add", "NAME [--home=MBX] [--if-missing] [--no-password|--shared]", "add a user; the password comes on standard input",
	    NULL, false, OPTION_IF_MISSING | OPTION_HOME | OPTION_NO_PASSWORD | OPTION_SHARED | OPTION_QUOTA, 1, 1,
	    run_user_add },
	{ "user passwd", "NAME [--no-password]", "set another password, read from standard input",
	    NULL, false, OPTION_NO_PASSWORD, 1, 1, run_user_passwd },
	{ "user set", "NAME [--home=MBX|--home=] [--imap=on|off] [--entry=any] [--master[=on|off]] [--quota-storage=SIZE|none|default] "
	    "[--quota-messages=N|none|default] [--quota-mailboxes=N|none|default]",
	    "say where the mail is, whether IMAP is allowed, whose mailbox it is, who is a master, and how much it holds",
	    NULL, false, OPTION_HOME | OPTION_IMAP | OPTION_ENTRY | OPTION_MASTER | OPTION_QUOTA, 1, 1, run_user_set },
	{ "user allow", "NAME --delegate=NAME", "let somebody log in as a user or a shared account",
	    NULL, false, OPTION_DELEGATE, 1, 1, run_user_allow },
	{ "user deny", "NAME --delegate=NAME", "... or not any more",
	    NULL, false, OPTION_DELEGATE, 1, 1, run_user_deny },
	{ "user show", "NAME", "show a user's settings",
	    "user group delegate", false, 0, 1, 1, run_user_show },
	{ "user del", "NAME [--purge] [--yes]", "remove a user; the mail stays, unless it is to be purged",
	    "mail", true, OPTION_YES | OPTION_PURGE, 1, 1, run_user_del },
	{ "user purge", "NAME|ID [--yes]", "remove the mail of a user who was removed, for good",
	    "mail", true, OPTION_YES, 1, 1, run_user_purge },
	{ "user list", "[--orphans]", "list the users, or the mail that nobody has any more",
	    "user orphan", true, OPTION_ORPHANS, 0, 0, run_user_list },
	{ "user renew", "NAME [--yes]", "begin anew with an empty mailbox, when the user's file is gone for good",
	    NULL, false, OPTION_YES, 1, 1, run_user_renew },
	{ "quota", "NAME|--all", "show what a user keeps and may keep, or what all do",
	    "quota", true, OPTION_ALL, 0, 1, run_quota },
	{ "group add", "GROUP NAME...", "make users members of a group",
	    NULL, false, 0, 2, GROUP_WORDS_MAX, run_group_add },
	{ "group remove", "GROUP NAME...", "take users out of a group; one that is empty is gone",
	    NULL, false, 0, 2, GROUP_WORDS_MAX, run_group_remove },
	{ "group list", "[GROUP]", "list the groups, or one, with their members",
	    "member", true, 0, 0, 1, run_group_list },
	{ "import", "NAME [FORMAT] PATH [--mailbox=INBOX] [--labels=keywords|mailboxes]", "bring mail in, with flags and dates",
	    NULL, false, OPTION_MAILBOX | OPTION_LABELS, 2, 3, run_import },
	{ "index", "NAME|--all [--rebuild|--verify]", "index mail for SEARCH now, make the index anew, or compare it with the mail",
	    "index fault", true, OPTION_ALL | OPTION_REBUILD | OPTION_VERIFY, 0, 1, run_index },
	{ "verify", "NAME|--all", "compare a user's file with itself: rows, counters, and every octet with its digest",
	    "verify fault", true, OPTION_ALL, 0, 1, run_verify },
	{ "acl list", "NAME [MAILBOX]", "list the rights that others have in a user's mailboxes",
	    "acl", false, 0, 1, 2, run_acl_list },
	{ "acl set", "NAME MAILBOX IDENTIFIER RIGHTS", "give somebody rights in a mailbox; +RIGHTS adds some, -RIGHTS takes some",
	    NULL, false, 0, 4, 4, run_acl_set },
	{ "acl remove", "NAME MAILBOX IDENTIFIER", "take all rights in a mailbox from somebody",
	    NULL, false, 0, 3, 3, run_acl_remove },
	{ "acl seen", "NAME MAILBOX [private|shared|default]", "print or set whether all who share a mailbox have one \\Seen, or each their own",
	    "seen", false, 0, 2, 3, run_acl_seen },
	{ "status", "[cas|mailbox|all]", "show services, sessions and what is wrong; exits 0, 1 if anything is, 3 if not running",
	    STATUS_KINDS, false, 0, 0, 1, run_status },
	{ "acknowledge", "NAME|all", "take a user's problems off the list of status, or all",
	    "acknowledged", false, 0, 1, 1, run_acknowledge },
	{ "services", "", "a console on a terminal, a table elsewhere",
	    "service", false, 0, 0, 0, run_services },
	{ "start", "cas|mailbox|all", "start a service in the running server",
	    "service", true, 0, 1, 1, run_start },
	{ "stop", "cas|mailbox|all", "stop a service; its clients get BYE",
	    "service", true, 0, 1, 1, run_stop },
	{ "drain", "cas|mailbox|all", "stop a service when its clients have left one by one",
	    "service", true, 0, 1, 1, run_drain },
	{ "restart", "cas|mailbox|all", "stop a service and start it again",
	    "service", true, 0, 1, 1, run_restart },
	{ "net start", "imap4|imap4be", "start, as Exchange Server's operators type it",
	    "service", true, 0, 1, 1, run_net_start },
	{ "net stop", "imap4|imap4be", "stop, likewise",
	    "service", true, 0, 1, 1, run_net_stop },
	{ "log", "[LINES]", "print the last lines of the server's log, 50 if not said",
	    "line", false, 0, 0, 1, run_log },
	{ "who", "[NAME]", "list sessions",
	    "session", false, 0, 0, 1, run_who },
	{ "kick", "NAME|SID", "end the sessions of a user, or one session",
	    "kicked", false, 0, 1, 1, run_kick },
	{ "reload", "", "read configuration and certificates again",
	    "problem", true, 0, 0, 0, run_reload },
	{ "link-key", "FILE", "make the key that the hosts of a site share",
	    NULL, false, 0, 1, 1, run_link_key },
	{ "config show", "", "print all settings, with the defaults of those not set",
	    "option", false, 0, 0, 0, run_config_show },
	{ NULL, NULL, NULL, NULL, false, 0, 0, 0, NULL },
};

static size_t
words_in(const char *name)
{
	return strchr(name, ' ') == NULL ? 1 : 2;
}

/* The first words typed, joined as in a verb's name; false when there are fewer. */
static bool
join(char *const *words, size_t count, size_t wanted, char *out, size_t size)
{
	if (count < wanted)
		return false;
	snprintf(out, size, "%s%s%s", words[0], wanted > 1 ? " " : "", wanted > 1 ? words[1] : "");
	return true;
}

const struct verb *
verb_find(char *const *words, size_t count, size_t *used_out)
{
	char typed[64];

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		size_t wanted = words_in(verb->name);

		if (join(words, count, wanted, typed, sizeof typed) &&
		    strcmp(typed, verb->name) == 0) {
			*used_out = wanted;
			return verb;
		}
	}
	return NULL;
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* How many letters must change, come or go: Levenshtein's distance, for words below 64 letters. */
static size_t
distance(const char *from, const char *to)
{
	size_t row[64], length = strlen(to);

	if (length >= COUNT_OF(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; from[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			    diagonal + (from[i - 1] != to[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

const struct verb *
verb_suggest(char *const *words, size_t count)
{
	const struct verb *best = NULL;
	size_t best_distance = 4;
	char typed[64];

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		size_t wanted = words_in(verb->name), far;

		if (!join(words, count, count < wanted ? count : wanted, typed, sizeof typed))
			continue;
		if (strncmp(verb->name, typed, strlen(typed)) == 0)
			return verb;
		far = distance(typed, verb->name);
		if (far < best_distance) {
			best_distance = far;
			best = verb;
		}
	}
	return best;
}

void
help_print(void)
{
	fputs("Examples:\n"
	      "  imapctl status\n"
	      "  imapctl start all\n"
	      "  imapctl user add alice                              (asks for the password)\n"
	      "  imapctl user add alice --if-missing < password-file\n"
	      "  imapctl import alice ~alice/Maildir\n"
	      "  imapctl import alice mbox list.mbox --mailbox=Lists/r-devel\n"
	      "\n"
	      "Usage: imapctl [--config=FILE] [--json] [--timeout=SECONDS] VERB ...\n"
	      "\n"
	      "Verbs:\n",
	    stdout);
	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		char usage[256];

		snprintf(usage, sizeof usage, "%s %s", verb->name, verb->arguments);
		printf("  %-54s %s\n", usage, verb->purpose);
	}
	fputs("\nOptions:\n"
	      "  --config=FILE  the server's configuration, " SYSCONF "/imapd/imapd.conf if not given\n"
	      "  --json         one JSON object on standard output\n"
	      "  --timeout=SECONDS  give up when the server is silent for so long; 30 if not said\n"
	      "  --help, --version\n"
	      "\n"
	      "See imapctl(8).\n",
	    stdout);
}
