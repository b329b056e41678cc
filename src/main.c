/*
 * imapd(8): reads the arguments, checks the configuration, and serves; or is imapctl(8) when called by
 * that name.  Knows no protocol.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/config.h"
#include "imapctl/imapctl.h"
#include "service/service.h"

enum { ROLE = 1, CONFIG, CHECK_CONFIG, ADD_USER, VERSION_OPTION, HELP };

static const struct option options[] = {
	{ "role", required_argument, NULL, ROLE },
	{ "config", required_argument, NULL, CONFIG },
	{ "check-config", no_argument, NULL, CHECK_CONFIG },
	{ "add-user", required_argument, NULL, ADD_USER },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *path, *role;
	const char *user;	/* to be made, instead of serving */
	bool is_check;
};

static void
help(void)
{
	fputs("Examples:\n"
	      "  imapd --check-config\n"
	      "  imapd --role=both --config=/etc/imapd/imapd.conf\n"
	      "\n"
	      "Usage: imapd [--role=cas|mailbox|both] [--config=FILE] [--check-config] [--version]\n"
	      "       imapd [--config=FILE] --add-user=NAME < PASSWORD\n"
	      "\n"
	      "Serves IMAP in the foreground and logs to standard error.  Without --config it reads\n"
	      SYSCONF "/imapd/imapd.conf.  See imapd(8), imapd.conf(5) and imapctl(8).\n",
	    stdout);
}

/* -1: go on; otherwise the exit code. */
static int
take_option(struct arguments *arguments, int letter)
{
	switch (letter) {
	case ROLE:
		arguments->role = optarg;
		return -1;
	case CONFIG:
		arguments->path = optarg;
		return -1;
	case CHECK_CONFIG:
		arguments->is_check = true;
		return -1;
	case ADD_USER:
		arguments->user = optarg;
		return -1;
	case VERSION_OPTION:
		puts("imapd " VERSION);
		return EX_OK;
	case HELP:
	case 'h':
		help();
		return EX_OK;
	default:
		fputs("imapd: `imapd --help` lists the options\n", stderr);
		return EX_USAGE;
	}
}

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void
report_line(enum log_level level, struct buffer *line)
{
	buffer_add_octet(line, '\n');
	log_lines(level, buffer_span(line));
	buffer_clear(line);
}

/* All that is wrong in all files, and how much it is. */
static void
report(const struct config_problems *problems)
{
	size_t wrong = config_problems_count(problems, CONFIG_WRONG);
	size_t warnings = config_problems_count(problems, CONFIG_WARNING);
	struct buffer line = { 0 };

	for (size_t i = 0; i < problems->count; i++) {
		config_problem_print(&problems->at[i], &line);
		report_line(problems->at[i].gravity == CONFIG_WRONG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &line);
	}
	if (wrong > 0) {
		buffer_printf(&line, "imapd: %zu error%s in the configuration", wrong, plural(wrong));
		if (warnings > 0)
			buffer_printf(&line, ", %zu warning%s", warnings, plural(warnings));
		report_line(LOG_LEVEL_ERROR, &line);
	}
	buffer_free(&line);
}

/* The server's whole life, unless the configuration or the arguments are against it. */
static int
serve(const struct arguments *arguments)
{
	const struct service_occasion occasion = { arguments->is_check,
		arguments->is_check ? CONFIG_ROLE_BOTH : 0 };
	struct config_problems problems = { 0 };
	struct config *config = service_load(arguments->path, arguments->role, &occasion, &problems);
	size_t warnings = config_problems_count(&problems, CONFIG_WARNING);
	int code = config == NULL ? EX_CONFIG : EX_OK;

	if (config == NULL || arguments->is_check)
		report(&problems);
	if (config != NULL && !arguments->is_check)
		code = service_run(arguments->path, arguments->role, config, &problems);
	else if (config != NULL && warnings == 0)
		printf("%s: no errors\n", arguments->path);
	else if (config != NULL)
		printf("%s: no errors, %zu warning%s\n", arguments->path, warnings, plural(warnings));
	if (arguments->is_check)
		config_free(&config);
	config_problems_free(&problems);
	return code;
}

/* A user, while no server runs. */
static int
add_user(const struct arguments *arguments)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(arguments->path, config_read_file, NULL, &problems);
	int code = EX_CONFIG;

	if (config_problems_count(&problems, CONFIG_WRONG) > 0)
		report(&problems);
	else if (config != NULL)
		code = service_add_user(config, arguments->user);
	config_free(&config);
	config_problems_free(&problems);
	return code;
}

static bool
is_imapctl(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash == NULL ? path : slash + 1, "imapctl") == 0;
}

int
main(int argc, char **argv)
{
	struct arguments arguments = { .path = SYSCONF "/imapd/imapd.conf" };
	int letter, code;

	if (argc > 0 && is_imapctl(argv[0]))
		return imapctl_main(argc, argv);
	while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if ((code = take_option(&arguments, letter)) >= 0)
			return code;
	}
	if (optind < argc) {
		fprintf(stderr, "imapd: stray argument %s; `imapd --help` lists the options\n",
		    argv[optind]);
		return EX_USAGE;
	}
	memory_return_large();
	return arguments.user != NULL ? add_user(&arguments) : serve(&arguments);
}
