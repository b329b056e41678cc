/*
 * Values of each kind, from text into struct config.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

#define FOLDER_MAX 100	/* octets */

static bool
set_string(struct setting *setting)
{
	char **string = option_place(setting->option, setting->config);
	struct span value = setting->values[0];

	if (value.length == 0)
		return option_refuse(setting, 1, setting->option->kind == PATH ? "an absolute path" : "a name");
	free(*string);
	*string = memory_copy_span(value);
	return true;
}

static bool
set_path(struct setting *setting)
{
	struct span value = setting->values[0];

	if (value.length > 0 && value.at[0] != '/') {
		option_refuse(setting, 1, "an absolute path, which begins with \"/\"");
		hint_path(value, setting->reason);
		return false;
	}
	return set_string(setting);
}

/* "mailto:postmaster@example.org": RFC 3986 section 3.1, as far as one can tell whether it was meant. */
static bool
is_uri(struct span text)
{
	static const struct span letters = SPAN("abcdefghijklmnopqrstuvwxyz0123456789+-.");
	size_t colon = span_find(text, ':');

	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' ||
		    (i < colon && span_find(letters, ascii_lower(text.at[i])) == letters.length))
			return false;
	return colon > 0 && colon + 1 < text.length && !ascii_is_digit(text.at[0]);
}

static bool
set_uri(struct setting *setting)
{
	if (!is_uri(setting->values[0]))
		return option_refuse(setting, 1, "a URI such as mailto:postmaster@example.org");
	return set_string(setting);
}

static bool
set_attribute(struct setting *setting)
{
	if (!ldap_is_attribute(setting->values[0]))
		return option_refuse(setting, 1, "the name of an attribute such as uid");
	return set_string(setting);
}

static bool
set_dn(struct setting *setting)
{
	if (!ldap_is_dn(setting->values[0]))
		return option_refuse(setting, 1, "the name of an entry such as ou=people,dc=example,dc=org");
	return set_string(setting);
}

/* A label of a name: RFC 1035 section 2.3.4 has its size. */
static bool
is_label(struct span label)
{
	static const struct span letters = SPAN("abcdefghijklmnopqrstuvwxyz0123456789-_");

	for (size_t i = 0; i < label.length; i++)
		if (span_find(letters, ascii_lower(label.at[i])) == letters.length)
			return false;
	return label.length > 0 && label.length <= 63 && label.at[0] != '-' && label.at[label.length - 1] != '-';
}

/* A name as in DNS (RFC 1123 section 2.1). */
static bool
is_host(struct span name)
{
	size_t end = span_find(name, '.');

	if (name.length > 253)
		return false;
	for (; end < name.length; end = span_find(name, '.')) {
		if (!is_label(span_slice(name, 0, end)))
			return false;
		name = span_from(name, end + 1);
	}
	return is_label(name);
}

static bool
set_host(struct setting *setting)
{
	struct span value = setting->values[0];

	if (is_host(value))
		return set_string(setting);
	option_refuse(setting, 1, "the name of a host");
	hint_host(value, is_host, setting->reason);
	return false;
}

static const struct option_word *
find_word(const struct option *option, const char *text)
{
	const struct option_word *word = option->words;

	while (word->text != NULL && strcmp(word->text, text) != 0)
		word++;
	return word->text == NULL ? NULL : word;
}

/* A slip is an error, but what else there is to find goes by the word that was meant. */
static bool
set_word(struct setting *setting)
{
	const struct option *option = setting->option;
	int *place = option_place(option, setting->config);
	struct suggestion suggestion = { 0 };
	const char *own = NULL, *note = NULL;

	for (const struct option_word *word = option->words; word->text != NULL; word++) {
		if (span_equals(setting->values[0], span_from_string(word->text))) {
			*place = word->value;
			return true;
		}
		suggestion_consider(&suggestion, setting->values[0], word->text);
	}
	setting_blame(setting, 1);
	if (foreign_find_word(option->name, setting->values[0], &own, &note) && own != NULL)
		suggestion = (struct suggestion){ own, 0 };
	buffer_printf(setting->reason, "%s cannot be ", option->name);
	config_quote(setting->reason, setting->values[0]);
	option_print_choice(option, &suggestion, setting->reason);
	if (note != NULL)
		buffer_printf(setting->reason, "; %s", note);
	hint_quotes(setting->values[0], setting->reason);
	setting->is_meant = suggestion.best != NULL;
	if (setting->is_meant)
		*place = find_word(option, suggestion.best)->value;
	return false;
}

