/*
 * Who imapd runs as, and who may look at it and start it: made by root, once.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "../host/program.h"
#include "base/memory.h"
#include "base/span.h"
#include "step.h"

static const char *const groups[] = { "imapd-admin", "imapd-view" };

static int
run(const char *const words[])
{
	struct buffer said = { 0 };
	int code = program_run(words, SPAN(""), &said);
	struct span text = span_without_line_end(buffer_span(&said));

	if (code == PROGRAM_MISSING)
		complain("there is no program %s, which would make the user and the groups of imapd", words[0]);
	else if (code != 0)
		complain("%s: %.*s", words[0], SPAN_ARGS(text));
	buffer_free(&said);
	return code == 0 ? EX_OK : EX_OSERR;
}

static int
make_group(struct setup *setup, const char *name)
{
	const char *const words[] = { "groupadd", "--system", name, NULL };
	int code = EX_OK;

	if (getgrnam(name) != NULL)
		return EX_OK;
	if (!setup->is_dry)
		code = run(words);
	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "the group %s, whose members may %s", name,
		    strcmp(name, groups[0]) == 0 ? "start and stop services" : "look");
	return code;
}

static int
make_account(struct setup *setup)
{
	const char *const words[] = { "useradd", "--system", "--user-group", "--home-dir", setup->data, "--no-create-home",
		"--shell", "/usr/sbin/nologin", "--comment", "IMAP server", setup->account, NULL };
	int code = setup->is_dry ? EX_OK : run(words);

	if (code == EX_OK)
		setup_tell(setup, SETUP_MADE, "the user %s, as whom imapd runs", setup->account);
	return code;
}

int
setup_identity(struct setup *setup)
{
	const struct passwd *account;
	int code = EX_OK;

	setup->uid = geteuid();
	setup->gid = getegid();
	if (!setup->is_root)
		return EX_OK;
	for (size_t i = 0; i < COUNT_OF(groups) && code == EX_OK; i++)
		code = make_group(setup, groups[i]);
	if (code != EX_OK || (account = getpwnam(setup->account)) != NULL)
		setup_tell(setup, SETUP_KEPT, "the user %s", setup->account);
	else if ((code = make_account(setup)) != EX_OK)
		return code;
	if ((account = getpwnam(setup->account)) != NULL) {
		setup->uid = account->pw_uid;
		setup->gid = account->pw_gid;
	}
	return code;
}
