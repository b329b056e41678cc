/*
 * Sources: c-client's docs/internal.txt and unix.c, Dovecot's mbox driver, Mutt's mbox.c, Thunderbird's
 * nsMsgMessageFlags.idl, Google Takeout.
 */
#include "marks.h"

#include "base/memory.h"
#include "export_field.h"
#include "labels.h"
#include "mime/header.h"

/* One message while its header is walked over. */
struct walk {
	struct source *source;
	struct message *message;
	struct span only;		/* the one field to be looked at; empty: all */
	bool is_expunged;		/* X-Mozilla-Status says so */
	bool has_folder_facts;		/* X-IMAP or X-IMAPbase */
	bool has_internal_subject;
	bool is_behind_length;		/* the field before was Content-Length */
};

static struct span
next_word(struct span *rest)
{
	struct span text = span_trim(*rest), word;
	size_t end = 0;

	while (end < text.length && text.at[end] != ' ' && text.at[end] != '\t' && text.at[end] != '\r' &&
	    text.at[end] != '\n')
		end++;
	word = span_slice(text, 0, end);
	while (end < text.length && (text.at[end] == '\r' || text.at[end] == '\n'))
		end++;
	*rest = span_from(text, end);
	return word;
}

static bool
is_digits(struct span text)
{
	uint64_t number;

	return span_to_number(text, UINT64_MAX, &number);
}

unsigned
marks_flag(uint8_t letter)
{
	switch (letter) {
	case 'R':
		return FLAG_SEEN;
	case 'A':
		return FLAG_ANSWERED;
	case 'F':
		return FLAG_FLAGGED;
	case 'D':
		return FLAG_DELETED;
	case 'T':
		return FLAG_DRAFT;
	default:
		return 0;
	}
}

/* Take flags from letters, if all are of those allowed and each stands once. */
static bool
take_letters(struct walk *walk, struct span value, const char *allowed)
{
	unsigned flags = 0;

	value = span_trim(value);
	for (size_t i = 0; i < value.length; i++) {
		if (value.at[i] == '\0' || strchr(allowed, value.at[i]) == NULL ||
		    span_find(span_slice(value, 0, i), value.at[i]) < i)
			return false;
		flags |= marks_flag(value.at[i]);
	}
	walk->message->flags |= flags;
	return true;
}

/* R: read; O: old; N and U: new and unread, of mailx. */
static bool
on_status(struct walk *walk, struct span value)
{
	return take_letters(walk, value, "RONU");
}

static bool
on_x_status(struct walk *walk, struct span value)
{
	return take_letters(walk, value, "AFDTR");
}

void
marks_add_keywords(struct source *source, struct message *message, struct span names)
{
	struct span word;

	while ((word = next_word(&names)).length > 0) {
		if (!message_add_keyword(message, word))
			source_note(source, NOTE_NOT_TAKEN_OVER, SPAN("a keyword of a form that IMAP does not have"),
			    buffer_span(&message->origin));
	}
}

/* Programs write keywords alone, padded with spaces; a field with other words is a sender's. */
static bool
on_keywords(struct walk *walk, struct span value)
{
	struct message probe = { 0 };
	struct span rest = value, word;
	bool is_theirs = true;

	while (is_theirs && (word = next_word(&rest)).length > 0)
		is_theirs = message_add_keyword(&probe, word);
	message_free(&probe);
	if (is_theirs)
		marks_add_keywords(walk->source, walk->message, value);
	return is_theirs;
}

static bool
on_number(struct walk *walk, struct span value)
{
	(void)walk;
	return is_digits(span_trim(value));
}

/* Where another program has changed a message that we exported. */
static bool
on_export(struct walk *walk, struct span value)
{
	struct export_field field;

	if (!export_field_read(value, &field))
		return false;
	walk->message->uid = field.uid;
	walk->message->uidvalidity = field.uidvalidity;
	return true;
}

/* "3   Sun, 29 Nov 2026 00:35:12 +0000", of Gnus: a number and when it came. */
static bool
on_article_number(struct walk *walk, struct span value)
{
	(void)walk;
	return is_digits(next_word(&value)) && span_trim(value).length > 0;
}

