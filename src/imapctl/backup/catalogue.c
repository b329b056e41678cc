#include "catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "../ctl/record.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "control/words.h"

#define NAME "manifest"
#define OCTETS_MAX ((uint64_t)1 << 30)

struct catalogue {
	const struct folder *folder;
	struct arena *arena;
	struct map *by_name;
	struct catalogue_user **users;	/* sorted once it is read */
	size_t count, capacity;
	struct span run, run_at;	/* of the last line about a run */
	int descriptor;			/* to add to; below 0: not begun */
	uint64_t end;			/* of the last whole line */
};

static struct span
field_of(struct span line, struct arena *arena, const char *key)
{
	struct span value;

	return record_field(line, arena, "user", key, &value) ? value : SPAN("");
}

struct span
catalogue_field(const struct catalogue_user *user, struct arena *arena, const char *key)
{
	return field_of(user->line, arena, key);
}

/* What lies in the folder has the user's name and no way out of it. */
static bool
is_file_good(struct span name, struct span file)
{
	struct buffer wanted = { 0 };
	bool is_good;

	folder_file_name(name, &wanted);
	is_good = file.length == 0 || span_equals(file, buffer_span(&wanted));
	buffer_free(&wanted);
	return is_good;
}

static bool
take_user(struct catalogue *catalogue, struct span line)
{
	struct catalogue_user *user = ARENA_NEW(catalogue->arena, struct catalogue_user);
	struct arena *arena = catalogue->arena;

	*user = (struct catalogue_user){ .line = line, .name = field_of(line, arena, "name"), .file = field_of(line, arena, "file"),
		.sha256 = field_of(line, arena, "sha256"), .stamp = field_of(line, arena, "stamp"),
		.mailbox_id = field_of(line, arena, "mailbox-id") };
	if (user->name.length == 0 || !is_file_good(user->name, user->file) ||
	    (user->file.length > 0 && !span_to_number(field_of(line, arena, "size"), INT64_MAX, &user->size)))
		return false;
	user->before = map_put(catalogue->by_name, user->name, user);
	if (user->before != NULL)
		user->before->before = NULL;
	return true;
}

static bool
take_line(struct catalogue *catalogue, struct span line)
{
	struct span value;

	line = arena_copy(catalogue->arena, line);
	if (record_field(line, catalogue->arena, "backup", "format", &value))
		return span_equals(value, SPAN("1"));
	if (record_field(line, catalogue->arena, "run", "state", &catalogue->run))
		return record_field(line, catalogue->arena, "run", "at", &catalogue->run_at);
	return take_user(catalogue, line);
}

static bool
take_text(struct catalogue *catalogue, struct span text, size_t *line_out)
{
	for (*line_out = 1;; ++*line_out) {
		size_t length = span_find(text, '\n');

		if (length == text.length)
			return *line_out > 1;		/* a line that was not written to its end is none */
		if (!take_line(catalogue, span_slice(text, 0, length)))
			return false;
		catalogue->end += length + 1;
		text = span_from(text, length + 1);
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct catalogue_user *const *left = a, *const *right = b;

	return span_compare((*left)->name, (*right)->name);
}

static void
sort(struct catalogue *catalogue)
{
	size_t position = 0;
	struct span name;
	void *user;

	catalogue->users = memory_new_array(map_count(catalogue->by_name) + 1, sizeof(struct catalogue_user *));
	catalogue->count = 0;
	while (map_next(catalogue->by_name, &position, &name, &user))
		catalogue->users[catalogue->count++] = user;
	if (catalogue->count > 0)
		qsort(catalogue->users, catalogue->count, sizeof *catalogue->users, by_name);
}

/* False: errno says why. */
static bool
read_all(int descriptor, struct buffer *text)
{
	struct stat about;
	ssize_t got;

	if (fstat(descriptor, &about) != 0)
		return false;
	if ((uint64_t)about.st_size > OCTETS_MAX) {
		errno = EFBIG;
		return false;
	}
	while ((got = read(descriptor, buffer_reserve(text, 65536), 65536)) > 0) {
		text->length += (size_t)got;
		if (text->length > OCTETS_MAX) {	/* it grows */
			errno = EFBIG;
			return false;
		}
	}
	return got == 0;
}

/* EX_OK, or what was said is wrong. */
static int
load(struct catalogue *catalogue, int descriptor)
{
	const char *path = catalogue->folder->path;
	struct buffer text = { 0 };
	size_t line = 0;
	int code = EX_OK;

	if (!read_all(descriptor, &text)) {
		complain("%s/" NAME ": %s", path, strerror(errno));
		code = EX_IOERR;
	} else if (!take_text(catalogue, buffer_span(&text), &line)) {
		complain("%s/" NAME ":%zu: damaged, or written by a newer imapctl", path, line);
		code = EX_DATAERR;
	}
	buffer_wipe(&text);
	return code;
}

struct catalogue *
catalogue_read(const struct folder *folder, bool is_new_allowed, int *code_out)
{
	struct catalogue *catalogue = NEW(struct catalogue);
	int descriptor = folder_read(folder, SPAN(NAME));

	*code_out = EX_OK;
	catalogue->folder = folder;
	catalogue->arena = arena_new();
	catalogue->by_name = map_new();
	catalogue->descriptor = -1;
	if (descriptor >= 0) {
		*code_out = load(catalogue, descriptor);
		close(descriptor);
	} else if (errno != ENOENT) {
		complain("%s/" NAME ": %s", folder->path, strerror(errno));
		*code_out = EX_NOINPUT;
	} else if (!is_new_allowed) {
		complain("%s: there is no backup in it", folder->path);
		*code_out = EX_NOINPUT;
	}
	if (*code_out == EX_OK)
		sort(catalogue);
	else
		catalogue_free(&catalogue);
	return catalogue;
}

void
catalogue_free(struct catalogue **catalogue)
{
	if (*catalogue == NULL)
		return;
	if ((*catalogue)->descriptor >= 0)
		close((*catalogue)->descriptor);
	map_free(&(*catalogue)->by_name);
	arena_free(&(*catalogue)->arena);
	free((*catalogue)->users);
	free(*catalogue);
	*catalogue = NULL;
}

size_t
catalogue_count(const struct catalogue *catalogue)
{
	return catalogue->count;
}

const struct catalogue_user *
catalogue_at(const struct catalogue *catalogue, size_t index)
{
	return catalogue->users[index];
}

const struct catalogue_user *
catalogue_find(const struct catalogue *catalogue, struct span name)
{
	return map_get(catalogue->by_name, name);
}

bool
catalogue_is_ended(const struct catalogue *catalogue, struct span *at_out)
{
	*at_out = catalogue->run_at;
	return span_equals(catalogue->run, SPAN("ended"));
}

void
catalogue_add_name(struct buffer *names, struct span name)
{
	if (names->length > 0)
		buffer_add_octet(names, ' ');
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] == ' ' || name.at[i] == '%')
			buffer_printf(names, "%%%02X", name.at[i]);
		else
			buffer_add_octet(names, name.at[i]);
	}
}

