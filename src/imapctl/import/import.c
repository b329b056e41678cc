/*
 * The verb import: files read as the user who called, written through a session of the mailbox's owner,
 * so that the same checks and notifications happen as with any client.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "../ctl/terminal.h"
#include "../remote/local.h"
#include "../source/expand.h"
#include "appender.h"
#include "base/memory.h"
#include "config/config.h"
#include "imap/mailbox_name.h"
#include "import.h"
#include "known.h"
#include "report.h"
#include "shape.h"

struct import {
	const struct order *order;
	struct source *source;
	struct dialog *dialog;
	struct remote *session;		/* on the dialog */
	struct known *known;
	struct appender *appender;
	struct shape shape;
	struct buffer root;		/* the mailbox named, in modified UTF-7 */
	enum label_style labels;
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
on_no_keywords(struct span origin, void *context)
{
	struct import *import = context;

	source_note(import->source, NOTE_NOT_TAKEN_OVER, SPAN("keywords, for which the mailbox has no room"), origin);
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

/* Into the mailboxes of the user, and not below one of them, where there would be two of each special use. */
static bool
is_whole(const struct import *import)
{
	return span_equals_nocase(buffer_span(&import->root), SPAN("INBOX"));
}

/* "Archive" and the folder "Sub" are "Archive/Sub"; INBOX and "Sub" are "Sub". */
static void
full_mailbox(const struct import *import, struct span below, struct buffer *out)
{
	bool is_inbox = is_whole(import);

	buffer_clear(out);
	if (below.length == 0 || !is_inbox)
		buffer_add_span(out, buffer_span(&import->root));
	if (below.length > 0 && !is_inbox)
		buffer_add_octet(out, '/');
	buffer_add_span(out, below);
}

/* Hand over a message for one mailbox, unless it is there; false when no more can be handed over. */
static bool
deliver(struct import *import, struct span below, struct message *message)
{
	struct buffer mailbox = { 0 };
	uint32_t uid;
	bool is_alive;

	full_mailbox(import, below, &mailbox);
	is_alive = known_find(import->known, buffer_span(&mailbox), NULL, message, &uid);
	if (is_alive && import->report.is_dry)
		report_would(&import->report, buffer_span(&mailbox), uid == 0, uid != 0);
	else if (is_alive && uid != 0)
		import->report.already++;
	else if (is_alive)
		is_alive = appender_add(import->appender, buffer_span(&mailbox), message);
	buffer_free(&mailbox);
	return is_alive;
}

/* Hand over a message for its mailbox and for those that get a copy. */
static bool
deliver_all(struct import *import, struct message *message)
{
	struct span copies = buffer_span(&message->copies);
	bool is_alive = true;

	while (is_alive && copies.length > 0) {
		size_t end = span_find(copies, '\0');

		is_alive = deliver(import, span_slice(copies, 0, end), message);
		copies = span_from(copies, end + 1);
	}
	return is_alive && deliver(import, buffer_span(&message->mailbox), message);
}

static bool
make_mailbox(struct import *import, const struct message *message)
{
	struct buffer mailbox = { 0 };
	bool is_alive = true;

	full_mailbox(import, buffer_span(&message->mailbox), &mailbox);
	if (import->report.is_dry)
		report_would(&import->report, buffer_span(&mailbox), 0, 0);
	else if (shape_take(&import->shape, import->dialog, buffer_span(&mailbox), message, is_whole(import)))
		is_alive = appender_make(import->appender, buffer_span(&mailbox), buffer_span(&message->origin));
	buffer_free(&mailbox);
	return is_alive;
}

/* NUL is kept, and BINARY[] sends it; in all else IMAP has no place for it (RFC 9051 section 4.3.1). */
static void
note_nul(struct import *import, const struct message *message)
{
	struct span octets = buffer_span(&message->octets);

	if (span_find(octets, '\0') < octets.length)
		source_note(import->source, NOTE_NOT_TAKEN_OVER, SPAN("NUL octets, in whose place clients get 0x80"),
		    buffer_span(&message->origin));
}

/* Do what a source gave something for; false when no more can be handed over. */
static bool
take(struct import *import, enum source_result result, struct message *message)
{
	if (result == SOURCE_MAILBOX)
		return make_mailbox(import, message);
	if (!is_message(import, result, message))
		return true;
	note_nul(import, message);
	return deliver_all(import, message);
}

/* Feed all messages; false when no more could be handed over. */
static bool
feed(struct import *import)
{
	struct message message = { 0 };
	enum source_result result;
	bool is_alive = true;

	while (is_alive && !interrupt_came() &&
	    (result = source_next(import->source, &message)) != SOURCE_END) {
		is_alive = take(import, result, &message);
		progress_show(&import->progress, import->source->done, import->source->total,
		    appender_count(import->appender) + import->report.already);
	}
	message_free(&message);
	return appender_finish(import->appender) && is_alive && shape_finish(&import->shape, import->dialog);
}

/* Why it ended before its end, and the exit code. */
static int
explain_end(struct import *import)
{
	const char *why = dialog_trouble(import->dialog);
	enum appender_stop stop = appender_why(import->appender);

	if (stop == APPENDER_FULL || stop == APPENDER_UNAVAILABLE)
		why = appender_trouble(import->appender);
	complain("the import ended before its end: %s; %srun again, it goes on where it stopped", why,
	    stop == APPENDER_FULL ? "make room and " : "");
	return stop == APPENDER_FULL ? EX_CANTCREAT : EX_TEMPFAIL;
}

static int
transfer(struct import *import)
{
	bool is_whole;

	progress_begin(&import->progress);
	is_whole = feed(import);
	progress_end(&import->progress);
	if (!import->report.is_dry)
		import->report.imported = appender_count(import->appender);
	report_print(&import->report, import->source);
	if (!is_whole)
		return explain_end(import);
	if (!interrupt_came())
		return report_code(&import->report, import->source);
	complain("interrupted; run again, it goes on where it stopped");
	return EX_TEMPFAIL;
}

/* Turn a connection to the control socket into a session of the user. */
static int
open_session(struct import *import)
{
	int code = local_open(import->order, import->order->words[0], &import->dialog);

	if (code != EX_OK)
		return code;
	import->session = remote_new(import->dialog, 'k');
	import->known = known_new(import->session);
	import->appender = appender_new(import->dialog,
	    (struct appender_events){ on_refused, on_no_keywords, NULL, import });
	return EX_OK;
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
code_for(int error)
{
	switch (error) {
	case EINVAL:
		return EX_USAGE;
	case EBADMSG:
	case EISDIR:
	case ENOTDIR:
	case ENOTSUP:
		return EX_DATAERR;
	case EACCES:
		return EX_NOPERM;
	case ENOSPC:	/* for what is spooled */
		return EX_CANTCREAT;
	default:
		return expand_error_text(error) != NULL ? EX_DATAERR : EX_NOINPUT;
	}
}

static void
complain_of_kind(const char *kind)
{
	struct buffer kinds = { 0 };

	source_kinds(&kinds);
	complain("no such format: %s; there are %s", kind, buffer_string(&kinds));
	buffer_free(&kinds);
}

/* Say why a file or folder cannot be a source; returns the exit code. */
static int
explain(const char *kind, const char *path)
{
	int error = errno;

	if (error == EINVAL)
		complain_of_kind(kind);
	else if (error == ENOTSUP)
		complain("%s is a dbox of Dovecot, whose flags are in its indexes: import imap://USER@HOST from the running "
		    "Dovecot instead, or the maildir that `doveadm -o mail_location=sdbox:%s backup -u USER maildir:PATH:LAYOUT=fs` makes "
		    "of it (mdbox: for an mdbox)", path, path);
	else if (error == ENOPKG)
		complain("%s is a file of Outlook, and readpst is not installed, which is in the package pst-utils", path);
	else if (error == EBADMSG)
		complain("%s is no %s", path, kind);
	else if (error == EISDIR)
		complain("%s is a folder, and %s is a file", path, kind);
	else if (error == ENOTDIR)
		complain("%s is a file, and %s is a folder", path, kind);
	else if (expand_error_text(error) != NULL)
		complain("%s: %s", path, expand_error_text(error));
	else
		complain("%s: %s", path, strerror(error));
	return code_for(error);
}

static int
open_source(struct import *import)
{
	const struct order *order = import->order;
	const char *path = order->words[order->word_count - 1];
	const char *kind = order->word_count == 3 ? order->words[1] : NULL;

	import->source = source_open(kind, path);
	if (import->source == NULL)
		return explain(kind, path);
	import->source->labels = import->labels;
	report_what(&import->report, path, import->source, kind == NULL);
	return limit_source(import);
}

static int
set_labels(struct import *import)
{
	const char *style = order_value(import->order, OPTION_LABELS);

	if (style == NULL || strcmp(style, "keywords") == 0)
		import->labels = LABELS_KEYWORDS;
	else if (strcmp(style, "mailboxes") == 0)
		import->labels = LABELS_MAILBOXES;
	else {
		complain("--labels=%s: it is keywords or mailboxes", style);
		return EX_USAGE;
	}
	return EX_OK;
}

static int
set_root(struct import *import)
{
	const char *name = order_has(import->order, OPTION_MAILBOX) ? order_value(import->order, OPTION_MAILBOX) : "INBOX";
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
	struct import import = { .order = order, .report.json = order->json, .report.is_dry = order_has(order, OPTION_DRY_RUN) };
	int code;

	interrupt_catch();
	if ((code = set_root(&import)) == EX_OK && (code = set_labels(&import)) == EX_OK &&
	    (code = open_source(&import)) == EX_OK && (code = open_session(&import)) == EX_OK)
		code = transfer(&import);
	source_close(&import.source);
	appender_free(&import.appender);
	known_free(&import.known);
	remote_free(&import.session);
	dialog_free(&import.dialog);
	shape_free(&import.shape);
	buffer_free(&import.root);
	report_free(&import.report);
	return code;
}
