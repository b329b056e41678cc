"""Random messages for SEARCH: scripts, charsets and encodings of all kinds, parts in parts, and what is odd or missing."""
import base64
import binascii
import quopri
import unicodedata

WORDS = """
alpha Beta GAMMA delta report meeting invoice Re: the of and a in-reply 2024 100% x=y foo.bar under_score
Straße STRASSE Maß Großes ẞ ﬁnden ﬂoß oﬃce Ångström ångstrom naïve café CAFÉ résumé über Über ÜBER Ünïcödé ǆungla ǅ Ǆ
İstanbul ıspanak ISPARTA diyarbakır ŉ ǰ ſicher Œuvre œuvre Łódź zażółć gęślą Þór ðæ ½ ² ① ℡ ™ Å K Ω
Ελλάδα ΟΔΥΣΣΕΥΣ Ὀδυσσεύς σίσυφος ᾳ ᾼ Привет МИР мир ёлка Ёлка Україна їжак שלום עולם العربية السلام हिन्दी क़लम ภาษาไทย ขำ
tiếng Việt TIẾNG VIỆT 日本語 ニホンゴ ﾆﾎﾝｺﾞ ひらがな が ガ 漢字 中文 测试 繁體 한국어 가나다 각 ＦＵＬＬ ｆｕｌｌ 😀 👍🏽 🇩🇪 ﷺ ㌔ ㎏ Ⅷ ⅷ
""".split()
ALPHABETS = ["abcdefghijklmnopqrstuvwxyz"] * 4 + [
    "äöüßéèñçøåæœﬁİıẞ", "абвгдежзийклмнопрстуфхцчшщъыьэюяё", "αβγδεζηθικλμνξοπρστυφχψωάέ", "一丁七万丈三上下不与世丘丙業",
    "가각간갇갈감갑값갓강개객걀걔거", "אבגדהוזחטיכלמנ"]
CHARSETS = ["utf-8"] * 6 + [
    "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-15",
    "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1256", "windows-1258",
    "koi8-r", "koi8-u", "iso-2022-jp", "euc-jp", "shift_jis", "gb2312", "gb18030", "hz-gb-2312", "big5", "euc-kr", "iso-2022-kr",
    "utf-16le", "utf-16be", "utf-7", "tis-620"]
PEOPLE = ["ann", "bob.smith", "Zoë", "o'neil", "first.last", "INFO", "x", "no-reply+tag"]
HOSTS = ["example.org", "Example.COM", "mail.example.net", "x", "[192.0.2.1]", "bücher.example"]


