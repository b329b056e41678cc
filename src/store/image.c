/*
 * Images of a file that is in use: sql_copy does the work.  Worker threads.
 */
#include "store/image.h"

#include <sys/stat.h>

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

#define BEGINNINGS_MAX 16	/* a file that is closed more often meanwhile is somebody's mistake */

/* Within one tick of the kernel's clock two changes of a file may have the same time. */
#define TICK_NS INT64_C(20000000)

struct store_image {
	struct sql_copy *copy;
};

struct store_image *
store_image_new(void)
{
	struct store_image *image = NEW(struct store_image);

	image->copy = sql_copy_new();
	return image;
}

enum store_status
store_image_next(struct store *store, struct store_image *image, size_t octets_max, struct store_image_piece *piece)
{
	struct sql_copy_piece taken = { .octets = piece->octets };
	enum store_status status;

	assert_off_loop();
	assert(!store->is_begun);
	if (sql_copy_beginnings(image->copy) > BEGINNINGS_MAX)
		return STORE_LIMIT;
	store_give_back_content_ids(store);	/* closing the file is then no change of it */
	status = store_from_sql(sql_copy_next(store->sql, image->copy, octets_max, &taken));
	*piece = (struct store_image_piece){ taken.offset, taken.octets, taken.is_whole, taken.is_newest, taken.size };
	return status;
}

uint64_t
store_image_left_octets(const struct store_image *image)
{
	return sql_copy_left_octets(image->copy);
}

void
store_image_end(struct store_image *image)
{
	sql_copy_end(image->copy);
}

void
store_image_free(struct store_image **image)
{
	if (*image == NULL)
		return;
	sql_copy_free(&(*image)->copy);
	free(*image);
	*image = NULL;
}

static int64_t
nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* A log that is not empty may hold what the file does not have yet. */
static bool
has_log(const char *path)
{
	struct buffer name = { 0 };
	struct stat about;
	bool is_there;

	buffer_printf(&name, "%s-wal", path);
	is_there = stat(buffer_string(&name), &about) == 0 && about.st_size > 0;
	buffer_free(&name);
	return is_there;
}

bool
store_image_stamp(const char *path, bool is_open, struct buffer *stamp_out)
{
	struct timespec now;
	struct stat about;

	assert_off_loop();
	if (stat(path, &about) != 0 || (!is_open && has_log(path)))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	if (nanoseconds(&now) - nanoseconds(&about.st_ctim) < TICK_NS)
		return false;
	buffer_printf(stamp_out, "%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64, (uint64_t)about.st_ino, (uint64_t)about.st_size,
	    (uint64_t)nanoseconds(&about.st_mtim), (uint64_t)nanoseconds(&about.st_ctim));
	return true;
}
