/*
 * The verb undelete: lists messages that have left their mailboxes and are kept (store/retained.h), and brings them back
 * while the user works.  A call takes about a second and says how far it has come.  Loop thread; the work functions on
 * workers.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "../search/keys.h"
#include "../session/door.h"
#include "../shared/bulletin.h"
#include "../shared/objectid.h"
#include "imap/list_match.h"
#include "imap/mailbox_name.h"
#include "life.h"
#include "mime/encoded_word.h"
#include "mime/header.h"
#include "store/content.h"
#include "user_verb.h"

#define SLICE_MESSAGES 100
#define SLICE_LOOKED_AT 5000
#define WORDS_BEFORE_PATTERNS 7
#define TEXT_MAX 200			/* octets of From and Subject that are told */

enum undelete_end { ENDS_NOT, ENDS_BY_QUOTA, ENDS_BY_LIMIT };

/* A message of a slice that is meant. */
struct chosen {
	struct store_retained retained;	/* its strings in the slice's arena */
	struct span from, subject;	/* likewise */
	bool is_restored;
	struct store_returned returned;
	struct store_keywords news;	/* of its keywords */
};

struct undeleting {
	struct user_verb verb;
	struct arena *arena;		/* of the call */
	bool is_restoring;
	uint64_t after;			/* the last one that was looked at */
	int64_t since_s, before_s;	/* when it left */
	struct span into;		/* canonical; empty: where it was */
	struct span *patterns;		/* of mailboxes; none: all */
	size_t pattern_count;
	struct search_keys *keys;	/* NULL: all */
	/* One slice. */
	struct arena *slice;
	struct chosen *chosen;
	size_t count, looked_at;
	bool is_more;
	enum undelete_end end;
	/* In all. */
	int64_t found, restored;
};

static struct undeleting *
undeleting_of(struct account_job *job)
{
	return CONTAINER_OF(job, struct undeleting, verb.job);
}

static void
free_undeleting(struct user_verb *verb)
{
	struct undeleting *undeleting = CONTAINER_OF(verb, struct undeleting, verb);

	search_keys_free(&undeleting->keys);
	arena_free(&undeleting->slice);
	arena_free(&undeleting->arena);
	free(undeleting);
}

/* ---- what is meant -------------------------------------------------------------------------------------- */

static bool
is_of_mailbox(const struct undeleting *undeleting, struct span name)
{
	for (size_t i = 0; i < undeleting->pattern_count; i++)
		if (imap_pattern_matches(undeleting->patterns[i], name))
			return true;
	return undeleting->pattern_count == 0;
}

static const char *
copy_or_null(struct arena *arena, const char *text)
{
	return text == NULL ? NULL : arena_copy_string(arena, span_from_string(text));
}

/* Damaged ones are listed and stay: their octets cannot be read. */
static bool
choose(const struct store_retained *retained, void *context)
{
	struct undeleting *undeleting = context;
	struct store_retained *copy;

	if (undeleting->count == SLICE_MESSAGES || undeleting->looked_at == SLICE_LOOKED_AT) {
		undeleting->is_more = true;
		return false;
	}
	undeleting->looked_at++;
	undeleting->after = retained->id;
	if (retained->left_s < undeleting->since_s || retained->left_s >= undeleting->before_s ||
	    (undeleting->is_restoring && retained->how == STORE_LEFT_DAMAGED) ||
	    !is_of_mailbox(undeleting, span_from_string(retained->mailbox)))
		return true;
	copy = &undeleting->chosen[undeleting->count++].retained;
	*copy = *retained;
	copy->mailbox = copy_or_null(undeleting->slice, retained->mailbox);
	copy->keywords = copy_or_null(undeleting->slice, retained->keywords);
	copy->by = copy_or_null(undeleting->slice, retained->by);
	return true;
}

/* Leave only those that the keys match; one that cannot be read matches nothing. */
static enum store_status
search(struct undeleting *undeleting, struct store *store)
{
	enum store_status status = STORE_OK;
	size_t kept = 0;

	for (size_t i = 0; undeleting->keys != NULL && i < undeleting->count; i++) {
		const struct store_retained *retained = &undeleting->chosen[i].retained;
		bool is_match = false;

		status = search_keys_match(undeleting->keys, store, &retained->message, retained->keywords, &is_match);
		if (status != STORE_OK && status != STORE_NOT_FOUND && status != STORE_CORRUPT)
			return status;
		if (status == STORE_OK && is_match)
			undeleting->chosen[kept++] = undeleting->chosen[i];
	}
	if (undeleting->keys != NULL)
		undeleting->count = kept;
	return STORE_OK;
}

