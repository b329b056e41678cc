/*
 * The list of charsets that may be asked for.  glibc knows some two hundred, each a piece of foreign code
 * run on foreign octets; these are those that mail is written in.  Where a label is commonly used for more
 * than it says, the wider charset is taken, as https://encoding.spec.whatwg.org/ does.  Any thread.
 */
#include "charset_name.h"

#include "base/memory.h"

struct row {
	const char *label;	/* lower-case, without "-" and "_" */
	enum charset_kind kind;
	const char *iconv_name;
};

static const struct row rows[] = {
	{ "usascii",		CHARSET_ASCII,		NULL },
	{ "ascii",		CHARSET_ASCII,		NULL },
	{ "ansix3.4",		CHARSET_ASCII,		NULL },
	{ "ansix3.41968",	CHARSET_ASCII,		NULL },
	{ "iso646us",		CHARSET_ASCII,		NULL },
	{ "us",			CHARSET_ASCII,		NULL },
	{ "utf8",		CHARSET_UTF_8,		NULL },
	{ "unicode11utf8",	CHARSET_UTF_8,		NULL },
	{ "iso88591",		CHARSET_WINDOWS_1252,	NULL },
	{ "latin1",		CHARSET_WINDOWS_1252,	NULL },
	{ "l1",			CHARSET_WINDOWS_1252,	NULL },
	{ "windows1252",	CHARSET_WINDOWS_1252,	NULL },
	{ "cp1252",		CHARSET_WINDOWS_1252,	NULL },
	{ "xansi",		CHARSET_WINDOWS_1252,	NULL },
	{ "utf7",		CHARSET_ICONV,		"UTF-7" },
	{ "unicode11utf7",	CHARSET_ICONV,		"UTF-7" },
	{ "utf16",		CHARSET_ICONV,		"UTF-16" },
	{ "utf16le",		CHARSET_ICONV,		"UTF-16LE" },
	{ "utf16be",		CHARSET_ICONV,		"UTF-16BE" },
	{ "ucs2",		CHARSET_ICONV,		"UTF-16" },
	{ "utf32",		CHARSET_ICONV,		"UTF-32" },
	{ "utf32le",		CHARSET_ICONV,		"UTF-32LE" },
	{ "utf32be",		CHARSET_ICONV,		"UTF-32BE" },
	{ "iso88592",		CHARSET_ICONV,		"ISO-8859-2" },
	{ "latin2",		CHARSET_ICONV,		"ISO-8859-2" },
	{ "iso88593",		CHARSET_ICONV,		"ISO-8859-3" },
	{ "iso88594",		CHARSET_ICONV,		"ISO-8859-4" },
	{ "iso88595",		CHARSET_ICONV,		"ISO-8859-5" },
	{ "iso88596",		CHARSET_ICONV,		"ISO-8859-6" },
	{ "iso88597",		CHARSET_ICONV,		"ISO-8859-7" },
	{ "iso88598",		CHARSET_ICONV,		"ISO-8859-8" },
	{ "iso88598i",		CHARSET_ICONV,		"ISO-8859-8" },
	{ "iso88599",		CHARSET_ICONV,		"ISO-8859-9" },
	{ "latin5",		CHARSET_ICONV,		"ISO-8859-9" },
	{ "iso885910",		CHARSET_ICONV,		"ISO-8859-10" },
	{ "iso885911",		CHARSET_ICONV,		"CP874" },
	{ "iso885913",		CHARSET_ICONV,		"ISO-8859-13" },
	{ "iso885914",		CHARSET_ICONV,		"ISO-8859-14" },
	{ "iso885915",		CHARSET_ICONV,		"ISO-8859-15" },
	{ "latin9",		CHARSET_ICONV,		"ISO-8859-15" },
	{ "iso885916",		CHARSET_ICONV,		"ISO-8859-16" },
	{ "windows874",		CHARSET_ICONV,		"CP874" },
	{ "tis620",		CHARSET_ICONV,		"CP874" },
	{ "windows1250",	CHARSET_ICONV,		"CP1250" },
	{ "cp1250",		CHARSET_ICONV,		"CP1250" },
	{ "windows1251",	CHARSET_ICONV,		"CP1251" },
	{ "cp1251",		CHARSET_ICONV,		"CP1251" },
	{ "windows1253",	CHARSET_ICONV,		"CP1253" },
	{ "windows1254",	CHARSET_ICONV,		"CP1254" },
	{ "windows1255",	CHARSET_ICONV,		"CP1255" },
	{ "windows1256",	CHARSET_ICONV,		"CP1256" },
	{ "windows1257",	CHARSET_ICONV,		"CP1257" },
	{ "windows1258",	CHARSET_ICONV,		"CP1258" },
	{ "cp437",		CHARSET_ICONV,		"CP437" },
	{ "ibm437",		CHARSET_ICONV,		"CP437" },
	{ "cp850",		CHARSET_ICONV,		"CP850" },
	{ "ibm850",		CHARSET_ICONV,		"CP850" },
	{ "ibm852",		CHARSET_ICONV,		"CP852" },
	{ "cp866",		CHARSET_ICONV,		"CP866" },
	{ "ibm866",		CHARSET_ICONV,		"CP866" },
	{ "koi8r",		CHARSET_ICONV,		"KOI8-R" },
	{ "koi8u",		CHARSET_ICONV,		"KOI8-U" },
	{ "macintosh",		CHARSET_ICONV,		"MACINTOSH" },
	{ "xmacroman",		CHARSET_ICONV,		"MACINTOSH" },
	{ "iso2022jp",		CHARSET_ICONV,		"ISO-2022-JP" },
	{ "csiso2022jp",	CHARSET_ICONV,		"ISO-2022-JP" },
	{ "iso2022jp2",		CHARSET_ICONV,		"ISO-2022-JP-2" },
	{ "eucjp",		CHARSET_ICONV,		"EUC-JP" },
	{ "xeucjp",		CHARSET_ICONV,		"EUC-JP" },
	{ "shiftjis",		CHARSET_ICONV,		"CP932" },
	{ "sjis",		CHARSET_ICONV,		"CP932" },
	{ "xsjis",		CHARSET_ICONV,		"CP932" },
	{ "windows31j",		CHARSET_ICONV,		"CP932" },
	{ "cp932",		CHARSET_ICONV,		"CP932" },
	{ "euckr",		CHARSET_ICONV,		"CP949" },
	{ "ksc56011987",	CHARSET_ICONV,		"CP949" },
	{ "ksc5601",		CHARSET_ICONV,		"CP949" },
	{ "cp949",		CHARSET_ICONV,		"CP949" },
	{ "uhc",		CHARSET_ICONV,		"CP949" },
	{ "iso2022kr",		CHARSET_ICONV,		"ISO-2022-KR" },
	{ "gb2312",		CHARSET_ICONV,		"GB18030" },
	{ "gb231280",		CHARSET_ICONV,		"GB18030" },
	{ "euccn",		CHARSET_ICONV,		"GB18030" },
	{ "gbk",		CHARSET_ICONV,		"GB18030" },
	{ "cp936",		CHARSET_ICONV,		"GB18030" },
	{ "gb18030",		CHARSET_ICONV,		"GB18030" },
	{ "big5",		CHARSET_ICONV,		"BIG5-HKSCS" },
	{ "big5hkscs",		CHARSET_ICONV,		"BIG5-HKSCS" },
	{ "chinesebig5",	CHARSET_ICONV,		"BIG5-HKSCS" },
	{ "cnbig5",		CHARSET_ICONV,		"BIG5-HKSCS" },
};

