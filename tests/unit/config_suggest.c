/*
 * How often what was meant is suggested, for words with one slip and with two: a missing, a needless, a wrong and
 * two exchanged letters are one slip each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "config/config.h"

#define WORD_MAX 64
#define PAIRS 200	/* of slips, for each word */

static bool
read_text(void *context, const char *path, struct buffer *text_out, struct config_file_id *id_out,
    const char **reason_out)
{
	(void)path;
	(void)id_out;
	(void)reason_out;
	buffer_add_string(text_out, context);
	return true;
}

/* A generator of our own, so that every run has the same words. */
static unsigned
draw(unsigned below)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(seed >> 33) % below;
}

/* One slip, drawn. */
static void
slip(char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	size_t length = strlen(word), at = draw((unsigned)length);
	char letter = letters[draw(sizeof letters - 1)], next;

	switch (draw(4)) {
	case 0:
		memmove(word + at, word + at + 1, length - at);
		break;
	case 1:
		memmove(word + at + 1, word + at, length - at + 1);
		word[at] = letter;
		break;
	case 2:
		word[at] = letter;
		break;
	default:
		next = word[at + 1];
		if (next == '\0')
			break;
		word[at + 1] = word[at];
		word[at] = next;
		break;
	}
}

/* Whether the first problem of a file suggests a word. */
static bool
suggests(const char *text, const char *word)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load("f", read_text, (void *)(uintptr_t)text, &problems);
	char wanted[WORD_MAX + 32];
	bool is_found;

	assert_int_not_equal(problems.count, 0);
	snprintf(wanted, sizeof wanted, "did you mean \"%s\"?", word);
	is_found = strstr(problems.at[0].text, wanted) != NULL;
	config_free(&config);
	config_problems_free(&problems);
	return is_found;
}

struct tally {
	unsigned tried, right;
};

/* Is it another word by now? */
typedef bool is_other(const char *word);

static bool
is_option(const char *word)
{
	for (size_t i = 0; config_option_name(i) != NULL; i++)
		if (strcmp(config_option_name(i), word) == 0)
			return true;
	return strcmp(word, "include") == 0;
}

/* before and behind: what makes a line of the word. */
static void
try(const char *word, unsigned slips, const char *before, const char *behind, is_other *is_word, struct tally *tally)
{
	for (unsigned n = 0; n < PAIRS; n++) {
		char typed[WORD_MAX], line[3 * WORD_MAX];

		snprintf(typed, sizeof typed, "%s", word);
		for (unsigned i = 0; i < slips && typed[0] != '\0'; i++)
			slip(typed);
		if (typed[0] == '\0' || strcmp(typed, word) == 0 || is_word(typed))
			continue;
		snprintf(line, sizeof line, "%s%s%s\n", before, typed, behind);
		tally->tried++;
		tally->right += suggests(line, word);
	}
}

static void
expect(const char *what, const struct tally *tally, unsigned least_percent)
{
	double percent = 100.0 * tally->right / tally->tried;

	print_message("%s: %u of %u right, %.1f %%\n", what, tally->right, tally->tried, percent);
	assert_true(percent >= least_percent);
}

static void
options_are_suggested(void **state)
{
	struct tally one = { 0, 0 }, two = { 0, 0 };

	(void)state;
	for (size_t i = 0; config_option_name(i) != NULL; i++) {
		try(config_option_name(i), 1, "", " x", is_option, &one);
		try(config_option_name(i), 2, "", " x", is_option, &two);
	}
	expect("options, one slip", &one, 99);
	expect("options, two slips", &two, 98);
}

struct value {
	const char *option, *word;
};

static const struct value values[] = {
	{ "role", "cas" }, { "role", "mailbox" }, { "role", "both" },
	{ "log-level", "error" }, { "log-level", "warning" }, { "log-level", "info" }, { "log-level", "debug" },
	{ "login-type", "plain" }, { "login-type", "plain-auth" }, { "login-type", "secure" },
	{ "storage-compression", "zstd" }, { "storage-compression", "none" }, { "flag-sync", "lazy" }, { "flag-sync", "always" },
	{ "directory", "sqlite" }, { "directory", "link" },
	{ "start-services", "yes" }, { "start-services", "no" },
};

static bool
is_value(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(values[i].word, word) == 0)
			return true;
	return strcmp(word, "ldap") == 0 || word[0] == '#';
}

/* A word of two letters and two slips may be any: the longer the word, the more is left of it. */
static void
values_are_suggested(void **state)
{
	struct tally one = { 0, 0 }, two = { 0, 0 }, two_of_long = { 0, 0 };
	char before[WORD_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		snprintf(before, sizeof before, "%s ", values[i].option);
		try(values[i].word, 1, before, "", is_value, &one);
		try(values[i].word, 2, before, "", is_value, &two);
		if (strlen(values[i].word) > 4)
			try(values[i].word, 2, before, "", is_value, &two_of_long);
	}
	expect("values, one slip", &one, 98);
	expect("values, two slips", &two, 95);
	expect("values of more than four letters, two slips", &two_of_long, 97);
}

static void
shortened_and_foreign_names_are_suggested(void **state)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{ "tls_cert", "tls-certificate" }, { "tls-cert", "tls-certificate" }, { "TLS-Key", "tls-key" },
		{ "tls-crt", "tls-certificate" }, { "tls_certificate_file", "tls-certificate" }, { "data-dir", "data-directory" },
		{ "max-conn", "max-connections" }, { "max-conn-per-user", "max-connections-per-user" },
		{ "ldap-pass", "ldap-password-file" }, { "lmtp", "lmtp-listen" }, { "host", "hostname" },
		{ "control", "control-socket" }, { "ssl_cert", "tls-certificate" },
		{ "ssl_key", "tls-key" }, { "quota_storage_size", "quota-storage" }, { "includes", "include" },
		{ "storage_thread", "storage-threads" }, { "tls-cert-for", "tls-certificate-for" }, { "loglevel", "log-level" },
		{ "hostnmae", "hostname" }, { "mailbox-servers", "mailbox-server" }, { "messagesizelimit", "message-size-limit" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char line[WORD_MAX + 8];

		snprintf(line, sizeof line, "%s x\n", cases[i].typed);
		if (!suggests(line, cases[i].meant))
			fail_msg("%s", cases[i].typed);
	}
}

/* What is near to nothing gets no suggestion, which would be a wrong one. */
static void
nothing_is_suggested(void **state)
{
	static const char *const lines[] = { "x y\n", "protocols imap\n", "mail_location maildir:x\n", "role x\n", "log-level chatty\n", "zzz 1\n" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct config_problems problems = { 0 };
		struct config *config = config_load("f", read_text, (void *)(uintptr_t)lines[i], &problems);

		assert_int_equal(problems.count, 1);
		if (strstr(problems.at[0].text, "did you mean") != NULL)
			fail_msg("%s", problems.at[0].text);
		config_free(&config);
		config_problems_free(&problems);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_suggested),
		cmocka_unit_test(values_are_suggested),
		cmocka_unit_test(shortened_and_foreign_names_are_suggested),
		cmocka_unit_test(nothing_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
