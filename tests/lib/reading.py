"""What a message says, as SEARCH wants it (RFC 9051 section 6.4.4): read straight and slow, to compare the server with.

Nothing of it comes from the server.  Where the RFCs are silent on what is broken, it follows include/mime/: what
is no UTF-8 in a text of unknown charset is windows-1252, what a charset does not have is U+FFFD, an encoding is undone
as far as it goes.
"""
import codecs
import functools
import re
import unicodedata

# Labels without "-" and "_" -> codec; where a label is used for more than it says, the wider charset.
CODECS = {
    "usascii": None, "ascii": None, "us": None, "ansix3.4": None, "ansix3.41968": None, "iso646us": None,
    "utf8": "utf-8", "unicode11utf8": "utf-8",
    "iso88591": "latin", "latin1": "latin", "l1": "latin", "windows1252": "latin", "cp1252": "latin", "xansi": "latin",
    "utf7": "utf-7", "unicode11utf7": "utf-7", "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be",
    "ucs2": "utf-16", "utf32": "utf-32", "utf32le": "utf-32-le", "utf32be": "utf-32-be",
    "iso88592": "iso8859-2", "latin2": "iso8859-2", "iso88593": "iso8859-3", "iso88594": "iso8859-4",
    "iso88595": "iso8859-5", "iso88596": "iso8859-6", "iso88597": "iso8859-7", "iso88598": "iso8859-8",
    "iso88598i": "iso8859-8", "iso88599": "iso8859-9", "latin5": "iso8859-9", "iso885910": "iso8859-10",
    "iso885911": "cp874", "iso885913": "iso8859-13", "iso885914": "iso8859-14", "iso885915": "iso8859-15",
    "latin9": "iso8859-15", "iso885916": "iso8859-16", "windows874": "cp874", "tis620": "cp874",
    "windows1250": "cp1250", "cp1250": "cp1250", "windows1251": "cp1251", "cp1251": "cp1251", "windows1253": "cp1253",
    "windows1254": "cp1254", "windows1255": "cp1255", "windows1256": "cp1256", "windows1257": "cp1257",
    "windows1258": "cp1258", "cp437": "cp437", "ibm437": "cp437", "cp850": "cp850", "ibm850": "cp850",
    "ibm852": "cp852", "cp866": "cp866", "ibm866": "cp866", "koi8r": "koi8-r", "koi8u": "koi8-u",
    "macintosh": "mac-roman", "xmacroman": "mac-roman", "iso2022jp": "iso2022-jp", "csiso2022jp": "iso2022-jp",
    "iso2022jp2": "iso2022-jp-2", "hzgb2312": "hz", "eucjp": "euc-jp", "xeucjp": "euc-jp", "shiftjis": "cp932", "sjis": "cp932",
    "xsjis": "cp932", "windows31j": "cp932", "cp932": "cp932", "euckr": "cp949", "ksc56011987": "cp949",
    "ksc5601": "cp949", "cp949": "cp949", "uhc": "cp949", "iso2022kr": "iso2022-kr", "gb2312": "gb18030",
    "gb231280": "gb18030", "euccn": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "gb18030": "gb18030",
    "big5": "big5hkscs", "big5hkscs": "big5hkscs", "chinesebig5": "big5hkscs", "cnbig5": "big5hkscs",
}
# Where Windows reads another character for a pair of octets of JIS X 0208: its reading is what mail means.
WINDOWS = str.maketrans("\u301c\u2016\u2212\xa2\xa3\xac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2")
UNITS = {"utf-16": 2, "utf-16-le": 2, "utf-16-be": 2, "utf-32": 4, "utf-32-le": 4, "utf-32-be": 4}


class Folding(dict):
    """i;unicode-casemap (RFC 5051 section 2) of each code point: title case, then all that it decomposes to."""

    def __missing__(self, code):
        char = chr(code)
        title = char.title()		# that of UnicodeData.txt is one character
        folded = self[code] = unicodedata.normalize("NFKD", title if len(title) == 1 else char)
        return folded


FOLDING = Folding()


def fold(text):
    return text.upper() if text.isascii() else text.translate(FOLDING)


def western(octets):
    """windows-1252, with what it leaves open as controls."""
    return "".join(bytes([octet]).decode("cp1252") if octet not in b"\x81\x8d\x8f\x90\x9d" else chr(octet)
                   for octet in octets)


