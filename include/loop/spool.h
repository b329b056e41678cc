/*
 * Octets on their way in, of a size that a peer chose: in memory up to a threshold, and as long as there is some left of
 * what all spools share; then in an unlinked temporary file that storage workers write.  Loop thread, except
 * spool_contents().
 */
#ifndef LOOP_SPOOL_H
#define LOOP_SPOOL_H

#include "base/span.h"

#define SPOOL_THRESHOLD (256 * 1024)
#define SPOOL_SHARED	(8 * 1024 * 1024)

struct loop;
struct spool;
struct workers;

/*
 * Let all spools of a loop together hold so many octets beyond their thresholds, each half of them at most; none before.
 * As many stay allocated for the next ones until the loop is freed, or this is called again.
 */
void spool_share(struct loop *loop, size_t octets);

/*
 *	directory	copied; of the temporary file, which nobody else ever sees
 *	threshold	octets that it may hold in memory in any case
 */
struct spool *spool_new(struct loop *loop, struct workers *workers, const char *directory,
    size_t threshold);

/* So many octets will come, or less: make room for what stays in memory, rather than to grow into it. */
void spool_expect(struct spool *spool, uint64_t octets);

/* Copy octets in; always taken.  After an error they are counted and dropped. */
void spool_add(struct spool *spool, struct span octets);

/* True: the disk is behind; stop adding (pause the stream) until on_room. */
bool spool_is_congested(const struct spool *spool);

/* Called whenever a congested spool has room again; never from within spool_add(). */
void spool_on_room(struct spool *spool, void (*on_room)(void *context), void *context);

enum spool_status {
	SPOOL_OK,
	SPOOL_FULL,		/* no space left, or over the quota of the file system */
	SPOOL_FAILED,		/* another error of the disk */
};

/*
 * Say that all octets are in.  Calls back once, never before it returns, when they are all written and
 * may be read by spool_contents().
 */
typedef void spool_finished(enum spool_status status, void *context);
void spool_finish(struct spool *spool, spool_finished *on_finished, void *context);

/* What has gone wrong so far, and the errno of that. */
enum spool_status spool_status(const struct spool *spool);
int spool_error(const struct spool *spool);

/* Octets added so far. */
uint64_t spool_size(const struct spool *spool);

/*
 * All octets as one piece: memory, or the file mapped read-only.  After a successful finish only.
 * Worker thread; lives as long as the spool.  False: the file cannot be mapped.
 */
bool spool_contents(struct spool *spool, struct span *contents_out);

/*
 * Say that the octets before this one were used: what of the file is mapped for them takes no memory any more.  They can
 * still be read.  Worker thread, behind spool_contents().
 */
void spool_used(struct spool *spool, uint64_t end);

/* Accepts NULL, leaves NULL behind; at any time: a write under way is waited for in the background. */
void spool_free(struct spool **spool);

#endif
