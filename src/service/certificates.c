/*
 * Certificates, their keys and the authorities, as the configuration names them: what cannot be used, what will
 * not be good for long, and what is not for the name that clients ask for.
 */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "link/key.h"
#include "net/tls.h"

/* A certificate and its key, each a word of a line. */
struct pair {
	const char *option, *key_option;
	const struct config_place *place, *key_place;
	unsigned word, key_word;
	const char *certificate, *key;		/* NULL: not there, or it has been told that it cannot be read */
	const char *name;			/* that it should be for; NULL: any */
};

/* NULL when it cannot be read, which has been told. */
static const char *
readable(const char *path)
{
	struct stat about;

	if (path == NULL || stat(path, &about) != 0 || !S_ISREG(about.st_mode) ||
	    faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
		return NULL;
	return path;
}

static void
warn_of_validity(const struct check *check, const struct pair *pair, const struct tls_validity *validity)
{
	struct buffer trouble = { 0 };

	certificate_add_trouble(validity, pair->name, &trouble);
	if (trouble.length > 0)
		config_complain(check->problems, CONFIG_WARNING, pair->place, pair->word, "%s: the certificate in %s %s",
		    pair->option, pair->certificate, buffer_string(&trouble));
	buffer_free(&trouble);
}

static void
check_pair(const struct check *check, struct pair pair)
{
	char *certificate_error = NULL, *key_error = NULL;
	struct tls_validity validity;

	pair.certificate = readable(pair.certificate);
	pair.key = readable(pair.key);
	if (tls_inspect(pair.certificate, pair.key, pair.name, &validity, &certificate_error, &key_error))
		warn_of_validity(check, &pair, &validity);
	if (certificate_error != NULL)
		config_complain(check->problems, CONFIG_WRONG, pair.place, pair.word, "%s: %s", pair.option,
		    certificate_error);
	if (key_error != NULL)
		config_complain(check->problems, CONFIG_WRONG, pair.key_place, pair.key_word, "%s: %s", pair.key_option,
		    key_error);
	free(certificate_error);
	free(key_error);
}

/* Those for clients. */
static void
check_tls(const struct check *check)
{
	const struct config *config = check->config;

	check_pair(check, (struct pair){ "tls-certificate", "tls-key", config_place(config, "tls-certificate"),
		config_place(config, "tls-key"), 1, 1, config->tls_certificate, config->tls_key,
		certificate_name(config) });
	for (size_t i = 0; i < config->tls_certificate_for.count; i++) {
		const struct config_certificate *named = &config->tls_certificate_for.at[i];

		check_pair(check, (struct pair){ "tls-certificate-for", "tls-certificate-for", named->place, named->place,
			2, 3, named->certificate, named->key, named->name });
	}
	if (config->tls_minimum == CONFIG_TLS_1_3 && !tls_knows_1_3())
		config_complain(check->problems, CONFIG_WRONG, config_place(config, "tls-minimum"), 1,
		    "tls-minimum: this imapd was built with an mbedTLS that has no TLS 1.3");
}

/* A file that holds authorities and no certificate of ours. */
static void
check_authorities(const struct check *check, const char *option, const char *path)
{
	check_pair(check, (struct pair){ .option = option, .place = config_place(check->config, option), .word = 1,
		.certificate = path });
}

static void
check_link_key(const struct check *check)
{
	const char *path = readable(check->config->link_key);
	struct link_key key;
	char *error = NULL;

	if (path != NULL && !link_key_read(path, geteuid(), &key, &error))
		config_complain(check->problems, CONFIG_WRONG, config_place(check->config, "link-key"), 1, "link-key: %s",
		    error);
	memory_wipe(&key, sizeof key);
	free(error);
}

static void
check_link(const struct check *check)
{
	const struct config *config = check->config;
	const char *certificate = readable(config->link_certificate), *ca = readable(config->link_ca);

	check_link_key(check);
	check_pair(check, (struct pair){ "link-certificate", "link-private-key",
		config_place(config, "link-certificate"), config_place(config, "link-private-key"), 1, 1,
		config->link_certificate, config->link_private_key, NULL });
	check_authorities(check, "link-ca", config->link_ca);
	check_authorities(check, "relay-ca", config->relay_ca);
	if (certificate != NULL && ca != NULL && !tls_is_signed_by(certificate, ca))
		config_complain(check->problems, CONFIG_WARNING, config_place(config, "link-certificate"), 1,
		    "link-certificate: no authority in %s has signed %s, so that hosts which believe the same ones refuse "
		    "it", ca, certificate);
}

/* What the words above have not found: the library has the last one. */
static void
check_use(const struct check *check)
{
	const struct config *config = check->config;
	struct tls_context *context;
	char *error = NULL;

	if (check->is_blind || config_problems_count(check->problems, CONFIG_WRONG) > 0)
		return;
	if (config->role & CONFIG_ROLE_CAS) {
		context = service_tls(config, &error);
		tls_context_free(&context);
		if (error != NULL)
			config_complain(check->problems, CONFIG_WRONG, config_place(config, "tls-certificate"), 1,
			    "tls-certificate: %s", error);
		free(error);
	}
	error = service_check_links(config);
	if (error != NULL)
		config_complain(check->problems, CONFIG_WRONG, config_place(config, config->link_key != NULL ?
			"link-key" : "link-certificate"), 1, "%s", error);
	free(error);
}

static void
check_tokens(const struct check *check)
{
	struct token_rules *rules = service_tokens(check->config, check->problems);

	token_rules_free(&rules);
}

void
check_certificates(const struct check *check)
{
	const struct config *config = check->config;

	if (config->role & CONFIG_ROLE_CAS) {
		check_tls(check);
		check_authorities(check, "tls-client-ca", config->tls_client_ca);
		check_tokens(check);
	}
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		check_authorities(check, "ldap-tls-ca", config->ldap_tls_ca);
	check_link(check);
	check_use(check);
}
