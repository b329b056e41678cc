/*
 * Commands under way stand in a list until somebody has waited for them.
 */
#include "remote.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/memory.h"
#include "capabilities.h"
#include "imap/mailbox_name.h"
#include "imap/writer.h"

#define QUOTED_OCTETS_MAX 512		/* longer strings are literals */
#define LITERAL_MINUS_OCTETS_MAX 4096	/* RFC 7888 section 5 */

struct command {
	struct list link;
	uint32_t number;
	bool is_answered;
	bool is_pausing;		/* STARTTLS and COMPRESS: what follows OK is to be read in another way */
	struct buffer line;		/* the answer with its tag */
};

struct remote {
	struct dialog *dialog;
	char letter;
	uint32_t last_number;
	struct list commands;		/* struct command */
	struct arena *arena;		/* of the untagged reply that is being read */
	struct arena *answers;		/* of what remote_wait() gave */
	remote_listener *listener;
	void *listener_context;
	remote_alert *on_alert;
	void *alert_context;
	struct buffer capabilities, enabled;	/* as capabilities_keep() writes them */
	struct buffer turn;		/* the text behind "+" */
	bool is_turn;
	bool is_over;			/* the command that is being written was refused in the middle */
	bool is_greeted;
	enum imap_reply_condition greeting;
};

static void
alert(struct remote *remote, struct span text)
{
	if (remote->on_alert != NULL)
		remote->on_alert(text, remote->alert_context);
}

/* RFC 2221 section 4.1: logged in, but the mail may be elsewhere. */
static void
tell_of_referral(struct remote *remote, struct span url)
{
	struct buffer text = { 0 };

	buffer_add_string(&text, "this user's mail may be elsewhere: ");
	buffer_add_span(&text, url);
	alert(remote, buffer_span(&text));
	buffer_free(&text);
}

static void
note_condition(struct remote *remote, const struct imap_reply *reply)
{
	const struct imap_reply_code *code = &reply->code;

	if (span_equals_nocase(code->name, SPAN("CAPABILITY")))
		capabilities_keep(&remote->capabilities, code->words, code->word_count);
	if (span_equals_nocase(code->name, SPAN("ALERT")))
		alert(remote, reply->text);
	if (span_equals_nocase(code->name, SPAN("REFERRAL")) && reply->condition == IMAP_REPLY_OK)
		tell_of_referral(remote, code->arguments);
}

/* What concerns the connection as a whole. */
static void
note(struct remote *remote, const struct imap_reply *reply)
{
	switch (reply->kind) {
	case IMAP_REPLY_CONDITION:
		if (!remote->is_greeted)
			remote->greeting = reply->condition;
		remote->is_greeted = true;
		note_condition(remote, reply);
		break;
	case IMAP_REPLY_CAPABILITY:
		capabilities_keep(&remote->capabilities, reply->words, reply->word_count);
		break;
	case IMAP_REPLY_ENABLED:
		capabilities_keep(&remote->enabled, reply->words, reply->word_count);
		break;
	default:
		break;
	}
}

static bool
on_untagged(struct span text, void *context)
{
	struct remote *remote = context;
	struct imap_reply reply;
	bool is_read = imap_reply_read(dialog_text(remote->dialog, text), remote->arena, &reply), is_alive = true;

	if (is_read)
		note(remote, &reply);
	else
		reply.kind = IMAP_REPLY_OTHER;
	if (remote->listener != NULL)
		is_alive = remote->listener(&reply, !is_read, remote->listener_context);
	arena_reset(remote->arena);
	return is_alive;
}

/* "+", which is taken for the command that was begun last. */
static bool
on_turn(struct span text, void *context)
{
	struct remote *remote = context;

	remote->is_turn = true;
	buffer_clear(&remote->turn);
	buffer_add_span(&remote->turn, span_trim(span_from(text, 1)));
	return true;
}

static struct command *
find(const struct remote *remote, uint32_t number)
{
	LIST_FOREACH(&remote->commands, link) {
		struct command *command = LIST_ENTRY(link, struct command, link);

		if (command->number == number)
			return command;
	}
	return NULL;
}

/* The condition of a tagged reply; false if it is none. */
static bool
read_answer(struct span line, struct arena *arena, struct imap_reply *reply_out)
{
	struct imap_reply_text text = { .octets = line };

	return imap_reply_read(text, arena, reply_out) && reply_out->kind == IMAP_REPLY_CONDITION;
}