/* Mutt puts Lines behind Content-Length; elsewhere it came with the message, from a newsgroup. */
static bool
on_lines(struct walk *walk, struct span value)
{
	return walk->is_behind_length && on_number(walk, value);
}

/* UIDVALIDITY, the last UID, and the keywords of the folder. */
static bool
on_folder_facts(struct walk *walk, struct span value)
{
	bool is_theirs = is_digits(next_word(&value)) && is_digits(next_word(&value));

	walk->has_folder_facts |= is_theirs;
	return is_theirs;
}

static bool
on_subject(struct walk *walk, struct span value)
{
	walk->has_internal_subject |= span_equals(span_trim(value),
	    SPAN("DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"));
	return false;
}

static bool
on_mozilla_status(struct walk *walk, struct span value)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} bits[] = { { 0x0001, FLAG_SEEN }, { 0x0002, FLAG_ANSWERED }, { 0x0004, FLAG_FLAGGED },
		{ 0x1000, FLAG_FORWARDED } };
	uint32_t number;

	if (!span_to_hex_number(span_trim(value), 4, &number))
		return false;
	for (size_t i = 0; i < COUNT_OF(bits); i++) {
		if ((number & bits[i].bit) != 0)
			walk->message->flags |= bits[i].flag;
	}
	walk->is_expunged |= (number & 0x0008) != 0;
	return true;
}

/* Deleted on the IMAP server; a read receipt was sent; and the label of a time before there were tags. */
static bool
on_mozilla_status2(struct walk *walk, struct span value)
{
	static const struct span labels[] = { SPAN("$label1"), SPAN("$label2"), SPAN("$label3"), SPAN("$label4"),
		SPAN("$label5") };
	uint32_t number, label;

	if (!span_to_hex_number(span_trim(value), 8, &number))
		return false;
	if ((number & 0x00200000) != 0)
		walk->message->flags |= FLAG_DELETED;
	if ((number & 0x00800000) != 0)
		message_add_keyword(walk->message, SPAN("$MDNSent"));
	label = number >> 25 & 7;
	if (label >= 1 && label <= COUNT_OF(labels))
		message_add_keyword(walk->message, labels[label - 1]);
	return true;
}

static bool
on_labels(struct walk *walk, struct span value)
{
	labels_take(walk->source, walk->message, value);
	return true;
}

/* The labels of Evolution, `; flags="$Labelwork,Mein Label"`. */
static void
take_evolution_labels(struct walk *walk, struct span rest)
{
	struct span start = SPAN("flags=\"");
	size_t at = 0;

	while (at < rest.length && !span_starts_with(span_from(rest, at), start))
		at++;
	rest = span_from(rest, at + start.length);
	rest = span_slice(rest, 0, span_find(rest, '"'));
	while (rest.length > 0) {
		struct span label = span_trim(span_slice(rest, 0, span_find(rest, ',')));

		rest = span_from(rest, span_find(rest, ',') + 1);
		if (label.length > 0)
			labels_add_keyword(walk->source, walk->message, label);
	}
}

/* "00000009-0009", a number and the flags of Camel, and more behind a semicolon. */
static bool
on_evolution(struct walk *walk, struct span value)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} bits[] = { { 0x01, FLAG_ANSWERED }, { 0x02, FLAG_DELETED }, { 0x04, FLAG_DRAFT }, { 0x08, FLAG_FLAGGED },
		{ 0x10, FLAG_SEEN }, { 0x400, FLAG_FORWARDED } };
	uint32_t number, flags;

	value = span_trim(value);
	if (value.length < 13 || value.at[8] != '-' || !span_to_hex_number(span_slice(value, 0, 8), 8, &number) ||
	    !span_to_hex_number(span_slice(value, 9, 4), 4, &flags))
		return false;
	walk->message->flags = 0;
	for (size_t i = 0; i < COUNT_OF(bits); i++) {
		if ((flags & bits[i].bit) != 0)
			walk->message->flags |= bits[i].flag;
	}
	if ((flags & 0x80) != 0)
		message_add_keyword(walk->message, SPAN("$Junk"));
	take_evolution_labels(walk, span_from(value, 13));
	return true;
}

