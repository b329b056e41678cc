/*
 * What `imapctl export` has written, by the list that it left: first all mailboxes with their names, subscriptions and uses,
 * then the messages, as the source of the format reads them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "manifest.h"
#include "mbox.h"
#include "source.h"

struct exported {
	struct source source;
	struct source *inner;		/* of the whole folder; of the file under way in a tree of mbox files; or NULL */
	struct manifest manifest;
	char *root;
	size_t told;			/* mailboxes that were told */
	size_t file;			/* the next mbox */
	const struct manifest_entry *entry;	/* of the mbox under way */
	bool is_tree_of_mbox;
};

static enum source_result
tell_mailbox(struct exported *exported, struct message *message)
{
	const struct manifest_entry *entry = &exported->manifest.entries[exported->told++];

	buffer_printf(&message->origin, "%s/%s", exported->root, entry->path);
	manifest_add_name(entry, &message->mailbox);
	buffer_add_string(&message->use, entry->use);
	message->is_unsubscribed = !entry->is_subscribed;
	message->is_no_mailbox = entry->path[0] == '\0';
	return SOURCE_MAILBOX;
}

static void
close_inner(struct exported *exported)
{
	if (exported->inner == NULL)
		return;
	source_take_notes(&exported->source, exported->inner);
	source_close(&exported->inner);
}

/* Open the next mbox.  SOURCE_END: there is none; SOURCE_MAILBOX: it is open, or there is nothing to be told. */
static enum source_result
open_next(struct exported *exported, struct message *message)
{
	if (exported->file == exported->manifest.count)
		return SOURCE_END;
	exported->entry = &exported->manifest.entries[exported->file++];
	exported->source.done = exported->file;
	if (exported->entry->path[0] == '\0')
		return SOURCE_MAILBOX;
	buffer_clear(&message->origin);
	buffer_printf(&message->origin, "%s/%s", exported->root, exported->entry->path);
	exported->inner = mbox_open(buffer_string(&message->origin));
	if (exported->inner != NULL || (errno == ENOENT && !exported->manifest.is_complete))
		return SOURCE_MAILBOX;
	return errno == EBADMSG ? message_refuse(message, "it is no mbox") : message_fail(message, errno);
}

static enum source_result
next_of_inner(struct exported *exported, struct message *message)
{
	struct source *inner = exported->inner;
	enum source_result result;

	inner->octets_max = exported->source.octets_max;
	inner->labels = exported->source.labels;
	result = source_next(inner, message);
	if (exported->is_tree_of_mbox && result == SOURCE_MESSAGE) {
		buffer_clear(&message->mailbox);
		manifest_add_name(exported->entry, &message->mailbox);
	} else if (!exported->is_tree_of_mbox) {
		exported->source.done = inner->done;
	}
	return result;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct exported *exported = CONTAINER_OF(source, struct exported, source);
	enum source_result result;

	message_clear(message);
	if (exported->told < exported->manifest.count)
		return tell_mailbox(exported, message);
	for (;;) {
		if (exported->inner == NULL) {
			result = exported->is_tree_of_mbox ? open_next(exported, message) : SOURCE_END;
			if (result != SOURCE_MAILBOX)
				return result;
			continue;
		}
		result = next_of_inner(exported, message);
		if (result != SOURCE_END && result != SOURCE_MAILBOX)
			return result;
		if (result == SOURCE_END)
			close_inner(exported);
	}
}

static void
exported_close(struct source *source)
{
	struct exported *exported = CONTAINER_OF(source, struct exported, source);

	source_close(&exported->inner);
	manifest_free(&exported->manifest);
	free(exported->root);
	free(exported);
}

/* False: the format is none that is exported to, or the folder is not there any more. */
static bool
open_inner(struct exported *exported)
{
	const char *kind = exported->manifest.kind;

	exported->is_tree_of_mbox = strcmp(kind, "mbox") == 0;
	exported->source.total = exported->manifest.count;
	if (exported->is_tree_of_mbox)
		return true;
	if (strcmp(kind, "maildir") == 0)
		exported->inner = maildir_open(exported->root);
	else if (strcmp(kind, "eml") == 0)
		exported->inner = eml_open(exported->root);
	if (exported->inner == NULL)
		return false;
	exported->inner->manifest = &exported->manifest;
	exported->source.total = exported->inner->total;
	return true;
}

struct source *
exported_open(const char *kind, const char *path)
{
	struct exported *exported = NEW(struct exported);
	struct source *source = &exported->source;

	source->next = next;
	source->close = exported_close;
	source->octets_max = SIZE_MAX;
	exported->root = memory_copy_string(path);
	if (!manifest_read(path, &exported->manifest) || (kind != NULL && strcmp(kind, exported->manifest.kind) != 0) ||
	    !open_inner(exported)) {
		source_close(&source);
		return NULL;
	}
	if (!exported->manifest.is_complete)
		source_note(source, NOTE_DOUBTFUL, SPAN("the export has not come to its end; run it again before this"),
		    span_from_string(path));
	return source;
}
