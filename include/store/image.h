/*
 * A user's whole file as it is at one moment, taken in pieces of some milliseconds while the user goes on working: for a
 * copy on another disk or host.  Nothing is written beside the file, and nothing is locked between two pieces.
 *
 *	image = store_image_new();
 *	do				each time in a job of the account, outside of transactions
 *		store_image_next(store, image, 512 * 1024, &piece);	put piece.octets to piece.offset
 *	while (!piece.is_whole);	then cut what was put together to piece.size
 *	store_image_end(image);		in such a job, too
 *
 * What is put together is a database of its own, without a log beside it, of the schema that this program has.
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include "store/store.h"

struct store_image;

/* Gives.  Any thread. */
struct store_image *store_image_new(void);

struct store_image_piece {
	uint64_t offset;
	struct buffer octets;	/* appended to what is there; the caller's, to empty and to free */
	bool is_whole;		/* this was the last: what was given last of each place is the file, of this size */
	bool is_newest;		/* once it is whole: with all that was committed before; else a foreign program reads */
	uint64_t size;
};

/*
 * Give the next piece, of at most so many octets, at least 4,096; it may be empty.  After the last the next call begins on
 * what has changed since, so that who has a copy brings it up to date by little.  When the file was closed in between it
 * begins anew, some times.
 *
 * STORE_LIMIT: too often.
 */
enum store_status store_image_next(struct store *store, struct store_image *image, size_t octets_max,
    struct store_image_piece *piece);

/* How much there is still to give, as far as is known. */
uint64_t store_image_left_octets(const struct store_image *image);

/* Whoever has begun ends it, in a job of the account; not needed when the store is closed. */
void store_image_end(struct store_image *image);

/* Accepts NULL, leaves NULL behind.  Any thread. */
void store_image_free(struct store_image **image);

/*
 * By what to tell later whether a file has changed: another text for whatever was written to it.
 *
 *	stamp_out	appended: a word without spaces
 *
 * False: it cannot be told, since the file was changed a moment ago, or has what is not folded yet, or is not there.  For
 * a file that is open, store_fold() comes first.  Worker thread.
 */
bool store_image_stamp(const char *path, bool is_open, struct buffer *stamp_out);

#endif
