/*
 * Compressed files: what goes in comes out, and nothing that is cut or altered passes for whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "../../src/imapctl/source/expand.h"
#include "base/buffer.h"
#include "base/memory.h"

#define ROOM 200000

static char path[] = "/tmp/imapctl-expand-XXXXXX";
static uint8_t plain[100000];

static size_t
by_gzip(struct span in, uint8_t *out)
{
	z_stream stream = { 0 };

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)in.at;
	stream.avail_in = (uInt)in.length;
	stream.next_out = out;
	stream.avail_out = ROOM;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return ROOM - stream.avail_out;
}

static size_t
by_bzip2(struct span in, uint8_t *out)
{
	unsigned length = ROOM;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &length, (char *)(uintptr_t)in.at,
	    (unsigned)in.length, 9, 0, 0), BZ_OK);
	return length;
}

static size_t
by_xz(struct span in, uint8_t *out)
{
	size_t length = 0;

	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, in.at, in.length, out, &length,
	    ROOM), LZMA_OK);
	return length;
}

static size_t
by_zstd(struct span in, uint8_t *out)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t length;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	length = ZSTD_compress2(context, out, ROOM, in.at, in.length);
	ZSTD_freeCCtx(context);
	assert_false(ZSTD_isError(length));
	return length;
}

static size_t
by_lz4(struct span in, uint8_t *out)
{
	LZ4F_preferences_t preferences = { .frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled };
	size_t length = LZ4F_compressFrame(out, ROOM, in.at, in.length, &preferences);

	assert_false(LZ4F_isError(length));
	return length;
}

static void
put_number(uint8_t *at, size_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Dovecot's own container: blocks of 64 KiB, each with its compressed size before it. */
static size_t
by_dovecot_lz4(struct span in, uint8_t *out)
{
	size_t length = 19;

	memcpy(out, "Dovecot-LZ4\x0d\x2a\x9b\xc5\0\1\0\0", 19);
	while (in.length > 0) {
		struct span block = span_slice(in, 0, 65536);
		int size = LZ4_compress_default((const char *)block.at, (char *)out + length + 4,
		    (int)block.length, (int)(ROOM - length - 4));

		assert_true(size > 0);
		put_number(out + length, (size_t)size);
		length += 4 + (size_t)size;
		in = span_from(in, block.length);
	}
	return length;
}

static const struct {
	const char *name;
	size_t (*compress)(struct span in, uint8_t *out);
	bool is_checked;	/* has a checksum, and an end */
} methods[] = {
	{ "gzip", by_gzip, true },
	{ "bzip2", by_bzip2, true },
	{ "xz", by_xz, true },
	{ "zstd", by_zstd, true },
	{ "lz4", by_lz4, true },
	{ "Dovecot's lz4", by_dovecot_lz4, false },
};

static void
write_file(struct span octets)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(octets.at, 1, octets.length, file), octets.length);
	assert_int_equal(fclose(file), 0);
}

/* Write and read: 0 with all in *out, or errno. */
static int
expand(struct span octets, struct buffer *out)
{
	struct stat facts;
	size_t length;
	FILE *file;
	int error;

	write_file(octets);
	buffer_clear(out);
	if ((file = expand_open(path, &facts)) == NULL)
		return errno;
	assert_int_equal(facts.st_size, octets.length);
	while ((length = fread(buffer_reserve(out, 4093), 1, 4093, file)) > 0)
		out->length += length;
	error = ferror(file) ? errno : 0;
	fclose(file);
	return error;
}

static void
test_whole(void **state)
{
	uint8_t *packed = memory_new(2 * ROOM);
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		size_t length = methods[i].compress(span_of(plain, sizeof plain), packed);

		assert_int_equal(expand(span_of(packed, length), &out), 0);
		assert_true(span_equals(buffer_span(&out), span_of(plain, sizeof plain)));
		if (!methods[i].is_checked)
			continue;
		memcpy(packed + length, packed, length);	/* two members, as `cat a.gz b.gz` makes them */
		assert_int_equal(expand(span_of(packed, 2 * length), &out), 0);
		assert_int_equal(out.length, 2 * sizeof plain);
		packed[length] = 'x';
		assert_int_not_equal(expand(span_of(packed, length + 1), &out), 0);
	}
	buffer_free(&out);
	free(packed);
}

/* Whatever place it is cut at, it is not taken for whole. */
static void
test_cut(void **state)
{
	uint8_t *packed = memory_new(ROOM);
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		size_t length = methods[i].compress(span_of(plain, 300), packed);

		for (size_t cut = 20; cut < length; cut++) {
			int error = expand(span_of(packed, cut), &out);

			assert_true(error == ENODATA || error == EILSEQ);
			assert_non_null(expand_error_text(error));
		}
	}
	buffer_free(&out);
	free(packed);
}

static void
test_altered(void **state)
{
	uint8_t *packed = memory_new(ROOM);
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		size_t length = methods[i].compress(span_of(plain, 300), packed);

		for (size_t at = 20; at < length; at++) {
			packed[at] ^= 0x55;
			assert_true(expand(span_of(packed, length), &out) != 0 || !methods[i].is_checked ||
			    span_equals(buffer_span(&out), span_of(plain, 300)));
			packed[at] ^= 0x55;
		}
	}
	buffer_free(&out);
	free(packed);
}

static void
test_not_compressed(void **state)
{
	static const char *const texts[] = { "", "S", "Subject: x\n\n", "BZh9: a field\n\n", "BZ" };
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(expand(span_from_string(texts[i]), &out), 0);
		assert_string_equal(buffer_string(&out), texts[i]);
	}
	buffer_free(&out);
}

static void
test_what_cannot_be_expanded(void **state)
{
	struct buffer out = { 0 };
	struct stat facts;

	(void)state;
	assert_int_equal(expand(SPAN("CRYPTED\x03\x07kkkkkkkkkkkkkkkkkk"), &out), ENOKEY);
	assert_int_equal(expand(SPAN("\x1f\x8b"), &out), ENODATA);
	assert_int_equal(expand(SPAN("Dovecot-LZ4\x0d\x2a\x9b\xc5\x7f\xff\xff\xff"), &out), ENOMEM);
	assert_int_equal(expand(SPAN("Dovecot-LZ4\x0d\x2a\x9b\xc5\0\1\0\0\x7f\xff\xff\xff"), &out), EILSEQ);
	assert_non_null(expand_error_text(ENOKEY));
	assert_null(expand_error_text(ENOENT));
	buffer_free(&out);
	assert_null(expand_open("/tmp", &facts));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(unlink(path), 0);
	assert_null(expand_open(path, &facts));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(expand_open(path, &facts));		/* does not wait for somebody to write into it */
	assert_int_equal(errno, ENXIO);
	assert_int_equal(unlink(path), 0);
}

static int
make(void **state)
{
	uint32_t number = 1;

	(void)state;
	for (size_t i = 0; i < sizeof plain; i++) {
		number = number * 1103515245 + 12345;
		plain[i] = "From: a@example.org\nSubject: "[number >> 16 & 15];
	}
	close(mkstemp(path));
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_altered),
		cmocka_unit_test(test_not_compressed),
		cmocka_unit_test(test_what_cannot_be_expanded),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
