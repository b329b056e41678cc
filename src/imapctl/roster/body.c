#include "body.h"

#include "auth/foreign.h"
#include "base/base64.h"
#include "base/memory.h"
#include "control/words.h"
#include "file.h"

#define LINE_MAX_OCTETS 4096	/* a name, a hash of 384, rules of quota */

static const char *
refusal_of(enum foreign_password kind)
{
	static const char *const texts[] = {
		[FOREIGN_UNKNOWN] = "such a hash cannot be compared here",
		[FOREIGN_DAMAGED] = "the hash is damaged",
		[FOREIGN_COSTLY] = "to compare this hash takes too much time or memory",
		[FOREIGN_NONE] = NULL, [FOREIGN_HASH] = NULL, [FOREIGN_PLAIN] = NULL,
	};

	return texts[kind];
}

/* What is locked in shadow(5) begins with "!", and an account without a password is "*" or nothing behind it. */
static struct span
unlock(struct span stored, struct person *person)
{
	while (stored.length > 0 && (stored.at[0] == '!' || stored.at[0] == '*')) {
		stored = span_from(stored, 1);
		person->is_locked = true;
	}
	return stored;
}

/* Append " hash=..." or " password=...", or nothing. */
static void
add_stored(struct buffer *line, struct span stored, struct person *person, struct span *scheme_out)
{
	struct buffer secret = { 0 }, encoded = { 0 };
	enum foreign_password kind = foreign_password_read(stored, &secret, scheme_out);

	person->refusal = refusal_of(kind);
	if (kind == FOREIGN_HASH)
		control_add_field(line, "hash", buffer_span(&secret));
	if (kind == FOREIGN_PLAIN) {
		base64_encode(buffer_span(&secret), &encoded);
		control_add_field(line, "password", buffer_span(&encoded));
	}
	buffer_wipe(&secret);
	buffer_wipe(&encoded);
}

void
roster_add_line(struct buffer *line, struct person *person, bool has_no_password, struct span *scheme_out)
{
	control_add_word(line, person->name);
	if (!has_no_password)
		add_stored(line, unlock(person->stored, person), person, scheme_out);
	if (person->is_locked)
		control_add_field(line, "imap", SPAN("off"));
	for (size_t i = 0; i < person->rule_count; i++)
		control_add_field(line, "quota", person->rules[i]);
	buffer_add_octet(line, '\n');
	if (line->length > LINE_MAX_OCTETS && person->refusal == NULL)
		person->refusal = "the line is too long";
}
