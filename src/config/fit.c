/*
 * What no single line can tell: whether the options fit each other, and the world.  And the settings in
 * force as text.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "options.h"

/* Begin an error about an option, where it was set. */
static void
begin_error(const struct config *config, const char *name, struct buffer *errors_out)
{
	size_t index = option_find(span_from_string(name));

	if (config->places->at[index].file != NULL)
		buffer_printf(errors_out, "%s:%u:%u: ", config->places->at[index].file,
		    config->places->at[index].line, config->places->at[index].column);
	buffer_printf(errors_out, "%s: ", name);
}

static bool
fail(const struct config *config, const char *name, const char *reason, struct buffer *errors_out)
{
	begin_error(config, name, errors_out);
	buffer_printf(errors_out, "%s\n", reason);
	return false;
}

bool
config_set_role(struct config *config, struct span role)
{
	const struct option *option = &options[option_find(SPAN("role"))];
	struct buffer reason = { 0 };
	size_t wrong;
	bool is_good = option_set(option, config, &role, 1, &wrong, &reason);

	buffer_free(&reason);
	return is_good;
}

static bool
has_scram(const struct config *config)
{
	return config_has_mechanism(config, "SCRAM-SHA-1") || config_has_mechanism(config, "SCRAM-SHA-256");
}

/* Whether anybody could log in without TLS. */
static bool
has_plain_login(const struct config *config)
{
	if (config->login_type == CONFIG_LOGIN_PLAIN_AUTH)	/* the other directories know no SCRAM */
		return config->directory == CONFIG_DIRECTORY_SQLITE && has_scram(config);
	return config->login_type == CONFIG_LOGIN_PLAIN;
}

/* Without keys in the directory a password must be said. */
static bool
check_mechanisms(const struct config *config, struct buffer *errors_out)
{
	if ((config->role & CONFIG_ROLE_CAS) == 0 || config->directory == CONFIG_DIRECTORY_SQLITE || config_has_mechanism(config, "PLAIN") ||
	    config_has_mechanism(config, "LOGIN"))
		return true;
	return fail(config, "auth-mechanisms", "only directory sqlite has keys for SCRAM; the others need PLAIN or "
	    "LOGIN", errors_out);
}

static bool
check_listeners(const struct config *config, struct buffer *errors_out)
{
	for (size_t i = 0; i < config->listen.count; i++)
		if (config->listen.at[i].is_proxy && config->proxy_trusted.count == 0)
			return fail(config, "listen", "proxy needs proxy-trusted: who may say for whom it "
			    "speaks", errors_out);
	return true;
}

static bool
has_tls_listener(const struct config *config)
{
	for (size_t i = 0; i < config->listen.count; i++)
		if (config->listen.at[i].is_tls)
			return true;
	return false;
}

/* A pattern names the user by %u, or by %n and %d; any other % would be a slip. */
static bool
check_pattern(const struct config *config, const char *name, const char *pattern, bool *has_user_out,
    struct buffer *errors_out)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%')
			continue;
		pattern++;
		if (*pattern == '\0' || strchr("und%", *pattern) == NULL)
			return fail(config, name, "only %u, %n, %d and %% may follow a percent sign",
			    errors_out);
		*has_user_out = *has_user_out || *pattern == 'u' || *pattern == 'n';
	}
	return true;
}

static bool
check_ldap(const struct config *config, struct buffer *errors_out)
{
	bool is_good = true, has_user = false;

	if (config->ldap_base == NULL)
		return fail(config, "directory", "ldap needs ldap-base", errors_out);
	is_good &= check_pattern(config, "ldap-base", config->ldap_base, &has_user, errors_out);
	is_good &= check_pattern(config, "ldap-filter", config->ldap_filter, &has_user, errors_out);
	if (!has_user)
		is_good = fail(config, "ldap-filter", "without %u or %n it fits everybody", errors_out);
	if (config->ldap_filter[0] != '(' ||
	    config->ldap_filter[strlen(config->ldap_filter) - 1] != ')')
		is_good = fail(config, "ldap-filter", "a filter stands in parentheses", errors_out);
	if (config->ldap_bind_dn != NULL && config->ldap_password_file == NULL)
		is_good = fail(config, "ldap-bind-dn", "ldap-password-file is missing", errors_out);
	if (config->ldap_password_file != NULL && config->ldap_bind_dn == NULL)
		is_good = fail(config, "ldap-password-file", "ldap-bind-dn is missing", errors_out);
	return is_good;
}

