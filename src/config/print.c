/*
 * Values of each kind as the lines of a configuration file that option_set() takes again.  Pure.
 */
#include "base/memory.h"
#include "options.h"

/* In quotes, so that any value can be read back. */
static void
print_string(const char *string, struct buffer *out)
{
	buffer_add_octet(out, '"');
	for (; *string != '\0'; string++) {
		if (*string == '"' || *string == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, (uint8_t)*string);
	}
	buffer_add_octet(out, '"');
}

static void
print_listeners(const struct option *option, const struct config_listeners *listeners,
    struct buffer *out)
{
	for (size_t i = 0; i < listeners->count; i++) {
		const struct config_listener *listener = &listeners->at[i];

		buffer_printf(out, "%s ", option->name);
		if (option->kind == LISTEN)
			buffer_add_string(out, listener->is_tls ? "imaps " : "imap ");
		if (option->kind == WEB_LISTEN)
			buffer_add_string(out, listener->is_tls ? "https " : "http ");
		if (listener->path != NULL)
			print_string(listener->path, out);
		else
			config_listener_print(listener, out);
		if (listener->is_proxy)
			buffer_add_string(out, " proxy");
		buffer_add_octet(out, '\n');
	}
	if (listeners->count == 0)
		buffer_printf(out, "%s none\n", option->name);
}

static void
print_mailbox_servers(const struct option *option, const struct config_servers *servers,
    struct buffer *out)
{
	for (size_t i = 0; i < servers->count; i++) {
		buffer_printf(out, "%s ", option->name);
		print_string(servers->at[i].name, out);
		buffer_printf(out, " %s\n", servers->at[i].address);
	}
}

static void
print_certificates(const struct option *option, const struct config_certificates *certificates,
    struct buffer *out)
{
	for (size_t i = 0; i < certificates->count; i++) {
		buffer_printf(out, "%s %s ", option->name, certificates->at[i].name);
		print_string(certificates->at[i].certificate, out);
		buffer_add_octet(out, ' ');
		print_string(certificates->at[i].key, out);
		buffer_add_octet(out, '\n');
	}
}

static void
print_networks(const struct option *option, const struct config_networks *networks, struct buffer *out)
{
	for (size_t i = 0; i < networks->count; i++) {
		buffer_printf(out, "%s ", option->name);
		network_print(&networks->at[i], out);
		buffer_add_octet(out, '\n');
	}
}

static void
print_names(const struct option *option, const struct config_uris *names, struct buffer *out)
{
	for (size_t i = 0; i < names->count; i++) {
		buffer_printf(out, "%s ", option->name);
		print_string(names->at[i], out);
		buffer_add_octet(out, '\n');
	}
}

static void
add_word(struct buffer *line, const char *key, const char *value)
{
	struct buffer word = { 0 };

	if (value == NULL)
		return;
	buffer_printf(&word, "%s%s", key, value);
	buffer_add_octet(line, ' ');
	print_string(buffer_string(&word), line);
	buffer_free(&word);
}

static void
print_masks(const struct option *option, const struct config_masks *masks, struct buffer *out)
{
	for (size_t i = 0; i < masks->count; i++) {
		const struct config_mask *mask = &masks->at[i];
		struct buffer text = { 0 };

		buffer_printf(out, "%s ", option->name);
		for (size_t at = 0; at < mask->count; at++)
			buffer_printf(out, "%s%s", at > 0 ? "," : "", mask->capabilities[at]);
		add_word(out, "user=", mask->user);
		if (mask->has_address)
			network_print(&mask->address, &text);
		add_word(out, "address=", mask->has_address ? buffer_string(&text) : NULL);
		add_word(out, "id=", mask->id);
		buffer_add_octet(out, '\n');
		buffer_free(&text);
	}
}

