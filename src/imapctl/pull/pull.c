/*
 * From an order to its sums.
 */
#include "pull.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "base/memory.h"
#include "config/config.h"
#include "connect.h"
#include "mailbox.h"
#include "mirror.h"
#include "transfer.h"

#define DIFFERENT 1
#define CHANGED_MEANWHILE 2	/* as doveadm sync has it: run again */

static void
on_refused(struct span origin, struct span reason, void *context)
{
	pull_refused(context, origin, reason);
}

static void
on_no_keywords(struct span origin, void *context)
{
	pull_note(context, NOTE_NOT_TAKEN_OVER, "keywords, for which the mailbox has no room", origin);
}

/* ---- the order ------------------------------------------------------------------------------------------ */

static int
set_labels(struct pull *pull)
{
	const char *style = order_value(pull->order, OPTION_LABELS);

	if (style != NULL && strcmp(style, "keywords") != 0 && strcmp(style, "mailboxes") != 0) {
		complain("--labels=%s: it is keywords or mailboxes", style);
		return EX_USAGE;
	}
	pull->source.labels = style != NULL && strcmp(style, "mailboxes") == 0 ? LABELS_MAILBOXES : LABELS_KEYWORDS;
	return EX_OK;
}

static int
set_limit(struct pull *pull)
{
	struct config *config = order_config(pull->order);

	if (config == NULL)
		return EX_CONFIG;
	pull->octets_max = config->message_size_limit_octets;
	buffer_add_string(&pull->others, config->namespace_others == NULL ? "" : config->namespace_others);
	buffer_add_string(&pull->shared, config->namespace_shared == NULL ? "" : config->namespace_shared);
	config_free(&config);
	return EX_OK;
}

static int
set_login(struct pull *pull)
{
	int code = ctl_may(pull->order, "session");

	if (code == EX_OK)
		code = elsewhere_read(&pull->elsewhere, pull->order);
	pull->elsewhere.login.enable = "CONDSTORE";
	return code;
}

static int
read_order(struct pull *pull)
{
	const struct order *order = pull->order;
	int code;

	pull->user = order->words[0];
	pull->is_mirror = order_has(order, OPTION_MIRROR);
	pull->is_dry_run = pull->report.is_dry = order_has(order, OPTION_DRY_RUN);
	pull->is_verify = pull->report.is_comparison = order_has(order, OPTION_VERIFY);
	if (pull->is_mirror + pull->is_dry_run + pull->is_verify > 1) {
		complain("--mirror, --dry-run and --verify do not go together");
		return EX_USAGE;
	}
	if ((code = set_labels(pull)) != EX_OK || (code = set_limit(pull)) != EX_OK)
		return code;
	return set_login(pull);
}

/* The values of an option that may be given more than once; the caller frees the array. */
static const char **
list_values(const struct order *order, enum order_option option, size_t *count_out)
{
	const char **values = memory_new_array(order->value_count + 1, sizeof *values);

	*count_out = 0;
	for (size_t i = 0; i < order->value_count; i++) {
		if (order->values[i].option == option)
			values[(*count_out)++] = order->values[i].text;
	}
	return values;
}

/* ---- the work ------------------------------------------------------------------------------------------- */

static void
on_no_name(struct span origin, struct span reason, void *context)
{
	pull_refused(context, origin, reason);
}

static bool
make_plan(struct pull *pull)
{
	struct pull_plan_settings settings = { .only = buffer_span(&pull->elsewhere.url.mailbox), .others = buffer_span(&pull->others),
		.shared = buffer_span(&pull->shared) };
	const char **patterns = list_values(pull->order, OPTION_MAILBOX, &settings.pattern_count);
	const char **excluded = list_values(pull->order, OPTION_EXCLUDE, &settings.excluded_count);
	bool is_made;

	settings.patterns = patterns;
	settings.excluded = excluded;
	is_made = pull_plan_make(&pull->plan, pull->there, &settings, &pull->source, on_no_name, pull);
	free(patterns);
	free(excluded);
	return is_made;
}

/* "alice@imap://old.example.org": whose mail it is, whatever is done with it. */
static struct state *
load_state(struct pull *pull)
{
	struct buffer account = { 0 };
	struct state *state;

	buffer_add_span(&account, buffer_span(&pull->elsewhere.url.user));
	buffer_add_octet(&account, '@');
	url_write_host(&pull->elsewhere.url, &account);
	state = state_load(pull->here, buffer_span(&account));
	buffer_free(&account);
	return state;
}

/* False: it ended before its end. */
static bool
pull_all(struct pull *pull)
{
	for (size_t i = 0; i < pull->plan.count; i++) {
		if (pull_is_interrupted() || !pull_mailbox(pull, &pull->plan.at[i]))
			return false;
	}
	return true;
}

