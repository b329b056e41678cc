/*
 * Archives of tar, also compressed: the formats of POSIX (ustar, pax), of GNU tar, and what was before.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "expand.h"
#include "unpack.h"

#define BLOCK 512
#define NAME_OCTETS_MAX 65536

struct tar {
	FILE *file;
	struct unpack *unpack;
	uint8_t header[BLOCK];
	struct buffer name;	/* of the next member, where it was told before its header; empty: it is in there */
	uint64_t size;		/* the same */
	bool has_size;
};

static bool
fail(int error)
{
	errno = error;
	return false;
}

/* A number in octal, or, where GNU tar had no room for that, in 256 digits. */
static uint64_t
read_number(const uint8_t *field, size_t length)
{
	uint64_t number = 0;

	if ((field[0] & 0x80) != 0) {
		for (size_t i = 1; i < length; i++)
			number = number << 8 | field[i];
		return number;
	}
	for (size_t i = 0; i < length; i++) {
		if (field[i] >= '0' && field[i] <= '7')
			number = number << 3 | (uint64_t)(field[i] - '0');
		else if (field[i] != ' ')
			break;
	}
	return number;
}

/* The sum of all octets, those of the sum itself as spaces. */
static bool
is_header(const uint8_t *header)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : header[i];
	return header[0] != '\0' && sum == read_number(header + 148, 8);
}

/* Read so many octets and the rest of their last block; to: where they go, or NULL. */
static bool
copy(struct tar *tar, uint64_t size, FILE *to, struct buffer *text)
{
	uint8_t block[BLOCK];

	while (size > 0) {
		size_t length = size < BLOCK ? (size_t)size : BLOCK;

		if (fread(block, 1, BLOCK, tar->file) != BLOCK)
			return ferror(tar->file) ? false : fail(ENODATA);
		if (to != NULL && fwrite(block, 1, length, to) != length)
			return false;
		if (text != NULL && text->length < NAME_OCTETS_MAX)
			buffer_add(text, block, length);
		size -= length;
	}
	return true;
}

static void
add_field(struct buffer *out, const uint8_t *field, size_t length)
{
	buffer_add_span(out, span_slice(span_of(field, length), 0, span_find(span_of(field, length), '\0')));
}

/* "25 path=..." lines of pax: a length, a key and a value. */
static void
read_pax(struct tar *tar, struct span text)
{
	while (text.length > 0) {
		size_t space = span_find(text, ' '), equals;
		uint64_t length;
		struct span line;

		if (!span_to_number(span_slice(text, 0, space), text.length, &length) || length <= space + 1)
			return;
		line = span_slice(text, space + 1, (size_t)length - space - 2);
		equals = span_find(line, '=');
		if (span_equals(span_slice(line, 0, equals), SPAN("path"))) {
			buffer_clear(&tar->name);
			buffer_add_span(&tar->name, span_from(line, equals + 1));
		} else if (span_equals(span_slice(line, 0, equals), SPAN("size"))) {
			tar->has_size = span_to_number(span_from(line, equals + 1), INT64_MAX, &tar->size);
		}
		text = span_from(text, (size_t)length);
	}
}

static void
set_name(struct tar *tar)
{
	if (tar->name.length > 0)
		return;
	if (memcmp(tar->header + 257, "ustar\0", 6) == 0 && tar->header[345] != '\0') {
		add_field(&tar->name, tar->header + 345, 155);
		buffer_add_octet(&tar->name, '/');
	}
	add_field(&tar->name, tar->header, 100);
}

static struct span
plain(struct span name)
{
	while (span_starts_with(name, SPAN("./")))
		name = span_from(name, 2);
	return name;
}

static bool
take_file(struct tar *tar, uint64_t size)
{
	FILE *file;
	bool is_copied;

	set_name(tar);
	if (!unpack_file(tar->unpack, plain(buffer_span(&tar->name)), &file))
		return false;
	is_copied = copy(tar, size, file, NULL);
	if (file != NULL && !unpack_end_file(file, (int64_t)read_number(tar->header + 136, 12)))
		is_copied = false;
	return is_copied;
}

/* What the header that was read is for, and the blocks behind it. */
static bool
take_member(struct tar *tar)
{
	uint64_t size = tar->has_size ? tar->size : read_number(tar->header + 124, 12);
	struct buffer text = { 0 };
	bool is_read = true;

	switch (tar->header[156]) {
	case 'L':	/* the name of the next, of GNU tar */
		is_read = copy(tar, size, NULL, &text);
		buffer_clear(&tar->name);
		add_field(&tar->name, text.at, text.length);
		buffer_free(&text);
		return is_read;
	case 'x':
		is_read = copy(tar, size, NULL, &text);
		read_pax(tar, buffer_span(&text));
		buffer_free(&text);
		return is_read;
	case '0': case '7': case '\0':
		is_read = take_file(tar, size);
		break;
	case '5':
		set_name(tar);
		is_read = unpack_folder(tar->unpack, plain(buffer_span(&tar->name)));
		break;
	default:	/* links, devices, facts about all */
		is_read = copy(tar, tar->header[156] >= '1' && tar->header[156] <= '6' ? 0 : size, NULL, NULL);
	}
	buffer_clear(&tar->name);
	tar->has_size = false;
	return is_read;
}

static bool
read_all(struct tar *tar)
{
	bool is_first = true;

	while (fread(tar->header, 1, BLOCK, tar->file) == BLOCK) {
		if (!is_header(tar->header)) {
			if (!is_first && tar->header[0] == '\0')
				return true;
			return fail(is_first ? EBADMSG : EILSEQ);
		}
		is_first = false;
		if (!take_member(tar))
			return false;
	}
	return ferror(tar->file) ? false : is_first ? fail(EBADMSG) : true;
}

bool
unpack_tar(struct unpack *unpack, const char *path)
{
	struct stat facts;
	struct tar tar = { .unpack = unpack, .file = expand_open(path, &facts) };
	bool is_read;
	int error;

	if (tar.file == NULL)
		return false;
	is_read = read_all(&tar);
	error = errno;
	fclose(tar.file);
	buffer_free(&tar.name);
	errno = error;
	return is_read;
}
