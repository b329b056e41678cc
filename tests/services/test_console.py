"""`imapctl services` on a terminal: a pseudo-terminal of the test's own."""
import errno
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

import server as lib
from server import wait_until


class Terminal:
    """A program on a terminal of 24 lines and 120 columns."""

    def __init__(self, command, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", **environment})
        self.text = ""

    def read(self, seconds=0.1):
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self.text += os.read(self.master, 65536).decode()
            except OSError as error:
                if error.errno == errno.EIO:
                    return
                raise

    def until(self, pattern):
        """Read on until the pattern is on the screen behind all that was matched before."""
        deadline = time.monotonic() + lib.LIMIT_S
        while time.monotonic() < deadline:
            self.read()
            found = re.search(pattern, self.text, re.DOTALL)
            if found:
                self.text = self.text[found.end():]
                return found
        raise AssertionError(f"{pattern!r} did not come; last:\n{self.text[-3000:]!r}")

    def type(self, keys):
        os.write(self.master, keys.encode())

    def close(self):
        code = self.process.wait(lib.LIMIT_S)
        os.close(self.master)
        os.close(self.slave)
        return code


@pytest.fixture
def running():
    with lib.Server(settings=["drain-time 1"]) as server:
        yield server


def console(server, **environment):
    return Terminal([lib.IMAPCTL, f"--config={server.config}", "services"], **environment)


def states(server):
    answer = json.loads(server.imapctl("--json", "services").stdout)
    return [service["state"] for service in answer["service"]]


def test_keys(running):
    terminal = console(running)
    terminal.until(r"SERVICE +STATE +SINCE +ASKED BY +SESSIONS +LAST ERROR")
    terminal.until(r"> cas +running .*mailbox +running")
    terminal.type("t")
    terminal.until(r"stop cas \(sessions: 0\)\?  y yes, any other key no")
    terminal.type("y")
    terminal.until(r"> cas +stopped .*mailbox +running")
    assert states(running) == ["stopped", "running"]
    terminal.type("s")
    terminal.until(r"> cas +running ")
    terminal.type("j")
    terminal.until(r"> mailbox +running")
    terminal.type("d")
    terminal.until(r"> mailbox +stopped")
    terminal.type("r")
    terminal.until(r"restart mailbox \(sessions: 0\)\?")
    terminal.type("y")
    terminal.until(r"> mailbox +running")
    terminal.type("\x1b[A")
    terminal.until(r"> cas +running")
    terminal.type("l")
    terminal.until(r"level=info ev=service service=mailbox state=running")
    assert lib.PASSWORD not in terminal.text
    terminal.type("q")
    assert termios.tcgetattr(terminal.slave) is not None
    wait_until(lambda: terminal.process.poll() is not None)
    terminal.read()
    assert "\x1b[?25h" in terminal.text
    assert termios.tcgetattr(terminal.slave)[3] == terminal.before[3]
    assert terminal.close() == 0
    assert states(running) == ["running", "running"]


@pytest.mark.parametrize("key, verb", [("t", "stop"), ("r", "restart")])
def test_clients_are_not_cut_off_by_one_key(running, key, verb):
    with running.client("demo") as client:
        terminal = console(running)
        terminal.until(r"> cas +running +\S+ +\S+ +1 ")
        for answer in ("n", "\r", "\x1b", key, "q"):
            terminal.type(key)
            terminal.until(verb + r" cas \(sessions: 1\)\?")
            terminal.type(answer)
            terminal.until(verb + r" cas: not asked")
        client.ok(b"NOOP")
        terminal.type(key)
        terminal.until(verb + r" cas \(sessions: 1\)\?")
        terminal.type("\x03")
        assert terminal.close() == 0
        client.ok(b"NOOP")
    assert states(running) == ["running", "running"]


def test_it_moves_by_itself(running):
    terminal = console(running)
    terminal.until(r"> cas +running ")
    with running.client("demo"):
        terminal.until(r"> cas +running +\S+ +\S+ +1 ")
    terminal.until(r"> cas +running +\S+ +\S+ +0 ")
    terminal.type("\x03")
    assert terminal.close() == 0


@pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_colour(running, environment, coloured):
    terminal = console(running, **environment)
    shown = terminal.until(r"SERVICE.*mailbox +running.*quit")[0]
    assert ("\x1b[32m" in shown) == coloured
    terminal.type("q")
    assert terminal.close() == 0


def test_a_dumb_terminal_gets_a_table(running):
    terminal = console(running, TERM="dumb")
    terminal.until(r"name +state +since +asked-by +sessions +error")
    terminal.read()
    assert "\x1b" not in terminal.text
    assert terminal.close() == 0


def test_the_server_goes_away(running):
    terminal = console(running)
    terminal.until(r"> cas +running ")
    running.stop()
    terminal.until(r"ended the connection")
    assert terminal.close() == 75
