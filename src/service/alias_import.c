/*
 * The verb alias import: many aliases in one call.  Each line of its body is an alias and a user; the directory's queue reads
 * them and writes them in one transaction, and a record for each line says what has become of it.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "control/words.h"
#include "name_job.h"

#define ALIASES_MAX 4096	/* of a call; the body has its own limit */

struct entry {
	struct directory_name alias, user;
	const char *refusal;		/* NULL: none */
};

struct import_job {
	struct name_job base;
	struct span body;		/* of the call */
	unsigned flags;
	bool has_too_many;
};

static struct import_job *
own(struct name_job *job)
{
	return CONTAINER_OF(job, struct import_job, base);
}

static bool
read_words(struct name_job *job)
{
	for (size_t i = 0; i < control_call_count(job->call); i++) {
		struct span word = control_call_word(job->call, i);

		if (span_equals(word, SPAN("update"))) {
			own(job)->flags |= DIRECTORY_IMPORT_UPDATES;
		} else if (span_equals(word, SPAN("dry-run"))) {
			own(job)->flags |= DIRECTORY_IMPORT_TRIAL;
		} else {
			control_finish(job->call, EX_USAGE, "update and dry-run may be said");
			return false;
		}
	}
	own(job)->body = control_call_body(job->call);
	return true;
}

static void
read_line(struct span line, struct arena *arena, struct entry *entry)
{
	struct span words[2];
	size_t count;

	if (!control_split_words(line, arena, words, 2, &count) || count != 2)
		entry->refusal = "not-understood";
	else if (!directory_prepare_alias(words[0], &entry->alias))
		entry->refusal = "bad-alias";
	else if (!directory_prepare_name(words[1], &entry->user))
		entry->refusal = "no-user";
}

/* False: there are more than fit. */
static bool
read_body(struct span rest, struct arena *arena, struct entry *entries, size_t *count_out)
{
	for (*count_out = 0; rest.length > 0; (*count_out)++) {
		size_t length = span_find(rest, '\n');

		if (*count_out == ALIASES_MAX)
			return false;
		read_line(span_slice(rest, 0, length), arena, &entries[*count_out]);
		rest = span_from(rest, length + 1);
	}
	return true;
}

static const char *
word_of(enum directory_alias_outcome outcome)
{
	static const char *const words[] = {
		[DIRECTORY_ALIAS_ADDED] = "added", [DIRECTORY_ALIAS_UPDATED] = "updated", [DIRECTORY_ALIAS_WAS_THERE] = "there",
		[DIRECTORY_ALIAS_TAKEN] = "taken", [DIRECTORY_ALIAS_OF_NOBODY] = "no-user",
	};

	return words[outcome];
}

static void
tell(struct buffer *lines, size_t number, const char *state)
{
	struct buffer text = { 0 };

	buffer_add_number(&text, number);
	users_tell(lines, SPAN("arrival"), "line", buffer_span(&text), "state", span_from_string(state));
	buffer_free(&text);
}

/* Those that are none are told in their places. */
static enum directory_status
import(struct import_job *job, const struct entry *entries, size_t count)
{
	struct directory_new_alias *aliases = memory_new_array(count + 1, sizeof *aliases);
	enum directory_status status;
	size_t good = 0;

	for (size_t i = 0; i < count; i++)
		if (entries[i].refusal == NULL)
			aliases[good++] = (struct directory_new_alias){ .alias = directory_name_span(&entries[i].alias),
				.name = directory_name_span(&entries[i].user) };
	status = directory_import_aliases(job->base.directory, aliases, good, job->flags);
	good = 0;
	for (size_t i = 0; i < count && status == DIRECTORY_OK; i++)
		tell(&job->base.lines, i + 1, entries[i].refusal != NULL ? entries[i].refusal : word_of(aliases[good++].outcome));
	free(aliases);
	return status;
}

static void
work(struct name_job *job)
{
	struct entry *entries = memory_new_array(ALIASES_MAX, sizeof *entries);
	struct arena *arena = arena_new();
	size_t count;

	own(job)->has_too_many = !read_body(own(job)->body, arena, entries, &count);
	if (!own(job)->has_too_many)
		job->status = import(own(job), entries, count);
	arena_free(&arena);
	free(entries);
}

static void
finish(struct name_job *job)
{
	if (own(job)->has_too_many)
		control_finish(job->call, EX_USAGE, "too many aliases in one call");
	else
		users_finish(job->call, job->status);
}

static const struct name_kind kind = { sizeof(struct import_job), read_words, work, finish };

static void
on_import(struct control_call *call, void *context)
{
	name_job_begin(context, call, NAME_ADD, &kind);
}

void
alias_import_register(struct service *service)
{
	control_register(service->control, "alias import", CONTROL_CHANGE, on_import, service);
}
