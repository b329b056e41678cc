/*
 * Patterns of LIST: "*" matches everything, "%" all but the separator.  RFC 9051 section 6.3.9.  Costs at most
 * pattern times name, whatever stands in them.  Names and patterns are UTF-8; INBOX as first level matches in
 * any case.  Pure.
 */
#ifndef IMAP_LIST_MATCH_H
#define IMAP_LIST_MATCH_H

#include "base/buffer.h"

#define IMAP_PATTERN_OCTETS_MAX 1000

/*
 * Append the pattern that stands for reference and pattern together: "~/x/" and "%" give "~/x/%", in normalization
 * form C, as names are.  False, with nothing appended, when it is longer than IMAP_PATTERN_OCTETS_MAX: then
 * nothing matches.
 */
bool imap_pattern_join(struct span reference, struct span pattern, struct buffer *out);

bool imap_pattern_matches(struct span pattern, struct span name);

/* Could some name below this one match?  Not: is there one. */
bool imap_pattern_matches_below(struct span pattern, struct span name);

/* What all names begin with, octet for octet, that one of these patterns may match.  Borrowed from the first. */
struct span imap_pattern_prefix(const struct span *patterns, size_t count);

#endif
