/*
 * Whom we believe tokens of: the issuers of the configuration, and their keys from files.  Blocks.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "auth/token.h"
#include "base/memory.h"
#include "internal.h"

/* Who could change the file could be anybody. */
static bool
is_safe(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && (about.st_mode & S_IWOTH) == 0;
}

static bool
add_file(struct token_rules *rules, const struct config_issuer *issuer, size_t index,
    struct config_problems *problems)
{
	const char *path = issuer->files[index], *why = NULL;
	struct config_file_id id = { 0 };
	struct buffer text = { 0 }, reason = { 0 };
	bool is_good = config_read_file(NULL, path, &text, &id, &why);

	if (is_good && !is_safe(path)) {
		is_good = false;
		why = "everybody can change it; try chmod 644";
	}
	if (!is_good)
		buffer_printf(&reason, " %s", why);
	else
		is_good = token_rules_add_keys(rules, buffer_span(&text), &reason);
	if (!is_good)
		config_complain(problems, CONFIG_WRONG, issuer->place, (unsigned)index + 2, "oauth-issuer: %s:%s", path,
		    buffer_string(&reason));
	buffer_free(&text);
	buffer_free(&reason);
	return is_good;
}

static bool
add_issuers(struct token_rules *rules, const struct config *config, struct config_problems *problems)
{
	bool is_good = true;

	for (size_t i = 0; i < config->oauth_issuer.count; i++) {
		const struct config_issuer *issuer = &config->oauth_issuer.at[i];

		token_rules_add_issuer(rules, issuer->name);
		for (size_t at = 0; at < issuer->count; at++)
			is_good &= add_file(rules, issuer, at, problems);
	}
	return is_good;
}

struct token_rules *
service_tokens(const struct config *config, struct config_problems *problems)
{
	const struct token_settings settings = { config->oauth_audience.at, config->oauth_audience.count,
		config->oauth_scope, config->oauth_user_claim, config->oauth_clock_skew_s };
	struct token_rules *rules;

	if ((config->role & CONFIG_ROLE_CAS) == 0 || config->oauth_issuer.count == 0)
		return NULL;
	rules = token_rules_new(&settings);
	if (!add_issuers(rules, config, problems))
		token_rules_free(&rules);
	return rules;
}
