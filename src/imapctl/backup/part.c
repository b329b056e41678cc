#include "part.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/interrupt.h"
#include "../ctl/terminal.h"
#include "../export/plan.h"
#include "../export/server.h"
#include "../export/transfer.h"
#include "../remote/local.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "served.h"

struct part {
	const struct order *order;
	struct served served;
	struct remote *from, *to;	/* sessions: of the copy, and of the user */
	struct dialog *dialog;		/* of the latter */
	struct target *target;
	struct plan plan;
	struct span mailbox;		/* under way */
	struct buffer into;		/* UTF-8, or empty */
	struct transfer_counts transferred;
	struct progress progress;
	struct buffer trouble;
	struct part_counts *counts;
};

bool
part_is_meant(const struct order *order)
{
	return order_has(order, OPTION_MAILBOX) || order_has(order, OPTION_SEARCH) || order_has(order, OPTION_INTO);
}

/* They go into a command as they are. */
bool
part_check(const struct order *order)
{
	const char *keys = order_value(order, OPTION_SEARCH);

	for (const char *at = keys; at != NULL && *at != '\0'; at++) {
		if ((uint8_t)*at < ' ') {
			complain("--search: the keys are one line");
			return false;
		}
	}
	if (keys != NULL && *keys == '\0')
		complain("--search takes keys as IMAP's SEARCH does: \"SINCE 1-Nov-2026 FROM ann\"");
	return keys == NULL || *keys != '\0';
}

static void
note_refusal(struct part *part, struct span mailbox, struct span reason)
{
	progress_end(&part->progress);
	complain("%.*s: not restored: %.*s", SPAN_ARGS(mailbox), SPAN_ARGS(reason));
	part->counts->refused++;
}

/* A message that was counted is not taken. */
static void
on_refused(uint32_t uid, struct span reason, void *context)
{
	struct part *part = context;
	struct buffer origin = { 0 };

	part->transferred.exported--;
	buffer_printf(&origin, "%.*s UID %u", SPAN_ARGS(part->mailbox), uid);
	note_refusal(part, buffer_span(&origin), reason);
	buffer_free(&origin);
}

static void
on_progress(void *context)
{
	struct part *part = context;
	uint64_t done = part->transferred.exported + part->transferred.already;

	progress_show(&part->progress, done, part->plan.messages, done);
}

static int
explain_end(struct part *part, enum transfer_end end)
{
	if (end == TRANSFER_INTERRUPTED)
		complain("interrupted; run again, it goes on where it stopped");
	else
		complain("restoring ended before its end: %s; run again, it goes on where it stopped",
		    end == TRANSFER_LOST ? dialog_trouble(part->served.dialog) : buffer_string(&part->target->trouble));
	return end == TRANSFER_FAILED && part->target->error == ENOSPC ? EX_CANTCREAT : EX_TEMPFAIL;
}

static int
transfer_all(struct part *part)
{
	const char *keys = order_value(part->order, OPTION_SEARCH);
	int code = EX_OK;

	for (size_t i = 0; i < part->plan.count; i++) {
		struct target_mailbox *mailbox = &part->plan.mailboxes[i];
		enum transfer_end end;

		if (!mailbox->is_selectable)
			continue;
		if (interrupt_came())
			return explain_end(part, TRANSFER_INTERRUPTED);
		part->mailbox = mailbox->name;
		end = transfer_mailbox(part->from, part->target, mailbox, keys, &part->transferred, &part->trouble, on_progress, part);
		if (end == TRANSFER_REFUSED && keys != NULL && span_starts_with(buffer_span(&part->trouble), SPAN("the server said: BAD"))) {
			complain("--search: %s", buffer_string(&part->trouble));
			return EX_USAGE;
		}
		if (end == TRANSFER_REFUSED) {
			note_refusal(part, mailbox->name, buffer_span(&part->trouble));
			code = EX_DATAERR;
		} else if (end != TRANSFER_DONE) {
			return explain_end(part, end);
		}
	}
	return part->counts->refused > 0 ? EX_DATAERR : code;
}

static int
transfer(struct part *part)
{
	int code;

	if (!plan_make(&part->plan, part->from, &part->trouble)) {
		complain("%s", buffer_string(&part->trouble));
		return EX_TEMPFAIL;
	}
	if (part->plan.count == 0) {
		complain("the backup has no mailbox of this name");
		return EX_NOINPUT;
	}
	if (part->target->plan(part->target, part->plan.mailboxes, part->plan.count) != TARGET_OK)
		return explain_end(part, TRANSFER_FAILED);
	progress_begin(&part->progress);
	code = transfer_all(part);
	progress_end(&part->progress);
	part->counts->restored = part->transferred.exported;
	part->counts->already = part->transferred.already;
	return code;
}

/* Keys beyond ASCII are UTF-8 (RFC 9051 section 6.4.4, once IMAP4rev2 is enabled). */
static int
open_sessions(struct part *part, const char *target)
{
	const char *keys = order_value(part->order, OPTION_SEARCH);
	int code = local_open(part->order, target, &part->dialog);
	bool is_ascii = true;

	if (code != EX_OK)
		return code;
	for (; keys != NULL && *keys != '\0'; keys++)
		is_ascii = is_ascii && (uint8_t)*keys < 0x80;
	part->from = remote_new(part->served.dialog, 'b');
	part->to = remote_new(part->dialog, 'r');
	if (!is_ascii && !remote_enable(part->from, "IMAP4rev2"))
		return explain_end(part, TRANSFER_LOST);
	part->target = server_target_open(part->to, buffer_span(&part->into));
	part->target->is_dry = order_has(part->order, OPTION_DRY_RUN);
	part->target->on_refused = on_refused;
	part->target->context = part;
	return EX_OK;
}

static int
set_up(struct part *part)
{
	const struct order *order = part->order;
	const char **patterns = memory_new_array(order->value_count + 1, sizeof *patterns);
	const char *into = order_value(order, OPTION_INTO);
	enum imap_name_status status;

	for (size_t i = 0; i < order->value_count; i++)
		if (order->values[i].option == OPTION_MAILBOX)
			patterns[part->plan.pattern_count++] = order->values[i].text;
	part->plan.patterns = patterns;
	if (into == NULL)
		return EX_OK;
	status = imap_name_canonical(span_from_string(into), true, &part->into);
	if (status != IMAP_NAME_OK)
		complain("--into=%s: %s", into, imap_name_status_text(status));
	return status == IMAP_NAME_OK ? EX_OK : EX_USAGE;
}

int
part_restore(const struct order *order, const struct folder *folder, const struct catalogue_user *user, const char *target,
    struct part_counts *counts_out)
{
	struct part part = { .order = order, .counts = counts_out };
	int code;

	*counts_out = (struct part_counts){ 0 };
	if ((code = set_up(&part)) == EX_OK && (code = served_begin(&part.served, order, folder, user)) == EX_OK &&
	    (code = open_sessions(&part, target)) == EX_OK)
		code = transfer(&part);
	if (part.target != NULL)
		part.target->close(part.target);
	remote_free(&part.from);
	remote_free(&part.to);
	dialog_free(&part.dialog);
	plan_free(&part.plan);
	free((void *)part.plan.patterns);
	served_end(&part.served);
	buffer_free(&part.into);
	buffer_free(&part.trouble);
	return code;
}
