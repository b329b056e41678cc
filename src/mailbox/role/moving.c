/*
 * Who moves users, and what they wish; and the end of it with the role.  Loop thread.
 */
#include "life.h"
#include "movers.h"
#include "net/stream.h"

#define FLUSH_MS 5000

/* Words that each stand behind a NUL; an op, a name and an id at least. */
static bool
read_wish(struct span text, struct mover_wish *wish_out)
{
	struct directory_name name;
	uint32_t part;

	*wish_out = (struct mover_wish){ .count = 0 };
	while (text.length > 0 && text.at[0] == 0 && wish_out->count < MOVER_WORDS) {
		text = span_from(text, 1);
		wish_out->words[wish_out->count] = span_slice(text, 0, span_find(text, 0));
		text = span_from(text, wish_out->words[wish_out->count++].length);
	}
	if (text.length > 0 || wish_out->count < 3 || !directory_prepare_name(wish_out->words[1], &name) ||
	    wish_out->words[2].length != DIRECTORY_MOVE_ID_LENGTH)
		return false;
	for (size_t i = 0; i < DIRECTORY_MOVE_ID_LENGTH; i += 8)
		if (!span_to_hex_number(span_slice(wish_out->words[2], i, 8), 8, &part))
			return false;
	return true;
}

void
role_take_mover(struct mailbox_role *role, struct stream *stream, struct span text)
{
	static const struct {
		struct span op;
		void (*begin)(struct mailbox_role *role, struct stream *stream, const struct mover_wish *wish);
	} ops[] = {
		{ SPAN("out"), leaving_begin },
		{ SPAN("in"), arriving_begin },
		{ SPAN("gone"), verdict_begin },
		{ SPAN("stay"), verdict_begin },
		{ SPAN("adopt"), verdict_begin },
		{ SPAN("drop"), verdict_begin },
		{ SPAN("rename-ask"), renamed_begin },
		{ SPAN("rename"), renamed_begin },
		{ SPAN("rename-not"), renamed_begin },
	};
	struct mover_wish wish;
	bool is_good = read_wish(text, &wish);

	for (size_t i = 0; i < COUNT_OF(ops) && is_good; i++) {
		if (span_equals(ops[i].op, wish.words[0])) {
			ops[i].begin(role, stream, &wish);
			return;
		}
	}
	stream_write(stream, SPAN("no this is not understood here\r\n"));
	stream_close_after_flush(&stream, FLUSH_MS);
}

/* What waits for who ordered it stays on the disk. */
void
role_end_movers(struct mailbox_role *role)
{
	LIST_FOREACH(&role->movers, link)
		mover_lose(LIST_ENTRY(link, struct mover, link));
}
