/*
 * What a command costs: the CPU of its jobs and of its turns on the loop.  Loop thread.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "session.h"

/* A command begins: it has cost nothing yet. */
void budget_begin(struct session *session);

/* The command under way submits a job: whether it is not the first, and so is measured. */
bool budget_is_step(struct session *session);

/* The command under way has had the loop since, as clock_thread_us() was then. */
void budget_note_turn(struct session *session, uint64_t since_us);

/* A job of the command has cost so much. */
void budget_note_job(struct session *session, uint64_t cpu_us);

/* Log that the command under way ends for what it has cost. */
void budget_log(const struct session *session);

#endif
