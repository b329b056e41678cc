/*
 * The folders of mail, sockets, certificates and configuration, with their owners and rights.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "base/memory.h"
#include "step.h"

struct folder {
	const char *path;
	mode_t mode;
	mode_t forbidden;	/* rights that are taken away when it is there already; 0: it stays as it is */
	bool is_of_root;	/* and of imapd's group; else imapd's own */
};

static int
fail(const char *path)
{
	complain("%s: %s", path, strerror(errno));
	return errno == EACCES || errno == EPERM || errno == EROFS ? EX_NOPERM : EX_CANTCREAT;
}

/* The folders above it, as root and for all. */
static int
make_parents(const char *path)
{
	struct buffer parent = { 0 };
	int code = EX_OK;

	for (const char *slash = strchr(path + 1, '/'); slash != NULL && code == EX_OK; slash = strchr(slash + 1, '/')) {
		buffer_clear(&parent);
		buffer_add(&parent, path, (size_t)(slash - path));
		if (mkdir(buffer_string(&parent), 0755) != 0 && errno != EEXIST && access(buffer_string(&parent), F_OK) != 0)
			code = fail(buffer_string(&parent));
	}
	buffer_free(&parent);
	return code;
}

static int
set_owner(const struct setup *setup, const struct folder *folder)
{
	uid_t owner = folder->is_of_root ? 0 : setup->uid;

	return !setup->is_root || chown(folder->path, owner, setup->gid) == 0 ? EX_OK : fail(folder->path);
}

static int
make(struct setup *setup, const struct folder *folder)
{
	mode_t mask = 0;
	int code = EX_OK;

	if (!setup->is_dry && (code = make_parents(folder->path)) == EX_OK) {
		mask = umask(0);
		if (mkdir(folder->path, folder->mode) != 0)
			code = fail(folder->path);
		umask(mask);
		if (code == EX_OK)
			code = set_owner(setup, folder);
	}
	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "the folder %s, mode %04o", folder->path, (unsigned)folder->mode);
	return code;
}

/* One that is there: made by the package, by hand, or by a run that was interrupted before it gave it away. */
static int
look_at(struct setup *setup, const struct folder *folder, const struct stat *about)
{
	uid_t owner = folder->is_of_root ? 0 : setup->uid;
	bool is_owned = !setup->is_root || (about->st_uid == owner && about->st_gid == setup->gid);
	bool is_open = (about->st_mode & folder->forbidden) != 0;
	int code = EX_OK;

	if (!S_ISDIR(about->st_mode)) {
		errno = ENOTDIR;
		return fail(folder->path);
	}
	if (folder->forbidden == 0 || (is_owned && !is_open)) {
		setup_tell(setup, SETUP_KEPT, "the folder %s", folder->path);
		return EX_OK;
	}
	if (!setup->is_dry && !is_owned)
		code = set_owner(setup, folder);
	if (code == EX_OK && !setup->is_dry && is_open && chmod(folder->path, folder->mode) != 0)
		code = fail(folder->path);
	if (code == EX_OK)
		setup_tell(setup, SETUP_CHANGED, "owner and mode of the folder %s, now %04o", folder->path,
		    (unsigned)folder->mode);
	return code;
}

int
setup_folders(struct setup *setup)
{
	const char *control = setup_text(setup, "%.*s", (int)(strrchr(setup->control, '/') - setup->control), setup->control);
	const struct folder folders[] = {
		{ control, 0755, strcmp(control, "/run/imapd") == 0 ? 0022 : 0, false },
		{ setup->data, 0700, 0077, false },
		{ setup->tls, 0750, 0007, true },
	};
	int code = EX_OK;

	for (size_t i = 0; i < COUNT_OF(folders) && code == EX_OK; i++) {
		struct stat about;

		if (stat(folders[i].path, &about) == 0)
			code = look_at(setup, &folders[i], &about);
		else if (errno == ENOENT)
			code = make(setup, &folders[i]);
		else
			code = fail(folders[i].path);
	}
	return code;
}
