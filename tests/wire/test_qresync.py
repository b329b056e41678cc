"""SELECT (QRESYNC ...) where a transcript cannot go: history that is forgotten, and much of it (RFC 7162)."""
import re
import sqlite3

import pytest

import server as lib
from uids import expand

MESSAGE = b"Subject: x\r\n\r\n"


class Client:
    """One that has enabled QRESYNC, and takes SELECT apart."""

    def __init__(self, server, user):
        self.client = server.client(user)
        self.client.ok(b"ENABLE QRESYNC")
        self.ok = self.client.ok

    def append(self, count):
        for done in range(0, count, 500):
            many = min(500, count - done)
            self.ok(b"APPEND INBOX " + b" ".join([b"{}"] * many), *[MESSAGE] * many)

    def select(self, words=b""):
        """Codes, and the sets of UIDs that vanished and that changed."""
        lines = self.ok(b"SELECT INBOX" + (b" (QRESYNC (%s))" % words if words else b"")).untagged
        self.codes = {name: int(value) for name, value in re.findall(rb"\[([A-Z]+) (\d+)\]", b"\n".join(lines))}
        self.vanished = set()
        is_fetch = False
        for line in lines:
            found = re.match(rb"\* VANISHED \(EARLIER\) (\S+)", line)
            is_fetch = is_fetch or b" FETCH (" in line
            if found:
                assert not is_fetch, "section 3.2.6: VANISHED (EARLIER) stands before any FETCH"
                assert not self.vanished & expand(found[1])
                self.vanished |= expand(found[1])
        self.changed = {int(uid) for uid in re.findall(rb"FETCH \(UID (\d+) MODSEQ", b"\n".join(lines))}
        return self.codes[b"UIDVALIDITY"], self.codes[b"HIGHESTMODSEQ"]

    def expunge(self, uids):
        self.ok(b"UID STORE %s +FLAGS.SILENT (\\Deleted)" % uids)
        self.ok(b"UID EXPUNGE " + uids)


@pytest.fixture
def resync(shared_server, user):
    running = Client(shared_server, user)
    yield running
    running.client.close()


def test_many_ranges(resync):
    """An expunge with many gaps may tell of UIDs that went before, and never of one that is there."""
    resync.append(3000)
    validity, _ = resync.select()
    resync.expunge(b",".join(b"%d" % uid for uid in range(2, 3001, 4)))
    _, known = resync.select()
    resync.expunge(b",".join(b"%d" % uid for uid in range(1, 3001, 2)))
    resync.select(b"%d %d" % (validity, known))
    assert resync.vanished >= set(range(1, 3001, 2))
    assert not resync.vanished & set(range(4, 3001, 4))
    resync.select(b"%d 1" % validity)
    assert resync.vanished == set(range(1, 3001)) - set(range(4, 3001, 4))
    assert resync.changed == set(range(4, 3001, 4))


def test_an_empty_mailbox(resync):
    """"*" and the lack of UIDs mean all that ever were, also when nothing is left."""
    validity, _ = resync.select()
    resync.select(b"%d 1" % validity)
    assert not resync.vanished
    resync.append(3)
    _, known = resync.select()
    resync.expunge(b"1:3")
    resync.select(b"%d %d" % (validity, known))
    assert resync.vanished == {1, 2, 3}
    lines = resync.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d VANISHED)" % known).untagged
    assert lines == [b"* VANISHED (EARLIER) 1:3"]
    assert resync.ok(b"UID FETCH * (FLAGS) (CHANGEDSINCE %d VANISHED)" % known).untagged == [
        b"* VANISHED (EARLIER) 3"]


def test_forgotten_history():
    """Below the modseq up to which expunges are forgotten all that is missing is told, and no less."""
    with lib.Server(users=("demo",)) as server:
        resync = Client(server, "demo")
        resync.append(20)
        validity, _ = resync.select()
        resync.expunge(b"3:5,20")
        _, early = resync.select()
        resync.expunge(b"10")
        _, late = resync.select()
        resync.client.close()
        server.stop()
        path, = server.data.rglob("mail.db")
        with sqlite3.connect(path) as file:
            file.execute("UPDATE mailbox SET forgotten_modseq = ? WHERE name = 'INBOX'", (late,))
            file.execute("DELETE FROM expunged")
        file.close()
        server.start()
        resync = Client(server, "demo")
        resync.select(b"%d %d" % (validity, early))
        assert resync.vanished == {3, 4, 5, 10, 20}
        resync.select(b"%d %d 4:12" % (validity, early))
        assert resync.vanished == {4, 5, 10}
        resync.select(b"%d %d 1:20 (6:7 9,11)" % (validity, early))		# message 6 is UID 9, 7 is UID 11
        assert resync.vanished == {20}
        resync.select(b"%d %d 1:20 (6:7 9:10)" % (validity, early))		# message 7 is not UID 10 any more
        assert resync.vanished == {10, 20}
        resync.select(b"%d %d" % (validity, late))
        assert resync.vanished == set()
        resync.expunge(b"1")
        resync.select(b"%d %d" % (validity, late))
        assert resync.vanished == {1}
        lines = resync.ok(b"UID FETCH 8:* (UID) (CHANGEDSINCE %d VANISHED)" % early).untagged
        assert lines[0] == b"* VANISHED (EARLIER) 10,20"
        resync.client.close()


