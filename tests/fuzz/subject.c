/*
 * Base subjects and message identifiers of any octets: what was stripped has nothing left to strip, and what is a
 * plain identifier is found again as the same one.
 */
#include <assert.h>

#include "mime/message_id.h"
#include "mime/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
strip(struct span text)
{
	struct span base, again;

	mime_subject_strip(text, &base);
	assert(base.length == 0 || (base.at >= text.at && base.at + base.length <= text.at + text.length));
	assert(!mime_subject_strip(base, &again));
	assert(span_equals(base, again));
}

static void
read_ids(struct span value)
{
	struct buffer id = { 0 }, quoted = { 0 }, again = { 0 };
	size_t offset = 0, before = 0, start;

	for (; mime_message_id_next_plain(value, &offset, &id); before = offset) {
		assert(offset > before && offset <= value.length && id.length >= 3);
		buffer_clear(&quoted);
		buffer_add_string(&quoted, "<\"");
		for (size_t i = 0; i < id.length; i++) {
			if (id.at[i] == '"' || id.at[i] == '\\')
				buffer_add_octet(&quoted, '\\');
			buffer_add_octet(&quoted, id.at[i]);
		}
		buffer_add_string(&quoted, "\"@x>");
		buffer_add_string(&id, "@x");
		start = 0;
		if (quoted.length < 900) {
			assert(mime_message_id_next_plain(buffer_span(&quoted), &start, &again));
			assert(span_equals(buffer_span(&id), buffer_span(&again)));
		}
	}
	buffer_free(&id);
	buffer_free(&quoted);
	buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct span input = span_of(octets, size);
	struct buffer base = { 0 };

	strip(input);
	mime_subject_base(input, &base);
	assert(base.length == 0 || (base.at[0] != ' ' && base.at[base.length - 1] != ' '));
	read_ids(input);
	buffer_free(&base);
	return 0;
}