static struct span
decode(struct arena *arena, struct span header, struct span name)
{
	struct mime_field field;
	struct buffer text = { 0 };
	struct span copy;

	if (!mime_field_find(header, name, &field))
		return SPAN("");
	mime_header_decode(field.value, &text);
	copy = arena_copy(arena, span_slice(buffer_span(&text), 0, TEXT_MAX));
	buffer_free(&text);
	return copy;
}

static enum store_status
read_header(struct undeleting *undeleting, struct store *store, struct chosen *chosen)
{
	struct buffer header = { 0 };
	enum store_status status = store_read_header(store, chosen->retained.message.content_id, &header);

	if (status == STORE_OK) {
		chosen->from = decode(undeleting->slice, buffer_span(&header), SPAN("from"));
		chosen->subject = decode(undeleting->slice, buffer_span(&header), SPAN("subject"));
	}
	buffer_free(&header);
	return status == STORE_NOT_FOUND || status == STORE_CORRUPT ? STORE_OK : status;
}

static enum store_status
work_choose(struct store *store, struct account_job *job)
{
	struct undeleting *undeleting = undeleting_of(job);
	enum store_status status;

	arena_free(&undeleting->slice);
	undeleting->slice = arena_new();
	undeleting->chosen = arena_alloc_array(undeleting->slice, SLICE_MESSAGES, sizeof *undeleting->chosen);
	memset(undeleting->chosen, 0, SLICE_MESSAGES * sizeof *undeleting->chosen);
	undeleting->count = undeleting->looked_at = 0;
	undeleting->is_more = false;
	status = store_retained_each(store, undeleting->after, choose, undeleting);
	if (status == STORE_OK)
		status = search(undeleting, store);
	for (size_t i = 0; status == STORE_OK && i < undeleting->count; i++)
		status = read_header(undeleting, store, &undeleting->chosen[i]);
	return status;
}

/* ---- what is told --------------------------------------------------------------------------------------- */

static void
add_time(struct buffer *line, const char *key, int64_t time_s)
{
	time_t time = (time_t)time_s;
	char text[32] = "";
	struct tm parts;

	if (gmtime_r(&time, &parts) != NULL)
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	control_add_field(line, key, span_from_string(text));
}

static void
tell(const struct undeleting *undeleting, const struct chosen *chosen)
{
	static const char *const hows[STORE_LEAVING_COUNT] = {
		[STORE_LEFT_EXPUNGED] = "expunged", [STORE_LEFT_DELETED] = "deleted", [STORE_LEFT_MOVED] = "moved",
		[STORE_LEFT_REPLACED] = "replaced", [STORE_LEFT_DAMAGED] = "damaged",
	};
	const struct store_retained *retained = &chosen->retained;
	struct buffer line = { 0 }, id = { 0 };

	objectid_write_email(&id, retained->message.content_id);
	user_verb_begin_line(&undeleting->verb, SPAN("message"), &line);
	control_add_field(&line, "mailbox", span_from_string(retained->mailbox));
	control_add_number(&line, "uid", retained->message.uid);
	add_time(&line, "left", retained->left_s);
	control_add_field(&line, "how", span_from_string(hows[retained->how]));
	control_add_field(&line, "by", span_from_string(retained->by == NULL ? "" : retained->by));
	control_add_number(&line, "size", retained->message.size);
	control_add_field(&line, "from", chosen->from);
	control_add_field(&line, "subject", chosen->subject);
	control_add_field(&line, "emailid", span_slice(buffer_span(&id), 1, id.length - 2));
	if (undeleting->is_restoring) {
		control_add_field(&line, "into", span_from_string(chosen->returned.mailbox));
		control_add_number(&line, "new-uid", chosen->returned.message.uid);
	}
	control_reply(undeleting->verb.call, buffer_span(&line));
	buffer_free(&line);
	buffer_free(&id);
}

static void
tell_end(const struct undeleting *undeleting, bool is_more)
{
	static const char *const states[] = {
		[ENDS_NOT] = "done", [ENDS_BY_QUOTA] = "over-quota", [ENDS_BY_LIMIT] = "limit",
	};
	struct buffer line = { 0 };

	user_verb_begin_line(&undeleting->verb, SPAN("undelete"), &line);
	control_add_field(&line, "state", span_from_string(is_more ? "running" : states[undeleting->end]));
	control_add_number(&line, "found", undeleting->found);
	control_add_number(&line, "restored", undeleting->restored);
	control_add_number(&line, "after", (int64_t)undeleting->after);
	control_reply(undeleting->verb.call, buffer_span(&line));
	buffer_free(&line);
}

