/*
 * The report of a process that ends by a fault.  What runs in the handler allocates nothing and takes no lock it
 * would wait for; an alarm ends the process should something in it hang all the same.
 */
#include "base/crash.h"

#include <sys/mman.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

#define STACK_SIZE  (64 * 1024)
#define FRAMES_MAX  64
#define FOLDER_MAX   512
#define REPORT_LINE_MAX   1024
#define REPORT_S    10		/* a report that takes longer is given up */
#define LOG_LINES   50
#define THREADS_MAX 256		/* notes of further ones are not found */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

struct note {
	const char *what;
	char whom[CRASH_WHOM + 1];
};

/* Of one thread: a ring, which that one alone writes. */
struct notes {
	pthread_t thread;
	unsigned count;			/* ever noted */
	bool is_doing;			/* what was noted last */
	struct note at[CRASH_NOTES];
};

/* The file-scope variables that change: a handler of signals has no context. */
static struct {
	const char *version;
	char folder[FOLDER_MAX];		/* empty: no report in a file */
	_Atomic(pthread_t) reporter;	/* the thread that writes it; 0: none yet */
	_Atomic(struct notes *) threads[THREADS_MAX];	/* NULL: free */
} crash;

static _Thread_local struct notes notes;

static const struct {
	int number;
	const char *name;
} faults[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" }, { SIGILL, "SIGILL" }, { SIGTRAP, "SIGTRAP" },
	{ SIGSYS, "SIGSYS" }, { SIGABRT, "SIGABRT" },
};

/* Where lines go: the log, and a file when there is one. */
struct report {
	int file;			/* -1: none */
	char prefix[LOG_PREFIX_SIZE];
};

static void
put(int file, const char *text, size_t length)
{
	while (length > 0 && file >= 0) {
		ssize_t count = write(file, text, length);

		if (count <= 0)
			return;
		text += count;
		length -= (size_t)count;
	}
}

static void write_line(int file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
write_line(int file, const char *format, ...)
{
	char line[REPORT_LINE_MAX];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	length = strlen(line);
	line[length++] = '\n';
	put(file, line, length);
}

static const char *
signal_name(int number)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		if (faults[i].number == number)
			return faults[i].name;
	return "?";
}

/* A place in the program as addr2line(1) takes it: the offset in the file that was loaded. */
static void
describe_frame(void *address, char *out, size_t size)
{
	Dl_info about;
	const char *slash;

	if (dladdr(address, &about) == 0 || about.dli_fname == NULL) {
		snprintf(out, size, "%p", address);
		return;
	}
	slash = strrchr(about.dli_fname, '/');
	snprintf(out, size, "%s+0x%zx", slash == NULL ? about.dli_fname : slash + 1,
	    (size_t)((char *)address - (char *)about.dli_fbase));
}

static void
write_frames(const struct report *report)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX);

	write_line(report->file, "\nThe stack, innermost first:");
	for (int i = 0; i < count; i++) {
		char place[REPORT_LINE_MAX / 2];

		describe_frame(frames[i], place, sizeof place);
		write_line(STDERR_FILENO, "%slevel=error ev=crash-frame number=%d at=%s", report->prefix, i, place);
		write_line(report->file, "\t%s", place);
	}
}

/* What this thread does; NULL: nothing of note. */
static const struct note *
current(void)
{
	return notes.is_doing ? &notes.at[(notes.count - 1) % CRASH_NOTES] : NULL;
}

/* Of one thread, for one session or user, or all when whom is NULL; the oldest first. */
static void
write_notes(const struct report *report, const struct notes *of, const char *whom)
{
	unsigned first = of->count > CRASH_NOTES ? of->count - CRASH_NOTES : 0;

	for (unsigned i = first; i < of->count; i++) {
		const struct note *note = &of->at[i % CRASH_NOTES];

		if (whom == NULL || strcmp(whom, note->whom) == 0)
			write_line(report->file, "\t%s\t%s", note->whom, note->what);
	}
}

static void
write_all_notes(const struct report *report)
{
	for (size_t i = 0; i < THREADS_MAX; i++) {
		const struct notes *of = atomic_load(&crash.threads[i]);
		char name[16] = "";

		if (of == NULL || of->count == 0)
			continue;
		pthread_getname_np(of->thread, name, sizeof name);
		write_line(report->file, "\nBefore, thread %s:", name);
		write_notes(report, of, NULL);
	}
}

static void
open_report(struct report *report, char path[FOLDER_MAX + 64])
{
	report->file = -1;
	path[0] = '\0';
	if (crash.folder[0] == '\0')
		return;
	snprintf(path, FOLDER_MAX + 64, "%s/crash-%lld.txt", crash.folder, (long long)time(NULL));
	report->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (report->file < 0)
		path[0] = '\0';
}

