/*
 * The host: room on the disk, what kind of disk, who owns what lies there, the clock, and what the kernel and other
 * programs are set to.
 */
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "../host/program.h"
#include "base/memory.h"
#include "config/config.h"
#include "finding.h"

#define GiB		 (UINT64_C(1) << 30)
#define SOMAXCONN_LEAST	 1024	/* as the socket unit's Backlog */
#define DAY_S		 86400

/* Whether the files may be told that their octets are on the disk, and are not: statfs(2) has the numbers. */
static void
examine_mount(struct doctor *doctor, const char *path)
{
	static const struct {
		unsigned long magic;
		const char *name, *why;
	} doubtful[] = {
		{ 0x6969, "NFS", "locks and flushes of a network file system are not to be relied on" },
		{ 0xff534d42, "SMB", "locks and flushes of a network file system are not to be relied on" },
		{ 0xfe534d42, "SMB", "locks and flushes of a network file system are not to be relied on" },
		{ 0x65735546, "FUSE", "what a flush means there is the program's own affair" },
		{ 0x01021997, "9p", "flushes go to another machine" },
		{ 0x794c7630, "overlayfs", "a container's own file system is gone with the container" },
		{ 0x01021994, "tmpfs", "it is memory, and gone at the next start of the machine" },
	};
	struct statfs about;

	if (statfs(path, &about) != 0)
		return;
	for (size_t i = 0; i < COUNT_OF(doubtful); i++)
		if ((unsigned long)about.f_type == doubtful[i].magic)
			finding(doctor, WARNING, doctor_text(doctor, "findmnt -T %s", path), "data-directory %s lies on %s: %s", path,
			    doubtful[i].name, doubtful[i].why);
}

static void
examine_room(struct doctor *doctor, const char *path)
{
	struct statvfs about;
	uint64_t free_octets, whole_octets;

	if (statvfs(path, &about) != 0)
		return;
	free_octets = (uint64_t)about.f_bavail * about.f_frsize;
	whole_octets = (uint64_t)about.f_blocks * about.f_frsize;
	if (free_octets < GiB / 4 || free_octets < whole_octets / 100)
		finding(doctor, WRONG, doctor_text(doctor, "df -h %s", path), "the disk of %s is full: %llu MiB are free", path,
		    (unsigned long long)(free_octets >> 20));
	else if (free_octets < whole_octets / 20)
		finding(doctor, WARNING, doctor_text(doctor, "df -h %s", path), "the disk of %s is nearly full: %llu MiB are free",
		    path, (unsigned long long)(free_octets >> 20));
	if (about.f_files > 0 && about.f_favail < about.f_files / 50)
		finding(doctor, WARNING, doctor_text(doctor, "df -i %s", path), "the disk of %s has few inodes left: %llu", path,
		    (unsigned long long)about.f_favail);
}

/* Somebody has copied a backup in as root, for instance. */
static bool
is_foreign(const char *path, uid_t owner, struct buffer *found_out, unsigned depth)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool is_found = false;

	while (folder != NULL && !is_found && (entry = readdir(folder)) != NULL) {
		struct buffer inner = { 0 };
		struct stat about;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		buffer_printf(&inner, "%s/%s", path, entry->d_name);
		if (lstat(buffer_string(&inner), &about) == 0) {
			if ((is_found = about.st_uid != owner))
				buffer_add_span(found_out, buffer_span(&inner));
			else if (S_ISDIR(about.st_mode) && depth > 0)
				is_found = is_foreign(buffer_string(&inner), owner, found_out, depth - 1);
		}
		buffer_free(&inner);
	}
	if (folder != NULL)
		closedir(folder);
	return is_found;
}

