/*
 * Whether the files, folders, users and groups that a configuration names are there and can be used.  Looks at
 * files.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "options.h"

#define SOCKET_PATH_MAX (sizeof((struct sockaddr_un *)NULL)->sun_path - 1)	/* unix(7): 107 on Linux */

struct world {
	const struct config *config;
	struct config_problems *problems;
	char who[80];			/* "user imapd" */
	bool is_other;			/* that is not who will use the files */
};

static void
init(struct world *world, const struct config *config, struct config_problems *problems)
{
	const struct passwd *user = config->user == NULL ? NULL : getpwnam(config->user);

	world->config = config;
	world->problems = problems;
	world->is_other = geteuid() != 0 && user != NULL && user->pw_uid != geteuid();
	user = getpwuid(geteuid());
	if (user != NULL)
		snprintf(world->who, sizeof world->who, "user %s", user->pw_name);
	else
		snprintf(world->who, sizeof world->who, "user %u", (unsigned)geteuid());
}

/* The owner of what has to be made. */
static const char *
owner(const struct config *config)
{
	return config->user != NULL ? config->user : "root";
}

static void
suggest_user(const char *name, struct buffer *hint)
{
	struct suggestion suggestion = { 0 };
	const struct passwd *user;
	char best[64] = "";

	setpwent();
	while ((user = getpwent()) != NULL) {
		const char *before = suggestion.best;

		suggestion_consider(&suggestion, span_from_string(name), user->pw_name);
		if (suggestion.best == before)
			continue;
		snprintf(best, sizeof best, "%s", user->pw_name);
		suggestion.best = best;
	}
	endpwent();
	suggestion_print(&suggestion, hint);
	if (suggestion.best == NULL)
		buffer_add_string(hint, "; systemd-sysusers makes imapd, useradd --system any");
}

void
config_check_identity(const struct config *config, struct config_problems *problems)
{
	struct buffer hint = { 0 };

	if (config->user != NULL && getpwnam(config->user) == NULL) {
		suggest_user(config->user, &hint);
		config_complain(problems, CONFIG_WRONG, config_place(config, "user"), 1, "user: there is no user %s%s",
		    config->user, buffer_string(&hint));
	}
	if (config->group != NULL && getgrnam(config->group) == NULL)
		config_complain(problems, CONFIG_WRONG, config_place(config, "group"), 1, "group: there is no group %s",
		    config->group);
	buffer_free(&hint);
}

#define CERTBOT "/etc/letsencrypt/"

/* Files that are there and closed: what opens them to the server alone. */
static void
advise(const struct world *world, const char *path, bool is_secret, struct buffer *reason)
{
	const struct passwd *user = world->config->user == NULL ? NULL : getpwnam(world->config->user);
	const struct group *group = world->config->group != NULL ? getgrnam(world->config->group) :
		user == NULL ? NULL : getgrgid(user->pw_gid);
	struct stat about;

	if (strncmp(path, CERTBOT, strlen(CERTBOT)) == 0) {
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
			buffer_add_string(reason, "; certbot's deploy hook of imapd copies it to where it can be read");
	} else if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && is_secret && group != NULL) {
		buffer_printf(reason, "; try chgrp %s %s && chmod 640 %s", group->gr_name, path, path);
	} else if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && !is_secret) {
		buffer_printf(reason, "; try chmod 644 %s", path);
	}
}

/*
 * A file, at a word of a line.
 *
 *	forbidden	rights that it must not give: it is a secret
 */
static bool
check_file(struct world *world, const char *option, const struct config_place *place, unsigned word,
    const char *path, mode_t forbidden)
{
	const struct file_use use = { false, R_OK, world->who, world->is_other };
	struct buffer reason = { 0 };
	struct stat about;
	bool is_good;

	if (path == NULL)
		return true;
	is_good = file_can_be_used(path, &use, &reason);
	if (!is_good)
		advise(world, path, forbidden != 0, &reason);
	if (is_good && stat(path, &about) == 0 && (about.st_mode & forbidden) != 0) {
		buffer_printf(&reason, "others can read the secret in %s; try chmod 640 %s", path, path);
		is_good = false;
	}
	if (!is_good)
		config_complain(world->problems, CONFIG_WRONG, place, word, "%s: %s", option, buffer_string(&reason));
	buffer_free(&reason);
	return is_good;
}

