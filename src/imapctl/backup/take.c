#include "take.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "base/clock.h"

#define PIECE_OCTETS_MAX (16 * 1024 * 1024)	/* more is not a piece but a fault */
#define ASK_TIMES 50
#define ASK_AGAIN_MS 100

struct taking {
	const struct order *order;
	const struct folder *folder;
	struct span user;
	struct ctl *ctl;
	struct pace *pace;
	struct folder_file *file;
	struct arena *arena;
	struct taken *taken;
	struct buffer octets;
	bool is_lost;
};

static void
pause_us(uint64_t us)
{
	struct timespec pause = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };

	nanosleep(&pause, NULL);
}

/* Whoever is not read from waits, and so does who writes. */
static void
keep_pace(struct pace *pace, size_t octets)
{
	uint64_t now_us = clock_monotonic_us();

	if (pace->octets_per_s == 0)
		return;
	if (pace->due_us < now_us)
		pace->due_us = now_us;
	pace->due_us += octets * UINT64_C(1000000) / pace->octets_per_s;
	while ((now_us = clock_monotonic_us()) < pace->due_us && !interrupt_came())
		pause_us(pace->due_us - now_us < 200000 ? pace->due_us - now_us : 200000);
}

static int
fail(struct taking *taking, int code, const char *text)
{
	complain("%.*s: %s", SPAN_ARGS(taking->user), text);
	return code;
}

static int
fail_lost(struct taking *taking)
{
	taking->is_lost = true;
	return fail(taking, EX_TEMPFAIL, "the server ended the connection before the file was whole; run again, it goes on");
}

/* The words of a line behind its first; false: there are not two numbers. */
static bool
read_numbers(struct span words, uint64_t *first_out, struct span *second_out)
{
	size_t length = span_find(words, ' ');

	*second_out = span_from(words, length + 1);
	return length < words.length && span_to_number(span_slice(words, 0, length), INT64_MAX, first_out);
}

static int
take_piece(struct taking *taking, struct span words)
{
	uint64_t offset, length, done, part;
	struct span second;

	if (!read_numbers(words, &offset, &second) || !span_to_number(second, PIECE_OCTETS_MAX, &length))
		return fail(taking, EX_PROTOCOL, "the server's answer cannot be understood");
	for (done = 0; done < length; done += part) {
		part = length - done < 65536 ? length - done : 65536;
		buffer_clear(&taking->octets);
		if (!ctl_read(taking->ctl, buffer_reserve(&taking->octets, part), part))
			return fail_lost(taking);
		if (!folder_file_write(taking->file, offset + done, span_of(taking->octets.at, part))) {
			taking->is_lost = true;
			return EX_CANTCREAT;
		}
		keep_pace(taking->pace, part);
	}
	return EX_OK;
}

static int
finish(struct taking *taking, struct span words)
{
	struct taken *taken = taking->taken;
	struct span stamp;
	uint64_t size;

	if (!read_numbers(words, &taken->size, &stamp))
		return fail(taking, EX_PROTOCOL, "the server's answer cannot be understood");
	taken->stamp = span_equals(stamp, SPAN("-")) ? SPAN("") : arena_copy(taking->arena, stamp);
	if (folder_file_finish(taking->file, taken->size) && folder_digest(taking->file->descriptor, &size, taken->sha256) &&
	    size == taken->size)
		return EX_OK;
	taking->is_lost = true;
	return EX_CANTCREAT;
}

static int
take_pieces(struct taking *taking)
{
	struct arena *arena = arena_new();
	int code = EX_OK;
	struct span line;

	while (code == EX_OK) {
		arena_reset(arena);
		if (interrupt_came()) {
			taking->is_lost = true;
			code = fail(taking, EX_TEMPFAIL, "interrupted; run again, it goes on where it stopped");
		} else if (!ctl_read_line(taking->ctl, arena, &line)) {
			code = fail_lost(taking);
		} else if (span_starts_with(line, SPAN("piece "))) {
			code = take_piece(taking, span_from(line, 6));
		} else if (span_starts_with(line, SPAN("whole "))) {
			code = finish(taking, span_from(line, 6));
			break;
		} else if (span_starts_with(line, SPAN("older "))) {
			taking->taken->state = TAKEN_OLDER;
			code = finish(taking, span_from(line, 6));
			break;
		} else {
			code = EX_IOERR;
			complain("%.*s: %.*s", SPAN_ARGS(taking->user), SPAN_ARGS(span_from(line, span_find(line, ' ') + 1)));
		}
	}
	arena_free(&arena);
	return code;
}

static int
take_answer(struct taking *taking, const struct answer *answer)
{
	struct span state;
	struct buffer name = { 0 };
	int code = EX_OK;

	if (answer->code != EX_OK) {
		taking->is_lost = answer->is_lost || answer->code == EX_UNAVAILABLE || answer->code == EX_NOPERM;
		complain("%.*s: %.*s", SPAN_ARGS(taking->user), SPAN_ARGS(answer->text));
		return answer->code;
	}
	if (answer->line_count != 1 || !record_field(answer->lines[0], taking->arena, "image", "state", &state))
		return fail(taking, EX_PROTOCOL, "the server's answer cannot be understood");
	taking->taken->state = span_equals(state, SPAN("copied")) ? TAKEN_COPIED : span_equals(state, SPAN("unchanged")) ?
	    TAKEN_UNCHANGED : span_equals(state, SPAN("elsewhere")) ? TAKEN_ELSEWHERE : TAKEN_NONE;
	if (taking->taken->state != TAKEN_COPIED)
		return EX_OK;
	folder_file_name(taking->user, &name);
	if (folder_file_begin(taking->file, taking->folder, buffer_span(&name))) {
		code = take_pieces(taking);
	} else {
		taking->is_lost = true;
		code = EX_CANTCREAT;
	}
	buffer_free(&name);
	return code;
}

/* The directory may be slow, or the service about to start. */
static const struct answer *
ask(struct taking *taking, struct span known)
{
	struct span words[] = { taking->user, known };
	const struct answer *answer;

	for (int times = ASK_TIMES; ; times--) {
		answer = ctl_call(taking->ctl, "image", words, known.length > 0 ? 2 : 1, (struct span){ NULL, 0 });
		if (answer->code != EX_TEMPFAIL || answer->is_lost || times == 0 || interrupt_came())
			return answer;
		pause_us(ASK_AGAIN_MS * 1000);
	}
}

int
take_image(const struct order *order, const struct folder *folder, struct span user, struct span known, struct pace *pace,
    struct folder_file *file, struct arena *arena, struct taken *taken_out, bool *is_lost_out)
{
	struct taking taking = { .order = order, .folder = folder, .user = user, .pace = pace, .file = file, .arena = arena,
		.taken = taken_out };
	int code;

	*taken_out = (struct taken){ .state = TAKEN_NONE };
	*file = (struct folder_file){ .descriptor = -1 };
	taking.ctl = ctl_open(order, &code);
	taking.is_lost = taking.ctl == NULL;
	if (taking.ctl != NULL)
		code = take_answer(&taking, ask(&taking, known));
	ctl_close(&taking.ctl);
	buffer_free(&taking.octets);
	*is_lost_out = taking.is_lost;
	return code;
}
