/*
 * What the files about users who move share.  Worker thread.
 */
#ifndef JOURNEY_H
#define JOURNEY_H

#include "directory/moving.h"
#include "sql/sql.h"

/* The mailbox id of a user, or nothing. */
enum sql_status journey_mailbox_id(struct sql *sql, struct span name, char id_out[DIRECTORY_ID_LENGTH + 1]);

/*
 * Let a user have another mailbox id, with all that is said of the user; the old one is that of a deleted user, and what
 * was shared in it is not.
 */
enum sql_status journey_replace_mailbox(struct sql *sql, struct span name, const char *old_id, const char *new_id);

#endif
