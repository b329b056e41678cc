/*
 * Searching for a user's entry and reading it (RFC 4511 section 4.5).  The modification time of the entry
 * goes into the credential's version, so that passwords found right before a change are not believed after
 * it.  What an entry is known by outlives its names and its place: RFC 4530, or what other servers have for it.
 * Worker thread.
 */
#include "entry.h"

#include <sys/time.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "group.h"
#include "pattern.h"
#include "permit.h"

#define VERSION_ATTRIBUTE "modifyTimestamp"	/* RFC 4512 section 3.4.4; AD has it, too */
#define ENTRIES_MAX 2				/* enough to know that there are several */

/* Attributes that no two entries share and that never change; the first that an entry has counts. */
static const struct {
	const char *name;
	bool is_binary;
} identities[] = {
	{ "entryUUID",	false },	/* RFC 4530: OpenLDAP and most others */
	{ "objectGUID",	true },		/* Active Directory */
	{ "nsUniqueId",	false },	/* 389 Directory Server */
};

struct finding {
	const struct entry_search *search;
	struct arena *arena;
	struct directory_user user;	/* when entries is 1 */
	struct entry_names names;
	int entries;
	bool is_counting;		/* no more is asked for */
	bool is_usable;			/* name and home can be what they are for */
};

static struct span
value_span(const struct berval *value)
{
	return span_of(value->bv_val, value->bv_len);
}

/*
 * Whether a name is the better one to go on with.  The one asked for is best, since it leads to this entry alone;
 * otherwise the first in the order of octets, since the order of values means nothing (RFC 4511 section 4.1.7).
 */
static bool
is_better(struct span name, struct span other, struct span wanted)
{
	if (span_equals(name, wanted) != span_equals(other, wanted))
		return span_equals(name, wanted);
	return span_compare(name, other) < 0;
}

/* Put a name among those found, the best one first. */
static void
add_name(struct entry_names *names, struct span name, struct span wanted)
{
	struct span first = names->at[0];

	if (names->count > 0 && is_better(name, first, wanted)) {
		names->at[0] = name;
		name = first;
	}
	names->at[names->count++] = name;
}

static bool
read_names(LDAP *ldap, LDAPMessage *entry, struct finding *finding)
{
	struct berval **values = ldap_get_values_len(ldap, entry, finding->search->user_attribute);
	struct entry_names *names = &finding->names;
	struct directory_name name;
	int count = values == NULL ? 0 : ldap_count_values_len(values);

	names->at = arena_alloc_array(finding->arena, (size_t)count + 1, sizeof *names->at);
	for (int i = 0; i < count; i++) {
		if (directory_prepare_name(value_span(values[i]), &name))
			add_name(names, arena_copy(finding->arena, directory_name_span(&name)),
			    finding->search->name);
	}
	finding->user.name = names->at[0];
	ldap_value_free_len(values);
	return names->count > 0;
}

/* "attribute=value": text in lower case, octets as hexadecimal digits. */
static struct span
identity_text(const char *attribute, struct span value, bool is_binary, struct arena *arena)
{
	struct buffer text = { 0 };
	struct span kept;

	buffer_printf(&text, "%s=", attribute);
	for (size_t i = 0; i < value.length; i++) {
		if (is_binary)
			buffer_printf(&text, "%02x", value.at[i]);
		else
			buffer_add_octet(&text, ascii_lower(value.at[i]));
	}
	kept = arena_copy(arena, buffer_span(&text));
	buffer_free(&text);
	return kept;
}

struct span
entry_of_dn(struct span dn, struct arena *arena)
{
	return identity_text("dn", dn, false, arena);
}

static struct span
identity_of(LDAP *ldap, LDAPMessage *entry, struct span dn, struct arena *arena)
{
	struct span identity = { NULL, 0 };

	for (size_t i = 0; i < COUNT_OF(identities) && identity.length == 0; i++) {
		struct berval **values = ldap_get_values_len(ldap, entry, identities[i].name);

		if (values != NULL && values[0] != NULL && values[0]->bv_len > 0)
			identity = identity_text(identities[i].name, value_span(values[0]),
			    identities[i].is_binary, arena);
		ldap_value_free_len(values);
	}
	return identity.length > 0 ? identity : entry_of_dn(dn, arena);
}