codecs.register_error("octets", lambda error: ("\ufffd", error.start + 1))
codecs.register_error("western", lambda error: (western(error.object[error.start:error.end]), error.end))


def replace_unit(error, octets):
    """One unit that a charset does not have is U+FFFD; so is what is cut at the end, as a whole."""
    is_cut = error.end == len(error.object) and re.search("incomplete|truncated|unexpected end", error.reason)
    return "\ufffd", error.end if is_cut else error.start + octets


for unit in (1, 2, 4):
    codecs.register_error(f"unit{unit}", functools.partial(replace_unit, octets=unit))


@functools.lru_cache
def codec_of(label):
    """Python's name for a charset, "latin", or None: unknown."""
    label = re.sub(r"\A\s*\"?\s*|\s*\"?\s*\Z", "", label).split("*")[0].strip()
    return CODECS.get(re.sub("[-_]", "", label).lower())


def decode(octets, label):
    codec = codec_of(label)
    if codec == "latin":
        return western(octets)
    if codec is None:
        return octets.decode("utf-8", "western")
    if codec == "utf-8":
        return octets.decode(codec, "replace")
    if codec in ("utf-16", "utf-32") and octets[:2] not in (b"\xff\xfe", b"\xfe\xff", b"\0\0"):
        codec += "-be"			# RFC 2781 section 4.3
    text = octets.decode(codec, f"unit{UNITS.get(codec, 1)}")
    return text.translate(WINDOWS) if codec in ("euc-jp", "iso2022-jp") else text


# Header fields: RFC 5322 section 2.2, RFC 2047.

WORD = re.compile(rb"=\?([^\x00-\x20\x7f-\xff?=\"]+)\?([bBqQ])\?([^?]*)\?=")


def unfold(value):
    """One line: what folds goes, what else is no text becomes a space."""
    value = re.sub(rb"\r(?=\n)|\n(?=[ \t])", b"", value.strip(b" \t\r\n"))
    return re.sub(rb"[\0\r\n\t]", b" ", value)


def undo_base64(text):
    """Padding ends a group, not all; what is not of the alphabet is passed over."""
    out = b""
    for group in re.sub(rb"[^A-Za-z0-9+/=]", b"", text).split(b"="):
        group = group[:-1] if len(group) % 4 == 1 else group
        out += codecs.decode(group + b"=" * (-len(group) % 4), "base64")
    return out


def undo_escapes(text, escape):
    return re.sub(re.escape(escape) + rb"([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text)


def words_of(line):
    """(octets, charset) of each encoded word and (octets, None) of what stands between them."""
    done, pieces = 0, []
    for found in WORD.finditer(line):
        between = line[done:found.start()]
        if not pieces or between.strip(b" "):		# RFC 2047 section 6.2
            pieces.append((between, None))
        charset, text = found[1].decode().lower(), found[3]
        octets = undo_base64(text) if found[2] in b"bB" else undo_escapes(text.replace(b"_", b" "), b"=")
        if pieces[-1][1] == charset:			# a character may be cut between two words
            octets = pieces.pop()[0] + octets
        pieces.append((octets, charset))
        done = found.end()
    return pieces + [(line[done:], None)]


@functools.lru_cache(1 << 14)
def header_text(value):
    """The value of a field, decoded."""
    return "".join(decode(octets, charset or "") for octets, charset in words_of(unfold(value)))


def fields_of(block):
    """(name, value) of each field; the name of a line that is none is empty."""
    for found in re.finditer(rb"(?:[^\n]*\n|[^\n]+\Z)(?:[ \t][^\n]*(?:\n|\Z))*", re.match(
            rb"(?:(?!\r?\n)[^\n]*(?:\n|\Z))*", block)[0]):
        field = re.match(rb"([!-9;-~]+)[ \t]*:([\s\S]*)", found[0])
        yield (field[1].decode(), field[2]) if field else ("", found[0])


# Bodies: RFC 2045 section 6.

def undo_quoted(text):
    """Space at the end of a line is dropped (section 6.7, rule 3); a CR alone ends a line, too."""
    out = []
    for line in re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text):
        content, end = re.fullmatch(rb"([^\r\n]*?)[ \t]*(\r?\n?)", line).groups()
        soft = re.fullmatch(rb"([\s\S]*)=[ \t]*", content)
        out.append(undo_escapes(soft[1], b"=") if soft else undo_escapes(content, b"=") + end)
    return b"".join(out)


