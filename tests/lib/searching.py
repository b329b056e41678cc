"""SEARCH as RFC 9051 section 6.4.4 tells it, and random questions for it: a model to compare the server with.

A mailbox is a list of Stored, in order; what a key finds is an int with a bit for each of them.  What the server alone
knows (modseq, save date, ENVELOPE) is what FETCH says of the message; texts are read by tests/lib/reading.py.
"""
import datetime
import functools
import re
import time
import unicodedata

import ordering
import reading

FLAGS = [b"\\Answered", b"\\Deleted", b"\\Draft", b"\\Flagged", b"\\Seen"]
KEYWORDS = [b"$Work", b"later", b"Junk", b"NonJunk"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DATE = re.compile(
    r"(?:[A-Za-z]{3} ?, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{2,4}) "
    r"(\d\d) ?: ?(\d\d)(?: ?: ?(\d\d))?(?: ([-+]\d{4}|[A-Z]*)(?: .*)?)?")
ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
CHARSETS = ["US-ASCII", "utf-8", "ISO-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "ISO-8859-15", "windows-1251",
            "windows-1252", "KOI8-R", "Shift_JIS", "EUC-JP", "ISO-2022-JP", "HZ-GB-2312", "gb18030", "gb2312", "Big5",
            "EUC-KR", "UTF-7"]
PIECE = 64 * 1024		# octets that a server reads in one go
HOUR_S, DAY_S = 3600, 86400


def sent(value):
    """A Date field's day as written, and its time in seconds since 1970: RFC 5322 sections 3.3 and 4.3.  None: it is none."""
    found = DATE.fullmatch(re.sub(r"\s+", " ", reading.without_comments(value)).strip())
    if not found or found[2].title() not in MONTHS:
        return None
    year = int(found[3]) + {2: 2000 if int(found[3]) < 50 else 1900, 3: 1900, 4: 0}[len(found[3])]
    try:
        day = datetime.date(year, MONTHS.index(found[2].title()) + 1, int(found[1]))
    except ValueError:
        return None
    hours, minutes, seconds = (int(number or 0) for number in found.group(4, 5, 6))
    zone, east = found[7] or "", 0
    if zone[:1] in ("+", "-"):
        east = int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:]))
    elif zone:
        east = ZONES.get(zone, 0) * 60			# RFC 5322 section 4.3: others are as -0000
    if hours > 23 or minutes > 59 or seconds > 60:	# RFC 5256 section 2.2
        hours = minutes = seconds = east = 0
    return day, (day - datetime.date(1970, 1, 1)).days * DAY_S + hours * 3600 + (minutes - east) * 60 + seconds


def identifiers(values):
    """Those of the first field in a plain form: RFC 5256 section 3, RFC 5322 section 3.6.4."""
    text = re.sub(r'[\s]*([.@<>])[\s]*', r"\1", reading.without_comments(values[0])) if values else ""
    return re.findall(r"<([^<>@\s]+@[^<>@\s]+)>", text.replace('"', ""))


def day_of(text):
    """The day of "17-Jul-1996 02:44:25 -0700", as written."""
    day, month, year = text.decode().split()[0].split("-")
    return datetime.date(int(year), MONTHS.index(month) + 1, int(day))


def seconds_of(text):
    return datetime.datetime.strptime(text.decode().strip(), "%d-%b-%Y %H:%M:%S %z").timestamp()


def people_text(addresses):
    """Addresses of ENVELOPE as "name <mailbox@host>, group: <mailbox@host>;"."""
    text = ""
    for address in addresses:
        name, route, mailbox, host = (reading.header_text(piece or b"") for piece in address)
        if address[2] is None:				# the end of a group
            text += ";"
            continue
        text += " " if text.endswith(":") else ", " if text else ""
        if address[3] is None:
            text += mailbox + ":"
        else:
            text += (name and name + " ") + f"<{route and route + ':'}{mailbox}{host and '@' + host}>"
    return text


