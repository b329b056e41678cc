#include "scratch.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/interrupt.h"
#include "base/file.h"
#include "base/memory.h"

#define LEVELS_MAX 5	/* of a data directory, and one */

static void
remove_tree(int parent, const char *name, int levels)
{
	int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(descriptor, entry->d_name, 0) != 0 && levels > 0)
			remove_tree(descriptor, entry->d_name, levels - 1);
	}
	if (folder != NULL)
		closedir(folder);
	else if (descriptor >= 0)
		close(descriptor);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* In the child: become an imapd, whose log lies beside its configuration. */
static void
become_server(const char *folder, int alive)
{
	char config[PATH_MAX + 32], log[PATH_MAX + 32];
	int descriptor;

	snprintf(config, sizeof config, "--config=%s/imapd.conf", folder);
	snprintf(log, sizeof log, "%s/log", folder);
	descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(descriptor, STDERR_FILENO);
	dup2(descriptor, STDOUT_FILENO);
	fcntl(alive, F_SETFD, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl("/proc/self/exe", "imapd", config, (char *)NULL);
	_exit(EX_OSERR);
}

static bool
hears(int told)
{
	char octet;
	ssize_t got;

	while ((got = read(told, &octet, 1)) < 0 && errno == EINTR)
		;
	return got == 1;
}

/*
 * In the child: make the folder (here, so that nobody who is killed leaves it) and tell its name; start that imapd
 * when it is told to; at the end of who called leave nothing behind.
 */
static void
keep(char *folder, int told, int alive)
{
	pid_t server = 0;

	setpgid(0, 0);			/* what a terminal sends is for who called */
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder) == NULL) {
		complain("%s: %s", folder, strerror(errno));
		_exit(EX_CANTCREAT);
	}
	if (write(alive, folder, strlen(folder)) < 0)
		close(told);
	while (hears(told)) {
		if ((server = fork()) == 0)
			become_server(folder, alive);
		close(alive);
	}
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	remove_tree(AT_FDCWD, folder, LEVELS_MAX);
	_exit(EX_OK);
}

static bool
begin_keeper(struct scratch *scratch, char *path)
{
	ssize_t got;
	int told[2] = { -1, -1 }, alive[2] = { -1, -1 };

	if (pipe2(told, O_CLOEXEC) != 0 || pipe2(alive, O_CLOEXEC) != 0 || (scratch->keeper = fork()) < 0) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	if (scratch->keeper == 0) {
		close(told[1]);
		close(alive[0]);
		keep(path, told[0], alive[1]);
	}
	close(told[0]);
	close(alive[1]);
	scratch->told = told[1];
	scratch->alive = alive[0];
	while ((got = read(scratch->alive, path, strlen(path))) < 0 && errno == EINTR)
		;
	return got == (ssize_t)strlen(path);
}

bool
scratch_begin(struct scratch *scratch)
{
	const char *where = getenv("TMPDIR");
	char *path;

	*scratch = (struct scratch){ .told = -1, .alive = -1 };
	buffer_printf(&scratch->path, "%s/imapctl.XXXXXX", where == NULL || where[0] == '\0' ? "/var/tmp" : where);
	path = memory_copy_string(buffer_string(&scratch->path));
	buffer_clear(&scratch->path);
	if (begin_keeper(scratch, path))
		buffer_add_string(&scratch->path, path);
	free(path);
	return scratch->path.length > 0;
}

void
scratch_serve(struct scratch *scratch)
{
	while (write(scratch->told, "", 1) < 0 && errno == EINTR)
		;
}

void
scratch_end(struct scratch *scratch)
{
	if (scratch->path.length > 0) {
		close(scratch->told);
		close(scratch->alive);
		while (waitpid(scratch->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	buffer_free(&scratch->path);
}

static const char *
error_text(struct arena *arena, const char *where, int error)
{
	struct buffer text = { 0 };
	const char *copy;

	buffer_printf(&text, "%s: %s", where, strerror(error));
	copy = arena_copy_string(arena, buffer_span(&text));
	buffer_free(&text);
	return copy;
}

/* Which line of the manifest the file is of: the last one, or, when a run died, the one before. */
static bool
is_of_manifest(const struct catalogue_user *user, uint64_t size, const char *digest)
{
	for (; user != NULL; user = user->before)
		if (user->size == size && span_equals(user->sha256, span_from_string(digest)))
			return true;
	return false;
}

static bool
copy_octets(int from, int to)
{
	char octets[65536];
	ssize_t got;

	while ((got = read(from, octets, sizeof octets)) > 0 && !interrupt_came())
		if (!file_write(to, span_of(octets, (size_t)got)))
			return false;
	return got == 0;
}

static const char *
copy_into(int from, const char *path, const struct catalogue_user *user, struct arena *arena, uint64_t *size_out, int *code_out)
{
	int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char digest[FOLDER_DIGEST_SIZE];
	const char *trouble = NULL;

	*code_out = EX_CANTCREAT;
	if (to < 0)
		return error_text(arena, path, errno);
	if (!copy_octets(from, to) || !folder_digest(to, size_out, digest)) {
		trouble = interrupt_came() ? "interrupted" : error_text(arena, path, errno);
		*code_out = interrupt_came() ? EX_TEMPFAIL : EX_CANTCREAT;
	} else if (!is_of_manifest(user, *size_out, digest)) {
		trouble = "the file is damaged: its digest is not that of the manifest";
		*code_out = EX_DATAERR;
	}
	close(to);
	return trouble;
}

const char *
scratch_copy(const struct folder *folder, const struct catalogue_user *user, const char *path, struct arena *arena,
    uint64_t *size_out, int *code_out)
{
	int from = folder_read_user(folder, user->file);
	const char *trouble;

	*size_out = 0;
	*code_out = EX_NOINPUT;
	if (from < 0)
		return errno == ENOENT ? "the file is missing" : errno == ELOOP ? "the file is a link" :
		    error_text(arena, "the file cannot be read", errno);
	trouble = copy_into(from, path, user, arena, size_out, code_out);
	close(from);
	return trouble;
}
