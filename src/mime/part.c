/*
 * The tree of parts, built in one walk over the lines of the message.  The stack holds the multiparts and
 * messages that are open; a line that begins with "--" is compared with the boundaries on it, the longest
 * that fits wins, so that a boundary may begin with another.  RFC 2046 section 5.1.1: the line end before a
 * delimiter belongs to the delimiter.  Any thread.
 */
#include "mime/part.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "content.h"
#include "mime/header.h"

struct frame {
	uint32_t part;
	struct span boundary;		/* empty for a message and for a multipart that is closed */
	bool is_digest;
	bool is_closed;
};

struct walk {
	struct mime_tree *tree;
	struct span message;
	size_t at;			/* the beginning of a line */
	uint32_t lines;			/* LFs before it */
	struct frame stack[MIME_DEPTH_MAX];
	size_t depth;
	uint32_t leaf;			/* the part below the top of the stack, or MIME_NO_PART */
};

struct delimiter {
	size_t frame;			/* index into the stack */
	bool is_close;
};

/* The value of charset'language'value; all of it if it has no two apostrophes. */
static struct span
without_charset(struct span value)
{
	struct span rest = span_from(value, span_find(value, '\'') + 1);
	size_t second = span_find(rest, '\'');

	return second < rest.length ? span_from(rest, second + 1) : value;
}

struct span
mime_parameter_find(struct mime_parameters parameters, struct span name)
{
	struct span found = { NULL, 0 };

	for (size_t i = 0; i < parameters.count; i++) {
		struct span own = parameters.at[i].name;

		if (span_equals_nocase(own, name))
			return parameters.at[i].value;
		if (own.length == name.length + 1 && own.at[name.length] == '*' &&
		    span_equals_nocase(span_slice(own, 0, name.length), name))
			found = without_charset(parameters.at[i].value);
	}
	return found;
}

static struct span
line_at(const struct walk *walk)
{
	struct span rest = span_from(walk->message, walk->at);
	const uint8_t *lf = rest.length == 0 ? NULL : memchr(rest.at, '\n', rest.length);

	return lf == NULL ? rest : span_slice(rest, 0, (size_t)(lf - rest.at) + 1);
}

static void
next_line(struct walk *walk, struct span line)
{
	walk->at += line.length;
	walk->lines += line.length > 0 && line.at[line.length - 1] == '\n';
}

static bool
is_blank(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] != ' ' && text.at[i] != '\t' && text.at[i] != '\r' && text.at[i] != '\n')
			return false;
	}
	return true;
}

/*
 * What stands behind the boundary does not matter: RFC 2046 section 5.1.1, "it is sufficient that the boundary
 * appear in its entirety".
 */
static bool
find_delimiter(const struct walk *walk, struct span line, struct delimiter *delimiter_out)
{
	size_t longest = 0;

	if (line.length < 3 || line.at[0] != '-' || line.at[1] != '-')
		return false;
	line = span_from(line, 2);
	for (size_t i = walk->depth; i-- > 0;) {
		struct span boundary = walk->stack[i].boundary, rest;
		bool is_close;

		if (boundary.length <= longest || !span_starts_with(line, boundary))
			continue;
		rest = span_from(line, boundary.length);
		is_close = span_starts_with(rest, SPAN("--"));
		longest = boundary.length;
		*delimiter_out = (struct delimiter){ i, is_close };
	}
	return longest > 0;
}

static uint32_t
add_part(struct mime_tree *tree, uint32_t parent)
{
	uint32_t index = (uint32_t)tree->count;
	struct mime_part *part;

	if (tree->count == tree->capacity) {
		tree->capacity = tree->capacity == 0 ? 8 : tree->capacity * 2;
		tree->parts = memory_resize(tree->parts, tree->capacity, sizeof *tree->parts);
	}
	part = &tree->parts[tree->count++];
	*part = (struct mime_part){ .parent = parent, .first_child = MIME_NO_PART, .next = MIME_NO_PART,
		.last_child = MIME_NO_PART };
	if (parent != MIME_NO_PART) {
		struct mime_part *above = &tree->parts[parent];

		if (above->first_child == MIME_NO_PART)
			above->first_child = index;
		else
			tree->parts[above->last_child].next = index;
		above->last_child = index;
	}
	return index;
}

/* The least place where a body can end: behind its header, and behind all that is in it. */
static size_t
least_end(const struct mime_tree *tree, const struct mime_part *part)
{
	const struct mime_part *last;

	if (part->last_child == MIME_NO_PART)
		return part->body_offset;
	last = &tree->parts[part->last_child];
	return (size_t)last->body_offset + last->body_length;
}

