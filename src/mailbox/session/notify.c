/*
 * What a session is told of by NOTIFY.  Which events of a mailbox count is asked for each change; what counts is kept
 * until it can be written.  Loop thread.
 */
#include "notify.h"

#include <stdlib.h>

#include "../shared/annotations.h"
#include "../shared/status_items.h"
#include "base/memory.h"
#include "ground.h"
#include "imap/writer.h"

#define PENDING_MAX 1000		/* mailboxes that wait to be told of */
#define NAMES_MAX   (64 * 1024)		/* octets of LIST and METADATA lines that wait */
#define OWN_MAX	    64			/* ranges of own messages that wait for EXISTS */

struct pending {
	struct store_mailbox row;	/* name is owned; no special_use */
	unsigned events;
};

struct notify {
	struct bulletin_watcher watcher;
	struct session *session;
	struct imap_command_line *line;	/* owned; holds the program */
	const struct imap_notify *program;
	const struct imap_notify_group *selected;	/* NULL: no SELECTED, no SELECTED-DELAYED */
	unsigned selections;		/* the session's, when this was last looked at */
	uint32_t fetch_uid;		/* messages of the selected mailbox from here on are told of by FETCH */
	struct imap_range own[OWN_MAX];	/* but for these */
	size_t own_count;
	struct pending *pending;
	size_t pending_count, pending_capacity;
	struct buffer names;		/* LIST and METADATA lines */
	bool is_watching, is_overflown;
	bool is_answered;		/* until then all is told: NOTIFY SET is a NOOP, too (section 3.1) */
	struct notify *before;		/* what was asked for before, until this is answered; or NULL */
};

/* ---- which events ------------------------------------------------------------------------------------- */

unsigned
notify_events(const struct imap_notify *program, struct span name, bool is_subscribed)
{
	unsigned events = 0;

	for (size_t i = 0; i < program->group_count; i++)
		if (imap_filter_covers(&program->groups[i].filter, name, is_subscribed))
			events |= program->groups[i].events;
	return events;
}

unsigned
notify_status_items(unsigned events, bool has_condstore)
{
	unsigned items = IMAP_STATUS_UIDVALIDITY;

	if ((events & (IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE)) != 0)
		items |= IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT;
	return items | IMAP_STATUS_UNSEEN | (has_condstore ? IMAP_STATUS_HIGHESTMODSEQ : 0);
}

/* ---- what waits --------------------------------------------------------------------------------------- */

static void
forget_pending(struct notify *notify)
{
	for (size_t i = 0; i < notify->pending_count; i++)
		free((void *)(uintptr_t)notify->pending[i].row.name);
	free(notify->pending);
	notify->pending = NULL;
	notify->pending_count = notify->pending_capacity = 0;
	buffer_free(&notify->names);
}

/* Section 5.8: from now on as after NOTIFY NONE. */
static void
overflow(struct notify *notify)
{
	forget_pending(notify);
	notify->is_overflown = true;
}

static struct pending *
pending_of(struct notify *notify, uint64_t mailbox_id)
{
	for (size_t i = 0; i < notify->pending_count; i++)
		if (notify->pending[i].row.id == mailbox_id)
			return &notify->pending[i];
	if (notify->pending_count == PENDING_MAX)
		return NULL;
	if (notify->pending_count == notify->pending_capacity) {
		notify->pending_capacity = notify->pending_capacity * 2 + 4;
		notify->pending = memory_resize(notify->pending, notify->pending_capacity, sizeof notify->pending[0]);
	}
	notify->pending[notify->pending_count] = (struct pending){ .row.id = mailbox_id };
	return &notify->pending[notify->pending_count++];
}

static void
note_mailbox(struct notify *notify, const struct bulletin_mailbox *mailbox)
{
	unsigned events = mailbox->events &
	    notify_events(notify->program, span_from_string(mailbox->row.name), mailbox->is_subscribed);
	struct pending *pending;

	if (events == 0 || mailbox->origin == notify->session ||
	    session_has_selected(notify->session, notify->session->account, mailbox->row.id))
		return;
	if ((pending = pending_of(notify, mailbox->row.id)) == NULL) {
		overflow(notify);
		return;
	}
	free((void *)(uintptr_t)pending->row.name);
	pending->row = mailbox->row;
	pending->row.special_use = NULL;
	pending->row.name = memory_copy_string(mailbox->row.name);
	pending->events |= events;
}

static void
add_attribute(struct buffer *out, const char *name)
{
	if (out->at[out->length - 1] != '(')
		buffer_add_octet(out, ' ');
	buffer_add_string(out, name);
}

