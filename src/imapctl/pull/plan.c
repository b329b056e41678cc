/*
 * NAMESPACE, LIST, LSUB and STATUS, then a choice.  Names are kept as the server writes them, and sent back so.
 */
#include "plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "imap/list_match.h"
#include "naming.h"

#define MAILBOXES_MAX 100000
#define VIEWS (IMAP_LIST_ALL | IMAP_LIST_FLAGGED | IMAP_LIST_IMPORTANT)
#define STATUS_AT_ONCE 100

struct space {
	struct buffer prefix;
	bool is_foreign;
};

struct planning {
	struct pull_plan *plan;
	struct remote *there;
	const struct pull_plan_settings *settings;
	struct source *notes;
	pull_plan_refuse *refuse;
	void *context;
	struct space *spaces;
	size_t space_count;
};

static void
planned_free(struct planned *box)
{
	buffer_free(&box->sent);
	buffer_free(&box->name);
	buffer_free(&box->encoded);
}

void
pull_plan_free(struct pull_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		planned_free(&plan->at[i]);
	free(plan->at);
	map_free(&plan->listed);
	*plan = (struct pull_plan){ 0 };
}

struct planned *
pull_plan_find(const struct pull_plan *plan, struct span sent)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (span_equals(buffer_span(&plan->at[i].sent), sent))
			return &plan->at[i];
	}
	return NULL;
}

static bool
is_inbox(struct span sent)
{
	return span_equals_nocase(sent, SPAN("INBOX"));
}

static void
add_space(struct planning *planning, struct span prefix, bool is_foreign)
{
	struct space *space;

	planning->spaces = memory_resize(planning->spaces, planning->space_count + 1, sizeof *space);
	space = &planning->spaces[planning->space_count++];
	*space = (struct space){ .is_foreign = is_foreign };
	buffer_add_span(&space->prefix, prefix);
}

static void
take_namespace(struct planning *planning, const struct imap_namespace_reply *spaces)
{
	for (size_t class = 0; class < IMAP_NAMESPACE_COUNT; class++) {
		for (size_t i = 0; i < spaces->counts[class]; i++)
			add_space(planning, spaces->spaces[class][i].prefix, class != IMAP_NAMESPACE_PERSONAL);
	}
}

/* The namespace of the longest prefix that fits; NULL: none. */
static const struct space *
space_of(const struct planning *planning, struct span sent)
{
	const struct space *best = NULL;

	for (size_t i = 0; i < planning->space_count; i++) {
		const struct space *space = &planning->spaces[i];

		if (span_starts_with_nocase(sent, buffer_span(&space->prefix)) &&
		    (best == NULL || space->prefix.length > best->prefix.length))
			best = space;
	}
	return best;
}

static void
take_list(struct planning *planning, const struct imap_list_reply *list)
{
	struct pull_plan *plan = planning->plan;
	struct planned *box = pull_plan_find(plan, list->name);

	if (box == NULL) {
		if (plan->count == MAILBOXES_MAX)
			return;
		plan->at = memory_resize(plan->at, plan->count + 1, sizeof *box);
		box = &plan->at[plan->count++];
		*box = (struct planned){ .separator = list->separator };
		buffer_add_span(&box->sent, list->name);
	}
	if ((list->attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) == 0)
		map_put(plan->listed, list->name, plan);
	box->attributes |= list->attributes;
	box->is_subscribed |= (list->attributes & IMAP_LIST_SUBSCRIBED) != 0;
}

static void
take_subscription(struct planning *planning, const struct imap_list_reply *list)
{
	struct planned *box = pull_plan_find(planning->plan, list->name);

	if (box == NULL && is_inbox(list->name)) {
		for (size_t i = 0; i < planning->plan->count && box == NULL; i++)
			box = is_inbox(buffer_span(&planning->plan->at[i].sent)) ? &planning->plan->at[i] : NULL;
	}
	if (box != NULL && (list->attributes & IMAP_LIST_NOSELECT) == 0)	/* RFC 3501 section 6.3.9: of a child */
		box->is_subscribed = true;
}

static void
take_status(struct planning *planning, const struct imap_status_reply *status)
{
	struct planned *box = pull_plan_find(planning->plan, status->mailbox);

	if (box == NULL || (status->has & IMAP_STATUS_HAS_MESSAGES) == 0)
		return;
	box->messages = status->messages;
}

static bool
on_reply(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct planning *planning = context;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_NAMESPACE)
		take_namespace(planning, &reply->spaces);
	else if (reply->kind == IMAP_REPLY_LIST)
		take_list(planning, &reply->list);
	else if (reply->kind == IMAP_REPLY_LSUB)
		take_subscription(planning, &reply->list);
	else if (reply->kind == IMAP_REPLY_STATUS)
		take_status(planning, &reply->status);
	return true;
}

/* As Exchange has it, which lets people log in who have no mailbox, and then says BAD to all. */
static bool
refuse_list(struct remote *there, const struct remote_answer *answer)
{
	struct buffer why = { 0 };

	buffer_printf(&why, "the source does not list its mailboxes: %.*s", SPAN_ARGS(answer->line));
	dialog_lose(remote_dialog(there), buffer_string(&why));
	buffer_free(&why);
	return false;
}

