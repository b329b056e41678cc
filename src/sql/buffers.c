/*
 * A few buffers under a lock.
 */
#include "buffers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

#define IDLE_MAX 16

static struct {
	pthread_mutex_t lock;
	uint8_t *buffers[IDLE_MAX];
	unsigned count;
} idle = { .lock = PTHREAD_MUTEX_INITIALIZER };

uint8_t *
buffers_take(void)
{
	uint8_t *buffer = NULL;

	pthread_mutex_lock(&idle.lock);
	if (idle.count > 0)
		buffer = idle.buffers[--idle.count];
	pthread_mutex_unlock(&idle.lock);
	return buffer != NULL ? buffer : memory_resize(NULL, BUFFERS_OCTETS, 1);
}

void
buffers_give(uint8_t *buffer)
{
	pthread_mutex_lock(&idle.lock);
	if (idle.count < IDLE_MAX) {
		idle.buffers[idle.count++] = buffer;
		buffer = NULL;
	}
	pthread_mutex_unlock(&idle.lock);
	free(buffer);
}