/* ---- bringing back -------------------------------------------------------------------------------------- */

/* The mailbox that all go into; 0: each where it was. */
static enum store_status
find_into(struct undeleting *undeleting, struct store *store, uint64_t *mailbox_id_out, bool *is_made_out)
{
	struct door door = { .account = undeleting->verb.account, .name = undeleting->into, .granted = IMAP_RIGHTS_ALL };
	struct store_mailbox mailbox;
	enum store_status status;

	*mailbox_id_out = 0;
	*is_made_out = false;
	if (undeleting->into.length == 0)
		return STORE_OK;
	status = door_find(store, &door, undeleting->slice, &mailbox);
	*mailbox_id_out = mailbox.id;
	if (status != STORE_NOT_FOUND)
		return status;
	*is_made_out = true;
	return door_create(store, &door, undeleting->slice, NULL, mailbox_id_out);
}

static enum store_status
restore(struct undeleting *undeleting, struct store *store, struct chosen *chosen, uint64_t into_id)
{
	struct store_returned *returned = &chosen->returned;
	enum store_status status = store_retained_restore(store, &chosen->retained, into_id, undeleting->slice, returned);

	if (status == STORE_OK && chosen->retained.keywords != NULL)
		status = store_keyword_news(store, returned->mailbox_id, 0, &returned->message.flags, 1, undeleting->slice,
		    &chosen->news);
	chosen->is_restored = status == STORE_OK;
	return status;
}

/* What does not fit ends it, and what came before stays; one that is kept no more has gone meanwhile. */
static enum store_status
work_restore(struct store *store, struct account_job *job)
{
	struct undeleting *undeleting = undeleting_of(job);
	bool is_made;
	uint64_t into_id;
	enum store_status status = find_into(undeleting, store, &into_id, &is_made);

	for (size_t i = 0; status == STORE_OK && i < undeleting->count; i++) {
		struct chosen *chosen = &undeleting->chosen[i];

		if ((status = store_step_begin(store)) != STORE_OK)
			return status;
		status = store_step_end(store, restore(undeleting, store, chosen, into_id));
		if (status == STORE_OK && into_id != 0 && is_made && i == 0)
			chosen->returned.is_made = true;
		if (status == STORE_NOT_FOUND)
			status = STORE_OK;
	}
	if (status != STORE_OVER_QUOTA && status != STORE_LIMIT)
		return status;
	undeleting->end = status == STORE_OVER_QUOTA ? ENDS_BY_QUOTA : ENDS_BY_LIMIT;
	return STORE_OK;
}

/* One that came back, for all sessions. */
static void
show(struct undeleting *undeleting, const struct chosen *chosen)
{
	const struct store_returned *returned = &chosen->returned;
	struct account *account = undeleting->verb.account;

	if (returned->is_made)
		bulletin_note_name(account, span_from_string(returned->mailbox));
	if (chosen->retained.keywords != NULL)
		state_keywords_changed(account, returned->mailbox_id, &chosen->news);
	state_appended(account, returned->mailbox_id, &returned->message, 1);
	tell(undeleting, chosen);
	undeleting->restored++;
}

static void choose_next(struct undeleting *undeleting);

/* The end of a slice. */
static void
go_on(struct undeleting *undeleting)
{
	bool is_over = undeleting->end != ENDS_NOT || !undeleting->is_more;

	undeleting->found += (int64_t)undeleting->count;
	if (!is_over && !user_verb_is_time_up(&undeleting->verb)) {
		choose_next(undeleting);
		return;
	}
	tell_end(undeleting, !is_over);
	user_verb_end(&undeleting->verb, EX_OK, NULL);
}

static void
on_restored(struct account_job *job)
{
	struct undeleting *undeleting = undeleting_of(job);

	if (job->status != STORE_OK) {
		user_verb_end_with(&undeleting->verb, job->status);
		return;
	}
	for (size_t i = 0; i < undeleting->count; i++)
		if (undeleting->chosen[i].is_restored)
			show(undeleting, &undeleting->chosen[i]);
	go_on(undeleting);
}

