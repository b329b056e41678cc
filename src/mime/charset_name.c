/*
 * The list of charsets that may be asked for.  glibc knows some more, each a piece of foreign code run on foreign
 * octets: these are those that mail was ever written in, by the names that IANA has for them and by those that programs use.
 * Where a label is commonly used for more than it says, the wider charset is taken, as
 * https://encoding.spec.whatwg.org/ does.  Any thread.
 */
#include "charset_name.h"

#include "base/memory.h"

/*
 * Labels are in lower case, without "-" and "_", without "iso" before 8859, latin and ir, and without "x-" or "cs" in
 * front; those of code pages are the number alone, whatever stands before it.
 */
struct row {
	enum charset_kind kind;
	const char *iconv_name;
	const char *labels;		/* with a space between two */
};

static const struct row rows[] = {
	{ CHARSET_UTF_8, NULL, "utf8 unicode11utf8 unicode20utf8 65001" },
	{ CHARSET_ASCII, NULL, "usascii ascii ansix3.4 ansix3.41968 ansix3.41986 iso646us iso646.irv ir6 us 367 20127" },
	{ CHARSET_WINDOWS_1252, NULL, "88591 latin1 l1 ir100 819 1252 ansi msansi 28591" },
	{ CHARSET_ICONV, "UTF-7", "utf7 unicode11utf7 unicode20utf7 65000" },
	{ CHARSET_ICONV, "UTF-16", "utf16 ucs2 iso10646ucs2 unicode" },
	{ CHARSET_ICONV, "UTF-16LE", "utf16le ucs2le unicodelittle 1200" },
	{ CHARSET_ICONV, "UTF-16BE", "utf16be ucs2be unicodebig unicodefffe 1201" },
	{ CHARSET_ICONV, "UTF-32", "utf32 ucs4 iso10646ucs4" },
	{ CHARSET_ICONV, "UTF-32LE", "utf32le ucs4le 12000" },
	{ CHARSET_ICONV, "UTF-32BE", "utf32be ucs4be 12001" },
	{ CHARSET_ICONV, "ISO-8859-2", "88592 latin2 l2 ir101 912 28592" },
	{ CHARSET_ICONV, "ISO-8859-3", "88593 latin3 l3 ir109 913 28593" },
	{ CHARSET_ICONV, "ISO-8859-4", "88594 latin4 l4 ir110 914 28594" },
	{ CHARSET_ICONV, "ISO-8859-5", "88595 cyrillic latincyrillic ir144 915 28595" },
	{ CHARSET_ICONV, "ISO-8859-6", "88596 88596i 88596e arabic latinarabic ecma114 asmo708 ir127 1089 28596" },
	{ CHARSET_ICONV, "ISO-8859-7", "88597 greek greek8 latingreek ecma118 elot928 ir126 813 28597" },
	{ CHARSET_ICONV, "ISO-8859-8", "88598 88598i 88598e hebrew latinhebrew ir138 916 28598 38598 logical visual" },
	{ CHARSET_ICONV, "CP1254", "88599 latin5 l5 ir148 920 1254 msturk 28599" },
	{ CHARSET_ICONV, "ISO-8859-10", "885910 latin6 l6 ir157 919 28600" },
	{ CHARSET_ICONV, "CP874", "885911 874 tis620 tis6200 tis6202529 tis6202533 ir166 28601" },
	{ CHARSET_ICONV, "ISO-8859-13", "885913 latin7 l7 ir179 921 28603" },
	{ CHARSET_ICONV, "ISO-8859-14", "885914 latin8 l8 isoceltic ir199 28604" },
	{ CHARSET_ICONV, "ISO-8859-15", "885915 latin9 latin0 l9 ir203 923 28605" },
	{ CHARSET_ICONV, "ISO-8859-16", "885916 latin10 l10 ir226 28606" },
	{ CHARSET_ICONV, "CP1250", "1250 msee" },
	{ CHARSET_ICONV, "CP1251", "1251 mscyrl" },
	{ CHARSET_ICONV, "CP1253", "1253 msgreek" },
	{ CHARSET_ICONV, "CP1255", "1255 mshebr" },
	{ CHARSET_ICONV, "CP1256", "1256 msarab" },
	{ CHARSET_ICONV, "CP1257", "1257 winbaltrim" },
	{ CHARSET_ICONV, "CP1258", "1258" },
	{ CHARSET_ICONV, "KOI8-R", "koi8r koi8 koi 878 20866" },
	{ CHARSET_ICONV, "KOI8-U", "koi8u 1168 21866" },
	{ CHARSET_ICONV, "KOI8-RU", "koi8ru" },
	{ CHARSET_ICONV, "KOI8-T", "koi8t" },
	{ CHARSET_ICONV, "ECMA-CYRILLIC", "ecmacyrillic koi8e ir111 iso111ecmacyrillic" },
	{ CHARSET_ICONV, "PT154", "pt154 ptcp154 154 cyrillicasian" },
	{ CHARSET_ICONV, "RK1048", "rk1048 kz1048 strk10482002" },
	{ CHARSET_ICONV, "MIK", "mik" },
	{ CHARSET_ICONV, "ARMSCII-8", "armscii8 armscii" },
	{ CHARSET_ICONV, "GEORGIAN-ACADEMY", "georgianacademy" },
	{ CHARSET_ICONV, "GEORGIAN-PS", "georgianps" },
	{ CHARSET_ICONV, "VISCII", "viscii viscii1.11" },
	{ CHARSET_ICONV, "TCVN5712-1", "tcvn tcvn5712 tcvn57121 vscii vscii1" },
	{ CHARSET_ICONV, "TSCII", "tscii" },
	{ CHARSET_ICONV, "ISIRI-3342", "isiri3342" },
	{ CHARSET_ICONV, "MACINTOSH", "macintosh mac macroman 10000" },
	{ CHARSET_ICONV, "MAC-CENTRALEUROPE", "maccentraleurope macce maccentraleurroman 10029" },
	{ CHARSET_ICONV, "MAC-CYRILLIC", "maccyrillic 10007" },
	{ CHARSET_ICONV, "MAC-UK", "macuk macukraine macukrainian 10017" },
	{ CHARSET_ICONV, "MAC-IS", "macis maciceland macicelandic 10079" },
	{ CHARSET_ICONV, "HP-ROMAN8", "hproman8 roman8 r8 1051" },
	{ CHARSET_ICONV, "DEC-MCS", "decmcs dec" },
	{ CHARSET_ICONV, "T.61-8BIT", "t.618bit t.61 ir103 iso103t618bit 20261" },
	{ CHARSET_ICONV, "ISO_6937", "iso6937 iso69372 iso69372add ir142 20269" },
	{ CHARSET_ICONV, "ISO646-DE", "iso646de din66003 ir21 iso21german 20106" },
	{ CHARSET_ICONV, "ISO646-DK", "iso646dk ds2089 iso646danish" },
	{ CHARSET_ICONV, "ISO646-NO", "iso646no ns45511 ir60 iso60danishnorwegian iso60norwegian1 20108" },
	{ CHARSET_ICONV, "ISO646-SE", "iso646se iso646fi sen850200b ir10 iso10swedish 20107" },
	{ CHARSET_ICONV, "ISO646-SE2", "iso646se2 sen850200c ir11 iso11swedishfornames" },
	{ CHARSET_ICONV, "ISO646-FR", "iso646fr nfz62010 ir69 iso69french" },
	{ CHARSET_ICONV, "ISO646-ES", "iso646es ir17 iso17spanish" },
	{ CHARSET_ICONV, "ISO646-IT", "iso646it ir15 iso15italian" },
	{ CHARSET_ICONV, "ISO646-PT", "iso646pt ir16 iso16portuguese" },
	{ CHARSET_ICONV, "ISO646-HU", "iso646hu msz7795.3 ir86 iso86hungarian" },
	{ CHARSET_ICONV, "ISO646-GB", "iso646gb bs4730 gb4730 ir4 uk iso4unitedkingdom" },
	{ CHARSET_ICONV, "ISO646-JP", "iso646jp jisc62201969ro jp ir14 iso14jisc6220ro" },
	{ CHARSET_ICONV, "CP437", "437 pc8codepage437" },
	{ CHARSET_ICONV, "CP737", "737" },
	{ CHARSET_ICONV, "CP775", "775 pc775baltic" },
	{ CHARSET_ICONV, "CP850", "850 pc850multilingual" },
	{ CHARSET_ICONV, "CP851", "851" },
	{ CHARSET_ICONV, "CP852", "852 pcp852" },
	{ CHARSET_ICONV, "CP855", "855" },
	{ CHARSET_ICONV, "IBM856", "856" },
	{ CHARSET_ICONV, "CP857", "857" },
	{ CHARSET_ICONV, "CP858", "858 pc858multilingual pcmultilingual850+euro" },
	{ CHARSET_ICONV, "CP860", "860" },
	{ CHARSET_ICONV, "CP861", "861 cpis" },
	{ CHARSET_ICONV, "CP862", "862 pc862latinhebrew" },
	{ CHARSET_ICONV, "CP863", "863" },
	{ CHARSET_ICONV, "CP864", "864" },
	{ CHARSET_ICONV, "CP865", "865" },
	{ CHARSET_ICONV, "CP866", "866" },
	{ CHARSET_ICONV, "CP868", "868 cpar" },
	{ CHARSET_ICONV, "CP869", "869 cpgr" },
	{ CHARSET_ICONV, "IBM922", "922" },
	{ CHARSET_ICONV, "IBM1046", "1046" },
	{ CHARSET_ICONV, "IBM1124", "1124" },
	{ CHARSET_ICONV, "CP1125", "1125 ruscii" },
	{ CHARSET_ICONV, "IBM1129", "1129" },
	{ CHARSET_ICONV, "IBM1133", "1133" },
	{ CHARSET_ICONV, "IBM037", "37 ebcdiccpus ebcdiccpca ebcdiccpwt ebcdiccpnl" },
	{ CHARSET_ICONV, "IBM273", "273" },
	{ CHARSET_ICONV, "IBM277", "277 ebcdiccpdk ebcdiccpno" },
	{ CHARSET_ICONV, "IBM278", "278 ebcdiccpfi ebcdiccpse" },
	{ CHARSET_ICONV, "IBM280", "280 ebcdiccpit" },
	{ CHARSET_ICONV, "IBM284", "284 ebcdiccpes" },
	{ CHARSET_ICONV, "IBM285", "285 ebcdiccpgb" },
	{ CHARSET_ICONV, "IBM297", "297 ebcdiccpfr" },
	{ CHARSET_ICONV, "IBM500", "500 ebcdiccpbe ebcdiccpch" },
	{ CHARSET_ICONV, "IBM870", "870 ebcdiccproece ebcdiccpyu" },
	{ CHARSET_ICONV, "IBM871", "871 ebcdiccpis" },
	{ CHARSET_ICONV, "IBM875", "875" },
	{ CHARSET_ICONV, "IBM1025", "1025" },
	{ CHARSET_ICONV, "IBM1026", "1026" },
	{ CHARSET_ICONV, "IBM1047", "1047" },
	{ CHARSET_ICONV, "IBM1140", "1140" },
	{ CHARSET_ICONV, "IBM1141", "1141" },
	{ CHARSET_ICONV, "IBM1142", "1142" },
	{ CHARSET_ICONV, "IBM1143", "1143" },
	{ CHARSET_ICONV, "IBM1144", "1144" },
	{ CHARSET_ICONV, "IBM1145", "1145" },
	{ CHARSET_ICONV, "IBM1146", "1146" },
	{ CHARSET_ICONV, "IBM1147", "1147" },
	{ CHARSET_ICONV, "IBM1148", "1148" },
	{ CHARSET_ICONV, "IBM1149", "1149" },
	{ CHARSET_ISO_2022_JP, "EUC-JP-MS", "iso2022jp iso2022jp1 50220 50221 50222" },
	{ CHARSET_ICONV, "ISO-2022-JP-2", "iso2022jp2" },
	{ CHARSET_ICONV, "ISO-2022-JP-3", "iso2022jp3 iso2022jp2004" },
	{ CHARSET_ICONV, "EUC-JP-MS", "eucjp ujis eucjpms eucjpopen eucjpwin eucpkdfmtjapanese "
	    "extendedunixcodepackedformatforjapanese 51932 20932" },
	{ CHARSET_ICONV, "CP932", "shiftjis sjis mskanji windows31j 932 943" },
	{ CHARSET_ICONV, "SHIFT_JISX0213", "shiftjisx0213 shiftjis2004" },
	{ CHARSET_ICONV, "EUC-JISX0213", "eucjisx0213 eucjis2004" },
	{ CHARSET_ICONV, "CP949", "euckr ksc56011987 ksc56011989 ksc5601 korean ir149 949 uhc 51949" },
	{ CHARSET_ICONV, "ISO-2022-KR", "iso2022kr 50225" },
	{ CHARSET_ICONV, "JOHAB", "johab 1361" },
	{ CHARSET_ICONV, "GB18030", "gb2312 gb231280 euccn cngb gbk gb18030 chinese ir58 iso58gb231280 936 51936 54936 1392" },
	{ CHARSET_HZ, "GB18030", "hzgb2312 hz 52936" },
	{ CHARSET_ICONV, "ISO-2022-CN", "iso2022cn" },
	{ CHARSET_ICONV, "ISO-2022-CN-EXT", "iso2022cnext" },
	{ CHARSET_ICONV, "BIG5-HKSCS", "big5 xbig5 big5hkscs big5eten bigfive chinesebig5 cnbig5 950 951" },
	{ CHARSET_ICONV, "EUC-TW", "euctw cns11643" },
};

