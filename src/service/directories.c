/*
 * Opening the directory that the configuration names.
 */
#include "base/log.h"
#include "internal.h"

static enum directory_status
open_ldap(const struct config *config, const char *path, bool gives_mailboxes,
    struct directory **directory_out)
{
	struct directory_name masters = { .length = 0 };
	bool has_masters = config->ldap_master_group != NULL &&
	    directory_prepare_group(span_from_string(config->ldap_master_group), &masters);
	const struct directory_ldap_settings settings = {
		.uris = (const char *const *)config->ldap_servers.at,
		.uri_count = config->ldap_servers.count,
		.base = config->ldap_base,
		.filter = config->ldap_filter,
		.user_attribute = config->ldap_user_attribute,
		.home_attribute = config->ldap_home_attribute,
		.delegate_attribute = config->ldap_delegate_attribute,
		.master_group = has_masters ? masters.text : NULL,
		.quota_attribute = config->ldap_quota_attribute,
		.quota_unit = (unsigned)config->ldap_quota_unit,
		.group_attribute = config->ldap_group_attribute,
		.group_base = config->ldap_group_base,
		.group_filter = config->ldap_group_filter,
		.server_name = config->hostname,
		.bind_dn = config->ldap_bind_dn,
		.password_file = config->ldap_password_file,
		.tls_ca = config->ldap_tls_ca,
		.is_starttls = config->ldap_starttls,
		.timeout_s = (unsigned)config->ldap_timeout_s,
		.retry_s = (unsigned)config->ldap_retry_time_s,
		.cache_s = (unsigned)config->ldap_cache_time_s,
		.local_path = path,
		.gives_mailboxes = gives_mailboxes,
	};

	return directory_open_ldap(&settings, directory_out);
}

bool
service_open_directory(const struct config *config, bool gives_mailboxes, struct directory **directory_out)
{
	struct buffer path = { 0 };
	enum directory_status status;

	buffer_printf(&path, "%s/directory.db", config->data_directory);
	if (config->directory == CONFIG_DIRECTORY_LINK) {
		*directory_out = directory_open_link(span_from_string(config->directory_server));
		status = DIRECTORY_OK;
	} else if (config->directory == CONFIG_DIRECTORY_LDAP) {
		status = open_ldap(config, buffer_string(&path), gives_mailboxes, directory_out);
	} else {
		status = directory_open_sqlite(buffer_string(&path), directory_out);
	}
	if (status != DIRECTORY_OK)
		log_error("directory", log_text("path", buffer_string(&path)),
		    log_text("reason", directory_status_text(status)));
	buffer_free(&path);
	return status == DIRECTORY_OK;
}
