#include "whole.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "control/words.h"

#define ASK_AGAIN_MS 100
#define ASK_TIMES 100
#define CALL_WORDS_MAX 60	/* of those of a line to the server */
#define CALL_OCTETS_MAX 3500	/* likewise: quotes may double them */

struct whole {
	const struct order *order;
	const struct folder *folder;
	const struct catalogue_user *user;
	struct span target;
	bool is_renamed;		/* under another name */
	bool is_there;			/* the user is in the directory already */
	struct arena *arena;
	struct ctl *ctl;
	int descriptor;			/* of the file; below 0: there is none */
	uint64_t size;
	char sha256[FOLDER_DIGEST_SIZE];
	struct span id;			/* of the mailbox, once the file has its place */
	struct span left[3];		/* groups, delegates and aliases that are still to be given */
	uint64_t messages;		/* that the server has found in it */
	int code;
};

static enum whole_end
fail(struct whole *whole, int code, const char *text)
{
	complain("%.*s: %s", SPAN_ARGS(whole->user->name), text);
	whole->code = code;
	return WHOLE_FAILED;
}

static enum whole_end
fail_answer(struct whole *whole, const struct answer *answer)
{
	complain("%.*s: %.*s", SPAN_ARGS(whole->target), SPAN_ARGS(answer->text));
	whole->code = answer->code;
	return WHOLE_FAILED;
}

static const struct answer *
call(struct whole *whole, const char *verb, const struct span *words, size_t count)
{
	return ctl_call(whole->ctl, verb, words, count, (struct span){ NULL, 0 });
}

/* ---- the file --------------------------------------------------------------------------------------------- */

/* It is what the manifest says: by its last line, or, when a run died, by the one before. */
static enum whole_end
check_file(struct whole *whole)
{
	const struct catalogue_user *user = whole->user;

	if ((whole->descriptor = folder_read_user(whole->folder, user->file)) < 0)
		return fail(whole, EX_NOINPUT, errno == ENOENT ? "the file is missing" : "the file cannot be read");
	if (!folder_digest(whole->descriptor, &whole->size, whole->sha256))
		return interrupt_came() ? fail(whole, EX_TEMPFAIL, "interrupted") : fail(whole, EX_IOERR, strerror(errno));
	for (; user != NULL; user = user->before)
		if (user->size == whole->size && span_equals(user->sha256, span_from_string(whole->sha256)))
			return WHOLE_DONE;
	return fail(whole, EX_DATAERR, "the file is damaged: its digest is not that of the manifest");
}

static bool
send_octets(struct whole *whole, struct ctl *ctl)
{
	uint64_t offset = 0;
	char octets[65536];
	ssize_t got;

	while ((got = pread(whole->descriptor, octets, sizeof octets, (off_t)offset)) > 0 && !interrupt_came()) {
		if (!ctl_write(ctl, span_of(octets, (size_t)got)))
			return false;
		offset += (uint64_t)got;
	}
	return got == 0;
}

static bool
says_mail(int code, struct span text)
{
	return code == EX_CANTCREAT && span_equals(text, SPAN("the user has mail here"));
}

/* "placed ID MESSAGES", or "failed CODE TEXT" */
static enum whole_end
take_outcome(struct whole *whole, struct ctl *ctl)
{
	struct span line, rest;
	uint64_t code;

	if (!ctl_read_line(ctl, whole->arena, &line))
		return fail(whole, EX_TEMPFAIL, "the server ended the connection; run again, it begins anew");
	rest = span_from(line, span_find(line, ' ') + 1);
	if (span_starts_with(line, SPAN("placed "))) {
		whole->id = span_slice(rest, 0, span_find(rest, ' '));
		if (span_to_number(span_from(rest, whole->id.length + 1), INT64_MAX, &whole->messages))
			return WHOLE_DONE;
	}
	if (!span_starts_with(line, SPAN("failed ")) || !span_to_number(span_slice(rest, 0, span_find(rest, ' ')), 255, &code))
		return fail(whole, EX_PROTOCOL, "the server's answer cannot be understood");
	rest = span_from(rest, span_find(rest, ' ') + 1);
	if (says_mail((int)code, rest))
		return WHOLE_HAS_MAIL;
	return fail(whole, (int)code, arena_copy_string(whole->arena, rest));
}

