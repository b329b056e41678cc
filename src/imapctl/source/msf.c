/*
 * Source: Mozilla's comm/mailnews/db/msgdb/, nsMsgMessageFlags.idl, nsMsgFolderFlags.idl; and what Thunderbird 153
 * was seen to write.
 */
#include "msf.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "marks.h"
#include "mime/header.h"
#include "mork.h"

#define FILE_OCTETS_MAX ((uint64_t)1 << 30)
#define MESSAGES "ns:msg:db:table:kind:msgs"
#define FOLDER "ns:msg:db:table:kind:dbfolderinfo"

#define BIT_EXPUNGED 0x8
#define BIT_OFFLINE 0x80

struct entry {
	uint64_t offset;
	const struct mork_row *row;
};

struct msf {
	struct mork *mork;
	struct entry *entries;	/* by offset */
	size_t count, absent;
	struct map *files;	/* struct mork_row by names of files */
	bool is_of_imap;	/* the mbox holds copies of what is on a server */
	bool is_in_step;	/* with the mbox, so that what is not in it is deleted */
};

static struct mork *
read_mork(const char *path)
{
	struct input *input = input_open(path, FILE_OCTETS_MAX);
	struct buffer text = { 0 };
	struct mork *mork = NULL;
	struct span piece;

	if (input == NULL)
		return NULL;
	while (text.length <= FILE_OCTETS_MAX && input_octets(input, INPUT_PIECE_MAX, &piece))
		buffer_add_span(&text, piece);
	if (text.length <= FILE_OCTETS_MAX && input_error(input) == 0)
		mork = mork_read(buffer_span(&text));
	buffer_free(&text);
	input_close(&input);
	return mork;
}

/* A number in hexadecimal; 0 when there is none. */
static uint32_t
hex_cell(const struct mork *mork, const struct mork_row *row, const char *column)
{
	struct span text = mork_cell(mork, row, column);
	uint32_t number = 0;

	return text.length >= 1 && text.length <= 8 && span_to_hex_number(text, text.length, &number) ? number : 0;
}

static const struct mork_row *
folder_row(const struct mork *mork)
{
	const struct mork_table *table = mork_table(mork, FOLDER);
	size_t position = 0;

	return table == NULL ? NULL : mork_next_row(table, &position);
}

/*
 * Where a message stands in the mbox: told by its token; by its offset, of old, for copies from a server; or by
 * its number.  False: only the server has it.
 */
static bool
find_offset(const struct msf *msf, const struct mork_row *row, uint64_t *offset_out)
{
	struct span token = mork_cell(msf->mork, row, "storeToken");
	struct span offset = mork_cell(msf->mork, row, "msgOffset");

	if (token.length > 0)
		return span_to_number(token, INT64_MAX, offset_out);
	*offset_out = offset.length > 0 ? hex_cell(msf->mork, row, "msgOffset") : mork_row_id(row);
	return !msf->is_of_imap || (hex_cell(msf->mork, row, "flags") & BIT_OFFLINE) != 0;
}

