/*
 * What is known when the process ends by a fault: one event in the log with the stack behind it, and a report in a
 * file, with what had been done before.  No mail and no secret is in it: what is noted are words of the program and
 * ids.  Builds with a sanitizer leave faults to that one.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

/*
 * Take the signals of faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS) and SIGABRT, by which asserts and systemd's
 * watchdog end us.  The process ends by the same signal, so that a core is written if one is wanted.  Once, by the main
 * thread, which is prepared like every other by crash_begin_thread().
 *
 *	version	of the program; a literal
 */
void crash_watch(const char *version);

/* Where reports go: FOLDER/crash-TIME.txt, mode 0600.  Copied; cut off, there are none. */
void crash_report_in(const char *folder);

/* Give the thread a stack for the report, since its own may have run over, and let its notes be found. */
void crash_begin_thread(void);
void crash_end_thread(void);

/*
 * Note what this thread begins to do, until its next note.  Costs a few ns; the last CRASH_NOTES of each thread are kept.
 *
 *	what	a literal
 *	whom	for whom: a session's id, or a user's folder; its last CRASH_WHOM octets are copied.  NULL: nobody
 */
#define CRASH_NOTES 64
#define CRASH_WHOM  35
void crash_note(const char *what, const char *whom);

/* It is done. */
void crash_note_end(void);

#endif
