#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TIMEOUT_MAX_S 86400

const struct option_words order_options[OPTION_COUNT] = {
	[OPTION_JSON] = { "json", NULL, NULL, "print one JSON object on standard output" },
	[OPTION_TIMEOUT] = { "timeout", "SECONDS", NULL, "give up when the server is silent for so long; 30 if not said" },
	[OPTION_IF_MISSING] = { "if-missing", NULL, NULL, "a user who is there already is no error" },
	[OPTION_MAILBOX] = { "mailbox", "MAILBOX", NULL, "the mailbox that is meant" },
	[OPTION_FILE] = { "file", "FILE", NULL, "write there what would be printed, behind what is there" },
	[OPTION_SECONDS] = { "seconds", "N", NULL, "for so long" },
	[OPTION_ONLY] = { "only", "KEY=VALUE", NULL, "lines with this word, sid=, user= or ev= for instance" },
	[OPTION_FOLLOW] = { "follow", NULL, NULL, "go on with the lines that come" },
	[OPTION_YES] = { "yes", NULL, NULL, "ask nothing" },
	[OPTION_HOME] = { "home", "SERVER", NULL, "the mailbox server that keeps the mail, or imap[s]://HOST to relay to; nothing: this host" },
	[OPTION_IMAP] = { "imap", "on|off", NULL, "whether the user may log in" },
	[OPTION_ENTRY] = { "entry", "any", NULL, "give the mailbox to the entry of LDAP that has the name now" },
	[OPTION_MASTER] = { "master", "on|off", "on", "whether the user may act as all others" },
	[OPTION_DELEGATE] = { "delegate", "NAME", NULL, "who acts as the user" },
	[OPTION_ALIAS] = { "alias", NULL, NULL, "the old name stays, as another name of the user" },
	[OPTION_ABANDON] = { "abandon", NULL, NULL, "forget that another host has begun it, of which nothing is heard any more" },
	[OPTION_QUOTA_STORAGE] = { "quota-storage", "SIZE|none|default", NULL, "how many octets the mail may take" },
	[OPTION_QUOTA_MESSAGES] = { "quota-messages", "N|none|default", NULL, "how many messages there may be" },
	[OPTION_QUOTA_MAILBOXES] = { "quota-mailboxes", "N|none|default", NULL, "how many mailboxes there may be" },
	[OPTION_NO_PASSWORD] = { "no-password", NULL, NULL, "no password fits" },
	[OPTION_SHARED] = { "shared", NULL, NULL, "an account whose mailboxes users share; nobody logs in to it" },
	[OPTION_PURGE] = { "purge", NULL, NULL, "remove the mail, too" },
	[OPTION_ORPHANS] = { "orphans", NULL, NULL, "the mail that nobody has any more" },
	[OPTION_ALL] = { "all", NULL, NULL, "all users, or all settings" },
	[OPTION_REBUILD] = { "rebuild", NULL, NULL, "drop what is there first" },
	[OPTION_VERIFY] = { "verify", NULL, NULL, "compare, and change nothing" },
	[OPTION_LABELS] = { "labels", "keywords|mailboxes", NULL, "what becomes of Gmail's labels" },
	[OPTION_EXCLUDE] = { "exclude", "PATTERN", NULL, "mailboxes that are left out" },
	[OPTION_PASSWORD_FILE] = { "password-file", "FILE", NULL, "the password or token, instead of standard input" },
	[OPTION_AUTH] = { "auth", "MECHANISM", NULL, "how to log in there; else the best that the server has" },
	[OPTION_LOGIN] = { "login", "USER", NULL, "whose password it is, when another's than the URL's user" },
	[OPTION_TLS_CA] = { "tls-ca", "FILE", NULL, "authorities that certificates there are checked against" },
	[OPTION_INSECURE] = { "insecure", NULL, NULL, "go without TLS, and take any certificate" },
	[OPTION_LIGHT] = { "light", NULL, NULL, "write nothing: greet, or log in alone" },
	[OPTION_INTERVAL] = { "interval", "SECONDS", NULL, "what happens from now on, for so long; else since the start" },
	[OPTION_MIRROR] = { "mirror", NULL, NULL, "follow changed flags and expunges, too" },
	[OPTION_DRY_RUN] = { "dry-run", NULL, NULL, "only say what would be done" },
	[OPTION_LIST] = { "list", "FILE", NULL, "many users: lines of name,url,password-file" },
	[OPTION_JOBS] = { "jobs", "N", NULL, "so many of them at once; 4 if not said" },
	[OPTION_JOBS_PER_HOST] = { "jobs-per-host", "N", NULL, "and so many from one server" },
	[OPTION_LIST_KEPT] = { "list", NULL, NULL, "bring nothing back, only list it" },
	[OPTION_REPAIR] = { "repair", NULL, NULL, "mend what is found, and set aside what cannot be mended" },
	[OPTION_SINCE] = { "since", "TIME", NULL, "only what was so then or later: 2026-11-29, 2026-11-29T08:30, 3d ago as 3d" },
	[OPTION_BEFORE] = { "before", "TIME", NULL, "only what was so before then" },
	[OPTION_SEARCH] = { "search", "KEYS", NULL, "only messages that match these keys of IMAP's SEARCH" },
	[OPTION_INTO] = { "into", "MAILBOX", NULL, "the mailbox that it goes into" },
	[OPTION_RATE] = { "rate", "SIZE", NULL, "so many octets in a second at most; with K, M or G behind it" },
	[OPTION_AS] = { "as", "NAME", NULL, "under another name" },
	[OPTION_REPLACE] = { "replace", NULL, NULL, "instead of what is there" },
	[OPTION_NON_DEFAULT] = { "non-default", NULL, NULL, "settings that differ from the defaults" },
	[OPTION_DEFAULTS] = { "defaults", NULL, NULL, "the defaults" },
	[OPTION_ORIGIN] = { "origin", NULL, NULL, "say in which line of which file each is set" },
	[OPTION_NAMES] = { "names", NULL, NULL, "keep the names and addresses of users" },
	[OPTION_END] = { "end", NULL, NULL, "end all sessions of the page that are yours; root ends all" },
	[OPTION_HOSTNAME] = { "hostname", "NAME", NULL, "what clients call this host; the host's own name if not said" },
	[OPTION_ROLE] = { "role", "cas|mailbox|both", NULL, "what this host does; both if not said" },
	[OPTION_MAILBOX_SERVER] = { "mailbox-server", "HOST[:PORT]", NULL, "with --role=cas: where the mail is" },
	[OPTION_CERT] = { "cert", "FILE", NULL, "the certificate for clients, with those between it and the authority" },
	[OPTION_KEY] = { "key", "FILE", NULL, "its key" },
	[OPTION_SELF_SIGNED] = { "self-signed", NULL, NULL, "begin with a certificate that clients warn of; so it is when none is said" },
	[OPTION_DNS] = { "dns", "DOMAIN", "", "look at the zone, too: of this domain, or of the one of the hostname" },
	[OPTION_OUT] = { "out", "FOLDER", NULL, "where the files are written" },
	[OPTION_SMTP] = { "smtp", "HOST[:PORT]", NULL, "the server for outgoing mail; autoconfig-smtp if not said" },
	[OPTION_USER] = { "user", "NAME", NULL, "who is meant; to setup the first user, whose password is read from standard input, or made and shown" },
	[OPTION_STRANGERS] = { "strangers", NULL, NULL, "connections that have not logged in, too" },
	[OPTION_CLIENT] = { "client", "TEXT", NULL, "only clients whose ID has this text" },
	[OPTION_COUNTED] = { "count", NULL, NULL, "only say how many there are" },
	[OPTION_BY] = { "by", "user|address|client|state|tls", NULL, "say how many there are of each" },
	[OPTION_SORT] = { "sort", "user|address|client|state|age|idle|in|out", NULL, "the order of the list; the greatest number comes first" },
	[OPTION_FORMAT] = { "format", "FORMAT", NULL, "which program's file it is" },
	[OPTION_UPDATE] = { "update", NULL, NULL, "change what is there already" },
	[OPTION_STATUS] = { "status", NULL, NULL, "show how far it has come, and begin nothing" },
	[OPTION_CANCEL] = { "cancel", NULL, NULL, "give it up" },
};

