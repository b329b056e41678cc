/*
 * Users found a short while ago, for when no server answers: the last ones known, within a bound.  One
 * worker at a time.
 */
#ifndef MEMO_H
#define MEMO_H

#include "directory/directory.h"

struct memo;

/*
 *	lifetime_s	how long a user counts as known; 0 remembers nobody
 *	capacity	users remembered; the one found longest ago makes room
 */
struct memo *memo_new(unsigned lifetime_s, size_t capacity);
void memo_free(struct memo **memo);

/* Remember what a name led to; user is copied. */
void memo_add(struct memo *memo, struct span asked, const struct directory_user *user);

void memo_forget(struct memo *memo, struct span asked);

/* False: not known, or too long ago.  user_out gets copies in the arena. */
bool memo_find(struct memo *memo, struct span asked, struct arena *arena, struct directory_user *user_out);

#endif
