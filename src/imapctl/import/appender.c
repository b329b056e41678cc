/*
 * APPEND with a window: batches that were filled, sent and not yet answered stand in one list, and an
 * answer finds its batch by the tag (RFC 9051 section 5.5).
 */
#include "appender.h"

#include <stdlib.h>

#include "base/list.h"
#include "imap/date.h"
#include "imap/writer.h"
#include "uid_walk.h"

#define BATCH_MESSAGES	50
#define BATCH_OCTETS	((size_t)1 << 20)
#define WINDOW_BATCHES	4
#define WINDOW_OCTETS	((size_t)8 << 20)

struct item {
	struct buffer octets, keywords, origin;
	struct imap_date_time date;
	bool has_date;
	unsigned flags;
	uint32_t number;
};

struct batch {
	struct list link;
	struct buffer mailbox;
	struct buffer folder;		/* the origin of a mailbox without messages, which is only made */
	struct item items[BATCH_MESSAGES];
	size_t count, octets;
	uint32_t tag;
};

struct appender {
	struct dialog *dialog;
	struct batch *filling;		/* NULL: none */
	struct list sent;		/* struct batch, not answered yet */
	size_t sent_count, sent_octets;
	uint32_t next_tag;
	uint64_t confirmed;
	struct buffer last_mailbox;	/* known to be there */
	bool makes_none;
	enum appender_stop stop;
	struct buffer trouble;
	struct appender_events events;
};

static void
batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		buffer_free(&batch->items[i].octets);
		buffer_free(&batch->items[i].keywords);
		buffer_free(&batch->items[i].origin);
	}
	buffer_free(&batch->mailbox);
	buffer_free(&batch->folder);
	free(batch);
}

void
appender_free(struct appender **appender)
{
	struct list *link;

	if (*appender == NULL)
		return;
	while ((link = list_pop_front(&(*appender)->sent)) != NULL)
		batch_free(LIST_ENTRY(link, struct batch, link));
	if ((*appender)->filling != NULL)
		batch_free((*appender)->filling);
	buffer_free(&(*appender)->last_mailbox);
	buffer_free(&(*appender)->trouble);
	free(*appender);
	*appender = NULL;
}

uint64_t
appender_count(const struct appender *appender)
{
	return appender->confirmed;
}

enum appender_stop
appender_why(const struct appender *appender)
{
	return appender->stop;
}

const char *
appender_trouble(struct appender *appender)
{
	return appender->stop == APPENDER_LOST ? dialog_trouble(appender->dialog) : buffer_string(&appender->trouble);
}

void
appender_make_none(struct appender *appender)
{
	appender->makes_none = true;
}

void
appender_add_flags(struct buffer *out, unsigned flags, struct span keywords)
{
	static const char *const names[] = { "\\Answered", "\\Flagged", "\\Deleted", "\\Seen",
		"\\Draft", "$Forwarded" };
	const char *space = "";

	buffer_add_octet(out, '(');
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if ((flags & (1u << i)) == 0)
			continue;
		buffer_add_string(out, space);
		buffer_add_string(out, names[i]);
		space = " ";
	}
	if (keywords.length > 0)
		buffer_add_string(out, space);
	buffer_add_span(out, keywords);
	buffer_add_octet(out, ')');
}

/* NUL may stand in literal8 alone: RFC 9051 section 9. */
static void
add_item(struct buffer *out, const struct item *item)
{
	struct span octets = buffer_span(&item->octets);
	bool has_nul = span_find(octets, 0) < octets.length;

	buffer_add_octet(out, ' ');
	if (item->flags != 0 || item->keywords.length > 0) {
		appender_add_flags(out, item->flags, buffer_span(&item->keywords));
		buffer_add_octet(out, ' ');
	}
	if (item->has_date) {
		imap_date_time_write(out, item->date);
		buffer_add_octet(out, ' ');
	}
	buffer_printf(out, "%s{%zu+}\r\n", has_nul ? "~" : "", octets.length);
	buffer_add_span(out, octets);
}

/* Put the command for a batch behind what waits to be written, and the batch into the list. */
static void
send_batch(struct appender *appender, struct batch *batch)
{
	struct buffer *out = dialog_out(appender->dialog);

	batch->tag = ++appender->next_tag;
	buffer_printf(out, "a%u %s ", batch->tag, batch->count == 0 ? "CREATE" : "APPEND");
	imap_write_quoted(out, buffer_span(&batch->mailbox));
	for (size_t i = 0; i < batch->count; i++)
		add_item(out, &batch->items[i]);
	buffer_add_string(out, "\r\n");
	list_push_back(&appender->sent, &batch->link);
	appender->sent_count++;
	appender->sent_octets += batch->octets;
}

