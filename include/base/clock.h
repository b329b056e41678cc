/*
 * What time it is.  Timers and timeouts use the monotonic clock; the calendar is for INTERNALDATE and
 * the log; a thread's clock tells what work costs.  Tests put their own clock in.  Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds that never go back, from an arbitrary start. */
uint64_t clock_monotonic_us(void);

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_calendar_us(void);

/* Seconds since 1970-01-01 UTC. */
int64_t clock_calendar_s(void);

/* Microseconds of CPU that the calling thread has used; nothing fakes it. */
uint64_t clock_thread_us(void);

/* Replace both clocks by a fixed pair; both zero puts the real ones back.  Tests only. */
void clock_fake(uint64_t monotonic_us, int64_t calendar_us);

#endif
