"""What SEARCH finds in headers and bodies that say it in a roundabout way: RFC 9051 section 6.4.4, RFC 2047, RFC 2231, RFC 2046."""
import base64

import pytest

pytestmark = pytest.mark.same_everywhere


def b64(text, charset="utf-8"):
    return base64.b64encode(text.encode(charset)).decode()


def part(fields, body):
    return ("".join(field + "\r\n" for field in fields) + "\r\n").encode() + body


def mixed(*parts, kind="mixed", boundary="=b="):
    line = b"--" + boundary.encode()
    return (b'MIME-Version: 1.0\r\nContent-Type: multipart/%s; boundary="%s"\r\n\r\nthis is the preamble\r\n' % (
        kind.encode(), boundary.encode()) + b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) +
        line + b"--\r\nthis is the epilogue\r\n")


# name: (field, keys that are found by HEADER and by TEXT, keys that are not)
FIELDS = {
    "b word": ("Subject: =?utf-8?B?w6RwZmVs?=", ["äpfel", "ÄPFEL", "pf"], ["w6RwZmVs", "=?utf-8"]),
    "q word": ("Subject: =?ISO-8859-1?Q?gr=FC=DFe_an_a=3Fb?= x", ["grüße an a?b x", "an a"], ["_an"]),
    "word in lower case": ("Subject: =?utf-8?q?caf=c3=a9?=", ["café"], []),
    "language": ("Subject: =?utf-8*de-AT?Q?J=C3=A4nner?=", ["jänner"], ["de-AT"]),
    "two words": ("Subject: =?utf-8?Q?one?= =?utf-8?Q?two?=", ["onetwo"], ["one two"]),
    "folded words": ("Subject: =?utf-8?Q?one?=\r\n =?iso-8859-1?Q?tw=F6?=", ["onetwö"], ["one tw"]),
    "words and text": ("Subject: =?utf-8?Q?one?= and =?utf-8?Q?two?=", ["one and two"], []),
    "character cut in two": ("Subject: =?utf-8?B?8J+Y?= =?utf-8?B?gHg=?=", ["😀x"], []),
    "character cut in q": ("Subject: =?utf-8?Q?=E2=82?=\r\n =?UTF-8?Q?=AC?= 5", ["€ 5"], []),
    "character cut in two charsets": ("Subject: =?utf-8?Q?a=E2=82?= =?iso-8859-1?Q?=ACb?=", ["¬b"], ["€"]),
    "shift state over words": ("Subject: =?iso-2022-jp?B?GyRCNEE=?= =?iso-2022-jp?B?O3o=?=", ["漢字"], []),
    "shift state ends with words": ("Subject: =?iso-2022-jp?B?GyRCNEE=?= x1 =?iso-2022-jp?Q?plain?=", ["漢 x1 plain"], []),
    "shift state in one field": ("Subject: =?iso-2022-jp?B?GyRCNEE7eg==?=\r\nComments: =?iso-2022-jp?Q?plain?=", ["漢字"], []),
    "no padding": ("Subject: =?utf-8?B?" + b64("ohne füllung").rstrip("=") + "?=", ["ohne füllung"], []),
    "too much padding": ("Subject: =?utf-8?B?" + b64("mit füllung") + "==?= y", ["mit füllung y"], []),
    "padding inside": ("Subject: =?utf-8?B?" + b64("ab") + b64("cd") + "?=", ["abcd"], []),
    "space inside": ("Subject: =?utf-8?Q?two words?=", ["two words"], []),
    "odd escapes": ("Subject: =?utf-8?Q?50=%_=zz_=4?=", ["50=% =zz =4"], []),
    "word in a word": ("Subject: re:=?utf-8?Q?=C3=BC?=nter", ["re:ünter"], []),
    "word in quotes": ('Comments: "=?utf-8?Q?=C3=BC?=" z', ['"ü" z'], []),
    "word that never ends": ("Subject: =?utf-8?Q?abc", ["=?utf-8?q?abc"], []),
    "word of an unknown charset": ("Subject: =?x-none?Q?abc=FC?=", ["abcü"], []),
    "word of an unknown encoding": ("Subject: =?utf-8?X?abc?=", ["=?utf-8?x?abc?="], []),
    "empty word": ("Subject: a =?utf-8?Q??= b", ["a  b"], []),
    "raw utf-8": ("Subject: größe", ["GRÖSSE".replace("SS", "ß")], []),
    "folded": ("Subject: a\r\n\tb\r\n c", ["a b c"], []),
    "rfc 2231 value": ("Content-Disposition: attachment; filename*=utf-8'de'%C3%A4rger%20x.pdf", ["ärger x.pdf", "%C3%A4rger"], []),
    "rfc 2231 sections": ('Content-Type: text/plain; name*0="ein langer "; name*1="name.txt"', ["ein langer name.txt"], []),
    "rfc 2231 both": ("Content-Disposition: attachment;\r\n filename*0*=ISO-8859-1''%FCber;\r\n filename*1=\" und %41\";\r\n"
                      " filename*2*=%20dr%FCber", ["über und %41 drüber"], []),
    "rfc 2231 out of order": ("Content-Type: text/plain; name*1=b.txt; name*0=a", ["name=ab.txt"], []),
    "rfc 2231 cut characters": ("Content-Type: text/plain; name*0*=utf-8''%E2%82; name*1*=%AC.txt", ["€.txt"], []),
    "rfc 2231 no charset": ("Content-Type: text/plain; name*=''b%20c", ["b c"], []),
    "rfc 2231 elsewhere": ("X-Other: a; name*=utf-8''%C3%A4b", ["%C3%A4b"], ["äb"]),
    "encoded word in a parameter": ('Content-Type: text/plain; name="=?utf-8?Q?=C3=B6l?=.txt"', ["öl.txt"], []),
}

