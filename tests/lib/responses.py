"""An independent reader of every line that an IMAP server may send, written from the formal syntax of
RFC 9051 section 9 (RFC 3501 where that differs) and of the extensions' RFCs, named beside each rule.

A Checker reads the lines of one connection in their order: what a line may hold depends on what was enabled
before.  What the grammar does not allow raises Malformed.
"""
import re

import grammar
from grammar import Malformed, need

NUMBER = rb"(?:0|[1-9]\d*)"
NZ = rb"[1-9]\d*"
ATOM = rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+'
ASTRING_ATOM = rb'[^\x00-\x20\x7f-\xff(){%*"\\]+'
FLAG = rb"\\?" + ATOM
MONTHS = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE_TIME = rb'"(?: \d|[0-3]\d)-' + MONTHS + rb'-\d{4} [0-2]\d:[0-5]\d:[0-6]\d [+-]\d{4}"'
UID_SET = rb"%s(?::%s)?(?:,%s(?::%s)?)*" % (NZ, NZ, NZ, NZ)
OBJECT_ID = rb"[A-Za-z0-9_-]{1,255}"
TEXT_SECTION = rb"(?:TEXT|HEADER(?:\.FIELDS(?:\.NOT)? )?)"
SECTION = rb"\[(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?:MIME|%s))?|%s)?" % (TEXT_SECTION, TEXT_SECTION)
MAX_32, MAX_63, MAX_64 = 2**32 - 1, 2**63 - 1, 2**64 - 1

# Codes that are a word alone.  RFC 9051 section 7.1, RFC 5530, 7162, 5465, 7889, 4978, 9586, 9738, 5257, 3516, 10022.
BARE_CODES = {word.encode() for word in """
    ALERT PARSE READ-ONLY READ-WRITE TRYCREATE UIDNOTSTICKY UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED
    EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT
    OVERQUOTA ALREADYEXISTS NONEXISTENT NOTSAVED HASCHILDREN CLOSED UNKNOWN-CTE NOMODSEQ NOTIFICATIONOVERFLOW
    COMPRESSIONACTIVE USEATTR TOOBIG UIDREQUIRED INPROGRESS NOUPDATE TOOFEW TOOMANY""".split()}
STATUS_ITEMS = {
    b"MESSAGES": MAX_32, b"UIDNEXT": MAX_32, b"UIDVALIDITY": MAX_32, b"UNSEEN": MAX_32, b"DELETED": MAX_32,
    b"SIZE": MAX_63, b"RECENT": MAX_32, b"HIGHESTMODSEQ": MAX_63, b"DELETED-STORAGE": MAX_63}
MAILBOX_ATTRIBUTES = {name.encode() for name in r"""
    \Noinferiors \Noselect \Marked \Unmarked \HasChildren \HasNoChildren \NonExistent \Subscribed \Remote
    \All \Archive \Drafts \Flagged \Junk \Sent \Trash \Important""".split()}


