/*
 * The command table.  RFC 9051 section 6; CHECK and LSUB from RFC 3501.  Pure.
 */
#include "imap/command.h"

#include "base/memory.h"

#define NOT_LOGGED_IN	IMAP_STATE_NOT_LOGGED_IN
#define SELECTED	IMAP_STATE_SELECTED
#define LOGGED_IN	(IMAP_STATE_LOGGED_IN | IMAP_STATE_SELECTED)
#define ANYWHERE	(NOT_LOGGED_IN | LOGGED_IN)
#define MAY_MOVE	IMAP_NUMBERS_MAY_MOVE
#define MUST_STAY	IMAP_NUMBERS_MUST_STAY
#define START_ANEW	IMAP_NUMBERS_START_ANEW

const struct imap_command imap_commands[IMAP_COMMAND_COUNT] = {
	/*			name		where it is legal arguments			numbers */
	[IMAP_CAPABILITY]   = { "CAPABILITY",	ANYWHERE,	"",				MAY_MOVE, false },
	[IMAP_NOOP]	    = { "NOOP",		ANYWHERE,	"",				MAY_MOVE, false },
	[IMAP_LOGOUT]	    = { "LOGOUT",	ANYWHERE,	"",				MUST_STAY, false },
	[IMAP_ID]	    = { "ID",		ANYWHERE,	"pairs",			MAY_MOVE, false },
	[IMAP_STARTTLS]	    = { "STARTTLS",	NOT_LOGGED_IN,	"",				MAY_MOVE, false },
	[IMAP_LOGIN]	    = { "LOGIN",	NOT_LOGGED_IN,	"user password",		MAY_MOVE, false },
	[IMAP_AUTHENTICATE] = { "AUTHENTICATE", NOT_LOGGED_IN,	"mechanism [initial]",		START_ANEW, false },
	[IMAP_UNAUTHENTICATE] = { "UNAUTHENTICATE", LOGGED_IN,	"",				START_ANEW, false },
	[IMAP_ENABLE]	    = { "ENABLE",	LOGGED_IN,	"names",			MAY_MOVE, false },
	[IMAP_NAMESPACE]    = { "NAMESPACE",	LOGGED_IN,	"",				MAY_MOVE, false },
	[IMAP_SELECT]	    = { "SELECT",	LOGGED_IN,	"mailbox [params]",		START_ANEW, false },
	[IMAP_EXAMINE]	    = { "EXAMINE",	LOGGED_IN,	"mailbox [params]",		START_ANEW, false },
	[IMAP_CREATE]	    = { "CREATE",	LOGGED_IN,	"mailbox [params]",		MAY_MOVE, false },
	[IMAP_DELETE]	    = { "DELETE",	LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_RENAME]	    = { "RENAME",	LOGGED_IN,	"mailbox mailbox",		MAY_MOVE, false },
	[IMAP_SUBSCRIBE]    = { "SUBSCRIBE",	LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_UNSUBSCRIBE]  = { "UNSUBSCRIBE",	LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_LIST]	    = { "LIST",		LOGGED_IN,	"[select] reference patterns [return]",	MAY_MOVE, false },
	[IMAP_LSUB]	    = { "LSUB",		LOGGED_IN,	"reference pattern",		MAY_MOVE, false },
	[IMAP_STATUS]	    = { "STATUS",	LOGGED_IN,	"mailbox items",		MAY_MOVE, false },
	[IMAP_APPEND]	    = { "APPEND",	LOGGED_IN,	"mailbox messages",		MAY_MOVE, false },
	[IMAP_NOTIFY]	    = { "NOTIFY",	LOGGED_IN,	"NONE | SET [STATUS] groups",	MAY_MOVE, false },
	[IMAP_COMPRESS]	    = { "COMPRESS",	LOGGED_IN,	"mechanism",			MAY_MOVE, false },
	[IMAP_GETQUOTA]	    = { "GETQUOTA",	LOGGED_IN,	"root",				MAY_MOVE, false },
	[IMAP_GETQUOTAROOT] = { "GETQUOTAROOT", LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_SETQUOTA]	    = { "SETQUOTA",	LOGGED_IN,	"root limits",			MAY_MOVE, false },
	[IMAP_GETMETADATA]  = { "GETMETADATA",	LOGGED_IN,	"[options] mailbox entries",	MAY_MOVE, false },
	[IMAP_SETMETADATA]  = { "SETMETADATA",	LOGGED_IN,	"mailbox (entry value ...)",	MAY_MOVE, false },
	[IMAP_GETACL]	    = { "GETACL",	LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_SETACL]	    = { "SETACL",	LOGGED_IN,	"mailbox identifier rights",	MAY_MOVE, false },
	[IMAP_DELETEACL]    = { "DELETEACL",	LOGGED_IN,	"mailbox identifier",		MAY_MOVE, false },
	[IMAP_LISTRIGHTS]   = { "LISTRIGHTS",	LOGGED_IN,	"mailbox identifier",		MAY_MOVE, false },
	[IMAP_MYRIGHTS]	    = { "MYRIGHTS",	LOGGED_IN,	"mailbox",			MAY_MOVE, false },
	[IMAP_UIDBATCHES]   = { "UIDBATCHES",	SELECTED,	"size [first:last]",		MAY_MOVE, false },
	[IMAP_IDLE]	    = { "IDLE",		LOGGED_IN,	"",				MAY_MOVE, false },
	[IMAP_CHECK]	    = { "CHECK",	SELECTED,	"",				MAY_MOVE, false },
	[IMAP_CLOSE]	    = { "CLOSE",	SELECTED,	"",				START_ANEW, false },
	[IMAP_UNSELECT]	    = { "UNSELECT",	SELECTED,	"",				START_ANEW, false },
	[IMAP_EXPUNGE]	    = { "EXPUNGE",	SELECTED,	"[set]",			MAY_MOVE, true },
	[IMAP_SEARCH]	    = { "SEARCH",	SELECTED,	"[return] [charset] keys",	MUST_STAY, true },
	[IMAP_ESEARCH]	    = { "ESEARCH",	LOGGED_IN,	"[IN (sources)] [return] [charset] keys",	MUST_STAY, false },
	[IMAP_SORT]	    = { "SORT",		SELECTED,	"[return] criteria charset keys",	MUST_STAY, true },
	[IMAP_THREAD]	    = { "THREAD",	SELECTED,	"algorithm charset keys",	MUST_STAY, true },
	[IMAP_FETCH]	    = { "FETCH",	SELECTED,	"set items [params]",		MUST_STAY, true },
	[IMAP_STORE]	    = { "STORE",	SELECTED,	"set [params] flags",		MUST_STAY, true },
	[IMAP_REPLACE]	    = { "REPLACE",	SELECTED,	"number mailbox message",	MAY_MOVE, true },
	[IMAP_COPY]	    = { "COPY",		SELECTED,	"set mailbox",			MAY_MOVE, true },
	[IMAP_MOVE]	    = { "MOVE",		SELECTED,	"set mailbox",			MAY_MOVE, true },
};

