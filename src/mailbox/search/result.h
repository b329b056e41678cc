/*
 * What SEARCH has found, and how it is told: a set of message numbers, one bit each.  RFC 9051 section 7.3.4,
 * RFC 3501 section 7.2.5, RFC 4731, RFC 5182, RFC 7162 section 3.1.5, RFC 9394.  Loop thread.
 */
#ifndef MAILBOX_SEARCH_RESULT_H
#define MAILBOX_SEARCH_RESULT_H

#include "../session/view.h"
#include "imap/command.h"
#include "imap/writer.h"

struct search_result {
	const struct view *view;
	uint8_t *bits;
	uint32_t last;			/* message numbers run from 1 to here */
	bool is_falling;		/* search_result_write_list() begins with the last */
	uint32_t told;			/* the last that it wrote; 0: none */
	bool is_begun;			/* the line of it */
};

void search_result_init(struct search_result *result, const struct view *view);
void search_result_fini(struct search_result *result);

void search_result_add(struct search_result *result, uint32_t number);

/* Find the next hit after number, 0 at first; 0 at the end.  Messages that have gone meanwhile drop out. */
uint32_t search_result_next(const struct search_result *result, uint32_t number,
    struct view_message *message_out);

/* Append the ESEARCH line, of which all is set but what was found: count, first and last, set, modseq. */
void search_result_write_esearch(const struct search_result *result, const struct imap_search *search,
    struct imap_esearch *esearch, struct buffer *out);

/*
 * Append "* SEARCH 1 2 3" until out holds limit octets; call again until it returns true: the line is whole.
 */
bool search_result_write_list(struct search_result *result, const struct imap_command_line *line, size_t limit,
    struct buffer *out);

/* Take out all, or what imap_search_keeps() does not keep. */
void search_result_clear(struct search_result *result);
void search_result_reduce(struct search_result *result, const struct imap_search *search);

/* Give the UIDs as ranges from the heap. */
struct imap_range *search_result_uids(const struct search_result *result, size_t *count_out);

#endif
