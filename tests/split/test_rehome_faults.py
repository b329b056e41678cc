"""A user moves, and one of the two mailbox servers cannot be told how it has ended: played by a script that speaks the link."""
import base64
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest

import server as lib
import split
from rehoming import append, host_of, move
from test_split import authority

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")


class ScriptedHost:
    """In the place of a mailbox server to which users move: it takes all, and does with verdicts what a test wants."""

    def __init__(self, host, context):
        self.context, self.asked, self.verdicts = context, threading.Event(), []
        self.answers = None		# to a verdict: None hangs up
        self.is_whole, self.may_prepare, self.may_answer = threading.Event(), threading.Event(), threading.Event()
        self.may_prepare.set()
        self.may_answer.set()
        host.stop()
        with host.namespace.inside():
            self.listener = socket.create_server((host.wire.far_address, host.link_port))
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connected,), daemon=True).start()

    def serve(self, connected):
        try:
            with self.context.wrap_socket(connected, server_side=True) as stream, stream.makefile("rwb") as file:
                self.speak(file)
        except OSError:
            pass			# the other side has gone

    def speak(self, file):
        def say(line):
            file.write(line + b"\r\n")
            file.flush()
        say(b"* OK ready")
        for line in file:
            words = line.split()
            if words[:2] == [b"P", b"NOOP"]:
                say(b"P OK done")
            elif words[1:3] == [b"AUTHENTICATE", b"X-IMAPD-MOVE"]:
                op = base64.b64decode(words[3]).split(b"\0")[1]
                say(b"L2 OK done")
                if op == b"in":
                    say(b"ok")
                    continue
                self.verdicts.append(op)
                self.asked.set()
                self.may_answer.wait(lib.LIMIT_S)
                if self.answers is None:
                    return
                say(self.answers)
            elif words[0] == b"data":
                file.read(int(words[1]))
            elif words[0] == b"prepare":
                self.is_whole.set()
                self.may_prepare.wait(lib.LIMIT_S)
                say(b"prepared")


@pytest.fixture
def scripted(tmp_path):
    make = authority(tmp_path)
    lines = {name: make(name, usage) for name, usage in (("mbx1", "serverAuth"), ("mbx2", "serverAuth"), ("cas", "clientAuth"))}

    def link(running, host, role):
        return lines["cas" if role == "cas" else f"mbx{host.folder.name[-1]}"]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "mbx2.pem", tmp_path / "mbx2.key")
    with split.SplitServer(mailbox_servers=2, cas_settings=["link-timeout 10"], link=link) as running:
        running.await_link(1)
        running.cas.imapctl("user", "add", "ada", "--home=mbx1", input=lib.PASSWORD + "\n")
        running.mailboxes[0].add_user("ada")
        with running.client("ada") as client:
            assert append(client, b"INBOX", b"1").is_ok
        with ScriptedHost(running.mailboxes[1], context) as other:
            running.await_link(1)
            yield running, other


def status(running):
    return json.loads(running.cas.imapctl("move", "ada", "--status", "--json").stdout)["move"][0]


def test_target_cannot_be_told(scripted):
    """The home has changed, and the order says what is missing; then it is brought to its end by itself."""
    running, other = scripted
    done = move(running, "ada", "mbx2", check=False)
    assert done.returncode == 75 and "cannot be told" in done.stderr
    assert host_of(running, "ada") == "mbx2"
    assert (status(running)["phase"], status(running)["waits-for"]) == ("settling", "mbx2")
    assert move(running, "ada", "mbx2", check=False).returncode == 75	# ordered again it is looked on
    other.answers = b"done"
    lib.wait_until(lambda: status(running)["phase"] == "moved")
    assert status(running)["waits-for"] == "" and set(other.verdicts) == {b"adopt"}


def test_source_cannot_be_told(scripted):
    """A server that was left, and hangs: the user has moved, and nobody waits for it."""
    running, other = scripted
    other.answers = b"done"
    other.may_answer.clear()		# before it is known there, the source is told nothing
    order = subprocess.Popen([lib.IMAPCTL, f"--config={running.cas.config}", "move", "ada", "mbx2"], stdout=subprocess.PIPE, text=True)
    assert other.asked.wait(lib.LIMIT_S)
    lib.freeze(running.mailboxes[0].process)
    other.may_answer.set()
    out = order.communicate()[0]
    assert order.returncode == 0 and "mbx1 will be told when it is reached" in out
    assert (status(running)["phase"], status(running)["waits-for"]) == ("settling", "mbx1")
    lib.thaw(running.mailboxes[0].process)
    lib.wait_until(lambda: status(running)["phase"] == "moved")


def test_somebody_else_gets_the_name_meanwhile(scripted):
    """The user is deleted, and another one is added, before the home changes: it does not, and nobody gets the other's mail."""
    running, other = scripted
    other.may_prepare.clear()
    order = subprocess.Popen([lib.IMAPCTL, f"--config={running.cas.config}", "move", "ada", "mbx2"], stderr=subprocess.PIPE, text=True)
    assert other.is_whole.wait(lib.LIMIT_S)
    running.cas.imapctl("user", "del", "ada", "--yes")
    running.cas.imapctl("user", "add", "ada", "--home=mbx1", input="another\n")
    other.may_prepare.set()
    why = order.communicate()[1]
    assert order.returncode == 75, why
    assert host_of(running, "ada") == "mbx1"


def test_refused_by_the_target_is_undone(scripted):
    """What cannot be undone at the target yet keeps nobody from working at the source, nor the order waiting."""
    running, other = scripted
    other.speak = lambda file: file.flush() if not re.match(rb"P ", file.readline()) else None
    assert move(running, "ada", "mbx2", check=False).returncode == 75
    with running.client("ada") as client:
        assert append(client, b"INBOX", b"2").is_ok
    assert host_of(running, "ada") == "mbx1"
