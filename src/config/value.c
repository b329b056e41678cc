/*
 * Values of each kind: from text into struct config, and back.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

static void *
member(const struct option *option, const struct config *config)
{
	return (char *)(uintptr_t)config + option->offset;
}

static bool
wrong(struct buffer *reason_out, struct span value, const char *expected)
{
	buffer_printf(reason_out, "\"%.*s\" is not %s", SPAN_ARGS(value), expected);
	return false;
}

static bool
set_string(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	char **string = member(option, config);

	if (value.length == 0)
		return wrong(reason_out, value, "a name");
	if (option->kind == PATH && value.at[0] != '/')
		return wrong(reason_out, value, "an absolute path");
	free(*string);
	*string = memory_copy_span(value);
	return true;
}

/* A size may end in K, M or G. */
static bool
read_number(const struct option *option, struct span value, uint64_t *number_out)
{
	static const struct span units = SPAN("KMG");
	unsigned shift = 0;
	size_t unit;

	if (option->kind == SIZE && value.length > 1) {
		unit = span_find(units, ascii_upper(value.at[value.length - 1]));
		if (unit < units.length) {
			shift = 10 * (unsigned)(unit + 1);
			value = span_slice(value, 0, value.length - 1);
		}
	}
	if (!span_to_number(value, UINT64_MAX >> shift, number_out))
		return false;
	*number_out <<= shift;
	return true;
}

static bool
set_number(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	uint64_t number, *place = member(option, config);

	if (option->kind == AUTO_NUMBER && span_equals(value, SPAN("auto"))) {
		*place = 0;
		return true;
	}
	if (!read_number(option, value, &number))
		return wrong(reason_out, value, option->kind == SIZE ?
			"a size such as 512K, 64M or 1G" : "a number");
	if (number < option->least || number > option->most) {
		buffer_printf(reason_out, "%.*s is not between %llu and %llu", SPAN_ARGS(value),
		    (unsigned long long)option->least, (unsigned long long)option->most);
		return false;
	}
	*place = number;
	return true;
}

static bool
set_bool(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	bool is_yes = span_equals(value, SPAN("yes"));

	if (!is_yes && !span_equals(value, SPAN("no")))
		return wrong(reason_out, value, "\"yes\" or \"no\"");
	*(bool *)member(option, config) = is_yes;
	return true;
}

static bool
set_word(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	struct suggestion suggestion = { 0 };

	for (const struct option_word *word = option->words; word->text != NULL; word++) {
		if (span_equals(value, span_from_string(word->text))) {
			*(int *)member(option, config) = word->value;
			return true;
		}
		suggestion_consider(&suggestion, value, word->text);
	}
	buffer_printf(reason_out, "%s cannot be \"%.*s\"", option->name, SPAN_ARGS(value));
	suggestion_print(&suggestion, reason_out);
	return false;
}

/* ADDRESS:PORT, [ADDRESS]:PORT for IPv6. */
static bool
read_address(struct span value, struct config_listener *listener)
{
	size_t colon = value.length;
	struct span host;
	uint64_t port;

	while (colon > 0 && value.at[colon - 1] != ':')
		colon--;
	if (colon < 2 || !span_to_number(span_from(value, colon), UINT16_MAX, &port))
		return false;
	host = span_slice(value, 0, colon - 1);
	if (host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']')
		host = span_slice(host, 1, host.length - 2);
	else if (span_find(host, ':') < host.length || span_find(host, '[') < host.length)
		return false;
	listener->host = memory_copy_span(host);
	listener->port = (uint16_t)port;
	return true;
}

static void
add_listener(struct config_listeners *listeners, struct config_listener listener)
{
	listeners->at = memory_resize(listeners->at, listeners->count + 1, sizeof *listeners->at);
	listeners->at[listeners->count++] = listener;
}

static bool
set_listen(const struct option *option, struct config *config, const struct span *values,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_listener listener = { .is_tls = span_equals(values[0], SPAN("imaps")) };

	if (!listener.is_tls && !span_equals(values[0], SPAN("imap")))
		return wrong(reason_out, values[0], "\"imap\" or \"imaps\"");
	*word_out = 1;
	if (!read_address(values[1], &listener))
		return wrong(reason_out, values[1], "ADDRESS:PORT or [IPV6]:PORT");
	add_listener(member(option, config), listener);
	return true;
}

static bool
set_lmtp_listen(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	struct config_listener listener = { 0 };

	if (span_equals(value, SPAN("none")))
		return true;
	if (value.length > 0 && value.at[0] == '/')
		listener.path = memory_copy_span(value);
	else if (!read_address(value, &listener))
		return wrong(reason_out, value, "an absolute path, ADDRESS:PORT or \"none\"");
	add_listener(member(option, config), listener);
	return true;
}

/* TCP alone: what comes there speaks TLS from the first octet. */
static bool
set_link_listen(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	struct config_listener listener = { .is_tls = true };

	if (span_equals(value, SPAN("none")))
		return true;
	if (!read_address(value, &listener))
		return wrong(reason_out, value, "ADDRESS:PORT or \"none\"");
	add_listener(member(option, config), listener);
	return true;
}

