/*
 * Writing annotations.  One line for each value: they may be large.
 */
#include "annotations.h"

#include "imap/writer.h"

struct writing {
	struct buffer *out;
	const struct annotation_subject *subject;
	const struct annotation_request *request;
	struct span asked;		/* the entry, as the client spells it */
	uint64_t *longest;
	bool has_value;			/* the entry itself */
};

static void
begin_line(struct buffer *out, struct span name, bool is_utf8)
{
	buffer_add_string(out, "* METADATA ");
	if (name.length == 0)
		buffer_add_string(out, "\"\"");
	else
		imap_write_mailbox(out, name, is_utf8);
	buffer_add_octet(out, ' ');
}

void
annotations_write_change(struct buffer *out, struct span name, struct span entry, bool is_utf8)
{
	begin_line(out, name, is_utf8);
	imap_write_astring(out, entry, is_utf8);
	buffer_add_string(out, "\r\n");
}

static void
write_value(struct buffer *out, struct span value, bool is_utf8)
{
	if (value.at == NULL || span_find(value, 0) == value.length) {
		imap_write_nstring(out, value, is_utf8);
		return;
	}
	imap_write_literal_header(out, value.length, true);
	buffer_add_span(out, value);
}

static void
write_line(const struct writing *writing, struct span entry, struct span value)
{
	begin_line(writing->out, writing->subject->name, writing->request->is_utf8);
	buffer_add_octet(writing->out, '(');
	imap_write_astring(writing->out, entry, writing->request->is_utf8);
	buffer_add_octet(writing->out, ' ');
	write_value(writing->out, value, writing->request->is_utf8);
	buffer_add_string(writing->out, ")\r\n");
}

static void
write_annotation(const struct store_annotation *annotation, void *context)
{
	struct writing *writing = context;
	bool is_asked = span_equals_nocase(annotation->entry, writing->asked);

	writing->has_value |= is_asked;
	if (annotation->value.at != NULL)
		write_line(writing, is_asked ? writing->asked : annotation->entry, annotation->value);
	else if (annotation->size_octets > *writing->longest)
		*writing->longest = annotation->size_octets;
}

/* Whether an entry is the one that is asked for, or so far below it. */
static bool
is_asked_for(const struct writing *writing, struct span entry)
{
	struct span asked = writing->asked, below;

	if (!span_equals_nocase(span_slice(entry, 0, asked.length), asked))
		return false;
	below = span_from(entry, asked.length);
	if (below.length == 0 || below.at[0] != '/')
		return below.length == 0;
	return writing->request->depth == IMAP_DEPTH_INFINITY ||
	    (writing->request->depth == IMAP_DEPTH_1 && span_find(span_from(below, 1), '/') == below.length - 1);
}

/* What is no row; value.at is NULL where it has none. */
static void
write_computed(struct writing *writing, const char *name, struct span value)
{
	struct store_annotation annotation = { span_from_string(name), value, value.length };

	if (value.at == NULL || !is_asked_for(writing, annotation.entry))
		return;
	if (value.length > writing->request->octets_max)
		annotation.value = (struct span){ NULL, 0 };
	write_annotation(&annotation, writing);
}

enum store_status
annotations_write(struct buffer *out, struct store *store, const struct annotation_subject *subject,
    const struct annotation_request *request, struct span entry, uint64_t *longest)
{
	static const enum store_depth depths[] = { [IMAP_DEPTH_0] = STORE_DEPTH_ENTRY,
		[IMAP_DEPTH_1] = STORE_DEPTH_CHILDREN, [IMAP_DEPTH_INFINITY] = STORE_DEPTH_ALL };
	struct writing writing = { out, subject, request, entry, longest, false };
	enum store_status status = store_annotation_each(store, &subject->annotated, entry, depths[request->depth],
	    request->octets_max, write_annotation, &writing);

	if (subject->name.length == 0) {
		write_computed(&writing, "/shared/comment", request->comment);
		write_computed(&writing, "/shared/admin", request->admin);
	} else if (subject->special_use != NULL) {
		write_computed(&writing, ANNOTATION_SPECIAL_USE, span_from_string(subject->special_use));
	}
	if (status == STORE_OK && request->depth == IMAP_DEPTH_0 && !writing.has_value)
		write_line(&writing, entry, (struct span){ NULL, 0 });
	return status;
}
