/*
 * What the files about users who move share.  Worker thread.
 */
#ifndef JOURNEY_H
#define JOURNEY_H

#include "directory/moving.h"
#include "sql/sql.h"

/* The open file that a directory keeps mailbox ids in. */
enum directory_status journey_connect(struct directory *directory, struct directory **registry_out, struct sql **sql_out);

/* The same, and begin a transaction. */
enum directory_status journey_begin(struct directory *directory, struct directory **registry_out, struct sql **sql_out);

/* Run a statement whose parameters are texts. */
enum sql_status journey_run(struct sql *sql, const char *statement, const struct span *texts, size_t count);
#define JOURNEY_RUN(sql, statement, ...)                                  \
	journey_run(sql, statement, (const struct span[]){ __VA_ARGS__ }, \
	    sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))

/* Rows that become more, in an arena: room for one more behind count, which may be other memory.  NULL with 0: none yet. */
void *journey_more(struct arena *arena, void *rows, size_t count, size_t row_octets);

/* The mailbox id of a user, or nothing. */
enum sql_status journey_mailbox_id(struct sql *sql, struct span name, char id_out[DIRECTORY_ID_LENGTH + 1]);

/*
 * Let a user have another mailbox id, with all that is said of the user; the old one is that of a deleted user, and what
 * was shared in it is not.
 */
enum sql_status journey_replace_mailbox(struct sql *sql, struct span name, const char *old_id, const char *new_id);

/* End it; the status of what was done, or why it could not be kept. */
enum directory_status journey_end(struct directory *registry, struct sql *sql, enum sql_status run,
    enum directory_status status);

#endif