def undo_uuencode(text):
    out, is_begun = b"", False
    for line in text.split(b"\n"):
        line = line[:-1] if line.endswith(b"\r") else line
        if not is_begun:
            is_begun = line.startswith(b"begin ")
        elif line == b"end":
            break
        elif line:
            values = [(octet - 32) & 63 for octet in line] + [0, 0, 0]
            bits = "".join(f"{value:06b}" for value in values[1:])
            octets = bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits) - 7, 8))
            out += octets[:min(values[0], (len(line) - 1 + 3) // 4 * 3)]
    return out


ENCODINGS = {"base64": undo_base64, "quoted-printable": undo_quoted, "x-uuencode": undo_uuencode,
             "x-uue": undo_uuencode, "uuencode": undo_uuencode}
HIDING = set(ENCODINGS)


# Parts: RFC 2045 section 5, RFC 2046.

TOKEN = r'[^\s"(;=/]+'


def without_comments(text):
    out, depth = [], 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"?|\\.|[()]|[^"()\\]+|\\', text, re.S):
        piece = found[0]
        if depth and piece[0] == '"':			# no quotes in a comment
            depth += sum({"(": 1, ")": -1}.get(char, 0) for char in piece)
        elif piece == "(":
            depth += 1
        elif piece == ")" and depth:
            depth -= 1
        elif not depth:
            out.append(piece)
    return "".join(out)


def parameters_of(text):
    """(name, value) of each parameter as it is written, without quotes."""
    for piece in re.finditer(r';\s*([^\s"(;=]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^\s"(;]*)', text, re.S):
        value = piece[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:])
        yield piece[1], value


def content_type(value):
    """(type, subtype, parameters) in lower case but for the values of parameters, or None."""
    text = without_comments(re.sub(r"\r?\n(?=[ \t])|\r(?=\n)", "", value.decode("latin-1")))
    found = re.match(rf"\s*({TOKEN})\s*/\s*({TOKEN})", text)
    if not found:
        return None
    parameters = {}
    for name, value in parameters_of(text[found.end():]):
        parameters.setdefault(name.lower(), value)
    for name in ("charset", "boundary"):		# RFC 2231 sections 3 and 4
        if f"{name}*" in parameters and name not in parameters:
            parameters[name] = parameters[f"{name}*"].split("'", 2)[-1]
        if f"{name}*0" in parameters and name not in parameters:
            numbers = range(len(parameters))
            pieces = [parameters.get(f"{name}*{number}") for number in numbers]
            parameters[name] = "".join(pieces[:pieces.index(None)] if None in pieces else pieces)
    return found[1].lower(), found[2].lower(), parameters


def extended(sections):
    """The text of the sections of a parameter: (value, whether it is extended) of each.  RFC 2231 section 4."""
    charset, octets = "", b""
    for number, (value, is_extended) in enumerate(sections):
        if is_extended and number == 0 and value.count("'") > 1:
            charset, _, value = value.split("'", 2)
        octets += undo_escapes(value.encode("latin-1"), b"%") if is_extended else value.encode("latin-1")
    return decode(octets, charset)


def decoded_parameters(text):
    """"; name=value" for each parameter."""
    written = list(parameters_of(text))
    known = {}
    for name, value in written:
        known.setdefault(name.lower(), value)
    for name, value in written:
        base, _, section = name.partition("*")
        sections = []
        while (key := f"{base}*{len(sections)}".lower()) in known or f"{key}*" in known:
            sections.append((known[key], False) if key in known else (known[f"{key}*"], True))
        if section.rstrip("*") not in ("", "0") and sections:
            continue					# told with the first of them
        if f"{base}*".lower() in known:
            shown = extended([(known[f"{base}*".lower()], True)])
        elif any(is_extended for _, is_extended in sections):
            shown = extended(sections)
        else:
            plain = "".join(value for value, _ in sections) if sections else known.get(base.lower(), "")
            shown = header_text(plain.encode("latin-1"))
        yield f"; {base}={shown}"


def field_text(name, value):
    """A field as TEXT and HEADER look at it: parameters of RFC 2231 stand behind it, decoded."""
    text = header_text(value)
    if b"*" in value and name.lower() in ("content-type", "content-disposition"):
        line = without_comments(re.sub(r"\r?\n(?=[ \t])|\r(?=\n)", "", value.decode("latin-1")))
        text += "".join(decoded_parameters(line))
    return text


