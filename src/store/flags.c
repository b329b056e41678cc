/*
 * Changing flags (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3): decided here row by row, written
 * by range.  Worker threads.
 */
#include "base/bound.h"
#include "base/memory.h"
#include "flag_log.h"

/* A change made ready for the words of one mailbox. */
struct plan {
	struct store *store;
	uint64_t mailbox_id;
	const struct store_flag_change *change;
	uint64_t system;		/* the system flags of the change */
	uint64_t word;			/* of its keywords, if they have bits or replace others */
	bool has_bits;			/* or there are none */
	bool has_joined;		/* for some message the keywords had to be put together one by one */
	bool has_kept;			/* some flags stay, though others are set */
	struct store_words joined;
};

static enum store_status
plan_init(struct plan *plan, struct store *store, uint64_t mailbox_id, const struct store_flag_change *change)
{
	*plan = (struct plan){ .store = store, .mailbox_id = mailbox_id, .change = change,
		.system = change->flags & STORE_FLAGS_SYSTEM,
		.has_bits = store_numbers_have_bits(change->keywords),
		.has_kept = change->kept != 0 || change->keeps_keywords };
	store_words_init(&plan->joined);
	if (!plan->has_bits && change->operation != STORE_FLAGS_SET)
		return STORE_OK;
	return store_keyword_word(store, mailbox_id, change->keywords, &plan->word);
}

static bool
numbers_have(struct store_numbers numbers, uint16_t number)
{
	size_t low = LOWER_BOUND(numbers.count, middle, numbers.at[middle] < number);

	return low < numbers.count && numbers.at[low] == number;
}

/* Add the change's keywords to numbers, or take them out; there is room for STORE_KEYWORDS_MAX. */
static struct store_numbers
join(const struct store_flag_change *change, uint16_t *numbers, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!numbers_have(change->keywords, numbers[i]))
			numbers[kept++] = numbers[i];
	if (change->operation == STORE_FLAGS_REMOVE)
		return (struct store_numbers){ numbers, kept };
	for (size_t i = 0; i < change->keywords.count; i++)
		numbers[kept++] = change->keywords.at[i];
	return store_numbers_sort(numbers, kept);
}

/* The word of keywords that a word becomes, one with a set at one end. */
static enum store_status
join_word(struct plan *plan, uint64_t word, uint64_t *word_out)
{
	uint16_t numbers[STORE_KEYWORDS_MAX];
	enum store_status status;
	size_t count;

	plan->has_joined = true;
	if (store_words_find(&plan->joined, word, word_out))
		return STORE_OK;
	if ((status = store_word_expand(plan->store, word, numbers, &count)) != STORE_OK ||
	    (status = store_keyword_word(plan->store, plan->mailbox_id, join(plan->change, numbers, count),
		 word_out)) != STORE_OK)
		return status;
	store_words_add(&plan->joined, word, *word_out);
	return STORE_OK;
}

static uint64_t
apply_bits(enum store_flag_operation operation, uint64_t bits, uint64_t change)
{
	switch (operation) {
	case STORE_FLAGS_SET:
		return change;
	case STORE_FLAGS_ADD:
		return bits | change;
	case STORE_FLAGS_REMOVE:
		return bits & ~change;
	}
	return bits;
}

static enum store_status
apply(struct plan *plan, uint64_t flags, uint64_t *flags_out)
{
	enum store_flag_operation operation = plan->change->operation;
	uint64_t system = apply_bits(operation, flags & STORE_FLAGS_SYSTEM, plan->system);
	uint64_t word = flags & ~STORE_FLAGS_SYSTEM;
	bool is_whole = operation == STORE_FLAGS_SET || plan->change->keywords.count == 0;
	enum store_status status = STORE_OK;

	if (plan->has_kept)
		system = (flags & plan->change->kept) | (plan->system & ~plan->change->kept);
	if (plan->change->keeps_keywords) {
		*flags_out = system | word;
		return STORE_OK;
	}
	if (!is_whole && (!plan->has_bits || (word & STORE_FLAGS_HAS_SET) != 0))
		status = join_word(plan, word, &word);
	else
		word = apply_bits(operation, word, plan->word);
	*flags_out = system | word;
	return status;
}

