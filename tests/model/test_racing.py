"""Clients with QRESYNC that are cut off again and again, while others change the mailbox at the same time.

Nobody knows the order of what happens; but what a client is told must fit together at every step (view.py), and
when all is quiet a client that resynchronizes from what it had must hold what the mailbox holds.
"""
import random
import threading

from client import ModelClient
from view import items_of

WRITERS, READERS, CHANGES, ROUNDS = 3, 3, 150, 40
FLAGS = [b"\\Seen", b"\\Flagged", b"\\Answered", b"one", b"Two"]
MESSAGE = b"Subject: x\r\n\r\n"


class Crowd:
    def __init__(self):
        self.errors = []

    def run(self, *doings):
        """All at once; the first error of any is raised."""
        threads = [threading.Thread(target=self._run, args=(doing,)) for doing in doings]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _run(self, doing):
        try:
            doing()
        except BaseException as error:		# an assertion, too
            self.errors.append(error)


def write(server, user, seed):
    chance = random.Random(seed)
    with server.client(user) as client:
        client.ok(b"SELECT INBOX")
        for _ in range(CHANGES):
            low = chance.randint(1, 200)
            uids = b"%d:%d" % (low, low + chance.randint(0, 8))
            doing = chance.random()
            if doing < 0.35:
                assert client.append(b"INBOX", MESSAGE, chance.choice(FLAGS)).is_ok
            elif doing < 0.75:
                client.ok(b"UID STORE %s %sFLAGS (%s)" % (uids, chance.choice([b"+", b"-", b""]), chance.choice(FLAGS)))
            elif doing < 0.85:
                client.ok(b"UID STORE %s +FLAGS (\\Deleted)" % uids)
                client.ok(b"UID EXPUNGE " + uids)
            else:
                client.ok(b"NOOP")


def read(client, seed):
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        if not client.view:
            assert client.select(b"INBOX", False, True).word == b"OK"
            client.learn()
        doing = chance.random()
        if doing < 0.3:
            client.cut(b"UID FETCH 1:* (FLAGS MODSEQ)", 100, chance.randint(1, 400))
            client.connect()
        elif doing < 0.5:
            number = chance.randint(1, max(1, len(client.view.rows)))
            client.run(b"FETCH %d (UID FLAGS MODSEQ)" % number)	# expunges are held back
        elif doing < 0.7:
            client.run(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d VANISHED)" % chance.randint(1, client.view.highest))
        else:
            client.run(b"NOOP")
            client.learn()


def test_racing(shared_server, user):
    readers = [ModelClient(shared_server, user, "qresync") for _ in range(READERS)]
    with shared_server.client(user) as observer:
        for _ in range(20):
            assert observer.append(b"INBOX", MESSAGE).is_ok
        Crowd().run(*[lambda seed=seed: write(shared_server, user, seed) for seed in range(WRITERS)],
                    *[lambda seed=seed: read(readers[seed], seed) for seed in range(READERS)])
        observer.ok(b"EXAMINE INBOX")
        truth = [items_of(line)[1:] for line in observer.ok(b"FETCH 1:* (UID FLAGS MODSEQ)").untagged
                 if b" FETCH (" in line]
        for reader in readers:
            if reader.view:
                reader.leave()
                reader.client.close()
                reader.connect()
            assert reader.select(b"INBOX", False, True).word == b"OK"
            reader.learn()
            assert [tuple(row) for row in reader.view.rows] == truth
            reader.client.close()
