/*
 * What is printed by --help, from the tables of verbs and options.
 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "../ctl/options.h"
#include "base/memory.h"
#include "verbs.h"

#define WIDTH	      80	/* of a terminal */
#define VERB_COLUMN   30	/* where it is said what a verb does, */
#define OPTION_COLUMN 36	/* and what an option means */

static const enum order_option of_all_verbs[] = { OPTION_JSON, OPTION_TIMEOUT };

/* Print a text from a column on to the end of its last line; further lines begin at the indent. */
static void
print_wrapped(const char *text, int column, int indent)
{
	bool is_begun = false;

	while (*text != '\0') {
		int length = (int)strcspn(text, " ");

		if (is_begun && column + 1 + length >= WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (is_begun) {
			putchar(' ');
			column++;
		}
		printf("%.*s", length, text);
		column += length;
		text += length;
		text += strspn(text, " ");
		is_begun = true;
	}
	putchar('\n');
}

/* Print what something is called, and from a column on what it is for, in the same line if there is room. */
static void
print_row(const char *words, int column, const char *purpose)
{
	int length = (int)strlen(words) + 2;

	printf("  ");
	if (length < column) {
		printf("%-*s", column - 2, words);
	} else {
		print_wrapped(words, 2, 6);
		printf("%*s", column, "");
	}
	print_wrapped(purpose, column, column);
}

static void
print_option(enum order_option option)
{
	const struct option_words *words = &order_options[option];
	char text[64], letter[] = { ',', ' ', '-', order_option_letter(option), '\0' };

	snprintf(text, sizeof text, "--%s%s%s%s%s%s", words->name, words->otherwise == NULL ? "" : "[",
	    words->value == NULL ? "" : "=", words->value == NULL ? "" : words->value, words->otherwise == NULL ? "" : "]",
	    letter[3] == '\0' ? "" : letter);
	print_row(text, OPTION_COLUMN, words->purpose);
}

static void
print_options_of_all(void)
{
	print_row("--config=FILE", OPTION_COLUMN, "the server's configuration, " SYSCONF "/imapd/imapd.conf if not given");
	for (size_t i = 0; i < COUNT_OF(of_all_verbs); i++)
		print_option(of_all_verbs[i]);
	puts("  --help, --version");
}

static void
print_line(const struct verb *verb)
{
	char usage[512];

	snprintf(usage, sizeof usage, "%s %s", verb->name, verb->arguments);
	print_row(usage, VERB_COLUMN, verb->purpose);
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
	      "  imapctl import alice imaps://alice@old.example.org\n"
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
	char usage[512];

	snprintf(usage, sizeof usage, "imapctl %s %s", verb->name, verb->arguments);
	printf("Example:\n  imapctl %s\n\nUsage:\n  ", verb->example);
	print_wrapped(usage, 2, 10);
	printf("%6s", "");
	print_wrapped(verb->purpose, 6, 6);
	puts("\nOptions:");
	for (int i = 0; i < OPTION_COUNT; i++)
		if ((verb->options & OPTION_BIT(i)) != 0)
			print_option((enum order_option)i);
	print_options_of_all();
	puts("\nSee imapctl(8).");
}