struct span
catalogue_take_name(struct span *names, struct arena *arena)
{
	struct span word = span_slice(*names, 0, span_find(*names, ' ')), name;
	struct buffer plain = { 0 };
	uint32_t code;

	*names = span_from(*names, word.length + 1);
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '%' && span_to_hex_number(span_slice(word, i + 1, 2), 2, &code)) {
			buffer_add_octet(&plain, (uint8_t)code);
			i += 2;
		} else {
			buffer_add_octet(&plain, word.at[i]);
		}
	}
	name = arena_copy(arena, buffer_span(&plain));
	buffer_free(&plain);
	return name;
}

void
catalogue_add_now(struct buffer *out)
{
	time_t now = (time_t)clock_calendar_s();
	struct tm parts;
	char text[32];

	gmtime_r(&now, &parts);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	buffer_add_string(out, text);
}

static void
add_line(struct buffer *text, struct span line)
{
	buffer_add_span(text, line);
	buffer_add_octet(text, '\n');
}

/*
 * A run that died between a line and the name of its file has left the file beside it: when the line tells of that, it
 * gets its name now, else it is of no use.
 */
static void
settle_partial(const struct catalogue *catalogue, const struct catalogue_user *user)
{
	int folder = catalogue->folder->descriptor, descriptor;
	char digest[FOLDER_DIGEST_SIZE], *name = memory_copy_span(user->file);
	struct buffer partial = { 0 };
	uint64_t size;

	buffer_printf(&partial, "%s.partial", name);
	descriptor = folder_read(catalogue->folder, buffer_span(&partial));
	if (descriptor >= 0 && folder_digest(descriptor, &size, digest) && size == user->size &&
	    span_equals(span_from_string(digest), user->sha256))
		renameat(folder, buffer_string(&partial), folder, name);
	else
		unlinkat(folder, buffer_string(&partial), 0);
	if (descriptor >= 0)
		close(descriptor);
	buffer_free(&partial);
	free(name);
}

static bool
has_size(const struct catalogue *catalogue, const struct catalogue_user *user)
{
	int descriptor = folder_read(catalogue->folder, user->file);
	off_t size = descriptor < 0 ? -1 : lseek(descriptor, 0, SEEK_END);

	if (descriptor >= 0)
		close(descriptor);
	return size == (off_t)user->size;
}

/* Which line holds; where there is no file any more the next run makes one. */
static struct catalogue_user *
settle(const struct catalogue *catalogue, struct catalogue_user *user)
{
	if (user->file.length == 0)
		return user;
	settle_partial(catalogue, user);
	if (user->before != NULL && user->before->file.length > 0 && !has_size(catalogue, user) &&
	    has_size(catalogue, user->before))
		return user->before;
	return user;
}

bool
catalogue_begin(struct catalogue *catalogue)
{
	struct folder_file file = { .descriptor = -1 };
	struct buffer text = { 0 };
	bool is_good;

	add_line(&text, SPAN("backup format:=1"));
	for (size_t i = 0; i < catalogue->count; i++) {
		catalogue->users[i] = settle(catalogue, catalogue->users[i]);
		map_put(catalogue->by_name, catalogue->users[i]->name, catalogue->users[i]);
		add_line(&text, catalogue->users[i]->line);
	}
	buffer_add_string(&text, "run state=begun at=");
	catalogue_add_now(&text);
	buffer_add_octet(&text, '\n');
	catalogue->end = text.length;
	is_good = folder_file_begin(&file, catalogue->folder, SPAN(NAME)) && folder_file_write(&file, 0, buffer_span(&text)) &&
	    folder_file_finish(&file, text.length);
	if (is_good)
		catalogue->descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0);
	is_good = is_good && folder_file_keep(&file);
	folder_file_drop(&file);
	buffer_wipe(&text);
	return is_good;
}

/* What was not written whole is written over by the next one. */
bool
catalogue_add(struct catalogue *catalogue, struct span line)
{
	struct buffer text = { 0 };
	bool is_good;

	add_line(&text, line);
	is_good = pwrite(catalogue->descriptor, text.at, text.length, (off_t)catalogue->end) == (ssize_t)text.length &&
	    fdatasync(catalogue->descriptor) == 0;
	if (is_good)
		catalogue->end += text.length;
	else
		complain("%s/" NAME ": %s", catalogue->folder->path, strerror(errno));
	buffer_wipe(&text);
	return is_good;
}
