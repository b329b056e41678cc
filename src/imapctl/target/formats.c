/*
 * Finding a target by the name of its format.
 */
#include <errno.h>
#include <string.h>

#include "../source/manifest.h"
#include "base/memory.h"
#include "target.h"

static const struct {
	const char *kind;
	struct target *(*open)(const char *root, const char *user, enum target_status *status_out);
} kinds[] = {
	{ "maildir", maildir_target_open },
	{ "mbox", mbox_target_open },
	{ "eml", eml_target_open },
};

/* The number of a format; COUNT_OF(kinds): there is none of this name. */
static size_t
find_kind(const char *kind, const char *root)
{
	struct manifest manifest = { 0 };
	size_t number = 0;

	if (kind == NULL && manifest_read(root, &manifest))
		kind = manifest.kind;
	while (kind != NULL && number < COUNT_OF(kinds) && strcmp(kinds[number].kind, kind) != 0)
		number++;
	manifest_free(&manifest);
	return number;
}

struct target *
target_open(const char *kind, const char *root, const char *user, enum target_status *status_out, int *error_out,
    struct buffer *trouble_out)
{
	size_t number = find_kind(kind, root);
	struct target *target;

	*status_out = TARGET_FAILED;
	*error_out = EINVAL;
	if (number == COUNT_OF(kinds)) {
		buffer_printf(trouble_out, "no such format to export to: %s; there are maildir, mbox and eml", kind);
		return NULL;
	}
	target = kinds[number].open(root, user, status_out);
	if (*status_out == TARGET_OK)
		return target;
	*error_out = target->error;
	buffer_add_span(trouble_out, buffer_span(&target->trouble));
	target->close(target);
	return NULL;
}