static void
print_issuers(const struct option *option, const struct config_issuers *issuers, struct buffer *out)
{
	for (size_t i = 0; i < issuers->count; i++) {
		buffer_printf(out, "%s ", option->name);
		print_string(issuers->at[i].name, out);
		for (size_t at = 0; at < issuers->at[i].count; at++) {
			buffer_add_octet(out, ' ');
			print_string(issuers->at[i].files[at], out);
		}
		buffer_add_octet(out, '\n');
	}
}

/* Options that may stand in many lines. */
static void
print_lines(const struct option *option, const void *value, struct buffer *out)
{
	switch (option->kind) {
	case SERVER:
		print_mailbox_servers(option, value, out);
		break;
	case CERTIFICATE:
		print_certificates(option, value, out);
		break;
	case NETWORK:
		print_networks(option, value, out);
		break;
	case ISSUER:
		print_issuers(option, value, out);
		break;
	case MASK:
		print_masks(option, value, out);
		break;
	case NAMES:
	case WORDS:
		print_names(option, value, out);
		break;
	default:
		print_listeners(option, value, out);
		break;
	}
}

static bool
is_string(const struct option *option)
{
	return option_is_string(option);
}

static void
print_servers(const struct config_uris *servers, struct buffer *out)
{
	for (size_t i = 0; i < servers->count; i++) {
		buffer_add_octet(out, ' ');
		print_string(servers->at[i], out);
	}
}

static const char *
word_text(const struct option *option, int value)
{
	const struct option_word *word = option->words;

	while (word->text != NULL && word->value != value)
		word++;
	return word->text;
}

void
option_print(const struct option *option, const struct config *config, struct buffer *out)
{
	const void *value = option_place(option, config);

	if (option_is_repeatable(option)) {
		print_lines(option, value, out);
		return;
	}
	if (is_string(option) && *(char *const *)value == NULL)
		return;
	buffer_printf(out, "%s ", option->name);
	if (is_string(option))
		print_string(*(char *const *)value, out);
	else if (option->kind == BOOL)
		buffer_add_string(out, *(const bool *)value ? "yes" : "no");
	else if (option->kind == WORD || option->kind == DIRECTORY)
		buffer_add_string(out, word_text(option, *(const int *)value));
	else if (option->kind == AUTO_NUMBER && *(const uint64_t *)value == 0)
		buffer_add_string(out, "auto");
	else
		number_print(option, *(const uint64_t *)value, out);
	if (option->kind == DIRECTORY)
		print_servers(&config->ldap_servers, out);
	if (option->kind == DIRECTORY && config->directory_server != NULL) {
		buffer_add_octet(out, ' ');
		print_string(config->directory_server, out);
	}
	buffer_add_octet(out, '\n');
}

void
config_print_option(const struct config *config, size_t option, struct buffer *out)
{
	option_print(&options[option], config, out);
}

/* The line of a file in which the n-th value was said; one line has one, but of names it has any number. */
static const struct config_place *
place_of_value(const struct config *config, size_t option, size_t n)
{
	const struct config_place *place = config->places->all;
	unsigned word;

	if (options[option].kind == NAMES || options[option].kind == WORDS)
		return config_name_place(config, options[option].name, n, &word);
	for (; place != NULL; place = place->next)
		if (place->option == option && n-- == 0)
			break;
	return place;
}

void
config_print_origin(const struct config *config, size_t option, size_t line, struct buffer *out)
{
	const struct config_place *place = place_of_value(config, option, line);

	if (place == NULL)
		buffer_add_string(out, "default");
	else
		buffer_printf(out, "%s:%u", place->file, place->line);
}

bool
config_option_needs_restart(size_t option)
{
	return options[option].applies == AT_START;
}

void
config_list_restart_needed(const struct config *before, const struct config *after,
    struct buffer *lines_out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		struct buffer old = { 0 }, new = { 0 };

		option_print(&options[i], before, &old);
		option_print(&options[i], after, &new);
		if (options[i].applies == AT_START &&
		    !span_equals(buffer_span(&old), buffer_span(&new)))
			buffer_printf(lines_out, "%s: applies at the next start\n", options[i].name);
		buffer_free(&old);
		buffer_free(&new);
	}
}