static void
add_command(struct appender *appender, const char *command, struct span mailbox)
{
	struct buffer *out = dialog_out(appender->dialog);

	buffer_add_string(out, command);
	imap_write_quoted(out, mailbox);
	buffer_add_string(out, "\r\n");
}

/* The answers have tags of another kind and are not waited for: an APPEND behind it shows all. */
static void
ensure_mailbox(struct appender *appender, struct span mailbox)
{
	if (appender->makes_none || span_equals(mailbox, buffer_span(&appender->last_mailbox)))
		return;
	buffer_clear(&appender->last_mailbox);
	buffer_add_span(&appender->last_mailbox, mailbox);
	if (span_equals_nocase(mailbox, SPAN("INBOX")))
		return;
	add_command(appender, "c CREATE ", mailbox);
	add_command(appender, "c SUBSCRIBE ", mailbox);
}

static struct batch *
batch_new(struct span mailbox)
{
	struct batch *batch = NEW(struct batch);

	list_init(&batch->link);
	buffer_add_span(&batch->mailbox, mailbox);
	return batch;
}

/* Hand an item over from where it was. */
static void
batch_take(struct batch *batch, struct item *item)
{
	batch->octets += item->octets.length;
	batch->items[batch->count++] = *item;
	*item = (struct item){ 0 };
}

static void
send_alone(struct appender *appender, struct batch *from, size_t index)
{
	struct batch *single = batch_new(buffer_span(&from->mailbox));

	batch_take(single, &from->items[index]);
	send_batch(appender, single);
}

static struct batch *
find_batch(const struct appender *appender, struct span tag)
{
	uint64_t number;

	if (!span_to_number(tag, UINT32_MAX, &number))
		return NULL;
	LIST_FOREACH(&appender->sent, link) {
		struct batch *batch = LIST_ENTRY(link, struct batch, link);

		if (batch->tag == number)
			return batch;
	}
	return NULL;
}

/* Whether the next message would be refused for the same reason. */
static enum appender_stop
stop_for(struct span answer)
{
	/* RFC 5530 section 3; the words tell what the code leaves open. */
	if (span_starts_with(answer, SPAN("NO [OVERQUOTA]")) ||
	    span_starts_with(answer, SPAN("NO [UNAVAILABLE] no space left")))
		return APPENDER_FULL;
	return span_starts_with(answer, SPAN("NO [UNAVAILABLE]")) ? APPENDER_UNAVAILABLE : APPENDER_GOES_ON;
}

static void
on_refusal(struct appender *appender, struct batch *batch, struct span answer)
{
	struct item *item = &batch->items[0];

	if (batch->count == 0) {
		appender->events.on_refused(buffer_span(&batch->folder), answer, appender->events.context);
	} else if (batch->count > 1) {		/* so that only the bad ones stay out */
		for (size_t i = 0; i < batch->count; i++)
			send_alone(appender, batch, i);
	} else if (item->keywords.length > 0 && span_starts_with(answer, SPAN("NO [LIMIT]"))) {
		appender->events.on_no_keywords(buffer_span(&item->origin), appender->events.context);
		buffer_clear(&item->keywords);
		send_alone(appender, batch, 0);
	} else {
		appender->events.on_refused(buffer_span(&item->origin), answer, appender->events.context);
	}
}

/* "OK [APPENDUID 38505 3955:3957] done": RFC 4315 section 3, and one UID for each message of MULTIAPPEND. */
static void
tell_stored(struct appender *appender, const struct batch *batch, struct span answer)
{
	struct span code = SPAN("OK [APPENDUID "), rest = { NULL, 0 };
	struct uid_walk walk = { 0 };
	uint32_t uid;

	if (appender->events.on_stored == NULL)
		return;
	if (span_starts_with_nocase(answer, code)) {
		rest = span_from(answer, code.length);
		rest = span_from(rest, span_find(rest, ' ') + 1);
	}
	walk.rest = span_slice(rest, 0, span_find(rest, ']'));
	for (size_t i = 0; i < batch->count; i++) {
		const struct item *item = &batch->items[i];

		if (!uid_walk_next(&walk, &uid))
			uid = 0;
		if (item->number != 0)
			appender->events.on_stored(buffer_span(&batch->mailbox), item->number, uid,
			    appender->events.context);
	}
}