/* A body ends before the line end that belongs to the delimiter; an empty one has none to give. */
static void
end_part(struct walk *walk, uint32_t index, bool is_delimited)
{
	struct mime_part *part = &walk->tree->parts[index];
	size_t end = walk->at, least = least_end(walk->tree, part);
	uint32_t lines = walk->lines - part->body_lines;

	if (is_delimited && end > least && walk->message.at[end - 1] == '\n') {
		end--;
		lines--;
		if (end > least && walk->message.at[end - 1] == '\r')
			end--;
	}
	part->body_length = (uint32_t)(end - part->body_offset);
	part->body_lines = lines;
}

static void
set_plain(struct mime_part *part)
{
	part->type = SPAN("text");
	part->subtype = SPAN("plain");
	part->encoding_name = SPAN("7bit");
	part->encoding = MIME_7BIT;
}

/*
 * A multipart must have a part.  One that is closed at once has an empty one; what is never divided is its own one
 * part, so that what it says can be read.
 */
static void
give_child(struct walk *walk, uint32_t index, bool is_empty)
{
	uint32_t child = add_part(walk->tree, index);
	struct mime_part *part = &walk->tree->parts[child], *above = &walk->tree->parts[index];

	set_plain(part);
	part->header_offset = part->body_offset = above->body_offset;
	if (is_empty)
		return;
	part->body_length = above->body_length;
	part->body_lines = above->body_lines;
}

/* End what is open down to the frame of that index, which stays open. */
static void
end_down_to(struct walk *walk, size_t depth, bool is_delimited)
{
	if (walk->leaf != MIME_NO_PART)
		end_part(walk, walk->leaf, is_delimited);
	walk->leaf = MIME_NO_PART;
	while (walk->depth > depth) {
		const struct frame *frame = &walk->stack[--walk->depth];

		end_part(walk, frame->part, is_delimited);
		if (walk->tree->parts[frame->part].first_child == MIME_NO_PART)
			give_child(walk, frame->part, frame->is_closed);
	}
}

/* Go behind the header of a part, or to a delimiter that cuts it off. */
static void
walk_header(struct walk *walk, struct mime_part *part)
{
	struct delimiter delimiter;

	part->header_offset = (uint32_t)walk->at;
	for (;;) {
		struct span line = line_at(walk);

		if (line.length == 0 || find_delimiter(walk, line, &delimiter))
			break;
		next_line(walk, line);
		if (line.at[0] == '\n' || (line.at[0] == '\r' && line.length == 2 && line.at[1] == '\n'))
			break;
	}
	part->header_length = (uint32_t)(walk->at - part->header_offset);
	part->body_offset = (uint32_t)walk->at;
}

static bool
is_message(const struct mime_part *part)
{
	return span_equals_nocase(part->type, SPAN("message")) &&
	    (span_equals_nocase(part->subtype, SPAN("rfc822")) ||
		span_equals_nocase(part->subtype, SPAN("global")));
}

static enum mime_kind
find_kind(const struct mime_part *part)
{
	if (span_equals_nocase(part->type, SPAN("multipart")))
		return MIME_MULTIPART;
	if (is_message(part))
		return MIME_MESSAGE;
	return MIME_LEAF;
}

/* As a leaf it must not look as if it had parts: RFC 9051 section 9, media-basic. */
static void
set_opaque(struct mime_part *part)
{
	part->type = SPAN("application");
	part->subtype = SPAN("octet-stream");
}

/* An encoding that hides what is inside: RFC 2046 section 5.2.1 forbids it for messages, mail has it. */
static bool
is_transparent(enum mime_encoding encoding)
{
	return encoding == MIME_7BIT || encoding == MIME_8BIT || encoding == MIME_BINARY ||
	    encoding == MIME_UNKNOWN_ENCODING;
}

/* Room must remain for a child, its header be of a size that is read. */
static bool
may_open(const struct walk *walk, const struct mime_part *part)
{
	if (walk->depth == MIME_DEPTH_MAX || walk->tree->count >= MIME_PARTS_MAX ||
	    part->header_length > MIME_HEADER_OCTETS_MAX)
		return false;
	return part->kind != MIME_MESSAGE || is_transparent(part->encoding);
}

