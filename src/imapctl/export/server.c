/*
 * Some commands are under way at a time, so that the way to the server costs once; where it takes no literal without being
 * asked (LITERAL+, RFC 7888), one.  What was sent is kept until it is answered: a message that only its keywords keep out
 * goes without those that not every server takes, then without any.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"
#include "imap/date.h"
#include "names_there.h"
#include "present.h"

#define WINDOW_MESSAGES 50
#define WINDOW_OCTETS ((size_t)8 << 20)

/* How a message is offered, one after the other until it is taken. */
enum offer { AS_IT_IS, WITH_PLAIN_DATE, WITH_PLAIN_KEYWORDS, WITHOUT_KEYWORDS };

struct pending {
	struct list link;
	uint32_t number;		/* of the command */
	struct target_message message;	/* points into the buffers */
	struct buffer octets, keywords;
	enum offer offer;
};

struct server {
	struct target target;
	struct remote *remote;
	struct names_there there;
	struct buffer prefix;
	struct map *existing;		/* UTF-8 names there; the values mean nothing */
	struct map *taken;		/* UTF-8 name there -> ours */
	struct map *names;		/* our name -> struct buffer with that there */
	struct buffer mailbox;		/* under way, as it is called there */
	struct present present;
	struct list sent;		/* struct pending, in the order of sending */
	size_t sent_count, sent_octets;
};

static char is_there;

static struct server *
of(struct target *target)
{
	return CONTAINER_OF(target, struct server, target);
}

static enum target_status
lost(struct server *server)
{
	target_refuse(&server->target, "%s", dialog_trouble(remote_dialog(server->remote)));
	server->target.error = EAGAIN;
	return TARGET_FAILED;
}

static enum target_status
refused(struct server *server, const struct remote_answer *answer)
{
	return target_refuse(&server->target, "the server there said: %.*s", SPAN_ARGS(answer->line));
}

/* ---- names ---------------------------------------------------------------------------------------------- */

static bool
on_list(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct server *server = context;
	struct buffer name = { 0 };

	if (is_malformed)
		return true;
	if (reply->kind == IMAP_REPLY_NAMESPACE && reply->spaces.counts[IMAP_NAMESPACE_PERSONAL] > 0) {
		server->there.separator = reply->spaces.spaces[IMAP_NAMESPACE_PERSONAL][0].separator;
		names_there_decode(reply->spaces.spaces[IMAP_NAMESPACE_PERSONAL][0].prefix, &server->prefix);
	} else if (reply->kind == IMAP_REPLY_LIST) {
		if (reply->list.separator >= 0)
			server->there.separator = reply->list.separator;
		names_there_decode(reply->list.name, &name);
		if (name.length > 0 && (reply->list.attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) == 0)
			map_put(server->existing, buffer_span(&name), &is_there);
	}
	buffer_free(&name);
	return true;
}

/* Separator, prefix, and what is there. */
static enum target_status
learn_names(struct server *server)
{
	struct remote_answer answer;
	bool is_alive = true;

	remote_listen(server->remote, on_list, server);
	server->there.separator = -1;
	if (remote_can(server->remote, "NAMESPACE"))
		is_alive = remote_call(server->remote, "NAMESPACE", &answer);
	is_alive = is_alive && remote_call(server->remote, "LIST \"\" \"\"", &answer) &&
	    remote_call(server->remote, "LIST \"\" \"*\"", &answer);
	remote_listen(server->remote, NULL, NULL);
	server->there.prefix = buffer_span(&server->prefix);
	if (!is_alive)
		return lost(server);
	return answer.condition == IMAP_REPLY_OK ? TARGET_OK : refused(server, &answer);
}

/* Two mailboxes of ours are not poured into one: the second gets a longer name. */
static void
name_mailbox(struct server *server, struct span name)
{
	struct buffer *there = NEW(struct buffer);

	names_there_add(&server->there, name, there);
	while (map_get(server->taken, buffer_span(there)) != NULL)
		buffer_add_octet(there, '_');
	map_put(server->taken, buffer_span(there), &is_there);
	map_put(server->names, name, there);
}