static bool
ask_for_list(struct planning *planning)
{
	struct remote *there = planning->there;
	struct remote_answer answer = { .condition = IMAP_REPLY_NO };
	bool is_extended = remote_can(there, "LIST-EXTENDED");

	if (is_extended && !remote_call(there, remote_can(there, "SPECIAL-USE") ?
	    "LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)" : "LIST \"\" \"*\" RETURN (SUBSCRIBED)", &answer))
		return false;
	if (is_extended && answer.condition == IMAP_REPLY_OK)
		return true;
	if (!remote_call(there, "LIST \"\" \"*\"", &answer))
		return false;
	return answer.condition == IMAP_REPLY_OK ? remote_call(there, "LSUB \"\" \"*\"", &answer) : refuse_list(there, &answer);
}

/* Some servers list INBOX only when they are asked for it. */
static bool
ask_for_inbox(struct planning *planning)
{
	struct remote_answer answer;

	for (size_t i = 0; i < planning->plan->count; i++) {
		if (is_inbox(buffer_span(&planning->plan->at[i].sent)))
			return true;
	}
	return remote_call(planning->there, "LIST \"\" INBOX", &answer);
}

static bool
ask(struct planning *planning)
{
	struct remote_answer answer;

	if (remote_can(planning->there, "NAMESPACE") && !remote_call(planning->there, "NAMESPACE", &answer))
		return false;
	return ask_for_list(planning) && ask_for_inbox(planning);
}

/* ---- the choice ----------------------------------------------------------------------------------------- */

static bool
matches_any(const char *const *patterns, size_t count, struct span name, bool must_begin_plain)
{
	for (size_t i = 0; i < count; i++) {
		struct span pattern = span_from_string(patterns[i]);
		bool is_plain = pattern.length > 0 && pattern.at[0] != '*' && pattern.at[0] != '%';

		if ((is_plain || !must_begin_plain) && imap_pattern_matches(pattern, name))
			return true;
	}
	return false;
}

static bool
is_only(const struct planning *planning, const struct planned *box)
{
	struct buffer name = { 0 };
	bool is_it;

	if (planning->settings->only.length == 0)
		return true;
	imap_utf7_decode_lax(buffer_span(&box->sent), remote_has_enabled(planning->there, "UTF8=ACCEPT"), &name);
	is_it = span_equals(buffer_span(&name), planning->settings->only) ||
	    (is_inbox(planning->settings->only) && is_inbox(buffer_span(&name)));
	buffer_free(&name);
	return is_it;
}

/* Whether the operator wants it, by its name here. */
static bool
is_wanted(const struct planning *planning, const struct planned *box)
{
	const struct pull_plan_settings *settings = planning->settings;
	struct span name = buffer_span(&box->name);

	if (matches_any(settings->excluded, settings->excluded_count, name, false) || !is_only(planning, box))
		return false;
	if (settings->pattern_count == 0)
		return !box->is_foreign || settings->only.length > 0;
	return matches_any(settings->patterns, settings->pattern_count, name, box->is_foreign);
}

static void
note(struct planning *planning, enum note_kind kind, const struct planned *box, const char *what)
{
	struct buffer text = { 0 };

	imap_utf7_decode_lax(buffer_span(&box->sent), remote_has_enabled(planning->there, "UTF8=ACCEPT"), &text);
	source_note(planning->notes, kind, span_from_string(what), buffer_span(&text));
	buffer_free(&text);
}

/* Whether its mail is pulled; why not is noted where it is no matter of course. */
static bool
is_chosen(struct planning *planning, const struct planned *box)
{
	bool is_named = matches_any(planning->settings->patterns, planning->settings->pattern_count,
	    buffer_span(&box->name), true);

	if ((box->attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) != 0)
		return false;
	if (planning->plan->is_gmail && (box->attributes & (IMAP_LIST_ALL | IMAP_LIST_JUNK | IMAP_LIST_TRASH)) == 0)
		return false;
	if (box->is_foreign && !is_wanted(planning, box)) {
		note(planning, NOTE_LEFT_OUT, box, "mailboxes of others, which --mailbox can name");
		return false;
	}
	if (!is_wanted(planning, box))
		return false;
	if (!planning->plan->is_gmail && (box->attributes & VIEWS) != 0 && !is_named && planning->settings->only.length == 0) {
		note(planning, NOTE_LEFT_OUT, box, "views of mail that lies in other mailboxes");
		return false;
	}
	return true;
}

static bool
is_taken(const struct pull_plan *plan, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equals(buffer_span(&plan->at[i].name), name))
			return true;
	}
	return false;
}

