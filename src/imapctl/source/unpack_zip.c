/*
 * Archives of zip, also of more than 4 GiB.  Source: PKWARE's APPNOTE.TXT.  Members that are stored or deflated.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/memory.h"
#include "mime/date.h"
#include "unpack.h"

#define END_OCTETS 22		/* of the record at the end, without its comment */
#define COMMENT_MAX 65535
#define PIECE 65536

struct member {
	struct buffer name;
	uint64_t packed, size, offset;
	unsigned method, flags;
	uint32_t sum;
	int64_t time_s;
};

static bool
fail(int error)
{
	errno = error;
	return false;
}

static uint64_t
number(const uint8_t *at, size_t octets)
{
	uint64_t value = 0;

	for (size_t i = octets; i > 0; i--)
		value = value << 8 | at[i - 1];
	return value;
}

static bool
read_at(FILE *file, uint64_t offset, void *out, size_t length)
{
	if (offset > INT64_MAX || fseeko(file, (off_t)offset, SEEK_SET) != 0 || fread(out, 1, length, file) != length)
		return ferror(file) ? false : fail(EILSEQ);
	return true;
}

/* The offset of the record at the end; false: it is no zip. */
static bool
find_end(FILE *file, uint64_t *offset_out)
{
	uint8_t *look = memory_new(END_OCTETS + COMMENT_MAX);
	size_t length = 0;
	off_t size = fseeko(file, 0, SEEK_END) == 0 ? ftello(file) : 0;
	uint64_t start = size > END_OCTETS + COMMENT_MAX ? (uint64_t)size - END_OCTETS - COMMENT_MAX : 0;
	bool is_found = false;

	if (size >= END_OCTETS && fseeko(file, (off_t)start, SEEK_SET) == 0)
		length = fread(look, 1, END_OCTETS + COMMENT_MAX, file);
	for (size_t at = length < END_OCTETS ? 0 : length - END_OCTETS + 1; at > 0 && !is_found; at--) {
		is_found = memcmp(look + at - 1, "PK\5\6", 4) == 0;
		*offset_out = start + at - 1;
	}
	free(look);
	return is_found;
}

/* Where the directory of members is, and how many there are. */
static bool
find_directory(FILE *file, uint64_t *offset_out, uint64_t *count_out)
{
	uint8_t end[END_OCTETS], locator[20], large[56];
	uint64_t at;

	if (!find_end(file, &at) || !read_at(file, at, end, sizeof end))
		return fail(EBADMSG);
	*count_out = number(end + 10, 2);
	*offset_out = number(end + 16, 4);
	if (at < sizeof locator || !read_at(file, at - sizeof locator, locator, sizeof locator) ||
	    memcmp(locator, "PK\6\7", 4) != 0)
		return true;
	if (!read_at(file, number(locator + 8, 8), large, sizeof large) || memcmp(large, "PK\6\6", 4) != 0)
		return fail(EILSEQ);
	*count_out = number(large + 32, 8);
	*offset_out = number(large + 48, 8);
	return true;
}

/* The clock of MS-DOS, without a zone: taken for UTC. */
static int64_t
dos_time(uint64_t text)
{
	unsigned month = (unsigned)(text >> 21 & 15);
	int64_t day = month < 1 || month > 12 ? 0
	    : mime_date_day((int32_t)(1980 + (text >> 25 & 0x7f)), month, (unsigned)(text >> 16 & 31));

	return day * 86400 + (int64_t)(text >> 11 & 31) * 3600 + (int64_t)(text >> 5 & 63) * 60 + (int64_t)(text & 31) * 2;
}

/* What stands behind a name: numbers that had no room, and the time of Unix. */
static void
take_extra(struct member *member, const uint8_t *extra, size_t length)
{
	for (size_t at = 0; at + 4 <= length; at += 4 + number(extra + at + 2, 2)) {
		size_t size = number(extra + at + 2, 2);
		const uint8_t *field = extra + at + 4;

		if (size > length - at - 4)
			return;
		if (number(extra + at, 2) == 0x5455 && size >= 5 && (field[0] & 1) != 0)
			member->time_s = (int32_t)number(field + 1, 4);
		if (number(extra + at, 2) != 1)
			continue;
		for (uint64_t **next = (uint64_t *[]){ &member->size, &member->packed, &member->offset, NULL }; *next != NULL; next++) {
			if (**next != UINT32_MAX || size < 8)
				continue;
			**next = number(field, 8);
			field += 8;
			size -= 8;
		}
	}
}

