/*
 * capability-mask: capabilities that some clients do not get, told by user, address or what they say in ID.  Pure.
 */
#include <fnmatch.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

/* The comma-separated names; the service, which knows them, checks them. */
static bool
read_capabilities(struct config_mask *mask, struct span names)
{
	do {
		struct span name = span_slice(names, 0, span_find(names, ','));

		if (name.length == 0)
			return false;
		mask->capabilities = memory_resize(mask->capabilities, mask->count + 1, sizeof *mask->capabilities);
		mask->capabilities[mask->count++] = memory_copy_span(name);
		names = span_from(names, name.length);
		if (names.length == 1)
			return false;
		names = span_from(names, 1);
	} while (names.length > 0);
	return true;
}

/* What ID is compared with holds nothing else. */
static bool
is_printable(struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return true;
}

static bool
take_text(struct span value, struct span key, char **text)
{
	if (!span_starts_with(value, key) || *text != NULL || value.length == key.length)
		return false;
	*text = memory_copy_span(span_from(value, key.length));
	return true;
}

static bool
read_condition(struct config_mask *mask, struct span value)
{
	static const struct span address = SPAN("address=");

	if (!span_starts_with(value, address))
		return take_text(value, SPAN("user="), &mask->user) ||
		    (is_printable(value) && take_text(value, SPAN("id="), &mask->id));
	if (mask->has_address || !network_parse(span_from(value, address.length), &mask->address))
		return false;
	mask->has_address = true;
	return true;
}

static void
mask_fini(struct config_mask *mask)
{
	for (size_t i = 0; i < mask->count; i++)
		free(mask->capabilities[i]);
	free(mask->capabilities);
	free(mask->user);
	free(mask->id);
}

bool
set_mask(struct setting *setting)
{
	struct config_masks *masks = option_place(setting->option, setting->config);
	struct config_mask mask = { .place = setting->place };
	bool is_good = true;

	if (!read_capabilities(&mask, setting->values[0]))
		is_good = option_refuse(setting, 1, "a list of capabilities such as IDLE,MOVE");
	for (size_t i = 1; i < setting->count; i++)
		if (!read_condition(&mask, setting->values[i]))
			is_good = option_refuse(setting, i + 1, "user=PATTERN, address=NETWORK or id=WORD, each at most "
			    "once");
	if (!is_good) {
		mask_fini(&mask);
		return false;
	}
	masks->at = memory_resize(masks->at, masks->count + 1, sizeof *masks->at);
	masks->at[masks->count++] = mask;
	return true;
}

void
masks_free(struct config_masks *masks)
{
	for (size_t i = 0; i < masks->count; i++)
		mask_fini(&masks->at[i]);
	free(masks->at);
}

/* ---- what there is to mask ------------------------------------------------------------------------------ */

static void
complain_unknown(const struct config_mask *mask, const char *name, const struct suggestion *suggestion,
    struct config_problems *problems)
{
	struct buffer hint = { 0 };

	suggestion_print(suggestion, &hint);
	config_complain(problems, CONFIG_WRONG, mask->place, 1, "capability-mask: there is no capability \"%s\"%s", name,
	    buffer_string(&hint));
	buffer_free(&hint);
}

static void
complain_objected(const struct config_mask *mask, const char *name, const char *objection,
    struct config_problems *problems)
{
	config_complain(problems, CONFIG_WRONG, mask->place, 1, "capability-mask: %s %s", name, objection);
}

/* Mechanisms are chosen before there is a user. */
static void
check_mechanism(const struct config_mask *mask, const char *name, struct config_problems *problems)
{
	struct suggestion none = { 0 };

	if (option_find_word("auth-mechanisms", span_from_string(strchr(name, '=') + 1)) == NULL)
		complain_unknown(mask, name, &none, problems);
	else if (mask->user != NULL)
		complain_objected(mask, name, "is for those whose user is not known yet", problems);
}

static void
check_capability(const struct config_mask *mask, const char *name, const char *(*name_at)(size_t index),
    const char *(*objection_to)(size_t index, bool is_for_users), struct config_problems *problems)
{
	struct suggestion suggestion = { 0 };
	struct span span = span_from_string(name);
	const char *known, *objection;
	size_t index = 0;

	if (span_starts_with_nocase(span, SPAN("AUTH="))) {
		check_mechanism(mask, name, problems);
		return;
	}
	while ((known = name_at(index)) != NULL && !span_equals_nocase(span, span_from_string(known)))
		suggestion_consider(&suggestion, span, name_at(index++));
	objection = known == NULL ? NULL : objection_to(index, mask->user != NULL);
	if (known == NULL)
		complain_unknown(mask, name, &suggestion, problems);
	else if (objection != NULL)
		complain_objected(mask, name, objection, problems);
}

void
config_check_masks(const struct config *config, const char *(*name_at)(size_t index),
    const char *(*objection_to)(size_t index, bool is_for_users), struct config_problems *problems)
{
	for (size_t i = 0; i < config->capability_mask.count; i++) {
		const struct config_mask *mask = &config->capability_mask.at[i];

		for (size_t at = 0; at < mask->count; at++)
			check_capability(mask, mask->capabilities[at], name_at, objection_to, problems);
	}
}

/* ---- whom it concerns ----------------------------------------------------------------------------------- */

static bool
is_word_octet(uint8_t octet)
{
	octet = ascii_lower(octet);
	return (octet >= 'a' && octet <= 'z') || ascii_is_digit(octet);
}

/* Whether whole words of the text are these. */
static bool
has_words(struct span text, struct span words)
{
	for (size_t at = 0; at + words.length <= text.length; at++) {
		size_t end = at + words.length;

		if (span_equals_nocase(span_slice(text, at, words.length), words) &&
		    (at == 0 || !is_word_octet(text.at[at - 1])) &&
		    (end == text.length || !is_word_octet(text.at[end])))
			return true;
	}
	return false;
}

static bool
concerns(const struct config_mask *mask, const struct config_client *client)
{
	struct config_networks network = { (struct config_network *)(uintptr_t)&mask->address, 1 };

	if (mask->user != NULL &&
	    (client->user == NULL || fnmatch(mask->user, client->user, FNM_CASEFOLD | FNM_NOESCAPE) != 0))
		return false;
	if (mask->has_address && (client->address == NULL || !config_networks_have(&network, client->address)))
		return false;
	return mask->id == NULL || has_words(client->id, span_from_string(mask->id));
}

void
config_mask(const struct config *config, const struct config_client *client, config_masked *on_masked, void *context)
{
	for (size_t i = 0; i < config->capability_mask.count; i++) {
		const struct config_mask *mask = &config->capability_mask.at[i];

		for (size_t at = 0; concerns(mask, client) && at < mask->count; at++)
			on_masked(mask->capabilities[at], context);
	}
}
