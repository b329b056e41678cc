#include "plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "imap/list_match.h"
#include "names_there.h"

/* RFC 6154, as LIST says them. */
static const struct {
	unsigned attribute;
	const char *name;
} uses[] = { { IMAP_LIST_ARCHIVE, "\\Archive" }, { IMAP_LIST_DRAFTS, "\\Drafts" }, { IMAP_LIST_IMPORTANT, "\\Important" },
	{ IMAP_LIST_JUNK, "\\Junk" }, { IMAP_LIST_SENT, "\\Sent" }, { IMAP_LIST_TRASH, "\\Trash" } };

static struct span
use_of(struct plan *plan, unsigned attributes)
{
	struct buffer text = { 0 };
	struct span use;

	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if ((attributes & uses[i].attribute) != 0)
			buffer_printf(&text, "%s%s", text.length > 0 ? " " : "", uses[i].name);
	}
	use = arena_copy(plan->arena, buffer_span(&text));
	buffer_free(&text);
	return use;
}

static bool
is_of_others(const struct plan *plan, struct span name)
{
	for (size_t i = 0; i < plan->other_count; i++) {
		if (plan->others[i].length > 0 && span_starts_with(name, plan->others[i]))
			return true;
	}
	return false;
}

static bool
is_wanted(const struct plan *plan, struct span name)
{
	for (size_t i = 0; i < plan->pattern_count; i++) {
		if (imap_pattern_matches(span_from_string(plan->patterns[i]), name))
			return true;
	}
	return plan->pattern_count == 0;
}

static bool
is_planned(const struct plan *plan, struct span name)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (span_equals(plan->mailboxes[i].name, name))
			return true;
	}
	return false;
}

static void
add_mailbox(struct plan *plan, struct span name, const struct imap_list_reply *list)
{
	bool is_there = (list->attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) == 0;

	if (!is_there && (!plan->is_subscriptions || is_planned(plan, name)))
		return;
	if (is_there && plan->is_subscriptions)
		return;
	if (plan->count == plan->room) {
		plan->room = plan->room == 0 ? 32 : 2 * plan->room;
		plan->mailboxes = memory_resize(plan->mailboxes, plan->room, sizeof *plan->mailboxes);
	}
	plan->mailboxes[plan->count++] = (struct target_mailbox){ .name = arena_copy(plan->arena, name),
		.is_subscribed = (list->attributes & IMAP_LIST_SUBSCRIBED) != 0, .is_selectable = is_there,
		.use = use_of(plan, list->attributes) };
}

static void
take_list(struct plan *plan, const struct imap_list_reply *list)
{
	struct buffer name = { 0 };

	names_there_decode(list->name, &name);
	if (!is_of_others(plan, buffer_span(&name)) && is_wanted(plan, buffer_span(&name)))
		add_mailbox(plan, buffer_span(&name), list);
	buffer_free(&name);
}

static void
take_namespaces(struct plan *plan, const struct imap_namespace_reply *spaces)
{
	for (int class = IMAP_NAMESPACE_OTHERS; class < IMAP_NAMESPACE_COUNT; class++) {
		for (size_t i = 0; i < spaces->counts[class]; i++) {
			struct buffer name = { 0 };

			names_there_decode(spaces->spaces[class][i].prefix, &name);
			plan->others = memory_resize(plan->others, plan->other_count + 1, sizeof *plan->others);
			plan->others[plan->other_count++] = arena_copy(plan->arena, buffer_span(&name));
			buffer_free(&name);
		}
	}
}

static bool
on_reply(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct plan *plan = context;

	if (is_malformed)
		return true;
	if (reply->kind == IMAP_REPLY_LIST)
		take_list(plan, &reply->list);
	else if (reply->kind == IMAP_REPLY_NAMESPACE)
		take_namespaces(plan, &reply->spaces);
	else if (reply->kind == IMAP_REPLY_STATUS)
		plan->messages += reply->status.messages;
	return true;
}

static bool
call(struct remote *remote, const char *command, struct buffer *trouble_out)
{
	struct remote_answer answer;

	if (!remote_call(remote, command, &answer)) {
		buffer_add_string(trouble_out, dialog_trouble(remote_dialog(remote)));
		return false;
	}
	if (answer.condition == IMAP_REPLY_OK)
		return true;
	buffer_add_string(trouble_out, "the server said: ");
	buffer_add_span(trouble_out, answer.line);
	return false;
}

bool
plan_make(struct plan *plan, struct remote *remote, struct buffer *trouble_out)
{
	bool is_made;

	plan->arena = arena_new();
	remote_listen(remote, on_reply, plan);
	is_made = call(remote, "NAMESPACE", trouble_out) &&
	    call(remote, "LIST \"\" * RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES))", trouble_out);
	plan->is_subscriptions = true;
	is_made = is_made && call(remote, "LIST (SUBSCRIBED) \"\" *", trouble_out);
	remote_listen(remote, NULL, NULL);
	return is_made;
}

void
plan_free(struct plan *plan)
{
	free(plan->mailboxes);
	free(plan->others);
	arena_free(&plan->arena);
}
