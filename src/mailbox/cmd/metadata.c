/*
 * GETMETADATA and SETMETADATA: RFC 5464 sections 4.2 and 4.3; the special use of a mailbox as an entry of it, RFC 6154
 * section 4.  What all see of the server is what the operator says; a client keeps there what is its user's alone.  Of
 * another's mailbox the shared entries lie in the owner's file and the private ones in the user's own: a job in each.
 */
#include "../session/door.h"
#include "../shared/annotations.h"
#include "../shared/bulletin.h"
#include "../shared/role.h"
#include "commands.h"
#include "config/config.h"

struct metadata_command {
	struct session_job job;
	struct arena *arena;
	const struct imap_metadata *asked;
	struct door door;		/* of the mailbox */
	bool is_in_own;			/* another's mailbox is found: its private entries come now */
	uint64_t mailbox_id;		/* in the owner's file */
	struct annotation_request request;	/* GETMETADATA */
	size_t told;			/* of the entries */
	uint64_t longest;		/* of the values that were left out */
	struct buffer out;
	struct store_annotation *annotations;	/* SETMETADATA */
	size_t count;
	bool sets_use;
	const char *use;		/* NULL: none any more */
};

static struct span
copy_text(struct arena *arena, const char *text)
{
	return text == NULL ? (struct span){ NULL, 0 } : arena_copy(arena, span_from_string(text));
}

static bool
is_shared(struct span entry)
{
	return span_equals_nocase(span_slice(entry, 0, 7), SPAN("/shared"));
}

/* Whether the entry lies in the file that the job under way works on. */
static bool
is_in_file(const struct metadata_command *command, struct span entry)
{
	return command->door.who == NULL || is_shared(entry) != command->is_in_own;
}

/* RFC 5464 section 3.3: "l" and one of these; the special use is the owner's. */
static enum store_status
find_abroad(struct store *store, struct metadata_command *command, struct store_mailbox *mailbox_out)
{
	const unsigned any = IMAP_RIGHT_READ | IMAP_RIGHT_SEEN | IMAP_RIGHT_WRITE | IMAP_RIGHT_INSERT | IMAP_RIGHT_POST;
	enum store_status status = door_find(store, &command->door, command->arena, mailbox_out);

	if (status == STORE_OK && (command->door.granted & any) == 0)
		return STORE_DENIED;
	command->mailbox_id = status == STORE_OK ? mailbox_out->id : 0;
	mailbox_out->special_use = NULL;
	return status;
}

/* What is to be annotated, as it is now. */
static enum store_status
find_subject(struct store *store, struct metadata_command *command, struct annotation_subject *subject_out)
{
	struct span owner = { NULL, 0 };
	struct store_mailbox mailbox = { 0 };
	enum store_status status = STORE_OK;

	if (command->is_in_own) {
		mailbox.id = command->mailbox_id;
		owner = span_from_string(account_id(command->door.account));
	} else if (command->door.who != NULL) {
		status = find_abroad(store, command, &mailbox);
	} else if (!command->asked->is_server) {
		status = door_find(store, &command->door, command->arena, &mailbox);
	}
	*subject_out = (struct annotation_subject){ { owner, mailbox.id }, command->asked->mailbox, mailbox.special_use };
	return status;
}

static struct account *
account_of(const struct session *session, const struct metadata_command *command)
{
	return command->is_in_own ? session->account : command->door.account;
}

/* Another's mailbox was found: on to the user's own file. */
static bool
goes_on_in_own(struct metadata_command *command)
{
	if (command->door.who == NULL || command->is_in_own)
		return false;
	return command->is_in_own = true;
}

/* ---- GETMETADATA ---------------------------------------------------------------------------------------- */

static bool
is_done(const struct metadata_command *command)
{
	return command->told == command->asked->annotation_count;
}