static void
examine_owners(struct doctor *doctor, const char *path)
{
	const char *name = doctor->config->user;
	const struct passwd *account = name == NULL ? NULL : getpwnam(name);
	struct buffer found = { 0 };
	struct stat about;
	uid_t owner;

	if (stat(path, &about) != 0)
		return;
	owner = account != NULL ? account->pw_uid : about.st_uid;
	if (is_foreign(path, owner, &found, 4)) {
		account = getpwuid(owner);
		finding(doctor, WRONG, doctor_text(doctor, "chown -R %s %s", account != NULL ? account->pw_name : "imapd", path),
		    "%s does not belong to user %s, who cannot use it", buffer_string(&found),
		    account != NULL ? account->pw_name : "imapd");
	}
	buffer_free(&found);
}

/* Files from the future are what is left of a clock that was ahead; UIDVALIDITY and quotas of time hang on it. */
static void
examine_clock(struct doctor *doctor, const char *path)
{
	struct timex state = { 0 };
	struct stat about;
	const char *file = doctor_text(doctor, "%s/directory.db", path);

	if (stat(file, &about) == 0 && about.st_mtime > time(NULL) + DAY_S)
		finding(doctor, WARNING, "timedatectl set-ntp true", "%s is from the future: the clock is behind, or was ahead", file);
	if (adjtimex(&state) == TIME_ERROR)
		finding(doctor, NOTE, "timedatectl set-ntp true", "nobody keeps the clock right");
}

static long
read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (file != NULL && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file != NULL)
		fclose(file);
	return number;
}

static void
examine_kernel(struct doctor *doctor)
{
	long backlog = read_number("/proc/sys/net/core/somaxconn");

	if (backlog >= 0 && backlog < SOMAXCONN_LEAST)
		finding(doctor, NOTE, "sysctl -w net.core.somaxconn=4096", "net.core.somaxconn is %ld: many clients at once wait "
		    "longer than they need to", backlog);
}

/* Where fail2ban runs and knows nothing of us. */
static void
examine_fail2ban(struct doctor *doctor)
{
	char *program = program_find("fail2ban-client");
	const char *const words[] = { "fail2ban-client", "status", "imapd", NULL };

	if (program != NULL && access("/etc/fail2ban/jail.d/imapd.conf", F_OK) != 0 && program_run(words, SPAN(""), NULL) != 0)
		finding(doctor, NOTE, "cp /usr/share/doc/imapd/fail2ban-jail.conf /etc/fail2ban/jail.d/imapd.conf && "
		    "fail2ban-client reload", "fail2ban is installed and has no jail for imapd");
	free(program);
}

/* A unit that was copied and changed is not mended by an upgrade; a changed one is not in force before it is read. */
static void
examine_units(struct doctor *doctor)
{
	static const char *const units[] = { "imapd.service", "imapd-cas.service", "imapd-mailbox.service" };

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		const char *own = doctor_text(doctor, "/etc/systemd/system/%s", units[i]);
		const char *const words[] = { "systemctl", "show", "-p", "NeedDaemonReload", "--value", units[i], NULL };
		struct buffer said = { 0 };
		struct stat about;

		if (lstat(own, &about) == 0 && S_ISREG(about.st_mode))
			finding(doctor, NOTE, doctor_text(doctor, "systemd-delta --diff=yes %s", units[i]), "%s stands before the unit "
			    "that came with imapd; what an upgrade brings is not in it", own);
		if (access("/run/systemd/system", F_OK) == 0 && program_run(words, SPAN(""), &said) == 0 &&
		    span_starts_with(buffer_span(&said), SPAN("yes")))
			finding(doctor, WARNING, "systemctl daemon-reload", "%s has changed, and systemd goes by the old one", units[i]);
		buffer_free(&said);
	}
}

void
doctor_host(struct doctor *doctor)
{
	const char *path = doctor->config->data_directory;

	if ((doctor->config->role & CONFIG_ROLE_MAILBOX) != 0) {
		examine_mount(doctor, path);
		examine_room(doctor, path);
	}
	examine_owners(doctor, path);
	examine_clock(doctor, path);
	examine_kernel(doctor);
	examine_fail2ban(doctor);
	examine_units(doctor);
}
