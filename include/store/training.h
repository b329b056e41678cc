/*
 * A dictionary for compression, made of what is in a user's file: header blocks, short bodies, envelopes and the like
 * have much in common, of which each alone has little.  Whoever has quiet moments gives one to it.  Worker threads only.
 */
#ifndef STORE_TRAINING_H
#define STORE_TRAINING_H

#include "store/store.h"

/*
 * Whether one should be made: compressed messages come in, and there are many, or ten times as many as for the one
 * before.  Cheap.
 */
bool store_is_training_due(const struct store *store);

/*
 * Make one, if it is better than the one there is; new rows are compressed with it, those that are there stay as they
 * are.  Some 20 ms.  In a transaction, at best STORE_DERIVED.
 */
enum store_status store_train(struct store *store);

#endif
