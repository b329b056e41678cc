#include "local.h"

#include <sysexits.h>
#include <time.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"

#define ASK_AGAIN_MS 100
#define ASK_TIMES 100
#define SILENCE_S 600

static const struct answer *
ask_for_session(struct ctl *ctl, const char *user)
{
	static const struct timespec pause = { .tv_nsec = ASK_AGAIN_MS * 1000000L };
	struct span name = span_from_string(user);
	const struct answer *answer;

	for (int times = ASK_TIMES; ; times--) {
		answer = ctl_call(ctl, "session", &name, 1, (struct span){ NULL, 0 });
		if (answer->code != EX_TEMPFAIL || times == 0 || interrupt_came())
			return answer;
		nanosleep(&pause, NULL);
	}
}

int
local_open(const struct order *order, const char *user, struct dialog **dialog_out)
{
	struct ctl *ctl;
	int code;

	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = ctl_report(ask_for_session(ctl, user));
	if (code == EX_OK)
		*dialog_out = dialog_new(connection_of(ctl_take_descriptor(&ctl), SILENCE_S));
	ctl_close(&ctl);
	return code;
}
