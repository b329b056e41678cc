/*
 * A user who is made while no server runs: what imapctl(8) asks `imapd --add-user` for, because a running server alone
 * changes directory.db otherwise.  Blocks; there is no loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/password.h"
#include "base/memory.h"
#include "internal.h"
#include "service/service.h"

static int
fail(int code, const char *reason)
{
	fprintf(stderr, "imapd: %s\n", reason);
	return code;
}

static bool
wants_sha1(const struct config *config)
{
	return config_has_mechanism(config, "SCRAM-SHA-1") || config_has_mechanism(config, "SCRAM-SHA-1-PLUS");
}

/* The first line of standard input becomes the user's. */
static int
add(const struct config *config, struct directory *directory, struct span name)
{
	char password[PASSWORD_MAX + 2] = "";
	struct buffer credential = { 0 };
	enum directory_status status;
	size_t length;

	if (fgets(password, sizeof password, stdin) == NULL)
		return fail(EX_NOINPUT, "there is no such user, and no password came on standard input");
	length = strcspn(password, "\r\n");
	status = DIRECTORY_CORRUPT;
	if (!password_derive(span_of(password, length), wants_sha1(config), &credential))
		length = 0;
	else
		status = directory_add(directory, name, buffer_span(&credential));
	memory_wipe(password, sizeof password);
	buffer_free(&credential);
	if (length == 0)
		return fail(EX_DATAERR, "a password has 1 to 1024 octets and no NUL");
	return status == DIRECTORY_OK ? EX_OK : fail(EX_CANTCREAT, directory_status_text(status));
}

static int
add_if_missing(const struct config *config, struct span name)
{
	struct directory *directory = NULL;
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status = DIRECTORY_CORRUPT;
	int code;

	if (service_open_directory(config, false, &directory))
		status = directory_lookup(directory, name, arena, &user);
	if (status == DIRECTORY_NOT_FOUND)
		code = add(config, directory, name);
	else
		code = status == DIRECTORY_OK ? EX_OK : fail(EX_CANTCREAT, directory_status_text(status));
	directory_close(&directory);
	arena_free(&arena);
	return code;
}

/* As the user of the configuration; nobody else uses the folder meanwhile. */
static int
add_locked(const struct config *config, struct span name)
{
	struct mailbox_lock lock = { 0 };
	char *error = NULL;
	int code;

	if ((config->role & CONFIG_ROLE_MAILBOX) != 0 && !mailbox_role_lock(config->data_directory, &lock, &error)) {
		code = fail(EX_TEMPFAIL, error);
		free(error);
		return code;
	}
	code = add_if_missing(config, name);
	if (lock.descriptor > 0)
		close(lock.descriptor);
	return code;
}

int
service_add_user(const struct config *config, const char *name)
{
	struct directory_name prepared;
	struct identity identity;
	int code;

	if (!directory_prepare_name(span_from_string(name), &prepared))
		return fail(EX_DATAERR, "not a name for a user: 1 to 255 octets of UTF-8, no space");
	if (config->directory != CONFIG_DIRECTORY_SQLITE)
		return fail(EX_UNAVAILABLE, "users are kept elsewhere, and changed there");
	if (!identity_find(config, &identity) || !identity_borrow(&identity))
		return EX_NOPERM;
	code = add_locked(config, directory_name_span(&prepared));
	return identity_return(&identity) ? code : EX_NOPERM;
}