static bool
on_tagged(struct span text, void *context)
{
	struct remote *remote = context;
	struct command *command = NULL;
	struct imap_reply reply;
	uint64_t number;

	if (span_to_number(span_slice(text, 1, span_find(text, ' ') - 1), UINT32_MAX, &number))
		command = find(remote, (uint32_t)number);
	if (command == NULL || command->is_answered || !read_answer(text, remote->arena, &reply))
		return dialog_lose(remote->dialog, "the server's answer does not fit the question");
	note_condition(remote, &reply);
	command->is_answered = true;
	buffer_add_span(&command->line, text);
	if (command->is_pausing && reply.condition == IMAP_REPLY_OK)
		dialog_pause(remote->dialog);
	arena_reset(remote->arena);
	return true;
}

struct remote *
remote_new(struct dialog *dialog, char letter)
{
	struct remote *remote = NEW(struct remote);

	remote->dialog = dialog;
	remote->letter = letter;
	remote->greeting = IMAP_REPLY_BYE;
	list_init(&remote->commands);
	remote->arena = arena_new();
	remote->answers = arena_new();
	dialog_listen(dialog, '*', on_untagged, remote);
	dialog_listen(dialog, '+', on_turn, remote);
	dialog_listen(dialog, (uint8_t)letter, on_tagged, remote);
	return remote;
}

static void
command_free(struct command *command)
{
	buffer_free(&command->line);
	free(command);
}

void
remote_free(struct remote **remote_pointer)
{
	struct remote *remote = *remote_pointer;
	struct list *link;

	if (remote == NULL)
		return;
	*remote_pointer = NULL;
	while ((link = list_pop_front(&remote->commands)) != NULL)
		command_free(LIST_ENTRY(link, struct command, link));
	arena_free(&remote->arena);
	arena_free(&remote->answers);
	buffer_free(&remote->capabilities);
	buffer_free(&remote->enabled);
	buffer_free(&remote->turn);
	free(remote);
}

struct dialog *
remote_dialog(struct remote *remote)
{
	return remote->dialog;
}

void
remote_listen(struct remote *remote, remote_listener *listener, void *context)
{
	remote->listener = listener;
	remote->listener_context = context;
}

void
remote_on_alert(struct remote *remote, remote_alert *on_alert, void *context)
{
	remote->on_alert = on_alert;
	remote->alert_context = context;
}

uint32_t
remote_begin(struct remote *remote, const char *words)
{
	struct command *command = NEW(struct command);

	command->number = ++remote->last_number;
	list_push_back(&remote->commands, &command->link);
	remote->is_over = false;
	buffer_printf(dialog_out(remote->dialog), "%c%u %s", remote->letter, command->number, words);
	return command->number;
}

struct buffer *
remote_out(struct remote *remote)
{
	return dialog_out(remote->dialog);
}

static bool
has_utf8(const struct remote *remote)
{
	return remote_has_enabled(remote, "UTF8=ACCEPT") || remote_has_enabled(remote, "IMAP4rev2");
}

static bool
is_quotable(const struct remote *remote, struct span text)
{
	bool is_ascii = true;

	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\0' || text.at[i] == '\r' || text.at[i] == '\n')
			return false;
		is_ascii &= text.at[i] < 128;
	}
	return text.length <= QUOTED_OCTETS_MAX && (is_ascii || has_utf8(remote));
}

/* Whether the server has said so already. */
static bool
has_told(const struct remote *remote, struct span capability)
{
	return capabilities_imply(&remote->capabilities, capability);
}

/* Nothing can be asked here, in the middle of a command. */
static bool
may_send_at_once(const struct remote *remote, size_t length)
{
	return has_told(remote, SPAN("LITERAL+")) ||
	    (length <= LITERAL_MINUS_OCTETS_MAX && has_told(remote, SPAN("LITERAL-")));
}

bool
remote_add_literal(struct remote *remote, struct span octets)
{
	struct buffer *out = dialog_out(remote->dialog);
	const char *tilde = span_find(octets, '\0') < octets.length ? "~" : "";	/* literal8 alone may hold NUL */
	struct span turn;

	if (remote->is_over)
		return false;
	if (may_send_at_once(remote, octets.length)) {
		buffer_printf(out, "%s{%zu+}\r\n", tilde, octets.length);
	} else {
		buffer_printf(out, "%s{%zu}\r\n", tilde, octets.length);
		if (remote_await_turn(remote, remote->last_number, &turn) != REMOTE_CONTINUES) {
			remote->is_over = true;
			return false;
		}
	}
	buffer_add_span(out, octets);
	return true;
}

bool
remote_add_string(struct remote *remote, struct span text)
{
	if (remote->is_over)
		return false;
	if (is_quotable(remote, text)) {
		imap_write_quoted(dialog_out(remote->dialog), text);
		return true;
	}
	return remote_add_literal(remote, text);
}

bool
remote_add_mailbox(struct remote *remote, struct span name)
{
	struct buffer encoded = { 0 };
	bool is_added;

	if (has_utf8(remote))
		return remote_add_string(remote, name);
	imap_utf7_encode(name, &encoded);
	is_added = remote_add_string(remote, buffer_span(&encoded));
	buffer_free(&encoded);
	return is_added;
}

