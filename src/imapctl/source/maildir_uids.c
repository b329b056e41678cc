/*
 * dovecot-uidlist: a line "3 V1275660208 N25022 G...", then "UID W1234 :name" each; up to its version 1, and
 * in courierimapuiddb, "1 UIDVALIDITY UIDNEXT", then "UID name".
 */
#include "maildir_uids.h"

#include "lines.h"

/* The name behind the UID and, from version 3 on, behind what else stands before " :". */
static struct span
name_of(struct span rest, bool has_extras)
{
	while (has_extras && rest.length > 1 && !(rest.at[0] == ' ' && rest.at[1] == ':'))
		rest = span_from(rest, 1);
	rest = span_from(rest, has_extras ? 2 : 1);
	return span_slice(rest, 0, span_find(rest, ':'));
}

static void
add_line(struct map *uids, struct span line, bool has_extras)
{
	size_t space = span_find(line, ' ');
	struct span name = name_of(span_from(line, space), has_extras);
	uint64_t uid;

	if (name.length > 0 && span_to_number(span_slice(line, 0, space), UINT32_MAX, &uid) && uid > 0)
		map_put(uids, name, (void *)(uintptr_t)uid);
}

struct map *
maildir_uids_read(const char *path)
{
	bool is_first = true, has_extras = false;
	struct lines lines;
	struct map *uids;
	struct span text;

	if (!lines_open(&lines, path, "dovecot-uidlist") && !lines_open(&lines, path, "courierimapuiddb"))
		return NULL;
	uids = map_new();
	while (lines_next(&lines, &text)) {
		if (is_first)
			has_extras = span_starts_with(text, SPAN("3 "));
		else
			add_line(uids, text, has_extras);
		is_first = false;
	}
	lines_close(&lines);
	return uids;
}
