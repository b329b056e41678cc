#include "raw.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"

#define LOCAL_MAX    (RAW_PAGE - 35)			/* a longer record goes on in other pages */
#define LOCAL_MIN    ((RAW_PAGE - 12) * 32 / 255 - 23)
#define HEADER	     8					/* of a leaf */
#define RECORD_MAX   (64 * 1024 * 1024)			/* none of ours is as long */

bool
raw_open(const char *path, struct raw *raw)
{
	struct stat about;

	raw->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (raw->descriptor < 0 || fstat(raw->descriptor, &about) != 0) {
		raw_close(raw);
		return false;
	}
	raw->pages = about.st_size / RAW_PAGE > UINT32_MAX ? UINT32_MAX : (uint32_t)(about.st_size / RAW_PAGE);
	return true;
}

void
raw_close(struct raw *raw)
{
	if (raw->descriptor >= 0)
		close(raw->descriptor);
	raw->descriptor = -1;
}

static bool
read_page(const struct raw *raw, uint32_t page, uint8_t octets[RAW_PAGE])
{
	return page >= 1 && page <= raw->pages &&
	    pread(raw->descriptor, octets, RAW_PAGE, (off_t)(page - 1) * RAW_PAGE) == RAW_PAGE;
}

static uint32_t
number_at(const uint8_t *at, size_t length)
{
	uint32_t number = 0;

	for (size_t i = 0; i < length; i++)
		number = number << 8 | at[i];
	return number;
}

/* Take a number of 1 to 9 octets from the front. */
static bool
take_varint(struct span *octets, uint64_t *number_out)
{
	uint64_t number = 0;

	for (size_t i = 0; i < octets->length && i < 9; i++) {
		uint8_t octet = octets->at[i];

		number = i == 8 ? number << 8 | octet : number << 7 | (octet & 0x7f);
		if (i == 8 || (octet & 0x80) == 0) {
			*octets = span_from(*octets, i + 1);
			*number_out = number;
			return true;
		}
	}
	return false;
}

uint64_t
raw_blob_length(uint64_t type)
{
	return type >= 12 && type % 2 == 0 ? (type - 12) / 2 : UINT64_MAX;
}

bool
raw_is_number(uint64_t type)
{
	return (type >= 1 && type <= 6) || type == 8 || type == 9;
}

static uint64_t
value_length(uint64_t type)
{
	static const uint8_t lengths[12] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

	return type < 12 ? lengths[type] : (type - 12) / 2;
}

/* The types of the columns, which together are as long as the record is said to be. */
static bool
take_types(struct raw_row *row)
{
	struct span octets = row->local;
	uint64_t header_length, length;

	if (!take_varint(&octets, &header_length) || header_length > row->local.length)
		return false;
	octets = span_slice(row->local, row->local.length - octets.length, header_length - (row->local.length - octets.length));
	length = row->header_length = header_length;
	for (row->count = 0; octets.length > 0; row->count++) {
		if (row->count == RAW_COLUMNS_MAX || !take_varint(&octets, &row->types[row->count]) ||
		    row->types[row->count] == 10 || row->types[row->count] == 11 || value_length(row->types[row->count]) > row->length)
			return false;
		length += value_length(row->types[row->count]);
	}
	return length == row->length;
}

/* Section 1.6: how much of a record lies in the leaf. */
static size_t
local_length(uint64_t length)
{
	uint64_t local = LOCAL_MIN + (length - LOCAL_MIN) % (RAW_PAGE - 4);

	return (size_t)(length <= LOCAL_MAX ? length : local <= LOCAL_MAX ? local : LOCAL_MIN);
}

static bool
take_row(struct span cell, struct raw_row *row)
{
	uint64_t key;
	size_t local;

	if (!take_varint(&cell, &row->length) || !take_varint(&cell, &key) || row->length == 0 || row->length > RECORD_MAX)
		return false;
	row->key = (int64_t)key;
	local = local_length(row->length);
	if (local + (local < row->length ? 4 : 0) > cell.length)
		return false;
	row->local = span_slice(cell, 0, local);
	row->overflow = local < row->length ? number_at(cell.at + local, 4) : 0;
	return take_types(row);
}

/* The row at a place of a leaf; false: it is none, or the page is none. */
static bool
row_of(const uint8_t octets[RAW_PAGE], uint32_t page, size_t index, struct raw_row *row)
{
	size_t count = number_at(octets + 3, 2), begin;

	*row = (struct raw_row){ .page = page };
	if (octets[0] != RAW_TABLE_LEAF || HEADER + 2 * count > RAW_PAGE)
		return false;
	begin = number_at(octets + HEADER + 2 * index, 2);
	return begin >= HEADER + 2 * count && begin < RAW_PAGE && take_row(span_of(octets + begin, RAW_PAGE - begin), row);
}

static bool
is_leaf(const uint8_t octets[RAW_PAGE], uint32_t page)
{
	size_t count = number_at(octets + 3, 2);
	struct raw_row row;
	bool is_good = count > 0;

	for (size_t i = 0; is_good && i < count; i++)
		is_good = row_of(octets, page, i, &row);
	return is_good;
}

bool
raw_each_row(const struct raw *raw, raw_visitor *visitor, void *context)
{
	uint8_t octets[RAW_PAGE];
	struct raw_row row;

	for (uint32_t page = 2; page <= raw->pages; page++) {
		if (!read_page(raw, page, octets))
			return false;
		for (size_t i = 0; is_leaf(octets, page) && i < number_at(octets + 3, 2); i++)
			if (row_of(octets, page, i, &row) && !visitor(raw, &row, context))
				return false;
	}
	return true;
}

/* The whole record. */
static bool
collect(const struct raw *raw, const struct raw_row *row, struct buffer *record)
{
	uint8_t octets[RAW_PAGE];
	uint32_t next = row->overflow;

	buffer_clear(record);
	buffer_add_span(record, row->local);
	while (record->length < row->length) {
		size_t left = (size_t)row->length - record->length;

		if (!read_page(raw, next, octets))
			return false;
		buffer_add(record, octets + 4, left < RAW_PAGE - 4 ? left : RAW_PAGE - 4);
		next = number_at(octets, 4);
	}
	return true;
}

static struct raw_value
value_of(uint64_t type, struct span octets)
{
	struct raw_value value = { .is_null = type == 0, .is_number = raw_is_number(type), .is_text = type >= 13 && type % 2 == 1 };
	uint64_t number = type == 9 ? 1 : 0;

	if (type >= 1 && type <= 6) {
		number = octets.at[0] & 0x80 ? UINT64_MAX : 0;		/* two's complement */
		for (size_t i = 0; i < octets.length; i++)
			number = number << 8 | octets.at[i];
	}
	value.number = (int64_t)number;
	value.octets = octets;
	return value;
}

bool
raw_read(const struct raw *raw, const struct raw_row *row, struct buffer *record, struct raw_value values_out[RAW_COLUMNS_MAX])
{
	size_t offset = row->header_length;

	if (!collect(raw, row, record))
		return false;
	for (size_t i = 0; i < row->count; i++) {
		size_t length = (size_t)value_length(row->types[i]);

		values_out[i] = value_of(row->types[i], span_slice(buffer_span(record), offset, length));
		offset += length;
	}
	return true;
}
