"""An account such as people have after twenty years, always the same: 40 mailboxes with odd names, every flag, 40 keywords,
dates with zones, mail that is deleted, recent, there twice; and what may change in it while it is being moved.

What a server does not take (a name, a message with NUL, a date before 1970) it refuses with NO, and `Built` counts it.
"""
import collections
import datetime
import functools
import random
import re

import comparing

lib = comparing.lib

MAILBOXES = [
    ("INBOX",), ("Archive",), ("Archive", "2019"), ("Archive", "2020"), ("Archive", "2020", "Q1 & Q2"),
    tuple(f"level {number}" for number in range(1, 9)),
    ("Entwürfe",), ("Ärger & Co",), ("R&D",), ("&",), ("a&-b",), ("日本語", "台北"), ("smile 😀",), ("Отправленные",),
    ('quote"d',), ("back\\slash",), ("per%cent",), ("st*r",), (" leading",), ("trailing ",), ("two  spaces",), ("dots.in.it",),
    ("slash/in it",), ("~tilde",), ("[Gmail]", "Starred"), ("(paren)",), ("{9}",), ("#hash",), ("NIL",), ("x'y",), ("-dash",),
    ("work",), ("Work",), ("WORK",), ("INBOX", "x"), ("Inbox old",), ("e\u0301te\u0301",), ("\xe9t\xe9",),
    ("Sent Messages",), ("Drafts",), ("k" * 60, "n" * 60),
]
USES = {("Sent Messages",): b"\\Sent", ("Drafts",): b"\\Drafts", ("Archive",): b"\\Archive"}
KEYWORDS = [b"$Forwarded", b"$MDNSent", b"$Junk", b"$NotJunk", b"NonJunk", b"$Label1", b"$Label2", b"a.b", b"x-y_z", b"it's",
            b"+1", b"100", b"$Phishing", b"MixedCase", b"no}", b"q:r", b"a/b", b"tilde~"] + [
                b"key%02d" % number for number in range(22)]
SYSTEM = [rb"\Seen", rb"\Answered", rb"\Flagged", rb"\Deleted", rb"\Draft"]
ZONES = ["+0000", "+0100", "-0800", "+0545", "-0330", "+1400", "-1200", "+0930"]

Built = collections.namedtuple("Built", "messages mailboxes refused_names refused_messages")


@functools.cache
def corpus():
    """Messages with CRLF, the shared ones where they are; without NUL and bare CR or LF, which no server takes."""
    files = sorted(lib.CORPUS.rglob("*.eml"))
    found = [re.sub(rb"\r?\n|\r", b"\r\n", path.read_bytes()) for path in files]
    return [one for one in found if one and b"\0" not in one and re.match(rb"[!-9;-~]+:", one)] or [
        lib.message(number, b"Line of the text.\r\n" * (1 + number * 37 % 400)) for number in range(500)]


