"""kill -9 in the middle of 50 parallel APPEND and LMTP streams: every acknowledged message is there
once and whole, UIDs in order, nothing half.  A ledger holds what was acknowledged.
"""
import os
import random
import re
import threading

import server as lib

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
WRITERS = 25
ENCODINGS = ("none", "zstd")
USERS = ["kill1", "kill2", "kill3", "kill4"]


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}	# message number -> (user, uid or None)
        self.tried = {}
        self.next = 0

    def begin(self, user):
        with self.lock:
            self.next += 1
            self.tried[self.next] = user
            return self.next

    def end(self, number, uid):
        with self.lock:
            self.acknowledged[number] = (self.tried[number], uid)


def letter(number):
    """The body says what it must be, so that half a message shows itself."""
    size = random.Random(number).choice([10, 200, 3000, 20000, 400000])
    return lib.message(number, (b"line of %d\r\n" % number) * (size // 14 + 1) + b"end\r\n")


def append_stream(server, user, ledger):
    """One message after the other, or some without waiting for the answers."""
    try:
        with server.client(user) as client:
            while True:
                tags = {client.tag(): ledger.begin(user) for _ in range(random.choice([1, 1, 6]))}
                client.send(b"".join(b"%s APPEND INBOX {%d+}\r\n%s\r\n" % (tag, len(letter(number)), letter(number))
                                     for tag, number in tags.items()))
                for tag, number in tags.items():
                    reply = client.reply(tag)
                    if reply.is_ok:
                        ledger.end(number, int(re.search(rb"APPENDUID \d+ (\d+)", reply.tagged)[1]))
    except (OSError, EOFError, AssertionError, AttributeError, IndexError):
        return	# the server was killed


def lmtp_stream(server, user, ledger):
    try:
        with server.lmtp() as client:
            while True:
                number = ledger.begin(user)
                if client.deliver(letter(number), user.encode())[0].startswith(b"250"):
                    ledger.end(number, None)
    except (OSError, EOFError, AssertionError, AttributeError, IndexError):
        return


def check(server, ledger, known):
    """Read everything back by IMAP and compare it with the ledger."""
    for user in USERS:
        with server.client(user) as client:
            client.ok(b"EXAMINE INBOX")
            seen = {}
            last = 0
            for line in client.ok(b"UID FETCH 1:* (BODY.PEEK[])").untagged:
                found = re.match(rb"\* \d+ FETCH \((?:FLAGS \([^)]*\) )?UID (\d+) BODY\[\] \{(\d+)\}\r\n", line)
                if not found:
                    continue
                uid, body = int(found[1]), line[found.end():found.end() + int(found[2])]
                assert uid > last, "UIDs are not in order"
                last = uid
                if body.startswith(b"Return-Path:"):
                    body = lib.delivered(body)[1]
                number = int(re.search(rb"Message-ID: <m(\d+)@", body)[1])
                assert number not in seen, f"message {number} is there twice"
                assert body == letter(number), f"message {number} is not whole"
                assert ledger.tried[number] == user
                seen[number] = uid
        for number, (owner, uid) in ledger.acknowledged.items():
            if owner == user:
                assert number in seen, f"acknowledged message {number} is lost"
                assert uid in (None, seen[number])
        for number, uid in known.get(user, {}).items():
            assert seen.get(number) == uid, "a UID changed over a restart"
        known[user] = seen


def test_kill_in_the_middle_of_writing():
    ledger, known = Ledger(), {}
    with lib.Server(users=USERS) as server:
        for round_number in range(ROUNDS):
            streams = [threading.Thread(target=target, args=(server, USERS[n % len(USERS)], ledger), daemon=True)
                       for n in range(WRITERS) for target in (append_stream, lmtp_stream)]
            goal = len(ledger.acknowledged) + random.Random(round_number).randint(5, 120)
            for stream in streams:
                stream.start()
            lib.wait_until(lambda: len(ledger.acknowledged) >= goal)
            server.kill()
            for stream in streams:
                stream.join(lib.LIMIT_S)
                assert not stream.is_alive(), "a client hangs although the server is gone"
            server.settings = [f"storage-compression {ENCODINGS[round_number % 2]}"]     # files have rows of both kinds
            server.write_config()
            server.start()
            check(server, ledger, known)
        print(f"{ROUNDS} kills, {len(ledger.acknowledged)} acknowledged messages, none lost")
