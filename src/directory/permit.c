/*
 * Delegates by an attribute of the principal's entry, masters by their group.
 */
#include "permit.h"

#include <stdlib.h>

#include "base/memory.h"

void
permit_read(LDAP *ldap, LDAPMessage *entry, const char *attribute, struct arena *arena, struct directory_user *user)
{
	struct berval **values = ldap_get_values_len(ldap, entry, attribute);
	size_t count = values == NULL ? 0 : (size_t)ldap_count_values_len(values);
	struct span *delegates = arena_alloc_array(arena, count + 1, sizeof *delegates);

	for (size_t i = 0; i < count; i++)
		delegates[i] = arena_copy(arena, span_of(values[i]->bv_val, values[i]->bv_len));
	ldap_value_free_len(values);
	user->delegates = delegates;
	user->delegate_count = count;
}

/* Distinguished names as they are compared here: in one form, and without regard to case; NULL: it is none. */
static char *
normal_dn(struct span text)
{
	char *given = memory_copy_span(text), *normal = NULL;

	if (ldap_dn_normalize(given, LDAP_DN_FORMAT_LDAPV3, &normal, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		normal = NULL;
	free(given);
	return normal;
}

static bool
is_same_entry(struct span one, struct span other)
{
	char *first = normal_dn(one), *second = normal_dn(other);
	bool is_same = first != NULL && second != NULL && first[0] != '\0' &&
	    span_equals_nocase(span_from_string(first), span_from_string(second));

	ldap_memfree(first);
	ldap_memfree(second);
	return is_same;
}

static bool
is_delegate(const struct directory_user *principal, const struct directory_user *prover)
{
	bool is = false;

	for (size_t i = 0; i < principal->delegate_count; i++)
		is |= span_equals_nocase(principal->delegates[i], prover->name) ||
		    is_same_entry(principal->delegates[i], prover->credential);
	return is && prover->name.length > 0;
}

static bool
is_in(const struct directory_user *user, const char *group)
{
	for (size_t i = 0; i < user->group_count; i++)
		if (span_equals(user->groups[i], span_from_string(group)))
			return true;
	return false;
}

void
permit_by_entries(struct directory_login *login, const char *master_group)
{
	login->is_master = master_group != NULL && is_in(&login->prover, master_group) &&
	    !is_in(&login->principal, master_group);
	login->is_permitted = login->is_master || is_delegate(&login->principal, &login->prover);
}
