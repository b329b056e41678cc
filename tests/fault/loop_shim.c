/*
 * Preloaded into imapd by test_loop.py: notes each call that may block when the loop's thread makes it.  The
 * loop's thread is the first one, from its first epoll_wait() on.  A line per call goes to $LOOP_SHIM_LOG,
 * with the addresses of the callers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_running;

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void
note(const char *name, const char *detail)
{
	static __thread int is_noting;
	void *callers[16];
	int count, log;

	if (!is_running || gettid() != getpid() || is_noting)
		return;
	is_noting = 1;
	log = ((int (*)(const char *, int, ...))real("open"))(getenv("LOOP_SHIM_LOG"), O_WRONLY | O_APPEND);
	dprintf(log, "%s %s\n", name, detail);
	count = backtrace(callers, 16);
	backtrace_symbols_fd(callers, count, log);
	dprintf(log, "\n");
	close(log);
	is_noting = 0;
}

struct epoll_event;

int
epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	is_running = 1;
	return ((int (*)(int, struct epoll_event *, int, int))real("epoll_wait"))(epoll, events, most, timeout);
}

#define SHIM(type, name, detail, parameters, arguments)                                           \
	type name parameters                                                                       \
	{                                                                                          \
		note(#name, detail);                                                               \
		return ((type (*) parameters)real(#name))arguments;                                \
	}

SHIM(int, fsync, "", (int file), (file))
SHIM(int, fdatasync, "", (int file), (file))
SHIM(int, ftruncate, "", (int file, off_t length), (file, length))
SHIM(int, ftruncate64, "", (int file, off_t length), (file, length))
SHIM(int, unlink, path, (const char *path), (path))
SHIM(int, rename, from, (const char *from, const char *to), (from, to))
SHIM(int, mkdir, path, (const char *path, unsigned mode), (path, mode))
SHIM(int, flock, "", (int file, int operation), (file, operation))
SHIM(FILE *, fopen, path, (const char *path, const char *mode), (path, mode))
SHIM(FILE *, fopen64, path, (const char *path, const char *mode), (path, mode))
SHIM(void *, opendir, path, (const char *path), (path))
SHIM(long, pread64, "", (int file, void *at, size_t size, off_t offset), (file, at, size, offset))
SHIM(long, pwrite64, "", (int file, const void *at, size_t size, off_t offset), (file, at, size, offset))
SHIM(int, usleep, "", (unsigned us), (us))
SHIM(int, nanosleep, "", (const void *wish, void *rest), (wish, rest))
SHIM(int, getaddrinfo, node, (const char *node, const char *service, const void *hints, void *result),
    (node, service, hints, result))
SHIM(void *, getpwnam, name, (const char *name), (name))
SHIM(int, getpwnam_r, name, (const char *name, void *a, void *b, size_t c, void *d), (name, a, b, c, d))
SHIM(int, getpwuid_r, "", (unsigned user, void *a, void *b, size_t c, void *d), (user, a, b, c, d))
SHIM(void *, getgrnam, name, (const char *name), (name))
SHIM(int, getgrnam_r, name, (const char *name, void *a, void *b, size_t c, void *d), (name, a, b, c, d))
SHIM(int, getgrouplist, name, (const char *name, unsigned group, void *groups, int *count),
    (name, group, groups, count))
SHIM(char *, crypt, "", (const char *phrase, const char *setting), (phrase, setting))
SHIM(char *, crypt_r, "", (const char *phrase, const char *setting, void *data), (phrase, setting, data))
SHIM(int, sqlite3_step, "", (void *statement), (statement))
SHIM(int, sqlite3_open_v2, path, (const char *path, void **out, int flags, const char *vfs), (path, out, flags, vfs))
SHIM(int, sqlite3_close, "", (void *connection), (connection))
SHIM(int, sqlite3_exec, sql, (void *connection, const char *sql, void *call, void *context, char **error),
    (connection, sql, call, context, error))
SHIM(int, sqlite3_blob_read, "", (void *blob, void *at, int size, int offset), (blob, at, size, offset))
SHIM(int, sqlite3_blob_write, "", (void *blob, const void *at, int size, int offset), (blob, at, size, offset))
SHIM(int, sqlite3_wal_checkpoint_v2, "", (void *connection, const char *name, int mode, int *a, int *b),
    (connection, name, mode, a, b))
SHIM(int, mbedtls_ssl_handshake, "", (void *tls), (tls))
SHIM(int, mbedtls_pk_parse_keyfile, path, (void *key, const char *path, const char *password), (key, path, password))
SHIM(int, mbedtls_pkcs5_pbkdf2_hmac, "",
    (void *context, const void *password, size_t length, const void *salt, size_t salt_length, unsigned rounds,
    unsigned key_length, void *out), (context, password, length, salt, salt_length, rounds, key_length, out))
SHIM(int, mbedtls_pkcs5_pbkdf2_hmac_ext, "",
    (int kind, const void *password, size_t length, const void *salt, size_t salt_length, unsigned rounds,
    unsigned key_length, void *out), (kind, password, length, salt, salt_length, rounds, key_length, out))

#define SHIM_OPEN(name)                                                                            \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		va_list rest;                                                                      \
		unsigned mode;                                                                     \
                                                                                                   \
		va_start(rest, flags);                                                             \
		mode = va_arg(rest, unsigned);                                                     \
		va_end(rest);                                                                      \
		note(#name, path);                                                                 \
		return ((int (*)(const char *, int, ...))real(#name))(path, flags, mode);          \
	}

SHIM_OPEN(open)
SHIM_OPEN(open64)