static bool
is_one_of(struct span value, const char *const *words)
{
	while (*words != NULL && !span_equals_nocase(value, span_from_string(*words)))
		words++;
	return *words != NULL;
}

/* Other programs have other words for it. */
static const char *
suggest_bool(struct span value)
{
	static const char *const affirmed[] = { "on", "true", "1", "enabled", "enable", "y", "t", NULL };
	static const char *const denied[] = { "off", "false", "0", "disabled", "disable", "none", "n", "f", NULL };
	struct suggestion suggestion = { 0 };

	if (is_one_of(value, affirmed))
		return "yes";
	if (is_one_of(value, denied))
		return "no";
	suggestion_consider(&suggestion, value, "yes");
	suggestion_consider(&suggestion, value, "no");
	return suggestion.best;
}

static bool
set_bool(struct setting *setting)
{
	bool is_yes = span_equals(setting->values[0], SPAN("yes"));
	const char *meant;

	if (!is_yes && !span_equals(setting->values[0], SPAN("no"))) {
		meant = suggest_bool(setting->values[0]);
		option_refuse(setting, 1, "\"yes\" or \"no\"");
		if (meant != NULL)
			buffer_printf(setting->reason, "; did you mean \"%s\"?", meant);
		return false;
	}
	*(bool *)option_place(setting->option, setting->config) = is_yes;
	return true;
}

/* Printable ASCII: what may stand behind a response in any version of IMAP. */
static bool
set_text(struct setting *setting)
{
	struct span value = setting->values[0];

	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] < ' ' || value.at[i] > '~')
			return option_refuse(setting, 1, "a text of printable ASCII characters");
	return set_string(setting);
}

/* The name of a folder, without any above it. */
static bool
set_folder(struct setting *setting)
{
	struct span value = setting->values[0];
	bool is_good = value.length > 0 && value.length <= FOLDER_MAX && !span_equals_nocase(value, SPAN("INBOX"));

	for (size_t i = 0; i < value.length; i++)
		is_good = is_good && value.at[i] >= ' ' && value.at[i] <= '~' && strchr("/%*\"\\", value.at[i]) == NULL;
	if (!is_good)
		return option_refuse(setting, 1, "a folder's name, in printable ASCII, without /, %, *, \" and \\");
	return set_string(setting);
}

/* The name of a server, or one that begins with "*." and stands for one more label. */
static bool
is_server_name(struct span name)
{
	return is_host(span_from(name, span_starts_with(name, SPAN("*.")) ? 2 : 0));
}

static bool
set_certificate(struct setting *setting)
{
	struct config_certificates *certificates = option_place(setting->option, setting->config);
	const struct span *values = setting->values;

	bool is_good = true;

	if (!is_server_name(values[0]))
		is_good = option_refuse(setting, 1, "a server's name, or \"*.\" and a domain");
	for (size_t i = 0; i < certificates->count; i++)
		if (span_equals_nocase(values[0], span_from_string(certificates->at[i].name)))
			is_good = option_refuse(setting, 1, "a name of its own: there is one before");
	if (!option_are_paths(setting, 1) || !is_good)
		return false;
	certificates->at = memory_resize(certificates->at, certificates->count + 1, sizeof *certificates->at);
	certificates->at[certificates->count++] = (struct config_certificate){ memory_copy_span(values[0]),
		memory_copy_span(values[1]), memory_copy_span(values[2]), setting->place };
	return true;
}

/* An address in the network is easily taken for the network's own. */
static bool
refuse_network(struct setting *setting)
{
	struct config_network network;

	if (!config_network_parse(setting->values[0], &network)) {
		option_refuse(setting, 1, "a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1");
		hint_network(setting->values[0], setting->reason);
		return false;
	}
	option_refuse(setting, 1, "a network: it has bits behind those that count; did you mean \"");
	network_print(&network, setting->reason);
	buffer_add_string(setting->reason, "\"?");
	return false;
}

