#include "lines.h"

#include <stdlib.h>

#include "base/buffer.h"

bool
lines_open(struct lines *lines, const char *folder, const char *name)
{
	struct buffer path = { 0 };

	buffer_printf(&path, "%s/%s", folder, name);
	*lines = (struct lines){ .file = fopen(buffer_string(&path), "re") };
	buffer_free(&path);
	return lines->file != NULL;
}

bool
lines_next(struct lines *lines, struct span *text_out)
{
	ssize_t length = getline(&lines->line, &lines->room, lines->file);

	if (length <= 0)
		return false;
	*text_out = span_of(lines->line, (size_t)length - (lines->line[length - 1] == '\n'));
	return true;
}

void
lines_close(struct lines *lines)
{
	fclose(lines->file);
	free(lines->line);
}
