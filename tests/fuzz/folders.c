/*
 * Any octets into the files beside mail and into a compressed letter: a maildir and an MH folder whose lists,
 * marks and one letter are pieces of the input, with three other octets between two.  What is refused is
 * refused in words, and a letter is never larger than the limit.
 */
#include <sys/stat.h>

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/imapctl/source/source.h"
#include "base/memory.h"

#define OCTETS_MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static const char *const files[] = { "cur/1.M1P1.h:2,Sab", "dovecot-uidlist", "dovecot-keywords",
	"courierimapkeywords/:list", "courierimapkeywords/.1.1.M1P1.h", "courierimapkeywords/1.M1P1.h", "7",
	".mh_sequences", ".claws_mark", "context" };

static char folder[64];

static void
unmake(void)
{
	char command[100];

	snprintf(command, sizeof command, "rm -r %s", folder);
	if (system(command) != 0)
		abort();
}

static void
make(void)
{
	static const char *const below[] = { "cur", "courierimapkeywords" };
	char path[128];

	strcpy(folder, "/tmp/fuzz-folders-XXXXXX");
	if (mkdtemp(folder) == NULL)
		abort();
	for (size_t i = 0; i < COUNT_OF(below); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, below[i]);
		mkdir(path, 0700);
	}
	atexit(unmake);
}

static void
write_file(const char *name, struct span octets)
{
	char path[128];
	int file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0 || write(file, octets.at, octets.length) != (ssize_t)octets.length)
		abort();
	close(file);
}

/* The input up to the next separator, which goes with it. */
static struct span
take_piece(struct span *rest)
{
	struct span piece;
	size_t end = 0;

	while (end < rest->length && !span_starts_with(span_from(*rest, end), SPAN("\xff\xfe\xfd")))
		end++;
	piece = span_slice(*rest, 0, end);
	*rest = span_from(*rest, end + 3);
	return piece;
}

static void
read_all(const char *kind)
{
	struct source *source = source_open(kind, folder);
	struct message message = { 0 };
	enum source_result result;
	size_t count = 0;

	assert(source != NULL);
	source->octets_max = OCTETS_MAX;
	while ((result = source_next(source, &message)) != SOURCE_END) {
		assert(result != SOURCE_REFUSED || message.reason.length > 0);
		assert(result != SOURCE_MESSAGE || message.octets.length <= OCTETS_MAX);
		count++;
	}
	assert(count >= 1 && count <= COUNT_OF(files));	/* a list may look like an mbox */
	message_free(&message);
	source_close(&source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	struct span rest = span_of(octets, length);

	if (folder[0] == '\0')
		make();
	for (size_t i = 0; i < COUNT_OF(files); i++)
		write_file(files[i], take_piece(&rest));
	read_all("maildir");
	read_all("mh");
	return 0;
}
