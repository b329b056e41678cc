/*
 * Moves and renames that another process has left: they are in the directory, and go on.  Loop thread; work_read() on a
 * worker.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "moves.h"
#include "renames.h"

#define RETRY_MS 2000

struct reading {
	struct job job;
	struct cas *cas;
	struct arena *arena;		/* of the rows */
	struct directory_move *moves;
	struct directory_rename *renames;
	size_t move_count, rename_count;
	enum directory_status status;
};

static void
work_read(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);
	struct directory *directory = reading->cas->parts.directory;

	reading->status = directory_move_list(directory, reading->arena, &reading->moves, &reading->move_count);
	if (reading->status == DIRECTORY_OK)
		reading->status = directory_rename_list(directory, reading->arena, &reading->renames, &reading->rename_count);
}

static void
take_up(struct cas *cas, const struct reading *reading)
{
	for (size_t i = 0; i < reading->move_count; i++)
		moves_take_up(cas, &reading->moves[i]);
	for (size_t i = 0; i < reading->rename_count; i++)
		renames_take_up(cas, &reading->renames[i]);
}

/* A directory that keeps no such notes is read only. */
static void
on_read(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);
	struct cas *cas = reading->cas;

	cas->asking_moves--;
	if (!cas->are_moves_closed)
		take_up(cas, reading);
	if (reading->status != DIRECTORY_OK && reading->status != DIRECTORY_READ_ONLY && !cas->are_moves_closed)
		timer_start_ms(&cas->leftovers_retry, RETRY_MS);
	cas_check_gone(cas);
	arena_free(&reading->arena);
	free(reading);
}

static void
read_notes(void *context)
{
	struct reading *reading = NEW(struct reading);

	reading->cas = context;
	reading->arena = arena_new();
	reading->job.work = work_read;
	reading->job.done = on_read;
	reading->cas->asking_moves++;
	if (job_queue_submit(reading->cas->parts.directory_queue, &reading->job))
		return;
	reading->status = DIRECTORY_UNAVAILABLE;
	on_read(&reading->job);
}

void
leftovers_open(struct cas *cas)
{
	timer_init(&cas->leftovers_retry, cas->parts.loop, read_notes, cas);
	if (!directory_asks_home(cas->parts.directory))
		read_notes(cas);
}
