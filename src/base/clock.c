/*
 * The clocks, and the fixed pair that tests put in their place.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t fake_monotonic_us;
static _Atomic int64_t fake_calendar_us;

static int64_t
read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	uint64_t fake = fake_monotonic_us;

	return fake != 0 ? fake : (uint64_t)read_us(CLOCK_MONOTONIC);
}

int64_t
clock_calendar_us(void)
{
	int64_t fake = fake_calendar_us;

	return fake != 0 ? fake : read_us(CLOCK_REALTIME);
}

int64_t
clock_calendar_s(void)
{
	return clock_calendar_us() / 1000000;
}

uint64_t
clock_thread_us(void)
{
	return (uint64_t)read_us(CLOCK_THREAD_CPUTIME_ID);
}

void
clock_fake(uint64_t monotonic_us, int64_t calendar_us)
{
	fake_monotonic_us = monotonic_us;
	fake_calendar_us = calendar_us;
}
