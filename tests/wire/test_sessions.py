"""Sessions of one user at work in one mailbox, each with a model of what it was told.

Whatever is done in between, what a session was told must fit together (numbers within bounds, UIDs rising
and never another message's, EXPUNGE not within FETCH, STORE and SEARCH: RFC 9051 section 7.5.1), and after
a NOOP its model must be what a new session reads, and STATUS must count the same.
"""
import random
import re

import pytest

import grammar
import server as lib

FLAGS = [b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Draft", b"one", b"Two"]
NO_EXPUNGE = (b"FETCH", b"STORE", b"SEARCH")


class Session:
    def __init__(self, server, user, mailbox):
        self.client = server.client(user)
        self.told = []			# [uid or None, flags or None] of each message
        self.waiting = []		# (tag, verb) of what was sent and not yet answered
        self.select(mailbox)

    def select(self, mailbox):
        self.told = []
        self.run(b"SELECT " + mailbox)

    def send(self, command):
        tag = self.client.tag()
        self.waiting.append((tag, command.split()[0]))
        self.client.send(tag + b" " + command + b"\r\n")

    def run(self, command):
        """Send and read to the end; the status word of it."""
        self.send(command)
        return self.read()

    def read(self):
        """Read to the end of the oldest command."""
        tag, verb = self.waiting.pop(0)
        while True:
            line = self.client.line()
            assert line, f"the connection ended in {verb!r}"
            if line.startswith(tag + b" "):
                return line.split(b" ")[1]
            self.take(line, verb)

    def take(self, line, verb):
        found = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)", line)
        if not found:
            return
        number = int(found[1])
        if found[2] == b"EXISTS":
            assert number >= len(self.told), "messages vanished without EXPUNGE"
            self.told += [[None, None] for _ in range(number - len(self.told))]
            return
        assert 1 <= number <= len(self.told), line
        if found[2] == b"EXPUNGE":
            assert verb not in NO_EXPUNGE, f"{line!r} within {verb!r}"
            del self.told[number - 1]
        else:
            self.take_items(self.told[number - 1], grammar.fetch(line))
            uids = [uid for uid, _ in self.told if uid is not None]
            assert uids == sorted(set(uids)), uids

    def take_items(self, entry, items):
        uid = items.get(b"UID", entry[0])
        assert entry[0] in (None, uid), f"UID {entry[0]} became {uid}"
        entry[0] = uid
        if b"FLAGS" in items:
            entry[1] = {bytes(flag) for flag in items[b"FLAGS"]} - {b"\\Recent"}

    def settle(self):
        """Hear the news, and ask about the messages that were only announced."""
        assert self.run(b"NOOP") == b"OK"
        for number, (uid, flags) in enumerate(list(self.told), 1):
            if uid is None or flags is None:
                assert self.run(b"FETCH %d (UID FLAGS)" % number) == b"OK"
        return self.told


def flag_list(chance):
    return b"(" + b" ".join(chance.sample(FLAGS, chance.randint(1, 3))) + b")"


def change(chance, numbers, uid):
    """One command on some of the messages; `numbers` are message numbers, or UIDs with `uid`."""
    some = b",".join(b"%d" % number for number in chance.sample(numbers, chance.randint(1, min(3, len(numbers)))))
    return (b"UID " if uid else b"") + chance.choice([
        b"STORE " + some + b" +FLAGS " + flag_list(chance),
        b"STORE " + some + b" -FLAGS " + flag_list(chance),
        b"STORE " + some + b" FLAGS " + flag_list(chance),
        b"FETCH " + some + b" (UID FLAGS BODY[TEXT])",
        b"SEARCH " + (b"UID " if uid else b"") + some + b" NOT DELETED",
        b"COPY " + some + b" box",
        b"MOVE " + some + b" box",
        b"MOVE " + some + b" other",
        b"COPY " + some + b" other"])


def whatever(chance, session, uid):
    numbers = ([entry[0] for entry in session.told if entry[0]] if uid else
               list(range(1, len(session.told) + 1)))
    if not numbers or chance.random() < 0.3:
        message = lib.message(chance.randint(1, 999))
        return chance.choice([b"NOOP", b"EXPUNGE", b"CHECK", b"UID SEARCH ALL", b"UID FETCH 1:* (FLAGS)",
                              b"APPEND box {%d+}\r\n" % len(message) + message])
    return change(chance, numbers, uid)


def compare(server, user, sessions):
    fresh = Session(server, user, b"box")
    truth = fresh.settle()
    for session in sessions:
        assert session.settle() == truth
    unseen = sum(b"\\Seen" not in flags for _, flags in truth)
    deleted = sum(b"\\Deleted" in flags for _, flags in truth)
    assert fresh.client.ok(b"STATUS box (MESSAGES UNSEEN DELETED)").untagged == [
        b"* STATUS box (MESSAGES %d UNSEEN %d DELETED %d)" % (len(truth), unseen, deleted)]
    fresh.client.close()


@pytest.fixture(params=[False, True], ids=["", "crowded"])
def sessions(request, shared_server, user):
    """In a crowded mailbox the keywords of FLAGS come behind so many others that flags have no bit for them."""
    with shared_server.client(user) as client:
        client.ok(b"CREATE box")
        client.ok(b"CREATE other")
        for number in range(12):
            assert client.append(b"box", lib.message(number)).is_ok
        if request.param:
            assert client.append(b"box", lib.message(0), b" ".join(b"k%d" % number for number in range(70))).is_ok
    found = [Session(shared_server, user, b"box") for _ in range(3)]
    yield found
    for session in found:
        session.client.close()


@pytest.mark.parametrize("seed", range(4))
def test_in_turn(shared_server, user, sessions, seed):
    """One command after another, by numbers; what is gone meanwhile may be refused, never mistaken."""
    chance = random.Random(seed)
    for step in range(250):
        session = chance.choice(sessions)
        command = whatever(chance, session, uid=chance.random() < 0.3)
        assert session.run(command) in (b"OK", b"NO"), command
        if step % 50 == 49:
            compare(shared_server, user, sessions)


@pytest.mark.parametrize("seed", range(4))
def test_at_once(shared_server, user, sessions, seed):
    """All of them pipeline at the same time, by UID."""
    chance = random.Random(seed)
    for _ in range(15):
        for session in sessions:
            for _ in range(chance.randint(1, 8)):
                session.send(whatever(chance, session, uid=True))
        for session in sessions:
            while session.waiting:
                assert session.read() in (b"OK", b"NO")
        compare(shared_server, user, sessions)
