/*
 * Arguments of GETMETADATA and SETMETADATA: RFC 5464 section 5, with erratum 2785: options stand before the mailbox.  The
 * RFC's own examples, and clients that follow them, have them behind it; an entry begins with a slash, so that both can
 * be read.  Pure.
 */
#include "base/memory.h"
#include "read.h"

#define ENTRY_OCTETS_MAX 1000
#define ENTRIES_MAX	 100		/* each is told of each mailbox that is listed */

struct entries {
	struct imap_annotation **annotations;
	size_t *count;
};

static bool
is_entry_octet(uint8_t octet)
{
	return octet >= ' ' && octet < 128 && octet != '*' && octet != '%';
}

static size_t
count_components(struct span entry)
{
	size_t count = 0;

	for (size_t i = 0; i < entry.length; i++)
		count += entry.at[i] == '/';
	return count;
}

static bool
has_prefix(struct span entry, struct span prefix)
{
	return span_equals_nocase(span_slice(entry, 0, prefix.length), prefix) &&
	    (entry.length == prefix.length || entry.at[prefix.length] == '/');
}

/* Section 3.2: "//", and a slash at the end, are wrong as well as some octets. */
static bool
is_well_formed(struct span entry)
{
	for (size_t i = 0; i < entry.length; i++) {
		bool is_last = i + 1 == entry.length;

		if (!is_entry_octet(entry.at[i]) || (entry.at[i] == '/' && (is_last || entry.at[i + 1] == '/')))
			return false;
	}
	return has_prefix(entry, SPAN("/private")) || has_prefix(entry, SPAN("/shared"));
}

/* What has a value has two components at least, and four below a vendor. */
static bool
may_have_value(struct span entry)
{
	bool is_vendors = has_prefix(entry, SPAN("/private/vendor")) || has_prefix(entry, SPAN("/shared/vendor"));

	return count_components(entry) >= (is_vendors ? 4 : 2);
}

static bool
read_entry(struct cursor *cursor, struct span *entry_out)
{
	if (!cursor_astring(cursor, entry_out))
		return false;
	if (!is_well_formed(*entry_out))
		return cursor_fail(cursor, "Not the name of an entry");
	return entry_out->length <= ENTRY_OCTETS_MAX || cursor_refuse(cursor, "LIMIT", "Name of an entry is too long");
}

static bool
read_wanted(struct cursor *cursor, void *context)
{
	struct entries *entries = context;
	struct imap_annotation *annotation = cursor_grow(cursor, (void **)entries->annotations, entries->count,
	    sizeof *annotation);

	*annotation = (struct imap_annotation){ { NULL, 0 }, { NULL, 0 } };
	return read_entry(cursor, &annotation->entry);
}

bool
imap_read_entries(struct cursor *cursor, struct imap_annotation **annotations, size_t *count)
{
	struct entries entries = { annotations, count };

	if (!cursor_list(cursor, false, read_wanted, &entries))
		return false;
	return *count <= ENTRIES_MAX || cursor_refuse(cursor, "LIMIT", "Too many entries");
}

static bool
read_depth(struct cursor *cursor, struct imap_metadata *metadata)
{
	static const char *const depths[] = { [IMAP_DEPTH_0] = "0", [IMAP_DEPTH_1] = "1",
		[IMAP_DEPTH_INFINITY] = "infinity" };

	if (!cursor_space(cursor))
		return false;
	for (unsigned depth = 0; depth < COUNT_OF(depths); depth++)
		if (cursor_word(cursor, depths[depth])) {
			metadata->depth = depth;
			return true;
		}
	return cursor_fail(cursor, "DEPTH is 0, 1 or infinity");
}

static bool
read_option(struct cursor *cursor, void *context)
{
	struct imap_metadata *metadata = context;

	if (cursor_word(cursor, "DEPTH"))
		return read_depth(cursor, metadata);
	if (!cursor_word(cursor, "MAXSIZE"))
		return cursor_fail(cursor, "Unknown option of GETMETADATA");
	metadata->has_max_size = true;
	return cursor_space(cursor) && cursor_number(cursor, UINT32_MAX, &metadata->max_size);
}

/* "(DEPTH 1) " is next, and no list of entries. */
static bool
is_at_options(const struct cursor *cursor)
{
	struct cursor copy = *cursor;

	return cursor_skip(&copy, '(') && cursor_peek(&copy) != '"' && cursor_peek(&copy) != '{' &&
	    cursor_peek(&copy) != '/';
}

static bool
read_options(struct cursor *cursor, struct imap_metadata *metadata)
{
	return !is_at_options(cursor) || (cursor_list(cursor, false, read_option, metadata) && cursor_space(cursor));
}

/* No name at all stands for the server. */
static bool
read_mailbox(struct cursor *cursor, struct imap_metadata *metadata)
{
	struct span sent;

	if (!cursor_astring(cursor, &sent))
		return false;
	metadata->is_server = sent.length == 0;
	return (metadata->is_server || cursor_canonical(cursor, sent, &metadata->mailbox)) && cursor_space(cursor);
}

bool
imap_read_get_metadata(struct cursor *cursor, struct imap_command_line *line)
{
	struct imap_metadata *metadata = &line->metadata;
	struct entries entries = { &metadata->annotations, &metadata->annotation_count };

	if (!cursor_space(cursor) || !read_options(cursor, metadata) || !read_mailbox(cursor, metadata) ||
	    !read_options(cursor, metadata))
		return false;
	if (cursor_peek(cursor) == '(')
		return imap_read_entries(cursor, &metadata->annotations, &metadata->annotation_count);
	return read_wanted(cursor, &entries);
}

static bool
read_annotation(struct cursor *cursor, void *context)
{
	struct imap_metadata *metadata = context;
	struct imap_annotation *annotation = cursor_grow(cursor, (void **)&metadata->annotations,
	    &metadata->annotation_count, sizeof *annotation);

	if (!read_entry(cursor, &annotation->entry) || !cursor_space(cursor) || !cursor_value(cursor, &annotation->value))
		return false;
	return may_have_value(annotation->entry) || cursor_fail(cursor, "Such an entry has no value");
}

bool
imap_read_set_metadata(struct cursor *cursor, struct imap_command_line *line)
{
	return cursor_space(cursor) && read_mailbox(cursor, &line->metadata) &&
	    cursor_list(cursor, false, read_annotation, &line->metadata);
}
