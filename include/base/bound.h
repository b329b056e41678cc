/*
 * Looking for a place in what stands in order: half of what is left at a time.
 */
#ifndef BASE_BOUND_H
#define BASE_BOUND_H

#include <stddef.h>

/*
 * The first of count places, from 0 on, that is not before what is looked for; count: all are.
 *
 *	place		what is_before calls the place it is asked about, a size_t
 *	is_before	true up to there, and of no place behind it
 */
#define LOWER_BOUND(count, place, is_before) __extension__ ({		\
	size_t low_ = 0, high_ = (count);				\
									\
	while (low_ < high_) {						\
		size_t place = low_ + (high_ - low_) / 2;		\
									\
		if (is_before)						\
			low_ = place + 1;				\
		else							\
			high_ = place;					\
	}								\
	low_;								\
})

#endif
