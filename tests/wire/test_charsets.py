"""Charsets of mail and of SEARCH: what the refusal of one says is taken is taken, by other names, too, and what Python's
codecs write is found."""
import base64
import re

import pytest

pytestmark = pytest.mark.same_everywhere

# Label: Python's name of it, and a text.
SAMPLES = {
    "UTF-8": ("utf-8", "grüße Ж 漢字 😀"), "UTF-7": ("utf-7", "grün ☺"), "UTF-16": ("utf-16", "sechzehn 漢"),
    "UTF-16LE": ("utf-16-le", "klein ж"), "UTF-16BE": ("utf-16-be", "groß ж"), "UTF-32": ("utf-32", "zweiunddreißig"),
    "UTF-32LE": ("utf-32-le", "vier é"), "UTF-32BE": ("utf-32-be", "vier è"), "US-ASCII": ("ascii", "unadorned"),
    "ISO-8859-1": ("latin-1", "Straße"), "ISO-8859-2": ("iso8859-2", "Žluťoučký"), "ISO-8859-3": ("iso8859-3", "ĝardeno ħ"),
    "ISO-8859-4": ("iso8859-4", "ķēniņš"), "ISO-8859-5": ("iso8859-5", "Београд"), "ISO-8859-6": ("iso8859-6", "سلام"),
    "ISO-8859-7": ("iso8859-7", "Αθήνα"), "ISO-8859-8": ("iso8859-8", "שלום"), "ISO-8859-8-I": ("iso8859-8", "תודה"),
    "ISO-8859-9": ("iso8859-9", "Eskişehir ğ"), "ISO-8859-10": ("iso8859-10", "ŋuovllas"), "ISO-8859-11": ("iso8859-11", "เชียงใหม่"),
    "ISO-8859-13": ("iso8859-13", "Šiauliai ų"), "ISO-8859-14": ("iso8859-14", "ŵyth ḃ"), "ISO-8859-15": ("iso8859-15", "œuvre 5 €"),
    "ISO-8859-16": ("iso8859-16", "brașov ț"), "TIS-620": ("tis-620", "กรุงเทพ"), "windows-874": ("cp874", "ภูเก็ต"),
    "windows-1250": ("cp1250", "Łódź"), "windows-1251": ("cp1251", "Київ"), "windows-1252": ("cp1252", "“quoted” €"),
    "windows-1253": ("cp1253", "Πάτρα €"), "windows-1254": ("cp1254", "İzmir ş"), "windows-1255": ("cp1255", "ירושלים"),
    "windows-1256": ("cp1256", "پاکستان"), "windows-1257": ("cp1257", "Rīga ģ"), "windows-1258": ("cp1258", "đồng".replace("ồ", "ô")),
    "KOI8-R": ("koi8-r", "Москва"), "KOI8-U": ("koi8-u", "Львів ґ"), "KOI8-T": ("koi8-t", "Душанбе ӣ"), "KZ-1048": ("kz1048", "Алматы қ"),
    "PTCP154": ("ptcp154", "Бишкек ң"), "macintosh": ("mac-roman", "Äpfel ƒ"), "x-mac-ce": ("mac-latin2", "Gdańsk ő"),
    "x-mac-cyrillic": ("mac-cyrillic", "Минск ў"), "IBM437": ("cp437", "naïve ░"), "IBM737": ("cp737", "Κρήτη"),
    "IBM775": ("cp775", "Tērbata ņ"), "IBM850": ("cp850", "Ørsted ┐"), "IBM852": ("cp852", "Ľubľana"), "IBM855": ("cp855", "Скопје"),
    "IBM857": ("cp857", "Şırnak".replace("ı", "i")), "IBM00858": ("cp858", "fünf €"), "IBM860": ("cp860", "São João"),
    "IBM861": ("cp861", "Þingvellir"), "IBM862": ("cp862", "חיפה"), "IBM863": ("cp863", "Québec à"), "IBM865": ("cp865", "Tromsø å"),
    "IBM866": ("cp866", "Тула"), "IBM869": ("cp869", "Ρόδος"), "IBM037": ("cp037", "ebcdic é"), "IBM500": ("cp500", "ebcdic ö"),
    "IBM1026": ("cp1026", "ebcdic ş"), "IBM01140": ("cp1140", "ebcdic €"), "ISO-2022-JP": ("iso2022-jp", "漢字とかな mail"),
    "ISO-2022-JP-2": ("iso2022-jp-2", "日本 한국"), "ISO-2022-JP-1": ("iso2022-jp-1", "丂一二"), "HZ-GB-2312": ("hz", "天津 ~ x"), "EUC-JP": ("euc-jp", "東京ｶﾅ 丂"), "Shift_JIS": ("shift-jis", "大阪ｶﾅ"),
    "windows-31J": ("cp932", "京都①㈱"), "EUC-KR": ("euc-kr", "서울"), "KS_C_5601-1987": ("cp949", "똠방각하"),
    "ISO-2022-KR": ("iso2022-kr", "부산"), "JOHAB": ("johab", "대구"), "GB2312": ("gb2312", "北京"), "GBK": ("gbk", "鎔基"),
    "GB18030": ("gb18030", "上海 𠀀"), "Big5": ("big5", "臺北"), "Big5-HKSCS": ("big5hkscs", "香港 啫"),
}
OTHER_NAMES = """
    ANSI_X3.4-1968 iso-ir-6 ISO_646.irv:1991 ASCII ISO646-US us IBM367 cp367 csASCII csUTF8 utf8 UNICODE-1-1-UTF-8
    ISO_8859-1:1987 iso-ir-100 ISO_8859-1 latin1 l1 IBM819 CP819 csISOLatin1 8859_1 iso8859-1 x-ansi cp1252 csWindows1252
    ISO_8859-2:1987 latin2 csISOLatin2 ISO_8859-5:1988 cyrillic csISOLatinCyrillic ISO_8859-6:1987 ECMA-114 ASMO-708 arabic
    ISO_8859-6-E ISO-8859-6-I csISOLatinArabic ELOT_928 greek8 csISOLatinGreek hebrew csISOLatinHebrew ISO-8859-8-E
    ISO_8859-9:1989 latin5 csISOLatin5 latin6 iso-celtic latin8 Latin-9 latin10 csISO885915 iso885916 csTIS620
    x-cp1250 cp1251 x-cp1251 win1251 x-windows-1251 csKOI8R koi8 koi8_u cp878 csIBM866 866 cp866 dos-866 IBM-850 csPC850Multilingual
    csPC8CodePage437 csPCp852 cp-is CCSID00858 PC-Multilingual-850+euro
    csMacintosh mac x-mac-roman VISCII csVISCII ARMSCII-8 TCVN5712-1 GEORGIAN-PS hp-roman8 csHPRoman8 r8 DEC-MCS csDECMCS
    DIN_66003 ISO646-DE SEN_850200_B NS_4551-1 T.61-8bit ISO_6937-2-add
    csISO2022JP x-iso-2022-jp cp50221 csISO2022JP2 MS_Kanji csShiftJIS x-sjis sjis csWindows31J cp932 x-euc-jp csEUCPkdFmtJapanese
    Extended_UNIX_Code_Packed_Format_for_Japanese ujis csEUCKR iso-ir-149 KS_C_5601-1989 KSC_5601 korean csKSC56011987 uhc cp949
    x-windows-949 csISO2022KR csGB2312 GB_2312-80 iso-ir-58 chinese csISO58GB231280 EUC-CN CN-GB x-gbk CP936 MS936 windows-936 csGBK csGB18030
    ISO-2022-CN ISO-2022-CN-EXT csBig5 big5-eten x-x-big5 CN-Big5 cp950 EUC-TW x-euc-tw Johab cp1361 ebcdic-cp-us cp037 csIBM500
    cp65001""".split()


