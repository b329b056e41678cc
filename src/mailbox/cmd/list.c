/*
 * LIST and LSUB: RFC 9051 section 6.3.9 with RFC 5258, 5819, 6154 and 9590; RFC 3501 sections 6.3.8 and 6.3.9.  The tree of
 * names is built, and told a piece at a time, by workers in jobs of some milliseconds.
 */
#include "../session/hold.h"
#include "../shared/annotations.h"
#include "../shared/status_items.h"
#include "../list/tree.h"
#include "../shared/role.h"
#include "base/clock.h"
#include "commands.h"
#include "config/config.h"
#include "imap/list_match.h"

/* One of them is needed, beside "l": RFC 5464 section 3.3. */
#define ANNOTATION_RIGHTS (IMAP_RIGHT_READ | IMAP_RIGHT_SEEN | IMAP_RIGHT_WRITE | IMAP_RIGHT_INSERT | IMAP_RIGHT_POST)

#define JOB_US 15000		/* a job ends after about this long */

struct list_command {
	struct session_job job;
	struct arena *arena;
	const struct imap_list *list;
	bool is_lsub, is_rev2, is_utf8;
	bool has_children, has_uses;	/* attributes that are told */
	struct list_request request;
	struct abroad abroad;
	struct hold hold;
	size_t counted;			/* of the mailboxes abroad, as far as needs_state() wants it */
	struct status_style status;
	struct annotation_request metadata;
	struct list_tree tree;
	bool is_begun, is_built;
	size_t told;			/* of its entries */
	struct buffer out;		/* filled by a worker */
};

static void
write_attribute(struct buffer *out, const char *name)
{
	if (out->at[out->length - 1] != '(')
		buffer_add_octet(out, ' ');
	buffer_add_string(out, name);
}