def files_of_a_user(server):
    """The file, its log and its mark: what lies on the disk."""
    path, = server.data.rglob("mail.db")
    mark, = (found for found in server.data.rglob(path.parent.name) if found.is_file())
    return [path, path.with_name("mail.db-wal"), mark]


def octets_of(files):
    return {path: path.read_bytes() if path.exists() else b"" for path in files}


def lose_the_power(server, kept):
    """The machine goes: the disk has what it had before, and the next start is of another run of the machine."""
    server.kill()
    for path, octets in kept.items():
        path.write_bytes(octets)
    lock, = (found for found in server.data.iterdir() if found.is_file() and b"\nboot " in found.read_bytes())
    lock.write_bytes(re.sub(rb"\nboot \S+", b"\nboot another", lock.read_bytes()))
    server.start()


def test_flags_lost_with_the_power():
    """A change that was told and is lost is told back, to whom it was told, and an old modseq changes nothing."""
    with lib.Server(users=("demo",)) as server:
        resync = Client(server, "demo")
        resync.append(5)
        validity, _ = resync.select()
        resync.ok(b"STORE 1 +FLAGS (\\Seen)")
        kept = octets_of(files_of_a_user(server))
        resync.ok(b"STORE 2 +FLAGS (\\Flagged)")
        lines = resync.ok(b"STORE 3 +FLAGS (\\Answered kept)").untagged
        told = int(re.search(rb"MODSEQ \((\d+)\)", lines[-1])[1])
        resync.client.close()
        lose_the_power(server, kept)
        resync = Client(server, "demo")
        assert resync.select(b"%d %d" % (validity, told))[0] == validity
        assert resync.changed == {1, 2, 3, 4, 5} and not resync.vanished & resync.changed
        flags = dict(re.findall(rb"UID (\d) FLAGS \(([^)]*)\)", b"\n".join(resync.ok(b"UID FETCH 1:* FLAGS").untagged)))
        assert flags == {b"1": b"\\Seen", b"2": b"", b"3": b"", b"4": b"", b"5": b""}
        assert b"[MODIFIED 2]" in resync.ok(b"STORE 2 (UNCHANGEDSINCE %d) -FLAGS (\\Flagged)" % told).tagged
        _, now = resync.select()
        resync.select(b"%d %d" % (validity, now))
        assert resync.changed == set() and resync.vanished == set()
        resync.client.close()


def test_a_folder_put_back():
    """A copy of the whole folder is older than what clients know: what is not there is told, and what is, too."""
    with lib.Server(users=("demo",)) as server:
        resync = Client(server, "demo")
        resync.append(3)
        validity, _ = resync.select()
        server.stop()
        kept = octets_of(files_of_a_user(server))
        server.start()
        resync = Client(server, "demo")
        resync.select()
        resync.expunge(b"1")
        resync.append(2)
        _, told = resync.select()
        resync.client.close()
        lose_the_power(server, kept)
        resync = Client(server, "demo")
        assert resync.select(b"%d %d" % (validity, told))[0] == validity
        assert resync.changed == {1, 2, 3} and resync.vanished >= {4, 5}
        resync.client.close()


def test_no_modseq_is_told_twice():
    """After kill -9 a new change has a modseq above all that any session was told."""
    with lib.Server(users=("demo",)) as server:
        told = 0
        for turn in range(4):
            client = Client(server, "demo")
            if turn == 0:
                client.append(1)
            _, highest = client.select()
            assert highest >= told
            line, = client.ok(b"STORE 1 %sFLAGS.SILENT (\\Seen)" % (b"-" if turn % 2 else b"+")).untagged
            modseq = int(re.search(rb"MODSEQ \((\d+)\)", line)[1])
            assert modseq > told
            told = modseq
            client.client.close()
            server.kill()
            server.process = None
            server.start()
