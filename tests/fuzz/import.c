/*
 * Files that are imported, of any octets: the first octet chooses the format.  Whatever comes out has CRLF
 * line ends, keywords that IMAP has, and no more octets than went in, and comes out the same again.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/imapctl/source/source.h"
#include "base/memory.h"
#include "imap/flags.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static const char *const kinds[] = { "mbox", "mmdf", "babyl", "mbx", "eml", "emlx" };

static void
add_mbx_header(struct buffer *file)
{
	buffer_add_string(file, "*mbx*\r\n6b0aafde00000001\r\nWork\r\n$Forwarded\r\n");
	while (file->length < 2048)
		buffer_add_octet(file, 0);
}

static void
check(const struct message *message)
{
	struct span octets = buffer_span(&message->octets), keywords = buffer_span(&message->keywords);

	for (size_t i = 0; i < octets.length; i++)
		assert(octets.at[i] != '\n' || (i > 0 && octets.at[i - 1] == '\r'));
	while (keywords.length > 0) {
		size_t end = span_find(keywords, ' ');

		assert(imap_keyword_is_valid(span_slice(keywords, 0, end)));
		keywords = span_from(keywords, end + 1);
	}
	assert(message->has_date);
}

/* Read all there is; what came is summed up in a buffer. */
static void
read_all(const char *kind, const char *path, enum label_style style, struct buffer *sum)
{
	struct source *source = source_open(kind, path);
	struct message message = { 0 };
	enum source_result result;

	if (source == NULL)
		return;
	source->labels = style;
	while ((result = source_next(source, &message)) != SOURCE_END) {
		assert(result == SOURCE_MESSAGE || result == SOURCE_REFUSED);
		if (result != SOURCE_MESSAGE)
			continue;
		check(&message);
		buffer_add_span(sum, buffer_span(&message.octets));
	}
	assert(source->done <= source->total);
	message_free(&message);
	source_close(&source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct buffer file = { 0 }, once = { 0 }, again = { 0 };
	const char *kind;
	char path[32], name[48];
	int descriptor;

	if (size == 0)
		return 0;
	kind = kinds[octets[0] % COUNT_OF(kinds)];
	if (strcmp(kind, "mbx") == 0)
		add_mbx_header(&file);
	buffer_add_span(&file, span_of(octets + 1, size - 1));
	descriptor = memfd_create("import", MFD_CLOEXEC);
	assert(write(descriptor, file.at, file.length) == (ssize_t)file.length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	snprintf(name, sizeof name, "/tmp/imapd-fuzz-%d.emlx", (int)getpid());	/* it is known by its name */
	assert(symlink(path, name) == 0);
	read_all(kind, name, octets[0] / 128, &once);
	read_all(kind, name, octets[0] / 128, &again);
	unlink(name);
	assert(span_equals(buffer_span(&once), buffer_span(&again)));
	assert(once.length <= 2 * file.length);
	close(descriptor);
	buffer_free(&file);
	buffer_free(&once);
	buffer_free(&again);
	return 0;
}
