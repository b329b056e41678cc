/*
 * The directory in LDAP servers.  A user is one entry, found by a search; a password is proved by a bind
 * as that entry (RFC 4513 section 5.1).  A password is never kept here: while no server answers, a user
 * seen a short while ago is still known, and nothing new can be proved.
 *
 * Mailbox ids are a matter of this host and stand in its directory.db: a user gets a row with the first
 * lookup.  Worker threads.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "entries.h"
#include "hosted.h"
#include "refusal.h"

#define KNOWN_MAX 10000		/* users remembered */

static void
close_all(struct directory *directory)
{
	struct ldap_directory *ldap = ldap_own(directory);

	directory_close(&ldap->local);
	servers_free(&ldap->servers);
	memo_free(&ldap->memo);
	memo_free(&ldap->grouped);
	free(ldap->base);
	free(ldap->filter);
	free(ldap->user_attribute);
	free(ldap->home_attribute);
	free(ldap->server_name);
	free(ldap->quota_attribute);
	free(ldap->delegate_attribute);
	free(ldap->master_group);
	free(ldap->group_attribute);
	free(ldap->group_base);
	free(ldap->group_filter);
	free(ldap);
}

/* The first line of the file, without its end.  False: unreadable or empty; that is logged. */
static bool
read_password(const char *path, char text[DIRECTORY_PASSWORD_MAX + 1], struct span *password_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, DIRECTORY_PASSWORD_MAX);

	if (file >= 0)
		close(file);
	text[length < 0 ? 0 : length] = '\0';
	*password_out = span_of(text, strcspn(text, "\r\n"));
	if (password_out->length == 0)
		log_error("directory-failed", log_text("path", path),
		    log_text("reason", length < 0 ? "cannot be read" : "holds no password"));
	return password_out->length > 0;
}

static const struct directory_backend backend = {
	.lookup = entries_lookup,
	.find_groups = entries_find_groups,
	.verify = entries_verify,
	.add = refuse_text,
	.add_shared = hosted_add_shared,
	.restore = hosted_restore,
	.set_credential = hosted_set_credential,
	.set_enabled = refuse_enabled,
	.set_home = hosted_set_home,
	.set_limit = hosted_set_limit,
	.set_master = refuse_enabled,
	.allow = hosted_allow,
	.list_delegates = hosted_list_delegates,
	.permits = entries_permit,
	.release = hosted_release,
	.join = refuse_text,
	.leave = refuse_text,
	.list_members = refuse_list_members,
	.delete = hosted_delete,
	.registry = hosted_registry,
	.list = hosted_list,
	.list_limited = hosted_list_limited,
	.list_retired = hosted_list_retired,
	.count = hosted_count,
	.close = close_all,
};

static char *
copy_optional(const char *text)
{
	return text == NULL ? NULL : memory_copy_string(text);
}

static struct ldap_directory *
ldap_new(const struct directory_ldap_settings *settings, struct span password)
{
	struct ldap_directory *ldap = NEW(struct ldap_directory);

	ldap->directory.backend = &backend;
	ldap->servers = servers_new(settings, password);
	ldap->memo = memo_new(settings->cache_s, KNOWN_MAX);
	ldap->grouped = memo_new(settings->cache_s, KNOWN_MAX);
	ldap->base = memory_copy_string(settings->base);
	ldap->filter = memory_copy_string(settings->filter);
	ldap->user_attribute = memory_copy_string(settings->user_attribute);
	ldap->home_attribute = copy_optional(settings->home_attribute);
	ldap->quota_attribute = copy_optional(settings->quota_attribute);
	ldap->quota_unit = settings->quota_unit;
	ldap->delegate_attribute = copy_optional(settings->delegate_attribute);
	ldap->master_group = copy_optional(settings->master_group);
	ldap->group_attribute = copy_optional(settings->group_attribute);
	ldap->group_base = copy_optional(settings->group_base);
	ldap->group_filter = copy_optional(settings->group_filter);
	ldap->server_name = memory_copy_string(settings->server_name);
	ldap->timeout_s = settings->timeout_s;
	ldap->gives_mailboxes = settings->gives_mailboxes;
	return ldap;
}

bool
directory_has_ldap(void)
{
	return true;
}

enum directory_status
directory_open_ldap(const struct directory_ldap_settings *settings, struct directory **directory_out)
{
	char text[DIRECTORY_PASSWORD_MAX + 1];
	struct span password = { NULL, 0 };
	struct ldap_directory *ldap;
	enum directory_status status = DIRECTORY_OK;

	assert_off_loop();
	if (settings->bind_dn != NULL && !read_password(settings->password_file, text, &password))
		return DIRECTORY_CORRUPT;
	ldap = ldap_new(settings, password);
	memory_wipe(text, sizeof text);
	if (settings->local_path != NULL)
		status = directory_open_sqlite(settings->local_path, &ldap->local);
	if (status == DIRECTORY_OK)
		*directory_out = &ldap->directory;
	else
		close_all(&ldap->directory);
	return status;
}