static int
by_offset(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static void
list_messages(struct msf *msf)
{
	const struct mork_table *table = mork_table(msf->mork, MESSAGES);
	const struct mork_row *row;
	struct entry entry;

	for (size_t position = 0; table != NULL && (row = mork_next_row(table, &position)) != NULL;) {
		struct span token = mork_cell(msf->mork, row, "storeToken");

		entry.row = row;
		if (token.length > 0)
			map_put(msf->files, token, (void *)(uintptr_t)row);
		if (!find_offset(msf, row, &entry.offset)) {
			msf->absent += token.length == 0;
			continue;
		}
		if (msf->count % 64 == 0)
			msf->entries = memory_resize(msf->entries, msf->count + 64, sizeof entry);
		msf->entries[msf->count++] = entry;
	}
	if (msf->count > 0)
		qsort(msf->entries, msf->count, sizeof *msf->entries, by_offset);
}

/* Do all messages stand where it says, and has nothing else written to the mbox since? */
static bool
is_in_step(const struct msf *msf, struct input *mbox)
{
	const struct mork_row *row = folder_row(msf->mork);
	char look[5];

	if (row == NULL || (!msf->is_of_imap && hex_cell(msf->mork, row, "folderSize") != (uint32_t)input_size(mbox)))
		return false;
	for (size_t i = 0; i < msf->count; i++) {
		if (input_look(mbox, msf->entries[i].offset, look, sizeof look) != sizeof look ||
		    memcmp(look, "From ", sizeof look) != 0)
			return false;
	}
	return msf->count > 0 || !msf->is_of_imap;
}

struct msf *
msf_open(const char *path, struct input *mbox)
{
	struct buffer full = { 0 };
	struct mork *mork;
	struct msf *msf;
	const struct mork_row *row;

	buffer_printf(&full, "%s.msf", path);
	mork = read_mork(buffer_string(&full));
	buffer_free(&full);
	if (mork == NULL)
		return NULL;
	msf = NEW(struct msf);
	msf->mork = mork;
	row = folder_row(mork);
	msf->is_of_imap = row != NULL && mork_cell(mork, row, "onlineName").length > 0;
	msf->files = map_new();
	list_messages(msf);
	msf->is_in_step = mbox != NULL && is_in_step(msf, mbox);
	return msf;
}

size_t
msf_absent(const struct msf *msf)
{
	return msf->absent;
}

void
msf_close(struct msf **msf)
{
	if (*msf == NULL)
		return;
	mork_free(&(*msf)->mork);
	map_free(&(*msf)->files);
	free((*msf)->entries);
	free(*msf);
	*msf = NULL;
}

/* Is it about this message?  The same Message-ID, unless one has none. */
static bool
is_same(const struct msf *msf, const struct mork_row *row, const struct message *message)
{
	struct span id = mork_cell(msf->mork, row, "message-id"), value;
	struct mime_field field;

	if (id.length == 0 || span_starts_with(id, SPAN("md5:")) ||
	    !mime_field_find(buffer_span(&message->octets), SPAN("message-id"), &field))
		return true;
	value = span_trim(field.value);
	value = span_from(value, value.length > 0 && value.at[0] == '<');
	return span_starts_with(value, span_slice(id, 0, 200));
}

/*
 * The size that the server told.  Thunderbird ends each message with a line end; where that makes it larger than
 * it was, it is taken off.
 */
static void
restore_size(const struct msf *msf, const struct mork_row *row, struct message *message)
{
	uint32_t size = hex_cell(msf->mork, row, "size");

	if (msf->is_of_imap && size > 0 && message->octets.length == (size_t)size + 2)
		message->octets.length = size;
}

/* Tags, the user's word on junk, and the label of a time before there were tags. */
static void
take_keywords(const struct msf *msf, const struct mork_row *row, struct source *source, struct message *message)
{
	static const struct span labels[] = { SPAN("$label1"), SPAN("$label2"), SPAN("$label3"), SPAN("$label4"),
		SPAN("$label5") };
	uint32_t label = hex_cell(msf->mork, row, "label");

	marks_add_keywords(source, message, mork_cell(msf->mork, row, "keywords"));
	if (span_equals(mork_cell(msf->mork, row, "junkscore"), SPAN("100")))
		message_add_keyword(message, SPAN("$Junk"));
	if (label >= 1 && label <= COUNT_OF(labels))
		message_add_keyword(message, labels[label - 1]);
}

static void
take_flags(struct message *message, uint32_t bits)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} flags[] = { { 0x0001, FLAG_SEEN }, { 0x0002, FLAG_ANSWERED }, { 0x0004, FLAG_FLAGGED },
		{ 0x1000, FLAG_FORWARDED }, { 0x200000, FLAG_DELETED } };

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if ((bits & flags[i].bit) != 0)
			message->flags |= flags[i].flag;
	}
	if ((bits & 0x800000) != 0)
		message_add_keyword(message, SPAN("$MDNSent"));
}

/* Put what Thunderbird knows in the place of what else was known; false: it is deleted. */
static bool
take_row(const struct msf *msf, const struct mork_row *row, struct source *source, struct message *message)
{
	uint32_t bits = hex_cell(msf->mork, row, "flags");

	if (!is_same(msf, row, message))
		return true;
	message->flags = 0;
	buffer_clear(&message->keywords);
	take_flags(message, bits);
	take_keywords(msf, row, source, message);
	restore_size(msf, row, message);
	return (bits & BIT_EXPUNGED) == 0;
}

bool
msf_take(const struct msf *msf, struct source *source, struct message *message)
{
	struct entry wanted = { .offset = message->offset };
	const struct entry *entry = msf->count == 0 ? NULL
	    : bsearch(&wanted, msf->entries, msf->count, sizeof wanted, by_offset);

	return entry == NULL ? !msf->is_in_step : take_row(msf, entry->row, source, message);
}

void
msf_take_file(const struct msf *msf, struct source *source, struct message *message, struct span name)
{
	const struct mork_row *row = map_get(msf->files, name);

	if (row != NULL)
		take_row(msf, row, source, message);
}

bool
msf_read_folder(const char *path, struct msf_folder *folder_out)
{
	struct mork *mork = read_mork(path);
	const struct mork_row *row;

	if (mork == NULL)
		return false;
	if ((row = folder_row(mork)) != NULL) {
		buffer_add_span(&folder_out->name, mork_cell(mork, row, "folderName"));
		buffer_add_span(&folder_out->online, mork_cell(mork, row, "onlineName"));
		folder_out->flags = hex_cell(mork, row, "flags");
	}
	mork_free(&mork);
	return true;
}

void
msf_folder_free(struct msf_folder *folder)
{
	buffer_free(&folder->name);
	buffer_free(&folder->online);
}
