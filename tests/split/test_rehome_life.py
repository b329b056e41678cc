"""Users who move while much happens: big ones, full disks, several at once, and to and fro."""
import contextlib
import json
import os
import random
import re
import subprocess
import threading

import pytest

import server as lib
import split
from rehoming import Traffic, append, finish, host_of, move

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

MESSAGES = int(os.environ.get("REHOME_MESSAGES", "300"))
USERS = int(os.environ.get("REHOME_USERS", "4"))
JOURNEYS = int(os.environ.get("REHOME_JOURNEYS", "4"))


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2) as running:
        yield running


class Work:
    """One client that does what clients do, on one connection as long as it lasts, and knows what has come of it."""

    def __init__(self, running, user):
        self.running, self.user, self.failures, self.steps, self.logins = running, user, [], 0, 0
        self.mailboxes = {b"INBOX": {}}		# name -> subject -> flags
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        self.thread.join()
        assert error[0] is not None or not self.failures, self.failures

    def run(self):
        try:
            chance = random.Random(7)
            with self.running.client(self.user) as client:
                self.logins += 1
                while not self.is_over.is_set():
                    self.step(client, chance)
                    self.steps += 1
        except Exception as error:
            self.failures.append(repr(error))

    def step(self, client, chance):
        name = chance.choice(sorted(self.mailboxes))
        messages = self.mailboxes[name]
        kind = chance.randrange(10)
        if kind < 5 or not messages:
            subject = b"w%d" % self.steps
            assert append(client, name, subject, b"\\Seen").is_ok
            messages[subject] = {b"\\Seen"}
        elif kind < 7:
            number = self.select(client, name, chance)
            client.ok(b"STORE %d +FLAGS.SILENT (\\Flagged)" % number)
            messages[list(messages)[number - 1]].add(b"\\Flagged")
        elif kind == 7:
            number = self.select(client, name, chance)
            client.ok(b"STORE %d +FLAGS.SILENT (\\Deleted)" % number)
            client.ok(b"EXPUNGE")
            del messages[list(messages)[number - 1]]
        elif kind == 8:
            new = b"Box%d" % self.steps
            client.ok(b"CREATE " + new)
            self.mailboxes[new] = {}
        else:
            new = b"Other%d" % self.steps
            if name != b"INBOX":
                client.ok(b"RENAME %s %s" % (name, new))
                self.mailboxes[new] = self.mailboxes.pop(name)

    def select(self, client, name, chance):
        client.ok(b"SELECT " + name)
        return 1 + chance.randrange(len(self.mailboxes[name]))

    def check(self):
        with self.running.client(self.user) as client:
            for name, messages in self.mailboxes.items():
                client.ok(b"EXAMINE " + name)
                found = {}
                if messages:
                    for row in client.ok(b"FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").untagged:
                        flags = re.search(rb"FLAGS \(([^)]*)\)", row)
                        subject = re.search(rb"Subject: (\S+)", row)
                        if flags and subject:
                            found[subject[1]] = set(flags[1].split()) - {b"\\Recent"}
                assert found == messages, name


def test_all_that_clients_do(three):
    """Appends, flags, expunges, new and renamed mailboxes on one connection, while the user moves to and fro."""
    three.add_user("walt", home=0)
    with Work(three, "walt") as work:
        for server in ("mbx2", "mbx1", "mbx2"):
            done = work.steps
            lib.wait_until(lambda: work.steps > done + 20 or work.failures)
            move(three, "walt", server)
        done = work.steps
        lib.wait_until(lambda: work.steps > done + 20 or work.failures)
    work.check()
    assert work.logins == 1 and three.mailboxes[1].imapctl("verify", "walt").returncode == 0