class Letters:
    """Makes letters by a random.Random of its own."""

    def __init__(self, choice):
        self.choice = choice

    def is_so(self, probability):
        return self.choice.random() < probability

    def word(self, among=WORDS, alphabets=ALPHABETS):
        """One of a few, or one that stands nowhere else."""
        if self.is_so(0.7):
            return self.choice.choice(among)
        return "".join(self.choice.choices(self.choice.choice(alphabets), k=self.choice.randint(3, 10)))

    def words(self, most):
        text = " ".join(self.word() for _ in range(self.choice.randint(1, most)))
        form = self.choice.choice(["NFC", "NFC", "NFD", None])
        return unicodedata.normalize(form, text) if form else text

    def charset_for(self, text, among=CHARSETS):
        """A charset that has it, as the label and Python's octets; UTF-8 when none that was tried has."""
        for _ in range(4):
            label = self.choice.choice(among)
            try:
                codec = {"tis-620": "cp874", "shift_jis": "cp932", "hz-gb-2312": "hz"}.get(label, label)
                return label, text.encode(codec)
            except UnicodeEncodeError:
                continue
        return "utf-8", text.encode()

    # Header fields.

    def encoded_words(self, text):
        """RFC 2047; in UTF-8 and others without state a character may be cut between two words, as programs do."""
        label, octets = self.charset_for(text)
        size = self.choice.choice([7, 20, 45])
        pieces = [octets]
        if not label.startswith(("iso-2022", "utf-7", "utf-16", "hz-")):
            pieces = [octets[at:at + size] for at in range(0, len(octets), size)]
        label = self.choice.choice([label, label.upper(), label, label + "*en"])
        out = []
        for piece in pieces:
            if self.is_so(0.5):
                coded = base64.b64encode(piece).decode()
                out.append(f"=?{label}?{self.choice.choice('bB')}?{coded}?=")
            else:
                coded = "".join(chr(o) if chr(o).isalnum() and o < 128 else "_" if o == 32 else f"={o:02X}" for o in piece)
                out.append(f"=?{label}?{self.choice.choice('qQ')}?{coded}?=")
        return self.choice.choice([" ", "\r\n ", "\r\n\t", "  "]).join(out).encode()

    def phrase(self, text):
        """Text of a header: encoded, raw in UTF-8 or another charset, or both."""
        kind = self.choice.randrange(6)
        if text.isascii() and kind < 4:
            return text.encode()
        if kind == 0:
            return text.encode()
        if kind == 1:
            return self.charset_for(text, ["iso-8859-1", "windows-1252", "utf-8"])[1]
        if kind == 2:
            first, _, rest = text.partition(" ")
            return self.encoded_words(first) + b" " + (rest.encode() if rest.isascii() else self.encoded_words(rest or "y"))
        return self.encoded_words(text)

    def address(self):
        local, host = self.choice.choice(PEOPLE), self.choice.choice(HOSTS)
        box = f"{local}@{host}".encode()
        name = self.words(3)
        kind = self.choice.randrange(8)
        if kind < 2:
            return box
        if kind == 2:
            return box + b" (" + self.phrase(name).replace(b"(", b"").replace(b")", b"") + b")"
        if kind == 3:
            return b'"' + name.replace('"', "").replace("\\", "").encode() + b'" <' + box + b">"
        if kind == 4:
            return b"<" + box + b">"
        if kind == 5:
            return b"Undisclosed " + self.choice.choice([b"group", b"Friends"]) + b": " + self.choice.choice(
                [b"", box, b"a <" + box + b">, b@y"]) + b";"
        return self.encoded_words(name) + b" <" + box + b">"

    def addresses(self):
        return self.choice.choice([b", ", b",\r\n\t", b","]).join(self.address() for _ in range(self.choice.choice([1, 1, 2, 3])))

    def identifier(self):
        """One of few, so that there are answers, loops and two of the same; or none."""
        if self.is_so(0.05):
            return self.choice.choice([b"none", b"<>", b"<a@>", b"<@b>", b"<a b@c>", b"<unclosed@d", b""])
        form = self.choice.choice([b"<m%d@x>", b"<m%d@x>", b"<m%d@x>", b'<"m%d"@x>', b"<m%d @ x>"])
        return form % self.choice.randrange(60)

    def references(self):
        between = self.choice.choice([b" ", b"\r\n\t", b""])
        return between.join(self.identifier() for _ in range(self.choice.choice([1, 1, 2, 4])))

    def subject(self):
        """Mostly few words, so that there are threads; what RFC 5256 section 2.1 takes off, and what it does not."""
        if self.is_so(0.3):
            return self.words(6)
        pieces = ["Re: ", "re:", "FWD :", "fw[2]:", "[list] ", "[a][b]", "[fwd: ", "]", "[", "re[x", "Réponse: ", ":", "  ", "[Ä]"]
        front = "".join(self.choice.choice(pieces) for _ in range(self.choice.choice([0, 1, 1, 2, 4])))
        behind = self.choice.choice(["", "", "", " (fwd)", "(FWD) ", "]", "](fwd)", " [x]", "(fwd)(fwd)"])
        return (front + self.choice.choice(["", "news", "NEWS", "Straße", "x"]) + behind).strip()

    def date(self):
        day, year = self.choice.randint(1, 28), self.choice.choice([1999, 2019, 2020, 2021])
        month = self.choice.choice("Jan Feb Mar Oct Nov Dec".split())
        time = f"{self.choice.randrange(24):02}:{self.choice.randrange(60):02}:{self.choice.randrange(60):02}"
        zone = self.choice.choice(["+0000", "-1130", "+1345", "GMT", "EST", "-0000", "+0530 (IST)", "Z"])
        return self.choice.choice([
            f"Mon, {day} {month} {year} {time} {zone}", f"{day:02} {month} {year} {time} {zone}",
            f"Tue, {day} {month}\r\n {year} {time} {zone}", f"{day} {month} {year % 100:02} {time[:5]} {zone}"]).encode()

    def header(self):
        fields = [(b"From", self.addresses()), (b"Subject", self.phrase(self.subject()))]
        optional = [(b"To", self.addresses), (b"Cc", self.addresses), (b"Bcc", self.addresses), (b"Date", self.date),
                    (b"Message-ID", self.identifier), (b"References", self.references), (b"In-Reply-To", self.references),
                    (b"X-Note", lambda: self.phrase(self.words(4))), (b"To", self.addresses), (b"Subject", lambda: b"second"),
                    (b"Received", lambda: b"from a (b [192.0.2.7])\r\n\tby c; " + self.date()),
                    (b"X-Empty", bytes), (b"Comments", lambda: self.phrase(self.words(12)))]
        fields += [(name, make()) for name, make in optional if self.is_so(0.6)]
        if self.is_so(0.05):
            fields.append((b"Date", self.choice.choice([b"yesterday", b"", b"31 Feb 2020 10:00:00 +0000"])))
        if self.is_so(0.2):
            self.choice.shuffle(fields)
        if self.is_so(0.1):
            fields = fields[self.choice.randrange(len(fields)):]
        lines = []
        for name, value in fields:
            name = self.choice.choice([name, name, name.lower(), name.upper()])
            lines.append(name + self.choice.choice([b": ", b": ", b":", b" : ", b":\r\n "]) + value + b"\r\n")
        if self.is_so(0.03):
            lines.insert(self.choice.randrange(len(lines) + 1), b"this is no field\r\n")
        return b"".join(lines)

    # Bodies.  Each gives the fields of MIME and the octets.

    def parameter(self, name, text):
        """RFC 2231, or what programs do instead."""
        kind = self.choice.randrange(4)
        quoted = "".join(f"%{octet:02X}" for octet in text.encode())
        if kind == 0:
            return f"{name}*=utf-8''{quoted}".encode()
        if kind == 1:
            cut = len(quoted) // 6 * 3
            return f"{name}*0*=utf-8'en'{quoted[:cut]};\r\n {name}*1*={quoted[cut:]}".encode()
        if kind == 2:
            return name.encode() + b'="' + self.encoded_words(text) + b'"'
        return f'{name}="{text}"'.replace("\\", "").encode()

    def lines(self):
        """The text of a body; some are longer than the 64 KiB that are read in one go."""
        if self.is_so(0.02):
            words = [word for word in WORDS if word.isascii()] + [self.choice.choice(WORDS)]
            return "".join(" ".join(self.word(words, ALPHABETS[:1]) for _ in range(10)) + "\r\n"
                           for _ in range(self.choice.randint(800, 2000)))
        return "\r\n".join(self.words(10) for _ in range(self.choice.choice([1, 2, 5, 12]))) + self.choice.choice(["\r\n", "\r\n", ""])

    def text_part(self):
        text = self.lines()
        subtype = self.choice.choice(["plain", "plain", "html", "x-odd", "calendar"])
        if subtype == "html":
            text = f"<html><p class='{self.words(1)}'>{text}</p>&amp;&eacute;</html>"
        label, octets = self.charset_for(text)
        fields = b"Content-Type: text/" + subtype.encode() + self.choice.choice([
            f"; charset={label}", f'; charset="{label.upper()}"', f";\r\n\tcharset={label}; format=flowed",
            f"; x=(comment; charset=no) y; charset={label}"]).encode() + b"\r\n"
        if self.is_so(0.1):				# no label, or a wrong one
            fields = self.choice.choice([b"", b"Content-Type: text/plain\r\n", b"Content-Type: text/plain; charset=x-none\r\n"])
            octets = self.charset_for(text, ["utf-8", "iso-8859-1", "windows-1252"])[1]
        return fields, *self.transfer(octets, label.startswith("utf-16"))

    def transfer(self, octets, must_encode=False):
        """The field for an encoding and the octets in it."""
        kind = self.choice.randrange(5)
        if must_encode and kind not in (1, 2):
            kind = 1
        if kind == 1:
            coded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
            if self.is_so(0.3):				# one long line, odd places, or padding in the middle
                cut = self.choice.randrange(len(octets) + 1)
                coded = self.choice.choice([
                    base64.b64encode(octets), b" ".join([coded[:7], coded[7:]]), coded.replace(b"=", b"").rstrip(),
                    base64.b64encode(octets[:cut]) + b"\r\n" + base64.b64encode(octets[cut:]) + b"\r\n"])
            return b"Content-Transfer-Encoding: base64\r\n", coded
        if kind == 2:
            return b"Content-Transfer-Encoding: Quoted-Printable\r\n", quopri.encodestring(
                octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        if kind == 3:
            return b"Content-Transfer-Encoding: " + self.choice.choice([b"7bit", b"8bit", b"binary", b"x-unknown"]) + b"\r\n", octets
        return b"", octets

    def attachment(self):
        name = self.words(2) + ".pdf"
        octets = bytes(self.choice.randrange(256) for _ in range(60))
        return (b"Content-Type: application/pdf; " + self.parameter("name", name) + b"\r\nContent-Disposition: attachment;\r\n "
                + self.parameter("filename", name) + b"\r\nContent-Description: " + self.phrase(self.words(3)) + b"\r\n"
                b"Content-Transfer-Encoding: base64\r\n", b"", base64.encodebytes(octets).replace(b"\n", b"\r\n"))

    def report(self):
        return (b"Content-Type: message/" + self.choice.choice([b"delivery-status", b"disposition-notification"]) + b"\r\n",
                b"", b"Reporting-MTA: dns; mail.example.org\r\n\r\nFinal-Recipient: rfc822; bob@example.org\r\nAction: failed\r\n")

    def message_part(self, depth):
        kind, letter = self.choice.choice([b"rfc822", b"rfc822", b"global"]), self.letter(depth + 1)
        more, body = self.transfer(letter) if self.is_so(0.3) else (b"", letter)
        return b"Content-Type: message/" + kind + b"\r\n", more, body

    def uuencoded(self):
        octets = self.charset_for(self.lines(), ["utf-8", "iso-8859-1"])
        lines = [binascii.b2a_uu(octets[1][at:at + 45]) for at in range(0, len(octets[1]), 45)]
        body = b"before\nbegin 644 x.txt\n" + b"".join(lines) + b"`\nend\nbehind\n"
        return (b"Content-Type: text/plain; charset=" + octets[0].encode() + b"\r\n",
                b"Content-Transfer-Encoding: " + self.choice.choice([b"x-uuencode", b"uuencode"]) + b"\r\n",
                body.replace(b"\n", b"\r\n"))

    def multipart(self, depth):
        boundary = b"=_%d" % self.choice.randrange(1000) if self.is_so(0.8) else b"b d'(" + b"x" * self.choice.randrange(20)
        subtype = self.choice.choice([b"mixed", b"alternative", b"report", b"digest", b"related"])
        parts = []
        for _ in range(self.choice.choice([1, 2, 2, 3])):
            if subtype == b"digest" and self.is_so(0.7):
                parts.append(b"\r\n" + self.letter(depth + 2))
            else:
                fields, more, body = self.part(depth + 1)
                parts.append(fields + more + b"\r\n" + body)
        if self.is_so(0.05):
            return self.choice.choice([b"Content-Type: multipart/mixed\r\n", b'Content-Type: multipart/mixed; boundary=""\r\n']), b"", parts[0]
        body = b"preamble " + self.words(2).encode() + b"\r\n" if self.is_so(0.3) else b""
        body += b"".join(b"--" + boundary + self.choice.choice([b"\r\n", b" \r\n"]) + part + b"\r\n" for part in parts)
        if self.is_so(0.9):
            body += b"--" + boundary + b"--\r\n" + (b"epilogue " + self.words(2).encode() if self.is_so(0.3) else b"")
        return b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"\r\n', b"", body

    def part(self, depth):
        kind = self.choice.random()
        if depth < 4 and kind < 0.3:
            return self.multipart(depth)
        if depth < 3 and kind < 0.4:
            return self.message_part(depth)
        if kind < 0.5:
            return self.attachment()
        if kind < 0.55:
            return self.report()
        if kind < 0.58:
            return self.uuencoded()
        return self.text_part()

    def letter(self, depth=0):
        fields, more, body = self.part(depth)
        octets = self.header() + (b"MIME-Version: 1.0\r\n" if fields or more else b"") + fields + more
        if self.is_so(0.02):
            return octets					# no body, not even the empty line
        octets += b"\r\n" + body
        if depth == 0 and self.is_so(0.03):
            octets = octets.replace(b"\r\n", b"\n")
        return octets.replace(b"\0", b" ")
