"""What a login at an old server waits for keeps nobody waiting who is not to be relayed: relay_shim.c, preloaded, is a name
server that does not answer, and a disk that is slow.
"""
import contextlib
import os
import pathlib
import socket
import subprocess

import pytest

import server as lib

HERE = pathlib.Path(__file__).parent
LOGINS = 12


@contextlib.contextmanager
def open_gate(new):
    """Nobody waits meanwhile."""
    gate = os.open(new.gate, os.O_RDWR)
    yield
    os.close(gate)


@pytest.fixture(scope="module")
def old():
    with lib.Server(users=("alice",)) as running:
        yield running


@pytest.fixture
def new(old, tmp_path):
    if "san" in lib.IMAPD.parent.name:
        pytest.skip("a sanitizer wants to be the first library itself")
    shim, log, gate = tmp_path / "relay_shim.so", tmp_path / "log", tmp_path / "gate"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", shim, HERE / "relay_shim.c", "-ldl"], check=True)
    log.touch()
    os.mkfifo(gate)
    running = lib.Server(settings=[f"relay-ca {old.cert}", "storage-threads 2", "relay-timeout 600", "log-level debug"], users=("demo",))
    environment = {"LD_PRELOAD": str(shim), "RELAY_SHIM_LOG": str(log), "RELAY_SHIM_GATE": str(gate),
                   "RELAY_SHIM_FILE": str(old.cert), "RELAY_SHIM_IS_ON": str(tmp_path / "is-on")}
    os.environ.update(environment)
    try:
        running.start()
    finally:
        for name in environment:
            del os.environ[name]
    running.waited = lambda: log.read_text().splitlines()
    running.is_on, running.gate = tmp_path / "is-on", gate
    yield running
    with open_gate(running):
        running.stop()


def begin_logins(new, user):
    """So many clients, each of an address of its own, whose login is under way."""
    clients = []
    for i in range(LOGINS):
        client = lib.Client.unread(socket.create_connection(("127.0.0.1", new.imap_port), lib.LIMIT_S, (f"127.1.3.{i + 1}", 0)))
        client.line()
        client.send(b'x LOGIN %s "%s"\r\n' % (user, lib.PASSWORD.encode()))
        clients.append(client)
    return clients


def entered(new, state):
    return sum(f"to={state}" in line for line in new.log_lines)


def test_a_silent_name_server(new):
    new.imapctl("user", "add", "moved", "--no-password", "--home=imap://old.silent")
    clients = begin_logins(new, b"moved")
    lib.wait_until(lambda: len(new.waited()) >= 2)
    with new.client("demo") as client:
        assert client.append(b"INBOX", lib.message()).is_ok
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
    lib.wait_until(lambda: entered(new, "linking") >= LOGINS)
    lib.wait_until(lambda: len(new.waited()) >= 4)
    closed = entered(new, "closing")
    for client in clients:
        client.close()
    lib.wait_until(lambda: entered(new, "closing") >= closed + LOGINS)
    before = len(new.waited())
    with open_gate(new), new.client() as client:      # the lookups that nobody waits for are not made any more
        new.imapctl("user", "set", "moved", f"--home=imap://last.silent:{lib.free_port()}")
        assert client.command(b'LOGIN moved "%s"' % lib.PASSWORD.encode()).tagged.endswith(b"NO [UNAVAILABLE] Try again later")
    assert new.waited()[before:] == ["last.silent"]


def test_authorities_are_read_once(new, old):
    """However many logins wait for them: they are many certificates, and each set of them takes its memory."""
    new.imapctl("user", "add", "moved", "--no-password", f"--home=imaps://alice@localhost:{old.imaps_port}")
    new.is_on.touch()
    clients = begin_logins(new, b"moved")
    lib.wait_until(lambda: entered(new, "linking") >= LOGINS)
    with open_gate(new):
        for client in clients:
            assert client.reply(b"x").is_ok
            client.close()
    assert new.waited() == [str(old.cert)]


def test_who_waits_for_authorities_leaves(new, old):
    """The first, some, and all of them: what was read for nobody is read again."""
    new.imapctl("user", "add", "moved", "--no-password", f"--home=imaps://alice@localhost:{old.imaps_port}")
    new.is_on.touch()
    clients = begin_logins(new, b"moved")
    lib.wait_until(lambda: entered(new, "linking") >= LOGINS)
    for client in clients[:LOGINS // 2]:
        client.close()
    lib.wait_until(lambda: entered(new, "closing") >= LOGINS // 2)
    new.is_on.unlink()
    new.imapctl("reload")           # those who come now are to have what is there now
    new.is_on.touch()
    late = begin_logins(new, b"moved")[-1]
    with open_gate(new):
        for client in [*clients[LOGINS // 2:], late]:
            assert client.reply(b"x").is_ok
            client.close()
