"""SIGTERM and SIGINT to `imapctl verify`, `verify --repair` and `index` in the middle: they end at once and say what they know
by then, nothing is lost, and a second run finishes it.

The middle is a place between two answers: imapctl talks to the server through a socket of the test, which holds one back.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import server as lib
from test_repair_kills import look, prepare, restore, set_aside, verify

LIMIT_S = lib.LIMIT_S


class Between:
    """The control socket once more; the answer to the request of one kind, the nth, is kept back until it is let go.

    In its place something may be done that leaves the server without an answer.
    """

    def __init__(self, server, verb, nth=1, in_place_of_answer=None):
        self.server, self.verb, self.nth, self.in_place_of_answer = server, verb, nth, in_place_of_answer
        self.requests = []
        self.is_held, self.may_go = threading.Event(), threading.Event()
        self.path = server.folder / "between"
        self.config = server.folder / "between.conf"
        self.config.write_text(server.config.read_text().replace(f"control-socket {server.control}", f"control-socket {self.path}"))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            caller, _ = self.listener.accept()
            with caller, socket.socket(socket.AF_UNIX) as real:
                real.connect(str(self.server.control))
                with caller.makefile("rb") as asked, real.makefile("rb") as answered:
                    for line in asked:
                        self.pass_on(line, caller, real, answered)

    def pass_on(self, line, caller, real, answered):
        self.requests.append(line.split()[0].decode())
        real.sendall(line)
        answer, is_meant = b"", self.requests[-1] == self.verb and self.requests.count(self.verb) == self.nth
        if is_meant and self.in_place_of_answer:
            self.in_place_of_answer()
        else:
            answer = read_answer(answered)
        if is_meant:
            self.is_held.set()
            assert self.may_go.wait(LIMIT_S)
        with contextlib.suppress(BrokenPipeError):
            caller.sendall(answer)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.may_go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(LIMIT_S)
        self.listener.close()
        self.path.unlink()


def read_answer(answered):
    answer = b""
    while not answer.startswith(b".") and b"\n." not in answer:
        answer += answered.readline()
    return answer


def interrupt(between, sign, *words):
    """Run until the answer is held, send the signal, and give what was said: nothing is answered meanwhile."""
    process = subprocess.Popen([lib.IMAPCTL, f"--config={between.config}", *words, "--json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert between.is_held.wait(LIMIT_S), process.communicate()
        asked = list(between.requests)
        process.send_signal(sign)
        out, complaints = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    assert process.returncode == 75, (process.returncode, complaints)
    assert between.requests == asked, "nothing more is begun"
    return json.loads(out), complaints


SIGNALS = pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])


@pytest.fixture(scope="module", params=["rows", "pages"])
def damaged(request, tmp_path_factory):
    """A server that is stopped, whose user's file is damaged; the file as it is when it was mended in peace."""
    folder = tmp_path_factory.mktemp("damaged")
    server = prepare(request.param, folder)
    try:
        server.start()
        assert verify(server, "--repair", "--yes").returncode == 0
        wanted, aside = look(server), set_aside(server)
        server.stop()
        yield server, folder, wanted, aside
    finally:
        server.__exit__(None, None, None)


@contextlib.contextmanager
def running(damaged):
    """The damaged file served; afterwards it can be mended, and nothing that the peaceful repair has kept is lost."""
    server, folder, wanted, aside = damaged
    restore(server, folder)
    server.start()
    try:
        yield server
        done = verify(server, "--repair", "--yes")
        assert done.returncode == 0 and json.loads(done.stdout)["verify"][0]["faults"] == 0, done
        assert look(server) == wanted
        assert set_aside(server) == aside
    finally:
        server.stop()


@SIGNALS
def test_verify(damaged, sign):
    with running(damaged) as server:
        before = json.loads(verify(server).stdout)["fault"]
        with Between(server, "verify", nth=1) as between:
            told, complaints = interrupt(between, sign, "verify", "demo")
        assert told["fault"] == told["verify"] == []
        assert complaints == "imapctl: demo: interrupted\nimapctl: not all was looked at; run it again\n"
        done = verify(server)
        assert done.returncode == 65 and json.loads(done.stdout)["fault"] == before, done


@SIGNALS
def test_repair_whose_answer_is_not_heard(damaged, sign):
    """The server has mended, and nobody knows."""
    with running(damaged) as server, Between(server, "repair") as between:
        told, complaints = interrupt(between, sign, "verify", "demo", "--repair", "--yes")
        assert told["fault"] and not told["repaired"] and told["verify"] == []
        assert "what was being mended is given up, and what was mended before stays; run it again\n" in complaints


@SIGNALS
def test_repair_under_way(damaged, sign):
    """The server stands still while it is asked to mend, and finds afterwards that nobody waits any more."""
    with running(damaged) as server:
        def stop():
            os.kill(server.process.pid, signal.SIGSTOP)

        try:
            with Between(server, "repair", in_place_of_answer=stop) as between:
                told, _ = interrupt(between, sign, "verify", "demo", "--repair", "--yes")
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert told["fault"] and not told["repaired"]


@SIGNALS
def test_after_mending(damaged, sign):
    """What was mended is told, also when it is not looked at any more whether all was."""
    with running(damaged) as server:
        with Between(server, "verify", nth=2) as between:
            told, complaints = interrupt(between, sign, "verify", "demo", "--repair", "--yes")
        assert told["repaired"] and told["verify"] == []
        lost = [record for record in told["repaired"] if record["text"].startswith("what can be read of it is in ")]
        assert (f"imapctl: {len(lost)} messages could not be mended and were set aside: " in complaints) == bool(lost)


@pytest.fixture(scope="module")
def many():
    with lib.Server(users=("demo", "other")) as server:
        for user in ("demo", "other"):
            with server.client(user) as client:
                assert client.append(b"INBOX", lib.message(1)).is_ok
        yield server


@SIGNALS
@pytest.mark.parametrize("words", [("verify",), ("index",), ("index", "--verify")], ids=" ".join)
def test_all(many, words, sign):
    """Users who were looked at are told; others are not begun."""
    with Between(many, words[0], nth=None) as whole:
        done = subprocess.run([lib.IMAPCTL, f"--config={whole.config}", *words, "--all", "--json"], check=True,
                              capture_output=True, timeout=LIMIT_S)
        assert len(json.loads(done.stdout)[words[0]]) == 2
        calls = whole.requests.count(words[0])
    with Between(many, words[0], nth=calls) as between:
        told, complaints = interrupt(between, sign, *words, "--all")
    assert [record["user"] for record in told[words[0]]] == ["demo"]
    assert "imapctl: other: interrupted\n" in complaints