/* Read a row of the directory, and go on behind it. */
static bool
read_member(FILE *file, uint64_t *offset, struct member *member)
{
	uint8_t row[46], *rest;
	size_t name, extra;
	bool is_read;

	if (!read_at(file, *offset, row, sizeof row) || memcmp(row, "PK\1\2", 4) != 0)
		return fail(EILSEQ);
	name = number(row + 28, 2);
	extra = number(row + 30, 2);
	member->flags = (unsigned)number(row + 8, 2);
	member->method = (unsigned)number(row + 10, 2);
	member->time_s = dos_time(number(row + 12, 4));
	member->sum = (uint32_t)number(row + 16, 4);
	member->packed = number(row + 20, 4);
	member->size = number(row + 24, 4);
	member->offset = number(row + 42, 4);
	rest = memory_new(name + extra + 1);
	if ((is_read = read_at(file, *offset + sizeof row, rest, name + extra))) {
		buffer_clear(&member->name);
		buffer_add(&member->name, rest, name);
		take_extra(member, rest + name, extra);
	}
	*offset += sizeof row + name + extra + number(row + 32, 2);
	free(rest);
	return is_read;
}

struct inflation {
	FILE *file;
	const struct member *member;
	z_stream stream;
	uint64_t packed;	/* octets still to be read */
	int status;
	uint8_t in[PIECE], out[PIECE];
};

/* Put the next octets into out; 0: there are no more. */
static size_t
step(struct inflation *inflation)
{
	z_stream *stream = &inflation->stream;

	if (stream->avail_in == 0 && inflation->packed > 0) {
		stream->avail_in = (uInt)fread(inflation->in, 1, inflation->packed < PIECE ? (size_t)inflation->packed : PIECE,
		    inflation->file);
		stream->next_in = inflation->in;
		inflation->packed = stream->avail_in == 0 ? 0 : inflation->packed - stream->avail_in;
	}
	stream->next_out = inflation->out;
	stream->avail_out = PIECE;
	if (inflation->member->method != 0) {
		inflation->status = inflate(stream, Z_NO_FLUSH);
	} else if (stream->avail_in > 0) {
		memcpy(inflation->out, stream->next_in, stream->avail_in);
		stream->avail_out -= stream->avail_in;
		stream->avail_in = 0;
	}
	return PIECE - stream->avail_out;
}

/* Inflate, or copy, what the file has from here on. */
static bool
expand(FILE *file, const struct member *member, FILE *to)
{
	struct inflation *inflation = NEW(struct inflation);
	uLong sum = crc32(0, NULL, 0);
	uint64_t size = 0;
	size_t length = 1;
	bool is_written = true;

	inflation->file = file;
	inflation->member = member;
	inflation->packed = member->packed;
	if (inflateInit2(&inflation->stream, -MAX_WBITS) != Z_OK)
		abort();	/* there is no memory */
	while (is_written && length > 0 && size <= member->size && inflation->status == Z_OK) {
		length = step(inflation);
		sum = crc32(sum, inflation->out, (uInt)length);
		size += length;
		is_written = fwrite(inflation->out, 1, length, to) == length;
	}
	inflateEnd(&inflation->stream);
	free(inflation);
	if (!is_written || ferror(file))
		return false;
	return size == member->size && sum == member->sum ? true : fail(EILSEQ);
}

static bool
take_member(struct unpack *unpack, FILE *file, const struct member *member)
{
	struct span name = buffer_span(&member->name);
	uint8_t head[30];
	FILE *to;
	bool is_read;

	if (name.length > 0 && name.at[name.length - 1] == '/')
		return unpack_folder(unpack, span_slice(name, 0, name.length - 1));
	if ((member->flags & 1) != 0 || (member->method != 0 && member->method != 8))
		return fail(EPROTONOSUPPORT);
	if (!read_at(file, member->offset, head, sizeof head) || memcmp(head, "PK\3\4", 4) != 0)
		return fail(EILSEQ);
	if (fseeko(file, (off_t)(number(head + 26, 2) + number(head + 28, 2)), SEEK_CUR) != 0 ||
	    !unpack_file(unpack, name, &to))
		return false;
	if (to == NULL)
		return true;
	is_read = expand(file, member, to);
	return unpack_end_file(to, member->time_s) && is_read;
}

bool
unpack_zip(struct unpack *unpack, const char *path)
{
	FILE *file = fopen(path, "re");
	struct member member = { 0 };
	uint64_t offset, count;
	bool is_read;
	int error;

	if (file == NULL)
		return false;
	is_read = find_directory(file, &offset, &count);
	for (uint64_t i = 0; is_read && i < count; i++)
		is_read = read_member(file, &offset, &member) && take_member(unpack, file, &member);
	error = errno;
	buffer_free(&member.name);
	fclose(file);
	errno = error;
	return is_read;
}
