/*
 * Servers that send any octets: the dialog cuts the same replies out of them however they come, and the reader's spans lie in
 * what it was given.
 */
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/imapctl/remote/dialog.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "imap/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

struct hearing {
	struct dialog *dialog;
	struct arena *arena;
	struct buffer told;
	uint64_t taken;
};

static void
check_set(const struct imap_sequence *set)
{
	assert(!set->has_star && !set->is_saved);
	for (size_t i = 0; i < set->count; i++)
		assert(set->ranges[i].first > 0 && set->ranges[i].first <= set->ranges[i].last &&
		    (i == 0 || set->ranges[i - 1].last < set->ranges[i].first - 1));
}

static void
check_name(struct span name)
{
	struct buffer decoded = { 0 };

	imap_utf7_decode_lax(name, false, &decoded);
	assert(span_find(name, '\0') < name.length || imap_utf8_is_valid(buffer_span(&decoded)));
	buffer_free(&decoded);
}

static void
check_bodies(const struct imap_fetch_reply *fetch, struct span text)
{
	for (size_t i = 0; i < fetch->body_count; i++) {
		const struct imap_fetch_body *body = &fetch->bodies[i];

		assert(body->is_taken || body->size == body->octets.length);
		assert(!body->is_nil || body->octets.length == 0);
		assert(body->section.length <= text.length && body->octets.length <= text.length);
	}
}

static void
check(const struct imap_reply *reply, struct span text)
{
	check_set(&reply->search.all);
	check_set(&reply->vanished.uids);
	check_name(reply->list.name);
	check_bodies(&reply->fetch, text);
	assert((reply->fetch.has & IMAP_FETCH_HAS_UID) == 0 || reply->kind == IMAP_REPLY_FETCH);
	for (size_t i = 0; i < reply->fetch.flags.keyword_count; i++)
		assert(reply->fetch.flags.keywords[i].length > 0);
}

static bool
on_reply(struct span text, void *context)
{
	struct hearing *hearing = context;
	struct imap_reply_text whole = dialog_text(hearing->dialog, text);
	struct imap_reply reply;

	buffer_printf(&hearing->told, "%zu taken:", whole.taken_count);
	buffer_add_span(&hearing->told, text);
	if (imap_reply_read(whole, hearing->arena, &reply))
		check(&reply, text);
	arena_reset(hearing->arena);
	return true;
}

static bool
on_octets(struct span octets, void *context)
{
	struct hearing *hearing = context;

	hearing->taken += octets.length;
	return true;
}

static void
say(int descriptor, struct span words)
{
	assert(words.length == 0 || send(descriptor, words.at, words.length, MSG_NOSIGNAL) == (ssize_t)words.length);
}

/* Hear words that come in two pieces. */
static void
hear(struct hearing *hearing, struct span words, size_t first)
{
	struct dialog_taker taker = { .kept_octets = 16, .on_octets = on_octets, .context = hearing };
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	hearing->dialog = dialog_new(connection_of(ends[0], 0));
	for (const char *letter = "*+ar"; *letter != '\0'; letter++)
		dialog_listen(hearing->dialog, (uint8_t)*letter, on_reply, hearing);
	dialog_set_taker(hearing->dialog, &taker);
	say(ends[1], span_slice(words, 0, first));
	if (first > 0 && !dialog_step(hearing->dialog))
		words.length = 0;
	say(ends[1], span_from(words, first));
	shutdown(ends[1], SHUT_RDWR);
	while (dialog_step(hearing->dialog))
		continue;
	buffer_add_string(&hearing->told, dialog_trouble(hearing->dialog));
	dialog_free(&hearing->dialog);
	close(ends[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct hearing whole = { .arena = arena_new() }, pieces = { .arena = whole.arena };
	struct span words = span_from(span_of(octets, size), 1);

	hear(&whole, words, 0);
	hear(&pieces, words, size > 1 ? octets[0] % words.length : 0);
	assert(span_equals(buffer_span(&whole.told), buffer_span(&pieces.told)));
	assert(whole.taken == pieces.taken);
	buffer_free(&whole.told);
	buffer_free(&pieces.told);
	arena_free(&whole.arena);
	return 0;
}
