/*
 * The verb export: mail read through a session of its owner, as import writes it, into files of the user who called or
 * into another server.
 */
#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "../ctl/record.h"
#include "../ctl/terminal.h"
#include "../remote/elsewhere.h"
#include "../remote/local.h"
#include "base/memory.h"
#include "plan.h"
#include "server.h"
#include "transfer.h"

struct export {
	const struct order *order;
	struct dialog *dialog;
	struct remote *session;
	struct target *target;
	struct elsewhere elsewhere;	/* when the target is a server */
	struct remote *there;
	struct span mailbox;		/* under way */
	struct plan plan;
	struct progress progress;
	struct transfer_counts counts;
	uint64_t mailboxes;		/* that are whole now */
	uint64_t refused;
	struct buffer refusals;		/* JSON objects, separated by commas */
	struct buffer trouble;
};

static void
note_refusal(struct export *export, struct span mailbox, struct span reason)
{
	struct buffer *out = &export->refusals;

	progress_end(&export->progress);
	complain("%.*s: not exported: %.*s", SPAN_ARGS(mailbox), SPAN_ARGS(reason));
	export->refused++;
	if (out->length > 0)
		buffer_add_octet(out, ',');
	buffer_add_string(out, "{\"mailbox\":");
	json_add_string(out, mailbox);
	buffer_add_string(out, ",\"reason\":");
	json_add_string(out, reason);
	buffer_add_octet(out, '}');
}

/* A message that was counted is not taken. */
static void
on_refused(uint32_t uid, struct span reason, void *context)
{
	struct export *export = context;
	struct buffer origin = { 0 };

	export->counts.exported--;
	buffer_add_span(&origin, export->mailbox);
	buffer_printf(&origin, ", UID %u", uid);
	note_refusal(export, buffer_span(&origin), reason);
	buffer_free(&origin);
}

static void
on_progress(void *context)
{
	struct export *export = context;
	uint64_t done = export->counts.exported + export->counts.already;

	progress_show(&export->progress, done, export->plan.messages, done);
}

static int
code_for(int error)
{
	switch (error) {
	case EIO:
		return EX_IOERR;
	case EINVAL:
		return EX_USAGE;
	case EAGAIN:	/* another server's */
		return EX_TEMPFAIL;
	default:
		return EX_CANTCREAT;
	}
}

static int
explain_end(struct export *export, enum transfer_end end)
{
	static const char more[] = "run again, it goes on where it stopped";

	if (end == TRANSFER_INTERRUPTED)
		complain("interrupted; %s", more);
	else if (end == TRANSFER_LOST)
		complain("the export ended before its end: %s; %s", dialog_trouble(export->dialog), more);
	else
		complain("the export ended before its end: %s; %s", buffer_string(&export->target->trouble), more);
	return end == TRANSFER_FAILED ? code_for(export->target->error) : EX_TEMPFAIL;
}

/* All mailboxes, up to one that cannot be come beyond. */
static enum transfer_end
transfer_all(struct export *export)
{
	for (size_t i = 0; i < export->plan.count; i++) {
		struct target_mailbox *mailbox = &export->plan.mailboxes[i];
		enum transfer_end end;

		if (!mailbox->is_selectable)
			continue;
		if (interrupt_came())
			return TRANSFER_INTERRUPTED;
		export->mailbox = mailbox->name;
		end = transfer_mailbox(export->session, export->target, mailbox, NULL, &export->counts, &export->trouble,
		    on_progress, export);
		if (end == TRANSFER_REFUSED)
			note_refusal(export, mailbox->name, buffer_span(&export->trouble));
		else if (end != TRANSFER_DONE)
			return end;
		export->mailboxes += end == TRANSFER_DONE;
	}
	return TRANSFER_DONE;
}

static enum transfer_end
fill_target(struct export *export)
{
	struct target *target = export->target;
	enum transfer_end end;

	if (target->plan(target, export->plan.mailboxes, export->plan.count) != TARGET_OK)
		return TRANSFER_FAILED;
	progress_begin(&export->progress);
	end = transfer_all(export);
	progress_end(&export->progress);
	if (end == TRANSFER_DONE && target->finish(target) != TARGET_OK)
		return TRANSFER_FAILED;
	return end;
}

static void
print_json(const struct export *export)
{
	const struct transfer_counts *counts = &export->counts;
	struct buffer *out = export->order->json;

	buffer_printf(out, ",\"exported\":%llu,\"already\":%llu,\"changed\":%llu,\"removed\":%llu,\"differing\":%llu,"
	    "\"mailboxes\":%llu,\"dates-lost\":%llu,\"keywords-lost\":%llu,\"refused\":[", (unsigned long long)counts->exported,
	    (unsigned long long)counts->already, (unsigned long long)counts->changed, (unsigned long long)counts->removed,
	    (unsigned long long)counts->differing, (unsigned long long)export->mailboxes,
	    (unsigned long long)export->target->dates_lost, (unsigned long long)export->target->keywords_lost);
	buffer_add_span(out, buffer_span(&export->refusals));
	buffer_add_octet(out, ']');
}

