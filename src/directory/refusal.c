/*
 * Refusals, one for each kind of question.
 */
#include "refusal.h"

enum directory_status
refuse_text(struct directory *directory, struct span name, struct span text)
{
	(void)directory, (void)name, (void)text;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_enabled(struct directory *directory, struct span name, bool is_enabled)
{
	(void)directory, (void)name, (void)is_enabled;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_name(struct directory *directory, struct span name)
{
	(void)directory, (void)name;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_list_members(struct directory *directory, const struct directory_member *after, struct arena *arena,
    struct directory_member *members_out, size_t limit, size_t *count_out)
{
	(void)directory, (void)after, (void)arena, (void)members_out, (void)limit;
	*count_out = 0;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	(void)directory, (void)name, (void)resource, (void)limit;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed)
{
	(void)directory, (void)principal, (void)delegate, (void)is_allowed;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_list_delegates(struct directory *directory, const struct directory_user *principal, struct arena *arena,
    struct span **names_out, size_t *count_out)
{
	(void)directory, (void)principal, (void)arena, (void)names_out;
	*count_out = 0;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	(void)directory, (void)after, (void)arena, (void)users_out, (void)limit;
	*count_out = 0;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	(void)directory, (void)after, (void)arena, (void)retired_out, (void)limit;
	*count_out = 0;
	return DIRECTORY_READ_ONLY;
}

enum directory_status
refuse_count(struct directory *directory, uint64_t *count_out)
{
	(void)directory, (void)count_out;
	return DIRECTORY_READ_ONLY;
}