def letter(letters, number):
    """The number-th: octets, flags, date.  Each 50th is there twice, and what comes again is marked."""
    chance = random.Random(number)
    octets = letters[number % len(letters)]
    if number >= len(letters):
        octets = b"X-Copy: %d\r\n" % (number // len(letters)) + octets
    flags = [flag for flag in SYSTEM if chance.random() < (0.6 if flag == rb"\Seen" else 0.1)]
    flags += [keyword for keyword in KEYWORDS if chance.random() < 0.03]
    date = datetime.datetime(1995, 1, 1) + datetime.timedelta(seconds=chance.randrange(0, 31 * 365 * 86400))
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    text = f"{date.day:2d}-{months[date.month - 1]}-{date.year} {date:%H:%M:%S} {chance.choice(ZONES)}"
    return octets, b" ".join(flags), text.encode()


def shares(messages):
    """How many each mailbox gets: three in ten for INBOX, some have none."""
    each = messages * 7 // 10 // (len(MAILBOXES) - 5)
    found = {path: each for path in MAILBOXES}
    for path in (("&",), ("Archive", "2020", "Q1 & Q2"), ("NIL",)):
        found[path] = 0
    found["INBOX",] = messages - sum(count for path, count in found.items() if path != ("INBOX",))
    return found


def append(session, path, letters):
    """Many at once where the server can; how many it refused."""
    if not session.has_literal_plus:
        return sum(not append_one(session, path, *one) for one in letters)
    refused = 0
    for first in range(0, len(letters), 100):
        tags = []
        for octets, flags, date in letters[first:first + 100]:
            tags.append(session.client.tag())
            name = session.name(path)
            session.client.send(tags[-1] + b' APPEND {%d+}\r\n%s (%s) "%s" {%d+}\r\n' % (
                len(name), name, flags, date, len(octets)) + octets + b"\r\n")
        refused += sum(not session.client.reply(tag).is_ok for tag in tags)
    return refused


def append_one(session, path, octets, flags, date):
    """Without its keywords if the server, as Courier does, does not like one of them."""
    for words in (flags, b" ".join(flag for flag in flags.split() if flag in SYSTEM)):
        try:
            if session.command(b'APPEND {} (' + words + b') "' + date + b'" {}', session.name(path), octets).is_ok:
                return True
        except comparing.Refused:
            pass
    return False


def create(session, path):
    """With its use, if the server lets one say it."""
    use = USES.get(path)
    if use and b"CREATE-SPECIAL-USE" in session.capabilities:
        if session.command(b"CREATE {} (USE (" + use + b"))", session.name(path)).is_ok:
            return True
    return session.command(b"CREATE {}", session.name(path)).is_ok


def can_name(session, path):
    """Whether the path means there what it means here."""
    return path == ("INBOX",) or session.path(session.name(path), session.separator) == path


def build(session, messages=200):
    """Fill the account; afterwards the last messages of each mailbox are recent, and UIDs have gaps."""
    letters = corpus()
    number, refused_names, refused, made = 0, [], 0, []
    there = {path for path, _ in comparing.names(session, b'LIST "" "*"')}
    for path, count in shares(messages).items():
        if not can_name(session, path) or not (path in there or create(session, path)):
            refused_names.append(path)
            path = ("INBOX",)
        else:
            made.append(path)
        mine = [letter(letters, number + index) for index in range(count)]
        mine[1::50] = mine[0::50][:len(mine[1::50])]		# the same octets, flags and date
        number += count
        early = len(mine) * 9 // 10
        refused += append(session, path, mine[:early])
        make_gaps(session, path)
        refused += append(session, path, mine[early:])
    keyword_of_each(session, letters)
    for index, path in enumerate(made):
        session.command((b"UNSUBSCRIBE {}", b"SUBSCRIBE {}")[index % 2], session.name(path))
    session.command(b"SUBSCRIBE {}", session.name(("long gone",)))
    return Built(number + len(KEYWORDS) - refused, len(made), refused_names, refused)


def make_gaps(session, path):
    """A message comes and goes, which leaves its UID behind."""
    if not append_one(session, path, *letter([lib.message(1)], 0)) or b"UIDPLUS" not in session.capabilities:
        return
    count = re.search(rb"\* (\d+) EXISTS", b"\r\n".join(session.ok(b"SELECT {}", session.name(path)).untagged))[1]
    uid = re.search(rb"UID (\d+)", session.ok(b"FETCH %s (UID)" % count).untagged[-1])[1]
    session.ok(rb"UID STORE %s +FLAGS (\Deleted)" % uid)
    session.ok(b"UID EXPUNGE " + uid)
    leave(session, path)


def leave(session, path):
    """Without an expunge, which CLOSE of a mailbox that was selected to be written would mean."""
    session.ok(b"EXAMINE {}", session.name(path))
    session.ok(b"CLOSE")


def keyword_of_each(session, letters):
    """40 messages of one mailbox, each with another keyword."""
    mine = [letter(letters, number) for number in range(len(KEYWORDS))]
    append(session, ("Archive",), [(octets, rb"\Seen " + keyword, date)
                                   for (octets, _, date), keyword in zip(mine, KEYWORDS)])


def change(session, seed=1):
    """What happens on a source while its mail is being moved: new mail, other flags, some expunged, a mailbox renamed."""
    chance, letters = random.Random(seed), corpus()
    for path in [path for path, mailbox in comparing.account(session).items() if mailbox.messages][::3]:
        count = int(re.search(rb"\* (\d+) EXISTS",
                              b"\r\n".join(session.ok(b"SELECT {}", session.name(path)).untagged))[1])
        numbers = [chance.randint(1, count) for _ in range(3)]
        session.command(rb"STORE %d +FLAGS (\Answered later)" % numbers[0])
        session.command(rb"STORE %d -FLAGS (\Seen)" % numbers[1])
        uid = re.search(rb"UID (\d+)", session.ok(b"FETCH %d (UID)" % numbers[2]).untagged[-1])[1]
        session.ok(rb"UID STORE %s +FLAGS (\Deleted)" % uid)
        session.ok(b"UID EXPUNGE " + uid if b"UIDPLUS" in session.capabilities else b"NOOP")
        leave(session, path)
        append(session, path, [letter(letters, 100000 + seed * 1000 + number) for number in numbers])


def rename(session, before=("Archive", "2019"), after=("Archive", "year 2019")):
    session.ok(b"RENAME {} {}", session.name(before), session.name(after))
