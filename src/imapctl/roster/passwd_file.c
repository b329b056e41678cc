/*
 * Dovecot's passwd-file: user:password:uid:gid:gecos:home:shell:extra, of which all but the first may be missing, and the
 * last holds what has no colon of its own to end it: "key" and "key=value", parted by spaces.
 */
#include "base/memory.h"
#include "roster.h"

#define FIELDS_BEFORE_EXTRA 7

static const struct span userdb = SPAN("userdb_");

/* "quota_rule", "quota_rule2" and so on. */
static bool
is_rule(struct span key)
{
	static const struct span word = SPAN("quota_rule");
	uint64_t number;

	return span_starts_with(key, word) &&
	    (key.length == word.length || span_to_number(span_from(key, word.length), 1000, &number));
}

/* What bounds where a user may log in from is not there, so that such a user may not until somebody has seen to it. */
static bool
is_bound(struct span key)
{
	return span_equals(key, SPAN("allow_nets")) || span_equals(key, SPAN("allow_real_nets"));
}

static void
read_extra(struct roster *roster, struct span field, struct person *person)
{
	size_t equals = span_find(field, '=');
	struct span key = span_slice(field, 0, equals), value = span_from(field, equals + 1);
	struct span bare = span_starts_with(key, userdb) ? span_from(key, userdb.length) : key;

	if (key.length == 0)
		return;
	if (span_equals(key, SPAN("nologin")) || is_bound(key))
		person->is_locked = true;
	if (is_bound(key))
		roster_pass_over(roster, key, "so that they may not log in until `imapctl user set NAME --imap=on`");
	else if (span_equals(key, SPAN("nopassword")))
		roster_pass_over(roster, key, "who has no password can log in once `imapctl user passwd NAME` has given one");
	else if (is_rule(bare) && person->rule_count < PERSON_RULES_MAX)
		person->rules[person->rule_count++] = value;
	else if (!span_equals(key, SPAN("nologin")))
		roster_pass_over(roster, key, NULL);
}

/* "$6$...[13]" is of libpam-pwdfile, which Dovecot reads too: what stands in the brackets is a number of a kind. */
static struct span
without_kind(struct span stored)
{
	size_t length = stored.length;

	if (length > 4 && stored.at[0] != '{' && stored.at[0] != '$' && stored.at[length - 1] == ']' && stored.at[length - 4] == '[')
		stored.length -= 4;
	return stored;
}

/* As Dovecot: what begins with '#' or ':' is nobody. */
bool
passwd_file_read(struct roster *roster, struct span line, struct person *person_out)
{
	struct span rest = line, field;

	*person_out = (struct person){ .refusal = NULL };
	if (line.length == 0 || line.at[0] == '#' || line.at[0] == ':')
		return false;
	if (shadow_is_line(line))
		person_out->refusal = "this is a line of shadow(5): --format=shadow reads it";
	roster_cut(&rest, ':', &person_out->name);
	if (roster_cut(&rest, ':', &field))
		person_out->stored = without_kind(field);
	for (size_t i = 2; i < FIELDS_BEFORE_EXTRA; i++)
		if (!roster_cut(&rest, ':', &field))
			return true;
	while (roster_cut(&rest, ' ', &field))
		read_extra(roster, field, person_out);
	return true;
}