static void
print_count(uint64_t count, const char *what)
{
	if (count > 0)
		printf(", %llu %s", (unsigned long long)count, what);
}

static void
report(const struct export *export)
{
	const struct transfer_counts *counts = &export->counts;

	if (counts->differing > 0)
		complain("%llu messages have other flags there, or are gone from the mailbox; --mirror lets that follow",
		    (unsigned long long)counts->differing);
	if (export->target->dates_lost > 0)
		complain("%llu messages have another date there than here, as this one is beyond what can be kept there",
		    (unsigned long long)export->target->dates_lost);
	if (export->target->keywords_lost > 0)
		complain("%llu messages have gone without some of their keywords, which the server there does not take",
		    (unsigned long long)export->target->keywords_lost);
	if (export->order->json != NULL) {
		print_json(export);
		return;
	}
	printf("%llu exported, %llu there already", (unsigned long long)counts->exported, (unsigned long long)counts->already);
	print_count(counts->changed, "changed");
	print_count(counts->removed, "removed");
	print_count(export->refused, "refused");
	putchar('\n');
}

static int
transfer(struct export *export)
{
	enum transfer_end end;

	if (!plan_make(&export->plan, export->session, &export->trouble)) {
		complain("%s", buffer_string(&export->trouble));
		return EX_TEMPFAIL;
	}
	if (export->plan.count == 0) {
		complain("no mailbox of this name is there");
		return EX_NOINPUT;
	}
	end = fill_target(export);
	report(export);
	if (end != TRANSFER_DONE)
		return explain_end(export, end);
	return export->refused > 0 ? EX_DATAERR : EX_OK;
}

static int
open_session(struct export *export)
{
	int code = local_open(export->order, export->order->words[0], &export->dialog);

	if (code == EX_OK)
		export->session = remote_new(export->dialog, 'e');
	return code;
}

static int
open_folder(struct export *export)
{
	const struct order *order = export->order;
	const char *path = order->words[order->word_count - 1];
	const char *kind = order->word_count == 3 ? order->words[1] : NULL;
	enum target_status status;
	int error;

	export->target = target_open(kind, path, order->words[0], &status, &error, &export->trouble);
	if (export->target != NULL)
		return EX_OK;
	complain("%s", buffer_string(&export->trouble));
	return code_for(error);
}

static int
open_server(struct export *export)
{
	int code;

	if (export->order->word_count == 3 || order_has(export->order, OPTION_MIRROR)) {
		complain("a server has no format, and --mirror is for folders; usage: imapctl export NAME URL");
		return EX_USAGE;
	}
	if ((code = elsewhere_read(&export->elsewhere, export->order)) != EX_OK)
		return code;
	code = login_open(&export->elsewhere.login, &export->there, &export->trouble);
	if (code == EX_OK)
		export->target = server_target_open(export->there, buffer_span(&export->elsewhere.url.mailbox));
	else
		complain("%s", buffer_string(&export->trouble));
	return code;
}

static int
open_target(struct export *export)
{
	bool is_server = url_is_server(export->order->words[export->order->word_count - 1]);
	int code = is_server ? open_server(export) : open_folder(export);

	if (code != EX_OK)
		return code;
	export->target->is_mirror = order_has(export->order, OPTION_MIRROR);
	export->target->is_whole = export->plan.pattern_count == 0;
	export->target->on_refused = on_refused;
	export->target->context = export;
	return EX_OK;
}

static void
set_patterns(struct export *export)
{
	const struct order *order = export->order;
	const char **patterns = memory_new_array(order->value_count + 1, sizeof *patterns);

	for (size_t i = 0; i < order->value_count; i++) {
		if (order->values[i].option == OPTION_MAILBOX)
			patterns[export->plan.pattern_count++] = order->values[i].text;
	}
	export->plan.patterns = patterns;
}

int
run_export(const struct order *order)
{
	struct export export = { .order = order };
	int code;

	interrupt_catch();
	set_patterns(&export);
	if ((code = open_session(&export)) == EX_OK && (code = open_target(&export)) == EX_OK)
		code = transfer(&export);
	if (export.target != NULL)
		export.target->close(export.target);
	login_close(&export.there);
	elsewhere_free(&export.elsewhere);
	remote_free(&export.session);
	dialog_free(&export.dialog);
	plan_free(&export.plan);
	free((void *)export.plan.patterns);
	buffer_free(&export.refusals);
	buffer_free(&export.trouble);
	return code;
}
