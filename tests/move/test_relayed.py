"""Users who still live at a server of another kind are relayed there: Dovecot, Cyrus and Courier as they are."""
import json
import re

import pytest

import servers
import server as lib

PASSWORD = servers.PASSWORD
QUOTED = PASSWORD.replace("\\", r"\\").replace('"', r'\"').encode()
LETTER = lib.message(1, b"A line of text that is long enough to be one.\r\n" * 20000)
NAMES = ["dovecot-2.3-sdbox", "dovecot-2.4-sdbox", "cyrus-3.6", "cyrus-3.10", "courier-5.0", "courier-5.2", "imapd"]


@pytest.fixture(scope="module", params=NAMES)
def old(request):
    source = servers.EVERY[request.param]()
    if source.lacks():
        pytest.skip(f"{source.name}: {source.lacks()}")
    with source:
        if source.name.startswith("Cyrus"):         # has no mailboxes before somebody makes them
            admin = lib.Client(source.port)
            admin.checker = None
            with admin:
                admin.ok(b"LOGIN {} {}", b"cyrus", PASSWORD.encode())
                admin.ok(b"CREATE user.u0")
                admin.ok(b"CREATE user.u1")
        yield source


@pytest.fixture(scope="module")
def new(old):
    with lib.Server(settings=[f"relay-ca {old.certificate}"], users=()) as running:
        for user in ("u0", "u1"):
            running.imapctl("user", "add", user, "--no-password", f"--home=imap://localhost:{old.port}")
        yield running


def log_in(new, user, password=QUOTED):
    client = lib.Client(new.imap_port)
    client.checker = None           # what is said now is theirs
    return client, client.command(b'LOGIN %s "%s"' % (user, password))


def append(client, offer, mailbox, message):
    """A literal as the server wants it; returns what it answers."""
    if b"LITERAL+" in offer:
        return client.append(mailbox, message)
    tag = client.tag()
    client.send(tag + b" APPEND %s {%d}\r\n" % (mailbox, len(message)))
    assert client.line().startswith(b"+")
    client.send(message + b"\r\n")
    return client.reply(tag)


def test_session(new, old):
    client, reply = log_in(new, b"u0")
    with client:
        assert reply.is_ok, reply
        offer = re.search(rb"\[CAPABILITY ([^\]]*)\]", reply.tagged)[1].upper().split()
        assert b"IMAP4REV1" in offer and not [word for word in offer if word.startswith((b"AUTH=", b"STARTTLS", b"LOGINDISABLED"))]
        assert append(client, offer, b"INBOX", LETTER).is_ok
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
        assert client.fetch_body(1) == LETTER
        if b"IDLE" in offer:
            tag = client.tag()
            client.send(tag + b" IDLE\r\n")
            assert client.line().startswith(b"+")
            client.send(b"DONE\r\n")
            assert client.reply(tag).is_ok
        if b"COMPRESS=DEFLATE" in offer:
            client.start_deflate()
            assert client.fetch_body(1) == LETTER
        client.ok(b"LOGOUT")
        while client.line():
            pass
    lib.wait_until(lambda: any(" user=u0 " in line and " in=" in line for line in new.log_lines))


def test_kick(new, old):
    client, reply = log_in(new, b"u1")
    with client:
        assert reply.is_ok
        client.ok(b"SELECT INBOX")
        assert json.loads(new.imapctl("--json", "who", "u1").stdout)["session"][0]["relay"] == f"imap://localhost:{old.port}"
        new.imapctl("kick", "u1")
        lines = [line for line in iter(client.line, b"")]
        assert lines[-1] == b"* BYE The operator has ended this session"
