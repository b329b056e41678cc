/*
 * The key that proves the hosts of a site to each other: a file with one line each for its name and for its
 * octets.  These functions read and write files: on a worker, or before the loop runs.
 */
#ifndef LINK_KEY_H
#define LINK_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINK_KEY_LENGTH 32
#define LINK_KEY_NAME_MAX 64

struct link_key {
	uint8_t octets[LINK_KEY_LENGTH];
	char name[LINK_KEY_NAME_MAX + 1];	/* letters, digits and "-._" */
};

/*
 * Read a key.
 *
 *	owner	who may own the file, beside root and the user we are
 *
 * False: *error_out, given, names the file and what is wrong: it cannot be read, others than its owner may
 * read it, it belongs to somebody else, or does not hold a key.
 */
bool link_key_read(const char *path, uid_t owner, struct link_key *key_out, char **error_out);

/*
 * Make a new key in a new file of mode 0600, flushed.  False: *error_out, given, says why; a file that is
 * there already is left alone.
 */
bool link_key_make(const char *path, char **error_out);

#endif
