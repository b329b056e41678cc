/*
 * The running process: what the roles stand on, in the order in which it is made and unmade.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>

#include "config/config.h"

/* Why a configuration is loaded. */
struct service_occasion {
	bool is_dry;	/* nothing else is done with it: names are looked up, too */
	int ports;	/* of roles that need them now, enum config_role: of others it is a warning that one is in use */
};

/*
 * Serve until SIGTERM or SIGINT.
 *
 *	path	of the configuration file, for reload; lives as long as the process
 *	role	what --role said, for reload; NULL: nothing
 *	config	checked; taken
 *	warnings	to be logged
 *
 * Returns the exit code; what is wrong was logged.
 */
int service_run(const char *path, const char *role, struct config *config,
    const struct config_problems *warnings);

/*
 * Load and check a configuration, with the files, folders, users, ports and certificates it names, in one pass.
 * Root looks at files as the configured user.
 *
 *	problems_out	gets all that is wrong, sorted
 *
 * NULL: there is more than warnings.  Blocks.
 */
struct config *service_load(const char *path, const char *role, const struct service_occasion *occasion,
    struct config_problems *problems_out);

/*
 * Make a user of the directory that the configuration names, while no server runs, and as the configured user.  Who is
 * there already stays as before.  The password is the first line of standard input.  What is wrong is said on standard
 * error.  Blocks.
 *
 * Returns the exit code: EX_NOINPUT: there is no such user, and no password came.
 */
int service_add_user(const struct config *config, const char *name);

#endif
