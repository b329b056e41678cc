/*
 * Values that say who may come in, and how.  Pure.
 */
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

	for (size_t i = 0; i < setting->count; i++) {
		struct suggestion suggestion = { 0 };
		const struct option_word *word = find_word(setting->option, setting->values[i], &suggestion);

		if (word == NULL) {
			setting->word = i + 1;
			buffer_printf(setting->reason, "%s cannot be ", setting->option->name);
			config_quote(setting->reason, setting->values[i]);
			option_print_choice(setting->option, &suggestion, setting->reason);
			return false;
		}
		words->at = memory_resize(words->at, words->count + 1, sizeof *words->at);
		words->at[words->count++] = memory_copy_string(word->text);
	}
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
