"""The two services in processes of their own, each with its control socket, joined by the link."""
import shutil

import pytest

import server as lib


class Role(lib.Server):
    """One of the two processes."""

    def __init__(self, role, settings):
        self.role = role
        super().__init__(settings=settings, users=())


@pytest.fixture
def pair():
    port = lib.free_port()
    mailbox = Role("mailbox", [f"link-listen 127.0.0.1:{port}", "start-services no"])
    key = mailbox.folder / "link.key"
    mailbox.imapctl("link-key", key)
    mailbox.settings.append(f"link-key {key}")
    mailbox.write_config()
    cas = Role("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}", "directory link mbx1",
                       "start-services no", "mailbox-server-timeout 2"])
    with mailbox, cas:
        yield cas, mailbox
    shutil.rmtree(mailbox.folder, ignore_errors=True)


def code(server, *words):
    return server.imapctl(*words, check=False).returncode


def login(cas):
    with cas.client() as client:
        return client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode()).tagged


def test_procedure(pair):
    cas, mailbox = pair
    mailbox.add_user("demo")
    assert [code(server, "status") for server in pair] == [3, 3]
    cas.imapctl("start", "cas")
    assert b" NO [UNAVAILABLE]" in login(cas)
    mailbox.imapctl("net", "start", "msexchangeimap4be")
    assert [code(server, "status") for server in pair] == [0, 0]
    lib.wait_until(lambda: b" OK " in login(cas))
    with cas.client("demo") as client:
        client.ok(b"SELECT INBOX")
        mailbox.imapctl("stop", "all")
        assert client.line().startswith(b"* BYE")
    assert b" NO [UNAVAILABLE]" in login(cas)
    assert code(cas, "status", "cas") == 0
    mailbox.imapctl("start", "mailbox")
    lib.wait_until(lambda: b" OK " in login(cas))
    with cas.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+")
        cas.imapctl("stop", "cas")
        lines = list(iter(client.line, b""))
        assert len(lines) == 1 and lines[0].startswith(b"* BYE"), lines
    assert code(mailbox, "status") == 0


def test_the_other_service_is_elsewhere(pair):
    cas, mailbox = pair
    asked = cas.imapctl("status", "mailbox", check=False)
    assert asked.returncode == 3 and "does not have the service mailbox" in asked.stderr
    assert code(cas, "start", "mailbox") == 64
    assert code(mailbox, "net", "start", "imap4") == 64
    mailbox.imapctl("start", "all")
    assert mailbox.imapctl("services").stdout.split("\n")[1].startswith("mailbox  running")
