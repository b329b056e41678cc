/*
 * The maildirs of Thunderbird: a file is called for the time when it was written, whatever its flags.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "msf.h"
#include "source.h"

struct box {
	struct source source;
	struct source *files;	/* as a maildir */
	struct msf *msf;	/* NULL: nothing is known beside the files */
};

static enum source_result
next(struct source *source, struct message *message)
{
	struct box *box = CONTAINER_OF(source, struct box, source);
	enum source_result result;
	const char *slash;

	box->files->octets_max = source->octets_max;
	result = source_next(box->files, message);
	source->done = box->files->done;
	if (result != SOURCE_MESSAGE)
		return result;
	message_use_date_field(message);
	slash = strrchr(buffer_string(&message->origin), '/');
	if (box->msf != NULL && slash != NULL)
		msf_take_file(box->msf, source, message, span_from_string(slash + 1));
	return result;
}

static void
box_close(struct source *source)
{
	struct box *box = CONTAINER_OF(source, struct box, source);

	source_close(&box->files);
	msf_close(&box->msf);
	free(box);
}

struct source *
thunderbird_maildir_open(const char *path)
{
	struct source *files = maildir_open(path);
	struct box *box;

	if (files == NULL)
		return NULL;
	box = NEW(struct box);
	box->source.next = next;
	box->source.close = box_close;
	box->source.total = files->total;
	box->files = files;
	box->msf = msf_open(path, NULL);
	return &box->source;
}