/* A name that homes of users can have, and where that server listens. */
static bool
set_server(const struct option *option, struct config *config, const struct span *values,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_servers *servers = member(option, config);
	struct config_listener address = { 0 };

	if (values[0].length == 0)
		return wrong(reason_out, values[0], "a name");
	for (size_t i = 0; i < servers->count; i++)
		if (span_equals(values[0], span_from_string(servers->at[i].name)))
			return wrong(reason_out, values[0], "a name of its own: there is one before");
	*word_out = 1;
	if (!read_address(values[1], &address) || address.port == 0) {
		free(address.host);
		return wrong(reason_out, values[1], "HOST:PORT or [IPV6]:PORT");
	}
	free(address.host);
	servers->at = memory_resize(servers->at, servers->count + 1, sizeof *servers->at);
	servers->at[servers->count++] = (struct config_server){ memory_copy_span(values[0]),
		memory_copy_span(values[1]) };
	return true;
}

static bool
is_ldap_uri(struct span value)
{
	static const struct span schemes[] = { SPAN("ldap://"), SPAN("ldaps://"), SPAN("ldapi://") };

	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (span_starts_with(value, schemes[i]) && value.length > schemes[i].length)
			return span_find(value, ',') == value.length;
	return false;
}

static bool
add_server(struct config_uris *servers, struct span uri, struct buffer *reason_out)
{
	if (!is_ldap_uri(uri))
		return wrong(reason_out, uri, "ldap://HOST, ldaps://HOST or ldapi://PATH");
	servers->at = memory_resize(servers->at, servers->count + 1, sizeof *servers->at);
	servers->at[servers->count++] = memory_copy_span(uri);
	return true;
}

/* The kind of directory; behind ldap come its servers, behind link the mailbox server that is asked. */
static bool
set_directory(const struct option *option, struct config *config, const struct span *values,
    size_t count, size_t *word_out, struct buffer *reason_out)
{
	if (!set_word(option, config, values[0], reason_out))
		return false;
	if ((config->directory == CONFIG_DIRECTORY_SQLITE) != (count == 1) ||
	    (config->directory == CONFIG_DIRECTORY_LINK && count != 2)) {
		buffer_add_string(reason_out, "directory takes sqlite, or ldap and its servers, or link "
		    "and a mailbox server");
		return false;
	}
#ifndef HAVE_LDAP
	if (config->directory == CONFIG_DIRECTORY_LDAP) {
		buffer_add_string(reason_out, "this imapd was built without LDAP");
		return false;
	}
#endif
	if (config->directory == CONFIG_DIRECTORY_LINK) {
		config->directory_server = memory_copy_span(values[1]);
		return true;
	}
	while (++*word_out < count)
		if (!add_server(&config->ldap_servers, values[*word_out], reason_out))
			return false;
	return true;
}

bool
option_set(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out)
{
	*word_out = 0;
	switch (option->kind) {
	case STRING:
	case PATH:
		return set_string(option, config, values[0], reason_out);
	case BOOL:
		return set_bool(option, config, values[0], reason_out);
	case WORD:
		return set_word(option, config, values[0], reason_out);
	case LISTEN:
		return set_listen(option, config, values, word_out, reason_out);
	case LMTP_LISTEN:
		return set_lmtp_listen(option, config, values[0], reason_out);
	case LINK_LISTEN:
		return set_link_listen(option, config, values[0], reason_out);
	case SERVER:
		return set_server(option, config, values, word_out, reason_out);
	case DIRECTORY:
		return set_directory(option, config, values, count, word_out, reason_out);
	default:
		return set_number(option, config, values[0], reason_out);
	}
}

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
		if (listener->path != NULL)
			print_string(listener->path, out);
		else
			buffer_printf(out, strchr(listener->host, ':') ? "[%s]:%u" : "%s:%u",
			    listener->host, listener->port);
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
	const void *value = member(option, config);

	if (option->kind == SERVER) {
		print_mailbox_servers(option, value, out);
		return;
	}
	if (option_is_repeatable(option)) {
		print_listeners(option, value, out);
		return;
	}
	if ((option->kind == STRING || option->kind == PATH) && *(char *const *)value == NULL)
		return;
	buffer_printf(out, "%s ", option->name);
	if (option->kind == STRING || option->kind == PATH)
		print_string(*(char *const *)value, out);
	else if (option->kind == BOOL)
		buffer_add_string(out, *(const bool *)value ? "yes" : "no");
	else if (option->kind == WORD || option->kind == DIRECTORY)
		buffer_add_string(out, word_text(option, *(const int *)value));
	else if (option->kind == AUTO_NUMBER && *(const uint64_t *)value == 0)
		buffer_add_string(out, "auto");
	else
		buffer_add_number(out, *(const uint64_t *)value);
	if (option->kind == DIRECTORY)
		print_servers(&config->ldap_servers, out);
	if (option->kind == DIRECTORY && config->directory_server != NULL) {
		buffer_add_octet(out, ' ');
		print_string(config->directory_server, out);
	}
	buffer_add_octet(out, '\n');
}

void
option_fini(const struct option *option, struct config *config)
{
	if (option->kind == STRING || option->kind == PATH)
		free(*(char **)member(option, config));
	if (option->kind == DIRECTORY) {
		for (size_t i = 0; i < config->ldap_servers.count; i++)
			free(config->ldap_servers.at[i]);
		free(config->ldap_servers.at);
		free(config->directory_server);
	}
	if (option->kind == SERVER) {
		for (size_t i = 0; i < config->mailbox_server.count; i++) {
			free(config->mailbox_server.at[i].name);
			free(config->mailbox_server.at[i].address);
		}
		free(config->mailbox_server.at);
	} else if (option_is_repeatable(option)) {
		struct config_listeners *listeners = member(option, config);

		for (size_t i = 0; i < listeners->count; i++) {
			free(listeners->at[i].path);
			free(listeners->at[i].host);
		}
		free(listeners->at);
	}
}
