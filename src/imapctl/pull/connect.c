/*
 * Both ends of a pull.  The source may be lost and found again; the session here may not: where that ends, all does.
 */
#include <sysexits.h>
#include <time.h>

#include "../ctl/interrupt.h"
#include "../remote/local.h"
#include "connect.h"

#define FAILURES_MAX 5		/* connections without a message */

bool
pull_is_interrupted(void)
{
	return interrupt_came();
}

/* 0, 1, 2, 4 ... seconds; a signal ends it. */
static void
pause_before(unsigned failures)
{
	struct timespec pause = { .tv_sec = failures < 2 ? 0 : 1 << (failures - 2) };

	if (pause.tv_sec > 0)
		nanosleep(&pause, NULL);
}

/* Whether another attempt may go better. */
static bool
is_passing(int code)
{
	return code == EX_TEMPFAIL || code == EX_UNAVAILABLE;
}

/* A message larger than what is taken here is read and not kept. */
static void
limit(struct pull *pull)
{
	struct dialog_taker taker = { .kept_octets = pull->octets_max };

	dialog_set_taker(remote_dialog(pull->there), &taker);
}

static int
connect_once(struct pull *pull, struct buffer *trouble)
{
	int code = login_open(&pull->elsewhere.login, &pull->there, trouble);

	if (code == EX_OK)
		limit(pull);
	return code;
}

bool
pull_connect(struct pull *pull)
{
	struct buffer trouble = { 0 };
	int code;

	do {
		if (pull_is_interrupted() || pull->failures >= FAILURES_MAX) {
			pull->code = EX_TEMPFAIL;
			break;
		}
		pause_before(pull->failures);
		buffer_clear(&trouble);
		code = connect_once(pull, &trouble);
		if (code == EX_OK)
			break;
		pull->failures++;
		pull->code = code;
	} while (is_passing(code) && pull->is_begun && pull->failures < FAILURES_MAX);
	if (pull->there != NULL)
		pull->code = EX_OK;
	else if (!pull_is_interrupted() && trouble.length > 0)
		complain("%s", buffer_string(&trouble));
	buffer_free(&trouble);
	return pull->there != NULL;
}

void
pull_lose(struct pull *pull)
{
	if (!pull_is_interrupted() && !pull->is_here_lost) {
		progress_end(&pull->progress);
		complain("the connection to the source is lost: %s", dialog_trouble(remote_dialog(pull->there)));
	}
	login_close(&pull->there);
	pull->failures++;
}

int
connect_both(struct pull *pull)
{
	int code;

	if (!pull_connect(pull)) {
		if (pull_is_interrupted())
			complain("interrupted, before anything was imported");
		return pull->code;
	}
	if ((code = local_open(pull->order, pull->user, &pull->dialog)) != EX_OK)
		return code;
	pull->here = remote_new(pull->dialog, 'p');
	pull->known = known_new(pull->here);
	return EX_OK;
}

void
disconnect_both(struct pull *pull)
{
	known_free(&pull->known);
	remote_free(&pull->here);
	dialog_free(&pull->dialog);
	if (pull->there != NULL)
		login_close(&pull->there);
}