/* A run that was killed may still be at its end in the server. */
static const struct answer *
ask_to_take(struct ctl *ctl, const struct span *words, size_t count)
{
	static const struct timespec pause = { .tv_nsec = ASK_AGAIN_MS * 1000000L };
	const struct answer *answer;

	for (int times = ASK_TIMES; ; times--) {
		answer = ctl_call(ctl, "restore", words, count, (struct span){ NULL, 0 });
		if (answer->code != EX_TEMPFAIL || answer->is_lost || times == 0 || interrupt_came())
			return answer;
		nanosleep(&pause, NULL);
	}
}

static enum whole_end
send_file(struct whole *whole)
{
	struct buffer size = { 0 };
	struct span words[5] = { whole->target, { 0 }, span_from_string(whole->sha256),
		whole->is_renamed ? SPAN("") : whole->user->mailbox_id, SPAN("replace") };
	enum whole_end end;
	const struct answer *answer;
	struct ctl *ctl = ctl_open(whole->order, &whole->code);

	if (ctl == NULL)
		return WHOLE_FAILED;
	buffer_add_number(&size, whole->size);
	words[1] = buffer_span(&size);
	answer = ask_to_take(ctl, words, order_has(whole->order, OPTION_REPLACE) ? 5 : 4);
	if (says_mail(answer->code, answer->text))
		end = WHOLE_HAS_MAIL;
	else if (answer->code != EX_OK)
		end = fail_answer(whole, answer);
	else if (!send_octets(whole, ctl) && interrupt_came())
		end = fail(whole, EX_TEMPFAIL, "interrupted; nothing was changed");
	else
		end = take_outcome(whole, ctl);
	ctl_close(&ctl);
	buffer_free(&size);
	return end;
}

/* ---- the directory ---------------------------------------------------------------------------------------- */

static void
add_word(struct whole *whole, const char *key, struct span value, struct span words[], size_t *count)
{
	struct buffer word = { 0 };

	buffer_printf(&word, "%s=%.*s", key, SPAN_ARGS(value));
	words[(*count)++] = arena_copy(whole->arena, buffer_span(&word));
	buffer_free(&word);
}

static bool
has_room(const struct span words[], size_t count)
{
	size_t octets = 0;

	for (size_t i = 0; i < count; i++)
		octets += words[i].length + 1;
	return count < CALL_WORDS_MAX && octets < CALL_OCTETS_MAX;
}

/* Names of which there may be many. */
static const struct {
	const char *field, *key;
	const char *verb;		/* that gives the user one of them */
} lists[] = { { "groups", "group", "group add" }, { "delegates", "delegate", "user allow" }, { "aliases", "alias", "alias add" } };

/* As many as a call has room for; the others are left. */
static void
add_names(struct whole *whole, size_t list, struct span words[], size_t *count)
{
	struct span *names = &whole->left[list];

	*names = catalogue_field(whole->user, whole->arena, lists[list].field);
	while (names->length > 0 && has_room(words, *count))
		add_word(whole, lists[list].key, catalogue_take_name(names, whole->arena), words, count);
}

/* What the call that made the user had no room for: a call each. */
static enum whole_end
give_names(struct whole *whole, size_t list)
{
	struct span *names = &whole->left[list], words[2];
	const struct answer *answer;

	while (names->length > 0) {
		struct span name = catalogue_take_name(names, whole->arena);
		size_t count = 1;

		words[0] = whole->target;
		if (strcmp(lists[list].key, "delegate") == 0)
			add_word(whole, lists[list].key, name, words, &count);
		else
			memcpy(words, (struct span[]){ name, whole->target }, sizeof words);
		answer = call(whole, lists[list].verb, words, 2);
		if (answer->is_lost)
			return fail_answer(whole, answer);
		if (answer->code != EX_OK)
			complain("%.*s: %.*s", SPAN_ARGS(whole->target), SPAN_ARGS(answer->text));
	}
	return WHOLE_DONE;
}

/* Under another name nobody is a master, nobody's delegate acts, and aliases stay with the user's own name. */
static enum whole_end
make_user(struct whole *whole)
{
	static const char *const keys[] = { "imap", "shared", "master", "quota-storage", "quota-messages", "quota-mailboxes", "created" };
	struct span words[CALL_WORDS_MAX] = { whole->target }, credential;
	size_t count = 1;
	const struct answer *answer;
	enum whole_end end;

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct span value = catalogue_field(whole->user, whole->arena, keys[i]);

		if (value.length > 0 && !(whole->is_renamed && strcmp(keys[i], "master") == 0))
			add_word(whole, keys[i], value, words, &count);
	}
	if (whole->id.length > 0)
		add_word(whole, "mailbox-id", whole->id, words, &count);
	else
		add_word(whole, "home", catalogue_field(whole->user, whole->arena, "home"), words, &count);
	for (size_t i = 0; i < COUNT_OF(lists) && !whole->is_renamed; i++)
		add_names(whole, i, words, &count);
	credential = catalogue_field(whole->user, whole->arena, "credential");
	answer = ctl_call(whole->ctl, "user restore", words, count, credential.length > 0 ? credential : (struct span){ NULL, 0 });
	end = answer->code == EX_OK ? WHOLE_DONE : fail_answer(whole, answer);
	for (size_t i = 0; i < COUNT_OF(lists) && end == WHOLE_DONE; i++)
		end = give_names(whole, i);
	return end;
}

