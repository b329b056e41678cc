/*
 * Labels of charsets, as mail uses them, and what they are converted by.  Any thread.
 */
#ifndef MIME_CHARSET_NAME_H
#define MIME_CHARSET_NAME_H

#include "base/span.h"

enum charset_kind {
	CHARSET_UNKNOWN,
	CHARSET_ASCII,		/* as if unknown: octets above 127 are found in it all the same */
	CHARSET_UTF_8,
	CHARSET_WINDOWS_1252,	/* also for ISO-8859-1, whose controls from 128 to 159 nobody means */
	CHARSET_ICONV,
	CHARSET_ISO_2022_JP,	/* and HZ: by iconv, when their shifts are undone */
	CHARSET_HZ
};

struct charset_name {
	enum charset_kind kind;
	unsigned unit_octets;	/* skipped where the text is malformed */
	bool has_mark;		/* a text may begin with a byte order mark, and is big-endian without */
	const char *iconv_name;	/* what glibc calls it, or what it is turned into; NULL: no iconv is needed */
};

/* Find what a label stands for; case, quotes and an RFC 2231 language ("utf-8*en") are ignored. */
struct charset_name charset_name_find(struct span label);

#endif