static bool
has_server(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->mailbox_server.count; i++)
		if (strcmp(config->mailbox_server.at[i].name, name) == 0)
			return true;
	return false;
}

/* What proves one host to another: the key that both have, or certificates of an authority of the site. */
static bool
check_link_proof(const struct config *config, const char *name, struct buffer *errors_out)
{
	unsigned files = (config->link_certificate != NULL) + (config->link_private_key != NULL) +
	    (config->link_ca != NULL);

	if (config->link_key != NULL && files > 0)
		return fail(config, "link-key", "either this, or link-certificate, link-private-key and "
		    "link-ca", errors_out);
	if (config->link_key == NULL && files != 3)
		return fail(config, name, "between hosts link-key is needed, or link-certificate, "
		    "link-private-key and link-ca", errors_out);
	return true;
}

static bool
check_link(const struct config *config, struct buffer *errors_out)
{
	bool is_good = true;

	if (config->role == CONFIG_ROLE_CAS && config->mailbox_server.count == 0)
		is_good = fail(config, "role", "cas alone needs mailbox-server", errors_out);
	if (config->role == CONFIG_ROLE_MAILBOX && config->link_listen.count == 0)
		is_good = fail(config, "role", "mailbox alone needs link-listen", errors_out);
	if ((config->role & CONFIG_ROLE_CAS) && config->mailbox_server.count > 0)
		is_good &= check_link_proof(config, "mailbox-server", errors_out);
	else if ((config->role & CONFIG_ROLE_MAILBOX) && config->link_listen.count > 0)
		is_good &= check_link_proof(config, "link-listen", errors_out);
	if (config->directory != CONFIG_DIRECTORY_LINK)
		return is_good;
	if (config->role & CONFIG_ROLE_MAILBOX)
		is_good = fail(config, "directory", "link is for role cas alone: a mailbox server has a "
		    "directory of its own", errors_out);
	if (!has_server(config, config->directory_server))
		is_good = fail(config, "directory", "there is no mailbox-server of this name", errors_out);
	return is_good;
}

bool
config_check(const struct config *config, struct buffer *errors_out)
{
	bool is_good = check_link(config, errors_out);

	is_good &= check_listeners(config, errors_out);
	is_good &= check_mechanisms(config, errors_out);
	if ((config->role & CONFIG_ROLE_CAS) && config->tls_certificate == NULL) {
		if (has_tls_listener(config))
			is_good = fail(config, "listen", "imaps needs tls-certificate and tls-key",
			    errors_out);
		else if (!has_plain_login(config))
			is_good = fail(config, "listen", "nobody can log in without tls-certificate "
			    "and tls-key, or another login-type", errors_out);
	}
	if (config->tls_certificate_for.count > 0 && config->tls_certificate == NULL)
		is_good = fail(config, "tls-certificate-for", "clients that ask for no name need tls-certificate",
		    errors_out);
	if (config->tls_certificate != NULL && config->tls_key == NULL)
		is_good = fail(config, "tls-certificate", "tls-key is missing", errors_out);
	if (config->tls_key != NULL && config->tls_certificate == NULL)
		is_good = fail(config, "tls-key", "tls-certificate is missing", errors_out);
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		is_good &= check_ldap(config, errors_out);
	return is_good;
}

static bool
fail_unknown(const struct config *config, const char *name, const struct suggestion *suggestion,
    struct buffer *errors_out)
{
	begin_error(config, "capability-mask", errors_out);
	buffer_printf(errors_out, "there is no capability \"%s\"", name);
	suggestion_print(suggestion, errors_out);
	buffer_add_octet(errors_out, '\n');
	return false;
}

static bool
fail_objected(const struct config *config, const char *name, const char *objection, struct buffer *errors_out)
{
	begin_error(config, "capability-mask", errors_out);
	buffer_printf(errors_out, "%s %s\n", name, objection);
	return false;
}

/* Mechanisms are chosen before there is a user. */
static bool
check_masked_mechanism(const struct config *config, const struct config_mask *mask, const char *name,
    struct buffer *errors_out)
{
	struct suggestion none = { 0 };

