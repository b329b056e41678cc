/*
 * The verb alias import.  A line is held back until the next has shown that it does not go on there; so what goes to several is
 * refused as a whole.
 */
#include "alias_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "alias_file.h"
#include "base/memory.h"
#include "batch.h"
#include "control/words.h"

#define TO_SEVERAL "it goes to several: that is for a shared account, or for virtual_alias_maps of the mail server in front"

struct importing {
	struct batch batch;
	struct buffer held_alias, held_user;	/* of the line before; empty: it is done */
	uint64_t held_number;
};

static void
refuse(struct importing *importing, uint64_t number, struct span alias, const char *why)
{
	roster_tell_refusal(&importing->batch.tell, number, alias, SPAN(""), why);
}

static void
drop_held(struct importing *importing)
{
	buffer_clear(&importing->held_alias);
	buffer_clear(&importing->held_user);
}

/* The line before ended where it seemed to. */
static void
add_held(struct importing *importing)
{
	struct span alias = buffer_span(&importing->held_alias);
	struct buffer line = { 0 };

	if (alias.length == 0)
		return;
	if (batch_was_seen(&importing->batch, alias)) {
		refuse(importing, importing->held_number, alias, "the alias stood on a line before, which counts");
	} else {
		control_add_word(&line, alias);
		control_add_word(&line, buffer_span(&importing->held_user));
		buffer_add_octet(&line, '\n');
		batch_add(&importing->batch, buffer_span(&line), importing->held_number, alias);
	}
	buffer_free(&line);
	drop_held(importing);
}

/* The line before goes on here. */
static void
refuse_held(struct importing *importing, uint64_t number)
{
	struct span alias = buffer_span(&importing->held_alias);

	if (alias.length > 0)
		refuse(importing, importing->held_number, alias, TO_SEVERAL);
	refuse(importing, number, SPAN(""), "it goes on from a line before");
	drop_held(importing);
}

static void
take_line(struct span text, uint64_t number, void *context)
{
	struct importing *importing = context;
	struct span alias, user;
	enum alias_line kind = alias_line_read(text, &alias, &user);

	if (kind == ALIAS_LINE_NOTHING || (number == 1 && alias_line_is_head(text)))
		return;
	if (kind == ALIAS_LINE_MORE) {
		refuse_held(importing, number);
		return;
	}
	add_held(importing);
	if (kind == ALIAS_LINE_PAIR) {
		buffer_add_span(&importing->held_alias, alias);
		buffer_add_span(&importing->held_user, user);
		importing->held_number = number;
	} else {
		refuse(importing, number, alias, kind == ALIAS_LINE_HALF ? "an alias, and no user" : TO_SEVERAL);
	}
}

static int
import(struct importing *importing, struct roster_file *file)
{
	int code = batch_open(&importing->batch);

	if (code != EX_OK)
		return code;
	code = batch_read(&importing->batch, file, take_line, importing);
	if (code == EX_OK) {
		add_held(importing);
		code = batch_end(&importing->batch);
	}
	return roster_tell_end(&importing->batch.tell, NULL, code);
}

int
run_alias_import(const struct order *order)
{
	struct importing *importing = NEW(struct importing);
	struct roster_file file;
	int code = EX_NOINPUT;

	batch_init(&importing->batch, order, "alias import");
	if (roster_file_open(&file, order->words[0])) {
		code = import(importing, &file);
		roster_file_close(&file);
	} else {
		complain("%s: %s", order->words[0], strerror(errno));
	}
	batch_fini(&importing->batch);
	buffer_free(&importing->held_alias);
	buffer_free(&importing->held_user);
	free(importing);
	return code;
}
