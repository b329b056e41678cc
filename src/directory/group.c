/*
 * Groups in LDAP: by an attribute of the user's entry, or by a search for those that have the user as a member.
 */
#include "group.h"

#include <stdlib.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/memory.h"

#define NAME_ATTRIBUTE "cn"

/* The value of the first attribute of a distinguished name.  False: it is none. */
static bool
read_dn(struct span value, struct directory_name *name_out)
{
	struct berval text = { value.length, (char *)(uintptr_t)value.at };
	LDAPDN dn = NULL;
	bool is_good;

	if (ldap_bv2dn(&text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return false;
	is_good = dn != NULL && dn[0] != NULL && dn[0][0] != NULL &&
	    directory_prepare_group(span_of(dn[0][0]->la_value.bv_val, dn[0][0]->la_value.bv_len), name_out);
	ldap_dnfree(dn);
	return is_good;
}

static int
compare(const void *one, const void *other)
{
	return span_compare(*(const struct span *)one, *(const struct span *)other);
}

/* Put them into order, each once. */
static size_t
arrange(struct span *groups, size_t count)
{
	size_t kept = 0;

	qsort(groups, count, sizeof *groups, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !span_equals(groups[kept - 1], groups[i]))
			groups[kept++] = groups[i];
	return kept;
}

void
groups_add(LDAP *ldap, LDAPMessage *entry, const char *attribute, struct arena *arena, struct directory_user *user)
{
	struct berval **values = ldap_get_values_len(ldap, entry, attribute);
	size_t value_count = values == NULL ? 0 : (size_t)ldap_count_values_len(values), count = user->group_count;
	struct span *groups = arena_alloc_array(arena, count + value_count + 1, sizeof *groups);
	struct directory_name name;

	for (size_t i = 0; i < count; i++)
		groups[i] = user->groups[i];
	for (size_t i = 0; i < value_count; i++) {
		struct span value = span_of(values[i]->bv_val, values[i]->bv_len);

		if (read_dn(value, &name) || directory_prepare_group(value, &name))
			groups[count++] = arena_copy(arena, directory_name_span(&name));
	}
	ldap_value_free_len(values);
	user->groups = groups;
	user->group_count = arrange(groups, count);
}

struct finding {
	const struct group_search *search;
	struct arena *arena;
	struct directory_user *user;
};

static int
ask(LDAP *ldap, void *context)
{
	const struct finding *finding = context;
	char name[] = NAME_ATTRIBUTE, *attributes[] = { name, NULL };
	struct timeval timeout = { .tv_sec = (time_t)finding->search->timeout_s };
	LDAPMessage *found = NULL;
	int result = ldap_search_ext_s(ldap, finding->search->base, LDAP_SCOPE_SUBTREE, finding->search->filter,
	    attributes, 0, NULL, NULL, &timeout, LDAP_NO_LIMIT, &found);

	for (LDAPMessage *entry = ldap_first_entry(ldap, found); result == LDAP_SUCCESS && entry != NULL;
	    entry = ldap_next_entry(ldap, entry))
		groups_add(ldap, entry, NAME_ATTRIBUTE, finding->arena, finding->user);
	ldap_msgfree(found);
	return result;
}

enum directory_status
groups_find(struct servers *servers, const struct group_search *search, struct arena *arena,
    struct directory_user *user)
{
	struct finding finding = { .search = search, .arena = arena, .user = user };
	int result = servers_ask(servers, SERVERS_SEARCH, ask, &finding);

	if (result == LDAP_SUCCESS || result == LDAP_NO_SUCH_OBJECT)
		return DIRECTORY_OK;
	if (result != LDAP_SERVER_DOWN)		/* logged for each server */
		log_warning("ldap-failed", log_span("user", user->name), log_text("reason", ldap_err2string(result)),
		    log_text("base", search->base), log_text("filter", search->filter));
	return DIRECTORY_UNAVAILABLE;
}
