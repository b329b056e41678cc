/*
 * Flags and dates of all messages come first; then the octets of those that are missing, some hundred a command and two
 * commands under way, so that the server reads while they are written.
 */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#include "../ctl/interrupt.h"
#include "base/memory.h"

#define RUN_MESSAGES 200

struct fact {
	uint32_t uid;
	unsigned flags;
	char *keywords;		/* NULL: none */
	int64_t date_s;
	bool is_wanted;
	bool is_found;		/* by the keys */
};

struct transfer {
	struct remote *remote;
	struct target *target;
	struct target_mailbox *mailbox;
	struct transfer_counts *counts;
	const char *keys;	/* NULL: all */
	struct buffer *trouble;
	void (*on_progress)(void *context);
	void *context;
	struct fact *facts;	/* by UID */
	size_t count, room;
	enum target_status status;	/* of adding */
};

static int
by_uid(const void *left, const void *right)
{
	const struct fact *a = left, *b = right;

	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

static struct fact *
find_fact(const struct transfer *transfer, uint32_t uid)
{
	struct fact key = { .uid = uid };

	if (transfer->count == 0)
		return NULL;
	return bsearch(&key, transfer->facts, transfer->count, sizeof key, by_uid);
}

/* Words with a space between two, $Forwarded being a flag here. */
static void
take_flags(struct fact *fact, const struct imap_flags *flags)
{
	struct message message = { .flags = (unsigned)(flags->system & IMAP_FLAGS_SYSTEM) };

	for (size_t i = 0; i < flags->keyword_count; i++)
		message_add_keyword(&message, flags->keywords[i]);
	fact->flags = message.flags;
	if (message.keywords.length > 0)
		fact->keywords = memory_copy_span(buffer_span(&message.keywords));
	message_free(&message);
}

static void
add_fact(struct transfer *transfer, const struct imap_fetch_reply *fetch)
{
	struct fact *fact;

	if (transfer->count == transfer->room) {
		transfer->room = transfer->room == 0 ? 256 : 2 * transfer->room;
		transfer->facts = memory_resize(transfer->facts, transfer->room, sizeof *fact);
	}
	fact = &transfer->facts[transfer->count++];
	*fact = (struct fact){ .uid = fetch->uid, .date_s = fetch->date.seconds };
	take_flags(fact, &fetch->flags);
}

static bool
on_facts(const struct imap_reply *reply, bool is_malformed, void *context)
{
	static const unsigned needed = IMAP_FETCH_HAS_UID | IMAP_FETCH_HAS_FLAGS | IMAP_FETCH_HAS_DATE;
	struct transfer *transfer = context;

	if (is_malformed)
		return true;
	if (reply->kind == IMAP_REPLY_FETCH && (reply->fetch.has & needed) == needed)
		add_fact(transfer, &reply->fetch);
	else if (reply->kind == IMAP_REPLY_CONDITION && span_equals_nocase(reply->code.name, SPAN("UIDVALIDITY")))
		transfer->mailbox->uidvalidity = (uint32_t)reply->code.number;
	else if (reply->kind == IMAP_REPLY_CONDITION && span_equals_nocase(reply->code.name, SPAN("UIDNEXT")))
		transfer->mailbox->uidnext = (uint32_t)reply->code.number;
	return true;
}

/* Wait for a command; TRANSFER_REFUSED when it was not answered by OK. */
static enum transfer_end
await(struct transfer *transfer, uint32_t number)
{
	struct remote_answer answer;

	if (!remote_wait(transfer->remote, number, &answer))
		return TRANSFER_LOST;
	if (answer.condition == IMAP_REPLY_OK)
		return TRANSFER_DONE;
	buffer_clear(transfer->trouble);
	buffer_add_string(transfer->trouble, "the server said: ");
	buffer_add_span(transfer->trouble, answer.line);
	return TRANSFER_REFUSED;
}

/* What the mailbox holds.  EXAMINE changes nothing, \Recent among it. */
static enum transfer_end
learn_facts(struct transfer *transfer)
{
	uint32_t number = remote_begin(transfer->remote, "EXAMINE ");
	enum transfer_end end;

	remote_listen(transfer->remote, on_facts, transfer);
	if (!remote_add_mailbox(transfer->remote, transfer->mailbox->name))
		return TRANSFER_LOST;
	remote_end(transfer->remote);
	if ((end = await(transfer, number)) != TRANSFER_DONE)
		return end;
	number = remote_begin(transfer->remote, "UID FETCH 1:* (FLAGS INTERNALDATE)");
	remote_end(transfer->remote);
	if ((end = await(transfer, number)) != TRANSFER_DONE)
		return end;
	if (transfer->count > 0)
		qsort(transfer->facts, transfer->count, sizeof *transfer->facts, by_uid);
	return TRANSFER_DONE;
}

static bool
on_found(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct transfer *transfer = context;

	if (is_malformed || (reply->kind != IMAP_REPLY_SEARCH && reply->kind != IMAP_REPLY_ESEARCH))
		return true;
	for (size_t i = 0; i < transfer->count; i++)
		if (imap_sequence_contains(&reply->search.all, transfer->facts[i].uid))
			transfer->facts[i].is_found = true;
	return true;
}

/* Let those go that the keys do not find. */
static enum transfer_end
choose(struct transfer *transfer)
{
	enum transfer_end end;
	uint32_t number;
	size_t kept = 0;

	if (transfer->keys == NULL)
		return TRANSFER_DONE;
	number = remote_begin(transfer->remote, "UID SEARCH ");
	buffer_add_string(remote_out(transfer->remote), transfer->keys);
	remote_listen(transfer->remote, on_found, transfer);
	remote_end(transfer->remote);
	if ((end = await(transfer, number)) != TRANSFER_DONE)
		return end;
	for (size_t i = 0; i < transfer->count; i++) {
		if (transfer->facts[i].is_found)
			transfer->facts[kept++] = transfer->facts[i];
		else
			free(transfer->facts[i].keywords);
	}
	transfer->count = kept;
	return TRANSFER_DONE;
}

static struct span
keywords_of(const struct fact *fact)
{
	return fact->keywords == NULL ? (struct span){ NULL, 0 } : span_from_string(fact->keywords);
}

static bool
has_word(struct span words, struct span word)
{
	while (words.length > 0) {
		size_t end = span_find(words, ' ');

		if (span_equals_nocase(span_slice(words, 0, end), word))
			return true;
		words = span_from(words, end + 1);
	}
	return false;
}

/* The same words, in whatever order: none stands twice. */
static bool
are_same_words(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	while (a.length > 0) {
		size_t end = span_find(a, ' ');

		if (!has_word(b, span_slice(a, 0, end)))
			return false;
		a = span_from(a, end + 1);
	}
	return true;
}

static bool
is_same(const struct fact *fact, const struct target_entry *entry)
{
	return fact->flags == entry->flags && are_same_words(keywords_of(fact), span_from_string(entry->keywords));
}

static struct target_message
message_of(const struct fact *fact)
{
	return (struct target_message){ .uid = fact->uid, .flags = fact->flags, .keywords = keywords_of(fact),
		.date_s = fact->date_s };
}

/* Mark what the target lacks; gives how many of what it has is not as in the mailbox. */
static uint64_t
compare(struct transfer *transfer)
{
	uint64_t differing = 0;

	for (size_t i = 0; i < transfer->count; i++) {
		struct fact *fact = &transfer->facts[i];
		const struct target_entry *entry = target_find(transfer->target, fact->uid);

		fact->is_wanted = entry == NULL;
		differing += entry != NULL && !is_same(fact, entry);
	}
	for (size_t i = 0; i < transfer->target->entry_count; i++)
		differing += find_fact(transfer, transfer->target->entries[i].uid) == NULL;
	return differing;
}

static enum target_status
follow_one(struct transfer *transfer, struct target_entry *entry)
{
	const struct fact *fact = find_fact(transfer, entry->uid);
	struct target_message message;

	if (fact == NULL) {
		transfer->counts->removed++;
		transfer->counts->already--;
		return transfer->target->remove(transfer->target, entry);
	}
	if (is_same(fact, entry))
		return TARGET_OK;
	transfer->counts->changed++;
	message = message_of(fact);
	return transfer->target->change(transfer->target, entry, &message);
}

/* Let flags and expunges follow. */
static enum target_status
follow(struct transfer *transfer)
{
	struct target *target = transfer->target;
	uint64_t had = target->entry_count;
	enum target_status status = TARGET_OK;

	if (target->begin_anew != NULL) {
		if ((status = target->begin_anew(target)) != TARGET_OK)
			return status;
		for (size_t i = 0; i < transfer->count; i++)
			transfer->facts[i].is_wanted = true;
		transfer->counts->already -= had;
		return TARGET_OK;
	}
	for (size_t i = 0; i < target->entry_count && status == TARGET_OK; i++)
		status = follow_one(transfer, &target->entries[i]);
	target_sort(target);
	return status;
}

static bool
on_octets(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct transfer *transfer = context;
	struct target_message message;
	struct fact *fact;

	if (is_malformed || reply->kind != IMAP_REPLY_FETCH || reply->fetch.body_count != 1 || reply->fetch.bodies[0].is_nil ||
	    transfer->status != TARGET_OK)
		return true;
	fact = find_fact(transfer, reply->fetch.uid);
	if (fact == NULL || !fact->is_wanted)
		return true;
	fact->is_wanted = false;
	message = message_of(fact);
	message.octets = reply->fetch.bodies[0].octets;
	transfer->status = transfer->target->add(transfer->target, &message);
	transfer->counts->exported += transfer->status == TARGET_OK;
	transfer->counts->already += transfer->status == TARGET_THERE;
	if (transfer->status == TARGET_THERE)
		transfer->status = TARGET_OK;
	transfer->on_progress(transfer->context);
	return true;
}

/* Ask for the octets of the next that are wanted, from *next on; 0: there are none. */
static uint32_t
ask_for_run(struct transfer *transfer, size_t *next)
{
	struct buffer *out;
	size_t asked = 0;
	uint32_t number = 0;

	for (; *next < transfer->count && asked < RUN_MESSAGES; ++*next) {
		if (!transfer->facts[*next].is_wanted)
			continue;
		if (asked == 0)
			number = remote_begin(transfer->remote, "UID FETCH ");
		out = remote_out(transfer->remote);
		buffer_printf(out, "%s%u", asked++ > 0 ? "," : "", transfer->facts[*next].uid);
	}
	if (asked == 0)
		return 0;
	buffer_add_string(remote_out(transfer->remote), " (BINARY.PEEK[])");
	remote_end(transfer->remote);
	return number;
}

static enum transfer_end
end_of(const struct transfer *transfer, enum target_status status)
{
	if (status == TARGET_REFUSED) {
		buffer_clear(transfer->trouble);
		buffer_add_span(transfer->trouble, buffer_span(&transfer->target->trouble));
	}
	return status == TARGET_OK ? TRANSFER_DONE : status == TARGET_REFUSED ? TRANSFER_REFUSED : TRANSFER_FAILED;
}

/* All keywords that messages of the mailbox have. */
static void
collect_keywords(const struct transfer *transfer, struct message *all)
{
	for (size_t i = 0; i < transfer->count; i++) {
		struct span rest = keywords_of(&transfer->facts[i]);

		all->flags |= transfer->facts[i].flags;
		while (rest.length > 0) {
			size_t end = span_find(rest, ' ');

			message_add_keyword(all, span_slice(rest, 0, end));
			rest = span_from(rest, end + 1);
		}
	}
	if ((all->flags & FLAG_FORWARDED) != 0)
		buffer_printf(&all->keywords, "%s$Forwarded", all->keywords.length > 0 ? " " : "");
}

/* Fetch and add all that is wanted. */
static enum transfer_end
fetch(struct transfer *transfer)
{
	enum transfer_end end = TRANSFER_DONE, first = TRANSFER_DONE;
	size_t next = 0;
	uint32_t number, behind;

	remote_listen(transfer->remote, on_octets, transfer);
	number = ask_for_run(transfer, &next);
	while (number != 0 && end != TRANSFER_LOST) {
		bool goes_on = !interrupt_came() && transfer->status == TARGET_OK;

		behind = goes_on ? ask_for_run(transfer, &next) : 0;
		end = await(transfer, number);
		first = first == TRANSFER_DONE ? end : first;
		number = behind;
	}
	if (transfer->status != TARGET_OK)
		return end_of(transfer, transfer->status);
	return first == TRANSFER_DONE && interrupt_came() ? TRANSFER_INTERRUPTED : first;
}

static enum transfer_end
fill(struct transfer *transfer)
{
	struct target *target = transfer->target;
	enum target_status status = target->begin(target, transfer->mailbox);
	struct message all = { 0 };
	enum transfer_end end;
	uint64_t differing;

	if (status != TARGET_OK)
		return end_of(transfer, status);
	differing = compare(transfer);
	transfer->counts->already += target->entry_count;
	if (!target->is_mirror)
		transfer->counts->differing += differing;
	else if (differing > 0 && (status = follow(transfer)) != TARGET_OK)
		return end_of(transfer, status);
	collect_keywords(transfer, &all);
	target->keywords = buffer_span(&all.keywords);
	end = fetch(transfer);
	target->keywords = (struct span){ NULL, 0 };
	message_free(&all);
	if (end == TRANSFER_FAILED || end == TRANSFER_LOST)
		return end;
	status = target->end(target);
	return status == TARGET_OK ? end : end_of(transfer, status);
}

enum transfer_end
transfer_mailbox(struct remote *remote, struct target *target, struct target_mailbox *mailbox, const char *keys,
    struct transfer_counts *counts, struct buffer *trouble_out, void (*on_progress)(void *context), void *context)
{
	struct transfer transfer = { .remote = remote, .target = target, .mailbox = mailbox, .counts = counts, .keys = keys,
		.trouble = trouble_out, .on_progress = on_progress, .context = context, .status = TARGET_OK };
	enum transfer_end end = learn_facts(&transfer);

	if (end == TRANSFER_DONE)
		end = choose(&transfer);
	if (end == TRANSFER_DONE && (keys == NULL || transfer.count > 0))
		end = fill(&transfer);
	remote_listen(remote, NULL, NULL);
	for (size_t i = 0; i < transfer.count; i++)
		free(transfer.facts[i].keywords);
	free(transfer.facts);
	return end;
}