static void
on_answer(struct appender *appender, struct batch *batch, struct span answer)
{
	enum appender_stop stop = stop_for(answer);

	if (batch->count == 0 && span_starts_with(answer, SPAN("NO [ALREADYEXISTS]")))
		return;
	if (span_starts_with(answer, SPAN("OK "))) {
		appender->confirmed += batch->count;
		tell_stored(appender, batch, answer);
	} else if (stop != APPENDER_GOES_ON) {
		appender->stop = stop;
		buffer_clear(&appender->trouble);
		buffer_add_string(&appender->trouble, "the server said: ");
		buffer_add_span(&appender->trouble, answer);
	} else if (appender->stop == APPENDER_GOES_ON) {
		on_refusal(appender, batch, answer);
	}
}

static bool
on_reply(struct span reply, void *context)
{
	struct appender *appender = context;
	size_t space = span_find(reply, ' ');
	struct batch *batch = find_batch(appender, span_slice(reply, 1, space - 1));

	if (batch == NULL)
		return dialog_lose(appender->dialog, "the server's answer does not fit the question");
	list_remove(&batch->link);
	appender->sent_count--;
	appender->sent_octets -= batch->octets;
	on_answer(appender, batch, span_from(reply, space + 1));
	batch_free(batch);
	return true;
}

struct appender *
appender_new(struct dialog *dialog, struct appender_events events)
{
	struct appender *appender = NEW(struct appender);

	appender->dialog = dialog;
	appender->events = events;
	list_init(&appender->sent);
	dialog_listen(dialog, 'a', on_reply, appender);
	return appender;
}

/* Wait until no more than so much is under way; when sending has stopped, until nothing is. */
static bool
wait_for_window(struct appender *appender, size_t batches, size_t octets)
{
	if (appender->stop == APPENDER_LOST)
		return false;
	while (appender->sent_count > batches || appender->sent_octets > octets ||
	    (appender->stop != APPENDER_GOES_ON && appender->sent_count > 0)) {
		if (!dialog_step(appender->dialog)) {
			appender->stop = APPENDER_LOST;
			return false;
		}
	}
	return appender->stop == APPENDER_GOES_ON;
}

static bool
flush(struct appender *appender)
{
	struct batch *batch = appender->filling;

	if (batch == NULL || appender->stop != APPENDER_GOES_ON)
		return appender->stop == APPENDER_GOES_ON;
	appender->filling = NULL;
	ensure_mailbox(appender, buffer_span(&batch->mailbox));
	send_batch(appender, batch);
	return wait_for_window(appender, WINDOW_BATCHES, WINDOW_OCTETS);
}

static bool
fits(const struct batch *batch, struct span mailbox, size_t octets)
{
	return span_equals(buffer_span(&batch->mailbox), mailbox) &&
	    batch->count < BATCH_MESSAGES && batch->octets + octets <= BATCH_OCTETS;
}

bool
appender_add(struct appender *appender, struct span mailbox, const struct message *message)
{
	struct item item = { .flags = message->flags, .has_date = message->has_date,
		.date = { message->date_s, 0 }, .number = message->number };

	if (appender->filling != NULL && !fits(appender->filling, mailbox, message->octets.length) &&
	    !flush(appender))
		return false;
	if (appender->filling == NULL)
		appender->filling = batch_new(mailbox);
	buffer_add_span(&item.octets, buffer_span(&message->octets));
	buffer_add_span(&item.keywords, buffer_span(&message->keywords));
	buffer_add_span(&item.origin, buffer_span(&message->origin));
	batch_take(appender->filling, &item);
	return true;
}

bool
appender_make(struct appender *appender, struct span mailbox, struct span origin)
{
	struct batch *batch;

	if (span_equals_nocase(mailbox, SPAN("INBOX")))
		return true;
	if (!flush(appender))
		return false;
	batch = batch_new(mailbox);
	buffer_add_span(&batch->folder, origin);
	send_batch(appender, batch);
	add_command(appender, "c SUBSCRIBE ", mailbox);
	return wait_for_window(appender, WINDOW_BATCHES, WINDOW_OCTETS);
}

bool
appender_finish(struct appender *appender)
{
	bool is_flushed = flush(appender);

	return wait_for_window(appender, 0, 0) && is_flushed;
}