static enum target_status
command(struct server *server, const char *words, struct span mailbox, const char *rest, struct remote_answer *answer_out)
{
	uint32_t number = remote_begin(server->remote, words);

	if (remote_add_mailbox(server->remote, mailbox)) {
		buffer_add_string(remote_out(server->remote), rest);
		remote_end(server->remote);
	}
	return remote_wait(server->remote, number, answer_out) ? TARGET_OK : lost(server);
}

static enum target_status
plan(struct target *target, const struct target_mailbox *mailboxes, size_t count)
{
	struct server *server = of(target);
	struct remote_answer answer;
	enum target_status status = learn_names(server);

	for (size_t i = 0; i < count && status == TARGET_OK; i++) {
		name_mailbox(server, mailboxes[i].name);
		if (!mailboxes[i].is_selectable && !target->is_dry)
			status = command(server, "SUBSCRIBE ", buffer_span(map_get(server->names, mailboxes[i].name)), "", &answer);
	}
	return status == TARGET_REFUSED ? TARGET_FAILED : status;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

static void
pending_free(struct pending *pending)
{
	buffer_free(&pending->octets);
	buffer_free(&pending->keywords);
	free(pending);
}

/* Keywords that every server takes that takes any: some refuse those that begin with a digit or hold "}". */
static bool
is_plain_keyword(struct span word)
{
	for (size_t i = 0; i < word.length; i++) {
		uint8_t octet = ascii_lower(word.at[i]);
		bool is_letter = (octet >= 'a' && octet <= 'z') || octet == '$' || octet == '_';

		if (!is_letter && (i == 0 || !(ascii_is_digit(octet) || octet == '-' || octet == '.')))
			return false;
	}
	return word.length > 0;
}

static void
add_flags(struct buffer *out, const struct pending *pending)
{
	static const char *const names[] = { "\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "$Forwarded" };
	struct span rest = pending->message.keywords;
	const char *before = "";

	buffer_add_octet(out, '(');
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if ((pending->message.flags & (1u << i)) == 0 || (i == 5 && pending->offer == WITHOUT_KEYWORDS))
			continue;
		buffer_printf(out, "%s%s", before, names[i]);
		before = " ";
	}
	while (rest.length > 0 && pending->offer != WITHOUT_KEYWORDS) {
		size_t end = span_find(rest, ' ');
		struct span word = span_slice(rest, 0, end);

		if (pending->offer < WITH_PLAIN_KEYWORDS || is_plain_keyword(word)) {
			buffer_printf(out, "%s%.*s", before, SPAN_ARGS(word));
			before = " ";
		}
		rest = span_from(rest, end + 1);
	}
	buffer_add_string(out, ") ");
}

/* 1970 and 2038 are the ends of time for many servers, which refuse what lies beyond, or make another date of it. */
static int64_t
date_offered(const struct pending *pending)
{
	int64_t date_s = pending->message.date_s;

	if (pending->offer == AS_IT_IS || !present_is_odd_date(date_s))
		return date_s;
	return date_s <= 0 ? 1 : date_s < INT32_MAX ? date_s : INT32_MAX;
}

/* Send a message and put it behind those that are under way. */
static void
send_pending(struct server *server, struct pending *pending)
{
	pending->number = remote_begin(server->remote, "APPEND ");
	list_push_back(&server->sent, &pending->link);
	server->sent_count++;
	server->sent_octets += pending->octets.length;
	if (!remote_add_mailbox(server->remote, buffer_span(&server->mailbox)))
		return;
	buffer_add_octet(remote_out(server->remote), ' ');
	add_flags(remote_out(server->remote), pending);
	imap_date_time_write(remote_out(server->remote), (struct imap_date_time){ date_offered(pending), 0 });
	buffer_add_octet(remote_out(server->remote), ' ');
	if (remote_add_literal(server->remote, pending->message.octets))
		remote_end(server->remote);
}

/* RFC 5530 section 3: the next message would fare no better. */
static enum target_status
status_of_refusal(struct server *server, const struct remote_answer *answer)
{
	refused(server, answer);
	if (span_equals_nocase(answer->code.name, SPAN("OVERQUOTA"))) {
		server->target.error = ENOSPC;
		return TARGET_FAILED;
	}
	if (span_equals_nocase(answer->code.name, SPAN("UNAVAILABLE")) || span_equals_nocase(answer->code.name, SPAN("INUSE"))) {
		server->target.error = EAGAIN;
		return TARGET_FAILED;
	}
	return TARGET_REFUSED;
}

/* Go on to an offer that differs from the last.  False: there is none. */
static bool
lower_offer(struct pending *pending)
{
	bool has_keywords = pending->message.keywords.length > 0 || (pending->message.flags & FLAG_FORWARDED) != 0;

	if (pending->offer == AS_IT_IS && present_is_odd_date(pending->message.date_s))
		pending->offer = WITH_PLAIN_DATE;
	else if (pending->offer < WITH_PLAIN_KEYWORDS && has_keywords)
		pending->offer = WITH_PLAIN_KEYWORDS;
	else if (pending->offer == WITH_PLAIN_KEYWORDS)
		pending->offer = WITHOUT_KEYWORDS;
	else
		return false;
	return true;
}

/* Wait for the oldest. */
static enum target_status
take_answer(struct server *server)
{
	struct pending *pending = LIST_ENTRY(list_pop_front(&server->sent), struct pending, link);
	struct remote_answer answer;
	enum target_status status = TARGET_OK;

	server->sent_count--;
	server->sent_octets -= pending->octets.length;
	if (!remote_wait(server->remote, pending->number, &answer)) {
		status = lost(server);
	} else if (answer.condition != IMAP_REPLY_OK) {
		status = status_of_refusal(server, &answer);
		if (status == TARGET_REFUSED && lower_offer(pending)) {
			list_init(&pending->link);
			send_pending(server, pending);
			return TARGET_OK;
		}
	}
	if (status == TARGET_REFUSED) {
		server->target.on_refused(pending->message.uid, buffer_span(&server->target.trouble), server->target.context);
		status = TARGET_OK;
	} else if (status == TARGET_OK) {
		server->target.keywords_lost += pending->offer >= WITH_PLAIN_KEYWORDS;
		server->target.dates_lost += date_offered(pending) != pending->message.date_s;
	}
	pending_free(pending);
	return status;
}

static enum target_status
wait_for_window(struct server *server, size_t messages, size_t octets)
{
	enum target_status status = TARGET_OK;

	while (status == TARGET_OK && (server->sent_count > messages || server->sent_octets > octets))
		status = take_answer(server);
	return status;
}

static enum target_status
add(struct target *target, const struct target_message *message)
{
	struct server *server = of(target);
	struct pending *pending;
	bool has;

	if (!present_has(&server->present, message, &has))
		return lost(server);
	if (has || target->is_dry)
		return has ? TARGET_THERE : TARGET_OK;
	pending = NEW(struct pending);
	list_init(&pending->link);
	pending->message = *message;
	buffer_add_span(&pending->octets, message->octets);
	buffer_add_span(&pending->keywords, message->keywords);
	pending->message.octets = buffer_span(&pending->octets);
	pending->message.keywords = buffer_span(&pending->keywords);
	send_pending(server, pending);
	if (!remote_can(server->remote, "LITERAL+"))
		return wait_for_window(server, 0, 0);
	return wait_for_window(server, WINDOW_MESSAGES, WINDOW_OCTETS);
}

/* ---- mailboxes ------------------------------------------------------------------------------------------ */

/* With its use, where the server knows uses and nothing else has it (RFC 6154 section 3). */
static enum target_status
create(struct server *server, const struct target_mailbox *mailbox)
{
	struct remote_answer answer = { .condition = IMAP_REPLY_NO };
	enum target_status status = TARGET_OK;
	struct buffer use = { 0 };

	if (mailbox->use.length > 0 && remote_can(server->remote, "CREATE-SPECIAL-USE")) {
		buffer_printf(&use, " (USE (%.*s))", SPAN_ARGS(mailbox->use));
		status = command(server, "CREATE ", buffer_span(&server->mailbox), buffer_string(&use), &answer);
	}
	buffer_free(&use);
	if (status == TARGET_OK && answer.condition != IMAP_REPLY_OK)
		status = command(server, "CREATE ", buffer_span(&server->mailbox), "", &answer);
	if (status != TARGET_OK || answer.condition == IMAP_REPLY_OK ||
	    span_equals_nocase(answer.code.name, SPAN("ALREADYEXISTS")))
		return status;
	return refused(server, &answer);
}

/* A mailbox that is not there yet has nothing. */
static enum target_status
begin_dry(struct server *server)
{
	struct remote_answer answer;
	enum target_status status = command(server, "EXAMINE ", buffer_span(&server->mailbox), "", &answer);

	if (status != TARGET_OK || answer.condition != IMAP_REPLY_OK)
		return status;
	return present_learn(&server->present) ? TARGET_OK : lost(server);
}

static enum target_status
begin(struct target *target, const struct target_mailbox *mailbox)
{
	struct server *server = of(target);
	struct remote_answer answer;
	enum target_status status = TARGET_OK;

	present_free(&server->present);
	buffer_clear(&server->mailbox);
	buffer_add_span(&server->mailbox, buffer_span(map_get(server->names, mailbox->name)));
	if (target->is_dry)
		return begin_dry(server);
	if (map_get(server->existing, buffer_span(&server->mailbox)) == NULL &&
	    !span_equals_nocase(buffer_span(&server->mailbox), SPAN("INBOX")))
		status = create(server, mailbox);
	if (status == TARGET_OK && mailbox->is_subscribed)
		status = command(server, "SUBSCRIBE ", buffer_span(&server->mailbox), "", &answer);
	if (status == TARGET_OK)
		status = command(server, "SELECT ", buffer_span(&server->mailbox), "", &answer);
	if (status != TARGET_OK)
		return status;
	if (answer.condition != IMAP_REPLY_OK)
		return refused(server, &answer);
	return present_learn(&server->present) ? TARGET_OK : lost(server);
}

static enum target_status
end(struct target *target)
{
	return wait_for_window(of(target), 0, 0);
}

static enum target_status
finish(struct target *target)
{
	(void)target;
	return TARGET_OK;
}

static void
free_names(struct map **names)
{
	size_t position = 0;
	struct span name;
	void *there;

	while (map_next(*names, &position, &name, &there)) {
		buffer_free(there);
		free(there);
	}
	map_free(names);
}

static void
server_close(struct target *target)
{
	struct server *server = of(target);

	while (!list_is_empty(&server->sent))
		pending_free(LIST_ENTRY(list_pop_front(&server->sent), struct pending, link));
	present_free(&server->present);
	free_names(&server->names);
	map_free(&server->existing);
	map_free(&server->taken);
	buffer_free(&server->prefix);
	buffer_free(&server->mailbox);
	target_free_rest(target);
	free(server);
}

struct target *
server_target_open(struct remote *remote, struct span root)
{
	struct server *server = NEW(struct server);

	server->remote = server->present.remote = remote;
	server->there.root = root;
	server->existing = map_new();
	server->taken = map_new();
	server->names = map_new();
	list_init(&server->sent);
	server->target = (struct target){ .plan = plan, .begin = begin, .add = add, .end = end, .finish = finish, .close = server_close };
	return &server->target;
}
