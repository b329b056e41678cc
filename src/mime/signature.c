/*
 * Sets of trigrams by one multiplication each.  Any thread.
 */
#include "mime/signature.h"

#include <gnu/libc-version.h>
#include <stdlib.h>
#include <unistring/version.h>

#define ALGORITHM   2		/* of what is added to an index for a message, and of the buckets; raise it with either */
#define BUCKET_BITS 14

static uint16_t
bucket_of(uint32_t trigram)
{
	return (uint16_t)((trigram & 0xffffff) * 2654435761u >> (32 - BUCKET_BITS));
}

void
mime_signature_add(struct mime_signature *signature, struct span text)
{
	uint32_t trigram;

	if (text.length < 3)
		return;
	trigram = (uint32_t)text.at[0] << 8 | text.at[1];
	for (size_t i = 2; i < text.length; i++) {
		uint16_t bucket;

		trigram = trigram << 8 | text.at[i];
		bucket = bucket_of(trigram);
		signature->bits[bucket / 8] |= (uint8_t)(1u << bucket % 8);
	}
}

static int
compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

size_t
mime_signature_key(struct span key, uint16_t buckets_out[MIME_SIGNATURE_KEY_BUCKETS])
{
	size_t count = 0, kept = 0;

	key = span_slice(key, 0, MIME_SIGNATURE_KEY_OCTETS);
	for (size_t i = 0; i + 3 <= key.length; i++)
		buckets_out[count++] = bucket_of((uint32_t)key.at[i] << 16 | (uint32_t)key.at[i + 1] << 8 | key.at[i + 2]);
	qsort(buckets_out, count, sizeof *buckets_out, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || buckets_out[i] != buckets_out[kept - 1])
			buckets_out[kept++] = buckets_out[i];
	return kept;
}

bool
mime_signature_has(const struct mime_signature *signature, const uint16_t *buckets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((signature->bits[buckets[i] / 8] & 1u << buckets[i] % 8) == 0)
			return false;
	return true;
}

/* A set that has no more room than two would share is full, so that each takes some text. */
bool
mime_signature_fill(struct mime_signature *signature, uint32_t *octets, struct span *text)
{
	size_t room = MIME_SIGNATURE_TEXT_OCTETS - *octets;

	if (text->length > room && room <= MIME_SIGNATURE_OVERLAP)
		return true;
	mime_signature_add(signature, span_slice(*text, 0, room));
	if (text->length > room) {
		*octets = MIME_SIGNATURE_TEXT_OCTETS;
		*text = span_from(*text, room - MIME_SIGNATURE_OVERLAP);
		return true;
	}
	*octets += (uint32_t)text->length;
	*text = span_from(*text, text->length);
	return false;
}

/* Decoding is done by the C library's iconv(3), folding by libunistring. */
uint64_t
mime_signature_version(void)
{
	uint64_t version = ALGORITHM;

	for (const char *at = gnu_get_libc_version(); *at != '\0'; at++)
		version = version * 31 + (uint8_t)*at;
	version = version * 1000003 + (uint64_t)_libunistring_version;
	return version & INT64_MAX;
}
