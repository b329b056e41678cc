/*
 * Values of each kind, from text into struct config, and their end.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

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
	char **string = option_place(option, config);

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
	uint64_t number, *place = option_place(option, config);

	if (option->kind == AUTO_NUMBER && span_equals(value, SPAN("auto"))) {
		*place = 0;
		return true;
	}
	if (!read_number(option, value, &number))
		return wrong(reason_out, value, option->kind == SIZE ?
			"a size such as 512K, 64M or 1G" : "a whole number");
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
	*(bool *)option_place(option, config) = is_yes;
	return true;
}

static bool
set_word(const struct option *option, struct config *config, struct span value,
    struct buffer *reason_out)
{
	struct suggestion suggestion = { 0 };

	for (const struct option_word *word = option->words; word->text != NULL; word++) {
		if (span_equals(value, span_from_string(word->text))) {
			*(int *)option_place(option, config) = word->value;
			return true;
		}
		suggestion_consider(&suggestion, value, word->text);
	}
	buffer_printf(reason_out, "%s cannot be \"%.*s\"", option->name, SPAN_ARGS(value));
	option_print_choice(option, &suggestion, reason_out);
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
set_listen(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_listener listener = { .is_tls = span_equals(values[0], SPAN("imaps")),
		.is_proxy = count == 3 };

	if (!listener.is_tls && !span_equals(values[0], SPAN("imap")))
		return wrong(reason_out, values[0], "\"imap\" or \"imaps\"");
	*word_out = 2;
	if (listener.is_proxy && !span_equals(values[2], SPAN("proxy")))
		return wrong(reason_out, values[2], "\"proxy\"");
	*word_out = 1;
	if (!read_address(values[1], &listener))
		return wrong(reason_out, values[1], "ADDRESS:PORT or [IPV6]:PORT");
	add_listener(option_place(option, config), listener);
	return true;
}

/* Printable ASCII: what may stand behind a response in any version of IMAP. */
static bool
set_text(const struct option *option, struct config *config, struct span value, struct buffer *reason_out)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] < ' ' || value.at[i] > '~')
			return wrong(reason_out, value, "a text of printable ASCII characters");
	return set_string(option, config, value, reason_out);
}

/* A name as in DNS, or one that begins with "*." and stands for one more label. */
static bool
is_server_name(struct span name)
{
	static const struct span letters = SPAN("abcdefghijklmnopqrstuvwxyz0123456789-_.");

	if (span_starts_with(name, SPAN("*.")))
		name = span_from(name, 2);
	if (name.length == 0 || name.length > 253 || name.at[0] == '.' || name.at[name.length - 1] == '.')
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (span_find(letters, ascii_lower(name.at[i])) == letters.length)
			return false;
	return true;
}

static bool
set_certificate(const struct option *option, struct config *config, const struct span *values,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_certificates *certificates = option_place(option, config);

	if (!is_server_name(values[0]))
		return wrong(reason_out, values[0], "a server's name, or \"*.\" and a domain");
	for (size_t i = 0; i < certificates->count; i++)
		if (span_equals_nocase(values[0], span_from_string(certificates->at[i].name)))
			return wrong(reason_out, values[0], "a name of its own: there is one before");
	for (*word_out = 1; *word_out < 3; ++*word_out)
		if (values[*word_out].length == 0 || values[*word_out].at[0] != '/')
			return wrong(reason_out, values[*word_out], "an absolute path");
	certificates->at = memory_resize(certificates->at, certificates->count + 1, sizeof *certificates->at);
	certificates->at[certificates->count++] = (struct config_certificate){ memory_copy_span(values[0]),
		memory_copy_span(values[1]), memory_copy_span(values[2]) };
	return true;
}

static bool
set_network(const struct option *option, struct config *config, struct span value, struct buffer *reason_out)
{
	struct config_networks *networks = option_place(option, config);
	struct config_network network;

	if (!network_parse(value, &network))
		return wrong(reason_out, value, "a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1");
	networks->at = memory_resize(networks->at, networks->count + 1, sizeof *networks->at);
	networks->at[networks->count++] = network;
	return true;
}

static bool
set_names(const struct option *option, struct config *config, const struct span *values, size_t count,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_uris *names = option_place(option, config);

	for (*word_out = 0; *word_out < count; ++*word_out) {
		if (values[*word_out].length == 0)
			return wrong(reason_out, values[*word_out], "a name");
		names->at = memory_resize(names->at, names->count + 1, sizeof *names->at);
		names->at[names->count++] = memory_copy_span(values[*word_out]);
	}
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
	add_listener(option_place(option, config), listener);
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
	add_listener(option_place(option, config), listener);
	return true;
}

/* A name that homes of users can have, and where that server listens. */
static bool
set_server(const struct option *option, struct config *config, const struct span *values,
    size_t *word_out, struct buffer *reason_out)
{
	struct config_servers *servers = option_place(option, config);
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
	case TEXT:
		return set_text(option, config, values[0], reason_out);
	case CERTIFICATE:
		return set_certificate(option, config, values, word_out, reason_out);
	case NETWORK:
		return set_network(option, config, values[0], reason_out);
	case NAMES:
		return set_names(option, config, values, count, word_out, reason_out);
	case MASK:
		return option_add_mask(option, config, values, count, word_out, reason_out);
	case WORDS:
		return option_add_words(option, config, values, count, word_out, reason_out);
	case LISTEN:
		return set_listen(option, config, values, count, word_out, reason_out);
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

static void
free_strings(struct config_uris *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->at[i]);
	free(strings->at);
}

static void
free_servers(struct config_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		free(servers->at[i].name);
		free(servers->at[i].address);
	}
	free(servers->at);
}

static void
free_certificates(struct config_certificates *certificates)
{
	for (size_t i = 0; i < certificates->count; i++) {
		free(certificates->at[i].name);
		free(certificates->at[i].certificate);
		free(certificates->at[i].key);
	}
	free(certificates->at);
}

static void
free_listeners(struct config_listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		free(listeners->at[i].path);
		free(listeners->at[i].host);
	}
	free(listeners->at);
}

void
option_fini(const struct option *option, struct config *config)
{
	void *value = option_place(option, config);

	switch (option->kind) {
	case STRING:
	case PATH:
	case TEXT:
		free(*(char **)value);
		break;
	case DIRECTORY:
		free_strings(&config->ldap_servers);
		free(config->directory_server);
		break;
	case SERVER:
		free_servers(value);
		break;
	case CERTIFICATE:
		free_certificates(value);
		break;
	case NETWORK:
		free(((struct config_networks *)value)->at);
		break;
	case MASK:
		option_free_masks(value);
		break;
	case NAMES:
	case WORDS:
		free_strings(value);
		break;
	case LISTEN:
	case LMTP_LISTEN:
	case LINK_LISTEN:
		free_listeners(value);
		break;
	default:
		break;
	}
}