def bad_charset(client):
    refusal = client.command(b"SEARCH CHARSET x-none ALL").tagged
    return re.search(rb"NO \[BADCHARSET \(([^)]*)\)\]", refusal)[1].decode().split()


def test_badcharset_lists_what_is_taken(client):
    client.ok(b"SELECT INBOX")
    names = bad_charset(client)
    assert "UTF-8" in names and "ISO-8859-1" in names and len(set(names)) == len(names)
    for name in names:
        if name in SAMPLES and "\0" not in SAMPLES[name][1].encode(SAMPLES[name][0]).decode("latin-1"):
            text = "x".encode(SAMPLES[name][0])
            client.ok(b"SEARCH CHARSET %s SUBJECT {%d+}\r\n%s" % (name.encode(), len(text), text))
        else:
            client.ok(b"SEARCH CHARSET %s ALL" % name.encode())
    assert {name.upper() for name in SAMPLES if not name.startswith("x-")} - {"ISO-8859-8-I", "ISO-8859-11", "ISO-2022-JP-1", "KS_C_5601-1987"} <= \
        {name.upper() for name in names}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names(shared_client, name):
    assert " OK " in shared_client.command(b'SEARCH CHARSET "%s" ALL' % name.encode()).tagged.decode(), name


@pytest.mark.parametrize("name", [
    "", "x-", "cs", "iso-4444-5", "cp", "cp0", "cp99999", "windows-", "8859", "//TRANSLIT", "UTF-8//IGNORE", "UTF-7-IMAP",
    "IBM1364", "INTERNAL", "WCHAR_T", "iso-8859-12", "utf 8", "x-user-defined", "unknown-8bit", "a" * 300])
