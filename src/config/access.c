/*
 * Values that say who may come in, and how.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

/* As mechanisms are compared: without regard to case. */
static const struct option_word *
find_word(const struct option *option, struct span value, struct suggestion *suggestion)
{
	for (const struct option_word *word = option->words; word->text != NULL; word++) {
		if (span_equals_nocase(value, span_from_string(word->text)))
			return word;
		suggestion_consider(suggestion, value, word->text);
	}
	return NULL;
}

bool
set_words(struct setting *setting)
{
	struct config_uris *words = option_place(setting->option, setting->config);
	bool is_good = true;

	for (size_t i = 0; i < setting->count; i++) {
		struct suggestion suggestion = { 0 };
		const struct option_word *word = find_word(setting->option, setting->values[i], &suggestion);

		if (word == NULL) {
			setting_blame(setting, i + 1);
			buffer_printf(setting->reason, "%s cannot be ", setting->option->name);
			config_quote(setting->reason, setting->values[i]);
			if (span_find(setting->values[i], ',') < setting->values[i].length)
				buffer_add_string(setting->reason, "; a space parts them, and no comma");
			else
				option_print_choice(setting->option, &suggestion, setting->reason);
			is_good = false;
			continue;
		}
		words->at = memory_resize(words->at, words->count + 1, sizeof *words->at);
		words->at[words->count++] = memory_copy_string(word->text);
	}
	return is_good;
}

static void
issuer_fini(struct config_issuer *issuer)
{
	for (size_t i = 0; i < issuer->count; i++)
		free(issuer->files[i]);
	free(issuer->files);
	free(issuer->name);
}

void
issuers_free(struct config_issuers *issuers)
{
	for (size_t i = 0; i < issuers->count; i++)
		issuer_fini(&issuers->at[i]);
	free(issuers->at);
}

static bool
check_issuer(struct setting *setting, const struct config_issuers *issuers)
{
	bool is_good = true;

	if (setting->values[0].length == 0)
		is_good = option_refuse(setting, 1, "the name of an issuer");
	for (size_t i = 0; i < issuers->count; i++)
		if (span_equals(setting->values[0], span_from_string(issuers->at[i].name)))
			is_good = option_refuse(setting, 1, "a name of its own: there is one before");
	return option_are_paths(setting, 1) && is_good;
}

bool
set_issuer(struct setting *setting)
{
	struct config_issuers *issuers = option_place(setting->option, setting->config);
	struct config_issuer issuer = { .place = setting->place };

	if (!check_issuer(setting, issuers))
		return false;
	issuer.name = memory_copy_span(setting->values[0]);
	issuer.files = memory_new_array(setting->count - 1, sizeof *issuer.files);
	while (issuer.count + 1 < setting->count) {
		issuer.files[issuer.count] = memory_copy_span(setting->values[issuer.count + 1]);
		issuer.count++;
	}
	issuers->at = memory_resize(issuers->at, issuers->count + 1, sizeof *issuers->at);
	issuers->at[issuers->count++] = issuer;
	return true;
}

bool
config_has_mechanism(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->auth_mechanisms.count; i++)
		if (strcmp(config->auth_mechanisms.at[i], name) == 0)
			return true;
	return false;
}

bool
config_wants_sha1_keys(const struct config *config)
{
	return config_has_mechanism(config, "SCRAM-SHA-1") || config_has_mechanism(config, "SCRAM-SHA-1-PLUS");
}
