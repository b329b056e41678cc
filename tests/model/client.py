"""One client of the model check: it sends a command, reads to its end, and holds each reply against its view."""
import re

import responses
import server as lib
from view import View

NUMBERS_STAY = re.compile(rb"(?:FETCH|STORE|SEARCH|SORT|THREAD)\b")
KINDS = {	# what is enabled after login
    "rev1": b"", "rev2": b"IMAP4rev2", "condstore": b"CONDSTORE", "qresync": b"QRESYNC",
    "qresync2": b"QRESYNC IMAP4rev2", "uidonly": b"UIDONLY", "notify": b"CONDSTORE"}
NEEDS = {"condstore": b"CONDSTORE", "qresync": b"QRESYNC", "qresync2": b"QRESYNC", "uidonly": b"UIDONLY",
         "notify": b"NOTIFY"}
NOTIFY = b"NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge))"


class Result:
    def __init__(self, tagged, untagged):
        self.tagged, self.untagged = tagged, untagged
        self.word = tagged.split(b" ")[1]

    def code(self, name):
        """What stands behind the name of a response code, in the tagged or an untagged reply; or None."""
        for line in [self.tagged, *self.untagged]:
            found = re.search(rb"^\S+ OK \[%s ?([^\]]*)\]" % name, line)
            if found:
                return found[1]
        return None


class ModelClient:
    def __init__(self, server, user, kind):
        self.server, self.user, self.kind = server, user, kind
        self.cache = {}			# mailbox -> (uidvalidity, highest, rows), for SELECT (QRESYNC ...)
        self.is_idling = False
        self.connect()

    def connect(self):
        self.view = self.closing = None
        self.is_read_only = False
        self.is_idling = False
        self.client = self.server.client(self.user)
        if KINDS[self.kind]:
            self.client.ok(b"ENABLE " + KINDS[self.kind])
        if self.kind == "notify":
            self.client.ok(NOTIFY)

    @property
    def has_modseq(self):
        return self.kind not in ("rev1", "rev2", "uidonly")

    @property
    def is_uid_only(self):
        return self.kind == "uidonly"

    def may_expunge(self, command):
        """
        Message numbers may change: not within FETCH, STORE and SEARCH by numbers; UIDONLY has no numbers, and with
        NOTIFY (SELECTED ...) they may change at any time.
        """
        return self.is_uid_only or self.kind == "notify" or not NUMBERS_STAY.match(command)

    def run(self, command):
        tag = self.client.tag()
        self.client.send(tag + b" " + command + b"\r\n")
        return self.read(tag, command)

    def send(self, commands):
        """Send commands without waiting for answers; their tags, to be read in this order."""
        tags = [self.client.tag() for _ in commands]
        self.client.send(b"".join(tag + b" " + command + b"\r\n" for tag, command in zip(tags, commands)))
        return tags

    def read(self, tag, command):
        if self.view:
            self.view.begin()
        untagged = []
        while True:
            line = self.client.line()
            assert line, f"the connection ended in {command!r}"
            assert not line.startswith(b"* BYE"), line
            if line.startswith(tag + b" "):
                break
            untagged.append(line)
            if self.closing:		# until [CLOSED] it is the mailbox before that is told of
                self.closing.take(line, True)
                self.closing = None if b"[CLOSED]" in line else self.closing
            elif self.view:
                self.view.take(line, self.may_expunge(command))
        if self.view:
            self.view.take(line, False)
            self.view.end()
        return Result(line, untagged)

    def begin_idle(self):
        self.idle_tag = self.client.tag()
        self.client.send(self.idle_tag + b" IDLE\r\n")
        if self.view:
            self.view.begin()
        while True:
            line = self.client.line()
            if line.startswith(b"+"):
                break
            if self.view:
                self.view.take(line, True)
        self.is_idling = True

    def end_idle(self):
        self.is_idling = False
        self.client.send(b"DONE\r\n")
        return self.read(self.idle_tag, b"IDLE")

    def select(self, mailbox, is_read_only, may_resync):
        """SELECT or EXAMINE, from the cache where the client has one and speaks QRESYNC."""
        self.remember()
        words = (b"EXAMINE " if is_read_only else b"SELECT ") + mailbox
        self.closing, view = self.view, View(mailbox, self.is_uid_only)
        if may_resync and self.kind.startswith("qresync") and mailbox in self.cache:
            uidvalidity, highest, rows = self.cache[mailbox]
            words += b" (QRESYNC (%d %d))" % (uidvalidity, highest)
            view.resume(uidvalidity, rows, highest)
        self.view = view
        result = self.run(words)
        if result.word != b"OK":
            self.view = None
            return result
        if view.resync_count is not None or self.kind.startswith("qresync"):
            self.forget_stale(mailbox)
        view.highest = view.told_highest
        self.is_read_only = is_read_only
        return result

    def forget_stale(self, mailbox):
        """Another UIDVALIDITY: what the cache held is of a mailbox that is gone."""
        if mailbox in self.cache and self.cache[mailbox][0] != self.view.uidvalidity:
            del self.cache[mailbox]
            self.view.rows = [[None, None, None] for _ in range(self.view.count)]

    def remember(self):
        """Keep what was told of the selected mailbox, as far as it is whole."""
        view = self.view
        if view and self.has_modseq and not self.is_uid_only and view.highest and all(
                None not in row for row in view.rows):
            self.cache[view.name] = (view.uidvalidity, view.highest, [tuple(row) for row in view.rows])

    def leave(self):
        self.remember()
        self.view = None

    def learn(self):
        """Ask for the messages that were only announced, as real clients do after EXISTS."""
        if self.kind == "notify":
            if any(None in row for row in self.view.rows):
                assert self.run(b"UID FETCH 1:* (FLAGS MODSEQ)").word == b"OK"
            return
        items = b"(UID FLAGS MODSEQ)" if self.has_modseq else b"(UID FLAGS)"
        if self.is_uid_only:
            if len(self.view.by_uid) != self.view.count or any(row[0] is None for row in self.view.by_uid.values()):
                assert self.run(b"UID FETCH 1:* (FLAGS)").word == b"OK"
            return
        unknown = [n for n, row in enumerate(self.view.rows, 1) if None in row[:3 if self.has_modseq else 2]]
        if unknown:
            numbers = b",".join(b"%d" % number for number in unknown)
            assert self.run(b"FETCH " + numbers + b" " + items).word in (b"OK", b"NO")

    def cut(self, command, sent, received):
        """Send so many octets of a command, read so many, and be gone."""
        self.remember()
        tag = self.client.tag()
        octets = tag + b" " + command + b"\r\n"
        self.client.send(octets[:sent])
        if received and sent >= len(octets):
            self.client.file.read1(received)
        self.client.socket.shutdown(lib.socket.SHUT_RDWR)
        self.client.close()
        self.view = None
