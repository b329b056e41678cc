/*
 * What Gmail calls its own labels in Takeout is known in English, German, French and Spanish; in other
 * languages they are taken for labels of the user, so that nothing is lost.
 */
#include "labels.h"

#include "base/memory.h"
#include "imap/flags.h"
#include "imap/mailbox_name.h"
#include "mime/encoded_word.h"

/* What a label of Gmail's own stands for. */
enum meaning {
	USERS,		/* none: it is the user's */
	NOTHING,	/* what the absence of another says as well */
	INBOX,
	UNREAD,
	STARRED,
	IMPORTANT,
	DRAFT,
	SENT,
	SPAM,
	TRASH,
	MEANINGS,
};

static const struct {
	struct span name;
	enum meaning meaning;
} names[] = {
	{ SPAN("Inbox"), INBOX }, { SPAN("Unread"), UNREAD }, { SPAN("Opened"), NOTHING }, { SPAN("Archived"), NOTHING },
	{ SPAN("Starred"), STARRED }, { SPAN("Important"), IMPORTANT }, { SPAN("Draft"), DRAFT },
	{ SPAN("Drafts"), DRAFT }, { SPAN("Sent"), SENT }, { SPAN("Spam"), SPAM }, { SPAN("Trash"), TRASH },
	/* German */
	{ SPAN("Posteingang"), INBOX }, { SPAN("Ungelesen"), UNREAD }, { SPAN("Geöffnet"), NOTHING },
	{ SPAN("Archiviert"), NOTHING }, { SPAN("Markiert"), STARRED }, { SPAN("Wichtig"), IMPORTANT },
	{ SPAN("Entwurf"), DRAFT }, { SPAN("Entwürfe"), DRAFT }, { SPAN("Gesendet"), SENT },
	{ SPAN("Papierkorb"), TRASH },
	/* French */
	{ SPAN("Boîte de réception"), INBOX }, { SPAN("Non lus"), UNREAD }, { SPAN("Ouvert"), NOTHING },
	{ SPAN("Archivés"), NOTHING }, { SPAN("Messages archivés"), NOTHING }, { SPAN("Suivis"), STARRED },
	{ SPAN("Importants"), IMPORTANT }, { SPAN("Brouillons"), DRAFT }, { SPAN("Envoyé"), SENT },
	{ SPAN("Messages envoyés"), SENT }, { SPAN("Corbeille"), TRASH },
	/* Spanish */
	{ SPAN("Recibidos"), INBOX }, { SPAN("No leídos"), UNREAD }, { SPAN("Abierto"), NOTHING },
	{ SPAN("Archivados"), NOTHING }, { SPAN("Destacados"), STARRED }, { SPAN("Importante"), IMPORTANT },
	{ SPAN("Importantes"), IMPORTANT }, { SPAN("Borradores"), DRAFT }, { SPAN("Enviado"), SENT },
	{ SPAN("Enviados"), SENT }, { SPAN("Papelera"), TRASH },
};

static enum meaning
meaning_of(struct span label)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_equals_nocase(label, names[i].name))
			return names[i].meaning;
	}
	return USERS;
}

/* The next label of a list; commas between quotes are part of one.  False at the end. */
static bool
next_label(struct span *rest, struct buffer *label_out)
{
	bool is_quoted = false;
	size_t i = 0;

	buffer_clear(label_out);
	if (rest->length == 0)
		return false;
	for (; i < rest->length && (is_quoted || rest->at[i] != ','); i++) {
		if (rest->at[i] == '"')
			is_quoted = !is_quoted;
		else
			buffer_add_octet(label_out, rest->at[i]);
	}
	*rest = span_from(*rest, i + 1);
	return true;
}

static void
note_lost(struct source *source, const struct message *message, struct span label)
{
	struct buffer what = { 0 };

	buffer_add_string(&what, "the label ");
	buffer_add_span(&what, label);
	source_note(source, NOTE_NOT_TAKEN_OVER, buffer_span(&what), buffer_span(&message->origin));
	buffer_free(&what);
}

/*
 * "Two words" becomes the keyword Two_words; what is not ASCII modified UTF-7, as in Thunderbird.  Gmail
 * shows keywords that an IMAP client has set as IMAP_$Forwarded.
 */
void
labels_add_keyword(struct source *source, struct message *message, struct span label)
{
	struct buffer keyword = { 0 };
	struct span own = SPAN("IMAP_");

	imap_utf7_encode(span_starts_with(label, own) ? span_from(label, own.length) : label, &keyword);
	for (size_t i = 0; i < keyword.length; i++) {
		if (!imap_keyword_is_valid(span_of(keyword.at + i, 1)))
			keyword.at[i] = '_';
	}
	if (!message_add_keyword(message, buffer_span(&keyword)))
		note_lost(source, message, label);
	buffer_free(&keyword);
}

/* A mailbox more that gets the message: the first is message->mailbox, the others stand in copies. */
static void
add_mailbox(struct message *message, struct span name, bool *has_one)
{
	struct span others = buffer_span(&message->copies);

	if (!*has_one)
		buffer_add_span(&message->mailbox, name);
	if (!*has_one || span_equals(buffer_span(&message->mailbox), name)) {
		*has_one = true;
		return;
	}
	while (others.length > 0) {
		size_t end = span_find(others, '\0');

		if (span_equals(span_slice(others, 0, end), name))
			return;
		others = span_from(others, end + 1);
	}
	buffer_add_span(&message->copies, name);
	buffer_add_octet(&message->copies, '\0');
}

