#include "interrupt.h"

#include <errno.h>
#include <signal.h>

#include "base/memory.h"

#define GRACE_MS 2000
#define SLICE_MS 200

static volatile sig_atomic_t is_interrupted;

static void
on_signal(int number)
{
	(void)number;
	is_interrupted = 1;
}

void
interrupt_catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

bool
interrupt_came(void)
{
	return is_interrupted != 0;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

int
interrupt_poll(struct pollfd *wait, int timeout_ms)
{
	int ready, slice_ms;

	do {
		if (interrupt_came())
			timeout_ms = least(timeout_ms, GRACE_MS);
		slice_ms = least(timeout_ms, SLICE_MS);
		ready = poll(wait, 1, slice_ms);
		timeout_ms -= slice_ms;
	} while (timeout_ms > 0 && (ready == 0 || (ready < 0 && errno == EINTR)));
	return ready < 0 && errno == EINTR ? 0 : ready;
}