/* getopt_long() gives an option's index above all characters; those stand for options of one letter, and for mistakes. */
#define INDEX(option) (256 + (int)(option))

static const struct {
	char letter;
	enum order_option option;
} letters[] = { { 'a', OPTION_ALL }, { 'd', OPTION_DEFAULTS }, { 'n', OPTION_NON_DEFAULT } };

enum { CONFIG = OPTION_COUNT, HELP, VERSION_WANTED, WORD_COUNT };

static int
takes(const struct option_words *words)
{
	if (words->value == NULL)
		return no_argument;
	return words->otherwise == NULL ? required_argument : optional_argument;
}

/* Whether a word of the command line is an option whose value is the next word. */
static bool
has_value_behind(const char *word)
{
	if (strcmp(word, "--config") == 0)
		return true;
	for (int i = 0; strncmp(word, "--", 2) == 0 && i < OPTION_COUNT; i++)
		if (strcmp(word + 2, order_options[i].name) == 0)
			return takes(&order_options[i]) == required_argument;
	return false;
}

/* The first word that is no option, or "". */
static const char *
first_word(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-')
		i += has_value_behind(argv[i]) ? 2 : 1;
	return i < argc ? argv[i] : "";
}

/* Two options have one name; which is meant, the verb says. */
static enum order_option
meant_by(enum order_option option, const char *verb)
{
	if (option != OPTION_LIST && option != OPTION_LIST_KEPT)
		return option;
	return strcmp(verb, "undelete") == 0 ? OPTION_LIST_KEPT : OPTION_LIST;
}