#define LABEL_MAX 48	/* longer than any above */

/* Copy a label in small letters, without what is no part of it; false if it is too long to be there. */
static bool
normalize(struct span label, char key_out[LABEL_MAX])
{
	size_t length = 0;

	label = span_trim(label);
	if (label.length >= 2 && label.at[0] == '"' && label.at[label.length - 1] == '"')
		label = span_slice(label, 1, label.length - 2);
	label = span_slice(label, 0, span_find(label, '*'));
	label = span_trim(span_slice(label, 0, span_find(label, ':')));		/* "ISO_8859-1:1987" */
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

static const char *
behind(const char *key, const char *prefix)
{
	return strncmp(key, prefix, strlen(prefix)) == 0 ? key + strlen(prefix) : NULL;
}

/* "cp850", "ibm00858": the number; else NULL. */
static const char *
code_page(const char *key)
{
	static const char *const prefixes[] = { "cp", "ccsid", "ibmcp", "ibm", "windows", "win", "ms", "dos" };

	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		const char *number = behind(key, prefixes[i]);

		if (number == NULL || *number == '\0' || number[strspn(number, "0123456789")] != '\0')
			continue;
		return number + strspn(number, "0");
	}
	return NULL;
}

/* The part of a key that stands in the table. */
static const char *
essence(const char *key)
{
	const char *number = code_page(key), *rest = behind(key, "iso");

	if (number != NULL)
		return number;
	if (rest != NULL && (behind(rest, "8859") != NULL || behind(rest, "latin") != NULL || behind(rest, "ir") != NULL))
		return rest;
	return key;
}

