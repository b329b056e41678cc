"""kill -9 while two users work on one mailbox: what lies in two files stays true.

\\Seen of who is not the owner: what was answered is kept, and a client that asks for changes since what it was told
misses none.  MOVE from one user's file into another's: each message is in one of them, or in both, never in none.
"""
import os
import random
import re
import threading

import server as lib

ROUNDS = int(os.environ.get("KILL_SHARED_ROUNDS", "6"))
MESSAGES = 24
OTHER = b'"Other Users/bob/shared"'
GONE = (OSError, EOFError, AssertionError, AttributeError, IndexError, StopIteration)


def fetched(lines):
    """(uid, flags, modseq) of each FETCH line."""
    for line in lines:
        if b" FETCH " in line:
            yield (int(re.search(rb"UID (\d+)", line)[1]), set(re.search(rb"FLAGS \((.*?)\)", line)[1].split()) - {b"\\Recent"},
                   int(re.search(rb"MODSEQ \((\d+)\)", line)[1]))


class Told:
    """What one client was told: flags and modseqs, and up to which modseq it knows all."""

    def __init__(self):
        self.flags, self.highest = {}, 0

    def take(self, lines):
        for uid, flags, modseq in fetched(lines):
            self.flags[uid] = flags
            self.highest = max(self.highest, modseq)


def change_seen(server, uids, acknowledged, tried, seed):
    chance = random.Random(seed)
    try:
        with server.client("alice") as client:
            client.ok(b"SELECT " + OTHER)
            while True:
                uid, sign = chance.choice(uids), chance.choice([b"+", b"-"])
                tried[uid] = sign == b"+"
                if chance.random() < 0.2 and sign == b"+":
                    client.ok(b"UID FETCH %d BODY[TEXT]" % uid)
                else:
                    client.ok(b"UID STORE %d %sFLAGS.SILENT (\\Seen)" % (uid, sign))
                acknowledged[uid] = sign == b"+"
    except GONE:
        return	# the server was killed


def change_others(server, seed):
    chance = random.Random(seed)
    try:
        with server.client("bob") as client:
            client.ok(b"SELECT shared")
            while True:
                client.ok(b"UID STORE %d %sFLAGS.SILENT (\\Flagged \\Seen)" % (
                    chance.randint(1, MESSAGES), chance.choice([b"+", b"-"])))
    except GONE:
        return


def listen(server, told):
    try:
        with server.client("alice") as client:
            client.ok(b"ENABLE CONDSTORE")
            client.ok(b"EXAMINE " + OTHER)
            told.take(client.ok(b"UID FETCH 1:* (FLAGS)" + b" (CHANGEDSINCE %d)" % max(told.highest, 1)).untagged)
            while True:
                told.take(client.ok(b"NOOP").untagged)
    except GONE:
        return


def check(server, told, acknowledged, tried):
    with server.client("alice") as client:
        client.ok(b"ENABLE CONDSTORE")
        client.ok(b"EXAMINE " + OTHER)
        lines = client.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % max(told.highest, 1)).untagged
        told.take(lines)
        real = {uid: flags for uid, flags, _ in fetched(client.ok(b"UID FETCH 1:* (FLAGS MODSEQ)").untagged)}
        assert len(real) == MESSAGES
        assert told.flags == real, {uid: (told.flags.get(uid), real[uid]) for uid in real if told.flags.get(uid) != real[uid]}
        for uid, is_seen in acknowledged.items():
            assert (b"\\Seen" in real[uid]) in (is_seen, tried.get(uid, is_seen)), f"UID {uid}: {is_seen} was answered"
        tried.clear()
        acknowledged.update({uid: b"\\Seen" in flags for uid, flags in real.items()})


def test_seen_of_another():
    told, acknowledged, tried = Told(), {}, {}
    with lib.Server(users=("bob", "alice")) as server:
        with server.client("bob") as bob:
            bob.ok(b"CREATE shared")
            for number in range(MESSAGES):
                assert bob.append(b"shared", lib.message(number)).is_ok
            bob.ok(b"SETACL shared alice lrs")
        for round_number in range(ROUNDS):
            halves = [range(1, MESSAGES // 2 + 1), range(MESSAGES // 2 + 1, MESSAGES + 1)]
            streams = [threading.Thread(target=change_seen, daemon=True,
                                        args=(server, uids, acknowledged, tried, 10 * round_number + half))
                       for half, uids in enumerate(halves)]
            streams.append(threading.Thread(target=change_others, args=(server, round_number), daemon=True))
            streams.append(threading.Thread(target=listen, args=(server, told), daemon=True))
            count = sum(1 for line in server.log_lines if "ev=login" in line)
            for stream in streams:
                stream.start()
            lib.wait_until(lambda: sum(1 for line in server.log_lines if "ev=login" in line) >= count + len(streams))
            goal = told.highest + random.Random(round_number).randint(10, 60)
            lib.wait_until(lambda: told.highest >= goal)
            server.kill()
            for stream in streams:
                stream.join(lib.LIMIT_S)
                assert not stream.is_alive(), "a client hangs although the server is gone"
            server.start()
            check(server, told, acknowledged, tried)


def numbers(client, name):
    client.ok(b"EXAMINE " + name)
    lines = client.ok(b"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Message-ID)])").untagged
    return [int(found[1]) for found in (re.search(rb"<m(\d+)@", line) for line in lines) if found]


def move(server, moved):
    try:
        with server.client("alice") as client:
            client.ok(b"SELECT INBOX")
            while True:
                first = client.ok(b"FETCH 1:3 (BODY.PEEK[HEADER.FIELDS (Message-ID)])").untagged
                found = [int(match[1]) for match in (re.search(rb"<m(\d+)@", line) for line in first) if match]
                client.ok(b"MOVE 1:3 " + OTHER)
                moved.update(found)
    except GONE:
        return


def test_move_between_files():
    moved = set()
    with lib.Server(users=("bob", "alice")) as server:
        with server.client("bob") as bob, server.client("alice") as alice:
            bob.ok(b"CREATE shared")
            bob.ok(b"SETACL shared alice lrsi")
            for number in range(90):
                assert alice.append(b"INBOX", lib.message(number, b"line\r\n" * (20000 if number % 7 == 0 else 5))).is_ok
        for round_number in range(ROUNDS):
            goal = len(moved) + random.Random(round_number).randint(1, 8)
            stream = threading.Thread(target=move, args=(server, moved), daemon=True)
            stream.start()
            lib.wait_until(lambda: len(moved) >= goal or not stream.is_alive())
            server.kill()
            stream.join(lib.LIMIT_S)
            assert not stream.is_alive(), "a client hangs although the server is gone"
            server.start()
            with server.client("bob") as bob, server.client("alice") as alice:
                there, left = numbers(bob, b"shared"), numbers(alice, b"INBOX")
            assert set(there) | set(left) == set(range(90)), "a message is in neither"
            assert moved <= set(there) and not moved & set(left), "a move that was answered is not so"
            assert len(left) == len(set(left))
