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
#include "config/config.h"
#include "ctl.h"
#include "imap/mailbox_name.h"
#include "order.h"
#include "report.h"
#include "terminal.h"

struct import {
	const struct order *order;
	struct source *source;
	struct appender *appender;
	struct buffer root;		/* the mailbox named, in modified UTF-7 */
	struct progress progress;
	struct report report;
};

static void
on_refused(struct span origin, struct span reason, void *context)
{
	struct import *import = context;

	import->report.refused++;
	progress_end(&import->progress);
	report_refusal(&import->report, origin, reason);
}

static void
on_unreadable(struct import *import, struct span origin, struct span reason)
{
	import->report.unreadable++;
	progress_end(&import->progress);
	report_refusal(&import->report, origin, reason);
}

/* Whether the source gave a message; otherwise what it gave is counted. */
static bool
is_message(struct import *import, enum source_result result, struct message *message)
{
	if (result == SOURCE_UNREADABLE)
		on_unreadable(import, buffer_span(&message->origin), span_from_string(strerror(errno)));
	else if (result == SOURCE_REFUSED)
		on_refused(buffer_span(&message->origin), buffer_span(&message->reason), import);
	return result == SOURCE_MESSAGE;
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
		if (!is_message(import, result, &message))
			continue;
		full_mailbox(import, buffer_span(&message.mailbox), &mailbox);
		is_alive = appender_add(import->appender, buffer_span(&mailbox), &message);
		progress_show(&import->progress, import->source->done, import->source->total,
		    appender_count(import->appender));
	}
	buffer_free(&mailbox);
	message_free(&message);
	return is_alive && appender_finish(import->appender);
}

static int
transfer(struct import *import)
{
	bool is_whole;

	progress_begin(&import->progress);
	is_whole = feed(import);
	progress_end(&import->progress);
	import->report.imported = appender_count(import->appender);
	report_print(&import->report, import->source);
	if (!is_whole) {
		complain("%s", appender_trouble(import->appender));
		return EX_TEMPFAIL;
	}
	return report_code(&import->report, import->source);
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

/* The server would refuse a larger message, but only after all of it was read and sent. */
static int
limit_source(struct import *import)
{
	struct config *config = order_config(import->order);

	if (config == NULL)
		return EX_CONFIG;
	import->source->octets_max = config->message_size_limit_octets;
	config_free(&config);
	return EX_OK;
}

static int
open_source(struct import *import)
{
	const char *kind = import->order->words[1], *path = import->order->words[2];

	import->source = source_open(kind, path);
	if (import->source != NULL)
		return limit_source(import);
	if (errno == EINVAL) {
		complain("no such format: %s; there are mbox, maildir, mh and eml", kind);
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
	struct import import = { .order = order, .report.json = order->json };
	int code;

	if ((code = set_root(&import)) == EX_OK && (code = open_source(&import)) == EX_OK &&
	    (code = open_session(&import)) == EX_OK)
		code = transfer(&import);
	source_close(&import.source);
	appender_free(&import.appender);
	buffer_free(&import.root);
	report_free(&import.report);
	return code;
}
