/*
 * The verbs of imapctl: one table, from which come dispatch, help and suggestions.
 */
#include <stdio.h>
#include <string.h>

#include "../backup/backup.h"
#include "../doctor/doctor.h"
#include "../export/export.h"
#include "../setup/setup.h"
#include "base/memory.h"
#include "base/span.h"
#include "verbs.h"

#define GROUP_WORDS_MAX 50	/* fewer than a line to the server may have */
#define STATUS_KINDS "server role listener certificate mailbox-server relay problem"

#define OF(option) OPTION_BIT(OPTION_##option)
#define QUOTAS	   (OF(QUOTA_STORAGE) | OF(QUOTA_MESSAGES) | OF(QUOTA_MAILBOXES))

/* Of two names that begin with the same word, the longer stands first. */
const struct verb verbs[] = {
	{ "setup", "[--hostname=NAME] [--cert=FILE --key=FILE|--self-signed] [--user=NAME] [--role=cas|mailbox|both] "
	    "[--mailbox-server=HOST] [--dry-run] [--yes]",
	    "set this host up: configuration, folders, certificate, first user; run again, it changes nothing",
	    NULL, false, OF(HOSTNAME) | OF(CERT) | OF(KEY) | OF(SELF_SIGNED) | OF(USER) | OF(ROLE) | OF(MAILBOX_SERVER) |
	    OF(DRY_RUN) | OF(YES), 0, 0, run_setup,
	    "setup --hostname=mail.example.org --user=alice@example.org" },
	{ "doctor", "[--dns[=DOMAIN]]",
	    "look for what is wrong with this host, and say what mends it; needs no running server",
	    "finding", false, OF(DNS), 0, 0, run_doctor,
	    "doctor --dns" },
	{ "user add", "NAME [--home=SERVER] [--if-missing] [--no-password|--shared]", "add a user; the password comes on standard input",
	    NULL, false, OF(IF_MISSING) | OF(HOME) | OF(NO_PASSWORD) | OF(SHARED) | QUOTAS, 1, 1,
	    run_user_add, "user add alice --quota-storage=5G < password-file" },
	{ "user import", "FILE [--format=passwd-file|shadow] [--if-missing|--update] [--home=SERVER] [--no-password] [--dry-run]",
	    "add the users of another program's file, with their hashes of passwords",
	    "import refusal field", false, OF(FORMAT) | OF(IF_MISSING) | OF(UPDATE) | OF(HOME) | OF(NO_PASSWORD) | OF(DRY_RUN), 1, 1,
	    run_user_import, "user import users.passwd" },
	{ "user passwd", "NAME [--no-password]", "set another password, read from standard input",
	    NULL, false, OF(NO_PASSWORD), 1, 1, run_user_passwd,
	    "user passwd alice < password-file" },
	{ "user rename", "NAME NEW-NAME [--alias|--abandon]", "give a user another name; mail, password, groups, aliases and rights stay the user's",
	    "rename setting", true, OF(ALIAS) | OF(ABANDON), 2, 2, run_user_rename,
	    "user rename alice alice.smith --alias" },
	{ "user set", "NAME [--home=SERVER|--home=] [--imap=on|off] [--entry=any] [--master[=on|off]] [--quota-storage=SIZE|none|default] "
	    "[--quota-messages=N|none|default] [--quota-mailboxes=N|none|default]",
	    "say where the mail is, whether IMAP is allowed, whose mailbox it is, who is a master, and how much it holds",
	    NULL, false, OF(HOME) | OF(IMAP) | OF(ENTRY) | OF(MASTER) | QUOTAS, 1, 1, run_user_set,
	    "user set alice --imap=off" },
	{ "user allow", "NAME --delegate=NAME", "let somebody log in as a user or a shared account",
	    NULL, false, OF(DELEGATE), 1, 1, run_user_allow,
	    "user allow alice --delegate=bob" },
	{ "user deny", "NAME --delegate=NAME", "... or not any more",
	    NULL, false, OF(DELEGATE), 1, 1, run_user_deny,
	    "user deny alice --delegate=bob" },
	{ "user show", "NAME", "show a user's settings",
	    "user group delegate alias", false, 0, 1, 1, run_user_show,
	    "user show alice" },
	{ "user del", "NAME [--purge] [--yes]", "remove a user; the mail stays, unless it is to be purged",
	    "mail alias", true, OF(YES) | OF(PURGE), 1, 1, run_user_del,
	    "user del alice" },
	{ "user purge", "NAME|ID [--yes]", "remove the mail of a user who was removed, for good",
	    "mail", true, OF(YES), 1, 1, run_user_purge,
	    "user purge alice --yes" },
	{ "user list", "[--orphans]", "list the users, or the mail that nobody has any more",
	    "user orphan", true, OF(ORPHANS), 0, 0, run_user_list,
	    "user list --orphans" },
	{ "user renew", "NAME [--yes]", "begin anew with an empty mailbox, when the user's file is gone for good",
	    NULL, false, OF(YES), 1, 1, run_user_renew,
	    "user renew alice --yes" },
	{ "quota", "NAME|--all", "show what a user keeps and may keep, or what all do",
	    "quota", true, OF(ALL), 0, 1, run_quota,
	    "quota --all" },
	{ "alias add", "ALIAS NAME", "give a user or shared account another name, or @ and a domain for all that is nobody's there",
	    NULL, false, 0, 2, 2, run_alias_add,
	    "alias add info@example.org alice" },
	{ "alias import", "FILE [--update] [--dry-run]", "give users the aliases of a file, which has an alias and a user on each line",
	    "import refusal", false, OF(UPDATE) | OF(DRY_RUN), 1, 1, run_alias_import,
	    "alias import aliases" },
	{ "alias remove", "ALIAS", "take it back",
	    NULL, false, 0, 1, 1, run_alias_remove,
	    "alias remove info@example.org" },
	{ "alias list", "[NAME]", "list the aliases of all, or of one user",
	    "alias", false, 0, 0, 1, run_alias_list,
	    "alias list alice" },
	{ "group add", "GROUP NAME...", "make users members of a group",
	    NULL, false, 0, 2, GROUP_WORDS_MAX, run_group_add,
	    "group add sales alice bob" },
	{ "group remove", "GROUP NAME...", "take users out of a group; one that is empty is gone",
	    NULL, false, 0, 2, GROUP_WORDS_MAX, run_group_remove,
	    "group remove sales bob" },
	{ "group list", "[GROUP]", "list the groups, or one, with their members",
	    "member", true, 0, 0, 1, run_group_list,
	    "group list sales" },
	{ "import", "NAME [FORMAT] PATH|imap://USER@HOST|--list=FILE [--jobs=N] [--jobs-per-host=N] [--mailbox=INBOX] [--exclude=PATTERN] [--labels=keywords|mailboxes] "
	    "[--password-file=FILE] [--auth=MECHANISM] [--login=USER] [--tls-ca=FILE] [--insecure] [--mirror|--dry-run|--verify]",
	    "bring mail in from files or another server, with flags and dates",
	    NULL, false, OF(MAILBOX) | OF(EXCLUDE) | OF(LABELS) | OF(PASSWORD_FILE) | OF(AUTH) | OF(LOGIN) | OF(TLS_CA) |
	    OF(INSECURE) | OF(MIRROR) | OF(DRY_RUN) | OF(VERIFY) | OF(LIST) | OF(JOBS) | OF(JOBS_PER_HOST), 0, 3, run_import_any,
	    "import alice mbox list.mbox --mailbox=Lists/r-devel" },
	{ "export", "NAME [FORMAT] PATH|URL [--mailbox=PATTERN]... [--mirror] [--password-file=FILE] [--auth=MECHANISM] [--login=USER] "
	    "[--tls-ca=FILE] [--insecure]", "take mail out, with flags and dates, into files of other programs or another server",
	    NULL, false, OF(MAILBOX) | OF(MIRROR) | OF(PASSWORD_FILE) | OF(AUTH) | OF(LOGIN) | OF(TLS_CA) | OF(INSECURE), 2, 3, run_export,
	    "export alice maildir /backup/alice" },
	{ "backup", "FOLDER [--user=NAME]... [--rate=SIZE]|--verify", "copy the mail of all users, or some, into a folder while they work; or compare what lies there",
	    "backup fault", true, OF(USER) | OF(RATE) | OF(VERIFY), 1, 1, run_backup,
	    "backup /srv/backup --rate=20M" },
	{ "restore", "FOLDER NAME|--all [--as=NAME] [--mailbox=PATTERN]... [--search=KEYS] [--into=MAILBOX] [--dry-run] [--replace [--yes]]",
	    "bring mail back out of a backup: a user, some mailboxes, or what a search finds",
	    "restore", true, OF(ALL) | OF(AS) | OF(MAILBOX) | OF(SEARCH) | OF(INTO) | OF(DRY_RUN) | OF(REPLACE) | OF(YES), 1, 2, run_restore,
	    "restore /srv/backup alice --mailbox=INBOX --search='SINCE 1-Nov-2026'" },
	{ "move", "NAME SERVER [--yes] | NAME --cancel | [NAME] --status", "move a user to another mailbox server, while the user works",
	    "move share", true, OF(YES) | OF(STATUS) | OF(CANCEL), 0, 2, run_move,
	    "move alice mbx2" },
	{ "index", "NAME|--all [--rebuild|--verify]", "index mail for SEARCH now, make the index anew, or compare it with the mail",
	    "index fault", true, OF(ALL) | OF(REBUILD) | OF(VERIFY), 0, 1, run_index,
	    "index --all" },
	{ "verify", "NAME|--all [--repair] [--yes]", "compare a user's file with itself: rows, counters, every octet, and all that is made from them",
	    "verify fault repaired", true, OF(ALL) | OF(REPAIR) | OF(YES), 0, 1, run_verify,
	    "verify alice" },
	{ "undelete", "NAME [--list] [--mailbox=PATTERN]... [--since=TIME] [--before=TIME] [--search=KEYS] [--into=MAILBOX]",
	    "bring expunged mail back, or list what is kept of it",
	    "message undelete", true, OF(LIST_KEPT) | OF(MAILBOX) | OF(SINCE) | OF(BEFORE) | OF(SEARCH) | OF(INTO), 1, 1, run_undelete,
	    "undelete alice --mailbox=Projects --since=3d" },
	{ "acl list", "NAME [MAILBOX]", "list the rights that others have in a user's mailboxes",
	    "acl", false, 0, 1, 2, run_acl_list,
	    "acl list alice Projects" },
	{ "acl set", "NAME MAILBOX IDENTIFIER RIGHTS", "give somebody rights in a mailbox; +RIGHTS adds some, -RIGHTS takes some",
	    NULL, false, 0, 4, 4, run_acl_set,
	    "acl set alice Projects bob lrs" },
	{ "acl remove", "NAME MAILBOX IDENTIFIER", "take all rights in a mailbox from somebody",
	    NULL, false, 0, 3, 3, run_acl_remove,
	    "acl remove alice Projects bob" },
	{ "acl seen", "NAME MAILBOX [private|shared|default]", "print or set whether all who share a mailbox have one \\Seen, or each their own",
	    "seen", false, 0, 2, 3, run_acl_seen,
	    "acl seen alice Projects shared" },
	{ "status", "[cas|mailbox|all]", "show services, sessions and what is wrong; exits 0, 1 if anything is, 3 if not running",
	    STATUS_KINDS, false, 0, 0, 1, run_status,
	    "status --json" },
	{ "acknowledge", "NAME|all", "take a user's problems off the list of status, or all",
	    "acknowledged", false, 0, 1, 1, run_acknowledge,
	    "acknowledge all" },
	{ "services", "", "a console on a terminal, a table elsewhere",
	    "service", false, 0, 0, 0, run_services,
	    "services" },
	{ "web", "[--end]", "print a link to the page in a browser, good once; or end its sessions",
	    "web ended", false, OF(END), 0, 0, run_web,
	    "web" },
	{ "start", "cas|mailbox|all", "start a service in the running server",
	    "service", true, 0, 1, 1, run_start,
	    "start all" },
	{ "stop", "cas|mailbox|all", "stop a service; its clients get BYE",
	    "service", true, 0, 1, 1, run_stop,
	    "stop cas" },
	{ "drain", "cas|mailbox|all", "stop a service when its clients have left one by one",
	    "service", true, 0, 1, 1, run_drain,
	    "drain cas" },
	{ "restart", "cas|mailbox|all", "stop a service and start it again",
	    "service", true, 0, 1, 1, run_restart,
	    "restart mailbox" },
	{ "net start", "imap4|imap4be", "start, as Exchange Server's operators type it",
	    "service", true, 0, 1, 1, run_net_start,
	    "net start imap4" },
	{ "net stop", "imap4|imap4be", "stop, likewise",
	    "service", true, 0, 1, 1, run_net_stop,
	    "net stop imap4be" },
	{ "health", "[--light]", "say in Exchange's words whether all is well; exits 0, 1 if not, 3 if not running",
	    "health-set component probe", true, OF(LIGHT), 0, 0, run_health,
	    "health" },
	{ "test-connectivity", "imap://USER@HOST|imaps://USER@HOST [--light] [--password-file=FILE] [--auth=MECHANISM] [--login=USER] "
	    "[--tls-ca=FILE] [--insecure]", "try a server as a client does, step by step, from here",
	    "step", true, OF(LIGHT) | OF(PASSWORD_FILE) | OF(AUTH) | OF(LOGIN) | OF(TLS_CA) | OF(INSECURE), 1, 1, run_test_connectivity,
	    "test-connectivity imaps://alice@mail.example.org --password-file=secret" },
	{ "stats", "[--interval=SECONDS]", "show what the server does: amounts, rates, and how long commands take",
	    "period amount rate command", true, OF(INTERVAL), 0, 0, run_stats,
	    "stats --interval=5" },
	{ "metrics", "", "print what the server counts and measures, as Prometheus reads it",
	    "moment series histogram", false, 0, 0, 0, run_metrics,
	    "metrics" },
	{ "log level", "[error|warning|info|debug]", "print or set how much is logged, until the next reload or start",
	    "log-level", false, 0, 0, 1, run_log_level,
	    "log level debug" },
	{ "log", "[LINES] [--only=KEY=VALUE]... [--follow]", "print the last lines of the server's log, 50 if not said, or those that come",
	    "line", false, OF(ONLY) | OF(FOLLOW), 0, 1, run_log,
	    "log 200 --only=user=alice" },
	{ "who", "[NAME|SID|ADDRESS] [--strangers] [--client=TEXT] [--sort=user|address|client|state|age|idle|in|out] "
	    "[--count|--by=user|address|client|state|tls]",
	    "list sessions: whose, from where, by which client, and what they do", "session group count", false,
	    OF(STRANGERS) | OF(CLIENT) | OF(SORT) | OF(COUNTED) | OF(BY), 0, 1, run_who,
	    "who --sort=out" },
	{ "kick", "NAME|SID|ADDRESS [--yes]", "end the sessions of a user, one session, or all from an address or network",
	    "kicked", false, OF(YES), 1, 1, run_kick,
	    "kick alice" },
	{ "trace", "NAME|SID|ADDRESS [--file=FILE] [--seconds=N]", "show what clients say and are answered, without passwords and mail",
	    "line", false, OF(FILE) | OF(SECONDS), 1, 1, run_trace,
	    "trace alice --seconds=60" },
	{ "reload", "", "read configuration and certificates again",
	    "problem", true, 0, 0, 0, run_reload,
	    "reload" },
	{ "link-key", "FILE", "make the key that the hosts of a site share",
	    NULL, false, 0, 1, 1, run_link_key,
	    "link-key /etc/imapd/link.key" },
	{ "config show", "[-n|-a|-d] [--origin] [OPTION...]",
	    "print settings: all, those that differ from the defaults (-n), or the defaults (-d); and where they are set",
	    "option", false, OF(NON_DEFAULT) | OF(ALL) | OF(DEFAULTS) | OF(ORIGIN),
	    0, SIZE_MAX, run_config_show,
	    "config show -n --origin" },
	{ "config diff", "", "compare what the server runs with to what the files say; exits 1 if they differ",
	    "difference", false, 0, 0, 0, run_config_diff,
	    "config diff" },
	{ "sysreport", "[FILE] [--names]", "collect what others need to know of a fault: no mail, no secrets, and names of users only if wanted",
	    "part", false, OF(NAMES), 0, 1, run_sysreport,
	    "sysreport report.txt" },
	{ "clientconfig", "DOMAIN --out=FOLDER [--smtp=HOST[:PORT]]",
	    "write what mail programs ask a domain for to set themselves up, for a web server, and lines for its zone",
	    NULL, false, OF(OUT) | OF(SMTP), 1, 1, run_clientconfig,
	    "clientconfig example.org --out=/var/www/autoconfig --smtp=mail.example.org:465" },
	{ "completion", "bash|zsh|fish", "print what a shell needs to complete the words of imapctl",
	    NULL, false, 0, 1, 1, run_completion,
	    "completion bash" },
	{ 0 },
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

/* Words for one thing, as other programs have them. */
static const char *const synonyms[][8] = {
	{ "remove", "rm", "del", "delete", "erase", "drop" },
	{ "add", "new", "create", "make" },
	{ "list", "ls", "all" },
	{ "show", "get", "info", "cat" },
	{ "set", "change", "modify", "edit" },
	{ "rename", "mv" },
	{ "passwd", "password", "passwort", "pw" },
};

/* The place of a word among them; COUNT_OF(synonyms): it is in none. */
static size_t
sense_of(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(synonyms); i++)
		for (size_t j = 0; j < COUNT_OF(synonyms[i]) && synonyms[i][j] != NULL; j++)
			if (strcmp(word, synonyms[i][j]) == 0)
				return i;
	return COUNT_OF(synonyms);
}

/* "alias rm": of the verbs that begin with the same word, the one whose second word means what was typed. */
static const struct verb *
suggest_synonym(char *const *words, size_t count)
{
	size_t length = count < 2 ? 0 : strlen(words[0]), sense = count < 2 ? COUNT_OF(synonyms) : sense_of(words[1]);

	for (const struct verb *verb = verbs; verb->name != NULL && sense < COUNT_OF(synonyms); verb++)
		if (strncmp(verb->name, words[0], length) == 0 && verb->name[length] == ' ' &&
		    sense_of(verb->name + length + 1) == sense)
			return verb;
	return NULL;
}

const struct verb *
verb_suggest(char *const *words, size_t count)
{
	const struct verb *best = suggest_synonym(words, count);
	size_t best_distance = best == NULL ? 4 : 0;
	char typed[64];

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		size_t wanted = words_in(verb->name), far;

		if (!join(words, count, count < wanted ? count : wanted, typed, sizeof typed))
			continue;
		if (best_distance > 0 && strncmp(verb->name, typed, strlen(typed)) == 0)
			return verb;
		far = distance(typed, verb->name);
		if (far < best_distance) {
			best_distance = far;
			best = verb;
		}
	}
	return best;
}
