#include "served.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/ctl.h"
#include "../ctl/interrupt.h"
#include "../ctl/local_socket.h"
#include "../remote/local.h"
#include "base/memory.h"
#include "base/random.h"
#include "store/place.h"

#define ASK_MS 20

/* Of a backup that was written by hand there may be none. */
static void
id_of(const struct catalogue_user *user, char id[33])
{
	if (user->mailbox_id.length == 32 && strspn((const char *)user->mailbox_id.at, "0123456789abcdef") >= 32)
		snprintf(id, 33, "%.*s", SPAN_ARGS(user->mailbox_id));
	else
		random_hex(id, 32);
}

static int
fail(const char *path)
{
	complain("%s: %s", path, strerror(errno));
	return EX_CANTCREAT;
}

/* As the server lays them. */
static int
make_folders(const struct served *served, const char *id, struct buffer *path_out)
{
	buffer_add_span(path_out, buffer_span(&served->scratch.path));
	for (int level = 0; level < 4; level++) {
		if (level < 2)
			buffer_add_string(path_out, "/data");
		else
			buffer_printf(path_out, "/%.*s", level == 2 ? 2 : 32, id);
		if (mkdir(buffer_string(path_out), 0700) != 0)
			return fail(buffer_string(path_out));
	}
	return EX_OK;
}

static int
check_file(const struct catalogue_user *user, const char *path)
{
	char *error;
	uint64_t messages;
	enum store_status status = store_place_check(path, &messages, &error);

	if (status != STORE_OK)
		complain("%.*s: the file is damaged, or of a later version: %s", SPAN_ARGS(user->name),
		    error != NULL ? error : store_status_text(status));
	free(error);
	return status == STORE_OK ? EX_OK : EX_DATAERR;
}

static int
copy_file(struct served *served, const struct folder *folder, const struct catalogue_user *user, const char *id)
{
	struct arena *arena = arena_new();
	struct buffer path = { 0 };
	const char *trouble;
	uint64_t size;
	int code = make_folders(served, id, &path);

	if (code == EX_OK) {
		buffer_add_string(&path, "/mail.db");
		trouble = scratch_copy(folder, user, buffer_string(&path), arena, &size, &code);
		if (trouble == NULL)
			code = check_file(user, buffer_string(&path));
		else
			complain("%.*s: %s", SPAN_ARGS(user->name), trouble);
	}
	buffer_free(&path);
	arena_free(&arena);
	return code;
}

static int
write_config(struct served *served)
{
	const char *path = buffer_string(&served->scratch.path);
	FILE *file;
	bool is_good;

	buffer_printf(&served->config, "%s/imapd.conf", path);
	file = fopen(buffer_string(&served->config), "we");
	if (file == NULL)
		return fail(buffer_string(&served->config));
	/* The service that would listen is not started. */
	fprintf(file, "config-version 1\nhostname localhost\nrole both\nstart-services no\ndirectory sqlite\n"
	    "listen imap 127.0.0.1:1\nlogin-type plain\n"
	    "data-directory %s/data\ncontrol-socket %s/control\ncommand-cpu-limit 86400\n", path, path);
	is_good = !ferror(file);
	return fclose(file) == 0 && is_good ? EX_OK : fail(buffer_string(&served->config));
}

static bool
answers(const char *path)
{
	int descriptor = local_socket_connect(path, 0);

	if (descriptor >= 0)
		close(descriptor);
	return descriptor >= 0;
}

/* Why it did not come up: the last line of its log. */
static void
complain_of_start(const char *folder)
{
	char line[1024] = "", path[4096];
	FILE *log;

	snprintf(path, sizeof path, "%s/log", folder);
	log = fopen(path, "re");
	while (log != NULL && fgets(line, sizeof line, log) != NULL)
		;
	if (log != NULL)
		fclose(log);
	line[strcspn(line, "\n")] = '\0';
	complain("the copy of the backup cannot be served: %s", line);
}

/* Why it does not answer yet: nothing, which is worth another look, or what was said of it. */
static int
look_again(struct pollfd *end, const char *folder)
{
	if (errno == ENAMETOOLONG) {
		complain("%s: too long for the path of a socket; let TMPDIR be a shorter one", folder);
		return EX_CANTCREAT;
	}
	if (interrupt_came())
		return EX_TEMPFAIL;
	if (poll(end, 1, ASK_MS) > 0) {
		complain_of_start(folder);
		return EX_SOFTWARE;
	}
	return EX_OK;
}

/* Wait until it answers, or has ended. */
static int
await_start(struct served *served, const char *folder)
{
	struct pollfd end = { .fd = served->scratch.alive, .events = POLLIN };
	struct buffer path = { 0 };
	int code = EX_OK;

	buffer_printf(&path, "%s/control", folder);
	while (code == EX_OK && !answers(buffer_string(&path)))
		code = look_again(&end, folder);
	buffer_free(&path);
	return code;
}

/* Of the services one is started, and the directory is empty. */
static int
begin_service(struct served *served, const char *name, const char *id)
{
	struct span words[2] = { span_from_string(name) }, mailbox = SPAN("mailbox");
	struct buffer word = { 0 };
	struct ctl *ctl;
	int code;

	buffer_printf(&word, "mailbox-id=%s", id);
	words[1] = buffer_span(&word);
	if ((ctl = ctl_open(&served->order, &code)) != NULL &&
	    (code = ctl_report(ctl_call(ctl, "start", &mailbox, 1, (struct span){ NULL, 0 }))) == EX_OK)
		code = ctl_report(ctl_call(ctl, "user restore", words, 2, (struct span){ NULL, 0 }));
	ctl_close(&ctl);
	buffer_free(&word);
	return code;
}

static int
serve(struct served *served, const char *name, const char *id)
{
	int code;

	scratch_serve(&served->scratch);
	code = await_start(served, buffer_string(&served->scratch.path));
	if (code == EX_OK)
		code = begin_service(served, name, id);
	return code == EX_OK ? local_open(&served->order, name, &served->dialog) : code;
}

int
served_begin(struct served *served, const struct order *order, const struct folder *folder, const struct catalogue_user *user)
{
	char *name = memory_copy_span(user->name), id[33];
	int code = EX_CANTCREAT;

	id_of(user, id);
	if (scratch_begin(&served->scratch) && (code = copy_file(served, folder, user, id)) == EX_OK)
		code = write_config(served);
	served->order = *order;
	if (code == EX_OK) {
		served->order.config_path = buffer_string(&served->config);
		code = serve(served, name, id);
	}
	free(name);
	return code;
}

void
served_end(struct served *served)
{
	dialog_free(&served->dialog);
	scratch_end(&served->scratch);
	buffer_free(&served->config);
}