static bool
set_network(struct setting *setting)
{
	struct config_networks *networks = option_place(setting->option, setting->config);
	struct config_network network;

	if (!network_parse(setting->values[0], &network))
		return refuse_network(setting);
	networks->at = memory_resize(networks->at, networks->count + 1, sizeof *networks->at);
	networks->at[networks->count++] = network;
	return true;
}

static bool
set_names(struct setting *setting)
{
	struct config_uris *names = option_place(setting->option, setting->config);
	bool is_good = true;

	for (size_t i = 0; i < setting->count; i++) {
		if (setting->values[i].length == 0) {
			is_good = option_refuse(setting, i + 1, "a name");
			continue;
		}
		names->at = memory_resize(names->at, names->count + 1, sizeof *names->at);
		names->at[names->count++] = memory_copy_span(setting->values[i]);
	}
	return is_good;
}

static bool
fail(struct setting *setting, size_t word, const char *reason)
{
	setting_blame(setting, word);
	buffer_add_string(setting->reason, reason);
	return false;
}

/* The kind of directory; behind ldap come its servers, behind link the mailbox server that is asked. */
static bool
set_directory(struct setting *setting)
{
	struct config *config = setting->config;
	bool is_good = set_word(setting);

	if (!is_good && !setting->is_meant)
		return false;
	if (config->directory == CONFIG_DIRECTORY_SQLITE)
		return setting->count == 1 ? is_good : fail(setting, 2, "sqlite takes no more words");
	if (setting->count == 1)
		return fail(setting, 1, config->directory == CONFIG_DIRECTORY_LINK ?
			"link needs the name of a mailbox-server behind it" :
			"ldap needs servers behind it, such as ldaps://ldap.example.org");
#ifndef HAVE_LDAP
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		return fail(setting, 1, "this imapd was built without LDAP");
#endif
	if (config->directory == CONFIG_DIRECTORY_LINK) {
		config->directory_server = memory_copy_span(setting->values[1]);
		return setting->count == 2 ? is_good : fail(setting, 3, "link takes the name of one mailbox-server");
	}
	for (size_t word = 1; word < setting->count; word++)
		is_good = set_ldap_server(setting, word) && is_good;
	return is_good;
}

/* What to write instead of the wrong number of words. */
static void
print_usage(const struct option *option, struct buffer *out)
{
	switch (option->kind) {
	case LISTEN:
		buffer_add_string(out, "listen takes imap or imaps, an address, and perhaps proxy");
		break;
	case WEB_LISTEN:
		buffer_printf(out, "%s takes https or http and an address, or none", option->name);
		break;
	case DIRECTORY:
		buffer_add_string(out, "directory takes sqlite, or ldap and its servers, or link and a mailbox server");
		break;
	case CERTIFICATE:
		buffer_add_string(out, "tls-certificate-for takes a server's name, a certificate and its key");
		break;
	case NAMES:
		buffer_printf(out, "%s takes names, up to 64 in a line", option->name);
		break;
	case MASK:
		buffer_add_string(out, "capability-mask takes capabilities, and perhaps user=, address= and id=");
		break;
	case ISSUER:
		buffer_add_string(out, "oauth-issuer takes the name that tokens have for it, and files of keys");
		break;
	case WORDS:
		buffer_printf(out, "%s takes one or more of its words", option->name);
		break;
	case SERVER:
		buffer_printf(out, "%s takes a name and an address", option->name);
		break;
	default:
		buffer_printf(out, "%s takes one value", option->name);
		break;
	}
}

static void
count_words(const struct option *option, size_t *least_out, size_t *most_out)
{
	*least_out = *most_out = 1;
	if (option->kind == DIRECTORY)
		*most_out = 1 + LDAP_SERVERS_MAX;
	else if (option->kind == NAMES || option->kind == WORDS)
		*most_out = OPTION_VALUES_MAX;
	else if (option->kind == MASK)
		*most_out = 4;
	else if (option->kind == WEB_LISTEN)
		*most_out = 2;
	else if (option->kind == ISSUER)
		*most_out = 1 + ISSUER_FILES_MAX;
	else if (option->kind == SERVER)
		*least_out = *most_out = 2;
	else if (option->kind == LISTEN || option->kind == CERTIFICATE)
		*most_out = 3;
	if (option->kind == LISTEN || option->kind == ISSUER)
		*least_out = 2;
	else if (option->kind == CERTIFICATE)
		*least_out = 3;
}