/* Rights lie in the file; that there are any is known outside of it, and is told by giving them once more. */
static void
announce_rights(struct whole *whole)
{
	static const char *const keys[] = { "mailbox", "identifier", "rights" };
	const struct answer *answer = call(whole, "acl list", &whole->target, 1);
	size_t count = answer->code == EX_OK ? answer->line_count : 0;
	struct span *lines = arena_alloc_array(whole->arena, count + 1, sizeof *lines), words[4] = { whole->target };

	for (size_t i = 0; i < count; i++)
		lines[i] = arena_copy(whole->arena, answer->lines[i]);
	for (size_t i = 0; i < count; i++) {
		bool is_good = true;

		for (size_t j = 0; j < COUNT_OF(keys); j++)
			is_good = is_good && record_field(lines[i], whole->arena, "acl", keys[j], &words[j + 1]);
		if (is_good && (answer = call(whole, "acl set", words, 4))->code != EX_OK)
			complain("%.*s: %.*s: rights of %.*s: %.*s", SPAN_ARGS(whole->target), SPAN_ARGS(words[1]), SPAN_ARGS(words[2]),
			    SPAN_ARGS(answer->text));
	}
}

static enum whole_end
find_user(struct whole *whole)
{
	const struct answer *answer = call(whole, "user entry", &whole->target, 1);

	whole->is_there = answer->code == EX_OK;
	return answer->code == EX_OK || answer->code == EX_NOUSER ? WHOLE_DONE : fail_answer(whole, answer);
}

static enum whole_end
do_restore(struct whole *whole)
{
	bool has_file = whole->user->file.length > 0;
	enum whole_end end = has_file ? check_file(whole) : WHOLE_DONE;

	if (end == WHOLE_DONE)
		end = find_user(whole);
	if (end == WHOLE_DONE && has_file)
		end = send_file(whole);
	if (end == WHOLE_DONE && !whole->is_there)
		end = make_user(whole);
	if (end == WHOLE_FAILED)
		return end;
	if (has_file)
		announce_rights(whole);	/* also when a run that died has placed the file */
	return end;
}

enum whole_end
whole_restore(const struct order *order, const struct folder *folder, const struct catalogue_user *user, const char *target,
    int *code_out, uint64_t *size_out, uint64_t *messages_out)
{
	struct whole whole = { .order = order, .folder = folder, .user = user, .target = span_from_string(target), .descriptor = -1,
		.is_renamed = order_has(order, OPTION_AS), .arena = arena_new(), .code = EX_OK };
	enum whole_end end = WHOLE_FAILED;

	if ((whole.ctl = ctl_open(order, &whole.code)) != NULL)
		end = do_restore(&whole);
	if (whole.descriptor >= 0)
		close(whole.descriptor);
	ctl_close(&whole.ctl);
	arena_free(&whole.arena);
	*code_out = whole.code;
	*size_out = whole.size;
	*messages_out = whole.messages;
	return end;
}

bool
whole_allow_delegates(const struct order *order, const struct catalogue_user *user)
{
	struct arena *arena = arena_new();
	struct whole whole = { .order = order, .user = user, .target = user->name, .arena = arena };
	struct span names = catalogue_field(user, arena, "delegates");
	const struct answer *answer;
	int code = EX_OK;

	if (names.length > 0 && (whole.ctl = ctl_open(order, &code)) == NULL)
		names.length = 0;
	while (names.length > 0 && code == EX_OK) {
		struct span words[2] = { user->name };
		size_t count = 1;

		add_word(&whole, "delegate", catalogue_take_name(&names, arena), words, &count);
		answer = ctl_call(whole.ctl, "user allow", words, count, (struct span){ NULL, 0 });
		code = answer->is_lost ? ctl_report(answer) : EX_OK;
	}
	ctl_close(&whole.ctl);
	arena_free(&arena);
	return code == EX_OK;
}
