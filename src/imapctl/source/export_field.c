#include "export_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
export_field_write(const struct export_field *field, struct buffer *out)
{
	buffer_printf(out, EXPORT_FIELD_NAME ": uidvalidity=%u uid=%u octets=%llu date=%lld lines=%s\n", field->uidvalidity,
	    field->uid, (unsigned long long)field->octets, (long long)field->date_s, field->is_kept ? "kept" : "lf");
}

bool
export_field_read(struct span value, struct export_field *out)
{
	char text[200], lines[5];
	int end = 0;

	*out = (struct export_field){ 0 };
	value = span_trim(span_without_line_end(value));
	snprintf(text, sizeof text, "%.*s", SPAN_ARGS(span_slice(value, 0, sizeof text - 1)));
	if (sscanf(text, "uidvalidity=%10" SCNu32 " uid=%10" SCNu32 " octets=%20" SCNu64 " date=%20" SCNd64 " lines=%4s%n",
	    &out->uidvalidity, &out->uid, &out->octets, &out->date_s, lines, &end) != 5 || (size_t)end != value.length)
		return false;
	out->is_kept = strcmp(lines, "kept") == 0;
	return out->is_kept || strcmp(lines, "lf") == 0;
}