static void
on_chosen(struct account_job *job)
{
	struct undeleting *undeleting = undeleting_of(job);

	if (job->status != STORE_OK) {
		user_verb_end_with(&undeleting->verb, job->status);
	} else if (undeleting->is_restoring && undeleting->count > 0) {
		job->is_alone = true;	/* it has steps of its own */
		user_verb_submit(&undeleting->verb, ACCOUNT_DURABLE, work_restore, on_restored);
	} else {
		for (size_t i = 0; i < undeleting->count; i++)
			tell(undeleting, &undeleting->chosen[i]);
		go_on(undeleting);
	}
}

static void
choose_next(struct undeleting *undeleting)
{
	user_verb_submit(&undeleting->verb, ACCOUNT_READ, work_choose, on_chosen);
}

static void
begin(struct user_verb *verb)
{
	struct undeleting *undeleting = CONTAINER_OF(verb, struct undeleting, verb);

	if (verb->has_file) {
		choose_next(undeleting);
		return;
	}
	tell_end(undeleting, false);
	user_verb_end(verb, EX_OK, NULL);
}

/* ---- what is ordered ------------------------------------------------------------------------------------ */

/* NULL: it is a name, or none. */
static const char *
read_into(struct undeleting *undeleting, struct span word)
{
	struct buffer name = { 0 };
	bool is_name = word.length == 0 || imap_name_canonical(word, true, &name) == IMAP_NAME_OK;

	undeleting->into = arena_copy(undeleting->arena, buffer_span(&name));
	buffer_free(&name);
	return is_name ? NULL : "this is no name for a mailbox";
}

static bool
read_time(struct span word, int64_t otherwise, int64_t *time_out)
{
	uint64_t time_s;

	*time_out = otherwise;
	if (word.length == 0)
		return true;
	if (!span_to_number(word, INT64_MAX, &time_s))
		return false;
	*time_out = (int64_t)time_s;
	return true;
}

/* Patterns as names are: in normalization form C, INBOX in any case. */
static bool
read_patterns(struct undeleting *undeleting)
{
	const struct control_call *call = undeleting->verb.call;
	size_t count = control_call_count(call);
	bool is_good = true;

	undeleting->patterns = arena_alloc_array(undeleting->arena, count, sizeof *undeleting->patterns);
	for (size_t i = WORDS_BEFORE_PATTERNS; i < count && is_good; i++) {
		struct buffer pattern = { 0 };

		is_good = imap_pattern_join(SPAN(""), control_call_word(call, i), &pattern);
		undeleting->patterns[undeleting->pattern_count++] = arena_copy(undeleting->arena, buffer_span(&pattern));
		buffer_free(&pattern);
	}
	return is_good;
}

/* NAME list|restore AFTER SINCE BEFORE INTO KEYS [PATTERN]...  What is wrong, or NULL. */
static const char *
read_words(struct undeleting *undeleting)
{
	const struct control_call *call = undeleting->verb.call;
	struct span keys = control_call_word(call, 6);

	undeleting->is_restoring = span_equals(control_call_word(call, 1), SPAN("restore"));
	if (!span_to_number(control_call_word(call, 2), INT64_MAX, &undeleting->after) ||
	    !read_time(control_call_word(call, 3), INT64_MIN, &undeleting->since_s) ||
	    !read_time(control_call_word(call, 4), INT64_MAX, &undeleting->before_s))
		return "this is no number";
	if (!read_patterns(undeleting))
		return "a pattern is too long";
	if (keys.length > 0 && (undeleting->keys = search_keys_new(keys)) == NULL)
		return "these are no keys of SEARCH, such as FROM anna or SUBJECT \"monthly report\"";
	return read_into(undeleting, control_call_word(call, 5));
}

static void
on_undelete(struct control_call *call, void *context)
{
	struct undeleting *undeleting;
	const char *error;

	if (control_call_count(call) < WORDS_BEFORE_PATTERNS) {
		control_finish(call, EX_USAGE, "undelete NAME list|restore AFTER SINCE BEFORE INTO KEYS [PATTERN]...");
		return;
	}
	undeleting = NEW(struct undeleting);
	undeleting->verb.call = call;
	undeleting->verb.begin = begin;
	undeleting->verb.free = free_undeleting;
	undeleting->arena = arena_new();
	if ((error = read_words(undeleting)) != NULL) {
		control_finish(call, EX_DATAERR, error);
		free_undeleting(&undeleting->verb);
		return;
	}
	user_verb_take(&undeleting->verb, context, call);
}

void
role_register_undelete(struct mailbox_role *role, struct control *control)
{
	control_register(control, "undelete", CONTROL_CHANGE, on_undelete, role);
}
