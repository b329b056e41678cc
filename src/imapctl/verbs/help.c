/*
 * What is printed by --help, from the tables of verbs and options.
 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "../ctl/options.h"
#include "base/memory.h"
#include "verbs.h"

static const enum order_option of_all_verbs[] = { OPTION_JSON, OPTION_TIMEOUT };

static void
print_option(enum order_option option)
{
	const struct option_words *words = &order_options[option];
	char text[64];

	snprintf(text, sizeof text, "--%s%s%s%s%s", words->name, words->otherwise == NULL ? "" : "[",
	    words->value == NULL ? "" : "=", words->value == NULL ? "" : words->value, words->otherwise == NULL ? "" : "]");
	printf("  %-40s %s\n", text, words->purpose);
}

static void
print_options_of_all(void)
{
	puts("  --config=FILE                            the server's configuration, " SYSCONF "/imapd/imapd.conf if not given");
	for (size_t i = 0; i < COUNT_OF(of_all_verbs); i++)
		print_option(of_all_verbs[i]);
	puts("  --help, --version");
}

static void
print_line(const struct verb *verb)
{
	char usage[512];

	snprintf(usage, sizeof usage, "%s %s", verb->name, verb->arguments);
	printf("  %-54s %s\n", usage, verb->purpose);
}

bool
help_print_family(const char *word)
{
	size_t length = strlen(word);
	bool is_any = false;

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		if (strncmp(verb->name, word, length) != 0 || verb->name[length] != ' ')
			continue;
		print_line(verb);
		is_any = true;
	}
	return is_any;
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
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		print_line(verb);
	puts("\nOptions:");
	print_options_of_all();
	puts("\n`imapctl VERB --help` tells more of one.  See imapctl(8).");
}

void
help_print_verb(const struct verb *verb)
{
	printf("Example:\n  imapctl %s\n\nUsage:\n  imapctl %s%s%s\n      %s\n\nOptions:\n", verb->example, verb->name,
	    verb->arguments[0] == '\0' ? "" : " ", verb->arguments, verb->purpose);
	for (int i = 0; i < OPTION_COUNT; i++)
		if ((verb->options & OPTION_BIT(i)) != 0)
			print_option((enum order_option)i);
	print_options_of_all();
	puts("\nSee imapctl(8).");
}
