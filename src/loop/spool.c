/*
 * Octets on their way in.  At any moment one buffer fills on the loop and at most one is being written
 * by a worker, so a spool holds the threshold, what it has borrowed, or twice PENDING_MAX, whatever size was announced.
 *
 * The buffer being written, the descriptor and the mapping belong to the worker while is_writing.
 */
#include "loop/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

#define PENDING_MAX  ((size_t)256 * 1024)	/* above: congested */
#define PENDING_WISH ((size_t)64 * 1024)	/* below: not worth a write yet */
#define SPARE_LEAST  ((size_t)64 * 1024)	/* above: spare memory is taken */
#define LOAN	     ((size_t)256 * 1024)	/* is borrowed at a time of what all spools share */

struct spool {
	struct loop *loop;
	struct workers *workers;
	char *directory;
	size_t threshold;
	size_t borrowed;
	uint64_t size;
	struct buffer pending;		/* everything while there is no file */
	bool is_filed;			/* there was no memory for more */
	bool is_writing;
	bool is_congested;
	bool is_finishing;
	bool is_closing;
	enum spool_status status;
	int error;			/* errno of it */
	void (*on_room)(void *context);
	void *room_context;
	spool_finished *on_finished;
	void *finished_context;
	struct deferred finished;
	struct job job;
	struct {
		struct buffer octets;
		int descriptor;		/* -1: no file yet */
		int error;		/* errno, 0: none */
		void *map;
		size_t map_length;
	} worker;
};

