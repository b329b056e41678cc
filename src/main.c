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
#include "config/config.h"
#include "imapctl/imapctl.h"
#include "service/service.h"

enum { ROLE = 1, CONFIG, CHECK_CONFIG, VERSION_OPTION, HELP };

static const struct option options[] = {
	{ "role", required_argument, NULL, ROLE },
	{ "config", required_argument, NULL, CONFIG },
	{ "check-config", no_argument, NULL, CHECK_CONFIG },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *path, *role;
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

/* All that is wrong in all files, and how much it is. */
static int
report(struct buffer *errors)
{
	size_t count = 0;

	for (size_t i = 0; i < errors->length; i++)
		count += errors->at[i] == '\n';
	buffer_printf(errors, "imapd: %zu error%s in the configuration\n", count, count == 1 ? "" : "s");
	log_lines(LOG_LEVEL_ERROR, buffer_span(errors));
	buffer_free(errors);
	return EX_CONFIG;
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
	struct buffer errors = { 0 };
	struct config *config;
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
	config = service_load(arguments.path, arguments.role, &errors);
	if (config == NULL)
		return report(&errors);
	if (!arguments.is_check)
		return service_run(arguments.path, arguments.role, config);
	printf("%s: no errors\n", arguments.path);
	config_free(&config);
	return EX_OK;
}
