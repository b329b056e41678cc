"""An independent reader of FETCH replies, written from the grammar of RFC 9051 section 9.

It is strict: what the grammar does not allow raises Malformed.
"""
import re

ADDRESS_FIELDS = 4


class Malformed(Exception):
    pass


class Reader:
    """A cursor over one response line with its literals."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def peek(self):
        return self.octets[self.at:self.at + 1]

    def expect(self, text):
        if not self.octets.startswith(text, self.at):
            raise Malformed(f"wanted {text!r} at {self.at}: {self.octets[self.at - 40:self.at + 40]!r}")
        self.at += len(text)

    def match(self, pattern):
        found = re.compile(pattern).match(self.octets, self.at)
        if not found:
            raise Malformed(f"wanted {pattern!r} at {self.at}: {self.octets[self.at - 40:self.at + 40]!r}")
        self.at = found.end()
        return found

    def string(self):
        """quoted / literal / literal8."""
        if self.peek() == b'"':
            raw = self.match(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')[1]
            raw.decode("utf-8")
            return re.sub(rb"\\(.)", rb"\1", raw)
        found = self.match(rb"(~?)\{(\d+)\}\r\n")
        value = self.octets[self.at:self.at + int(found[2])]
        need(len(value) == int(found[2]), "literal cut short")
        need(found[1] or b"\0" not in value, "NUL in a plain literal")
        self.at += len(value)
        return value

    def value(self):
        """A parenthesized list as a tuple, a string as bytes, NIL as None, a number as int."""
        stack = [[]]
        while True:
            if self.peek() == b"(":
                self.at += 1
                stack.append([])
                continue
            if self.peek() == b")":
                self.at += 1
                if len(stack) == 1:
                    raise Malformed("closing parenthesis")
                item = tuple(stack.pop())
            elif self.peek() in (b'"', b"{", b"~"):
                item = self.string()
            else:
                word = self.match(rb"[^\s()\"{}]+")[0]
                item = None if word.upper() == b"NIL" else int(word) if word.isdigit() else Atom(word)
            if len(stack) == 1:
                return item
            stack[-1].append(item)
            if self.peek() == b" ":
                self.at += 1
                if self.peek() in (b")", b" "):
                    raise Malformed("stray space")
            elif self.peek() not in (b")", b"("):
                raise Malformed(f"wanted SP or ) at {self.at}: {self.octets[self.at - 40:self.at + 40]!r}")


class Atom(bytes):
    """What stands neither in quotes nor as a literal."""


def fetch(line):
    """`* n FETCH (name value ...)` as a dictionary."""
    reader = Reader(line)
    reader.match(rb"\* [1-9]\d* FETCH \(")
    items = {}
    while True:
        name = reader.match(rb"(?:BODY|BINARY|BINARY\.SIZE)\[[^\]]*\](?:<\d+>)?|[A-Z0-9.]+")[0]
        reader.expect(b" ")
        items[name] = reader.value()
        if reader.peek() == b")":
            break
        reader.expect(b" ")
    reader.expect(b")")
    if reader.at != len(line):
        raise Malformed("octets behind the closing parenthesis")
    return items


def need(condition, what):
    if not condition:
        raise Malformed(what)


def is_nstring(value):
    return value is None or (isinstance(value, bytes) and not isinstance(value, Atom))


def addresses(value):
    """NIL or 1*address."""
    if value is None:
        return
    need(isinstance(value, tuple) and value, f"address list {value!r}")
    for address in value:
        need(isinstance(address, tuple) and len(address) == ADDRESS_FIELDS and all(map(is_nstring, address)),
             f"address {address!r}")


def envelope(value):
    need(isinstance(value, tuple) and len(value) == 10, f"envelope {value!r}")
    date, subject, *lists, in_reply_to, message_id = value
    for text in (date, subject, in_reply_to, message_id):
        need(is_nstring(text), f"envelope field {text!r}")
    for people in lists:
        addresses(people)


def parameters(value):
    """body-fld-param: NIL or pairs of strings."""
    if value is None:
        return
    need(isinstance(value, tuple) and value and len(value) % 2 == 0, f"parameters {value!r}")
    need(all(isinstance(word, bytes) and is_nstring(word) for word in value), f"parameters {value!r}")


def extension(rest, is_multipart):
    """body-ext-1part after md5, or body-ext-mpart after the parameters: dsp, lang, loc, more."""
    if not rest:
        return
    disposition = rest[0]
    if disposition is not None:
        need(isinstance(disposition, tuple) and len(disposition) == 2, f"disposition {disposition!r}")
        need(isinstance(disposition[0], bytes), f"disposition {disposition!r}")
        parameters(disposition[1])
    if len(rest) > 1 and rest[1] is not None:
        language = rest[1] if isinstance(rest[1], tuple) else (rest[1],)
        need(language and all(isinstance(tag, bytes) for tag in language), f"language {language!r}")
    if len(rest) > 2:
        need(is_nstring(rest[2]), f"location {rest[2]!r}")


def body(value, is_extensible, is_rev2=False):
    """
    body-type-1part or body-type-mpart, without recursion over hostile depth limits.  MESSAGE/GLOBAL is a
    message in IMAP4rev2 alone: in RFC 3501 section 9 it is of media-basic.
    """
    messages = (b"RFC822", b"GLOBAL") if is_rev2 else (b"RFC822",)
    waiting = [value]
    while waiting:
        part = waiting.pop()
        need(isinstance(part, tuple) and part, f"body {part!r}")
        if isinstance(part[0], tuple):
            children = [child for child in part if isinstance(child, tuple)]
            count = next(i for i, child in enumerate(part) if not isinstance(child, tuple))
            waiting += part[:count]
            need(isinstance(part[count], bytes), "multipart subtype")
            rest = part[count + 1:]
            need(is_extensible or not rest, "extension data in BODY")
            if rest:
                parameters(rest[0])
                extension(rest[1:], True)
            need(children, "multipart without a part")
            continue
        need(len(part) >= 7, f"body fields {part!r}")
        kind, subtype, params, ident, description, encoding, octets = part[:7]
        need(isinstance(kind, bytes) and isinstance(subtype, bytes), "media type")
        parameters(params)
        need(is_nstring(ident) and is_nstring(description) and isinstance(encoding, bytes), "body-fields")
        need(isinstance(octets, int), "octets")
        rest = part[7:]
        if kind.upper() == b"TEXT":
            need(rest and isinstance(rest[0], int), "text lines")
            rest = rest[1:]
        elif kind.upper() == b"MESSAGE" and subtype.upper() in messages:
            need(len(rest) >= 3 and isinstance(rest[2], int), "message lines")
            envelope(rest[0])
            waiting.append(rest[1])
            rest = rest[3:]
        need(is_extensible or not rest, "extension data in BODY")
        if rest:
            need(is_nstring(rest[0]), "md5")
            extension(rest[1:], False)


def leaves(structure, is_rev2=False):
    """(section, octets) of each leaf part, numbered as RFC 9051 section 6.4.5.1 says."""
    messages = (b"RFC822", b"GLOBAL") if is_rev2 else (b"RFC822",)
    waiting = [(structure, b"", False)]
    while waiting:
        part, prefix, is_message_body = waiting.pop()
        if isinstance(part[0], tuple):
            for number, child in enumerate((c for c in part if isinstance(c, tuple)), 1):
                if not isinstance(part[number - 1], tuple):
                    break
                waiting.append((child, b"%s%d." % (prefix, number), False))
            continue
        section = prefix[:-1] if prefix and not is_message_body else prefix + b"1"
        if part[0].upper() == b"MESSAGE" and part[1].upper() in messages:
            yield section, part[6]
            waiting.append((part[8], section + b".", True))
        else:
            yield section, part[6]
