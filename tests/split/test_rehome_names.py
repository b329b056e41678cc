"""A name that another user gets while one moves or is renamed: what is on its way for the one is not for the other."""
import base64
import json
import re
import socket
import ssl

import pytest

import server as lib
import split
from rehoming import append, move
from test_split import authority

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

WORD = b"0123456789abcdef" * 2


class Link:
    """Speaks to a mailbox server as a host for clients does."""

    def __init__(self, running, host, folder):
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "cas.pem", folder / "cas.key")
        context.check_hostname = False
        with running.middle.inside():
            connected = socket.socket()
            connected.connect((host.wire.far_address, host.link_port))
        self.stream = context.wrap_socket(connected)
        self.file = self.stream.makefile("rwb")
        assert self.file.readline().startswith(b"* OK")

    def log_in(self, mechanism, what):
        """Both lines at once; the answer to the second."""
        self.file.write(b'L1 ID ("x-session-id" "0123456789ab" "x-return" "%s" "x-carry" "yes")\r\n' % WORD)
        self.file.write(b"L2 AUTHENTICATE %s %s\r\n" % (mechanism, base64.b64encode(what)))
        return self.until(b"L2 ")

    def until(self, tag):
        self.file.flush()
        line = self.file.readline()
        while line and not line.startswith(tag):
            line = self.file.readline()
        return line

    def command(self, command):
        self.file.write(b"c %s\r\n" % command)
        return self.until(b"c ")

    def handed_over(self):
        """The state with which the session goes on elsewhere."""
        line = self.file.readline()
        assert line.startswith(b"\0" + WORD[:-1] + b"m"), line
        return base64.b64decode(line[len(WORD) + 1:])

    def close(self):
        self.file.close()
        self.stream.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def three(folder):
    make = authority(folder)
    lines = {name: make(name, usage) for name, usage in (("mbx1", "serverAuth"), ("mbx2", "serverAuth"), ("cas", "clientAuth"))}
    with split.SplitServer(mailbox_servers=2,
                           link=lambda running, host, role: lines["cas" if role == "cas" else host.folder.name]) as running:
        running.await_link(1)
        yield running


@pytest.mark.parametrize("selected", [b"", b"SELECT INBOX"])
def test_a_session_is_not_for_who_gets_the_name(three, folder, selected):
    """It goes on as the user who had it, as long as that is the one who has come, and as nobody else."""
    user = f"ada{len(selected)}"
    three.add_user(user, home=0)
    with three.client(user) as client:
        assert append(client, b"INBOX", b"1").is_ok
    source = Link(three, three.mailboxes[0], folder)
    assert source.log_in(b"EXTERNAL", user.encode()).startswith(b"L2 OK")
    assert not selected or source.command(selected).startswith(b"c OK")
    move(three, user, "mbx2")
    state = source.handed_over()
    source.close()

    def goes_on():
        link = Link(three, three.mailboxes[1], folder)
        answer = link.log_in(b"X-IMAPD-CARRY", user.encode() + b"\0" + state)
        link.close()
        return answer

    assert goes_on().startswith(b"L2 OK")
    three.mailboxes[1].imapctl("user", "del", user, "--yes")
    assert goes_on().startswith(b"L2 NO")
    three.mailboxes[1].add_user(user)
    assert goes_on().startswith(b"L2 NO")
    with three.client(user) as client:
        assert re.search(rb"\* 0 EXISTS", b"".join(client.ok(b"SELECT INBOX").untagged))


def names(host):
    return {user["name"] for user in json.loads(host.imapctl("--json", "user", "list").stdout)["user"]}


def test_rename_that_was_never_asked_for(three, folder):
    """A mailbox server that has noted nothing, as one whose directory comes from a backup, does what has happened elsewhere, once."""
    host = three.mailboxes[0]
    host.add_user("old")

    def say(op):
        link = Link(three, host, folder)
        assert link.log_in(b"X-IMAPD-MOVE", b"\0%s\0old\0%s\0new\0" % (op, b"5" * 32)).startswith(b"L2 OK")
        answer = link.file.readline()
        link.close()
        return answer

    assert say(b"rename") == b"done\r\n"
    assert "new" in names(host) and "old" not in names(host)
    lib.wait_until(lambda: any("ev=renamed" in line and "former=old" in line for line in host.log_lines))
    host.add_user("old")
    assert say(b"rename") == b"done\r\n" and {"old", "new"} <= names(host)
