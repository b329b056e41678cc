/*
 * Replies of any octets, as people see them who look on: whole and cut at every octet they are shown the same, in short
 * lines of printable text.
 */
#include <assert.h>

#include "base/memory.h"
#include "imap/redact.h"

#define LINE_MAX_OCTETS (4 * IMAP_REDACT_MAX + 100)

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
add_line(struct span line, void *context)
{
	assert(line.length <= LINE_MAX_OCTETS);
	for (size_t i = 0; i < line.length; i++)
		assert(line.at[i] >= ' ' && line.at[i] <= '~');
	buffer_add_span(context, line);
	buffer_add_octet(context, '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct imap_redactor redactor = { .left_out = 0 };
	struct buffer whole = { 0 }, cut = { 0 };

	imap_redactor_feed(&redactor, span_of(octets, size), add_line, &whole);
	imap_redactor_fini(&redactor);
	for (size_t i = 0; i < size; i++)
		imap_redactor_feed(&redactor, span_of(octets + i, 1), add_line, &cut);
	imap_redactor_fini(&redactor);
	assert(span_equals(buffer_span(&whole), buffer_span(&cut)));
	buffer_free(&whole);
	buffer_free(&cut);
	return 0;
}
