/*
 * When a file gets a dictionary: store/training.h has the door.  Worker threads.  Private to this room.
 */
#ifndef TRAIN_H
#define TRAIN_H

#include "internal.h"

/* Look up when a dictionary was made last, when a file is opened. */
enum store_status train_open(struct store *store);

#endif