static bool
check_option_file(struct world *world, const char *option, const char *path, mode_t forbidden)
{
	return check_file(world, option, config_place(world->config, option), 1, path, forbidden);
}

#define SECRET (S_IRWXO | S_IWGRP)	/* the group may read: Debian's ssl-cert works so */

static void
check_certificates(struct world *world)
{
	const struct config_certificates *named = &world->config->tls_certificate_for;

	check_option_file(world, "tls-certificate", world->config->tls_certificate, 0);
	check_option_file(world, "tls-key", world->config->tls_key, SECRET);
	check_option_file(world, "tls-client-ca", world->config->tls_client_ca, 0);
	for (size_t i = 0; i < named->count; i++) {
		check_file(world, "tls-certificate-for", named->at[i].place, 2, named->at[i].certificate, 0);
		check_file(world, "tls-certificate-for", named->at[i].place, 3, named->at[i].key, SECRET);
	}
}

/* It holds one password in one line. */
static void
check_password_file(struct world *world)
{
	const char *path = world->config->ldap_password_file;
	struct stat about;

	if (path == NULL || !check_option_file(world, "ldap-password-file", path, SECRET) || stat(path, &about) != 0)
		return;
	if (about.st_size == 0)
		config_complain(world->problems, CONFIG_WRONG, config_place(world->config, "ldap-password-file"), 1,
		    "ldap-password-file: %s is empty", path);
}

/* Its rights are looked at where it is read. */
static void
check_link_key(struct world *world)
{
	const struct config *config = world->config;
	struct stat about;

	if (config->link_key == NULL)
		return;
	if (stat(config->link_key, &about) != 0 && errno == ENOENT)
		config_complain(world->problems, CONFIG_WRONG, config_place(config, "link-key"), 1, "link-key: there is no "
		    "file %s; copy it from another host of the site, or make the first by imapctl link-key %s",
		    config->link_key, config->link_key);
	else
		check_option_file(world, "link-key", config->link_key, 0);
}

/* The folder of a file or a socket, given. */
static char *
folder_of(const char *path)
{
	char *folder = memory_copy_string(path), *slash = strrchr(folder, '/');

	slash[slash == folder] = '\0';
	return folder;
}

static void
complain_of_folder(struct world *world, enum config_gravity gravity, const char *option,
    const struct config_place *place, const char *path, const char *reason, const char *how)
{
	struct stat about;
	bool is_missing = stat(path, &about) != 0 && errno == ENOENT;

	config_complain(world->problems, gravity, place, 1, "%s: %s%s%s%s%s%s", option, reason,
	    is_missing ? "; try " : "", is_missing ? how : "", is_missing ? owner(world->config) : "",
	    is_missing ? " " : "", is_missing ? path : "");
}

/* What a server has made there before, perhaps as somebody else. */
static void
check_contents(struct world *world, const char *folder)
{
	static const struct {
		const char *name;
		bool is_folder;
	} entries[] = { { "directory.db", false }, { "lock", false }, { "data", true } };
	const struct config *config = world->config;
	struct buffer path = { 0 }, reason = { 0 };

	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		const struct file_use use = { entries[i].is_folder, R_OK | W_OK, world->who, world->is_other };

		buffer_clear(&path);
		buffer_clear(&reason);
		buffer_printf(&path, "%s/%s", folder, entries[i].name);
		if (access(buffer_string(&path), F_OK) == 0 && !file_can_be_used(buffer_string(&path), &use, &reason))
			config_complain(world->problems, CONFIG_WRONG, config_place(config, "data-directory"), 1,
			    "data-directory: %s; try chown -R %s %s", buffer_string(&reason), owner(config), folder);
	}
	buffer_free(&path);
	buffer_free(&reason);
}

/* A client access server with its users elsewhere keeps there no more than what was asked of it last. */
static bool
is_data_needed(const struct config *config)
{
	return (config->role & CONFIG_ROLE_MAILBOX) != 0 || config->directory == CONFIG_DIRECTORY_SQLITE ||
	    option_is_said(config, "data-directory");
}

