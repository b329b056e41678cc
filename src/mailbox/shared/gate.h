/*
 * Whether an account takes work: not while it is about to move elsewhere.  Loop thread.
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

#include "base/list.h"

struct gate {
	unsigned copies;		/* account_begin_copy() */
	bool is_halted;			/* sessions begin no command */
	bool is_shut;			/* jobs wait */
	struct list held;		/* those, as job.link */
};

#endif
