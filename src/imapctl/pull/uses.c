/*
 * A use is the entry /private/specialuse: RFC 6154 section 4.
 */
#include "uses.h"

#include "base/memory.h"

static const struct {
	unsigned use;
	const char *name;
} uses_known[] = {
	{ IMAP_LIST_ARCHIVE, "\\Archive" }, { IMAP_LIST_DRAFTS, "\\Drafts" }, { IMAP_LIST_JUNK, "\\Junk" },
	{ IMAP_LIST_SENT, "\\Sent" }, { IMAP_LIST_TRASH, "\\Trash" },
};

static unsigned
all_uses(void)
{
	unsigned all = 0;

	for (size_t i = 0; i < COUNT_OF(uses_known); i++)
		all |= uses_known[i].use;
	return all;
}

static bool
set_uses(struct pull *pull, struct span name, unsigned uses)
{
	struct buffer value = { 0 };
	struct remote_answer answer;
	uint32_t number = remote_begin(pull->here, "SETMETADATA ");
	bool is_alive = remote_add_mailbox(pull->here, name);

	for (size_t i = 0; i < COUNT_OF(uses_known); i++) {
		if ((uses & uses_known[i].use) != 0)
			buffer_printf(&value, "%s%s", value.length > 0 ? " " : "", uses_known[i].name);
	}
	buffer_add_string(remote_out(pull->here), " (/private/specialuse ");
	if (value.length == 0)
		buffer_add_string(remote_out(pull->here), "NIL");
	else
		is_alive = is_alive && remote_add_string(pull->here, buffer_span(&value));
	buffer_add_string(remote_out(pull->here), ")");
	remote_end(pull->here);
	is_alive = is_alive && remote_wait(pull->here, number, &answer);
	if (is_alive && answer.condition == IMAP_REPLY_OK)
		state_note_uses(pull->state, name, uses);
	else if (is_alive)
		pull_note(pull, NOTE_NOT_TAKEN_OVER, "special uses of mailboxes", name);
	buffer_free(&value);
	return is_alive;
}

static bool
on_status(const struct imap_reply *reply, bool is_malformed, void *context)
{
	uint64_t *messages = context;

	if (!is_malformed && reply->kind == IMAP_REPLY_STATUS)
		*messages = reply->status.messages;
	return true;
}

static bool
count_messages(struct pull *pull, struct span name, uint64_t *messages_out)
{
	struct remote_answer answer;
	uint32_t number = remote_begin(pull->here, "STATUS ");
	bool is_alive = remote_add_mailbox(pull->here, name);

	*messages_out = 1;
	remote_listen(pull->here, on_status, messages_out);
	buffer_add_string(remote_out(pull->here), " (MESSAGES)");
	remote_end(pull->here);
	is_alive = is_alive && remote_wait(pull->here, number, &answer);
	remote_listen(pull->here, NULL, NULL);
	return is_alive;
}

/* Whether a mailbox has the use at the source, too: there may be several. */
static bool
is_used_there(const struct pull *pull, struct span name, unsigned use)
{
	for (size_t i = 0; i < pull->plan.count; i++) {
		const struct planned *box = &pull->plan.at[i];

		if ((box->attributes & use) != 0 && span_equals(buffer_span(&box->name), name))
			return true;
	}
	return false;
}

/* Take a use from mailboxes that nobody has put anything into. */
static bool
take_from_empty(struct pull *pull, struct span name, unsigned use)
{
	size_t position = 0;
	struct span other;
	uint64_t messages;

	while ((other = state_mailbox_of_use(pull->state, use, &position)).length > 0) {
		if (span_equals(other, name) || is_used_there(pull, other, use))
			continue;
		if (!count_messages(pull, other, &messages))
			return false;
		if (messages == 0 && !set_uses(pull, other, state_uses(pull->state, other) & all_uses() & ~use))
			return false;
	}
	return true;
}

bool
uses_take_over(struct pull *pull, struct span name, unsigned uses)
{
	unsigned has = state_uses(pull->state, name) & all_uses(), lacks = uses & all_uses() & ~has;

	if (lacks == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(uses_known); i++) {
		if ((lacks & uses_known[i].use) != 0 && !take_from_empty(pull, name, uses_known[i].use))
			return false;
	}
	return set_uses(pull, name, has | lacks);
}