static void
list_options(struct option options[WORD_COUNT + 1], const char *verb)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		enum order_option meant = meant_by((enum order_option)i, verb);

		options[i] = (struct option){ order_options[meant].name, takes(&order_options[meant]), NULL, INDEX(meant) };
	}
	options[CONFIG] = (struct option){ "config", required_argument, NULL, INDEX(CONFIG) };
	options[HELP] = (struct option){ "help", no_argument, NULL, INDEX(HELP) };
	options[VERSION_WANTED] = (struct option){ "version", no_argument, NULL, INDEX(VERSION_WANTED) };
	options[WORD_COUNT] = (struct option){ 0 };
}

char
order_option_letter(enum order_option option)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (letters[i].option == option)
			return letters[i].letter;
	return '\0';
}

/* The leading ":" is for getopt_long(): what lacks its value is told apart. */
static void
list_letters(char list[COUNT_OF(letters) + 2])
{
	*list++ = ':';
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		*list++ = letters[i].letter;
	*list = '\0';
}

static enum order_option
option_of(int letter)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].option;
	return (enum order_option)(letter - INDEX(0));
}

static bool
read_timeout(struct order *order)
{
	uint64_t seconds;

	if (!span_to_number(span_from_string(optarg), TIMEOUT_MAX_S, &seconds) || seconds == 0) {
		complain("--timeout takes a number of seconds from 1 to %d", TIMEOUT_MAX_S);
		return false;
	}
	order->timeout_s = (unsigned)seconds;
	return true;
}

static bool
take(struct order *order, enum order_option option)
{
	const struct option_words *words = &order_options[option];

	order->given |= OPTION_BIT(option);
	if (option == OPTION_TIMEOUT)
		return read_timeout(order);
	if (words->value != NULL)
		order->values[order->value_count++] =
		    (struct order_value){ option, optarg == NULL ? words->otherwise : optarg };
	return true;
}

/* False: it cannot be used, and that was said. */
static bool
take_letter(struct order *order, int letter, char **argv)
{
	switch (letter) {
	case INDEX(CONFIG):
		order->config_path = optarg;
		return true;
	case INDEX(HELP):
		order->is_help = true;
		return true;
	case INDEX(VERSION_WANTED):
		order->is_version = true;
		return true;
	case ':':
		complain("%s lacks its value; `imapctl --help` lists verbs and options", argv[optind - 1]);
		return false;
	case '?':
		complain("no such option: %s; `imapctl --help` lists verbs and options", argv[optind - 1]);
		return false;
	default:
		return take(order, option_of(letter));
	}
}

bool
order_read(struct order *order, int argc, char **argv)
{
	struct option options[WORD_COUNT + 1];
	char list[COUNT_OF(letters) + 2];
	bool is_good = true;
	int letter;

	list_options(options, first_word(argc, argv));
	list_letters(list);
	order->values = memory_new_array((size_t)argc, sizeof *order->values);
	opterr = 0;
	while ((letter = getopt_long(argc, argv, list, options, NULL)) != -1)
		is_good &= take_letter(order, letter, argv);
	order->words = argv + optind;
	order->word_count = (size_t)(argc - optind);
	return is_good;
}

void
order_fini(struct order *order)
{
	free(order->values);
}