NESTED = part(["From: inner@example.net", "Subject: =?utf-8?Q?inn=C3=A9r?=", "Content-Type: text/plain; charset=utf-8",
               "Content-Transfer-Encoding: quoted-printable"], b"the kernel =E2=82=AC is soft=\r\nly here\r\n")
DEEP = part(["Subject: middle", "Content-Type: message/rfc822"], NESTED)
PDF = part(["Content-Type: application/pdf; name=x.pdf", "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename*=utf-8''%C3%A4nderung.pdf", "Content-Description: =?utf-8?Q?f=C3=BCr_dich?="],
           base64.b64encode(b"secret words"))

# name: (message, keys of BODY, which TEXT has as well, keys of TEXT alone, keys of neither)
BODIES = {
    "plain": (part(["Subject: s"], b"one two\r\nthree\r\n"), ["one", "two\r\nthree"], ["s", "subject: s"], ["two three"]),
    "quoted-printable": (part(["Content-Transfer-Encoding: quoted-printable", "Content-Type: text/plain; charset=iso-8859-1"],
                              b"gr=FC=DFe =\r\naus =46ern\r\n"), ["grüße aus fern"], ["quoted-printable"], ["=46", "=FC"]),
    "base64": (part(["Content-Transfer-Encoding: base64", "Content-Type: text/plain; charset=utf-8"],
                    base64.encodebytes(("lang " * 40 + "ä ende").encode())), ["lang lang", "lang ä ende"], [], ["bGFuZyBs"]),
    "utf-16": (part(["Content-Transfer-Encoding: base64", "Content-Type: text/plain; charset=utf-16"],
                    base64.b64encode("sechzehn ж".encode("utf-16"))), ["sechzehn ж"], [], []),
    "utf-16 without a mark": (part(["Content-Transfer-Encoding: base64", "Content-Type: text/plain; charset=utf-16"],
                                   base64.b64encode("ohne marke ж".encode("utf-16-be"))), ["ohne marke ж"], [], []),
    "html": (part(["Content-Type: text/html; charset=utf-8"], "<p class=\"k\">b&auml;r <b>fe</b>ll</p>ü".encode()),
             ["<p class=", "b&auml;r", "<b>fe</b>ll", "ü"], [], ["bär", "fell"]),
    "html in base64": (part(["Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: base64"],
                            base64.b64encode("<i>größe</i>".encode())), ["<i>größe"], [], []),
    "alternative": (mixed(part(["Content-Type: text/plain"], b"as text"), part(["Content-Type: text/html"], b"as <b>html</b>"),
                          kind="alternative"), ["as text", "as <b>"], ["multipart/alternative"], ["text as"]),
    "attachment": (mixed(part(["Content-Type: text/plain"], b"see it"), PDF), ["see it"],
                   ["änderung.pdf", "x.pdf", "für dich", "application/pdf"], ["secret words", "c2VjcmV0"]),
    "message": (part(["Subject: outer", "Content-Type: message/rfc822"], NESTED), ["kernel € is softly here"],
                ["outer", "innér", "from: inner@example.net"], ["=E2=82=AC"]),
    "message in a message": (mixed(part(["Content-Type: message/rfc822"], DEEP)), ["kernel € is softly"],
                             ["subject: middle", "subject: innér"], []),
    "global message": (mixed(part(["Content-Type: message/global"], "Subject: wörld\r\n\r\nglöbal\r\n".encode())), ["glöbal"],
                       ["subject: wörld"], []),
    "global message encoded": (mixed(part(["Content-Type: message/global", "Content-Transfer-Encoding: base64"],
                                          base64.b64encode("Subject: w\r\n\r\nencoded inside\r\n".encode()))), [], ["message/global"], []),
    "delivery status": (mixed(part(["Content-Type: message/delivery-status"], b"Action: failed\r\n"), kind="report"),
                        ["action: failed"], ["delivery-status"], []),
    "digest": (mixed(part([], NESTED), kind="digest"), ["kernel €"], ["subject: innér"], []),
    "calendar": (mixed(part(["Content-Type: text/calendar; charset=utf-8"], b"SUMMARY:tea")), ["summary:tea"], [], []),
    "no type": (part(["Subject: t"], "smörgås".encode()), ["smörgås"], [], []),
    "no charset, western": (part(["Content-Type: text/plain"], b"sm\xf6rg\xe5s"), ["smörgås"], [], []),
    "unknown charset": (part(["Content-Type: text/plain; charset=x-none"], "smörgås".encode()), ["smörgås"], [], []),
    "invalid octets": (part(["Content-Type: text/plain; charset=utf-8"], b"before \xff\xfe after"), ["before", "after"], [], []),
    "charset by rfc 2231": (part(["Content-Type: text/plain; charset*=us-ascii'en'koi8-r"], "Москва".encode("koi8-r")), ["москва"], [], []),
}


