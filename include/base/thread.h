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

/*
 * What this thread does until thread_end_wait() may take long, and no processor meanwhile: another one may work.
 *
 *	is_sure	it does, as a flush: work that waits is begun at once; else, as with what is mostly read from memory, when
 *		somebody looks
 *
 * For a thread that nobody told of thread_count_waits() it means nothing.
 */
void thread_begin_wait(bool is_sure);
void thread_end_wait(void);

/* Tell of this thread's waits from now on; borrowed for as long as it runs. */
struct thread_waits {
	void (*on_begin)(struct thread_waits *waits, bool is_sure);
	void (*on_end)(struct thread_waits *waits);
};
void thread_count_waits(struct thread_waits *waits);

#endif