static bool
has_label(const char *labels, const char *label)
{
	size_t length = strlen(label);

	for (const char *found = strstr(labels, label); found != NULL; found = strstr(found + 1, label))
		if ((found == labels || found[-1] == ' ') && (found[length] == ' ' || found[length] == '\0'))
			return true;
	return false;
}

static const struct row *
find(const char *key)
{
	const char *label = essence(key);

	for (size_t i = 0; i < COUNT_OF(rows) && *label != '\0'; i++)
		if (has_label(rows[i].labels, label))
			return &rows[i];
	return NULL;
}

/* What is skipped where a text is malformed. */
static unsigned
unit_of(const struct row *row)
{
	if (row->iconv_name == NULL)
		return 1;
	if (behind(row->iconv_name, "UTF-16") != NULL)
		return 2;
	return behind(row->iconv_name, "UTF-32") != NULL ? 4 : 1;
}

static bool
has_mark(const struct row *row)
{
	return row->iconv_name != NULL &&
	    (strcmp(row->iconv_name, "UTF-16") == 0 || strcmp(row->iconv_name, "UTF-32") == 0);
}

struct charset_name
charset_name_find(struct span label)
{
	const struct row *row = NULL;
	char key[LABEL_MAX];

	if (normalize(label, key)) {
		row = find(key);
		if (row == NULL && key[0] == 'x')			/* "x-sjis" */
			row = find(key + 1);
		if (row == NULL && behind(key, "cs") != NULL)		/* IANA's "csShiftJIS" */
			row = find(key + 2);
	}
	if (row == NULL)
		return (struct charset_name){ CHARSET_UNKNOWN, 1, false, NULL };
	return (struct charset_name){ row->kind, unit_of(row), has_mark(row), row->iconv_name };
}
