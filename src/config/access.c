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
option_add_words(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_uris *words = option_place(option, config);

	for (*word_out = 0; *word_out < count; ++*word_out) {
		struct suggestion suggestion = { 0 };
		const struct option_word *word = find_word(option, values[*word_out], &suggestion);

		if (word == NULL) {
			buffer_printf(reason_out, "%s cannot be \"%.*s\"", option->name,
			    SPAN_ARGS(values[*word_out]));
			option_print_choice(option, &suggestion, reason_out);
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
