/*
 * A map of those users alone for whom something is said.
 */
#include "limits.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

struct limits {
	struct map *by_id;
};

struct known {
	char *mailbox_id;
	struct store_amounts amounts;
};

struct limits *
limits_new(void)
{
	struct limits *limits = NEW(struct limits);

	limits->by_id = map_new();
	return limits;
}

static void
forget(struct known *known)
{
	free(known->mailbox_id);
	free(known);
}

void
limits_free(struct limits **limits)
{
	size_t position = 0;
	struct span id;
	void *known;

	if (*limits == NULL)
		return;
	while (map_next((*limits)->by_id, &position, &id, &known))
		forget(known);
	map_free(&(*limits)->by_id);
	free(*limits);
	*limits = NULL;
}

static bool
is_as_configured(const struct store_amounts *amounts)
{
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		if (amounts->of[i] != 0)
			return false;
	return true;
}

bool
limits_set(struct limits *limits, const char *mailbox_id, const struct store_amounts *amounts)
{
	struct known *known = map_get(limits->by_id, span_from_string(mailbox_id));

	if (known == NULL ? is_as_configured(amounts) : memcmp(&known->amounts, amounts, sizeof *amounts) == 0)
		return false;
	if (known == NULL) {
		known = NEW(struct known);
		known->mailbox_id = memory_copy_string(mailbox_id);
		map_put(limits->by_id, span_from_string(known->mailbox_id), known);
	}
	known->amounts = *amounts;
	if (is_as_configured(amounts)) {
		map_remove(limits->by_id, span_from_string(known->mailbox_id));
		forget(known);
	}
	return true;
}

struct store_amounts
limits_of(const struct limits *limits, const char *mailbox_id)
{
	const struct known *known = map_get(limits->by_id, span_from_string(mailbox_id));

	return known != NULL ? known->amounts : (struct store_amounts){ { 0 } };
}