static void
write_summary(const struct report *report, const char *path, const char *name, const siginfo_t *info)
{
	const char *what = current() == NULL ? "nothing" : current()->what, *whom = current() == NULL ? "" : current()->whom;
	char thread[16] = "", cause[64], when[LOG_PREFIX_SIZE];

	pthread_getname_np(pthread_self(), thread, sizeof thread);
	if (info->si_code <= 0)
		snprintf(cause, sizeof cause, "pid=%ld", (long)info->si_pid);
	else
		snprintf(cause, sizeof cause, "address=%p", info->si_addr);
	write_line(STDERR_FILENO, "%slevel=error ev=crash signal=%s %s thread=%s doing=\"%s\" whom=\"%s\" version=%s report=%s",
	    report->prefix, name, cause, thread, what, whom, crash.version, path);
	log_time(when);
	write_line(report->file, "imapd %s ended by %s (%s) at %s", crash.version, name, cause, when);
	write_line(report->file, "Thread %s, doing: %s %s", thread, what, whom);
}

static void
write_rest(const struct report *report)
{
	const struct note *note = current();

	if (note != NULL && note->whom[0] != '\0') {
		write_line(report->file, "\nBefore, for the same:");
		write_notes(report, &notes, note->whom);
	}
	write_all_notes(report);
	write_line(report->file, "\nThe last lines of the log:");
	if (report->file >= 0)
		log_recent_dump(report->file, LOG_LINES);
}

static void
end_by(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

/* The first thread writes; another one that faults meanwhile waits for the end, and a fault of the report is the end. */
static bool
is_first(int number)
{
	pthread_t nobody = 0;

	if (atomic_compare_exchange_strong(&crash.reporter, &nobody, pthread_self()))
		return true;
	if (pthread_equal(nobody, pthread_self()))
		end_by(number);
	else
		sleep(REPORT_S);
	return false;
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
	char path[FOLDER_MAX + 64];
	struct report report;
	sigset_t alarms;

	(void)context;
	if (!is_first(number))
		return;
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	alarm(REPORT_S);
	log_prefix(LOG_LEVEL_ERROR, report.prefix);
	open_report(&report, path);
	write_summary(&report, path, signal_name(number), info);
	write_frames(&report);
	write_rest(&report);
	if (report.file >= 0)
		fsync(report.file);
	end_by(number);
}

void
crash_watch(const char *version)
{
#ifndef HAS_SANITIZER
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	void *frame;

	crash.version = version;
	backtrace(&frame, 1);		/* loads what it needs, while memory can be had */
	crash_begin_thread();
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		sigaction(faults[i].number, &action, NULL);
#else
	(void)version, (void)on_fault;
#endif
}

void
crash_report_in(const char *folder)
{
	if (strlen(folder) < sizeof crash.folder)
		strcpy(crash.folder, folder);
}

static void
take_stack(void)
{
#ifndef HAS_SANITIZER
	stack_t stack = { .ss_size = STACK_SIZE };
	sigset_t ours;

	stack.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp != MAP_FAILED)
		sigaltstack(&stack, NULL);
	sigemptyset(&ours);
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		if (faults[i].number != SIGABRT)	/* of the whole process: the main thread's */
			sigaddset(&ours, faults[i].number);
	pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
#endif
}

static void
give_stack_back(void)
{
#ifndef HAS_SANITIZER
	stack_t none = { .ss_flags = SS_DISABLE }, before;

	if (sigaltstack(NULL, &before) != 0 || (before.ss_flags & SS_DISABLE) != 0)
		return;
	sigaltstack(&none, NULL);
	munmap(before.ss_sp, before.ss_size);
#endif
}

void
crash_begin_thread(void)
{
	notes.thread = pthread_self();
	for (size_t i = 0; i < THREADS_MAX; i++) {
		struct notes *nobody = NULL;

		if (atomic_compare_exchange_strong(&crash.threads[i], &nobody, &notes))
			break;
	}
	take_stack();
}

void
crash_end_thread(void)
{
	for (size_t i = 0; i < THREADS_MAX; i++) {
		struct notes *own = &notes;

		if (atomic_compare_exchange_strong(&crash.threads[i], &own, NULL))
			break;
	}
	give_stack_back();
}

void
crash_note(const char *what, const char *whom)
{
	struct note *note = &notes.at[notes.count++ % CRASH_NOTES];
	size_t length = whom == NULL ? 0 : strlen(whom);
	size_t cut = length > CRASH_WHOM ? length - CRASH_WHOM : 0;

	note->what = what;
	if (whom != NULL)
		memcpy(note->whom, whom + cut, length - cut);
	note->whom[length - cut] = '\0';
	notes.is_doing = true;
}

void
crash_note_end(void)
{
	notes.is_doing = false;
}
