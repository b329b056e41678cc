/*
 * Two maps: owners by the ids of their mailboxes, and for each identifier the owners by their names.  An owner knows the
 * identifiers, too: what one changes costs by what that one shares, not by what all do.  Loop thread.
 */
#include "share_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

struct shares *
share_map_new(void)
{
	struct shares *shares = NEW(struct shares);

	shares->owners = map_new();
	shares->given = map_new();
	return shares;
}

static struct span
id_of(const struct share_owner *owner)
{
	return span_of(owner->id, DIRECTORY_ID_LENGTH);
}

struct share_owner *
share_map_owner(struct shares *shares, const char *id, struct span name, bool is_shared)
{
	struct share_owner *owner = map_get(shares->owners, span_from_string(id));

	if (owner != NULL)
		return owner;
	owner = NEW(struct share_owner);
	memcpy(owner->id, id, sizeof owner->id);
	owner->name = span_of(memory_copy_span(name), name.length);
	owner->is_shared = is_shared;
	owner->given = map_new();
	map_put(shares->owners, id_of(owner), owner);
	return owner;
}

struct share_owner *
share_map_owner_named(const struct shares *shares, struct span name)
{
	size_t position = 0;
	struct span id;
	void *value;

	while (map_next(shares->owners, &position, &id, &value)) {
		struct share_owner *owner = value;

		if (span_equals(owner->name, name))
			return owner;
	}
	return NULL;
}

static struct given *
given_to(struct shares *shares, struct span identifier)
{
	struct given *given = map_get(shares->given, identifier);

	if (given != NULL)
		return given;
	given = NEW(struct given);
	given->identifier = span_of(memory_copy_span(identifier), identifier.length);
	given->owners = map_new();
	map_put(shares->given, given->identifier, given);
	return given;
}

void
share_map_add(struct shares *shares, struct share_owner *owner, struct span identifier)
{
	struct given *given = given_to(shares, identifier);

	if (map_put(given->owners, owner->name, owner) != NULL)
		return;
	map_put(owner->given, identifier, given);
	if (map_count(owner->given) == 1)
		shares->sharing[owner->is_shared]++;
}

static void
take_identifier(struct shares *shares, struct share_owner *owner, struct span identifier)
{
	map_remove(owner->given, identifier);
	if (map_count(owner->given) == 0)
		shares->sharing[owner->is_shared]--;
}

static void
free_given(struct shares *shares, struct given *given)
{
	map_remove(shares->given, given->identifier);
	map_free(&given->owners);
	free((void *)(uintptr_t)given->identifier.at);
	free(given);
}

static void
leave(struct shares *shares, const struct share_owner *owner, struct given *given)
{
	map_remove(given->owners, owner->name);
	if (map_count(given->owners) == 0)
		free_given(shares, given);
}

void
share_map_drop(struct shares *shares, struct share_owner *owner, struct given *given)
{
	take_identifier(shares, owner, given->identifier);
	leave(shares, owner, given);
}

void
share_map_drop_all(struct shares *shares, struct share_owner *owner)
{
	size_t position = 0;
	struct span key;
	void *value;

	if (map_count(owner->given) == 0)
		return;
	while (map_next(owner->given, &position, &key, &value))
		leave(shares, owner, value);
	map_free(&owner->given);
	owner->given = map_new();
	shares->sharing[owner->is_shared]--;
}

void
share_map_forget(struct shares *shares, struct given *given)
{
	size_t position = 0;
	struct span name;
	void *giver;

	while (map_next(given->owners, &position, &name, &giver))
		take_identifier(shares, giver, given->identifier);
	free_given(shares, given);
}

/* Who is found by the old name is found by the new one. */
void
share_map_rename_owner(struct share_owner *owner, struct span to)
{
	struct span name = span_of(memory_copy_span(to), to.length), identifier;
	size_t position = 0;
	void *value;

	while (map_next(owner->given, &position, &identifier, &value)) {
		struct given *given = value;

		map_remove(given->owners, owner->name);
		map_put(given->owners, name, owner);
	}
	free((void *)(uintptr_t)owner->name.at);
	owner->name = name;
}

void
share_map_rename_identifier(struct shares *shares, struct given *given, struct span to)
{
	size_t position = 0;
	struct span name;
	void *value;

	while (map_next(given->owners, &position, &name, &value)) {
		struct share_owner *giver = value;

		if (!span_equals(giver->name, to))	/* the user's own */
			share_map_add(shares, giver, to);
		take_identifier(shares, giver, given->identifier);
	}
	free_given(shares, given);
}

void
share_map_free_owner(struct shares *shares, struct share_owner *owner)
{
	map_remove(shares->owners, id_of(owner));
	map_free(&owner->given);
	free((void *)(uintptr_t)owner->name.at);
	free(owner);
}

void
share_map_free(struct shares **shares)
{
	size_t position;
	struct span key;
	void *value;

	while (position = 0, map_next((*shares)->given, &position, &key, &value))
		free_given(*shares, value);
	while (position = 0, map_next((*shares)->owners, &position, &key, &value))
		share_map_free_owner(*shares, value);
	map_free(&(*shares)->given);
	map_free(&(*shares)->owners);
	free(*shares);
	*shares = NULL;
}
