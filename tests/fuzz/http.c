/*
 * Heads of HTTP requests over any octets.  The outcome at each length must agree with those before it: what is refused
 * stays refused, what is done stays done whatever comes behind; and what was read holds nothing that could be read
 * otherwise.
 */
#include <assert.h>

#include "../../src/http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
check_done(const struct head *head, struct span input)
{
	assert(head->length > 0 && head->length <= input.length && head->length <= HEAD_MAX);
	assert(head->method.length > 0 && head->path.length > 0);
	assert(head->path.at[0] == '/' || span_equals(head->path, SPAN("*")));
	assert(span_find(head->path, '?') == head->path.length);
	assert(head->minor == 0 || head_field(head, "Host").at != NULL);
	assert(head_field(head, "Transfer-Encoding").at == NULL);
	for (size_t i = 0; i < head->field_count; i++) {
		struct span value = head->fields[i].value;

		assert(span_find(value, '\n') == value.length && span_find(value, '\r') == value.length);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct head head, first;
	struct head_fault fault;
	enum head_outcome before = HEAD_NEED_MORE;

	for (size_t length = 0; length <= size; length++) {
		struct span input = span_of(octets, length);
		enum head_outcome outcome = head_parse(input, &head, &fault);

		assert(before == HEAD_NEED_MORE || outcome == before);
		assert(outcome != HEAD_WRONG || (fault.status >= 400 && fault.status < 600));
		if (outcome == HEAD_DONE)
			check_done(&head, input);
		if (outcome == HEAD_DONE && before == HEAD_DONE)
			assert(head.length == first.length && head.field_count == first.field_count);
		first = head;
		before = outcome;
	}
	return 0;
}