class Content:
    """What never changes of a message: its texts, and those of them that keys are cut from, as they are written."""

    def __init__(self, octets):
        message = reading.Message(octets)
        self.octets = octets
        self.body, self.text, self.fields = message.body, message.text, message.fields
        header = list(reading.fields_of(message.parts[0].header))
        dates = [value.decode("latin-1") for name, value in header if name.lower() == "date"]
        self.sent, self.sent_s = (sent(dates[0]) if dates else None) or (None, None)
        self.values = {}
        for name, value in header:
            self.values.setdefault(name.lower(), []).append(reading.field_text(name, value))
        self.bodies = [part.text() for part in message.parts if part.has_text()]
        self.inside = [reading.field_text(name, value) for part in message.parts[1:] for name, value in reading.fields_of(part.header)]
        self.people = None				# by field name, from ENVELOPE

    def take(self, envelope):
        """The fields of ENVELOPE as SEARCH looks at them, which imapd(8) tells."""
        lists = dict(zip(("from", "to", "cc", "bcc"), (envelope[2], *envelope[5:8])))
        there = {name for name, _ in self.fields}
        self.people = {name: reading.fold(people_text(people or ())) for name, people in lists.items() if name in there}
        assert all(name in there or not people for name, people in lists.items())
        self.first = {name: people[0] if people else None for name, people in lists.items()}

    def name(self, field):
        """RFC 5957 section 3."""
        name, _, mailbox, host = self.first[field] or (None, None, b"", b"")
        plain = mailbox + (b"@" + host if host else b"")
        return reading.header_text(name or b"") or plain.decode("utf-8", "octets")

    @functools.cached_property
    def links(self):
        """The message's own identifier or None, and those it refers to: RFC 5256 section 3."""
        own, references, answered = (identifiers(self.values.get(name)) for name in ("message-id", "references", "in-reply-to"))
        return next(iter(own), None), references or answered[:1]


class Stored:
    """A message in a mailbox, as FETCH tells it."""

    def __init__(self, content, items):
        self.content = content
        self.uid, self.size, self.modseq = items[b"UID"], items[b"RFC822.SIZE"], items[b"MODSEQ"][0]
        self.flags = {flag.lower() for flag in items[b"FLAGS"]}
        self.arrived_s, self.arrived = seconds_of(items[b"INTERNALDATE"]), day_of(items[b"INTERNALDATE"])
        self.saved, self.email_id = day_of(items[b"SAVEDATE"]), items[b"EMAILID"][0]


def order(one, number):
    """A Stored as SORT and THREAD see it."""
    content = one.content
    mailboxes = [(content.first[name] or (None, None, b""))[2].decode("utf-8", "octets") for name in ("from", "to", "cc")]
    return ordering.Message(
        number, arrival=one.arrived_s, size=one.size, sent=content.sent_s, subject=(content.values.get("subject") or [""])[0],
        mailboxes=mailboxes, names=[content.name("from"), content.name("to")],
        message_id=content.links[0], references=content.links[1])


def string(choice, octets):
    """Octets as an atom, quoted or as a literal."""
    if re.fullmatch(rb"[A-Za-z0-9.@_-]+", octets) and octets.upper() != b"NIL" and choice.random() < 0.5:
        return octets
    if re.fullmatch(rb"[ -~]*", octets) and choice.random() < 0.7:
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", octets) + b'"'
    return b"{%d+}\r\n%s" % (len(octets), octets)


def date_words(choice, day):
    text = f"{day.day}-{MONTHS[day.month - 1]}-{day.year:04}"
    return choice.choice([text, f'"{text}"', text.upper(), text if day.day > 9 else f"0{text}"]).encode()


