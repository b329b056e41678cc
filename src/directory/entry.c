/*
 * Searching for a user's entry and reading it (RFC 4511 section 4.5).  The modification time of the entry
 * goes into the credential's version, so that passwords found right before a change are not believed after
 * it.  Worker thread.
 */
#include "entry.h"

#include <sys/time.h>

#include "base/digest.h"
#include "base/log.h"

#define VERSION_ATTRIBUTE "modifyTimestamp"	/* RFC 4512 section 3.4.4; AD has it, too */
#define ENTRIES_MAX 2				/* enough to know that there are several */

struct finding {
	const struct entry_search *search;
	struct arena *arena;
	struct directory_user user;	/* when entries is 1 */
	int entries;
	bool is_usable;			/* name and home can be what they are for */
};

static struct span
value_span(const struct berval *value)
{
	return span_of(value->bv_val, value->bv_len);
}

/*
 * A user may have several names.  The one asked for is best; otherwise the first in the order of octets,
 * since the order of values means nothing (RFC 4511 section 4.1.7).
 */
static bool
choose_name(struct berval **values, struct span wanted, struct directory_name *name_out)
{
	bool is_found = false;
	struct directory_name name;

	for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
		if (!directory_prepare_name(value_span(values[i]), &name))
			continue;
		if (is_found && !span_equals(directory_name_span(&name), wanted) &&
		    span_compare(directory_name_span(&name), directory_name_span(name_out)) > 0)
			continue;
		*name_out = name;
		is_found = true;
		if (span_equals(directory_name_span(&name), wanted))
			break;
	}
	return is_found;
}

static bool
read_name(LDAP *ldap, LDAPMessage *entry, struct finding *finding)
{
	struct berval **values = ldap_get_values_len(ldap, entry, finding->search->user_attribute);
	struct directory_name name;
	bool is_found = choose_name(values, finding->search->name, &name);

	if (is_found)
		finding->user.name = arena_copy(finding->arena, directory_name_span(&name));
	ldap_value_free_len(values);
	return is_found;
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

	finding->is_usable = dn != NULL && dn[0] != '\0' && read_name(ldap, entry, finding) &&
	    read_home(ldap, entry, finding);
	if (finding->is_usable) {
		finding->user.credential = arena_copy(finding->arena, span_from_string(dn));
		finding->user.credential_version =
		    version_of(ldap, entry, finding->user.credential);
		finding->user.is_enabled = true;	/* whoever is not: the filter leaves them out */
	}
	ldap_memfree(dn);
}

static int
ask(LDAP *ldap, void *context)
{
	struct finding *finding = context;
	const struct entry_search *search = finding->search;
	char version[] = VERSION_ATTRIBUTE;
	char *attributes[] = { (char *)(uintptr_t)search->user_attribute, version,
		(char *)(uintptr_t)search->home_attribute, NULL };
	struct timeval timeout = { .tv_sec = (time_t)search->timeout_s };
	LDAPMessage *found = NULL;
	int result = ldap_search_ext_s(ldap, search->base, LDAP_SCOPE_SUBTREE, search->filter, attributes,
	    0, NULL, NULL, &timeout, ENTRIES_MAX, &found);

	finding->entries = found == NULL ? 0 : ldap_count_entries(ldap, found);
	if (finding->entries == 1)
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
    struct directory_user *user_out)
{
	struct finding finding = { .search = search, .arena = arena };
	int result = servers_ask(servers, SERVERS_SEARCH, ask, &finding);

	if (result == LDAP_SERVER_DOWN)		/* logged for each server */
		return DIRECTORY_UNAVAILABLE;
	if (result == LDAP_SIZELIMIT_EXCEEDED || (result == LDAP_SUCCESS && finding.entries > 1))
		return log_failure(search, "ldap-ambiguous", "several entries fit", DIRECTORY_NOT_FOUND);
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
	return DIRECTORY_OK;
}