static void
check_data_directory(struct world *world)
{
	enum config_gravity gravity = is_data_needed(world->config) ? CONFIG_WRONG : CONFIG_WARNING;
	const struct config_place *place = config_place(world->config, "data-directory");
	const char *path = world->config->data_directory;
	const struct file_use use = { true, R_OK | W_OK | X_OK, world->who, world->is_other };
	struct buffer reason = { 0 };
	struct stat about;
	char *foreign;

	if (!folder_is_for_mail(path, &reason)) {
		config_complain(world->problems, CONFIG_WRONG, place, 1, "data-directory: %s", buffer_string(&reason));
	} else if (!file_can_be_used(path, &use, &reason)) {
		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 && errno == EROFS)
			buffer_printf(&reason, "; try findmnt -T %s", path);
		else if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
			buffer_printf(&reason, "; try chown -R %s %s", owner(world->config), path);
		complain_of_folder(world, gravity, "data-directory", place, path, buffer_string(&reason),
		    "install -d -m 700 -o ");
	} else if ((foreign = folder_find_foreign(path)) != NULL) {
		config_complain(world->problems, CONFIG_WARNING, place, 1, "data-directory: %s holds other files, such as %s, and no mail "
		    "of imapd's; is it the right folder?", path, foreign);
		free(foreign);
	} else {
		if (stat(path, &about) == 0 && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
			config_complain(world->problems, CONFIG_WARNING, place, 1, "data-directory: others than its owner "
			    "may enter %s, which has mode %04o; try chmod 700 %s", path,
			    (unsigned)about.st_mode & 07777, path);
		check_contents(world, path);
	}
	buffer_free(&reason);
}

/* It is made when it is missing, and then its own folder has to be there. */
static void
check_protocol_log(struct world *world)
{
	const char *path = world->config->protocol_log;
	const struct config_place *place = config_place(world->config, "protocol-log");
	const struct file_use use = { true, W_OK | X_OK, world->who, world->is_other };
	struct buffer reason = { 0 };
	struct stat about;
	char *folder;

	if (path == NULL)
		return;
	folder = stat(path, &about) != 0 && errno == ENOENT ? folder_of(path) : memory_copy_string(path);
	if (!file_can_be_used(folder, &use, &reason))
		complain_of_folder(world, CONFIG_WRONG, "protocol-log", place, path, buffer_string(&reason), "install -d -m 750 -o ");
	free(folder);
	buffer_free(&reason);
}

/* A socket that a process makes; one that is there was made by one before. */
static void
check_socket(struct world *world, const char *option, const struct config_place *place, const char *path)
{
	const struct file_use use = { true, W_OK | X_OK, world->who, world->is_other };
	struct buffer reason = { 0 };
	char *folder = folder_of(path);
	struct stat about;

	if (strlen(path) > SOCKET_PATH_MAX)
		config_complain(world->problems, CONFIG_WRONG, place, 1, "%s: the path of a socket has at most %zu octets, "
		    "and this one has %zu", option, SOCKET_PATH_MAX, strlen(path));
	if (lstat(path, &about) == 0 && !S_ISSOCK(about.st_mode))
		config_complain(world->problems, CONFIG_WRONG, place, 1, "%s: %s is %s, and a socket has to be there",
		    option, path, S_ISDIR(about.st_mode) ? "a folder" : S_ISLNK(about.st_mode) ? "a symbolic link" :
		    "a file");
	else if (!file_can_be_used(folder, &use, &reason))
		complain_of_folder(world, CONFIG_WRONG, option, place, folder, buffer_string(&reason), "install -d -o ");
	free(folder);
	buffer_free(&reason);
}

/* Whether two paths that are written differently lead to one name in one folder. */
static bool
is_same_socket(const char *one, const char *other)
{
	char *folder = folder_of(one), *other_folder = folder_of(other);
	struct stat about, other_about;
	bool is_same = strcmp(strrchr(one, '/'), strrchr(other, '/')) == 0 && strcmp(one, other) != 0 &&
	    stat(folder, &about) == 0 && stat(other_folder, &other_about) == 0 &&
	    about.st_ino == other_about.st_ino && about.st_dev == other_about.st_dev;

	free(folder);
	free(other_folder);
	return is_same;
}

