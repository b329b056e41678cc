"""SEARCH held against a model written from RFC 9051 (tests/lib/searching.py), by random questions over random letters.

Between the questions messages come, go and change, sessions and the server end, also by kill -9, and what the server
keeps to answer faster is built, dropped and built again: the answer may never hang on any of it.

SEARCH_QUERIES and SEARCH_SEEDS say how long, SEARCH_FULL over how many messages; the seed of a failure is in the name
of the test.
"""
import contextlib
import os
import random
import re
import sqlite3
import subprocess

import pytest

import asking
import letters
import searching
import server as lib
from uids import expand

QUERIES = int(os.environ.get("SEARCH_QUERIES", 1000))
SEEDS = [int(word) for word in os.environ.get("SEARCH_SEEDS", "1 2 3").split()]
FULL = int(os.environ.get("SEARCH_FULL", 120))	# messages in a mailbox before no more come in
ENOUGH = 70		# messages in a mailbox at the beginning: in fewer than 64 the server does not ask its index
NAMES = [b"INBOX", b"other"]
FLAGS = searching.FLAGS + searching.KEYWORDS


class Session(asking.Asker):
    """A user's mailboxes, a session on one of them, and the model of both."""

    def __init__(self, server, user, seed):
        super().__init__(None, random.Random(seed))
        self.server, self.user = server, user
        self.letters = letters.Letters(self.choice)
        self.contents = {}		# by octets
        self.expected = {}		# (mailbox, UID) -> (Content, flags)
        self.connect()
        self.client.ok(b"CREATE other")
        for name in NAMES:
            self.append(name, ENOUGH)
        self.select(NAMES[0])

    def connect(self):
        self.client = self.server.client(self.user)
        self.is_rev2 = self.choice.random() < 0.3
        if self.is_rev2:
            self.client.ok(b"ENABLE IMAP4rev2")
        self.client.ok(b"ENABLE CONDSTORE")

    def select(self, name):
        self.name, self.saved = name, set()
        self.client.ok(b"SELECT " + name)
        self.look()

    def look(self):
        """Read the mailbox; it must hold what the model put there."""
        self.client.ok(b"NOOP")
        expected = {uid: what for (name, uid), what in self.expected.items() if name == self.name}
        self.stored = asking.read(self.client, {uid: content for uid, (content, _) in expected.items()})
        for one in self.stored:
            assert one.flags - {b"\\recent"} == expected[one.uid][1] and one.size == len(one.content.octets)
        self.saved &= set(expected)

    # What happens between questions.

    def make(self, count):
        """Letters to be appended: the words that follow the mailbox, and (Content, flags) of each."""
        known = list(self.contents.values())
        words, added = b"", []
        for _ in range(count):
            is_again = known and self.choice.random() < 0.1
            octets = self.choice.choice(known).octets if is_again else self.letters.letter()
            flags = set(self.choice.sample(FLAGS, self.choice.randrange(4)))
            date = b"%02d-%s-2021 %02d:59:30 %s" % (
                self.choice.randint(1, 28), self.choice.choice([b"Jan", b"Feb", b"Mar"]), self.choice.randrange(24),
                self.choice.choice([b"+0000", b"-0800", b"+0545"]))
            words += b' (%s) "%s" {%d+}\r\n%s' % (b" ".join(flags), date, len(octets), octets)
            content = self.contents[octets] = self.contents.get(octets) or searching.Content(octets)
            added.append((content, {flag.lower() for flag in flags}))
        return words, added

    def send_append(self, client, name, count):
        """Begin an APPEND; gives what to call for its end."""
        words, added = self.make(count)
        tag = client.tag()
        client.send(tag + b" APPEND " + name + words + b"\r\n")

        def end():
            reply = client.reply(tag)
            assert reply.is_ok, reply
            uids = sorted(expand(re.search(rb"APPENDUID \d+ ([\d:,]+)", reply.tagged)[1]))
            for uid, what in zip(uids, added, strict=True):
                self.expected[name, uid] = what
        return end

    def append(self, name, count):
        self.send_append(self.client, name, count)()

    def do_append(self):
        for name in NAMES:
            if sum(name == own for own, _ in self.expected) < FULL:
                self.append(name, self.choice.choice([1, 3, 10]))

    def some(self, most):
        some = self.choice.sample(self.stored, min(len(self.stored), self.choice.randint(1, most)))
        return {one.uid for one in some}, b",".join(b"%d" % one.uid for one in some)

    def do_store(self):
        uids, words = self.some(20)
        flags = set(self.choice.sample(FLAGS, self.choice.randrange(1, 4)))
        sign = self.choice.choice([b"+", b"-"])
        self.client.ok(b"UID STORE %s %sFLAGS.SILENT (%s)" % (words, sign, b" ".join(flags)))
        low = {flag.lower() for flag in flags}
        for uid in uids:
            content, before = self.expected[self.name, uid]
            self.expected[self.name, uid] = content, before | low if sign == b"+" else before - low

    def do_expunge(self):
        if len(self.stored) < ENOUGH:
            return
        uids, words = self.some(15)
        self.client.ok(b"UID STORE " + words + b" +FLAGS.SILENT (\\Deleted)")
        self.client.ok(b"UID EXPUNGE " + words)
        for uid in uids:
            del self.expected[self.name, uid]

    def do_transfer(self):
        target = self.choice.choice(NAMES)
        uids, words = self.some(10)
        if len(self.stored) < ENOUGH or sum(target == own for own, _ in self.expected) > FULL:
            return
        verb = self.choice.choice([b"COPY", b"MOVE"])
        reply = self.client.ok(b"UID %s %s %s" % (verb, words, target))
        code = re.search(rb"COPYUID \d+ ([\d:,]+) ([\d:,]+)", b"".join([*reply.untagged, reply.tagged]))
        for source, new in zip(sorted(expand(code[1])), sorted(expand(code[2])), strict=True):
            self.expected[target, new] = self.expected[self.name, source]
        for uid in uids if verb == b"MOVE" else ():
            del self.expected[self.name, uid]

    def do_select(self):
        self.select(self.choice.choice(NAMES))

    def restart(self, is_killed, meanwhile=lambda: None):
        self.client.close()
        (self.server.kill if is_killed else self.server.stop)()
        meanwhile()
        self.server.start()
        self.connect()
        self.select(self.name)

    def do_restart(self):
        self.restart(self.choice.random() < 0.7)

    def do_race(self):
        """Another session appends meanwhile: what is answered of the messages before is what it was."""
        questions = searching.Questions(self.choice, self.stored, is_rev2=True, asked=self.keys, has_sets=False)
        programs = [questions.program() for _ in range(20)]
        tags = [self.client.tag() for _ in programs]
        before = {one.uid for one in self.stored}
        with self.server.client(self.user) as other:
            end = self.send_append(other, self.name, self.choice.choice([1, 3, 10]))
            self.client.send(b"".join(b"%s UID SEARCH RETURN (ALL) %s\r\n" % (tag, charset + words)
                                      for tag, (words, _, charset) in zip(tags, programs)))
            for tag, (words, bits, _) in zip(tags, programs):
                found = self.found(self.client.reply(tag)) & before
                wanted = {one.uid for place, one in enumerate(self.stored) if bits >> place & 1}
                assert found == wanted, (words, found ^ wanted)
            end()
        self.asked += len(programs)

    # The index of SEARCH: imapctl(8), imapd-schema(7).

    def do_index(self):
        self.server.imapctl("index", self.user, *self.choice.choice([[], ["--rebuild"], ["--verify"]]))

    def do_kill_while_indexing(self):
        """At some moment of it, wherever it stands when so many questions are answered."""
        order = [lib.IMAPCTL, f"--config={self.server.config}", "index", self.user, "--rebuild"]
        with subprocess.Popen(order, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as indexing:
            for _ in range(self.choice.randrange(40)):
                self.client.ok(self.choice.choice([b"NOOP", b"SEARCH RETURN (COUNT) BODY absent"]))
            self.restart(is_killed=True)
            indexing.wait(60)

    def do_drop_index(self):
        """What the index says is what a look at every message says."""
        questions = searching.Questions(self.choice, self.stored, is_rev2=True, asked=self.keys, has_sets=False)
        programs = [questions.program() for _ in range(30)]
        self.server.imapctl("index", self.user)
        by_index = [self.find(words, charset) for words, _, charset in programs]
        self.restart(False, self.drop_index)
        by_looking = [self.find(words, charset) for words, _, charset in programs]
        for (words, found, _), one, other in zip(programs, by_index, by_looking):
            wanted = {one.uid for place, one in enumerate(self.stored) if found >> place & 1}
            assert one == other == wanted, (words, one ^ wanted, other ^ wanted)
        self.asked += len(programs)

    def find(self, words, charset):
        return self.found(self.client.ok(b"UID SEARCH RETURN (ALL) " + charset + words))

    def found(self, reply):
        """UIDs."""
        line, = [line for line in reply.untagged if line.startswith(b"* ESEARCH")]
        told = re.search(rb" ALL (\S+)", line)
        return expand(told[1]) if told else set()

    def drop_index(self):
        file, = self.server.data.glob("data/*/*/mail.db")
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'index_*'").fetchall()
            assert tables
            for table, in tables:
                database.execute(f"DELETE FROM {table}")

    def do_multisearch(self):
        """RFC 7377: one answer for each mailbox in which something is found, by UIDs."""
        name, boxes = self.name, {}
        for box in NAMES:
            self.select(box)
            boxes[box] = self.stored
        if name != self.name:
            self.select(name)
        both = [one for box in NAMES for one in boxes[box]]
        questions = searching.Questions(self.choice, both, is_rev2=True, asked=self.keys, has_sets=False)
        for _ in range(20):
            words, found, charset = questions.program()
            of = self.choice.choice([b"IN (mailboxes (INBOX other)) ", b"IN (personal) ", b"IN (subtree-one INBOX mailboxes other) "])
            words = b"ESEARCH " + of + self.choice.choice([b"", b"RETURN (ALL) ", b"RETURN (COUNT ALL) "]) + charset + words
            reply = self.client.ok(words)
            wanted = {one for place, one in enumerate(both) if found >> place & 1}
            for box in NAMES:
                line = b"".join(line for line in reply.untagged if b" MAILBOX %s " % box in line)
                told = re.search(rb" UID.* ALL (\S+)", line)
                uids = {one.uid for one in boxes[box] if one in wanted}
                assert (expand(told[1]) if told else set()) == uids, (words, box, line, uids)
                assert bool(uids) == bool(line), (words, line)
                assert b"COUNT" not in line or b" COUNT %d" % len(uids) in line, (words, line, uids)
            self.asked += 1

    def do_something(self):
        steps = [(self.do_append, 6), (self.do_store, 5), (self.do_expunge, 3), (self.do_transfer, 4), (self.do_select, 3),
                 (self.do_restart, 1), (self.do_multisearch, 1), (self.do_race, 1), (self.do_index, 4),
                 (self.do_kill_while_indexing, 2), (self.do_drop_index, 2)]
        self.choice.choices([step for step, _ in steps], [weight for _, weight in steps])[0]()
        self.look()


@pytest.mark.parametrize("seed", SEEDS)
def test_search(seed):
    with lib.Server(settings=lib.EVERYTHING) as server:
        session = Session(server, "demo", seed)
        while session.asked < QUERIES:
            session.ask()
            if session.choice.random() < 0.5:
                session.do_something()
        session.client.close()
    print(f"{session.asked} questions, {session.hits} of them found something")
    assert session.hits > session.asked // 4
