/*
 * Preloaded, a process's clock goes a thousand times slower, and so do its waits: what is done when a time has passed, or until
 * one has, is the same however busy the machine is.  The clocks of threads and processes, and the calendar, stay as they are.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FACTOR 1000
#define SECOND INT64_C(1000000000)

static int64_t
slow(int64_t now_ns)
{
	static int64_t begin_ns;		/* of whoever asks first; the others come later */

	if (begin_ns == 0)
		begin_ns = now_ns;
	return begin_ns + (now_ns - begin_ns) / FACTOR;
}

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);
	int64_t ns;

	if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
		ns = slow(time->tv_sec * SECOND + time->tv_nsec);
		*time = (struct timespec){ ns / SECOND, ns % SECOND };
	}
	return result;
}

int
epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms)
{
	if (timeout_ms > 0)
		timeout_ms = timeout_ms > INT_MAX / FACTOR ? INT_MAX : timeout_ms * FACTOR;
	return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout_ms, NULL, 0);
}