/* Paths that are the same text were told of already. */
static void
check_same_sockets(struct world *world)
{
	const struct config *config = world->config;
	const struct config_listeners *lmtp = &config->lmtp_listen;
	const struct config_listener control = { .path = config->control_socket,
		.place = config_place(config, "control-socket") };

	for (size_t i = 0; i < lmtp->count; i++) {
		if (lmtp->at[i].path != NULL && is_same_socket(control.path, lmtp->at[i].path))
			config_complain_of_clash(config, &control, &lmtp->at[i], world->problems);
		for (size_t j = 0; j < i && lmtp->at[i].path != NULL; j++)
			if (lmtp->at[j].path != NULL && is_same_socket(lmtp->at[j].path, lmtp->at[i].path))
				config_complain_of_clash(config, &lmtp->at[j], &lmtp->at[i], world->problems);
	}
}

void
config_check_sockets(const struct config *config, struct config_problems *problems)
{
	struct world world;

	init(&world, config, problems);
	if (config_is_usable(config, "control-socket"))
		check_socket(&world, "control-socket", config_place(config, "control-socket"), config->control_socket);
	if ((config->role & CONFIG_ROLE_MAILBOX) == 0)
		return;
	for (size_t i = 0; i < config->lmtp_listen.count; i++)
		if (config->lmtp_listen.at[i].path != NULL)
			check_socket(&world, "lmtp-listen", config->lmtp_listen.at[i].place, config->lmtp_listen.at[i].path);
	check_same_sockets(&world);
}

/* They are read again on reload. */
static void
check_own_files(struct world *world)
{
	const struct file_use use = { false, R_OK, world->who, world->is_other };
	struct buffer reason = { 0 };
	const char *path;

	for (unsigned i = 0; (path = config_file(world->config, i)) != NULL; i++) {
		if (access(path, F_OK) == 0 && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
			continue;
		buffer_clear(&reason);
		file_can_be_used(path, &use, &reason);
		buffer_add_string(&reason, ", so that it cannot be read again on reload");
		config_complain_at(world->problems, CONFIG_WARNING, path, i, 1, 1, buffer_string(&reason));
	}
	buffer_free(&reason);
}

/* The service that takes mail in can be started again, when we are the user already. */
static void
check_again(struct world *world, const struct config_listener *listener)
{
	const struct file_use use = { true, W_OK | X_OK, world->who, world->is_other };
	char *folder = folder_of(listener->path);
	struct buffer reason = { 0 };
	struct stat about;

	if (stat(folder, &about) == 0 && !file_can_be_used(folder, &use, &reason))
		config_complain(world->problems, CONFIG_WARNING, listener->place, 1, "lmtp-listen: %s, so that imapctl "
		    "cannot stop and start the service mailbox", buffer_string(&reason));
	free(folder);
	buffer_free(&reason);
}

void
config_check_files(const struct config *config, struct config_problems *problems)
{
	struct world world;

	init(&world, config, problems);
	check_own_files(&world);
	if (config->role & CONFIG_ROLE_CAS)
		check_certificates(&world);
	if (config->directory == CONFIG_DIRECTORY_LDAP) {
		check_password_file(&world);
		check_option_file(&world, "ldap-tls-ca", config->ldap_tls_ca, 0);
	}
	check_option_file(&world, "link-certificate", config->link_certificate, 0);
	check_option_file(&world, "link-private-key", config->link_private_key, SECRET);
	check_option_file(&world, "link-ca", config->link_ca, 0);
	check_option_file(&world, "relay-ca", config->relay_ca, 0);
	check_link_key(&world);
	if (config_is_usable(config, "data-directory"))
		check_data_directory(&world);
	check_protocol_log(&world);
	for (size_t i = 0; i < config->lmtp_listen.count && (config->role & CONFIG_ROLE_MAILBOX); i++)
		if (config->lmtp_listen.at[i].path != NULL)
			check_again(&world, &config->lmtp_listen.at[i]);
}