/* --mirror: mailboxes that were pulled and are gone at the source go here, too.  False: the connection here is lost. */
static bool
follow_deletions(struct pull *pull)
{
	struct place *place;
	size_t n = 0;

	while (pull->is_mirror && map_count(pull->plan.listed) > 0 && (place = state_gone(pull->state, pull->plan.listed, &n)) != NULL) {
		if (mirror_remove(pull, place))
			continue;
		pull->is_here_lost = true;
		return false;
	}
	return true;
}

/* Why it ended before its end, and the exit code. */
static int
explain_end(struct pull *pull)
{
	enum appender_stop stop = appender_why(pull->appender);

	if (pull_is_interrupted()) {
		complain("interrupted; run again, it goes on where it stopped");
		return EX_TEMPFAIL;
	}
	if (stop == APPENDER_FULL || stop == APPENDER_UNAVAILABLE) {
		complain("the import ended before its end: %s; %srun again, it goes on where it stopped",
		    appender_trouble(pull->appender), stop == APPENDER_FULL ? "make room and " : "");
		return stop == APPENDER_FULL ? EX_CANTCREAT : EX_TEMPFAIL;
	}
	if (pull->is_here_lost) {
		complain("the import ended before its end: %s; run again, it goes on where it stopped", dialog_trouble(pull->dialog));
		return EX_TEMPFAIL;
	}
	if (pull->code == EX_OK && pull->has_changed) {
		complain("the source has changed meanwhile; run again");
		return CHANGED_MEANWHILE;
	}
	complain("the import ended before its end; run again, it goes on where it stopped");
	return pull->code == EX_OK ? EX_TEMPFAIL : pull->code;
}

/* Whether the operator named mailboxes, and none of one user is one of these.  Those that --mirror follows may be gone. */
static bool
has_found_none(const struct pull *pull)
{
	bool is_named = order_has(pull->order, OPTION_MAILBOX) || pull->elsewhere.url.mailbox.length > 0;

	return is_named && pull->plan.count == 0 && pull->report.refused == 0 && !pull->is_mirror &&
	    !order_has(pull->order, OPTION_LIST);
}

static int
code_at_end(const struct pull *pull)
{
	if (has_found_none(pull)) {
		complain("the source has no such mailbox");
		return EX_NOINPUT;
	}
	/* An account without mail is one, too. */
	if (pull->report.differing > 0)
		return DIFFERENT;
	if (pull->report.refused + pull->report.unreadable == 0 && pull->report.imported + pull->report.already == 0)
		return EX_OK;
	return report_code(&pull->report, &pull->source);
}

static int
transfer_all(struct pull *pull)
{
	bool is_whole, is_refused = false;

	pull->appender = appender_new(pull->dialog, (struct appender_events){ on_refused, on_no_keywords, transfer_on_stored, pull });
	appender_make_none(pull->appender);
	pull->is_begun = true;
	progress_begin(&pull->progress);
	is_whole = pull_all(pull) && follow_deletions(pull);
	progress_end(&pull->progress);
	if (!pull->is_here_lost && state_finish(pull->state, &is_refused) && is_refused)
		pull_note(pull, NOTE_NOT_TAKEN_OVER, "what was pulled, which cannot be kept: the next run compares contents",
		    SPAN("METADATA"));
	pull->report.imported += appender_count(pull->appender);
	report_print(&pull->report, &pull->source);
	return is_whole ? code_at_end(pull) : explain_end(pull);
}

static int
run(struct pull *pull)
{
	int code = connect_both(pull);

	if (code != EX_OK)
		return code;
	if (!make_plan(pull)) {
		complain("%s", dialog_trouble(remote_dialog(pull->there)));
		return EX_TEMPFAIL;
	}
	pull->state = load_state(pull);
	if (pull->state == NULL) {
		complain("%s", dialog_trouble(pull->dialog));
		return EX_TEMPFAIL;
	}
	return transfer_all(pull);
}

static void
close_notes(struct source *source)
{
	(void)source;
}

static void
pull_fini(struct pull *pull)
{
	struct source *notes = &pull->source;

	appender_free(&pull->appender);
	state_free(&pull->state);
	disconnect_both(pull);
	pull_plan_free(&pull->plan);
	source_close(&notes);
	report_free(&pull->report);
	elsewhere_free(&pull->elsewhere);
	buffer_free(&pull->others);
	buffer_free(&pull->shared);
}

int
run_pull(const struct order *order)
{
	struct pull pull = { .order = order, .report.json = order->json, .source.close = close_notes };
	int code;

	interrupt_catch();
	code = read_order(&pull);
	if (code == EX_OK)
		code = run(&pull);
	pull_fini(&pull);
	return code;
}
