/*
 * The verb import: files read as the user who called, written through a session of the mailbox's owner,
 * so that the same checks and notifications happen as with any client.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "appender.h"
#include "ctl.h"
#include "imap/mailbox_name.h"
#include "order.h"
#include "record.h"
#include "terminal.h"

struct import {
	const struct order *order;
	struct source *source;
	struct appender *appender;
	struct buffer root;		/* the mailbox named, in modified UTF-7 */
	struct progress progress;
	struct buffer refusals;		/* JSON objects, separated by commas */
	uint64_t refused;
	uint64_t unreadable;
};

static void
note_refusal(struct import *import, struct span origin, struct span reason)
{
	progress_end(&import->progress);
	complain("%.*s: not imported: %.*s", SPAN_ARGS(origin), SPAN_ARGS(reason));
	if (import->refusals.length > 0)
		buffer_add_octet(&import->refusals, ',');
	buffer_add_string(&import->refusals, "{\"origin\":");
	json_add_string(&import->refusals, origin);
	buffer_add_string(&import->refusals, ",\"reason\":");
	json_add_string(&import->refusals, reason);
	buffer_add_octet(&import->refusals, '}');
}

static void
on_refused(struct span origin, struct span reason, void *context)
{
	struct import *import = context;

	import->refused++;
	note_refusal(import, origin, reason);
}

/* "Archive" and the folder "Sub" are "Archive/Sub"; INBOX and "Sub" are "Sub". */
static void
full_mailbox(const struct import *import, struct span below, struct buffer *out)
{
	bool is_inbox = span_equals_nocase(buffer_span(&import->root), SPAN("INBOX"));

	buffer_clear(out);
	if (below.length == 0 || !is_inbox)
		buffer_add_span(out, buffer_span(&import->root));
	if (below.length > 0 && !is_inbox)
		buffer_add_octet(out, '/');
	buffer_add_span(out, below);
}

/* Feed all messages; false when the connection is lost. */
static bool
feed(struct import *import)
{
	struct buffer mailbox = { 0 };
	struct message message = { 0 };
	enum source_result result;
	bool is_alive = true;

	while (is_alive && (result = source_next(import->source, &message)) != SOURCE_END) {
		if (result == SOURCE_UNREADABLE) {
			import->unreadable++;
			note_refusal(import, buffer_span(&message.origin),
			    span_from_string(strerror(errno)));
			continue;
		}
		full_mailbox(import, buffer_span(&message.mailbox), &mailbox);
		is_alive = appender_add(import->appender, buffer_span(&mailbox), &message);
		progress_show(&import->progress, import->source->done, import->source->total,
		    appender_count(import->appender));
	}
	buffer_free(&mailbox);
	message_free(&message);
	return is_alive && appender_finish(import->appender);
}

static void
summarize(const struct import *import)
{
	unsigned long long count = appender_count(import->appender);
	unsigned long long left_out = import->refused + import->unreadable;

	if (order_has(import->order, OPTION_JSON)) {
		printf("{\"schema\":1,\"imported\":%llu,\"refused\":[%.*s]}\n", count,
		    SPAN_ARGS(buffer_span(&import->refusals)));
		return;
	}
	printf("%llu message%s imported", count, count == 1 ? "" : "s");
	if (left_out > 0)
		printf(", %llu not", left_out);
	putchar('\n');
}

static int
transfer(struct import *import)
{
	bool is_whole;

	progress_begin(&import->progress);
	is_whole = feed(import);
	progress_end(&import->progress);
	summarize(import);
	if (!is_whole) {
		complain("%s", appender_trouble(import->appender));
		return EX_TEMPFAIL;
	}
	if (import->refused > 0)
		return EX_DATAERR;
	return import->unreadable > 0 ? EX_NOINPUT : EX_OK;
}

/* Turn a connection to the control socket into a session of the user. */
static int
open_session(struct import *import)
{
	struct span name = span_from_string(import->order->words[0]);
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(import->order, &code)) == NULL)
		return code;
	code = ctl_report(ctl_call(ctl, "session", &name, 1, (struct span){ NULL, 0 }));
	if (code == EX_OK)
		import->appender = appender_new(ctl_take_descriptor(&ctl), on_refused, import);
	ctl_close(&ctl);
	return code;
}

static int
open_source(struct import *import)
{
	const char *kind = import->order->words[1], *path = import->order->words[2];

	import->source = source_open(kind, path);
	if (import->source != NULL)
		return EX_OK;
	if (errno == EINVAL) {
		complain("no such format: %s; there are mbox, maildir and eml", kind);
		return EX_USAGE;
	}
	if (errno == EBADMSG) {
		complain("%s is no %s", path, kind);
		return EX_DATAERR;
	}
	complain("%s: %s", path, strerror(errno));
	return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
}

static int
set_root(struct import *import)
{
	const char *name = import->order->mailbox == NULL ? "INBOX" : import->order->mailbox;
	struct buffer canonical = { 0 };
	enum imap_name_status status = imap_name_canonical(span_from_string(name), true, &canonical);

	if (status == IMAP_NAME_OK)
		imap_utf7_encode(buffer_span(&canonical), &import->root);
	else
		complain("--mailbox=%s: %s", name, imap_name_status_text(status));
	buffer_free(&canonical);
	return status == IMAP_NAME_OK ? EX_OK : EX_USAGE;
}

int
run_import(const struct order *order)
{
	struct import import = { .order = order };
	int code;

	if ((code = set_root(&import)) == EX_OK && (code = open_source(&import)) == EX_OK &&
	    (code = open_session(&import)) == EX_OK)
		code = transfer(&import);
	source_close(&import.source);
	appender_free(&import.appender);
	buffer_free(&import.root);
	buffer_free(&import.refusals);
	return code;
}
