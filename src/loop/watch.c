/*
 * Descriptors under watch.  Loop thread.
 */
#include "internal.h"

#include <stdlib.h>

static void
on_event(evutil_socket_t descriptor, short what, void *context)
{
	struct watch *watch = context;

	(void)descriptor;
	watch->on_ready((what & EV_READ ? WATCH_READ : 0u) | (what & EV_WRITE ? WATCH_WRITE : 0u),
	    watch->context);
}

void
watch_init(struct watch *watch, struct loop *loop, int descriptor,
    void (*on_ready)(unsigned ready, void *context), void *context)
{
	*watch = (struct watch){ .loop = loop, .descriptor = descriptor, .on_ready = on_ready,
		.context = context };
	watch->event = event_new(loop->base, descriptor, EV_READ | EV_PERSIST, on_event, watch);
	if (watch->event == NULL)
		abort();
}

void
watch_set(struct watch *watch, unsigned wanted)
{
	short what = EV_PERSIST;

	if (watch->event == NULL || wanted == watch->wanted)
		return;
	if (watch->wanted != 0)
		event_del(watch->event);
	watch->wanted = wanted;
	if (wanted == 0)
		return;
	if (wanted & WATCH_READ)
		what |= EV_READ;
	if (wanted & WATCH_WRITE)
		what |= EV_WRITE;
	event_assign(watch->event, watch->loop->base, watch->descriptor, what, on_event, watch);
	event_add(watch->event, NULL);
}

void
watch_fini(struct watch *watch)
{
	if (watch->event == NULL)
		return;
	event_free(watch->event);
	watch->event = NULL;
	watch->wanted = 0;
}