/* Sections 5.4 and 5.5; RFC 5258 section 6. */
static void
write_name(struct notify *notify, const struct bulletin_name *name)
{
	struct buffer *out = &notify->names;
	bool is_utf8 = session_is_utf8(notify->session);

	buffer_add_string(out, "* LIST (");
	if (name->is_subscribed)
		add_attribute(out, "\\Subscribed");
	if (!name->exists)
		add_attribute(out, "\\NonExistent");
	add_attribute(out, name->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if (name->special_use != NULL)
		add_attribute(out, name->special_use);
	buffer_add_string(out, ") \"/\" ");
	imap_write_mailbox(out, name->name, is_utf8);
	if (name->old_name.length > 0) {
		buffer_add_string(out, " (\"OLDNAME\" (");
		imap_write_mailbox(out, name->old_name, is_utf8);
		buffer_add_string(out, "))");
	}
	buffer_add_string(out, "\r\n");
}

static void
note_name(struct notify *notify, const struct bulletin_name *name)
{
	unsigned events = notify_events(notify->program, name->name, name->is_subscribed ||
	    name->event == IMAP_EVENT_SUBSCRIPTION_CHANGE);

	if (name->old_name.length > 0)
		events |= notify_events(notify->program, name->old_name, name->is_subscribed);
	if ((events & name->event) == 0 || name->origin == notify->session)
		return;
	write_name(notify, name);
	if (notify->names.length > NAMES_MAX)
		overflow(notify);
}

/* The server is not of a mailbox: any filter will do. */
static unsigned
server_events(const struct imap_notify *program)
{
	unsigned events = 0;

	for (size_t i = 0; i < program->group_count; i++)
		events |= program->groups[i].events & IMAP_EVENT_SERVER_METADATA;
	return events;
}

/* Sections 5.6 and 5.7. */
static void
note_annotation(struct notify *notify, const struct bulletin_annotation *annotation)
{
	unsigned events = annotation->name.length == 0 ? server_events(notify->program) :
	    notify_events(notify->program, annotation->name, annotation->is_subscribed) & IMAP_EVENT_MAILBOX_METADATA;

	if (events == 0 || annotation->origin == notify->session)
		return;
	annotations_write_change(&notify->names, annotation->name, annotation->entry, session_is_utf8(notify->session));
	if (notify->names.length > NAMES_MAX)
		overflow(notify);
}

static void
on_issue(struct bulletin_watcher *watcher, const struct bulletin_issue *issue)
{
	struct notify *notify = CONTAINER_OF(watcher, struct notify, watcher);

	for (size_t i = 0; i < issue->name_count && !notify->is_overflown; i++)
		note_name(notify, &issue->names[i]);
	for (size_t i = 0; i < issue->annotation_count && !notify->is_overflown; i++)
		note_annotation(notify, &issue->annotations[i]);
	for (size_t i = 0; i < issue->mailbox_count && !notify->is_overflown; i++)
		note_mailbox(notify, &issue->mailboxes[i]);
	session_on_change(notify->session);
}

bool
notify_has_lines(const struct session *session)
{
	const struct notify *notify = session->notify;

	return notify != NULL && (notify->pending_count > 0 || notify->names.length > 0 || notify->is_overflown);
}

static void
write_status(struct notify *notify, const struct pending *pending, struct buffer *out)
{
	const struct status_style style = {
		.items = notify_status_items(pending->events, notify->session->has_condstore),
		.is_utf8 = session_is_utf8(notify->session),
	};

	status_write(out, &pending->row, 0, &style);
}

static void
stop(struct notify *notify)
{
	bulletin_unwatch(notify->session->account, &notify->watcher);
	forget_pending(notify);
	notify->is_watching = notify->is_overflown = false;
	notify->selected = NULL;
}

bool
notify_write_lines(struct session *session, struct buffer *out, size_t octets_max)
{
	struct notify *notify = session->notify;

	if (notify == NULL)
		return true;
	if (notify->is_overflown) {
		buffer_add_string(out, "* OK [NOTIFICATIONOVERFLOW] too much has happened, ask again\r\n");
		stop(notify);
		return true;
	}
	buffer_add_span(out, buffer_span(&notify->names));
	buffer_free(&notify->names);
	while (notify->pending_count > 0 && out->length < octets_max) {
		struct pending *last = &notify->pending[--notify->pending_count];

		write_status(notify, last, out);
		free((void *)(uintptr_t)last->row.name);
	}
	return notify->pending_count == 0;
}

/* ---- the selected mailbox ----------------------------------------------------------------------------- */

struct notify_manner
notify_manner(const struct session *session)
{
	const struct notify *notify = session->notify;
	unsigned events;

	if (notify == NULL || !notify->is_answered)
		return (struct notify_manner){ .tells_messages = true, .tells_flags = true, .may_expunge_at_once = true };
	events = notify->selected == NULL ? 0 : notify->selected->events;
	return (struct notify_manner){
		.is_at_once = events != 0,
		.tells_messages = (events & IMAP_EVENT_MESSAGE_NEW) != 0,
		.tells_flags = (events & IMAP_EVENT_FLAG_CHANGE) != 0,
		.may_expunge_at_once = events != 0 && notify->selected->filter.kind == IMAP_FILTER_SELECTED,
	};
}

/* From here on messages are new. */
static void
set_mark(struct notify *notify)
{
	const struct session *session = notify->session;

	notify->own_count = 0;
	notify->selections = session->selections;
	notify->fetch_uid = session->view == NULL ? 0 : session->view->limit_uid;
}

void
notify_look(struct session *session)
{
	struct notify *notify = session->notify;

	if (notify != NULL && (notify->selections != session->selections || notify->fetch_uid == 0))
		set_mark(notify);
}

void
notify_note_own(struct session *session, const struct account *account, uint64_t mailbox_id, uint32_t first_uid,
    uint32_t last_uid)
{
	struct notify *notify = session->notify;

	notify_look(session);
	if (notify == NULL || !session_has_selected(session, account, mailbox_id) || notify->own_count == OWN_MAX)
		return;
	notify->own[notify->own_count++] = (struct imap_range){ first_uid, last_uid };
}

/* [first, last] without what this session has brought in: at most one range more than there are own ones. */
static size_t
without_own(const struct notify *notify, uint32_t first, uint32_t last, struct imap_range *ranges)
{
	size_t count = 0;

	for (size_t i = 0; i < notify->own_count && first <= last; i++) {
		const struct imap_range *own = &notify->own[i];

		if (own->last < first || own->first > last)
			continue;
		if (own->first > first)
			ranges[count++] = (struct imap_range){ first, own->first - 1 };
		first = own->last + 1;
	}
	if (first <= last)
		ranges[count++] = (struct imap_range){ first, last };
	return count;
}

static struct imap_command_line *
fetch_line(const struct notify *notify, uint32_t first, uint32_t last)
{
	struct arena *arena = arena_new();
	struct imap_range *ranges = arena_alloc_array(arena, OWN_MAX + 1, sizeof ranges[0]);
	size_t count = without_own(notify, first, last, ranges);
	struct imap_command_line *line;

	if (count == 0) {
		arena_free(&arena);
		return NULL;
	}
	line = ARENA_NEW(arena, struct imap_command_line);
	line->arena = arena;
	line->tag = SPAN("*");
	line->verb = IMAP_FETCH;
	line->is_uid = true;
	line->fetch = notify->selected->fetch;
	line->fetch.set = (struct imap_sequence){ .ranges = ranges, .count = count };
	return line;
}

struct imap_command_line *
notify_take_fetch(struct session *session)
{
	struct notify *notify = session->notify;
	struct imap_command_line *line = NULL;
	uint32_t first;

	if (notify == NULL || session->view == NULL || session_has_lost_view(session))
		return NULL;
	first = notify->fetch_uid;
	if (session->view->limit_uid <= first)
		return NULL;
	if (notify->selected != NULL && notify->selected->fetch.item_count > 0)
		line = fetch_line(notify, first, session->view->limit_uid - 1);
	set_mark(notify);
	return line;
}

/* ---- beginning and end -------------------------------------------------------------------------------- */

static void
notify_free(struct notify **notify)
{
	struct notify *freed = *notify;

	*notify = NULL;
	if (freed == NULL)
		return;
	if (freed->is_watching)
		bulletin_unwatch(freed->session->account, &freed->watcher);
	forget_pending(freed);
	if (freed->line != freed->session->line)
		imap_command_free(&freed->line);
	free(freed);
}

void
notify_end(struct session *session)
{
	if (session->notify != NULL)
		notify_free(&session->notify->before);
	notify_free(&session->notify);
}

void
notify_answered(struct session *session)
{
	notify_free(&session->notify->before);
	session->notify->is_answered = true;
	session_on_change(session);
}

void
notify_refused(struct session *session)
{
	struct notify *before = session->notify->before;

	session->notify->before = NULL;
	notify_free(&session->notify);
	session->notify = before;
}

static const struct imap_notify_group *
find_selected(const struct imap_notify *program)
{
	for (size_t i = 0; i < program->group_count; i++)
		if (imap_filter_is_selected(&program->groups[i].filter))
			return &program->groups[i];
	return NULL;
}

void
notify_begin(struct session *session, struct imap_command_line *line)
{
	struct notify *notify = NEW(struct notify);

	notify->before = session->notify;
	notify->session = session;
	notify->line = line;
	notify->program = &line->notify;
	notify->selected = find_selected(&line->notify);
	notify->watcher.on_issue = on_issue;
	notify->is_answered = line->notify.is_none;
	session->notify = notify;
	if (line->notify.group_count > 0) {
		bulletin_watch(session->account, &notify->watcher);
		notify->is_watching = true;
	}
	set_mark(notify);
}
