/*
 * The secret of a host that unknown users' salts come from (SCRAM, RFC 5802): it must stay the same, or a restart
 * would tell who exists.  A file in the data directory, made when it is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "internal.h"

/* Hexadecimal digits and a line feed. */
#define FILE_LENGTH (2 * SECRET_LENGTH + 1)

static bool
read_secret(const char *path, uint8_t *secret_out)
{
	uint8_t text[FILE_LENGTH + 1];
	struct buffer octets = { 0 };
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text);
	bool is_good = length == FILE_LENGTH && hex_decode(span_of(text, FILE_LENGTH - 1), &octets);
	int error = errno;

	if (is_good)
		memcpy(secret_out, octets.at, SECRET_LENGTH);
	if (file >= 0)
		close(file);
	buffer_free(&octets);
	errno = length < 0 ? error : EINVAL;
	return is_good;
}

/* Whole or not at all, and never over another: two processes on one folder end with the same file. */
static bool
make_secret(const char *path)
{
	struct buffer text = { 0 }, draft = { 0 };
	uint8_t secret[SECRET_LENGTH];
	bool is_good = false;
	int file;

	random_fill(secret, sizeof secret);
	hex_encode(span_of(secret, sizeof secret), &text);
	buffer_add_octet(&text, '\n');
	buffer_printf(&draft, "%s.%ld", path, (long)getpid());
	file = open(buffer_string(&draft), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0) {
		is_good = file_write(file, buffer_span(&text)) && fsync(file) == 0 &&
		    (link(buffer_string(&draft), path) == 0 || errno == EEXIST);
		close(file);
		unlink(buffer_string(&draft));
	}
	buffer_free(&text);
	buffer_free(&draft);
	return is_good;
}

void
service_read_secret(const struct config *config, uint8_t secret_out[SECRET_LENGTH])
{
	struct buffer path = { 0 };
	bool is_good;

	random_fill(secret_out, SECRET_LENGTH);
	/* Only this directory has keys for SCRAM, and is in this folder. */
	if ((config->role & CONFIG_ROLE_CAS) == 0 || config->directory != CONFIG_DIRECTORY_SQLITE)
		return;
	buffer_printf(&path, "%s/auth-secret", config->data_directory);
	is_good = read_secret(buffer_string(&path), secret_out);
	if (!is_good && errno == ENOENT)
		is_good = make_secret(buffer_string(&path)) && read_secret(buffer_string(&path), secret_out);
	if (!is_good)
		log_warning("auth-secret", log_text("path", buffer_string(&path)),
		    log_text("reason", strerror(errno)));
	buffer_free(&path);
}
