/*
 * A call about names that stand for users, from its words to its answer.  Loop thread, except where said.
 */
#include "name_job.h"

#include <stdlib.h>

#include "base/memory.h"

static void
name_job_free(struct name_job *job)
{
	job->service->jobs--;
	buffer_free(&job->lines);
	free(job);
}

/* Worker. */
static void
work(struct job *work)
{
	struct name_job *job = CONTAINER_OF(work, struct name_job, job);

	job->kind->work(job);
}

static void
on_done(struct job *work)
{
	struct name_job *job = CONTAINER_OF(work, struct name_job, job);

	users_send_lines(job->call, buffer_span(&job->lines));
	job->kind->finish(job);
	name_job_free(job);
}

void
name_job_begin(struct service *service, struct control_call *call, enum name_order order, const struct name_kind *kind)
{
	struct name_job *job = memory_new(kind->octets);

	service->jobs++;
	*job = (struct name_job){ .kind = kind, .service = service, .call = call, .directory = service->directory, .order = order,
		.job = { .work = work, .done = on_done } };
	if (!kind->read(job)) {
		name_job_free(job);
	} else if (!job_queue_submit(service->directory_queue, &job->job)) {
		users_finish(call, DIRECTORY_UNAVAILABLE);
		name_job_free(job);
	}
}