	if (option_find_word("auth-mechanisms", span_from_string(strchr(name, '=') + 1)) == NULL)
		return fail_unknown(config, name, &none, errors_out);
	return mask->user == NULL ||
	    fail_objected(config, name, "is for those whose user is not known yet", errors_out);
}

static bool
check_masked(const struct config *config, const struct config_mask *mask, const char *name,
    const char *(*name_at)(size_t index), const char *(*objection_to)(size_t index, bool is_for_users),
    struct buffer *errors_out)
{
	struct suggestion suggestion = { 0 };
	struct span span = span_from_string(name);
	const char *known, *objection;
	size_t index = 0;

	if (span_starts_with_nocase(span, SPAN("AUTH=")))
		return check_masked_mechanism(config, mask, name, errors_out);
	while ((known = name_at(index)) != NULL && !span_equals_nocase(span, span_from_string(known)))
		suggestion_consider(&suggestion, span, name_at(index++));
	if (known == NULL)
		return fail_unknown(config, name, &suggestion, errors_out);
	objection = objection_to(index, mask->user != NULL);
	return objection == NULL || fail_objected(config, name, objection, errors_out);
}

bool
config_check_masks(const struct config *config, const char *(*name_at)(size_t index),
    const char *(*objection_to)(size_t index, bool is_for_users), struct buffer *errors_out)
{
	bool is_good = true;

	for (size_t i = 0; i < config->capability_mask.count; i++) {
		const struct config_mask *mask = &config->capability_mask.at[i];

		for (size_t at = 0; at < mask->count; at++)
			is_good &= check_masked(config, mask, mask->capabilities[at], name_at, objection_to,
			    errors_out);
	}
	return is_good;
}

static bool
check_readable(const struct config *config, const char *name, const char *path, mode_t forbidden,
    struct buffer *errors_out)
{
	struct stat about;

	if (path == NULL)
		return true;
	if (access(path, R_OK) != 0 || stat(path, &about) != 0) {
		begin_error(config, name, errors_out);
		buffer_printf(errors_out, "%s: %s\n", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(about.st_mode))
		return fail(config, name, "not a file", errors_out);
	if (about.st_mode & forbidden)
		return fail(config, name, "others can read the secret; try chmod 640", errors_out);
	return true;
}

static bool
check_named_certificates(const struct config *config, struct buffer *errors_out)
{
	bool is_good = true;

	for (size_t i = 0; i < config->tls_certificate_for.count; i++) {
		const struct config_certificate *named = &config->tls_certificate_for.at[i];

		is_good &= check_readable(config, "tls-certificate-for", named->certificate, 0, errors_out);
		is_good &= check_readable(config, "tls-certificate-for", named->key, S_IRWXO | S_IWGRP,
		    errors_out);
	}
	return is_good;
}

/* A folder that has to be there; how says how to make it. */
static bool
check_folder(const struct config *config, const char *name, const char *path, const char *how,
    struct buffer *errors_out)
{
	struct stat about;