/* A server's name obeys the same rules as a user's.  None at all: this host. */
static bool
read_home(LDAP *ldap, LDAPMessage *entry, struct finding *finding)
{
	struct berval **values;
	struct directory_name home = { .length = 0 };
	bool is_good = true;

	if (finding->search->home_attribute == NULL)
		return true;
	values = ldap_get_values_len(ldap, entry, finding->search->home_attribute);
	if (values != NULL && values[0] != NULL)
		is_good = directory_prepare_name(value_span(values[0]), &home);
	finding->user.home = arena_copy(finding->arena, directory_name_span(&home));
	ldap_value_free_len(values);
	return is_good;
}

/* What is not understood leaves what is configured. */
static void
read_quota(LDAP *ldap, LDAPMessage *entry, struct finding *finding)
{
	const struct entry_search *search = finding->search;
	struct berval **values = ldap_get_values_len(ldap, entry, search->quota_attribute);

	for (size_t i = 0; values != NULL && values[i] != NULL; i++)
		if (!directory_read_quota(value_span(values[i]), search->quota_unit, &finding->user.quota))
			log_warning("ldap-failed", log_span("user", finding->user.name),
			    log_text("reason", "the quota is not understood"), log_span("quota", value_span(values[i])));
	ldap_value_free_len(values);
}

static uint64_t
version_of(LDAP *ldap, LDAPMessage *entry, struct span dn)
{
	struct berval **values = ldap_get_values_len(ldap, entry, VERSION_ATTRIBUTE);
	struct digest *digest = digest_new();
	uint8_t octets[DIGEST_LENGTH];
	uint64_t version;

	digest_add(digest, dn);
	if (values != NULL && values[0] != NULL) {
		digest_add(digest, SPAN("\0"));
		digest_add(digest, value_span(values[0]));
	}
	digest_finish(&digest, octets);
	ldap_value_free_len(values);
	memcpy(&version, octets, sizeof version);
	return version;
}

static void
read_entry(LDAP *ldap, LDAPMessage *entry, struct finding *finding)
{
	char *dn = ldap_get_dn(ldap, entry);

	finding->is_usable = dn != NULL && dn[0] != '\0' && read_names(ldap, entry, finding) &&
	    read_home(ldap, entry, finding);
	if (finding->is_usable) {
		finding->user.credential = arena_copy(finding->arena, span_from_string(dn));
		finding->user.credential_version =
		    version_of(ldap, entry, finding->user.credential);
		finding->user.entry = identity_of(ldap, entry, finding->user.credential, finding->arena);
		finding->user.is_enabled = true;	/* whoever is not: the filter leaves them out */
		if (finding->search->delegate_attribute != NULL)
			permit_read(ldap, entry, finding->search->delegate_attribute, finding->arena, &finding->user);
		if (finding->search->quota_attribute != NULL)
			read_quota(ldap, entry, finding);
		if (finding->search->group_attribute != NULL)
			groups_add(ldap, entry, finding->search->group_attribute, finding->arena, &finding->user);
	}
	ldap_memfree(dn);
}