static enum store_status
work_get(struct store *store, struct session_job *job)
{
	struct metadata_command *command = CONTAINER_OF(job, struct metadata_command, job);
	struct annotation_subject subject;
	enum store_status status = find_subject(store, command, &subject);

	while (status == STORE_OK && !is_done(command) && command->out.length < SESSION_BATCH_OCTETS) {
		struct span entry = command->asked->annotations[command->told++].entry;

		if (is_in_file(command, entry))
			status = annotations_write(&command->out, store, &subject, &command->request, entry,
			    &command->longest);
	}
	return status;
}

static void
finish_get(struct session *session, const struct metadata_command *command)
{
	struct buffer code = { 0 };

	if (command->longest == 0) {
		session_finish(session, REPLY_DONE);
		return;
	}
	buffer_printf(&code, "METADATA LONGENTRIES %llu", (unsigned long long)command->longest);
	session_finish_with(session, REPLY_DONE, buffer_span(&code));
	buffer_free(&code);
}

static void
ask_for_piece(struct session *session)
{
	struct metadata_command *command = session->running;
	enum reply reason = session_reason_to_stop(session);

	if (reason == REPLY_DONE)
		session_submit_to(session, &command->job, account_of(session, command), ACCOUNT_READ);
	else
		session_finish(session, reason);
}

static void
next_piece(struct session *session)
{
	struct metadata_command *command = session->running;

	if (is_done(command))		/* in the owner's file */
		command->told = 0;
	ask_for_piece(session);
}

static void
on_got(struct session *session, struct session_job *job, enum store_status status)
{
	struct metadata_command *command = CONTAINER_OF(job, struct metadata_command, job);

	if (status == STORE_OK && command->out.length > 0)
		session_write_buffer(session, &command->out);
	buffer_free(&command->out);
	if (status != STORE_OK)
		session_finish_status(session, status);
	else if (is_done(command) && !goes_on_in_own(command))
		finish_get(session, command);
	else
		session_when_room(session, next_piece);
}

static void
get(struct session *session, struct metadata_command *command)
{
	const struct imap_metadata *asked = command->asked;
	const struct config *config = session->role->parts.config;

	command->request = (struct annotation_request){
		.depth = asked->depth,
		.octets_max = asked->has_max_size ? asked->max_size : UINT64_MAX,
		.is_utf8 = session_is_utf8(session),
		.comment = copy_text(command->arena, config->server_comment),
		.admin = copy_text(command->arena, config->server_admin),
	};
	session->running = command;
	command->job.work = work_get;
	command->job.done = on_got;
	session_submit_to(session, &command->job, command->door.account, ACCOUNT_READ);
}

/* ---- SETMETADATA ---------------------------------------------------------------------------------------- */

static enum store_status
work_set(struct store *store, struct session_job *job)
{
	struct metadata_command *command = CONTAINER_OF(job, struct metadata_command, job);
	struct annotation_subject subject;
	enum store_status status = find_subject(store, command, &subject);

	struct store_annotation *annotations = arena_alloc_array(command->arena, command->count + 1, sizeof *annotations);
	size_t count = 0;

	for (size_t i = 0; i < command->count; i++)
		if (is_in_file(command, command->annotations[i].entry))
			annotations[count++] = command->annotations[i];
	if (status == STORE_OK && count > 0)
		status = store_annotations_set(store, &subject.annotated, annotations, count);
	if (status == STORE_OK && command->sets_use)
		status = store_mailbox_set_special_use(store, subject.annotated.mailbox_id, command->use);
	return status;
}

static void
on_set(struct session *session, struct session_job *job, enum store_status status)
{
	struct metadata_command *command = CONTAINER_OF(job, struct metadata_command, job);
	const struct imap_metadata *asked = command->asked;

	for (size_t i = 0; i < asked->annotation_count && status == STORE_OK; i++)
		if (is_in_file(command, asked->annotations[i].entry) && !command->is_in_own)
			bulletin_note_metadata(command->door.account, asked->is_server ? asked->mailbox : command->door.name,
			    asked->annotations[i].entry);
	if (status == STORE_OK && goes_on_in_own(command)) {
		session_submit(session, &command->job, ACCOUNT_DURABLE);
		return;
	}
	session_finish(session, status == STORE_LIMIT ? REPLY_METADATA_TOO_MANY : reply_for(status));
}