void
remote_end(struct remote *remote)
{
	if (!remote->is_over)
		buffer_add_string(dialog_out(remote->dialog), "\r\n");
}

void
remote_pause_behind(struct remote *remote, uint32_t number)
{
	find(remote, number)->is_pausing = true;
}

bool
remote_wait(struct remote *remote, uint32_t number, struct remote_answer *answer_out)
{
	struct command *command = find(remote, number);
	struct imap_reply reply;
	struct span line;

	while (!command->is_answered)
		if (!dialog_step(remote->dialog))
			return false;
	arena_reset(remote->answers);
	line = arena_copy(remote->answers, buffer_span(&command->line));
	read_answer(line, remote->answers, &reply);
	*answer_out = (struct remote_answer){ .condition = reply.condition, .code = reply.code, .text = reply.text,
		.line = span_from(line, span_find(line, ' ') + 1) };
	list_remove(&command->link);
	command_free(command);
	return true;
}

bool
remote_call(struct remote *remote, const char *command, struct remote_answer *answer_out)
{
	uint32_t number = remote_begin(remote, command);

	remote_end(remote);
	return remote_wait(remote, number, answer_out);
}

static bool
is_answered(const struct remote *remote, uint32_t number)
{
	const struct command *command = find(remote, number);

	return command == NULL || command->is_answered;
}

enum remote_turn
remote_await_turn(struct remote *remote, uint32_t number, struct span *text_out)
{
	remote->is_turn = false;
	while (!remote->is_turn) {
		if (is_answered(remote, number))
			return REMOTE_ANSWERED;
		if (!dialog_step(remote->dialog))
			return REMOTE_LOST;
	}
	*text_out = buffer_span(&remote->turn);
	return REMOTE_CONTINUES;
}

/* Whatever begins otherwise is of another protocol. */
static bool
on_stray(struct span text, void *context)
{
	struct remote *remote = context;

	(void)text;
	remote->greeting = IMAP_REPLY_BAD;
	return dialog_lose(remote->dialog, "what speaks there is no IMAP server");
}

bool
remote_await_greeting(struct remote *remote, enum imap_reply_condition *condition_out)
{
	bool is_alive = true;

	dialog_listen(remote->dialog, '+', on_stray, remote);
	dialog_on_stray(remote->dialog, on_stray, remote);
	while (is_alive && !remote->is_greeted)
		is_alive = dialog_step(remote->dialog);
	dialog_on_stray(remote->dialog, NULL, NULL);
	dialog_listen(remote->dialog, '+', on_turn, remote);
	*condition_out = remote->greeting;
	if (!is_alive || remote->greeting == IMAP_REPLY_OK || remote->greeting == IMAP_REPLY_PREAUTH)
		return is_alive;
	*condition_out = IMAP_REPLY_BAD;
	return dialog_lose(remote->dialog, "it greets with a refusal");
}

bool
remote_can(struct remote *remote, const char *capability)
{
	struct remote_answer answer;

	if (remote->capabilities.length == 0 && !remote_call(remote, "CAPABILITY", &answer))
		return false;
	return has_told(remote, span_from_string(capability));
}

bool
remote_can_authenticate(struct remote *remote, const char *mechanism)
{
	struct buffer word = { 0 };
	bool can;

	buffer_printf(&word, "AUTH=%s", mechanism);
	can = remote_can(remote, buffer_string(&word));
	buffer_free(&word);
	return can;
}

void
remote_forget(struct remote *remote)
{
	buffer_clear(&remote->capabilities);
}

bool
remote_enable(struct remote *remote, const char *capabilities)
{
	struct span rest = span_from_string(capabilities);
	struct buffer command = { 0 };
	struct remote_answer answer;
	bool is_alive = true;

	buffer_add_string(&command, "ENABLE");
	while (rest.length > 0) {
		struct span word = span_slice(rest, 0, span_find(rest, ' '));

		if (word.length > 0 && capabilities_have(&remote->capabilities, word))
			buffer_printf(&command, " %.*s", SPAN_ARGS(word));
		rest = span_from(rest, word.length + 1);
	}
	if (command.length > strlen("ENABLE") && remote_can(remote, "ENABLE"))
		is_alive = remote_call(remote, buffer_string(&command), &answer);
	buffer_free(&command);
	return is_alive;
}

bool
remote_has_enabled(const struct remote *remote, const char *capability)
{
	return capabilities_have(&remote->enabled, span_from_string(capability));
}

bool
remote_identify(struct remote *remote)
{
	struct remote_answer answer;

	return !remote_can(remote, "ID") ||
	    remote_call(remote, "ID (\"name\" \"imapctl\" \"version\" \"" VERSION "\")", &answer);
}