/* Whether the keywords of the change are not in one word as they are in the other. */
static bool
keywords_differ(struct plan *plan, uint64_t known, uint64_t now)
{
	uint16_t before[STORE_KEYWORDS_MAX], after[STORE_KEYWORDS_MAX];
	struct store_numbers had = { before, 0 }, has = { after, 0 };

	if (((known ^ now) & ~STORE_FLAGS_SYSTEM) == 0 || plan->change->keywords.count == 0)
		return false;
	if (plan->has_bits && ((known | now) & STORE_FLAGS_HAS_SET) == 0)
		return ((known ^ now) & plan->word) != 0;
	/* A set that nobody has any more may have been deleted. */
	if (store_word_expand(plan->store, known, before, &had.count) != STORE_OK ||
	    store_word_expand(plan->store, now, after, &has.count) != STORE_OK)
		return true;
	for (size_t i = 0; i < plan->change->keywords.count; i++) {
		uint16_t number = plan->change->keywords.at[i];

		if (numbers_have(had, number) != numbers_have(has, number))
			return true;
	}
	return false;
}

/* Whether the flags that are to change are as who changes them knows. */
static bool
is_unchanged(struct plan *plan, const struct store_row *row)
{
	const struct store_flag_change *change = plan->change;
	const struct store_flag_known *known;

	if (row->message.modseq <= change->unchanged_since)
		return true;
	if (change->known == NULL || change->operation == STORE_FLAGS_SET)
		return false;
	known = &change->known[row->place];
	return known->modseq <= change->unchanged_since &&
	    ((known->flags ^ row->message.flags) & plan->system) == 0 &&
	    !keywords_differ(plan, known->flags, row->message.flags);
}

/* Decide about one row; it stays wanted if it changes. */
static enum store_status
decide(struct store_row *row, struct plan *plan, struct store_tally *tally, struct store_flag_result *result)
{
	struct store_message *message = &row->message;
	uint64_t flags = message->flags;
	bool is_modified = !is_unchanged(plan, row);
	enum store_status status = is_modified ? STORE_OK : apply(plan, message->flags, &flags);

	row->is_wanted = false;
	if (is_modified)
		result->outcome = STORE_FLAGS_MODIFIED;
	else if (flags == message->flags)
		result->outcome = STORE_FLAGS_SAME;
	else {
		store_tally_count(tally, message, -1);
		message->flags = flags;
		message->modseq = tally->modseq;
		store_tally_count(tally, message, 1);
		row->is_wanted = true;
		result->outcome = STORE_FLAGS_CHANGED;
	}
	result->flags = message->flags;
	result->modseq = message->modseq;
	return status;
}

static enum store_status
write_rows(struct store *store, const struct store_uid_range *range, uint64_t keep, uint64_t add,
    const struct store_tally *tally)
{
	enum store_status status = flag_log_settle(store, tally->mailbox_id, range);
	struct sql_statement *update;

	if (status != STORE_OK)
		return status;
	update = sql_prepare(store->sql,
	    "UPDATE message SET flags = (flags & ?4) | ?5, modseq = ?6 "
	    "WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3");

	sql_bind_number(update, 1, tally->mailbox_id);
	sql_bind_number(update, 2, range->first);
	sql_bind_number(update, 3, range->last);
	sql_bind_number(update, 4, keep);
	sql_bind_number(update, 5, add);
	sql_bind_number(update, 6, tally->modseq);
	return store_run(update);
}

/* As one row, where that saves much; a set of keywords would be taken for one that no message has. */
static enum store_status
write_range(struct store *store, const struct store_uid_range *range, uint64_t keep, uint64_t add,
    const struct store_tally *tally)
{
	bool is_kept = false;
	enum store_status status = STORE_OK;

	if ((add & STORE_FLAGS_HAS_SET) == 0)
		status = flag_log_add(store, range, keep, add, tally, &is_kept);
	return status != STORE_OK || is_kept ? status : write_rows(store, range, keep, add, tally);
}