/* Two names that become one here are "Name" and "Name (2)". */
static void
make_unique(struct planning *planning, size_t count, struct planned *box)
{
	const struct pull_plan *plan = planning->plan;
	size_t length = box->name.length;

	if (is_taken(plan, count, buffer_span(&box->name)))
		note(planning, NOTE_NOT_TAKEN_OVER, box, "names that another mailbox has here already: a number is behind");

	for (unsigned number = 2; is_taken(plan, count, buffer_span(&box->name)); number++) {
		box->name.length = length;
		buffer_printf(&box->name, " (%u)", number);
	}
}

/* Gmail's own names are another in each language. */
static bool
name_by_use(const struct planning *planning, struct planned *box)
{
	if (!planning->plan->is_gmail)
		return false;
	if ((box->attributes & IMAP_LIST_ALL) != 0)
		buffer_add_string(&box->name, "Archive");
	else if ((box->attributes & IMAP_LIST_JUNK) != 0)
		buffer_add_string(&box->name, "Junk");
	else if ((box->attributes & IMAP_LIST_TRASH) != 0)
		buffer_add_string(&box->name, "Trash");
	return box->name.length > 0;
}

/* False: it can have no name here, and that was told if it matters. */
static bool
give_name(struct planning *planning, struct planned *box)
{
	const struct space *space = space_of(planning, buffer_span(&box->sent));
	struct naming naming = {
		.is_utf8 = remote_has_enabled(planning->there, "UTF8=ACCEPT"),
		.others = planning->settings->others,
		.shared = planning->settings->shared,
	};
	enum imap_name_status status;

	box->is_foreign = space != NULL && space->is_foreign && !is_inbox(buffer_span(&box->sent));
	if (space != NULL && !box->is_foreign)
		naming.prefix = buffer_span(&space->prefix);
	if (name_by_use(planning, box))
		return true;
	status = naming_translate(&naming, buffer_span(&box->sent), box->separator, &box->name);
	if (status != IMAP_NAME_OK && !box->is_foreign && (box->attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) == 0)
		planning->refuse(buffer_span(&box->sent), span_from_string(imap_name_status_text(status)), planning->context);
	return status == IMAP_NAME_OK;
}

static void
find_out_gmail(struct planning *planning)
{
	struct pull_plan *plan = planning->plan;

	if (!remote_can(planning->there, "X-GM-EXT-1"))
		return;
	for (size_t i = 0; i < plan->count; i++)
		plan->is_gmail |= (plan->at[i].attributes & IMAP_LIST_ALL) != 0;
	if (!plan->is_gmail)
		source_note(planning->notes, NOTE_DOUBTFUL,
		    SPAN("All Mail is not shown in IMAP, so that mail with several labels comes several times"), SPAN("Gmail"));
}

/* INBOX comes first: it is what people look at. */
static void
put_inbox_first(struct pull_plan *plan)
{
	for (size_t i = 1; i < plan->count; i++) {
		struct planned inbox = plan->at[i];

		if (!is_inbox(buffer_span(&inbox.sent)))
			continue;
		memmove(&plan->at[1], &plan->at[0], i * sizeof inbox);
		plan->at[0] = inbox;
		return;
	}
}

static void
choose(struct planning *planning)
{
	struct pull_plan *plan = planning->plan;
	size_t kept = 0;

	find_out_gmail(planning);
	put_inbox_first(plan);
	for (size_t i = 0; i < plan->count; i++) {
		struct planned box = plan->at[i];

		if (give_name(planning, &box) && is_chosen(planning, &box)) {
			make_unique(planning, kept, &box);
			imap_utf7_encode(buffer_span(&box.name), &box.encoded);
			plan->at[kept++] = box;
		} else {
			planned_free(&box);
		}
	}
	plan->count = kept;
}

/* Sizes for the progress; a server that refuses them is not asked twice. */
static bool
ask_for_sizes(struct planning *planning)
{
	struct remote *there = planning->there;
	struct pull_plan *plan = planning->plan;
	uint32_t number = 0;
	struct remote_answer answer;

	for (size_t i = 0; i < plan->count; i++) {
		number = remote_begin(there, "STATUS ");
		if (!remote_add_string(there, buffer_span(&plan->at[i].sent)))
			return false;
		buffer_add_string(remote_out(there), " (MESSAGES)");
		remote_end(there);
		if ((i % STATUS_AT_ONCE == 0 || i + 1 == plan->count) && !remote_wait(there, number, &answer))
			return false;
	}
	for (size_t i = 0; i < plan->count; i++)
		plan->messages += plan->at[i].messages;
	return true;
}

bool
pull_plan_make(struct pull_plan *plan, struct remote *there, const struct pull_plan_settings *settings, struct source *notes,
    pull_plan_refuse *refuse, void *context)
{
	struct planning planning = { plan, there, settings, notes, refuse, context, NULL, 0 };
	bool is_alive;

	plan->listed = map_new();
	remote_listen(there, on_reply, &planning);
	is_alive = ask(&planning);
	if (is_alive) {
		choose(&planning);
		is_alive = ask_for_sizes(&planning);
	}
	remote_listen(there, NULL, NULL);
	for (size_t i = 0; i < planning.space_count; i++)
		buffer_free(&planning.spaces[i].prefix);
	free(planning.spaces);
	return is_alive;
}