static void
push(struct walk *walk, uint32_t index)
{
	struct mime_part *part = &walk->tree->parts[index];
	struct frame *frame = &walk->stack[walk->depth++];

	*frame = (struct frame){ .part = index };
	if (part->kind != MIME_MULTIPART)
		return;
	frame->boundary = mime_parameter_find(part->parameters, SPAN("boundary"));
	while (frame->boundary.length > 0 && is_blank(span_from(frame->boundary, frame->boundary.length - 1)))
		frame->boundary.length--;
	frame->is_digest = span_equals_nocase(part->subtype, SPAN("digest"));
}

/* Read a part's header at the current line and open what it announces; true if a header follows. */
static bool
open_part(struct walk *walk, bool is_in_digest)
{
	uint32_t parent = walk->depth == 0 ? MIME_NO_PART : walk->stack[walk->depth - 1].part;
	uint32_t index = add_part(walk->tree, parent);
	struct mime_part *part = &walk->tree->parts[index];

	walk_header(walk, part);
	part->body_lines = walk->lines;		/* before it, until it ends */
	content_read(part, span_slice(span_slice(walk->message, part->header_offset, part->header_length), 0,
	    MIME_HEADER_OCTETS_MAX), is_in_digest, walk->tree->arena);
	part->kind = find_kind(part);
	if (part->kind != MIME_LEAF && !may_open(walk, part)) {
		part->kind = MIME_LEAF;
		set_opaque(part);
	}
	walk->leaf = MIME_NO_PART;
	if (part->kind == MIME_LEAF) {
		walk->leaf = index;
		return false;
	}
	push(walk, index);
	return part->kind == MIME_MESSAGE;
}

/* At a delimiter line: end what it ends.  True if a part begins behind it. */
static bool
take_delimiter(struct walk *walk, const struct delimiter *delimiter)
{
	if (!delimiter->is_close && walk->tree->count >= MIME_PARTS_MAX)
		return false;		/* what follows belongs to the last part */
	end_down_to(walk, delimiter->frame + 1, true);
	if (!delimiter->is_close)
		return true;
	walk->stack[delimiter->frame].boundary = (struct span){ NULL, 0 };
	walk->stack[delimiter->frame].is_closed = true;
	return false;
}

/* At the end of the message, cut off there: as an empty part it would be the one that clients show. */
static bool
is_nothing_behind(const struct walk *walk)
{
	uint32_t parent = walk->stack[walk->depth - 1].part;

	return walk->at == walk->message.length && walk->tree->parts[parent].first_child != MIME_NO_PART;
}

/* From the beginning of a line, go to the next one that begins as a delimiter does, or to the end of the message. */
static void
skip_lines(struct walk *walk)
{
	struct span rest = span_from(walk->message, walk->at);
	size_t at = span_find(rest, '-');

	while (at < rest.length && !((at == 0 || rest.at[at - 1] == '\n') && at + 1 < rest.length && rest.at[at + 1] == '-')) {
		while (at < rest.length && rest.at[at] == '-')
			at++;
		at += span_find(span_from(rest, at), '-');
	}
	walk->at += at;
	walk->lines += (uint32_t)span_count(span_slice(rest, 0, at), '\n');
}

/* Go to the next header that is to be read; false at the end of the message. */
static bool
find_part(struct walk *walk, bool *is_in_digest_out)
{
	for (;;) {
		struct delimiter delimiter;
		struct span line;
		bool begins;

		skip_lines(walk);
		line = line_at(walk);
		if (line.length == 0)
			return false;
		begins = find_delimiter(walk, line, &delimiter) && take_delimiter(walk, &delimiter);
		next_line(walk, line);
		if (begins && !is_nothing_behind(walk)) {
			*is_in_digest_out = walk->stack[walk->depth - 1].is_digest;
			return true;
		}
	}
}

void
mime_tree_init(struct mime_tree *tree, struct span message)
{
	struct walk *walk = NEW(struct walk);
	bool is_in_digest = false;

	assert(message.length <= UINT32_MAX);
	*tree = (struct mime_tree){ .arena = arena_new() };
	walk->tree = tree;
	walk->message = message;
	do {
		while (open_part(walk, is_in_digest))
			is_in_digest = false;
	} while (find_part(walk, &is_in_digest));
	end_down_to(walk, 0, false);
	free(walk);
}

void
mime_tree_fini(struct mime_tree *tree)
{
	arena_free(&tree->arena);
	free(tree->parts);
	*tree = (struct mime_tree){ .arena = NULL };
}
