/*
 * What is not counted where it happens, but asked for: how much there is now, of what the roles, the link and the
 * process know.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/thread.h"
#include "internal.h"

static void
add_count(struct metrics_report *report, enum metric metric, const char *first, const char *second, uint64_t count)
{
	metrics_report_add(report, metric, first, second, (int64_t)count);
}

static void
add_active(struct metrics_report *report, const char *role, const char *state, uint64_t count)
{
	add_count(report, METRIC_CONNECTIONS_ACTIVE, role, state, count);
}

static void
add_cas(const struct service *service, struct metrics_report *report)
{
	struct cas_status status;

	cas_status(service->cas, &status);
	add_active(report, "cas", "prelogin", status.connections - status.sessions);
	add_active(report, "cas", "authenticated", status.sessions);
}

static void
add_mailbox(const struct service *service, struct metrics_report *report)
{
	struct mailbox_status status;

	mailbox_role_status(service->mailbox, &status);
	add_active(report, "mailbox", "prelogin", status.sessions_in[METRIC_PRELOGIN]);
	add_active(report, "mailbox", "authenticated", status.sessions_in[METRIC_AUTHENTICATED]);
	add_active(report, "mailbox", "selected", status.sessions_in[METRIC_SELECTED]);
	add_active(report, "mailbox", "idle", status.sessions_in[METRIC_IDLE]);
	add_active(report, "mailbox", "lmtp", status.deliveries);
	add_count(report, METRIC_NEWS_DEPTH, NULL, NULL, status.untold);
	add_count(report, METRIC_DB_OPEN, NULL, NULL, status.open_stores);
}

static void
add_servers(const struct service *service, struct metrics_report *report)
{
	struct link_server_state server;

	for (size_t i = 0; link_server_state(service->link, i, &server); i++) {
		add_count(report, METRIC_BACKEND_UP, server.name, NULL, server.state == LINK_SERVER_UP);
		add_count(report, METRIC_BACKEND_RECONNECTS, server.name, NULL, server.reconnects);
		if (server.rtt_us > 0)
			add_count(report, METRIC_BACKEND_RTT, server.name, NULL, server.rtt_us);
	}
}

static void
add_queue(struct metrics_report *report, const char *name, struct workers *workers)
{
	if (workers != NULL)
		add_count(report, METRIC_QUEUE_DEPTH, name, NULL, workers_waiting(workers));
}

/* Of each kind, those that there are none of included: an alert asks for a number that is there. */
static const char *const problem_kinds[] = {
	"certificate", "crash", "damaged", "directory", "disk-failed", "disk-full", "mailbox-server", "missing", "relay",
};

struct tally {
	uint64_t counts[COUNT_OF(problem_kinds)];
};

static void
count_problem(const struct role *role, const struct problem *problem, void *context)
{
	struct tally *tally = context;

	(void)role;
	for (size_t i = 0; i < COUNT_OF(problem_kinds); i++)
		tally->counts[i] += strcmp(problem_kinds[i], problem->kind) == 0;
}

static void
add_certificate(const char *name, int64_t ends_s, void *report)
{
	metrics_report_add(report, METRIC_CERTIFICATE_EXPIRY, name, NULL, ends_s);
}

static void
add_role(const struct role *role, struct metrics_report *report, struct tally *tally)
{
	const char *name = role->kind->name;

	if (!role->is_played)
		return;
	metrics_report_add(report, METRIC_BUILD, VERSION, name, 1);
	metrics_report_add(report, METRIC_ROLE_RUNNING, name, NULL, role->state == ROLE_RUNNING);
	if (role_is_open(role))
		problems_walk(role, count_problem, tally);
}

static unsigned
roles_of(const struct service *service)
{
	return (service->roles[ROLE_CAS].is_played ? 1u << METRIC_CAS : 0) |
	    (service->roles[ROLE_MAILBOX].is_played ? 1u << METRIC_MAILBOX : 0);
}

void
measures_add(const struct service *service, struct metrics_report *report)
{
	struct tally tally = { { 0 } };

	metrics_report_set_roles(report, roles_of(service));
	for (size_t i = 0; i < ROLE_COUNT; i++)
		add_role(&service->roles[i], report, &tally);
	if (role_is_open(&service->roles[ROLE_CAS]))
		add_cas(service, report);
	if (role_is_open(&service->roles[ROLE_MAILBOX]))
		add_mailbox(service, report);
	if (service->roles[ROLE_CAS].is_played) {
		add_servers(service, report);
		certificates_walk(service, add_certificate, report);
	}
	add_queue(report, "storage", service->storage);
	add_queue(report, "compute", service->compute);
	add_queue(report, "names", service->names);
	add_queue(report, "reports", service->reports);
	add_queue(report, "checks", service->checks);
	add_queue(report, "ldap", service->ldap);
	add_count(report, METRIC_QUEUE_DEPTH, "directory", NULL, job_queue_length(service->directory_queue));
	for (size_t i = 0; i < COUNT_OF(problem_kinds); i++)
		add_count(report, METRIC_PROBLEMS, problem_kinds[i], NULL, tally.counts[i]);
	metrics_report_add(report, METRIC_PROCESS_START, NULL, NULL, service->began_calendar_us);
}

static int64_t
microseconds(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void
add_usage(struct metrics_report *report)
{
	struct rusage usage;
	struct rlimit limit;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metrics_report_add(report, METRIC_PROCESS_CPU, NULL, NULL,
		    microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		add_count(report, METRIC_PROCESS_DESCRIPTORS_MAX, NULL, NULL, limit.rlim_cur);
}

/* proc(5): the first two numbers of statm are pages. */
static void
add_memory(struct metrics_report *report)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long virtual, resident;

	if (file == NULL)
		return;
	if (fscanf(file, "%lu %lu", &virtual, &resident) == 2) {
		add_count(report, METRIC_PROCESS_VIRTUAL, NULL, NULL, virtual * page);
		add_count(report, METRIC_PROCESS_RESIDENT, NULL, NULL, resident * page);
	}
	fclose(file);
}

/* Entries of a folder of /proc, without "." and "..". */
static void
add_entries(struct metrics_report *report, enum metric metric, const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	uint64_t count = 0;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(folder);
	add_count(report, metric, NULL, NULL, count);
}

void
measures_add_process(const char *data_directory, struct metrics_report *report)
{
	struct statvfs system;

	assert_off_loop();
	add_usage(report);
	add_memory(report);
	add_entries(report, METRIC_PROCESS_DESCRIPTORS, "/proc/self/fd");
	add_entries(report, METRIC_PROCESS_THREADS, "/proc/self/task");
	if (statvfs(data_directory, &system) != 0)
		return;
	add_count(report, METRIC_STORAGE_FREE, NULL, NULL, (uint64_t)system.f_bavail * system.f_frsize);
	add_count(report, METRIC_STORAGE_SIZE, NULL, NULL, (uint64_t)system.f_blocks * system.f_frsize);
}
