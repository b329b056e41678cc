/*
 * What the files of this room need of each other.  Loop thread.
 *
 *	role.c		the role as a whole
 *	drain.c		sending sessions away, one after the other
 *	ending.c	its end
 *	doors.c		who comes in
 *	trials.c	whether what was wrong is over
 *	files.c		users' files as they lie there
 *	upkeep.c	what an operator may have done to users' files
 *	user_verb.c	what an operator asks about one user: what the verbs below have in common
 *	index.c		the index of SEARCH
 *	verify.c	whether the file is whole
 *	repair.c	mending what is not whole
 *	fault_lines.c	what is found, told with its place
 *	undelete.c	bringing expunged mail back
 *	retention.c	... and let go in time, for users who do not come, too
 *	image.c		an image of the file, for a backup
 *	restore.c	a whole file that comes in; restoring.c takes it
 *	quota.c		what users may keep, and what they do keep
 *	acl.c		rights in users' mailboxes
 *	sharing.c	whose \Seen it is in a shared mailbox
 *	sessions.c	what the operator is told of sessions
 *	moving.c	users on their way: who moves them
 *	movers.c	... by streams
 *	leaving.c	... one who leaves; pausing.c, departing.c
 *	arriving.c	... one who comes
 *	verdict.c	... how it ended
 *	renaming.c	users who get another name: their sessions, and the files that say the old one
 *	renamed.c	... as another host orders it
 */
#ifndef ROLE_LIFE_H
#define ROLE_LIFE_H

#include "../shared/role.h"

/* Let no delivery in any more. */
void role_close_doors(struct mailbox_role *role);

/* Something has ended: a stop may go on. */
void role_check_stopped(struct mailbox_role *role);

/* Let nobody in any more; deliveries end when they have answered. */
void role_close(struct mailbox_role *role);

/* Tell every session BYE, whatever it does. */
void role_bye_all(struct mailbox_role *role);

/* Nobody gets the rest of an image any more, and none is taken to its end. */
void role_stop_images(struct mailbox_role *role);
void role_stop_restores(struct mailbox_role *role);

/* The verb restore; and removing what those have left that died with a process, before there are any.  Blocks. */
void role_register_restore(struct mailbox_role *role, struct control *control);
void role_sweep_restores(const char *data_directory);

/* For role->drain. */
void role_drain_on_due(void *context);

/* The verbs acknowledge and user renew. */
struct control;
void role_register_upkeep(struct mailbox_role *role, struct control *control);

/* The verb index; the verbs acl. */
void role_register_index(struct mailbox_role *role, struct control *control);
void role_register_verify(struct mailbox_role *role, struct control *control);
void role_register_undelete(struct mailbox_role *role, struct control *control);
void role_register_image(struct mailbox_role *role, struct control *control);
void role_register_repair(struct mailbox_role *role, struct control *control);
void role_register_acl(struct mailbox_role *role, struct control *control);

/* The verb quota; and finding out what single users may keep, before anybody comes in. */
void role_register_quota(struct mailbox_role *role, struct control *control);
void role_load_quotas(struct mailbox_role *role);

/* The verb acl seen. */
void role_register_sharing(struct mailbox_role *role, struct control *control);

/* moving.c; for role->on_mover, and the end of all. */
void role_take_mover(struct mailbox_role *role, struct stream *stream, struct span text);
void role_end_movers(struct mailbox_role *role);

/* renaming.c: go on with those that are noted, and end, which leaves them noted. */
void role_begin_renames(struct mailbox_role *role);
void role_end_renames(struct mailbox_role *role);

/* Whoever is logged in as a user, or as somebody else by that one's leave, gets BYE with this text. */
void role_end_user(struct mailbox_role *role, struct span user, const char *why);

/* What is kept of users who do not come is let go in time: begin, after another configuration, and end. */
void role_begin_retention(struct mailbox_role *role);
void role_reload_retention(struct mailbox_role *role);
void role_end_retention(struct mailbox_role *role);
void role_free_retention(struct mailbox_role *role);

/* For role->trials. */
void role_on_trials_due(void *context);

#endif