class Part:
    """A part and what its header says of it; parts inside come behind it in Message.parts."""

    def __init__(self, header, default=("text", "plain", {})):
        self.header, self.body = header, b""
        fields = {}
        for name, value in fields_of(header):
            fields.setdefault(name.lower(), value)
        found = content_type(fields["content-type"]) if "content-type" in fields else None
        self.type, self.subtype, self.parameters = found or default
        encoding = without_comments(unfold(fields.get("content-transfer-encoding", b"")).decode("latin-1"))
        self.encoding = re.match(r'\s*"?([^\s";=]*)', encoding)[1].lower()

    @property
    def is_message(self):
        return (self.type, self.subtype) in (("message", "rfc822"), ("message", "global"))

    def has_text(self):
        return self.type == "text" or (self.type == "message" and not self.is_message)

    def text(self):
        return decode(ENCODINGS.get(self.encoding, bytes)(self.body), self.parameters.get("charset", ""))


class Reader:
    """Walks over the lines of a message with the boundaries that are open."""

    def __init__(self, octets):
        self.lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", octets)
        self.at, self.parts, self.open = 0, [], []

    def delimiter(self):
        """(level, is_close) of the line where it stands, or None: the longest boundary that fits, the innermost of those."""
        line, best = self.lines[self.at], None
        for level in reversed(range(len(self.open))):
            boundary = self.open[level]
            if boundary and line.startswith(b"--" + boundary) and (not best or len(boundary) > len(self.open[best[0]])):
                best = level, line[2 + len(boundary):].startswith(b"--")
        return best

    def is_over(self):
        return self.at == len(self.lines)

    def read_lines(self):
        """Octets up to a delimiter or the end, without the line end that belongs to the delimiter."""
        begin = self.at
        while not self.is_over() and not self.delimiter():
            self.at += 1
        octets = b"".join(self.lines[begin:self.at])
        return octets if self.is_over() else re.sub(rb"\r?\n\Z", b"", octets)

    def read_header(self):
        begin = self.at
        while not self.is_over() and not self.delimiter():
            self.at += 1
            if self.lines[self.at - 1] in (b"\n", b"\r\n"):
                break
        return b"".join(self.lines[begin:self.at])

    def read_part(self, default=("text", "plain", {})):
        part = Part(self.read_header(), default)
        self.parts.append(part)
        if part.type == "multipart":
            self.read_multipart(part)
        elif part.is_message and part.encoding not in HIDING:
            self.open.append(None)
            self.read_part()
            self.open.pop()
        else:
            if part.is_message:
                part.type = "application"
            part.body = self.read_lines()

    def read_multipart(self, part):
        boundary = part.parameters.get("boundary", "").encode("latin-1").rstrip(b" \t\r\n")
        level, begin, count = len(self.open), self.at, len(self.parts)
        inside = ("message", "rfc822", {}) if part.subtype == "digest" else ("text", "plain", {})
        self.open.append(boundary or None)
        is_closed = False
        while not self.is_over():
            found = self.delimiter()
            if found is None:
                self.at += 1
            elif found[0] < level:
                break
            else:
                self.at += 1
                if found[1]:
                    self.open[level], is_closed = None, True
                elif not self.is_over() or len(self.parts) == count:
                    self.read_part(inside)
        self.open.pop()
        if len(self.parts) == count:			# never divided: its own one part
            child = Part(b"")
            whole = b"".join(self.lines[begin:self.at])
            child.body = b"" if is_closed else whole if self.is_over() else re.sub(rb"\r?\n\Z", b"", whole)
            self.parts.append(child)


class Message:
    """The texts of a message, folded; in `body` and `text` what is not next to each other is kept apart."""

    APART = "\U0010fffe"

    def __init__(self, octets):
        self.octets = octets
        reader = Reader(octets)
        reader.read_part()
        self.parts = reader.parts
        self.fields = [(name.lower(), fold(field_text(name, value))) for name, value in fields_of(self.parts[0].header)]
        bodies = [fold(part.text()) for part in self.parts if part.has_text()]
        self.body = self.APART.join(bodies)
        self.text = self.APART.join([*map(self.header_of, self.parts), self.body])

    @staticmethod
    def header_of(part):
        """The fields of a part as one would read them: one a line."""
        return fold("".join(f"{name}{name and ': '}{field_text(name, value)}\r\n" for name, value in fields_of(part.header)))
