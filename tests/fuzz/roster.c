/*
 * Files of other programs' users, of any octets: passwd-file and shadow(5).  The reader of lines gives what stands between two
 * line ends, however long; what is let in instead of a password is bearable, and of what is not nothing is kept.
 */
#include <sys/mman.h>

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "../../src/imapctl/roster/body.h"
#include "../../src/imapctl/roster/file.h"
#include "../../src/service/user_import_line.h"
#include "auth/foreign.h"
#include "auth/password.h"
#include "base/base64.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
check_stored(struct span stored)
{
	struct buffer credential = { 0 };
	struct span scheme;
	enum foreign_password kind = foreign_password_read(stored, &credential, &scheme);

	if (kind == FOREIGN_HASH)
		assert(password_is_credential(buffer_span(&credential)) && foreign_is_bearable(buffer_span(&credential)));
	else
		assert((kind == FOREIGN_PLAIN) == (credential.length > 0));
	buffer_free(&credential);
}

static void
check_secret(const struct user_import_line *read, const struct person *person)
{
	struct buffer secret = { 0 }, said = { 0 };
	struct span stored = person->stored, scheme;

	while (stored.length > 0 && (stored.at[0] == '!' || stored.at[0] == '*'))
		stored = span_from(stored, 1);
	foreign_password_read(stored, &secret, &scheme);
	assert(base64_decode(read->password, &said));
	assert(span_equals(buffer_span(&secret), read->hash.length > 0 ? read->hash : buffer_span(&said)));
	assert(read->has_enabled == person->is_locked && !read->is_enabled);
	buffer_free(&secret);
	buffer_free(&said);
}

/* What the server has to say about it is about the name or the quota, which imapctl does not look at. */
static void
check_line(const struct person *person)
{
	struct user_import_line read;
	struct person sent = *person;
	struct arena *arena = arena_new();
	struct buffer line = { 0 };
	struct directory_name name;
	struct span scheme = SPAN("");
	const char *refusal;

	roster_add_line(&line, &sent, false, &scheme);
	if (sent.refusal == NULL) {
		assert(span_find(buffer_span(&line), '\n') == line.length - 1);
		refusal = user_import_read_line(span_slice(buffer_span(&line), 0, line.length - 1), arena, &read);
		assert(refusal == NULL || strcmp(refusal, "bad-name") == 0 || strcmp(refusal, "bad-quota") == 0);
		if (refusal == NULL) {
			assert(directory_prepare_new_name(person->name, &name));
			assert(span_equals(directory_name_span(&name), directory_name_span(&read.name)));
			check_secret(&read, &sent);
		}
	}
	buffer_free(&line);
	arena_free(&arena);
}

/* A line that somebody else says to the server. */
static void
check_foreign_line(struct span line)
{
	struct user_import_line read;
	struct arena *arena = arena_new();

	if (user_import_read_line(line, arena, &read) == NULL) {
		assert(read.name.length > 0);
		assert(read.hash.length == 0 || foreign_is_bearable(read.hash));
	}
	arena_free(&arena);
}

static void
check_person(const struct person *person, struct span line)
{
	struct directory_quota quota;

	assert(person->name.length + person->stored.length <= line.length && person->rule_count <= PERSON_RULES_MAX);
	check_stored(person->stored);
	for (size_t i = 0; i < person->rule_count; i++)
		(void)directory_read_quota(person->rules[i], 1024, &quota);
}

/* What stands between two line ends, as the reader must have it. */
static struct span
next_line(struct span *rest, bool is_first)
{
	struct span mark = SPAN("\xef\xbb\xbf");
	struct span line = span_slice(*rest, 0, span_find(*rest, '\n'));

	*rest = span_from(*rest, line.length + 1);
	line = span_without_line_end(line);
	return is_first && span_starts_with(line, mark) ? span_from(line, mark.length) : line;
}

static void
read_all(struct roster_file *file, struct roster *roster, struct span input)
{
	struct span line, wanted;
	struct person person;

	while (roster_file_next(file, &line)) {
		wanted = next_line(&input, file->number == 1);
		assert(file->is_cut || span_equals(line, wanted));
		check_foreign_line(line);
		if (!roster->format->read(roster, line, &person))
			continue;
		check_person(&person, line);
		if (person.refusal == NULL)
			check_line(&person);
	}
	assert(input.length == 0 && roster->passed_over_count <= PASSED_OVER_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct roster_file file;
	struct roster roster;
	char path[32];
	int descriptor;

	if (size == 0)
		return 0;
	descriptor = memfd_create("roster", MFD_CLOEXEC);
	assert(write(descriptor, octets + 1, size - 1) == (ssize_t)(size - 1));
	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	assert(roster_file_open(&file, path));
	assert(roster_begin(&roster, octets[0] % 2 == 0 ? "passwd-file" : "shadow", path));
	read_all(&file, &roster, span_of(octets + 1, size - 1));
	roster_end(&roster);
	roster_file_close(&file);
	close(descriptor);
	return 0;
}
