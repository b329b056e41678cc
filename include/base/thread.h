/*
 * Which thread this is.  The loop thread must never block: every door behind which something may wait
 * (SQLite, fsync, key derivation, name resolution, a TLS handshake) begins with assert_off_loop(),
 * also in production.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/* Say that this thread runs the loop; called once by loop_run(), undone when it returns. */
void thread_enter_loop(void);
void thread_leave_loop(void);

bool thread_is_loop(void);

/* End the process if the loop thread came through a door that may block. */
#define assert_off_loop() thread_assert_off_loop(__func__)
void thread_assert_off_loop(const char *door);

#endif