static int
open_file(const char *directory)
{
	char path[4096];
	int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return descriptor;
	if ((size_t)snprintf(path, sizeof path, "%s/spool.XXXXXX", directory) >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	descriptor = mkostemp(path, O_CLOEXEC);
	if (descriptor >= 0)
		unlink(path);
	return descriptor;
}

static void
work_write(struct job *job)
{
	struct spool *spool = CONTAINER_OF(job, struct spool, job);

	assert_off_loop();
	if (spool->worker.descriptor < 0)
		spool->worker.descriptor = open_file(spool->directory);
	if (spool->worker.descriptor < 0 || !file_write(spool->worker.descriptor, buffer_span(&spool->worker.octets)))
		spool->worker.error = errno;
	buffer_free(&spool->worker.octets);
}

static void
work_close(struct job *job)
{
	struct spool *spool = CONTAINER_OF(job, struct spool, job);

	assert_off_loop();
	if (spool->worker.map != NULL)
		munmap(spool->worker.map, spool->worker.map_length);
	if (spool->worker.descriptor >= 0)
		close(spool->worker.descriptor);
}

/* Go on in memory that another has grown into, rather than to grow, and to be given zeroed pages by the kernel. */
static void
move_to_spare(struct spool *spool)
{
	for (size_t i = 0; i < COUNT_OF(spool->loop->spools_spare); i++) {
		struct buffer spare = spool->loop->spools_spare[i];

		if (spare.capacity <= spool->pending.capacity)
			continue;
		spool->loop->spools_spare[i] = (struct buffer){ 0 };
		buffer_add_span(&spare, buffer_span(&spool->pending));
		buffer_free(&spool->pending);
		spool->pending = spare;
		return;
	}
}

/* In the place of less, if all together are no more than may be borrowed. */
static void
leave_spare(struct spool *spool)
{
	struct loop *loop = spool->loop;

	if (spool->pending.capacity <= spool->threshold || spool->pending.capacity > loop->spools_shared / COUNT_OF(loop->spools_spare))
		return;
	for (size_t i = 0; i < COUNT_OF(loop->spools_spare); i++) {
		struct buffer spare = loop->spools_spare[i];

		if (spare.capacity >= spool->pending.capacity)
			continue;
		loop->spools_spare[i] = spool->pending;
		buffer_clear(&loop->spools_spare[i]);
		spool->pending = spare;
		return;
	}
}

static void
make_room(struct spool *spool, size_t octets)
{
	size_t needed = spool->pending.length + octets;

	if (!spool->is_filed && needed > SPARE_LEAST && needed > spool->pending.capacity)
		move_to_spare(spool);
	buffer_reserve(&spool->pending, octets);
}

/* True: all that has come may stay in memory. */
static bool
borrow(struct spool *spool)
{
	struct loop *loop = spool->loop;

	while (spool->size > spool->threshold + spool->borrowed) {
		if (spool->borrowed + LOAN > loop->spools_shared / 2 || loop->spools_borrowed + LOAN > loop->spools_shared)
			return false;
		spool->borrowed += LOAN;
		loop->spools_borrowed += LOAN;
	}
	return true;
}

static void
give_back(struct spool *spool)
{
	spool->loop->spools_borrowed -= spool->borrowed;
	spool->borrowed = 0;
}

static void
destroy(struct spool *spool)
{
	give_back(spool);
	leave_spare(spool);
	deferred_cancel(&spool->finished);
	buffer_free(&spool->pending);
	free(spool->directory);
	free(spool);
}

static void
on_closed(struct job *job)
{
	destroy(CONTAINER_OF(job, struct spool, job));
}

static void
close_file(struct spool *spool)
{
	spool->job.work = work_close;
	spool->job.done = on_closed;
	workers_submit(spool->workers, &spool->job);
}

static void
start_write(struct spool *spool)
{
	spool->worker.octets = spool->pending;
	spool->pending = (struct buffer){ 0 };
	spool->is_writing = true;
	workers_submit(spool->workers, &spool->job);
}

/* Write if there is something to write and nobody writes. */
static void
advance(struct spool *spool)
{
	size_t least = spool->is_finishing ? 1 : PENDING_WISH;

	if (spool->is_writing)
		return;
	if (spool->is_filed && spool->status == SPOOL_OK && spool->pending.length >= least)
		start_write(spool);
	else if (spool->is_finishing)
		deferred_schedule(spool->loop, &spool->finished);
}

static void
note_error(struct spool *spool, int error)
{
	spool->status = error == ENOSPC || error == EDQUOT ? SPOOL_FULL : SPOOL_FAILED;
	spool->error = error;
	buffer_free(&spool->pending);
}

static void
on_written(struct job *job)
{
	struct spool *spool = CONTAINER_OF(job, struct spool, job);

	spool->is_writing = false;
	give_back(spool);	/* all that was there before the file */
	if (spool->is_closing) {
		close_file(spool);
		return;
	}
	if (spool->worker.error != 0)
		note_error(spool, spool->worker.error);
	advance(spool);
	if (spool->is_congested && spool->pending.length < PENDING_MAX) {
		spool->is_congested = false;
		if (spool->on_room != NULL)
			spool->on_room(spool->room_context);	/* last: it may free the spool */
	}
}

static void
tell_finished(void *context)
{
	struct spool *spool = context;

	spool->on_finished(spool->status, spool->finished_context);
}

void
spool_share(struct loop *loop, size_t octets)
{
	loop->spools_shared = octets;
	for (size_t i = 0; i < COUNT_OF(loop->spools_spare); i++)
		buffer_free(&loop->spools_spare[i]);
}

struct spool *
spool_new(struct loop *loop, struct workers *workers, const char *directory, size_t threshold)
{
	struct spool *spool = NEW(struct spool);

	spool->loop = loop;
	spool->workers = workers;
	spool->directory = memory_copy_string(directory);
	spool->threshold = threshold;
	spool->worker.descriptor = -1;
	spool->job.work = work_write;
	spool->job.done = on_written;
	deferred_init(&spool->finished, tell_finished, spool);
	return spool;
}

void
spool_expect(struct spool *spool, uint64_t octets)
{
	if (!spool->is_filed && octets <= spool->threshold && spool->size <= spool->threshold - octets)
		make_room(spool, (size_t)octets);
}

void
spool_add(struct spool *spool, struct span octets)
{
	assert(!spool->is_finishing);
	spool->size += octets.length;
	if (spool->status != SPOOL_OK || octets.length == 0)
		return;
	spool->is_filed = spool->is_filed || !borrow(spool);
	make_room(spool, octets.length);
	buffer_add_span(&spool->pending, octets);
	advance(spool);
	if (spool->is_writing && spool->pending.length >= PENDING_MAX)
		spool->is_congested = true;
}

bool
spool_is_congested(const struct spool *spool)
{
	return spool->is_congested;
}

void
spool_on_room(struct spool *spool, void (*on_room)(void *context), void *context)
{
	spool->on_room = on_room;
	spool->room_context = context;
}

void
spool_finish(struct spool *spool, spool_finished *on_finished, void *context)
{
	spool->on_finished = on_finished;
	spool->finished_context = context;
	spool->is_finishing = true;
	advance(spool);
}

enum spool_status
spool_status(const struct spool *spool)
{
	return spool->status;
}

int
spool_error(const struct spool *spool)
{
	return spool->error;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->size;
}

bool
spool_contents(struct spool *spool, struct span *contents_out)
{
	void *map;

	assert_off_loop();
	if (!spool->is_filed) {
		*contents_out = buffer_span(&spool->pending);
		return true;
	}
	if (spool->worker.map == NULL) {
		map = mmap(NULL, spool->size, PROT_READ, MAP_PRIVATE, spool->worker.descriptor, 0);
		if (map == MAP_FAILED)
			return false;
		spool->worker.map = map;
		spool->worker.map_length = spool->size;
	}
	*contents_out = span_of(spool->worker.map, spool->worker.map_length);
	return true;
}

void
spool_used(struct spool *spool, uint64_t end)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert_off_loop();
	if (spool->worker.map != NULL)
		madvise(spool->worker.map, (size_t)(end < spool->worker.map_length ? end : spool->worker.map_length) / page * page,
		    MADV_DONTNEED);
}

void
spool_free(struct spool **spool_pointer)
{
	struct spool *spool = *spool_pointer;

	*spool_pointer = NULL;
	if (spool == NULL)
		return;
	deferred_cancel(&spool->finished);
	spool->is_closing = true;
	if (spool->is_writing)
		return;			/* on_written() closes */
	if (spool->worker.descriptor >= 0)
		close_file(spool);
	else
		destroy(spool);
}
