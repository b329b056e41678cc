"""A command in two TCP segments, from a client that does not set TCP_NODELAY, as every Ruby program.

Its kernel holds the second back until the first is acknowledged, and ours would wait 40 ms with that for an answer
to put it on.  How often it has so waited is counted by each network namespace (TcpExt DelayedACKs).
"""
import subprocess

import pytest

import server as lib
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

COUNT = 50
COMMANDS = {
    "words": [b"a SEARCH", b" ALL\r\n"],
    "line end": [b"a NOOP", b"\r\n"],
    "literal": [b"a SEARCH SUBJECT {6+}\r\n", b"hello\n", b" ALL\r\n"],
    "message": [b"a APPEND INBOX {7+}\r\n", b"a: b\r\n\n", b"\r\n"],
    "continuation": [b"a IDLE\r\n", None, b"DO", b"NE\r\n"],
}


class AloneServer(lib.Server):
    """Both roles in one process, in a namespace of its own."""

    def __init__(self):
        self.namespace = split.Namespace("alone")
        self.prefix = ("ip", "netns", "exec", self.namespace.name)
        super().__init__()

    def start(self):
        super().start()
        for port in (self.imap_port, self.imaps_port, self.lmtp_port):
            split.routes[port] = (self.namespace, "127.0.0.1")
        split.socket.create_connection = split.connect
        return self

    def __exit__(self, *error):
        super().__exit__(*error)
        self.namespace.delete()


def delayed(namespace):
    """How many acknowledgements have waited there for an answer that did not come."""
    table = subprocess.run(["ip", "netns", "exec", namespace.name, "cat", "/proc/net/netstat"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    names, values = (line.split() for line in table if line.startswith("TcpExt:"))
    return int(values[names.index("DelayedACKs")])


def is_prompt(namespace, work):
    """
    Most commands are answered without waiting: one wait for each, if we wait.  A machine that is busy may be late more often
    than not, and is asked again.
    """
    before = delayed(namespace)
    work()
    return delayed(namespace) - before < COUNT // 2


def run_commands(client, parts):
    for _ in range(COUNT):
        for part in parts:
            if part is None:
                assert client.line().startswith(b"+ ")
            else:
                client.send(part)
        assert client.reply(b"a").is_ok


@pytest.fixture(scope="module", params=["one host", "two hosts"])
def running(request):
    if request.param == "one host":
        with AloneServer() as server:
            yield server, server.namespace
    else:
        with split.SplitServer(cas_settings=("login-type plain",)) as server:
            server.add_user("demo")
            yield server, server.middle


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kind", COMMANDS)
def test_nobody_waits_for_an_acknowledgement(running, kind, is_tls):
    server, namespace = running
    with server.client("demo", is_tls) as client:
        client.ok(b"SELECT INBOX")
        lib.wait_until(lambda: is_prompt(namespace, lambda: run_commands(client, COMMANDS[kind])))


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_before_login(running, is_tls):
    server, namespace = running
    with server.client(tls=is_tls) as client:
        lib.wait_until(lambda: is_prompt(namespace, lambda: run_commands(client, COMMANDS["line end"])))


def test_lmtp(running):
    server, namespace = running
    host = server.mailboxes[0].namespace if hasattr(server, "mailboxes") else namespace
    with server.lmtp() as lmtp:
        def deliver():
            for _ in range(COUNT):
                lmtp.socket.sendall(b"NO")
                assert lmtp.command(b"OP")[-1].startswith(b"250")
        lib.wait_until(lambda: is_prompt(host, deliver))
