/*
 * The key file:
 *
 *	# comment
 *	name imapd-0123456789abcdef
 *	key 64 hexadecimal digits
 */
#include "link/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

#define FILE_MAX 4096
#define DIGITS (2 * LINK_KEY_LENGTH)

static bool
fail(const char *path, const char *reason, char **error_out)
{
	struct buffer text = { 0 };

	buffer_printf(&text, "%s: %s", path, reason);
	*error_out = memory_copy_string(buffer_string(&text));
	buffer_free(&text);
	return false;
}

#define NO_KEY "not a key as imapctl link-key makes it"

/* These return what is wrong, or NULL. */
static const char *
read_octets(struct span text, uint8_t octets_out[LINK_KEY_LENGTH])
{
	if (text.length < DIGITS)
		return NO_KEY ": too short, it has 64 hexadecimal digits";
	if (text.length > DIGITS)
		return NO_KEY ": too long, it has 64 hexadecimal digits";
	for (size_t i = 0; i < LINK_KEY_LENGTH; i++) {
		int high = ascii_hex_value(text.at[2 * i]), low = ascii_hex_value(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return NO_KEY ": it has nothing but 64 hexadecimal digits";
		octets_out[i] = (uint8_t)(high << 4 | low);
	}
	return NULL;
}

static const char *
read_name(struct span text, char name_out[LINK_KEY_NAME_MAX + 1])
{
	if (text.length == 0 || text.length > LINK_KEY_NAME_MAX)
		return NO_KEY ": its name has 1 to 64 characters";
	for (size_t i = 0; i < text.length; i++) {
		uint8_t octet = ascii_upper(text.at[i]);

		if (!(octet >= 'A' && octet <= 'Z') && !(octet >= '0' && octet <= '9') &&
		    octet != '-' && octet != '.' && octet != '_')
			return NO_KEY ": its name has letters, digits, and \"-._\"";
	}
	memcpy(name_out, text.at, text.length);
	name_out[text.length] = '\0';
	return NULL;
}

static const char *
read_text(struct span text, struct link_key *key_out)
{
	bool has_name = false, has_octets = false;
	const char *reason = NULL;

	while (text.length > 0 && reason == NULL) {
		struct span line = span_slice(text, 0, span_find(text, '\n'));

		text = span_from(text, line.length + 1);
		if (line.length == 0 || line.at[0] == '#')
			continue;
		if (!has_name && (has_name = span_starts_with(line, SPAN("name "))))
			reason = read_name(span_from(line, 5), key_out->name);
		else if (!has_octets && (has_octets = span_starts_with(line, SPAN("key "))))
			reason = read_octets(span_from(line, 4), key_out->octets);
		else
			reason = NO_KEY;
	}
	return reason == NULL && !(has_name && has_octets) ? NO_KEY : reason;
}

/* What is wrong with a file as such, or NULL. */
static const char *
complaint(const struct stat *about, uid_t owner)
{
	if (!S_ISREG(about->st_mode))
		return "not a file";
	if (about->st_mode & (S_IRWXG | S_IRWXO))
		return "others can read or change the key; try chmod 600";
	if (about->st_uid != 0 && about->st_uid != geteuid() && about->st_uid != owner)
		return "the file belongs to somebody else";
	if (about->st_size > FILE_MAX)
		return "too long for a key";
	return NULL;
}

bool
link_key_read(const char *path, uid_t owner, struct link_key *key_out, char **error_out)
{
	char text[FILE_MAX];
	/* A pipe would keep us waiting here. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *reason = NULL;
	struct link_key key;
	struct stat about;
	ssize_t length;

	if (descriptor < 0)
		return fail(path, strerror(errno), error_out);
	length = fstat(descriptor, &about) == 0 ? read(descriptor, text, sizeof text) : -1;
	reason = length < 0 ? strerror(errno) : complaint(&about, owner);
	if (reason == NULL)
		reason = read_text(span_of(text, (size_t)length), &key);
	close(descriptor);
	if (reason == NULL)
		*key_out = key;
	memory_wipe(text, sizeof text);
	memory_wipe(&key, sizeof key);
	return reason == NULL || fail(path, reason, error_out);
}

bool
link_key_make(const char *path, char **error_out)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), error;
	char name[17], digits[DIGITS + 1];
	struct buffer text = { 0 };
	bool is_good;

	if (descriptor < 0)
		return fail(path, errno == EEXIST ? "there already; a key is never overwritten" :
			strerror(errno), error_out);
	random_hex(name, 16);
	random_hex(digits, DIGITS);
	buffer_reserve(&text, 256);
	buffer_printf(&text, "# The link key of imapd: the same on every host of the site, secret.\n"
	    "name imapd-%s\nkey %s\n", name, digits);
	is_good = file_write(descriptor, buffer_span(&text)) && fsync(descriptor) == 0;
	error = errno;
	memory_wipe(digits, sizeof digits);
	buffer_wipe(&text);
	close(descriptor);
	if (is_good)
		return true;
	unlink(path);
	return fail(path, strerror(error), error_out);
}
