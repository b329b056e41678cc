/*
 * LDAP servers by their URIs (RFC 4516), and what was probably meant by one that is none.  Pure.
 */
#include "address.h"
#include "base/memory.h"
#include "options.h"

/* HOST and perhaps a port. */
static struct address
cut_uri_host(struct span value)
{
	struct address parts = { value, { NULL, 0 }, false };

	if (span_find(value, ':') == value.length)
		return parts;
	if (value.at[0] != '[' || value.at[value.length - 1] != ']')
		return address_cut(value);
	parts.host = span_slice(value, 1, value.length - 2);
	parts.is_bracketed = true;
	return parts;
}

/* What is behind the scheme of an LDAP URI (RFC 4516 section 2); a path of ldapi has %2F for its slashes. */
static bool
check_ldap_host(struct setting *setting, size_t word, struct span rest, bool is_local)
{
	struct span host = span_slice(rest, 0, span_find(rest, '/'));
	struct address parts = cut_uri_host(host);
	uint64_t port;

	if (is_local) {
		if (host.length == 0 && rest.length > 1)
			return option_refuse(setting, word + 1, "ldapi://PATH with %2F for each slash of the path");
		return true;
	}
	if (parts.host.length == 0)
		return option_refuse(setting, word + 1, "an LDAP server, since it has no host");
	if (parts.is_bracketed ? !address_is_ipv6(parts.host) : !address_is_host_name(parts.host))
		return option_refuse(setting, word + 1, "an LDAP server, since it has no name or address");
	if (parts.port.at != NULL && (!span_to_number(parts.port, UINT16_MAX, &port) || port == 0))
		return option_refuse(setting, word + 1, "an LDAP server, since it has no port from 1 to 65535");
	return true;
}

static bool
refuse_scheme(struct setting *setting, size_t word)
{
	struct span uri = setting->values[word];
	struct span host = span_slice(uri, 0, span_find(uri, ':'));

	option_refuse(setting, word + 1, "ldap://HOST, ldaps://HOST or ldapi://PATH");
	if (address_is_host_name(host) && span_find(uri, '/') == uri.length && span_find(uri, ',') == uri.length)
		buffer_printf(setting->reason, "; did you mean \"ldap://%.*s\"?", SPAN_ARGS(uri));
	return false;
}

/* "ldap://HOST/ou=people,dc=example,dc=org?uid", as others have it (RFC 4516). */
static bool
has_base(struct span uri)
{
	struct span rest = span_from(uri, span_find(uri, ':') + 3), path = span_from(rest, span_find(rest, '/') + 1);

	return !span_starts_with(uri, SPAN("ldapi:")) && span_find(rest, '/') > 0 && (span_find(path, '=') < path.length ||
	    span_find(path, '?') < path.length);
}

bool
set_ldap_server(struct setting *setting, size_t word)
{
	static const struct span schemes[] = { SPAN("ldap://"), SPAN("ldaps://"), SPAN("ldapi://") };
	struct config_uris *servers = &setting->config->ldap_servers;
	struct span uri = setting->values[word];
	size_t i = 0;

	while (i < COUNT_OF(schemes) && !span_starts_with(uri, schemes[i]))
		i++;
	if (has_base(uri))
		return option_refuse(setting, word + 1, "an LDAP server alone: what is behind its slash goes into ldap-base, ldap-filter "
		    "and ldap-user-attribute");
	if (span_find(uri, ',') < uri.length)
		return option_refuse(setting, word + 1, "one LDAP server: a space parts them, and no comma");
	if (i == COUNT_OF(schemes) || uri.length == schemes[i].length)
		return refuse_scheme(setting, word);
	if (!check_ldap_host(setting, word, span_from(uri, schemes[i].length), i == 2))
		return false;
	servers->at = memory_resize(servers->at, servers->count + 1, sizeof *servers->at);
	servers->at[servers->count++] = memory_copy_span(uri);
	return true;
}