@pytest.fixture(scope="module")
def filled(shared_server):
    shared_server.add_user("texts")
    with shared_server.client("texts") as client:
        client.ok(b"CREATE bodies")
        for field, _, _ in FIELDS.values():
            assert client.append(b"INBOX", field.encode() + b"\r\n\r\nbody\r\n").is_ok
        for message, _, _, _ in BODIES.values():
            assert client.append(b"bodies", message).is_ok
        yield client


def finds(client, number, key, text):
    """Whether this message is among those that are found."""
    return b"%d" % number in client.ok(b"UID SEARCH CHARSET UTF-8 UID %d %s {}" % (number, key), text.encode()).untagged[0].split()[2:]


@pytest.mark.parametrize("name", FIELDS)
def test_field(filled, name):
    field, found, not_found = FIELDS[name]
    number = list(FIELDS).index(name) + 1
    filled.ok(b"SELECT INBOX")
    keys = [b"HEADER " + field.split(":")[0].encode(), b"TEXT"] + [b"SUBJECT"] * field.startswith("Subject")
    for key in keys:
        for text in found:
            assert finds(filled, number, key, text), (key, text)
        for text in not_found:
            assert not finds(filled, number, key, text), (key, text)


@pytest.mark.parametrize("name", BODIES)
def test_body(filled, name):
    _, of_body, of_text, of_none = BODIES[name]
    number = list(BODIES).index(name) + 1
    filled.ok(b"SELECT bodies")
    for text in of_body:
        assert finds(filled, number, b"BODY", text) and finds(filled, number, b"TEXT", text), text
    for text in of_text:
        assert not finds(filled, number, b"BODY", text) and finds(filled, number, b"TEXT", text), text
    for text in of_none:
        assert not finds(filled, number, b"BODY", text) and not finds(filled, number, b"TEXT", text), text