def rows(host, table):
    path = host.data / "directory.db"
    done = subprocess.run(["sqlite3", "-readonly", path, f"SELECT count(*) FROM {table}"], capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else None


def without_recent(rows):
    return [row.replace(b" \\Recent", b"").replace(b"\\Recent", b"") for row in rows]


def test_to_and_fro(three):
    """REHOME_JOURNEYS times: what is left behind is the old files, which `user purge' removes, and nothing else."""
    three.add_user("ping", home=0)
    with three.client("ping") as client:
        for number in range(5):
            assert append(client, b"INBOX", b"%d" % number).is_ok
        client.ok(b"SELECT INBOX (CONDSTORE)")
        before = client.ok(b"UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])").untagged
        move(three, "ping", "mbx2")
        move(three, "ping", "mbx1")
        descriptors = [host.descriptors() for host in three.hosts()]
        for number in range(JOURNEYS - 2):
            move(three, "ping", ("mbx2", "mbx1")[number % 2])
        assert client.ok(b"UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])").untagged == before
    lib.wait_until(lambda: all(host.descriptors() <= count + 3 for host, count in zip(three.hosts(), descriptors)))
    for host in three.mailboxes:
        host.imapctl("user", "purge", "ping", "--yes", check=False)
        orphans = json.loads(host.imapctl("user", "list", "--orphans", "--json").stdout)["orphan"]
        assert "ping" not in [orphan["user"] for orphan in orphans]
        assert not list(host.data.glob("data/*/*/copy.db"))
    if rows(three.cas, "move") is not None:
        assert rows(three.cas, "move") == 0
        assert rows(three.mailboxes[0], "arrival") == rows(three.mailboxes[1], "arrival") == 0
    with three.client("ping") as client:
        client.ok(b"SELECT INBOX (CONDSTORE)")
        assert without_recent(client.ok(b"UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])").untagged) == without_recent(before)


def test_several_users_in_a_row_and_at_once(three):
    """All of a server are moved, by a loop, four at a time, while mail comes in."""
    names = [f"user{number}" for number in range(USERS)]
    for name in names:
        three.add_user(name, home=0)
    with Traffic(three, names[0]) as traffic:
        for first in range(0, USERS, 4):
            orders = [subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", name, "mbx2"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for name in names[first:first + 4]]
            assert [order.wait() for order in orders] == [0] * len(orders), [order.stderr.read() for order in orders]
    traffic.check()
    assert {host_of(three, name) for name in names} == {"mbx2"}
    for name in names:
        with three.client(name) as client:
            assert append(client, b"INBOX", b"1").is_ok


def write_mbox(path, count):
    with open(path, "wb") as file:
        for number in range(count):
            file.write(b"From a@example.org Thu Jan  1 00:00:00 2026\nFrom: a@example.org\nSubject: big-%d\n\n%s\n\n" %
                       (number, b"word " * (number % 50)))


def test_many_messages(three, tmp_path):
    """REHOME_MESSAGES of them, and mail that comes in meanwhile."""
    three.add_user("bigg", home=0)
    write_mbox(tmp_path / "many.mbox", MESSAGES)
    three.mailboxes[0].imapctl("import", "bigg", "mbox", tmp_path / "many.mbox")
    with three.client("bigg") as client:
        client.ok(b"SELECT INBOX (CONDSTORE)")
        before = client.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID)").untagged
        assert len([row for row in before if b" FETCH " in row]) == MESSAGES
        with Traffic(three, "bigg") as traffic:
            print(move(three, "bigg", "mbx2").stdout)
        after = client.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID)").untagged
    traffic.check()
    wanted = {row for row in before if b" FETCH " in row}
    assert wanted <= set(after)
    assert three.mailboxes[1].imapctl("verify", "bigg", "--timeout=1000").returncode == 0


@contextlib.contextmanager
def small_disk(folder, octets):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={octets}", "tmpfs", folder], capture_output=True)
    if done.returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill_up(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65536)


def move_to_full_disk(running, target):
    """It becomes full when the copy has begun."""
    order = subprocess.Popen([lib.IMAPCTL, f"--config={running.cas.config}", "move", "full", "mbx2"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not list(target.data.glob("data/*/*/copy.db")) and order.poll() is None:
        pass
    lib.freeze(target.process)
    fill_up(target.data / "filler")
    lib.thaw(target.process)
    return order.wait(), order.stderr.read()


def stays_and_works_on(running, target):
    """Whether the disk was full in the middle of the copy; else a session that came along with the user meets a full disk."""
    with running.client("full") as client:
        client.ok(b"SELECT INBOX")
        code, why = move_to_full_disk(running, target)
        if code == 0:
            return False
        assert code == 69 and "disk" in why
        client.ok(b"NOOP")
        assert host_of(running, "full") == "mbx1"
        lib.wait_until(lambda: not list(target.data.glob("data/*/*/*.db")))
        (target.data / "filler").unlink()
        finish(running, "full", "mbx2")
        assert client.ok(b"STATUS INBOX (MESSAGES)").untagged == [b"* STATUS INBOX (MESSAGES 20)"]
        return True


def test_disk_of_the_target_is_full():
    """In the middle of the copy: the user stays and works on, nothing of the copy is left, and later it is done."""
    running = split.SplitServer(mailbox_servers=2)
    target = running.mailboxes[1]
    target.data.mkdir(parents=True, exist_ok=True)
    with small_disk(target.data, 110 << 20), running:
        running.await_link(1)
        running.add_user("full", home=0)
        with running.client("full") as client:
            for number in range(20):
                assert append(client, b"INBOX", b"%d" % number, size=1000000).is_ok
        while not stays_and_works_on(running, target):	# it was whole before the disk was full
            (target.data / "filler").unlink()
            finish(running, "full", "mbx1")
            target.imapctl("user", "purge", "full", "--yes")


def test_another_host_for_clients_has_the_old_home(three):
    """It is told, by who was left, that the user is not there; nobody is served old mail, and nothing is written into it."""
    three.add_user("otto", home=0)
    second = split.CasHost(three, three.middle, three.wire, three.folder / "cas2", [])
    second.start()
    split.routes[second.imap_port] = (three.clients, three.wire.far_address)
    try:
        second.imapctl("user", "add", "otto", "--home=mbx1", input=lib.PASSWORD + "\n")
        with lib.Server.client(second, "otto") as client:
            assert append(client, b"INBOX", b"1").is_ok
        move(three, "otto", "mbx2")
        with lib.Server.client(second) as client:
            assert b"[UNAVAILABLE]" in client.command(b'LOGIN otto "%s"' % lib.PASSWORD.encode()).tagged
        second.imapctl("user", "set", "otto", "--home=mbx2")
        with lib.Server.client(second, "otto") as client:
            assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
    finally:
        second.stop()
        del split.routes[second.imap_port]
