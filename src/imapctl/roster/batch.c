#include "batch.h"

#include <string.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "control/control.h"

void
batch_init(struct batch *batch, const struct order *order, const char *verb)
{
	batch->order = order;
	batch->verb = verb;
	batch->arena = arena_new();
	batch->names = map_new();
	roster_tell_init(&batch->tell, order);
}

void
batch_fini(struct batch *batch)
{
	ctl_close(&batch->ctl);
	buffer_wipe(&batch->body);
	map_free(&batch->names);
	arena_free(&batch->arena);
	roster_tell_fini(&batch->tell);
}

int
batch_open(struct batch *batch)
{
	int code = EX_OK;

	batch->ctl = ctl_open(batch->order, &code);
	return code;
}

static void
take_answer(struct batch *batch, const struct answer *answer)
{
	struct arena *arena = arena_new();
	struct span number, state;
	uint64_t line;

	for (size_t i = 0; i < answer->line_count; i++)
		if (record_field(answer->lines[i], arena, "arrival", "line", &number) &&
		    span_to_number(number, batch->count, &line) && line > 0 &&
		    record_field(answer->lines[i], arena, "arrival", "state", &state))
			roster_tell_state(&batch->tell, &batch->told[line - 1], state);
	arena_free(&arena);
}

/* Send what has come together, if anything has. */
static void
flush(struct batch *batch)
{
	const char *home = order_value(batch->order, OPTION_HOME);
	struct buffer word = { 0 };
	struct span words[3];
	const struct answer *answer;
	size_t count = 0;

	if (batch->count == 0)
		return;
	if (order_has(batch->order, OPTION_UPDATE))
		words[count++] = SPAN("update");
	if (order_has(batch->order, OPTION_DRY_RUN))
		words[count++] = SPAN("dry-run");
	if (home != NULL) {
		buffer_printf(&word, "home=%s", home);
		words[count++] = buffer_span(&word);
	}
	answer = ctl_call(batch->ctl, batch->verb, words, count, buffer_span(&batch->body));
	batch->code = ctl_report(answer);
	if (batch->code == EX_OK)
		take_answer(batch, answer);
	buffer_free(&word);
	memory_wipe(batch->body.at, batch->body.length);
	buffer_clear(&batch->body);
	batch->count = 0;
}

bool
batch_was_seen(struct batch *batch, struct span name)
{
	uint8_t *lower = arena_alloc(batch->arena, name.length + 1);

	for (size_t i = 0; i < name.length; i++)
		lower[i] = ascii_lower(name.at[i]);
	if (map_get(batch->names, span_of(lower, name.length)) != NULL)
		return true;
	map_put(batch->names, span_of(lower, name.length), lower);
	return false;
}

void
batch_add(struct batch *batch, struct span line, uint64_t number, struct span name)
{
	if (batch->count == BATCH_LINES || batch->body.length + line.length > CONTROL_BODY_MAX)
		flush(batch);
	buffer_reserve(&batch->body, CONTROL_BODY_MAX - batch->body.length);	/* never moved: it may hold passwords */
	buffer_add_span(&batch->body, line);
	batch->told[batch->count++] = (struct told){ number, arena_copy(batch->arena, name) };
}

int
batch_read(struct batch *batch, struct roster_file *file, batch_line *take, void *context)
{
	struct span line;

	while (batch->code == EX_OK && roster_file_next(file, &line)) {
		if (file->is_cut)
			roster_tell_refusal(&batch->tell, file->number, SPAN(""), SPAN(""), "the line is too long");
		else
			take(line, file->number, context);
	}
	if (batch->code == EX_OK && file->error != 0) {
		complain("%s: %s", batch->order->words[0], strerror(file->error));
		return EX_IOERR;
	}
	return batch->code;
}

int
batch_end(struct batch *batch)
{
	flush(batch);
	return batch->code;
}