static int
ask(LDAP *ldap, void *context)
{
	struct finding *finding = context;
	const struct entry_search *search = finding->search;
	char version[] = VERSION_ATTRIBUTE;
	char *attributes[COUNT_OF(identities) + 7] = { (char *)(uintptr_t)search->user_attribute, version };
	struct timeval timeout = { .tv_sec = (time_t)search->timeout_s };
	LDAPMessage *found = NULL;
	size_t count = 2;
	int result;

	for (size_t i = 0; i < COUNT_OF(identities); i++)
		attributes[count++] = (char *)(uintptr_t)identities[i].name;
	if (search->home_attribute != NULL)
		attributes[count++] = (char *)(uintptr_t)search->home_attribute;
	if (search->delegate_attribute != NULL)
		attributes[count++] = (char *)(uintptr_t)search->delegate_attribute;
	if (search->quota_attribute != NULL)
		attributes[count++] = (char *)(uintptr_t)search->quota_attribute;
	attributes[count] = (char *)(uintptr_t)search->group_attribute;
	result = ldap_search_ext_s(ldap, search->base, LDAP_SCOPE_SUBTREE, search->filter, attributes,
	    0, NULL, NULL, &timeout, ENTRIES_MAX, &found);
	finding->entries = found == NULL ? 0 : ldap_count_entries(ldap, found);
	if (finding->entries == 1 && !finding->is_counting)
		read_entry(ldap, ldap_first_entry(ldap, found), finding);
	ldap_msgfree(found);
	return result;
}

static enum directory_status
log_failure(const struct entry_search *search, const char *event, const char *reason,
    enum directory_status status)
{
	log_warning(event, log_span("user", search->name), log_text("reason", reason),
	    log_text("base", search->base), log_text("filter", search->filter));
	return status;
}

enum directory_status
entry_find(struct servers *servers, const struct entry_search *search, struct arena *arena,
    struct directory_user *user_out, struct entry_names *names_out)
{
	struct finding finding = { .search = search, .arena = arena };
	int result = servers_ask(servers, SERVERS_SEARCH, ask, &finding);

	if (result == LDAP_SERVER_DOWN)		/* logged for each server */
		return DIRECTORY_UNAVAILABLE;
	if (result == LDAP_SIZELIMIT_EXCEEDED || (result == LDAP_SUCCESS && finding.entries > 1))
		return log_failure(search, "ldap-ambiguous", "several entries fit", DIRECTORY_AMBIGUOUS);
	if (!search->is_base_fixed &&
	    (result == LDAP_NO_SUCH_OBJECT || result == LDAP_INVALID_DN_SYNTAX))
		return DIRECTORY_NOT_FOUND;
	if (result != LDAP_SUCCESS)
		return log_failure(search, "ldap-failed", ldap_err2string(result), DIRECTORY_UNAVAILABLE);
	if (finding.entries == 0)
		return DIRECTORY_NOT_FOUND;
	if (!finding.is_usable)
		return log_failure(search, "ldap-failed", "the entry's name or home cannot be used",
		    DIRECTORY_CORRUPT);
	*user_out = finding.user;
	*names_out = finding.names;
	return DIRECTORY_OK;
}

/* The filter that finds what is known by this: "attribute=value", with octets as "\xx" (RFC 4515 section 3). */
static void
write_identity_filter(struct span entry, struct buffer *out)
{
	size_t equals = span_find(entry, '=');
	bool is_binary = span_equals(span_slice(entry, 0, equals), SPAN("objectGUID"));

	buffer_add_octet(out, '(');
	buffer_add_span(out, span_slice(entry, 0, equals + 1));
	for (size_t i = equals + 1; is_binary && i + 1 < entry.length; i += 2) {
		buffer_add_octet(out, '\\');
		buffer_add_span(out, span_slice(entry, i, 2));
	}
	if (!is_binary)
		pattern_escape(span_from(entry, equals + 1), out);
	buffer_add_octet(out, ')');
}

enum directory_status
entry_is_there(struct servers *servers, const struct entry_search *search, struct span entry, bool *is_there_out)
{
	struct entry_search question = *search;
	struct buffer filter = { 0 };
	struct finding finding = { .search = &question, .is_counting = true };
	int result;

	write_identity_filter(entry, &filter);
	question.filter = buffer_string(&filter);
	result = servers_ask(servers, SERVERS_SEARCH, ask, &finding);
	buffer_free(&filter);
	*is_there_out = finding.entries > 0;
	return result == LDAP_SUCCESS || result == LDAP_SIZELIMIT_EXCEEDED || result == LDAP_NO_SUCH_OBJECT ?
	    DIRECTORY_OK : DIRECTORY_UNAVAILABLE;
}
