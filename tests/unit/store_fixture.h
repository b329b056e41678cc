/*
 * What the tests of the store share: an account in a folder of its own, and messages.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/memory.h"
#include "folder_fixture.h"
#include "store/content.h"
#include "store/message.h"

struct fixture {
	char folder[64], path[96];
	struct store *store;
	struct arena *arena;
	uint64_t inbox;
};

static inline uint64_t
mailbox_id(struct fixture *fixture, const char *name)
{
	struct store_mailbox mailbox;

	assert_int_equal(
	    store_mailbox_find(fixture->store, span_from_string(name), fixture->arena, &mailbox),
	    STORE_OK);
	return mailbox.id;
}

static inline void
fixture_open(struct fixture *fixture)
{
	assert_int_equal(store_open(fixture->path, true, &fixture->store), STORE_OK);
	fixture->inbox = mailbox_id(fixture, "INBOX");
}

/* What someone else does to the file while it is closed. */
static inline void
run_sql(struct fixture *fixture, const char *text)
{
	sqlite3 *other;

	store_close(&fixture->store);
	assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	fixture_open(fixture);
}

static inline int
fixture_setup(void **state)
{
	struct fixture *fixture = NEW(struct fixture);

	folder_make(fixture->folder, sizeof fixture->folder, "imapd-store");
	snprintf(fixture->path, sizeof fixture->path, "%s/user/mail.db", fixture->folder);
	fixture->arena = arena_new();
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static inline void
remove_file(const char *path, const char *suffix)
{
	struct buffer name = { 0 };

	buffer_printf(&name, "%s%s", path, suffix);
	unlink(buffer_string(&name));
	buffer_free(&name);
}

/* Whatever a test did, the file must have kept its rules. */
static inline void
assert_verified(struct store *store)
{
	struct buffer findings = { 0 };
	enum store_status status = store_verify(store, STORE_VERIFY_ALL, &findings);

	if (status != STORE_OK)
		print_error("%s\n",
		    findings.length > 0 ? buffer_string(&findings) : store_status_text(status));
	buffer_free(&findings);
	assert_int_equal(status, STORE_OK);
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	char *slash;

	if (fixture->store != NULL)
		assert_verified(fixture->store);
	store_close(&fixture->store);
	remove_file(fixture->path, "");
	remove_file(fixture->path, "-wal");
	remove_file(fixture->path, "-shm");
	if ((slash = strrchr(fixture->path, '/')) != NULL)
		*slash = '\0';
	assert_int_equal(rmdir(fixture->path), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
	arena_free(&fixture->arena);
	free(fixture);
	return 0;
}

/* A message with a header of its own and size octets of body. */
static inline void
make_message(struct buffer *out, unsigned number, size_t size)
{
	buffer_printf(out, "Subject: number %u\r\n\r\n", number);
	for (size_t i = 0; i < size; i++)
		buffer_add_octet(out, (uint8_t)(i * 31 + number + (i >> 8)));
}

static inline enum store_status
try_append(struct store *store, uint64_t mailbox, unsigned number, size_t size, uint64_t flags,
    struct store_message *message_out)
{
	struct buffer octets = { 0 };
	struct store_arrival arrival = { .flags = flags, .internal_date_s = 1000 + number };
	enum store_status status;
	struct span piece;

	make_message(&octets, number, size);
	piece = buffer_span(&octets);
	arrival.pieces = &piece;
	arrival.piece_count = 1;
	arrival.header_length = octets.length - size;
	arrival.compression = number % 2 == 0 ? STORE_COMPRESSION_NONE : STORE_COMPRESSION_ZSTD;
	arrival.envelope = SPAN("(envelope)");
	arrival.body = SPAN("(body)");
	arrival.bodystructure = SPAN("(bodystructure)");
	arrival.parts = SPAN("parts");
	arrival.message_id = SPAN("<1@example.org>");
	status = store_append(store, mailbox, &arrival, message_out);
	buffer_free(&octets);
	return status;
}

static inline void
begin(struct fixture *fixture, enum store_durability durability)
{
	assert_int_equal(store_begin(fixture->store, durability), STORE_OK);
}

static inline void
commit(struct fixture *fixture)
{
	assert_int_equal(store_end(fixture->store, STORE_OK), STORE_OK);
}

/* Append messages 1 to count, of 100 octets of body, in one transaction. */
static inline void
append_many(struct fixture *fixture, uint64_t mailbox, unsigned count)
{
	begin(fixture, STORE_DURABLE);
	for (unsigned i = 1; i <= count; i++)
		assert_int_equal(try_append(fixture->store, mailbox, i, 100, 0, NULL), STORE_OK);
	commit(fixture);
}

static inline struct store_snapshot
snapshot_of(struct fixture *fixture, uint64_t mailbox)
{
	struct store_snapshot snapshot = { 0 };

	assert_int_equal(store_snapshot_init(fixture->store, mailbox, &snapshot), STORE_OK);
	assert_int_equal(snapshot.count, snapshot.mailbox.messages);
	return snapshot;
}

/* Compare a mailbox's UIDs with a list that ends in 0. */
static inline void
assert_uids(struct fixture *fixture, uint64_t mailbox, const uint32_t *uids)
{
	struct store_snapshot snapshot = snapshot_of(fixture, mailbox);
	size_t count = 0;

	while (uids[count] != 0)
		count++;
	assert_int_equal(snapshot.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(snapshot.messages[i].uid, uids[i]);
	store_snapshot_fini(&snapshot);
}

#define UIDS(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

#endif