/* Write the same change over ranges of rows that all change. */
static enum store_status
write_ranges(const struct plan *plan, const struct store_rows *rows, const struct store_tally *tally)
{
	uint64_t flags = plan->system | plan->word;
	bool is_removed = plan->change->operation == STORE_FLAGS_REMOVE;
	uint64_t keep = plan->change->operation == STORE_FLAGS_SET ? 0 : is_removed ? ~flags : UINT64_MAX;
	enum store_status status = STORE_OK;
	struct store_uid_range range;
	size_t position = 0;

	while (status == STORE_OK && store_rows_next_range(rows, &position, &range))
		status = write_range(plan->store, &range, keep, is_removed ? 0 : flags, tally);
	return status;
}

/* Write what was decided, each run of neighbours with the same flags at once. */
static enum store_status
write_runs(const struct plan *plan, const struct store_rows *rows, const struct store_tally *tally)
{
	const struct store_row *row = rows->rows;
	enum store_status status = STORE_OK;

	for (size_t i = 0, end; i < rows->count && status == STORE_OK; i = end) {
		end = i + 1;
		if (!row[i].is_wanted)
			continue;
		while (end < rows->count && row[end].is_wanted && !row[end].begins_range &&
		    row[end].message.flags == row[i].message.flags)
			end++;
		status = write_rows(plan->store,
		    &(struct store_uid_range){ row[i].message.uid, row[end - 1].message.uid }, 0, row[i].message.flags,
		    tally);
	}
	return status;
}

/* The rows of messages that the caller knows. */
static void
take_current(const struct store_flag_current *current, const uint32_t *uids, size_t count, struct store_rows *rows)
{
	rows->rows = memory_new_array(count, sizeof *rows->rows);
	rows->count = rows->capacity = count;
	for (size_t i = 0; i < count; i++)
		rows->rows[i] = (struct store_row){
			.message = { .uid = uids[i], .size = current[i].size, .flags = current[i].flags,
			    .modseq = current[i].modseq },
			.place = i, .is_wanted = true, .begins_range = !current[i].follows };
}

/* What the caller knows is so if nothing has happened in the mailbox since. */
static enum store_status
find_rows(struct store *store, const struct store_flag_change *change, const uint32_t *uids, size_t count,
    const struct store_tally *tally, struct store_rows *rows)
{
	if (change->current == NULL || change->current_modseq != tally->modseq - 1)
		return store_rows_init(store, tally->mailbox_id, uids, count, rows);
	take_current(change->current, uids, count, rows);
	return STORE_OK;
}

/* Decide about all; *is_changing_out: something changes. */
static enum store_status
decide_all(struct store_rows *rows, const uint32_t *uids, size_t count, struct plan *plan,
    struct store_tally *tally, struct store_flag_result *results, bool *is_changing_out)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; i < count; i++)
		results[i] =
		    (struct store_flag_result){ .uid = uids[i], .outcome = STORE_FLAGS_MISSING };
	for (size_t i = 0; i < rows->count && status == STORE_OK; i++) {
		struct store_row *row = &rows->rows[i];

		if (!row->is_wanted)
			continue;
		status = decide(row, plan, tally, &results[row->place]);
		*is_changing_out |= row->is_wanted;
	}
	return status;
}

enum store_status
store_change_flags(struct store *store, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    const struct store_flag_change *change, struct store_flag_result *results_out,
    uint64_t *modseq_out)
{
	struct store_rows rows = { 0 };
	struct store_tally tally;
	struct plan plan;
	enum store_status status;
	bool is_changing = false;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if ((status = plan_init(&plan, store, mailbox_id, change)) != STORE_OK ||
	    (status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = find_rows(store, change, uids, count, &tally, &rows)) != STORE_OK ||
	    (status = decide_all(&rows, uids, count, &plan, &tally, results_out, &is_changing)) != STORE_OK)
		goto out;
	if (is_changing)
		status = plan.has_joined || plan.has_kept ? write_runs(&plan, &rows, &tally) : write_ranges(&plan, &rows, &tally);
	if (is_changing && status == STORE_OK && (status = store_tally_end(store, &tally)) == STORE_OK)
		status = store_sets_sweep(store);
	if (status == STORE_OK && modseq_out != NULL)
		*modseq_out = is_changing ? tally.modseq : tally.modseq - 1;
out:
	store_words_fini(&plan.joined);
	store_rows_fini(&rows);
	return status;
}