static const struct {
	struct span name;
	/* Take over what the value says; true: the field is a program's, in a form that programs write. */
	bool (*take)(struct walk *walk, struct span value);
} fields[] = {
	{ SPAN("Status"), on_status },
	{ SPAN("X-Status"), on_x_status },
	{ SPAN("X-Keywords"), on_keywords },
	{ SPAN("X-UID"), on_number },
	{ SPAN("X-IMAP"), on_folder_facts },
	{ SPAN("X-IMAPbase"), on_folder_facts },
	{ SPAN(EXPORT_FIELD_NAME), on_export },
	{ SPAN("Content-Length"), on_number },
	{ SPAN("Lines"), on_lines },
	{ SPAN("X-Mozilla-Status"), on_mozilla_status },
	{ SPAN("X-Mozilla-Status2"), on_mozilla_status2 },
	{ SPAN("X-Mozilla-Keys"), on_keywords },
	{ SPAN("X-Gmail-Labels"), on_labels },
	{ SPAN("X-GM-THRID"), on_number },
	{ SPAN("X-Evolution"), on_evolution },
	{ SPAN("X-Gnus-Article-Number"), on_article_number },
	{ SPAN("Subject"), on_subject },
};

static bool
take_field(struct walk *walk, const struct mime_field *field)
{
	if (walk->only.length > 0 && !span_equals_nocase(field->name, walk->only))
		return false;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (span_equals_nocase(field->name, fields[i].name))
			return fields[i].take(walk, field->value);
	}
	return false;
}

/* Walk over the header; *kept_out is what it is without the fields of programs. */
static void
walk_over(struct walk *walk, struct buffer *kept_out, size_t *header_length_out)
{
	struct span octets = buffer_span(&walk->message->octets);
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(octets, &offset, &field)) {
		if (!take_field(walk, &field))
			buffer_add_span(kept_out, field.whole);
		walk->is_behind_length = span_equals_nocase(field.name, SPAN("Content-Length"));
	}
	*header_length_out = offset;
}

/* Put what was kept in the place of the header. */
static void
replace_header(struct buffer *octets, size_t length, struct span kept)
{
	if (kept.length == length)
		return;
	buffer_consume(octets, length - kept.length);
	if (kept.length > 0)
		memcpy(octets->at, kept.at, kept.length);
}

/* Walk over the header, and leave what is no program's. */
static void
take_out(struct walk *walk)
{
	struct buffer kept = { 0 };
	size_t length;

	walk_over(walk, &kept, &length);
	replace_header(&walk->message->octets, length, buffer_span(&kept));
	buffer_free(&kept);
}

void
marks_take_field(struct source *source, struct message *message, struct span name)
{
	take_out(&(struct walk){ .source = source, .message = message, .only = name });
}

enum marks_verdict
marks_take(struct source *source, struct message *message)
{
	struct walk walk = { .source = source, .message = message };

	take_out(&walk);
	if (walk.has_folder_facts && walk.has_internal_subject)
		return MARKS_INTERNAL;
	return walk.is_expunged ? MARKS_DELETED : MARKS_MESSAGE;
}

void
marks_read(struct source *source, struct message *message)
{
	struct walk walk = { .source = source, .message = message };
	struct buffer kept = { 0 };
	size_t length;

	walk_over(&walk, &kept, &length);
	buffer_free(&kept);
}

bool
marks_content_length(struct span header, uint64_t *length_out)
{
	struct mime_field field;
	size_t offset = 0;
	bool is_found = false;

	while (mime_field_next(header, &offset, &field)) {
		if (span_equals_nocase(field.name, SPAN("Content-Length")) &&
		    span_to_number(span_trim(field.value), INT64_MAX, length_out))
			is_found = true;
	}
	return is_found;
}