class Questions:
    """Random search programs over a mailbox.  Each key is (octets of the command, bits of what it finds)."""

    def __init__(self, choice, stored, saved=(), is_rev2=False, asked=None, has_sets=True):
        self.choice, self.stored, self.saved, self.is_rev2 = choice, stored, set(saved), is_rev2
        self.has_sets = has_sets
        self.asked = {} if asked is None else asked	# keys by kind: a server may remember what it found for them
        self.all = (1 << len(stored)) - 1
        self.charset, self.asks_modseq, self.leaves = None, False, []

    def bits(self, test):
        return sum(1 << place for place, one in enumerate(self.stored) if test(one))

    # Texts.

    def some_text(self, kind):
        """A text of some message that a key of this kind looks through, as written."""
        content = self.choice.choice(self.stored).content
        if kind in ("BODY", "TEXT") and self.choice.random() < 0.1:
            texts = [max((text for one in self.stored for text in one.content.bodies), key=len, default="")]
        elif kind == "BODY":
            texts = content.bodies
        elif kind == "TEXT":
            texts = content.bodies + content.inside + [text for values in content.values.values() for text in values]
        elif kind.lower() in content.people and self.choice.random() < 0.5:
            texts = [content.people[kind.lower()]]
        else:
            texts = content.values.get(kind.lower(), [])
        return self.choice.choice(texts) if texts else self.choice.choice(["", "no such text", "ann@example.org"])

    def change(self, key):
        """The same key for SEARCH, or a near miss."""
        change = self.choice.randrange(12)
        if change < 4:
            return key
        if change == 4:
            return key.swapcase()
        if change == 5:
            return key.upper()
        if change == 6:
            return key.title()
        if change == 7:
            return unicodedata.normalize("NFC", key)
        if change == 8:
            return unicodedata.normalize("NFD", key)
        if change == 9:
            return reading.fold(key)
        if change == 10 and key:
            place = self.choice.randrange(len(key))
            return key[:place] + self.choice.choice("xé -") + key[place + 1:]
        return key.lower()

    def key(self, kind):
        text = self.some_text(kind)
        length = self.choice.choice([0, 1, 2, 3, 3, 4, 5, 6, 8, 12, 20, 40, 300] if self.choice.random() < 0.9 else [1, 3])
        start = self.choice.randrange(max(1, len(text) - length + 1))
        if len(text) > PIECE:		# anywhere, or where pieces meet of what is plain, or in base64
            length = self.choice.choice([12, 40, 100, 200])
            start = self.choice.choice([start, start, PIECE, PIECE * 57 // 78, PIECE * 3 // 4]) - self.choice.randrange(60)
        return self.change(text[max(0, start):][:length])

    def text_key(self, kind):
        """A key and its octets in the charset of the command.  Some have been asked before, also in another case."""
        asked = self.asked.setdefault(kind, [])
        for _ in range(20):
            is_again = asked and self.choice.random() < 0.4
            key = self.choice.choice([str, str.upper, str.lower])(self.choice.choice(asked)) if is_again else self.key(kind)
            octets = self.encode(key)
            if octets is not None:
                asked.append(key)
                del asked[:-20]
                return key, octets
        return "a", self.encode("a")

    def encode(self, key):
        if "\0" in key or reading.Message.APART in key or any(unicodedata.category(char) == "Cn" for char in key):
            return None
        if self.charset is None:
            return key.encode()
        codec = reading.codec_of(self.charset) or "ascii"
        try:
            octets = key.encode("cp1252" if codec == "latin" else codec)
        except UnicodeError:
            return None
        return octets if reading.decode(octets, self.charset) == key and b"\0" not in octets else None

    def leaf_text(self):
        kind = self.choice.choice(["BODY", "TEXT"])
        key, octets = self.text_key(kind)
        folded = reading.fold(key)
        found = self.bits(lambda one: folded in (one.content.body if kind == "BODY" else one.content.text))
        return kind.encode() + b" " + string(self.choice, octets), found

    def leaf_header(self):
        names = [name for name, _ in self.choice.choice(self.stored).content.fields if name] + ["x-none"]
        name = self.choice.choice(names)
        key, octets = self.text_key(name)
        folded = reading.fold(key)
        shown = self.choice.choice([name, name.upper(), name.title()]).encode()
        return (b"HEADER " + string(self.choice, shown) + b" " + string(self.choice, octets),
                self.bits(lambda one: any(own == name and folded in text for own, text in one.content.fields)))

    def leaf_subject(self):
        """The first such field."""
        key, octets = self.text_key("SUBJECT")
        folded = reading.fold(key)
        return (b"SUBJECT " + string(self.choice, octets), self.bits(
            lambda one: folded in next((text for own, text in one.content.fields if own == "subject"), "") and
            "subject" in one.content.values))

    def leaf_people(self):
        kind = self.choice.choice(["FROM", "TO", "CC", "BCC"])
        key, octets = self.text_key(kind)
        folded = reading.fold(key)
        return kind.encode() + b" " + string(self.choice, octets), self.bits(
            lambda one: kind.lower() in one.content.people and folded in one.content.people[kind.lower()])

    # Flags, numbers, dates.

    def leaf_flag(self):
        flag = self.choice.choice(FLAGS).lower()
        is_set = self.choice.random() < 0.5
        return (b"" if is_set else b"UN") + flag[1:].upper(), self.bits(lambda one: (flag in one.flags) == is_set)

    def leaf_keyword(self):
        flag = self.choice.choice([*KEYWORDS, b"none"])
        is_set = self.choice.random() < 0.6
        word = self.choice.choice([flag, flag.upper(), flag.lower()])
        return (b"KEYWORD " if is_set else b"UNKEYWORD ") + word, self.bits(lambda one: (flag.lower() in one.flags) == is_set)

    def leaf_recent(self):
        """RFC 3501 section 6.4.4."""
        recent, unseen = (lambda one: b"\\recent" in one.flags), (lambda one: b"\\seen" not in one.flags)
        return self.choice.choice([
            (b"RECENT", self.bits(recent)), (b"OLD", self.bits(lambda one: not recent(one))),
            (b"NEW", self.bits(lambda one: recent(one) and unseen(one)))])

    def leaf_size(self):
        limit = max(0, self.choice.choice(self.stored).size + self.choice.choice([-1, 0, 1, 100]))
        return self.choice.choice([(b"LARGER %d" % limit, self.bits(lambda one: one.size > limit)),
                                   (b"SMALLER %d" % limit, self.bits(lambda one: one.size < limit))])

    def leaf_day(self):
        prefix, get = self.choice.choice([
            (b"", lambda one: one.arrived), (b"SENT", lambda one: one.content.sent), (b"SENT", lambda one: one.content.sent),
            (b"SAVED", lambda one: one.saved)])
        some = get(self.choice.choice(self.stored)) or datetime.date(2020, 2, 29)
        day = some + datetime.timedelta(days=self.choice.choice([-1, 0, 0, 0, 1]))
        before = self.bits(lambda one: get(one) is not None and get(one) < day)
        on = self.bits(lambda one: get(one) == day)
        since = self.bits(lambda one: get(one) is not None and get(one) >= day)
        word, found = self.choice.choice([(b"BEFORE", before), (b"ON", on), (b"SINCE", since)])
        return prefix + word + b" " + date_words(self.choice, day), found

    def leaf_within(self):
        """RFC 5032: an hour or more from the edge, since clocks go on."""
        now = time.time()
        limit = self.choice.choice(self.stored).arrived_s + self.choice.choice([-2, 2]) * HOUR_S
        interval = int(now - limit)
        if interval < 1 or any(abs(one.arrived_s - limit) < HOUR_S for one in self.stored):
            return self.leaf_day()
        return self.choice.choice([(b"OLDER %d" % interval, self.bits(lambda one: one.arrived_s <= limit)),
                                   (b"YOUNGER %d" % interval, self.bits(lambda one: one.arrived_s >= limit))])

    def numbers(self, of):
        """A set in words, and a test for it.  `of`: all numbers that there are, rising."""
        last, pieces, ranges = of[-1], [], []
        for _ in range(self.choice.choice([1, 1, 2, 4])):
            ends = [self.choice.choice([self.choice.choice(of), self.choice.choice(of), 1, None]) for _ in range(
                self.choice.choice([1, 2]))]
            pieces.append(b":".join(b"*" if end is None else b"%d" % end for end in ends))
            ranges.append(sorted(last if end is None else end for end in ends))
        return b",".join(pieces), lambda number: any(low <= number <= high for low, high in (
            (piece[0], piece[-1]) for piece in ranges))

    def leaf_set(self):
        kind = self.choice.randrange(5)
        uids = [one.uid for one in self.stored]
        if kind == 0:
            is_in = lambda one: one.uid in self.saved		# noqa: E731
            return self.choice.choice([b"$", b"UID $"]), self.bits(is_in)
        if kind == 1:
            uid = self.choice.choice(uids)
            return self.choice.choice([(b"UIDAFTER %d" % uid, self.bits(lambda one: one.uid > uid)),
                                       (b"UIDBEFORE %d" % uid, self.bits(lambda one: one.uid < uid))])
        if kind == 2:
            words, is_in = self.numbers(uids)
            return b"UID " + words, self.bits(lambda one: is_in(one.uid))
        words, is_in = self.numbers(list(range(1, len(uids) + 1)))
        return words, sum(1 << place for place in range(len(uids)) if is_in(place + 1))

    def leaf_modseq(self):
        self.asks_modseq = True
        least = max(0, self.choice.choice(self.stored).modseq + self.choice.choice([-1, 0, 0, 1]))
        entry = self.choice.choice([b"", b"", b'"/flags/\\\\seen" all ', b'"/flags/$Work" shared '])
        return b"MODSEQ %s%d" % (entry, least), self.bits(lambda one: one.modseq >= least)

    def leaf_id(self):
        one = self.choice.choice(self.stored)
        word = self.choice.choice([one.email_id, b"none"])
        return self.choice.choice([(b"EMAILID " + word, self.bits(lambda other: other.email_id == word)),
                                   (b"SAVEDATESUPPORTED", self.all), (b"ALL", self.all)])

    def leaf(self):
        leaves = [(self.leaf_text, 34), (self.leaf_header, 12), (self.leaf_subject, 9), (self.leaf_people, 12),
                  (self.leaf_flag, 6), (self.leaf_keyword, 4), (self.leaf_size, 4), (self.leaf_day, 9), (self.leaf_within, 2),
                  (self.leaf_set, 5 * self.has_sets), (self.leaf_modseq, self.has_sets), (self.leaf_id, 2),
                  (self.leaf_recent, 0 if self.is_rev2 else 2)]
        self.leaves.append(self.choice.choices([make for make, _ in leaves], [weight for _, weight in leaves])[0]())
        return self.leaves[-1]

    # Programs.

    def tree(self, depth):
        kind = self.choice.random() if depth > 0 else 1
        if kind < 0.2:
            words, found = self.tree(depth - 1)
            return b"NOT " + words, self.all & ~found
        if kind < 0.4:
            (one, found), (other, also) = self.tree(depth - 1), self.tree(depth - 1)
            return b"OR " + one + b" " + other, found | also
        if kind < 0.55:
            words, found = self.list(depth - 1)
            return b"(" + words + b")", found
        return self.leaf()

    def list(self, depth):
        keys = [self.tree(depth) for _ in range(self.choice.choice([1, 2, 2, 3]))]
        found = self.all
        for _, bits in keys:
            found &= bits
        return b" ".join(words for words, _ in keys), found

    def program(self):
        """(octets, bits, "CHARSET ..." or nothing).  `leaves` has its keys without AND, OR and NOT."""
        self.charset = self.choice.choice(CHARSETS) if self.choice.random() < 0.3 else None
        self.asks_modseq, self.leaves = False, []
        words, found = self.list(self.choice.choice([0, 0, 1, 2, 3]))
        return words, found, b"CHARSET " + self.charset.encode() + b" " if self.charset else b""