	if (stat(path, &about) != 0 || access(path, W_OK | X_OK) != 0) {
		begin_error(config, name, errors_out);
		buffer_printf(errors_out, "%s: %s", path, strerror(errno));
		if (errno == ENOENT)
			buffer_printf(errors_out, "; try %s%s%s %s", how, config->user == NULL ? "" : " -o ",
			    config->user == NULL ? "" : config->user, path);
		buffer_add_string(errors_out, "\n");
		return false;
	}
	return S_ISDIR(about.st_mode) || fail(config, name, "not a directory", errors_out);
}

/* Root may write anywhere, but will not be root when it does. */
static bool
check_data_directory(const struct config *config, struct buffer *errors_out)
{
	const struct passwd *user = config->user == NULL ? NULL : getpwnam(config->user);
	const char *path = config->data_directory;
	struct stat about;

	if (!check_folder(config, "data-directory", path, "install -d -m 700", errors_out))
		return false;
	if (user == NULL || stat(path, &about) != 0 || about.st_uid == user->pw_uid ||
	    (about.st_gid == user->pw_gid && (about.st_mode & S_IWGRP) != 0))
		return true;
	begin_error(config, "data-directory", errors_out);
	buffer_printf(errors_out, "%s does not belong to %s; try chown -R %s %s\n", path, config->user,
	    config->user, path);
	return false;
}

/* Whoever reads this key reads everybody's mail: for its owner alone, and the owner is us or root. */
static bool
check_link_key(const struct config *config, struct buffer *errors_out)
{
	const struct passwd *user = config->user == NULL ? NULL : getpwnam(config->user);
	struct stat about;

	if (config->link_key == NULL)
		return true;
	if (stat(config->link_key, &about) != 0 && errno == ENOENT) {
		begin_error(config, "link-key", errors_out);
		buffer_printf(errors_out, "%s: %s; copy it from another host of the site, or make the first by "
		    "imapctl link-key %s\n", config->link_key, strerror(ENOENT), config->link_key);
		return false;
	}
	if (!check_readable(config, "link-key", config->link_key, 0, errors_out))
		return false;
	if (stat(config->link_key, &about) != 0 || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return fail(config, "link-key", "others can read or change the key; try chmod 600", errors_out);
	if (about.st_uid != 0 && about.st_uid != geteuid() && (user == NULL || about.st_uid != user->pw_uid))
		return fail(config, "link-key", "the file belongs to somebody else", errors_out);
	return true;
}

/* The folder that a socket will be made in; one that is there was made before privileges were dropped. */
static bool
check_socket(const struct config *config, const char *name, const char *path,
    struct buffer *errors_out)
{
	char *folder = memory_copy_string(path), *slash = strrchr(folder, '/');
	struct stat about;
	bool is_good;

	slash[slash == folder] = '\0';
	is_good = (stat(path, &about) == 0 && S_ISSOCK(about.st_mode)) ||
	    check_folder(config, name, folder, "install -d", errors_out);
	free(folder);
	return is_good;
}

bool
config_check_environment(const struct config *config, struct buffer *errors_out)
{
	bool is_good = true;

	if (config->role & CONFIG_ROLE_CAS) {
		is_good &= check_readable(config, "tls-certificate", config->tls_certificate, 0,
		    errors_out);
		/* The group may read: Debian's ssl-cert works so. */
		is_good &= check_readable(config, "tls-key", config->tls_key, S_IRWXO | S_IWGRP,
		    errors_out);
		is_good &= check_named_certificates(config, errors_out);
	}
	if (config->directory == CONFIG_DIRECTORY_LDAP) {
		is_good &= check_readable(config, "ldap-password-file", config->ldap_password_file,
		    S_IRWXO | S_IWGRP, errors_out);
		is_good &= check_readable(config, "ldap-tls-ca", config->ldap_tls_ca, 0, errors_out);
	}
	is_good &= check_readable(config, "link-certificate", config->link_certificate, 0, errors_out);
	is_good &= check_readable(config, "link-private-key", config->link_private_key,
	    S_IRWXO | S_IWGRP, errors_out);
	is_good &= check_readable(config, "link-ca", config->link_ca, 0, errors_out);
	is_good &= check_link_key(config, errors_out);
	if ((config->role & CONFIG_ROLE_MAILBOX) || config->directory == CONFIG_DIRECTORY_SQLITE)
		is_good &= check_data_directory(config, errors_out);
	is_good &= check_socket(config, "control-socket", config->control_socket, errors_out);
	for (size_t i = 0; i < config->lmtp_listen.count; i++)
		if (config->lmtp_listen.at[i].path != NULL)
			is_good &= check_socket(config, "lmtp-listen",
			    config->lmtp_listen.at[i].path, errors_out);
	if (config->user != NULL && getpwnam(config->user) == NULL)
		is_good = fail(config, "user", "no such user; systemd-sysusers makes imapd, "
		    "useradd --system any", errors_out);
	if (config->group != NULL && getgrnam(config->group) == NULL)
		is_good = fail(config, "group", "no such group", errors_out);
	return is_good;
}

void
config_print(const struct config *config, struct buffer *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		option_print(&options[i], config, out);
}

void
config_list_restart_needed(const struct config *before, const struct config *after,
    struct buffer *names_out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		struct buffer old = { 0 }, new = { 0 };

		option_print(&options[i], before, &old);
		option_print(&options[i], after, &new);
		if (options[i].applies == AT_START &&
		    !span_equals(buffer_span(&old), buffer_span(&new)))
			buffer_printf(names_out, "%s\n", options[i].name);
		buffer_free(&old);
		buffer_free(&new);
	}
}