static const struct {
	unsigned use;
	const char *name;
} uses[] = {
	{ IMAP_USE_ALL, "\\All" },
	{ IMAP_USE_ARCHIVE, "\\Archive" },
	{ IMAP_USE_DRAFTS, "\\Drafts" },
	{ IMAP_USE_FLAGGED, "\\Flagged" },
	{ IMAP_USE_JUNK, "\\Junk" },
	{ IMAP_USE_SENT, "\\Sent" },
	{ IMAP_USE_TRASH, "\\Trash" },
	{ IMAP_USE_IMPORTANT, "\\Important" },
};

enum imap_verb
imap_command_find(struct span name)
{
	for (unsigned verb = 0; verb < IMAP_COMMAND_COUNT; verb++)
		if (span_equals_nocase(name, span_from_string(imap_commands[verb].name)))
			return verb;
	return IMAP_COMMAND_COUNT;
}

unsigned
imap_use_from_name(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++)
		if (span_equals_nocase(name, span_from_string(uses[i].name)))
			return uses[i].use;
	return 0;
}

const char *
imap_use_name(unsigned use)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++)
		if (uses[i].use == use)
			return uses[i].name;
	return NULL;
}

bool
imap_command_has_search(const struct imap_command_line *line)
{
	return line->verb == IMAP_SEARCH || line->verb == IMAP_ESEARCH || line->verb == IMAP_SORT ||
	    line->verb == IMAP_THREAD;
}

static bool
has_sequence_key(const struct imap_search *search)
{
	for (size_t i = 0; i < search->node_count; i++)
		if (search->nodes[i].key == IMAP_SEARCH_SEQUENCE)
			return true;
	return false;
}

bool
imap_command_has_numbers(const struct imap_command_line *line)
{
	if (imap_command_has_search(line))
		return !line->is_uid || has_sequence_key(&line->search);
	switch (line->verb) {
	case IMAP_SELECT:
	case IMAP_EXAMINE:
		return line->select.has_match_data;
	case IMAP_EXPUNGE:
		return false;
	default:
		return imap_commands[line->verb].has_uid_form && !line->is_uid;
	}
}

static void
wipe(struct span octets)
{
	if (octets.length > 0)
		memory_wipe((void *)(uintptr_t)octets.at, octets.length);
}

void
imap_command_free(struct imap_command_line **line)
{
	struct arena *arena;

	if (*line == NULL)
		return;
	arena = (*line)->arena;
	if ((*line)->verb == IMAP_LOGIN) {
		wipe((*line)->login.user);
		wipe((*line)->login.password);
	} else if ((*line)->verb == IMAP_AUTHENTICATE) {
		wipe((*line)->authenticate.initial);
	}
	/* An escaped password stands twice in the arena: as sent, and as meant. */
	wipe((*line)->raw);
	arena_free(&arena);
	*line = NULL;
}
