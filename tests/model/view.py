"""A mailbox as one client has been told of it: rows of [uid, flags, modseq], None where it was not told.

Every untagged reply is held against the rules: numbers within bounds, UIDs rising and never another message's,
EXPUNGE and VANISHED where they may stand (RFC 9051 section 7.5.1, RFC 7162 sections 3.2.10 and 6, RFC 9586).
"""
import re

import responses
from uids import expand

DATA = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH|UIDFETCH)(?: (.*))?\Z", re.S)
VANISHED = re.compile(rb"\* VANISHED( \(EARLIER\))? ([\d:,]+)\Z")
CODE = re.compile(rb"(?:\* OK|\S+ (?:OK|NO)) \[(HIGHESTMODSEQ|UIDVALIDITY|UIDNEXT) (\d+)\]")


def items_of(line):
    """UID, flags without \\Recent, and modseq of a FETCH or UIDFETCH reply, as far as they stand there."""
    reader = responses.Reader(line, True)
    number = int(reader.match(rb"\* (\d+) (?:UID)?FETCH ")[1])
    items = {}

    def item():
        start = reader.at
        name = responses.fetch_item(reader)
        items[name] = line[start + len(name) + 1:reader.at]
    reader.listed(item)
    flags = items.get(b"FLAGS")
    return (number, int(items[b"UID"]) if b"UID" in items else None,
            None if flags is None else set(flags[1:-1].split()) - {b"\\Recent"},
            int(items[b"MODSEQ"][1:-1]) if b"MODSEQ" in items else None)


class View:
    def __init__(self, name, is_uid_only=False):
        self.name, self.is_uid_only = name, is_uid_only
        self.rows = []			# without UIDONLY
        self.by_uid = {}		# with UIDONLY: no client knows numbers
        self.count = 0
        self.uidvalidity = self.uidnext = None
        self.highest = None		# what a client may resynchronize from
        self.seen_modseq, self.told_highest = 0, None	# in the command under way
        self.fetched = set()		# UIDs that came in a FETCH of the command under way
        self.told_flags = set()		# those of them that came with their flags
        self.vanished = set()
        self.resync_count = None	# EXISTS of a SELECT that goes on from a cache

    def uids(self):
        return sorted(self.by_uid) if self.is_uid_only else [row[0] for row in self.rows]

    def table(self):
        """(uid, flags, modseq) of each message."""
        return [(uid, *self.by_uid[uid]) for uid in sorted(self.by_uid)] if self.is_uid_only else [
            tuple(row) for row in self.rows]

    def resume(self, uidvalidity, rows, highest):
        """Go on from what another connection was told; the next command is SELECT (QRESYNC ...)."""
        self.rows = [list(row) for row in rows]
        self.resumed_uidvalidity, self.highest, self.resync_count = uidvalidity, highest, 0

    def begin(self):
        self.seen_modseq, self.told_highest = 0, None
        self.fetched, self.told_flags, self.vanished = set(), set(), set()

    def end(self):
        """At the tagged reply: RFC 7162 section 5, what a client may take for its HIGHESTMODSEQ."""
        self._fill()
        if self.told_highest is not None:
            self.highest = self.told_highest
        elif self.highest is not None and self.seen_modseq > self.highest:
            self.highest = self.seen_modseq

    def take(self, line, may_expunge):
        code = CODE.match(line)
        if code:
            self._take_code(code[1], int(code[2]))
        vanished = VANISHED.match(line)
        if vanished:
            self._vanish(expand(vanished[2]), bool(vanished[1]), may_expunge, line)
        data = DATA.match(line)
        if not data:
            return
        if data[2] == b"EXISTS":
            self._exist(int(data[1]))
        elif data[2] == b"EXPUNGE":
            assert may_expunge, f"{line!r} where numbers must stay"
            assert 1 <= int(data[1]) <= len(self.rows), line
            self.vanished.add(self.rows.pop(int(data[1]) - 1)[0])
            self.count -= 1
        else:
            self._fetch(line)

    def _take_code(self, name, value):
        if name == b"HIGHESTMODSEQ":
            self.told_highest = value
        elif name == b"UIDVALIDITY":
            self.uidvalidity = value
        else:
            self.uidnext = value

    def _fill(self):
        """All that the cache had and VANISHED has not taken is still there: the rest is new."""
        if self.resync_count is None:
            return
        if self.uidvalidity != self.resumed_uidvalidity:
            self.rows = []		# of a mailbox that is gone
        self.count, count, self.resync_count = len(self.rows), self.resync_count, None
        self._exist(count)

    def _exist(self, count):
        if self.resync_count is not None:
            self.resync_count = count
            return
        assert count >= self.count, f"{self.count} messages became {count} without EXPUNGE"
        if not self.is_uid_only:
            self.rows += [[None, None, None] for _ in range(count - self.count)]
        self.count = count

    def _vanish(self, uids, is_earlier, may_expunge, line):
        """Section 3.2.10: (EARLIER) changes no message numbers, and is for what a cache may still hold."""
        self.vanished |= uids
        if is_earlier and self.resync_count is None:
            assert not uids & {row[0] for row in self.rows}, f"{line!r} of messages that are announced"
            return
        assert is_earlier or may_expunge, f"{line!r} where numbers must stay"
        if self.is_uid_only:
            self.by_uid = {uid: row for uid, row in self.by_uid.items() if uid not in uids}
            self.count -= len(uids)
            return
        for uid in sorted(uids - {row[0] for row in self.rows}, reverse=True) if not is_earlier else ():
            self._guess(uid, line)
        self.rows = [row for row in self.rows if row[0] not in uids]
        self.count = len(self.rows)

    def _guess(self, uid, line):
        """A UID that the client did not ask for: it must be of a message that it knows by its number alone."""
        after = next((at for at, row in enumerate(self.rows) if row[0] is not None and row[0] > uid), len(self.rows))
        assert after > 0 and self.rows[after - 1][0] is None, f"{line!r} of messages that were not there"
        self.rows[after - 1][0] = uid

    def assume(self, uids, sign, flags):
        """What a client takes to be so after STORE .SILENT (RFC 9051 section 6.4.6)."""
        for uid, known, *_ in self.table():
            if uid in uids and known is not None:
                row = self.by_uid[uid] if self.is_uid_only else next(row for row in self.rows if row[0] == uid)
                row[-2] = known | flags if sign == "+" else known - flags if sign == "-" else set(flags)

    def _fetch(self, line):
        number, uid, flags, modseq = items_of(line)
        if self.is_uid_only:
            uid = number
            row = self.by_uid.setdefault(uid, [None, None])
        else:
            self._fill()
            assert 1 <= number <= len(self.rows), line
            row = self.rows[number - 1]
            assert uid is None or row[0] in (None, uid), f"UID {row[0]} became {uid}: {line!r}"
            row[0] = uid or row[0]
            known = [entry[0] for entry in self.rows if entry[0] is not None]
            assert known == sorted(set(known)), known
            uid = row[0]
        if flags is not None:
            row[-2] = flags
            self.told_flags.add(uid)
        else:
            self.told_flags.discard(uid)	# a change that came after those flags
        if modseq is not None:
            assert row[-1] is None or modseq >= row[-1], f"modseq fell: {line!r}"
            row[-1] = modseq
            self.seen_modseq = max(self.seen_modseq, modseq)
        self.fetched.add(uid)
