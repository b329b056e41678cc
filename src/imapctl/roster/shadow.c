/*
 * shadow(5): name:password:last change:minimum:maximum:warning:inactive:expiry:reserved, days since 1970-01-01.  Which of
 * them are people, the file passwd beside it tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "roster.h"

enum { NAME, PASSWORD, CHANGED, MINIMUM, MAXIMUM, WARNING, INACTIVE, EXPIRES, RESERVED, FIELD_COUNT };

/* login.defs(5): UID_MIN and UID_MAX. */
#define UID_MIN 1000
#define UID_MAX 60000

static bool
split(struct span line, struct span fields[FIELD_COUNT])
{
	struct span rest = line;
	size_t count = 0;

	while (count < FIELD_COUNT && roster_cut(&rest, ':', &fields[count]))
		count++;
	return count == FIELD_COUNT && rest.at == NULL;
}

static bool
is_number_or_nothing(struct span field)
{
	uint64_t number;

	return field.length == 0 || span_to_number(field, INT32_MAX, &number);
}

bool
shadow_is_line(struct span line)
{
	struct span fields[FIELD_COUNT];

	if (!split(line, fields) || fields[CHANGED].length == 0)
		return false;
	for (size_t i = CHANGED; i < RESERVED; i++)
		if (!is_number_or_nothing(fields[i]))
			return false;
	return true;
}

/* name:x:uid:... of passwd(5). */
static void
note_uid(struct roster *roster, struct span line)
{
	struct span rest = line, name, field;
	uint64_t uid;

	if (!roster_cut(&rest, ':', &name) || !roster_cut(&rest, ':', &field) || !roster_cut(&rest, ':', &field) ||
	    !span_to_number(field, UINT32_MAX, &uid))
		return;
	uint64_t *kept = ARENA_NEW(roster->arena, uint64_t);

	*kept = uid;
	map_put(roster->uids, name, kept);
}

void
shadow_begin(struct roster *roster, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buffer beside = { 0 };
	char *text = NULL;
	size_t capacity = 0;
	ssize_t length;
	FILE *file;

	buffer_add(&beside, path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
	buffer_add_string(&beside, "passwd");
	file = fopen(buffer_string(&beside), "re");
	buffer_free(&beside);
	if (file == NULL)
		return;
	roster->uids = map_new();
	while ((length = getline(&text, &capacity, file)) >= 0)
		note_uid(roster, span_without_line_end(span_of(text, (size_t)length)));
	free(text);
	fclose(file);
}

static bool
is_of_system(const struct roster *roster, struct span name)
{
	const uint64_t *uid;

	if (span_equals(name, SPAN("root")))
		return true;
	if (roster->uids == NULL)
		return false;
	uid = map_get(roster->uids, name);
	return uid == NULL || *uid < UID_MIN || *uid > UID_MAX;
}

static int64_t
days(struct span field)
{
	uint64_t number;

	return span_to_number(field, INT32_MAX, &number) ? (int64_t)number : -1;
}

/* The account has ended, or its password has, for so long that it cannot even be changed any more. */
static bool
is_over(const struct roster *roster, const struct span fields[FIELD_COUNT])
{
	int64_t expires = days(fields[EXPIRES]), changed = days(fields[CHANGED]), maximum = days(fields[MAXIMUM]),
		inactive = days(fields[INACTIVE]);

	if (expires >= 0 && roster->today >= expires)
		return true;
	return changed >= 0 && maximum >= 0 && inactive >= 0 && roster->today > changed + maximum + inactive;
}

bool
shadow_read(struct roster *roster, struct span line, struct person *person_out)
{
	struct span fields[FIELD_COUNT];

	*person_out = (struct person){ .refusal = NULL };
	if (line.length == 0 || line.at[0] == '#')
		return false;
	if (!split(line, fields)) {
		person_out->refusal = "this is no line of shadow(5), which has nine fields";
		return true;
	}
	person_out->name = fields[NAME];
	person_out->stored = fields[PASSWORD];
	person_out->is_passed_over = is_of_system(roster, fields[NAME]);
	person_out->is_locked = is_over(roster, fields);
	return true;
}
