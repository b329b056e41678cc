/*
 * Lines of users that come in.  Any thread.
 */
#include "user_import_line.h"

#include "auth/foreign.h"
#include "control/words.h"

#define LINE_WORDS_MAX	   16
#define DOVECOT_QUOTA_UNIT 1024	/* of storage in a rule without a letter */

/* Take the value of "key=value".  False: another key. */
static bool
take(struct span word, struct span key, struct span *value_out)
{
	if (!span_starts_with(word, key))
		return false;
	*value_out = span_from(word, key.length);
	return true;
}

/* NULL: it is good. */
static const char *
read_word(struct user_import_line *line, struct span word)
{
	struct span value;

	if (take(word, SPAN("hash="), &line->hash) || take(word, SPAN("password="), &line->password))
		return NULL;
	if (take(word, SPAN("imap="), &value)) {
		line->has_enabled = true;
		line->is_enabled = span_equals(value, SPAN("on"));
		return line->is_enabled || span_equals(value, SPAN("off")) ? NULL : "not-understood";
	}
	if (take(word, SPAN("quota="), &value)) {
		line->has_quota = true;
		return directory_read_quota(value, DOVECOT_QUOTA_UNIT, &line->quota) ? NULL : "bad-quota";
	}
	return "not-understood";
}

const char *
user_import_read_line(struct span text, struct arena *arena, struct user_import_line *line)
{
	struct span words[LINE_WORDS_MAX];
	const char *refusal = NULL;
	size_t count;

	*line = (struct user_import_line){ .has_quota = false };
	if (!control_split_words(text, arena, words, LINE_WORDS_MAX, &count) || count == 0)
		return "not-understood";
	if (!directory_prepare_new_name(words[0], &line->name))
		return "bad-name";
	for (size_t i = 1; i < count && refusal == NULL; i++)
		refusal = read_word(line, words[i]);
	if (refusal == NULL && line->hash.length > 0 && !foreign_is_bearable(line->hash))
		refusal = "bad-password";
	return refusal;
}