/* The label "Family/2020" is the mailbox of that name. */
static void
add_users_mailbox(struct source *source, struct message *message, struct span label, bool *has_one)
{
	struct buffer canonical = { 0 }, name = { 0 };

	if (imap_name_canonical(label, true, &canonical) == IMAP_NAME_OK) {
		imap_utf7_encode(buffer_span(&canonical), &name);
		add_mailbox(message, buffer_span(&name), has_one);
	} else {
		note_lost(source, message, label);
	}
	buffer_free(&canonical);
	buffer_free(&name);
}

/* Gmail's tabs of the inbox, and keywords, are no mailboxes. */
static bool
is_no_mailbox(struct span label)
{
	static const struct span prefixes[] = { SPAN("IMAP_"), SPAN("Category "), SPAN("Kategorie"), SPAN("Catégorie"),
		SPAN("Categoría") };

	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (span_starts_with(label, prefixes[i]))
			return true;
	return false;
}

static void
take_flags(struct message *message, const bool *has)
{
	if (!has[UNREAD])
		message->flags |= FLAG_SEEN;
	if (has[STARRED])
		message->flags |= FLAG_FLAGGED;
	if (has[DRAFT])
		message->flags |= FLAG_DRAFT;
	if (has[IMPORTANT])
		message_add_keyword(message, SPAN("$Important"));	/* RFC 8457 section 2 */
}

/* Mailboxes by the names that the server makes for new users. */
static void
take_mailboxes(struct message *message, const bool *has, struct span inbox, bool *has_mailbox)
{
	const struct {
		enum meaning meaning;
		struct span mailbox;
	} places[] = { { TRASH, SPAN("Trash") }, { SPAM, SPAN("Junk") }, { DRAFT, SPAN("Drafts") },
		{ INBOX, inbox }, { SENT, SPAN("Sent") } };

	for (size_t i = 0; i < COUNT_OF(places) && !*has_mailbox; i++) {
		if (has[places[i].meaning])
			add_mailbox(message, places[i].mailbox, has_mailbox);
	}
}

void
labels_take(struct source *source, struct message *message, struct span value)
{
	bool has[MEANINGS] = { false }, has_mailbox = false;
	struct buffer text = { 0 }, label = { 0 };
	struct span rest;
	bool is_filed;		/* by the user's labels; Gmail shows what is thrown away nowhere else */

	mime_header_decode(value, &text);
	for (rest = buffer_span(&text); next_label(&rest, &label);)
		has[meaning_of(span_trim(buffer_span(&label)))] = true;
	is_filed = source->labels == LABELS_MAILBOXES && !has[TRASH] && !has[SPAM];
	take_flags(message, has);
	take_mailboxes(message, has, SPAN(""), &has_mailbox);	/* the one named for the import */
	for (rest = buffer_span(&text); next_label(&rest, &label);) {
		struct span name = span_trim(buffer_span(&label));

		if (name.length == 0 || meaning_of(name) != USERS)
			continue;
		if (is_filed && !is_no_mailbox(name))
			add_users_mailbox(source, message, name, &has_mailbox);
		else
			labels_add_keyword(source, message, name);
	}
	if (!has_mailbox && is_filed)
		add_mailbox(message, SPAN("Archive"), &has_mailbox);
	buffer_free(&text);
	buffer_free(&label);
}

/* https://developers.google.com/workspace/gmail/imap/imap-extensions: system labels begin with a backslash. */
static enum meaning
meaning_of_attribute(struct span label)
{
	static const struct {
		struct span name;
		enum meaning meaning;
	} attributes[] = { { SPAN("\\Inbox"), INBOX }, { SPAN("\\Starred"), STARRED }, { SPAN("\\Flagged"), STARRED },
		{ SPAN("\\Important"), IMPORTANT }, { SPAN("\\Draft"), DRAFT }, { SPAN("\\Drafts"), DRAFT },
		{ SPAN("\\Sent"), SENT }, { SPAN("\\Junk"), SPAM }, { SPAN("\\Spam"), SPAM }, { SPAN("\\Trash"), TRASH } };

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (span_equals_nocase(label, attributes[i].name))
			return attributes[i].meaning;
	}
	return label.length > 0 && label.at[0] == '\\' ? NOTHING : USERS;
}

static void
take_users_label(struct source *source, struct message *message, struct span sent, bool is_filed, bool *has_mailbox)
{
	struct buffer label = { 0 };

	if (!imap_utf7_decode(sent, &label))
		buffer_add_span(&label, sent);
	if (is_filed)
		add_users_mailbox(source, message, buffer_span(&label), has_mailbox);
	else
		labels_add_keyword(source, message, buffer_span(&label));
	buffer_free(&label);
}

void
labels_take_list(struct source *source, struct message *message, const struct span *labels, size_t count, bool is_kept)
{
	bool has[MEANINGS] = { false }, has_mailbox = false, is_filed;

	for (size_t i = 0; i < count; i++)
		has[meaning_of_attribute(labels[i])] = true;
	has[UNREAD] = true;		/* FLAGS tell what was read */
	take_flags(message, has);
	if (is_kept)
		take_mailboxes(message, has, SPAN("INBOX"), &has_mailbox);
	is_filed = is_kept && source->labels == LABELS_MAILBOXES && !has[TRASH] && !has[SPAM];
	for (size_t i = 0; i < count; i++) {
		if (meaning_of_attribute(labels[i]) == USERS)
			take_users_label(source, message, labels[i], is_filed, &has_mailbox);
	}
}