class Reader(grammar.Reader):
    """A cursor that knows whether UTF-8 may stand in quotes and in text, and whether IMAP4rev2 is enabled."""

    def __init__(self, octets, is_utf8, is_rev2=False):
        super().__init__(octets)
        self.is_utf8, self.is_rev2 = is_utf8, is_rev2

    def is_at_end(self):
        return self.at == len(self.octets)

    def takes(self, text):
        if not self.octets.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def number(self, least=0, most=MAX_32):
        value = int(self.match(NUMBER)[0])
        need(least <= value <= most, f"number {value} out of {least}..{most}")
        return value

    def utf8(self, octets):
        try:
            octets.decode("utf-8" if self.is_utf8 else "ascii")
        except UnicodeDecodeError as error:
            raise Malformed(f"{error} in {octets!r}") from None

    def string(self):
        """quoted / literal / literal8; only a literal8 may hold NUL (RFC 9051 section 4.3)."""
        if self.peek() == b'"':
            raw = self.match(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')[1]
            self.utf8(raw)
            return re.sub(rb"\\(.)", rb"\1", raw)
        found = self.match(rb"(~?)\{(%s)\}\r\n" % NUMBER)
        value = self.octets[self.at:self.at + int(found[2])]
        need(len(value) == int(found[2]), "literal cut short")
        need(found[1] or b"\0" not in value, "NUL in a literal")
        self.at += len(value)
        return value

    def astring(self):
        need(not self.octets.startswith(b"~{", self.at), "literal8 where an astring stands")
        if self.peek() in (b'"', b"{"):
            return self.string()
        return self.match(ASTRING_ATOM)[0]

    def nstring(self):
        return None if self.takes(b"NIL") else self.string()

    def mailbox(self):
        """In modified UTF-7 (RFC 3501 section 5.1.3) unless UTF-8 was enabled."""
        name = self.astring()
        self.utf8(name)
        return name

    def uid_set(self):
        ranges = []
        for piece in self.match(UID_SET)[0].split(b","):
            first, _, last = piece.partition(b":")
            ranges.append((int(first), int(last or first)))
            need(max(ranges[-1]) <= MAX_32, f"uid {ranges[-1]}")
        return ranges

    def listed(self, read):
        """"(" [item *(SP item)] ")"."""
        self.expect(b"(")
        items = []
        while not self.takes(b")"):
            if items:
                self.expect(b" ")
            items.append(read())
        return items

    def text(self):
        """resp-text without its code: a client may show it.  It may be empty (RFC 9051 section 9)."""
        rest = self.match(rb"[^\r\n\0]*")[0]
        self.utf8(rest)
        return rest


def size_of(ranges):
    return sum(abs(last - first) + 1 for first, last in ranges)


def capabilities(reader):
    names = []
    while reader.takes(b" "):
        names.append(reader.match(rb"AUTH=[A-Z0-9_-]+|" + ATOM)[0].upper())
    need(b"IMAP4REV1" in names or b"IMAP4REV2" in names, f"capabilities {names!r}")
    need(len(set(names)) == len(names), f"a capability twice: {names!r}")
    return names


def code_appenduid(reader):
    """The UIDVALIDITY and the UIDs; the UIDs."""
    reader.expect(b" ")
    reader.number(1)
    reader.expect(b" ")
    return reader.uid_set()


def code_copyuid(reader):
    """RFC 4315 section 3: as many UIDs on both sides."""
    sources = code_appenduid(reader)
    reader.expect(b" ")
    targets = reader.uid_set()
    need(size_of(sources) == size_of(targets), f"COPYUID of {sources!r} and {targets!r}")


def code_number(most):
    def read(reader):
        reader.expect(b" ")
        reader.number(1, most)
    return read


def code_badcharset(reader):
    if reader.takes(b" "):
        need(reader.listed(reader.astring), "no charset")


def code_permanentflags(reader):
    reader.expect(b" ")
    reader.listed(lambda: reader.match(rb"\\\*|" + FLAG)[0])


def code_modified(reader):
    reader.expect(b" ")
    reader.uid_set()


def code_mailboxid(reader):
    reader.expect(b" ")
    need(len(reader.listed(lambda: reader.match(OBJECT_ID)[0])) == 1, "one MAILBOXID")


def code_badevent(reader):
    reader.expect(b" ")
    need(reader.listed(lambda: reader.match(ATOM)[0]), "no event")


def code_inprogress(reader):
    """RFC 9585 section 4."""
    if not reader.takes(b" ("):
        return
    if not reader.takes(b"NIL"):
        reader.string()
    values = []
    for _ in range(2):
        reader.expect(b" ")
        values.append(None if reader.takes(b"NIL") else reader.number())
    reader.expect(b")")
    need(None in values or values[0] <= values[1], f"progress {values!r}")
    need(values[0] is not None or values[1] is None, f"progress {values!r}")


def code_messagelimit(reader):
    """RFC 9738 section 3: the limit, and the lowest UID that was processed."""
    reader.expect(b" ")
    reader.number(1)
    if reader.takes(b" "):
        reader.number(1)


def code_referral(reader):
    reader.expect(b" ")
    reader.match(rb"imaps?://[!-\\^-~]+")


def code_undefined_filter(reader):
    reader.expect(b" ")
    reader.match(ATOM)


def code_metadata(reader):
    """RFC 5464 sections 4.2.1 and 4.3."""
    reader.expect(b" ")
    reader.match(rb"LONGENTRIES %s|MAXSIZE %s|TOOMANY|NOPRIVATE" % (NUMBER, NUMBER))


CODES = {
    b"CAPABILITY": capabilities, b"BADCHARSET": code_badcharset, b"PERMANENTFLAGS": code_permanentflags,
    b"UIDNEXT": code_number(MAX_32), b"UIDVALIDITY": code_number(MAX_32), b"UNSEEN": code_number(MAX_32),
    b"APPENDUID": code_appenduid, b"COPYUID": code_copyuid, b"HIGHESTMODSEQ": code_number(MAX_63),
    b"MODIFIED": code_modified, b"MAILBOXID": code_mailboxid, b"BADEVENT": code_badevent,
    b"INPROGRESS": code_inprogress, b"MESSAGELIMIT": code_messagelimit, b"REFERRAL": code_referral,
    b"UNDEFINED-FILTER": code_undefined_filter, b"METADATA": code_metadata,
}


def response_text(reader):
    """resp-text = ["[" resp-text-code "]" SP] [text]; the name of the code."""
    name = None
    if reader.takes(b"["):
        name = reader.match(ATOM)[0]
        if name in CODES:
            CODES[name](reader)
        else:
            need(name in BARE_CODES, f"response code {name!r}")
        reader.expect(b"]")
        if not reader.is_at_end():
            reader.expect(b" ")
    need(not reader.is_at_end() or name is not None, "no text")
    reader.text()
    return name


def list_data(reader):
    """mailbox-list with its extended data (RFC 5258 section 6)."""
    reader.expect(b" ")
    attributes = reader.listed(lambda: reader.match(rb"\\[A-Za-z]+")[0])
    for attribute in attributes:
        need(attribute in MAILBOX_ATTRIBUTES, f"attribute {attribute!r}")
    folded = [attribute.lower() for attribute in attributes]
    need(len(set(folded)) == len(folded), f"an attribute twice: {attributes!r}")
    need(not {rb"\haschildren", rb"\hasnochildren"} <= set(folded), f"attributes {attributes!r}")
    reader.expect(b" ")
    reader.match(rb'NIL|"(?:[^"\\\x80-\xff]|\\["\\])"')
    reader.expect(b" ")
    name = reader.mailbox()
    if reader.takes(b" "):
        need(reader.listed(lambda: list_extended_item(reader)), "no extended item")
    return name


def list_extended_item(reader):
    name = reader.astring().upper()
    reader.expect(b" ")
    if name == b"CHILDINFO":
        need(reader.listed(reader.string), "CHILDINFO of nothing")
    elif name == b"OLDNAME":
        need(len(reader.listed(reader.mailbox)) == 1, "OLDNAME is one name")
    else:
        raise Malformed(f"extended item {name!r}")


def status_data(reader):
    reader.expect(b" ")
    reader.mailbox()
    reader.expect(b" ")
    seen = reader.listed(lambda: status_item(reader))
    need(len(set(seen)) == len(seen), f"STATUS items {seen!r}")


def status_item(reader):
    name = reader.match(rb"[A-Z-]+")[0]
    reader.expect(b" ")
    if name == b"APPENDLIMIT":		# RFC 7889 section 3
        if not reader.takes(b"NIL"):
            reader.number()
    elif name == b"MAILBOXID":		# RFC 8474 section 4.3
        need(len(reader.listed(lambda: reader.match(OBJECT_ID)[0])) == 1, "one MAILBOXID")
    else:
        need(name in STATUS_ITEMS, f"STATUS item {name!r}")
        reader.number(1 if name in (b"UIDNEXT", b"UIDVALIDITY") else 0, STATUS_ITEMS[name])
    return name


def flags_data(reader):
    reader.expect(b" ")
    flag_list(reader, FLAG)


def flag_list(reader, pattern):
    flags = [flag.lower() for flag in reader.listed(lambda: reader.match(pattern)[0])]
    need(len(set(flags)) == len(flags), f"a flag twice: {flags!r}")


def search_data(reader):
    """RFC 3501 section 7.2.5; "(MODSEQ n)" at its end: RFC 7162 section 3.1.5."""
    numbers = []
    while reader.takes(b" "):
        if reader.takes(b"(MODSEQ "):
            reader.number(1, MAX_63)
            reader.expect(b")")
            need(numbers and reader.is_at_end(), "MODSEQ stands behind at least one number, last")
            break
        numbers.append(reader.number(1))
    need(len(set(numbers)) == len(numbers), "a number twice")


def thread_data(reader):
    """RFC 5256 section 4: thread-list, read without recursion."""
    if reader.is_at_end():
        return
    reader.expect(b" ")
    depth, may_space, numbers = 0, False, []
    while not reader.is_at_end():
        if reader.takes(b"("):
            depth += 1
            may_space = False
        elif reader.takes(b")"):
            depth -= 1
            need(depth >= 0, "closing parenthesis")
            may_space = False
        elif may_space and reader.takes(b" "):
            may_space = False
        else:
            need(depth > 0, "a number outside of a thread")
            numbers.append(reader.number(1))
            may_space = True
    need(depth == 0 and len(set(numbers)) == len(numbers), "threads")


def esearch_data(reader):
    """RFC 9051 section 7.3.4, RFC 7162 section 3.1.10, RFC 9394, RFC 5267, RFC 7377 section 2.1."""
    is_of_many = reader.takes(b" (") and correlator(reader)
    is_uid = reader.takes(b" UID")
    need(is_uid or not is_of_many, "message numbers of a mailbox that is named")	# RFC 7377 section 2.1
    names = set()
    while reader.takes(b" "):
        name = reader.match(rb"[A-Z]+")[0]
        need(name not in names, f"{name!r} twice")
        names.add(name)
        reader.expect(b" ")
        if name in (b"MIN", b"MAX"):
            reader.number(1)
        elif name == b"COUNT":
            reader.number()
        elif name == b"ALL":
            reader.uid_set()
        elif name == b"MODSEQ":
            reader.number(1, MAX_63)
        elif name == b"PARTIAL":
            reader.expect(b"(")
            reader.match(rb"-?%s:-?%s" % (NZ, NZ))
            reader.expect(b" ")
            if not reader.takes(b"NIL"):
                reader.uid_set()
            reader.expect(b")")
        elif name in (b"ADDTO", b"REMOVEFROM"):
            reader.listed(lambda: (reader.number(), reader.expect(b" "), reader.uid_set()))
        else:
            raise Malformed(f"ESEARCH data {name!r}")
    return is_uid


def correlator(reader):
    fields = []
    while True:
        name = reader.match(rb"TAG|MAILBOX|UIDVALIDITY")[0]
        fields.append(name)
        reader.expect(b" ")
        if name == b"UIDVALIDITY":
            reader.number(1)
        elif name == b"MAILBOX":
            reader.mailbox()
        else:
            reader.string() if reader.peek() in b'"{' else reader.astring()
        if reader.takes(b")"):
            break
        reader.expect(b" ")
    need(fields.count(b"TAG") == 1 and len(set(fields)) == len(fields), f"correlator {fields!r}")
    need((b"MAILBOX" in fields) == (b"UIDVALIDITY" in fields), f"correlator {fields!r}")	# RFC 7377 section 2.1
    return b"MAILBOX" in fields


def uid_batches_data(reader):
    """RFC 10022: ranges of falling UIDs, which do not overlap."""
    reader.expect(b" (")
    correlator(reader)
    before = MAX_32 + 1
    if reader.takes(b" "):
        for piece in reader.match(rb"%s:%s(?:,%s:%s)*" % (NZ, NZ, NZ, NZ))[0].split(b","):
            high, low = map(int, piece.split(b":"))
            need(before > high >= low, f"batch {piece!r} behind {before}")
            before = low


def namespace_data(reader):
    """RFC 9051 section 6.3.10, Namespace-Response of RFC 2342 section 7."""
    for _ in range(3):
        reader.expect(b" ")
        if reader.takes(b"NIL"):
            continue
        reader.expect(b"(")
        count = 0
        while not reader.takes(b")"):
            reader.expect(b"(")
            reader.utf8(reader.string())
            reader.expect(b" ")
            reader.match(rb'NIL|"(?:[^"\\\x80-\xff]|\\["\\])"')
            while reader.takes(b" "):
                reader.string()
                reader.expect(b" ")
                reader.listed(reader.string)
            reader.expect(b")")
            count += 1
        need(count > 0, "an empty list of namespaces")


def id_data(reader):
    """RFC 2971 section 3.3: at most 30 pairs, names of at most 30 octets, values of 1,024."""
    reader.expect(b" ")
    if reader.takes(b"NIL"):
        return
    pairs = reader.listed(lambda: (reader.string(), reader.expect(b" "), reader.nstring()))
    need(len(pairs) <= 30, "too many pairs")
    for name, _, value in pairs:
        need(len(name) <= 30 and len(value or b"") <= 1024, f"ID {name!r}")


def enabled_data(reader):
    names = []
    while reader.takes(b" "):
        names.append(reader.match(ATOM)[0].upper())
    return names


def vanished_data(reader):
    """RFC 7162 section 3.2.10."""
    reader.takes(b" (EARLIER)")
    reader.expect(b" ")
    reader.uid_set()


def quota_data(reader):
    """RFC 9208 section 4.2.1."""
    reader.expect(b" ")
    reader.astring()
    reader.expect(b" ")
    reader.listed(lambda: (reader.match(ATOM), reader.expect(b" "), reader.number(0, MAX_63), reader.expect(b" "),
                           reader.number(0, MAX_63)))


def quotaroot_data(reader):
    reader.expect(b" ")
    reader.mailbox()
    while reader.takes(b" "):
        reader.astring()


def metadata_data(reader):
    """RFC 5464 section 5: entry-values / entry-list."""
    def value():
        need(re.fullmatch(ENTRY, reader.astring()), "an entry")
        reader.expect(b" ")
        reader.nstring()

    reader.expect(b" ")
    reader.mailbox()
    reader.expect(b" ")
    if reader.peek() == b"(":
        need(reader.listed(value), "no entry")
        return
    need(re.fullmatch(ENTRY, reader.astring()), "an entry")
    while reader.takes(b" "):
        need(re.fullmatch(ENTRY, reader.astring()), "an entry")


ENTRY = rb'(?i:/private|/shared)(?:/[^\x00-\x1f%*/\x7f-\xff]+)*'
def rights(reader):
    """RFC 4314 section 7; each letter once, and "c" and "d" with one of theirs (section 2.1.1)."""
    letters = reader.astring()
    need(re.fullmatch(rb"[a-z0-9]*", letters) and len(set(letters)) == len(letters), f"rights {letters!r}")
    need((b"c" in letters) == bool(set(letters) & set(b"kx")) and (b"d" in letters) == bool(set(letters) & set(b"et")),
         f"virtual rights {letters!r}")


def acl_data(reader):
    """RFC 4314 section 3.6."""
    reader.expect(b" ")
    reader.mailbox()
    while reader.takes(b" "):
        reader.astring()
        reader.expect(b" ")
        rights(reader)


def listrights_data(reader):
    """RFC 4314 section 3.7: no right twice."""
    reader.expect(b" ")
    reader.mailbox()
    reader.expect(b" ")
    reader.astring()
    reader.expect(b" ")
    letters = reader.astring()
    while reader.takes(b" "):
        letters += reader.astring()
    need(len(set(letters)) == len(letters), f"a right twice: {letters!r}")


def myrights_data(reader):
    reader.expect(b" ")
    reader.mailbox()
    reader.expect(b" ")
    rights(reader)


FETCH_NUMBERS = {b"UID": (1, MAX_32), b"RFC822.SIZE": (0, MAX_63)}


def fetch_item(reader):
    name = reader.match(rb"BINARY\.SIZE|BINARY(?=\[)|BODYSTRUCTURE|BODY|RFC822\.(?:SIZE|HEADER|TEXT)|[A-Z0-9.]+")[0]
    if name in (b"BODY", b"BINARY", b"BINARY.SIZE") and reader.peek() == b"[":
        name += section(reader, is_binary=name != b"BODY")
        if not name.startswith(b"BINARY.SIZE"):
            name += reader.match(rb"(?:<%s>)?" % NUMBER)[0]
    reader.expect(b" ")
    start = reader.at
    if name in FETCH_NUMBERS:
        reader.number(*FETCH_NUMBERS[name])
    elif name == b"FLAGS":
        flag_list(reader, FLAG)
    elif name == b"INTERNALDATE":
        reader.match(DATE_TIME)
    elif name == b"SAVEDATE":			# RFC 8514 section 4.2
        reader.match(rb"NIL|" + DATE_TIME)
    elif name == b"MODSEQ":			# RFC 7162 section 3.1.4
        need(len(reader.listed(lambda: reader.number(1, MAX_63))) == 1, "one MODSEQ")
    elif name in (b"EMAILID", b"THREADID"):	# RFC 8474 section 5
        if name == b"EMAILID" or not reader.takes(b"NIL"):
            need(len(reader.listed(lambda: reader.match(OBJECT_ID)[0])) == 1, f"one {name!r}")
    elif name == b"PREVIEW":			# RFC 8970 section 3.1: UTF-8, at most 256 characters
        value = reader.nstring()
        need(value is None or len(value.decode("utf-8")) <= 256, "PREVIEW is too long")
    elif name == b"ENVELOPE":
        grammar.envelope(reader.value())
    elif name in (b"BODY", b"BODYSTRUCTURE"):
        grammar.body(reader.value(), is_extensible=name == b"BODYSTRUCTURE", is_rev2=reader.is_rev2)
    elif name.startswith(b"BINARY.SIZE["):
        reader.number(0, MAX_63)
    elif name in (b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT") or name.startswith((b"BODY[", b"BINARY[")):
        need(reader.octets[start:start + 1] != b"~" or name.startswith(b"BINARY["), "literal8 outside of BINARY")
        reader.nstring()
    else:
        raise Malformed(f"FETCH item {name!r}")
    return name


def section(reader, is_binary):
    start = reader.at
    if is_binary:
        reader.match(rb"\[(?:[1-9]\d*(?:\.[1-9]\d*)*)?\]")
        return reader.octets[start:reader.at]
    if reader.match(SECTION)[0].endswith(b" "):
        need(reader.listed(reader.astring), "no field name")
    reader.expect(b"]")
    return reader.octets[start:reader.at]


def fetch_data(reader):
    reader.expect(b" ")
    names = reader.listed(lambda: fetch_item(reader))
    need(names and len(set(names)) == len(names), f"items {names!r}")
    return names


UNTAGGED = {
    b"LIST": list_data, b"LSUB": list_data, b"STATUS": status_data, b"FLAGS": flags_data, b"SEARCH": search_data,
    b"SORT": search_data, b"THREAD": thread_data, b"ESEARCH": esearch_data, b"NAMESPACE": namespace_data,
    b"ID": id_data, b"VANISHED": vanished_data, b"CAPABILITY": capabilities, b"QUOTA": quota_data,
    b"QUOTAROOT": quotaroot_data, b"UIDBATCHES": uid_batches_data, b"METADATA": metadata_data,
    b"QUOTAROOT": quotaroot_data, b"UIDBATCHES": uid_batches_data,
    b"ACL": acl_data, b"LISTRIGHTS": listrights_data, b"MYRIGHTS": myrights_data,
}
TAG = rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+'


class Checker:
    """What one connection has sent so far, and whether that was right."""

    def __init__(self):
        self.enabled = set()

    def check(self, line):
        """One response with its literals, without its CRLF."""
        try:
            self._check(line)
        except Malformed as error:
            raise Malformed(f"{error}\nin the reply {line[:2000]!r}") from None

    def _check(self, line):
        reader = Reader(line, self.enabled & {b"IMAP4REV2", b"UTF8=ACCEPT"}, b"IMAP4REV2" in self.enabled)
        if reader.takes(b"+ "):
            reader.text()
        elif reader.takes(b"* "):
            self.untagged(reader)
        else:
            reader.match(TAG)
            reader.expect(b" ")
            is_ok = reader.match(rb"OK|NO|BAD")[0] == b"OK"
            reader.expect(b" ")
            if is_ok and line[reader.at:].startswith(b"[CAPABILITY "):
                self.restart()
            response_text(reader)
        need(reader.is_at_end(), f"octets behind the end at {reader.at}")

    def untagged(self, reader):
        if reader.peek().isdigit():
            number = reader.number(0)
            reader.expect(b" ")
            kind = reader.match(rb"EXISTS|RECENT|EXPUNGE|FETCH|UIDFETCH")[0]
            need(number > 0 or kind in (b"EXISTS", b"RECENT"), "message number 0")
            need(kind != b"RECENT" or b"IMAP4REV2" not in self.enabled, "RECENT in IMAP4rev2")
            need(kind != b"EXPUNGE" or not self.enabled & {b"QRESYNC", b"UIDONLY"}, "EXPUNGE in place of VANISHED")
            need(kind not in (b"FETCH", b"UIDFETCH") or (kind == b"UIDFETCH") == (b"UIDONLY" in self.enabled),
                 "UIDFETCH goes with UIDONLY")
            if kind in (b"FETCH", b"UIDFETCH"):
                fetch_data(reader)
            return
        kind = reader.match(rb"[A-Z]+")[0]
        if kind in (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"):
            reader.expect(b" ")
            response_text(reader)
            return
        if kind == b"ENABLED":
            self.enabled |= set(enabled_data(reader))
            return
        need(kind in UNTAGGED, f"untagged {kind!r}")
        need(kind != b"VANISHED" or self.enabled & {b"QRESYNC", b"UIDONLY"}, "VANISHED without QRESYNC")
        need(kind != b"SEARCH" or b"IMAP4REV2" not in self.enabled, "SEARCH in IMAP4rev2")
        UNTAGGED[kind](reader)

    def restart(self):
        """A login, or UNAUTHENTICATE (RFC 8437 section 3): nothing is enabled any more."""
        self.enabled.clear()
