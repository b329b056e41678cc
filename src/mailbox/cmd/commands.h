/*
 * The commands of a session, one file each; table.c gives them their verbs.  A handler ends its command by
 * session_finish(): see session/session.h.  Loop thread.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "../session/session.h"

session_handler cmd_acl, cmd_authenticate, cmd_capability, cmd_carry, cmd_close, cmd_compress, cmd_copy, cmd_create, cmd_delete,
    cmd_enable, cmd_esearch, cmd_expunge, cmd_fetch, cmd_id, cmd_idle, cmd_list, cmd_logout, cmd_metadata, cmd_namespace, cmd_noop, cmd_notify,
    cmd_quota, cmd_rename, cmd_search, cmd_select, cmd_sort, cmd_status, cmd_store, cmd_subscribe, cmd_thread,
    cmd_uidbatches, cmd_unauthenticate, cmd_unselect;

session_follow_handler fetch_follow, store_follow;

extern const struct session_commands cmd_table;

#endif