static void
write_attributes(struct list_command *command, const struct list_entry *entry)
{
	struct buffer *out = &command->out;

	if (command->request.wants_subscribed && entry->is_subscribed)
		write_attribute(out, "\\Subscribed");
	if (entry->mailbox == NULL)	/* RFC 3501 has only the older word */
		write_attribute(out, command->list->is_extended || command->is_rev2 ? "\\NonExistent" : "\\Noselect");
	if (command->has_children)
		write_attribute(out, entry->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if (command->has_uses && entry->mailbox != NULL && entry->mailbox->special_use != NULL)
		write_attribute(out, entry->mailbox->special_use);
}

static void
write_name(struct list_command *command, const struct list_entry *entry)
{
	buffer_add_string(&command->out, ") \"/\" ");
	imap_write_mailbox(&command->out, entry->name, command->is_utf8);
}

/* RFC 9051 section 6.3.9.6: what made a name come that is not selected itself. */
static void
write_child_info(struct list_command *command)
{
	struct buffer *out = &command->out;

	buffer_add_string(out, " (CHILDINFO (");
	if ((command->list->select & IMAP_LIST_SELECT_SUBSCRIBED) != 0)
		buffer_add_string(out, "\"SUBSCRIBED\"");
	if ((command->list->select & IMAP_LIST_SELECT_SPECIAL_USE) != 0)
		buffer_add_string(out, out->at[out->length - 1] == '(' ? "\"SPECIAL-USE\"" : " \"SPECIAL-USE\"");
	buffer_add_string(out, "))");
}

/* RFC 8440 section 3. */
static void
write_rights(struct list_command *command, const struct list_entry *entry)
{
	buffer_add_string(&command->out, "* MYRIGHTS ");
	imap_write_mailbox(&command->out, entry->name, command->is_utf8);
	buffer_add_octet(&command->out, ' ');
	imap_rights_write(&command->out, entry->abroad == NULL ? IMAP_RIGHTS_ALL : entry->abroad->rights);
	buffer_add_string(&command->out, "\r\n");
}

/* Which entries lie in a file: all of them, or of another's mailbox the shared ones in the owner's. */
enum scope { ALL, SHARED, PRIVATE };

static enum store_status
write_annotations(struct list_command *command, struct store *store, const struct annotation_subject *subject,
    enum scope scope, struct buffer *out)
{
	enum store_status status = STORE_OK;
	uint64_t longest = 0;

	for (size_t i = 0; i < command->list->annotation_count && status == STORE_OK; i++) {
		struct span entry = command->list->annotations[i].entry;
		bool is_shared = span_equals_nocase(span_slice(entry, 0, 7), SPAN("/shared"));

		if (scope == ALL || is_shared == (scope == SHARED))
			status = annotations_write(out, store, subject, &command->metadata, entry, &longest);
	}
	return status;
}

/* UNSEEN, where \Seen is the user's own, is known with the mailbox's state alone. */
static bool
needs_state(const struct list_command *command, const struct abroad_mailbox *mailbox)
{
	return (command->list->returns & IMAP_LIST_RETURN_STATUS) != 0 && (mailbox->rights & IMAP_RIGHT_READ) != 0 &&
	    mailbox->viewer != NULL && (command->status.items & IMAP_STATUS_UNSEEN) != 0;
}

/*
 * Within the owner's file, whether the mailbox will be listed or not: STATUS, for which "r" is needed, and what all see of
 * its annotations (RFC 5464 section 3.3).
 */
static enum store_status
look_abroad(struct store *store, struct abroad *abroad, struct abroad_mailbox *mailbox)
{
	struct list_command *command = abroad->context;
	struct buffer line = { 0 };
	enum store_status status = STORE_OK;

	if ((command->list->returns & IMAP_LIST_RETURN_STATUS) != 0 && (mailbox->rights & IMAP_RIGHT_READ) != 0 &&
	    !needs_state(command, mailbox))
		status = status_write_stored(&line, store, &mailbox->row, &command->status);
	if (status == STORE_OK && (mailbox->rights & ANNOTATION_RIGHTS) != 0)
		status = write_annotations(command, store, &(struct annotation_subject){ { { NULL, 0 }, mailbox->row.id },
		    span_from_string(mailbox->row.name), NULL }, SHARED, &line);
	mailbox->line = arena_copy(abroad->arena, buffer_span(&line));
	buffer_free(&line);
	return status;
}

static enum store_status
write_abroad(struct list_command *command, struct store *store, const struct abroad_mailbox *mailbox)
{
	buffer_add_span(&command->out, mailbox->line);
	if ((mailbox->rights & ANNOTATION_RIGHTS) == 0)
		return STORE_OK;
	return write_annotations(command, store, &(struct annotation_subject){
	    { span_from_string(account_id(mailbox->account)), mailbox->row.id }, span_from_string(mailbox->row.name), NULL },
	    PRIVATE, &command->out);
}

/* What LIST was asked to return beside the line of a mailbox. */
static enum store_status
write_returns(struct list_command *command, struct store *store, const struct list_entry *entry)
{
	enum store_status status = STORE_OK;

	if ((command->list->returns & IMAP_LIST_RETURN_MYRIGHTS) != 0)
		write_rights(command, entry);
	if (entry->abroad != NULL)
		return write_abroad(command, store, entry->abroad);
	if ((command->list->returns & IMAP_LIST_RETURN_STATUS) != 0)
		status = status_write_stored(&command->out, store, entry->mailbox, &command->status);
	if (status == STORE_OK)
		status = write_annotations(command, store, &(struct annotation_subject){ { { NULL, 0 }, entry->mailbox->id },
		    span_from_string(entry->mailbox->name), entry->mailbox->special_use }, ALL, &command->out);
	return status;
}

static enum store_status
write_entry(struct list_command *command, struct store *store, const struct list_entry *entry)
{
	bool is_recursive = (command->list->select & IMAP_LIST_SELECT_RECURSIVEMATCH) != 0;
	bool has_options =
	    (command->list->select & (IMAP_LIST_SELECT_SUBSCRIBED | IMAP_LIST_SELECT_SPECIAL_USE)) != 0;
	bool is_parent = has_options ? is_recursive && entry->has_hidden_below : entry->has_children;

	if (!entry->is_matched || (!entry->is_selected && !is_parent))
		return STORE_OK;
	buffer_add_string(&command->out, "* LIST (");
	write_attributes(command, entry);
	write_name(command, entry);
	if (is_recursive && entry->has_selected_below)
		write_child_info(command);
	buffer_add_string(&command->out, "\r\n");
	/* RFC 8440 section 3, RFC 9590 section 4: nothing of what comes for what is below it. */
	return entry->mailbox == NULL || !entry->is_selected ? STORE_OK : write_returns(command, store, entry);
}

/* A name above a subscribed one comes as \Noselect when "%" hides what is below it. */
static void
write_lsub_entry(struct list_command *command, const struct list_entry *entry)
{
	if (!entry->is_matched || (!entry->is_subscribed && !entry->has_hidden_below))
		return;
	buffer_add_string(&command->out, "* LSUB (");
	if (!entry->is_subscribed)
		write_attribute(&command->out, "\\Noselect");
	write_name(command, entry);
	buffer_add_string(&command->out, "\r\n");
}

/* A pattern that is too long with its reference matches nothing and is left out. */
static void
join_patterns(struct list_command *command)
{
	const struct imap_list *list = command->list;
	struct buffer joined = { 0 };

	command->request.patterns = arena_alloc_array(command->arena, list->pattern_count,
	    sizeof list->patterns[0]);
	for (size_t i = 0; i < list->pattern_count; i++) {
		buffer_clear(&joined);
		if (imap_pattern_join(list->reference, list->patterns[i], &joined))
			command->request.patterns[command->request.pattern_count++] =
			    arena_copy(command->arena, buffer_span(&joined));
	}
	buffer_free(&joined);
	command->request.prefix = imap_pattern_prefix(command->request.patterns, command->request.pattern_count);
}

static enum store_status
build(struct list_command *command, struct store *store, uint64_t until_us)
{
	enum store_status status = STORE_OK;

	if (!command->is_begun) {
		command->is_begun = true;
		status = list_tree_begin(&command->tree, store, command->arena, &command->request);
	}
	if (status == STORE_OK)
		command->is_built = list_tree_advance(&command->tree, until_us);
	return status;
}

/* A mailbox that has gone since the tree was built has no STATUS any more. */
static enum store_status
write_next(struct list_command *command, struct store *store)
{
	const struct list_entry *entry = command->tree.entries[command->told++];
	enum store_status status;

	if (command->is_lsub) {
		write_lsub_entry(command, entry);
		return STORE_OK;
	}
	status = write_entry(command, store, entry);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static bool
is_done(const struct list_command *command)
{
	return command->is_built && command->told == command->tree.count;
}

static enum store_status
work_list(struct store *store, struct session_job *job)
{
	struct list_command *command = CONTAINER_OF(job, struct list_command, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;
	enum store_status status = command->is_built ? STORE_OK : build(command, store, until_us);

	while (command->is_built && !is_done(command) && status == STORE_OK &&
	    command->out.length < SESSION_BATCH_OCTETS) {
		status = write_next(command, store);
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return status;
}

static void
finish(struct session *session, struct list_command *command, enum reply reply)
{
	list_tree_fini(&command->tree);
	buffer_free(&command->out);
	session->running = NULL;
	session_finish(session, reply);
}

static void
ask_for_piece(struct session *session)
{
	struct list_command *command = session->running;

	if (session_reason_to_stop(session) != REPLY_DONE)
		finish(session, command, session_reason_to_stop(session));
	else
		session_submit(session, &command->job, ACCOUNT_READ);
}

static void
on_listed(struct session *session, struct session_job *job, enum store_status status)
{
	struct list_command *command = CONTAINER_OF(job, struct list_command, job);

	if (status == STORE_OK && command->out.length > 0)
		session_write_buffer(session, &command->out);
	if (status != STORE_OK || is_done(command))
		finish(session, command, reply_for(status));
	else
		session_when_room(session, ask_for_piece);
}

/* Whether a pattern may match something that begins with a name: as far as there is no wildcard in it. */
static bool
is_wanted(const struct abroad *abroad, struct span name)
{
	const struct list_command *command = abroad->context;

	for (size_t i = 0; i < command->request.pattern_count; i++) {
		struct span pattern = command->request.patterns[i];
		size_t plain = 0, most = pattern.length < name.length ? pattern.length : name.length;

		while (plain < most && pattern.at[plain] == name.at[plain])
			plain++;
		if (plain == most || pattern.at[plain] == '*' || pattern.at[plain] == '%')
			return true;
	}
	return false;
}

static bool
is_matched(const struct list_command *command, struct span name)
{
	for (size_t i = 0; i < command->request.pattern_count; i++)
		if (imap_pattern_matches(command->request.patterns[i], name))
			return true;
	return false;
}

static void count_next(struct session *session);

/* The line of STATUS comes before those of METADATA. */
static void
on_held(struct session *session, struct hold *hold, struct state *state, enum store_status status)
{
	struct list_command *command = CONTAINER_OF(hold, struct list_command, hold);
	struct abroad_mailbox *mailbox = &command->abroad.mailboxes[command->counted++];
	struct store_mailbox row;
	struct buffer line = { 0 };

	if (status == STORE_OK) {
		state_row(state, &row);
		row.name = mailbox->row.name;
		status_write(&line, &row, state_recent_count(state), &command->status);
		buffer_add_span(&line, mailbox->line);
		mailbox->line = arena_copy(command->arena, buffer_span(&line));
		buffer_free(&line);
		state_release(&state);
	}
	session_when_room(session, count_next);
}

static void
count_next(struct session *session)
{
	struct list_command *command = session->running;

	for (; command->counted < command->abroad.count; command->counted++) {
		const struct abroad_mailbox *mailbox = &command->abroad.mailboxes[command->counted];

		if (!needs_state(command, mailbox) || !is_matched(command, span_from_string(mailbox->row.name)))
			continue;
		command->hold.account = mailbox->account;
		command->hold.mailbox_id = mailbox->row.id;
		command->hold.viewer = mailbox->viewer;
		hold_begin(session, &command->hold);
		return;
	}
	ask_for_piece(session);
}

static void
on_abroad(struct session *session, struct abroad *abroad)
{
	struct list_command *command = abroad->context;

	command->request.abroad = abroad->mailboxes;
	command->request.abroad_count = abroad->count;
	count_next(session);
}

static bool
asks_for_separator(const struct session *session)
{
	const struct imap_list *list = &session->line->list;

	return !list->is_extended && list->pattern_count == 1 && list->patterns[0].length == 0;
}

static bool
has_lone_recursivematch(const struct imap_list *list)
{
	return (list->select & IMAP_LIST_SELECT_RECURSIVEMATCH) != 0 &&
	    (list->select & (IMAP_LIST_SELECT_SUBSCRIBED | IMAP_LIST_SELECT_SPECIAL_USE)) == 0;
}

static void
submit(struct session *session)
{
	struct list_command *command = ARENA_NEW(session->line->arena, struct list_command);

	command->hold.done = on_held;
	command->arena = session->line->arena;
	command->list = &session->line->list;
	if ((command->list->status & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		session_begin_condstore(session);	/* as STATUS does, whose answer it is */
	command->is_lsub = session->line->verb == IMAP_LSUB;
	command->is_rev2 = session->is_rev2;
	command->is_utf8 = session_is_utf8(session);
	command->has_children = session_can(session, IMAP_CAN_CHILDREN);
	command->has_uses = session_can(session, IMAP_CAN_SPECIAL_USE);
	command->request.select = command->is_lsub ? IMAP_LIST_SELECT_SUBSCRIBED : command->list->select;
	command->request.wants_subscribed = (command->request.select & IMAP_LIST_SELECT_SUBSCRIBED) != 0 ||
	    (command->list->returns & IMAP_LIST_RETURN_SUBSCRIBED) != 0;
	authorize_own(session, IMAP_RIGHT_LOOKUP, &command->request.door);
	command->status = (struct status_style){ command->list->status, session_is_utf8(session),
		session->role->parts.config->message_size_limit_octets };
	command->metadata = (struct annotation_request){ IMAP_DEPTH_0, UINT64_MAX, session_is_utf8(session), { NULL, 0 },
		{ NULL, 0 } };
	command->job.work = work_list;
	command->job.done = on_listed;
	session->running = command;
	join_patterns(command);
	command->abroad.context = command;
	if ((command->list->returns & (IMAP_LIST_RETURN_STATUS | IMAP_LIST_RETURN_METADATA)) != 0)
		command->abroad.look = look_abroad;
	abroad_find(session, &command->abroad, IMAP_RIGHT_LOOKUP, is_wanted, on_abroad);
}

void
cmd_list(struct session *session)
{
	const char *word = session->line->verb == IMAP_LSUB ? "LSUB" : "LIST";

	if (has_lone_recursivematch(&session->line->list)) {
		session_finish(session, REPLY_BAD_ARGUMENT);
	} else if (asks_for_separator(session)) {
		buffer_printf(session_out(session), "* %s (\\Noselect) \"/\" \"\"\r\n", word);
		session_finish(session, REPLY_DONE);
	} else {
		submit(session);
	}
}