#define LABEL_MAX 24	/* longer than any above */

/* Copy a label in the form of the table; false if it is too long to be there. */
static bool
normalize(struct span label, char key_out[LABEL_MAX])
{
	size_t length = 0;

	label = span_trim(label);
	if (label.length >= 2 && label.at[0] == '"' && label.at[label.length - 1] == '"')
		label = span_slice(label, 1, label.length - 2);
	label = span_trim(span_slice(label, 0, span_find(label, '*')));
	for (size_t i = 0; i < label.length; i++) {
		if (label.at[i] == '-' || label.at[i] == '_')
			continue;
		if (length == LABEL_MAX - 1 || label.at[i] <= ' ')
			return false;
		key_out[length++] = ascii_lower(label.at[i]);
	}
	key_out[length] = '\0';
	return true;
}

struct charset_name
charset_name_find(struct span label)
{
	unsigned unit_octets = 1;
	char key[LABEL_MAX];

	if (!normalize(label, key))
		return (struct charset_name){ CHARSET_UNKNOWN, 1, NULL };
	if (strncmp(key, "utf16", 5) == 0 || strcmp(key, "ucs2") == 0)
		unit_octets = 2;
	else if (strncmp(key, "utf32", 5) == 0)
		unit_octets = 4;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(key, rows[i].label) == 0)
			return (struct charset_name){ rows[i].kind, unit_octets, rows[i].iconv_name };
	return (struct charset_name){ CHARSET_UNKNOWN, 1, NULL };
}
