/*
 * A mark on the thread that runs the loop.
 */
#include "base/thread.h"

#include <stdlib.h>

#include "base/log.h"

static _Thread_local bool is_loop;

void
thread_enter_loop(void)
{
	is_loop = true;
}

void
thread_leave_loop(void)
{
	is_loop = false;
}

bool
thread_is_loop(void)
{
	return is_loop;
}

void
thread_assert_off_loop(const char *door)
{
	if (!is_loop)
		return;
	log_error("loop-would-block", log_text("door", door));
	abort();
}
