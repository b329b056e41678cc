/*
 * Telling other protocols from mistyped IMAP.  RFC 9110 section 9, RFC 8446 section 5.1.  Pure.
 */
#include "foreign.h"

#include "base/memory.h"

bool
imap_is_foreign_octet(uint8_t octet)
{
	return octet == 0x16 || octet == 0x80;
}

bool
imap_is_foreign_line(struct span line)
{
	static const char *const starts[] = { "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ",
		"TRACE ", "PATCH ", "PRI * HTTP/", "Host:", "User-Agent:", "Content-Type:", "Content-Length:" };

	for (size_t i = 0; i < COUNT_OF(starts); i++)
		if (span_starts_with_nocase(line, span_from_string(starts[i])))
			return true;
	return false;
}
