/*
 * The running process: what the roles stand on, in the order in which it is made and unmade.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

struct buffer;
struct config;

/*
 * Serve until SIGTERM or SIGINT.
 *
 *	path	of the configuration file, for reload; lives as long as the process
 *	role	what --role said, for reload; NULL: nothing
 *	config	checked; taken
 *
 * Returns the exit code; what is wrong was logged.
 */
int service_run(const char *path, const char *role, struct config *config);

/*
 * Load and check a configuration, the files, directories and users it names included.  NULL: what is
 * wrong is in errors_out, a line each.  Blocks.
 */
struct config *service_load(const char *path, const char *role, struct buffer *errors_out);

#endif
