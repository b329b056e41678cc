/*
 * Which handler a verb has on the link.
 */
#include "../incoming/append.h"
#include "commands.h"

const struct session_commands cmd_table = {
	.handlers = {
		[IMAP_CAPABILITY] = cmd_capability,	[IMAP_NOOP] = cmd_noop,
		[IMAP_LOGOUT] = cmd_logout,		[IMAP_ID] = cmd_id,
		[IMAP_AUTHENTICATE] = cmd_authenticate, [IMAP_ENABLE] = cmd_enable,
		[IMAP_NAMESPACE] = cmd_namespace,	[IMAP_SELECT] = cmd_select,
		[IMAP_EXAMINE] = cmd_select,		[IMAP_CREATE] = cmd_create,
		[IMAP_DELETE] = cmd_delete,		[IMAP_RENAME] = cmd_rename,
		[IMAP_SUBSCRIBE] = cmd_subscribe,	[IMAP_UNSUBSCRIBE] = cmd_subscribe,
		[IMAP_LIST] = cmd_list,			[IMAP_LSUB] = cmd_list,
		[IMAP_STATUS] = cmd_status,		[IMAP_APPEND] = cmd_append,
		[IMAP_IDLE] = cmd_idle,			[IMAP_CHECK] = cmd_noop,
		[IMAP_CLOSE] = cmd_close,		[IMAP_UNSELECT] = cmd_unselect,
		[IMAP_EXPUNGE] = cmd_expunge,		[IMAP_SEARCH] = cmd_search,
		[IMAP_FETCH] = cmd_fetch,		[IMAP_STORE] = cmd_store,
		[IMAP_COPY] = cmd_copy,			[IMAP_MOVE] = cmd_copy,
		[IMAP_COMPRESS] = cmd_compress,		[IMAP_REPLACE] = cmd_append,
		[IMAP_NOTIFY] = cmd_notify,		[IMAP_SORT] = cmd_sort,
		[IMAP_THREAD] = cmd_thread,		[IMAP_UIDBATCHES] = cmd_uidbatches,
		[IMAP_UNAUTHENTICATE] = cmd_unauthenticate, [IMAP_ESEARCH] = cmd_esearch,
		[IMAP_GETQUOTA] = cmd_quota,		[IMAP_GETQUOTAROOT] = cmd_quota,
		[IMAP_SETQUOTA] = cmd_quota,		[IMAP_GETMETADATA] = cmd_metadata,
		[IMAP_SETMETADATA] = cmd_metadata,	[IMAP_GETACL] = cmd_acl,
		[IMAP_SETACL] = cmd_acl,		[IMAP_DELETEACL] = cmd_acl,
		[IMAP_LISTRIGHTS] = cmd_acl,		[IMAP_MYRIGHTS] = cmd_acl,
	},
	.followers = {
		[IMAP_STORE] = store_follow,		[IMAP_APPEND] = append_follow,
		[IMAP_FETCH] = fetch_follow,
	},
	.message_begins = append_begin,
	.message_follows = append_follow_message,
	.message_octets = append_octets,
	.is_congested = append_is_congested,
	.forget_message = append_forget,
};
