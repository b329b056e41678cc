#include "check.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "base/memory.h"
#include "control/words.h"
#include "scratch.h"
#include "store/place.h"

struct check {
	const struct order *order;
	struct folder folder;
	struct catalogue *catalogue;
	struct arena *arena;
	struct scratch scratch;
	struct progress progress;
	struct answer records;
	size_t faults;
	int code;
};

static void
keep(struct check *check, const struct buffer *line)
{
	answer_keep(&check->records, arena_copy(check->arena, buffer_span(line)));
}

static void
keep_user(struct check *check, const struct catalogue_user *user, const char *state)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("backup"));
	control_add_field(&line, "user", user->name);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "size", (int64_t)user->size);
	control_add_field(&line, "file", user->file);
	keep(check, &line);
	buffer_free(&line);
}

static void
keep_fault(struct check *check, const struct catalogue_user *user, struct span text)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("fault"));
	control_add_field(&line, "user", user->name);
	control_add_field(&line, "text", text);
	keep(check, &line);
	buffer_free(&line);
	check->faults++;
}

/* The copy is a user's file as the server has it, and verified as such. */
static void
verify_copy(struct check *check, const struct catalogue_user *user, const char *path)
{
	struct store *store = NULL;
	struct buffer findings = { 0 };
	char *error;
	uint64_t messages;
	enum store_status status = store_place_check(path, &messages, &error);
	struct span rest;

	if (error != NULL)
		buffer_printf(&findings, "%s\n", error);
	if (status == STORE_OK)
		status = store_open(path, false, &store);
	if (status == STORE_OK)
		status = store_verify(store, STORE_VERIFY_ALL, &findings);
	for (rest = buffer_span(&findings); rest.length > 0; rest = span_from(rest, span_find(rest, '\n') + 1))
		keep_fault(check, user, span_slice(rest, 0, span_find(rest, '\n')));
	if (status != STORE_OK && findings.length == 0)
		keep_fault(check, user, span_from_string(store_status_text(status)));
	store_close(&store);
	buffer_free(&findings);
	free(error);
}

static void
check_user(struct check *check, const struct catalogue_user *user)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	size_t before = check->faults;
	struct buffer path = { 0 };
	const char *trouble;
	uint64_t size;
	int code;

	if (user->file.length == 0) {
		keep_user(check, user, "none");
		return;
	}
	buffer_printf(&path, "%s/mail.db", buffer_string(&check->scratch.path));
	trouble = scratch_copy(&check->folder, user, buffer_string(&path), check->arena, &size, &code);
	if (trouble == NULL)
		verify_copy(check, user, buffer_string(&path));
	else if (code == EX_CANTCREAT || code == EX_TEMPFAIL)
		check->code = code;
	else
		keep_fault(check, user, span_from_string(trouble));
	if (check->code != EX_OK)
		complain("%.*s: %s", SPAN_ARGS(user->name), trouble);
	else
		keep_user(check, user, check->faults > before ? "damaged" : "good");
	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		buffer_clear(&path);
		buffer_printf(&path, "%s/mail.db%s", buffer_string(&check->scratch.path), suffixes[i]);
		unlink(buffer_string(&path));
	}
	buffer_free(&path);
}

static void
check_all(struct check *check)
{
	size_t count = catalogue_count(check->catalogue);
	struct span at;

	progress_begin(&check->progress);
	for (size_t i = 0; i < count && check->code == EX_OK; i++) {
		check_user(check, catalogue_at(check->catalogue, i));
		progress_show(&check->progress, i + 1, count, i + 1);
	}
	progress_end(&check->progress);
	records_print(check->order, &check->records);
	if (check->code == EX_OK && check->faults > 0) {
		complain("the backup is damaged");
		check->code = EX_DATAERR;
	} else if (check->code == EX_OK && !catalogue_is_ended(check->catalogue, &at)) {
		complain("the last run, begun at %.*s, did not come to its end: users may be missing, or older than others; run it again",
		    SPAN_ARGS(at));
		check->code = EX_TEMPFAIL;
	}
}

int
check_backup(const struct order *order)
{
	struct check check = { .order = order };
	int code;

	interrupt_catch();
	if ((code = folder_open(&check.folder, order->words[0])) != EX_OK)
		return code;
	check.arena = arena_new();
	if ((check.catalogue = catalogue_read(&check.folder, false, &check.code)) != NULL) {
		if (scratch_begin(&check.scratch))
			check_all(&check);
		else
			check.code = EX_CANTCREAT;
	}
	scratch_end(&check.scratch);
	catalogue_free(&check.catalogue);
	folder_close(&check.folder);
	arena_free(&check.arena);
	free(check.records.lines);
	return check.code;
}
