/*
 * A mark on the thread that runs the loop, and who is told when a thread waits.
 */
#include "base/thread.h"

#include <stdlib.h>

#include "base/log.h"

static _Thread_local bool is_loop;
static _Thread_local struct thread_waits *waits_of_this;

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

void
thread_count_waits(struct thread_waits *waits)
{
	waits_of_this = waits;
}

void
thread_begin_wait(bool is_sure)
{
	if (waits_of_this != NULL)
		waits_of_this->on_begin(waits_of_this, is_sure);
}

void
thread_end_wait(void)
{
	if (waits_of_this != NULL)
		waits_of_this->on_end(waits_of_this);
}
