"""InterIMAP between two users of one server: QRESYNC on both sides, COMPRESS towards the far one, NOTIFY."""
import re
import signal
import subprocess

import pytest

import programs
import recorder
import server as lib


@pytest.fixture
def pair(shared_server, user, tmp_path):
    other = f"{user}far"
    shared_server.add_user(other)
    with recorder.Recorder(shared_server.imap_port) as near, recorder.Recorder(shared_server.imap_port) as far, \
            programs.Account(shared_server, user) as here, programs.Account(shared_server, other) as there:
        yield Pair(near, far, here, there, tmp_path)


class Pair:
    """Two accounts that InterIMAP keeps alike; the model is that of the near one."""

    def __init__(self, near, far, here, there, folder):
        self.program = lib.need("interimap")
        self.near, self.far, self.here, self.there = near, far, here, there
        there.model = here.model
        self.environment = programs.home(folder)
        self.config = folder / "config"
        self.config.write_text(f"database = {folder}/state.db\n" + self.side("local", near, here) +
                               self.side("remote", far, there))
        self.config.chmod(0o600)

    @staticmethod
    def side(name, relay, account):
        return (f"\n[{name}]\ntype = imap\nhost = 127.0.0.1\nport = {relay.port}\nSTARTTLS = NO\nauth = PLAIN\n"
                f"username = {account.user}\npassword = {lib.PASSWORD}\n")

    def sync(self):
        self.near.forget()
        self.far.forget()
        programs.run(self.program, f"--config={self.config}", env=self.environment)
        assert recorder.refused(self.near.received() + self.far.received()) == []

    def check(self):
        self.here.check()
        self.there.check()


def begin(pair):
    pair.here.append(b"INBOX", *range(1, 16), flags_set=rb"\Seen")
    pair.here.create("Ärger & Neu".encode())
    pair.here.append("Ärger & Neu".encode(), 20, 21)
    pair.there.create(b"Work")
    pair.there.append(b"Work", 30, 31, 32, flags_set=rb"\Flagged $Forwarded")
    pair.there.append(b"INBOX", 16, 17)
    pair.sync()
    pair.check()


def test_rounds_on_both_sides(pair):
    begin(pair)
    pair.here.expunge(b"INBOX", 1, 2, 9)
    pair.here.store(b"INBOX", 3, rb"\Answered")
    pair.there.store(b"INBOX", 4, b"\\Flagged $Label1")
    pair.there.expunge(b"INBOX", 16)
    pair.there.append(b"INBOX", 40, 41)
    pair.here.append(b"Work", 42)
    pair.here.move(b"INBOX", b"Work", 5)
    pair.there.move(b"Work", b"INBOX", 30)
    pair.sync()
    pair.check()
    pair.there.expunge(b"Work", 31, 42)
    pair.there.store(b"Work", 32, b"")
    pair.here.store(b"INBOX", 17, rb"\Seen \Draft")
    pair.sync()
    pair.check()
    pair.sync()
    pair.sync()
    pair.check()
    for relay in (pair.near, pair.far):
        assert relay.has_sent(rb'LIST "" \* RETURN \(SUBSCRIBED STATUS \(UIDVALIDITY UIDNEXT HIGHESTMODSEQ\)\)')
        assert not relay.has_sent(rb"(SELECT|(UID )?(STORE|EXPUNGE|APPEND|FETCH))"), relay.sent()


def test_what_it_uses(pair):
    pair.here.append(b"INBOX", 1, 2)
    pair.sync()
    pair.check()
    assert pair.far.conversations[0].compressed() and not pair.near.conversations[0].compressed()
    assert re.search(rb"^\d+ APPEND INBOX [^\r\n]*\{\d+\+\}\r\n[\s\S]*\r\n [^\r\n]*\{\d+\+\}\r\n",
                     pair.far.sent(), re.M)     # MULTIAPPEND
    pair.here.expunge(b"INBOX", 1)
    pair.sync()
    pair.check()
    for relay in (pair.near, pair.far):
        assert relay.has_sent(rb"ENABLE QRESYNC") and relay.has_sent(rb"SELECT INBOX \(QRESYNC \(\d+ \d+")
    assert b"* VANISHED (EARLIER) 1\r\n" in pair.near.received()
    assert pair.far.has_sent(rb"UID STORE 1 \+FLAGS\.SILENT \(\\Deleted\)") and pair.far.has_sent(rb"UID EXPUNGE 1\r")


def test_told_by_notify(pair):
    """It stays, and what happens on either side reaches the other without a poll."""
    begin(pair)
    pair.near.forget()
    pair.far.forget()
    watching = subprocess.Popen([pair.program, f"--config={pair.config}", "--watch=3000", "--notify"],
                                env=pair.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for relay in (pair.near, pair.far):
            relay.wait_for(rb"NOTIFY SET ")
        pair.there.append(b"INBOX", 50)
        lib.wait_until(lambda: programs.truth(pair.here.server, pair.here.user) == pair.here.expected())
        pair.here.append(b"Work", 51)
        lib.wait_until(lambda: programs.truth(pair.there.server, pair.there.user) == pair.here.expected())
        pair.there.expunge(b"INBOX", 3)
        pair.here.store(b"Work", 30, rb"\Answered")
        lib.wait_until(lambda: programs.truth(pair.here.server, pair.here.user) == pair.here.expected())
        lib.wait_until(lambda: programs.truth(pair.there.server, pair.there.user) == pair.here.expected())
    finally:
        watching.send_signal(signal.SIGTERM)
        said = watching.communicate()[1]
    assert b"* STATUS " in pair.near.received() + pair.far.received(), said
