/*
 * i;unicode-casemap: RFC 5051 section 2, by the tables of libunistring.  Characters are folded one by one
 * and not put into canonical order, as the RFC says.  Any thread.
 */
#include "mime/fold.h"

#include <assert.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/memory.h"
#include "utf8.h"

#define WORD_REPEAT(octet) (UINT64_C(0x0101010101010101) * (octet))

/* Eight ASCII octets at once, letters as capitals: bit 7 tells where an octet is from 'a' to 'z'. */
static uint64_t
word_upper(uint64_t word)
{
	uint64_t from_a = word + WORD_REPEAT(0x80 - 'a'), behind_z = word + WORD_REPEAT(0x7F - 'z');

	return word ^ ((from_a & ~behind_z & WORD_REPEAT(0x80)) >> 2);
}

static void
fold_ascii(struct span text, struct buffer *out)
{
	uint8_t *to = buffer_reserve(out, text.length);
	uint64_t word;
	size_t i = 0;

	for (; text.length - i >= sizeof word; i += sizeof word) {
		memcpy(&word, text.at + i, sizeof word);
		word = word_upper(word);
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < text.length; i++)
		to[i] = ascii_upper(text.at[i]);
	out->length += text.length;
}

/* Title case, then what it decomposes to, and what that decomposes to; the longest known gives 18. */
static void
fold_character(uint32_t code_point, struct buffer *out)
{
	ucs4_t waiting[2 * UC_DECOMPOSITION_MAX_LENGTH], parts[UC_DECOMPOSITION_MAX_LENGTH], next;
	size_t count = 0;
	int length, tag;

	waiting[count++] = uc_totitle(code_point);
	while (count > 0) {
		next = waiting[--count];
		if (next < 0x80 || (length = uc_decomposition(next, &tag, parts)) <= 0) {
			utf8_add(out, next);
			continue;
		}
		assert(count + length <= COUNT_OF(waiting));
		while (length > 0)	/* the first comes out first */
			waiting[count++] = parts[--length];
	}
}

void
mime_fold(struct span text, struct buffer *out)
{
	while (text.length > 0) {
		size_t length = utf8_ascii_length(text);
		uint32_t code_point;

		if (length > 0) {
			fold_ascii(span_slice(text, 0, length), out);
		} else if (utf8_read(text, &code_point, &length) == UTF8_VALID) {
			fold_character(code_point, out);
		} else {
			utf8_add(out, UTF8_REPLACEMENT);
			length = 1;
		}
		text = span_from(text, length);
	}
}

bool
mime_fold_contains(struct span text, struct span key)
{
	if (key.length == 0)
		return true;
	return text.length >= key.length && memmem(text.at, text.length, key.at, key.length) != NULL;
}