def test_unknown(shared_client, name):
    assert b" NO [BADCHARSET (" in shared_client.command(b'SEARCH CHARSET "%s" ALL' % name.encode()).tagged


@pytest.fixture(scope="module")
def shared_client(shared_server):
    shared_server.add_user("charsets")
    with shared_server.client("charsets") as client:
        client.ok(b"SELECT INBOX")
        yield client


@pytest.fixture(scope="module")
def filled(shared_server):
    """A message of each charset: in its header, and in its body."""
    shared_server.add_user("samples")
    with shared_server.client("samples") as client:
        for name, (codec, text) in SAMPLES.items():
            octets = base64.b64encode(text.encode(codec))
            assert client.append(b"INBOX", (
                b"From: x@example.org\r\nMIME-Version: 1.0\r\nSubject: about =?%s?B?%s?=\r\nContent-Type: text/plain; charset=\"%s\"\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n") % (name.encode(), octets, name.encode(), octets)).is_ok
        client.ok(b"SELECT INBOX")
        yield client


@pytest.mark.same_everywhere
@pytest.mark.parametrize("name", SAMPLES)
def test_is_found(filled, name):
    codec, text = SAMPLES[name]
    number = list(SAMPLES).index(name) + 1
    octets = text.encode(codec)
    for key in (b"SUBJECT", b"BODY", b"TEXT", b"HEADER Subject"):
        assert filled.ok(b"SEARCH CHARSET UTF-8 " + key + b" {}", text.encode()).untagged == [b"* SEARCH %d" % number]
        other_case = text.replace("ß", "ss").swapcase().replace("SS", "ß")  # which has no other
        assert filled.ok(b"SEARCH CHARSET UTF-8 " + key + b" {}", other_case.encode()).untagged == [b"* SEARCH %d" % number]
        if b"\0" not in octets:
            found = filled.ok(b"SEARCH CHARSET %s %s {}" % (name.encode(), key), octets).untagged
            assert found == [b"* SEARCH %d" % number], key


def test_invalid_octets_are_no_key_and_no_end_of_text(filled):
    for name, octets in ((b"EUC-JP", b"\xa4"), (b"Shift_JIS", b"\x81"), (b"GB18030", b"\x81\x30"), (b"Big5", b"a\xa4"),
                         (b"EUC-KR", b"\xb0"), (b"UTF-16BE", b"\x20"), (b"UTF-8", b"\xff"), (b"US-ASCII", b"\xe4"),
                         (b"windows-1253", b"\xaa"), (b"ISO-2022-JP", b"\x1b$B!"), (b"UTF-7", b"+AA")):
        assert b" BAD " in filled.command(b"SEARCH CHARSET %s BODY {}" % name, octets).tagged, name
    filled.append(b"Trash", b"Content-Type: text/plain; charset=euc-jp\r\n\r\nfirst \xa4\xff\xa4\xa2\xff last\r\n")
    filled.append(b"Trash", b"Content-Type: text/plain; charset=x-none\r\n\r\nfirst \xe4 and \xc3\xa4 last\r\n")
    filled.ok(b"SELECT Trash")
    assert filled.ok(b"SEARCH BODY first BODY {} BODY last", "あ".encode()).untagged == [b"* SEARCH 1"]
    assert filled.ok(b"SEARCH BODY {} BODY {}", "first ä".encode(), "and ä last".encode()).untagged == [b"* SEARCH 2"]
    filled.ok(b"SELECT INBOX")