static void
refuse_size(struct session *session)
{
	struct buffer code = { 0 };

	buffer_printf(&code, "METADATA MAXSIZE %u", STORE_ANNOTATION_OCTETS);
	session_finish_with(session, REPLY_METADATA_TOO_LONG, buffer_span(&code));
	buffer_free(&code);
}

/* "\\Drafts \\Sent", in any case.  False: it is none that CREATE would take. */
static bool
take_use(struct metadata_command *command, struct span value)
{
	struct buffer names = { 0 };
	bool is_known = true;

	command->sets_use = true;
	while (value.length > 0 && is_known) {
		size_t length = span_find(value, ' ');
		unsigned use = imap_use_from_name(span_slice(value, 0, length));

		is_known = use != 0 && (use & (IMAP_USE_ALL | IMAP_USE_FLAGGED)) == 0;
		if (is_known)
			buffer_printf(&names, "%s%s", names.length == 0 ? "" : " ", imap_use_name(use));
		value = span_from(value, length < value.length ? length + 1 : length);
	}
	command->use = names.length == 0 ? NULL : arena_copy_string(command->arena, buffer_span(&names));
	buffer_free(&names);
	return is_known;
}

/* REPLY_DONE: it may be set. */
static enum reply
take_annotation(struct metadata_command *command, const struct imap_annotation *annotation)
{
	if (annotation->value.length > STORE_ANNOTATION_OCTETS)
		return REPLY_METADATA_TOO_LONG;
	if (command->asked->is_server && is_shared(annotation->entry))
		return REPLY_NOT_YOURS;
	if (command->door.who != NULL && span_equals_nocase(annotation->entry, SPAN(ANNOTATION_SPECIAL_USE)))
		return REPLY_USE_UNKNOWN;
	if (!command->asked->is_server && span_equals_nocase(annotation->entry, SPAN(ANNOTATION_SPECIAL_USE)))
		return take_use(command, annotation->value) ? REPLY_DONE : REPLY_USE_UNKNOWN;
	command->annotations[command->count++] = (struct store_annotation){ annotation->entry, annotation->value,
		annotation->value.length };
	return REPLY_DONE;
}

static void
set(struct session *session, struct metadata_command *command)
{
	const struct imap_metadata *asked = command->asked;
	enum reply reply = REPLY_DONE;

	command->annotations = arena_alloc_array(command->arena, asked->annotation_count, sizeof command->annotations[0]);
	for (size_t i = 0; i < asked->annotation_count && reply == REPLY_DONE; i++)
		reply = take_annotation(command, &asked->annotations[i]);
	if (reply == REPLY_METADATA_TOO_LONG) {
		refuse_size(session);
	} else if (reply != REPLY_DONE) {
		session_finish(session, reply);
	} else {
		command->job.work = work_set;
		command->job.done = on_set;
		session_submit_to(session, &command->job, command->door.account, ACCOUNT_DURABLE);
	}
}

void
cmd_metadata(struct session *session)
{
	struct metadata_command *command = ARENA_NEW(session->line->arena, struct metadata_command);

	command->arena = session->line->arena;
	command->asked = &session->line->metadata;
	if (command->asked->is_server)
		authorize_own(session, IMAP_RIGHT_LOOKUP, &command->door);
	else
		authorize(session, command->arena, command->asked->mailbox, IMAP_RIGHT_LOOKUP, &command->door);
	if (session->line->verb == IMAP_SETMETADATA)
		set(session, command);
	else
		get(session, command);
}