/* `listen imaps` and `listen [::]:993` lack half of it. */
static void
complete_listen(const struct setting *setting)
{
	struct span value = setting->values[0];
	bool is_plain = span_equals(value, SPAN("imap"));
	uint64_t port;

	if (is_plain || span_equals(value, SPAN("imaps")))
		buffer_printf(setting->reason, "; did you mean \"listen %.*s [::]:%s\"?", SPAN_ARGS(value),
		    is_plain ? "143" : "993");
	else if (span_find(value, ':') < value.length)
		buffer_printf(setting->reason, "; did you mean \"listen imaps %.*s\"?", SPAN_ARGS(value));
	else if (span_to_number(value, UINT16_MAX, &port))
		buffer_printf(setting->reason, "; did you mean \"listen %s [::]:%.*s\"?", port == 143 ? "imap" : "imaps",
		    SPAN_ARGS(value));
}

/* What stands behind the first of several words may be of another line. */
static bool
hint_next(const struct setting *setting)
{
	struct span next = setting->values[1];

	if (option_find(next) < OPTION_COUNT)
		buffer_printf(setting->reason, "; %.*s begins a line of its own", SPAN_ARGS(next));
	else if (span_starts_with(next, SPAN(";")) || span_starts_with(next, SPAN("//")))
		buffer_add_string(setting->reason, "; a comment begins with \"#\"");
	else
		return false;
	return true;
}

/* "10 GB" is one value in two words, "a b" two; a number with words behind it is not to be quoted. */
static void
advise_one_value(const struct setting *setting)
{
	if (hint_next(setting))
		return;
	switch (setting->option->kind) {
	case NUMBER:
	case AUTO_NUMBER:
	case SECONDS:
	case PERIOD:
	case SIZE:
		buffer_printf(setting->reason, "; a number and its unit stand together: \"%.*s%.*s\"",
		    SPAN_ARGS(setting->values[0]), SPAN_ARGS(setting->values[1]));
		break;
	case NETWORK:
		buffer_add_string(setting->reason, "; each has a line of its own");
		break;
	default:
		buffer_add_string(setting->reason, "; put quotation marks (\") around one with spaces");
		break;
	}
}

bool
option_takes(struct setting *setting)
{
	const struct option *option = setting->option;
	size_t least, most;

	count_words(option, &least, &most);
	if (setting->count >= least && setting->count <= most)
		return true;
	setting->word = 0;
	print_usage(option, setting->reason);
	if (setting->count == 0) {
		buffer_add_string(setting->reason, ", and there is none");
	} else if (setting->count > most) {
		setting->word = most == 1 ? 1 : most + 1;
		if (most == 1)
			advise_one_value(setting);
	} else if (option->kind == LISTEN) {
		complete_listen(setting);
	}
	return false;
}

bool
option_set(struct setting *setting)
{
	static bool (*const setters[])(struct setting *setting) = { [STRING] = set_string, [HOST] = set_host,
		[PATH] = set_path, [URI] = set_uri, [DN] = set_dn, [ATTRIBUTE] = set_attribute, [NUMBER] = set_number,
		[AUTO_NUMBER] = set_number, [SECONDS] = set_number, [PERIOD] = set_number, [SIZE] = set_number, [BOOL] = set_bool,
		[WORD] = set_word, [TEXT] = set_text, [FOLDER] = set_folder, [LISTEN] = set_listen, [LMTP_LISTEN] = set_lmtp_listen,
		[LINK_LISTEN] = set_link_listen, [LOCAL_LISTEN] = set_local_listen,
		[WEB_LISTEN] = set_web_listen, [OUTGOING] = set_outgoing, [SERVER] = set_server, [DIRECTORY] = set_directory,
		[CERTIFICATE] = set_certificate, [NETWORK] = set_network, [NAMES] = set_names, [WORDS] = set_words,
		[MASK] = set_mask, [ISSUER] = set_issuer };

	return setters[setting->option->kind](setting);
}
