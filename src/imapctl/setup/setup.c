/*
 * The verb setup: from nothing to a configuration that passes the check, and a first user, in steps that can be run
 * again.
 */
#include "setup.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "../host/program.h"
#include "step.h"
#include "base/arena.h"

int
setup_check(struct setup *setup)
{
	const char *const words[] = { "--check-config", setup_text(setup, "--config=%s", setup->path), NULL };
	struct buffer said = { 0 };
	int code = program_run_imapd(words, SPAN(""), &said);

	if (code != EX_OK || memmem(said.at, said.length, "warning: ", 9) != NULL)
		fwrite(said.at, 1, said.length, stderr);
	buffer_free(&said);
	if (code == EX_OK)
		setup_tell(setup, SETUP_CHECKED, "it: imapd --check-config finds no error");
	else
		complain("%s is not one that imapd starts with yet; mend it, and run this again", setup->path);
	return code;
}

/* What touches the host. */
static int
carry_out(struct setup *setup)
{
	bool is_to_be_written;
	int code;

	if ((code = setup_compare(setup, &is_to_be_written)) != EX_OK || (code = setup_identity(setup)) != EX_OK ||
	    (code = setup_folders(setup)) != EX_OK || (code = setup_certificate(setup)) != EX_OK ||
	    (code = setup_link_key(setup)) != EX_OK)
		return code;
	if (is_to_be_written)
		code = setup_write(setup);
	else
		setup_tell(setup, SETUP_KEPT, "the configuration %s", setup->path);
	if (code == EX_OK && !setup->is_dry)
		code = setup_check(setup);
	return code != EX_OK ? code : setup_first_user(setup);
}

static int
say_end(struct setup *setup)
{
	if (setup->is_dry)
		order_say(setup->order, "\nNothing was touched.");
	else if (setup->changes == 0)
		order_say(setup->order, "\nAll of it was there already: nothing was changed.");
	setup_advise(setup);
	return EX_OK;
}

int
run_setup(const struct order *order)
{
	bool is_default = strcmp(order->config_path, SYSCONF "/imapd/imapd.conf") == 0;
	struct setup setup = { .order = order, .arena = arena_new(), .is_root = geteuid() == 0 || is_default,
		.is_dry = order_has(order, OPTION_DRY_RUN) };
	int code = EX_OK;

	if (is_default && geteuid() != 0 && !setup.is_dry) {
		complain("%s is root's: be root, or name a file of your own by --config=FILE", order->config_path);
		code = EX_NOPERM;
	}
	if (code == EX_OK)
		code = setup_plan(&setup);
	if (code == EX_OK)
		code = carry_out(&setup);
	if (order->json != NULL)
		buffer_printf(order->json, ",\"step\":[%.*s]", SPAN_ARGS(buffer_span(&setup.steps)));
	if (code == EX_OK)
		code = say_end(&setup);
	buffer_free(&setup.wanted);
	buffer_free(&setup.steps);
	arena_free(&setup.arena);
	return code;
}
