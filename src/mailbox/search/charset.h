/*
 * Keys of SEARCH in another charset than UTF-8: RFC 9051 section 6.4.4, "CHARSET".  Worker: iconv_open(3) may load
 * what it needs from the disk.
 */
#ifndef MAILBOX_SEARCH_CHARSET_H
#define MAILBOX_SEARCH_CHARSET_H

#include "../session/reply.h"
#include "base/arena.h"
#include "imap/search.h"

/*
 * Convert all texts to UTF-8, into the arena, once; names of fields are ASCII.
 *
 * REPLY_DONE: from now on search->charset is empty; REPLY_BAD_CHARSET: it is not known, or this system has no tables for it; REPLY_BAD_ARGUMENT: a text that is none of the
 * charset's.
 */
enum reply search_charset_convert(struct imap_search *search, struct arena *arena);

#endif
