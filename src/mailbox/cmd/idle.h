/*
 * IDLE that was begun at another mailbox server.  Loop thread.
 */
#ifndef CMD_IDLE_H
#define CMD_IDLE_H

#include "../session/session.h"

/* Go on with it between two commands; its client was told "+ idling".  Copies the tag. */
void idle_resume(struct session *session, struct span tag);

#endif
