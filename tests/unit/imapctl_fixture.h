/*
 * A folder with files for sources to read, and what is expected of the messages.
 */
#ifndef IMAPCTL_FIXTURE_H
#define IMAPCTL_FIXTURE_H

#include <sys/stat.h>
#include <sys/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imapctl/source/source.h"
#include "base/memory.h"

#define FILE_TIME 1000000000	/* of every file that is written here */

static char folder[64];

static const char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
write_octets(const char *name, struct span octets)
{
	struct timeval times[2] = { { FILE_TIME, 0 }, { FILE_TIME, 0 } };
	FILE *file = fopen(path_of(name), "we");

	assert_non_null(file);
	fwrite(octets.at, 1, octets.length, file);
	fclose(file);
	assert_int_equal(utimes(path_of(name), times), 0);
}

static inline void
write_file(const char *name, const char *text)
{
	write_octets(name, span_from_string(text));
}

static inline void
make_folder(const char *name)
{
	assert_int_equal(mkdir(path_of(name), 0700), 0);
}

static inline struct source *
open_source(const char *kind, const char *name)
{
	return source_open(kind, path_of(name));
}

/* Write a file and read it by a format that must be its own. */
static inline struct source *
open_text(const char *kind, const char *text)
{
	struct source *source;

	write_file("text", text);
	source = open_source(kind, "text");
	assert_non_null(source);
	return source;
}

/* What is compared of a message; a NULL is not. */
struct expected {
	const char *octets, *keywords, *mailbox, *copies;
	unsigned flags;
	int64_t date_s;		/* 0: not compared */
};

static inline void
expect_all(struct source *source, struct expected expected)
{
	struct message message = { 0 };

	assert_int_equal(source_next(source, &message), SOURCE_MESSAGE);
	if (expected.octets != NULL)
		assert_string_equal(buffer_string(&message.octets), expected.octets);
	assert_string_equal(buffer_string(&message.keywords), expected.keywords == NULL ? "" : expected.keywords);
	assert_string_equal(buffer_string(&message.mailbox), expected.mailbox == NULL ? "" : expected.mailbox);
	assert_string_equal(buffer_string(&message.copies), expected.copies == NULL ? "" : expected.copies);
	assert_int_equal(message.flags, expected.flags);
	assert_true(message.has_date);
	if (expected.date_s != 0)
		assert_int_equal(message.date_s, expected.date_s);
	message_free(&message);
}

static inline void
expect(struct source *source, const char *octets, unsigned flags, const char *mailbox)
{
	expect_all(source, (struct expected){ .octets = octets, .flags = flags, .mailbox = mailbox });
}

/* A refusal whose reason has such words in it. */
static inline void
expect_refusal(struct source *source, const char *origin, const char *words)
{
	struct message message = { 0 };

	assert_int_equal(source_next(source, &message), SOURCE_REFUSED);
	assert_string_equal(buffer_string(&message.origin) + strlen(folder) + 1, origin);
	if (strstr(buffer_string(&message.reason), words) == NULL)
		fail_msg("%s: %s", origin, buffer_string(&message.reason));
	message_free(&message);
}

static inline void
expect_end(struct source *source)
{
	struct message message = { 0 };

	assert_int_equal(source_next(source, &message), SOURCE_END);
	message_free(&message);
	source_close(&source);
}

/* How often something of a kind was noted. */
static inline uint64_t
noted(const struct source *source, enum note_kind kind)
{
	uint64_t count = 0;

	for (size_t i = 0; i < source->note_count; i++)
		count += source->notes[i].kind == kind ? source->notes[i].count : 0;
	return count;
}

static int
make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/imapctl-source-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
unmake(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

#endif
