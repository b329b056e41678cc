"""Who may not do what a verb does is told so before anything is asked: no password is typed in vain."""
import os

import pytest

import grouped
import server as lib
from terminal import Terminal


@pytest.fixture(scope="module")
def server():
    grouped.skip_unless_possible()
    with grouped.Grouped() as running:
        yield running


def on_a_terminal(server, uid, *words):
    setpriv = [lib.need("setpriv"), f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return Terminal(*setpriv, lib.IMAPCTL, f"--config={server.config}", *words, env={**os.environ, "NO_COLOR": "1"})


ASKING = [["user", "add", "ann"], ["user", "passwd", "demo"], ["user", "del", "demo"], ["user", "del", "demo", "--purge"],
          ["user", "purge", "gone"], ["user", "renew", "demo"], ["verify", "demo", "--repair"], ["kick", "127.0.0.0/8"],
          ["import", "demo", "imap://ann@127.0.0.1:1"], ["restore", "/nowhere", "demo", "--replace"], ["move", "demo", "mbx2"]]


@pytest.mark.parametrize("uid", [grouped.NEITHER, grouped.VIEW])
@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_nothing_is_asked_in_vain(server, uid, words):
    with on_a_terminal(server, uid, *words) as terminal:
        assert terminal.process.wait(lib.LIMIT_S) == 77, terminal.shown
        terminal.reader.join(lib.LIMIT_S)
        shown = terminal.shown.decode()
    assert "no permission: become a member of the group imapd-admin" in shown, shown
    assert "?" not in shown and "assword" not in shown, shown
    piped = server.as_user(uid, *words)
    assert piped.returncode == 77, piped


def asked(terminal, what):
    lib.wait_until(lambda: what in terminal.shown or terminal.process.poll() is not None)
    assert what in terminal.shown, terminal.shown


def test_who_may_is_asked(server):
    with on_a_terminal(server, grouped.CHANGE, "user", "del", "demo") as terminal:
        asked(terminal, b"?")
        terminal.type(b"no\n")
        assert terminal.process.wait(lib.LIMIT_S) == 64
    with on_a_terminal(server, grouped.CHANGE, "user", "passwd", "demo") as terminal:
        for prompt in (b"Password for demo: ", b"Again: "):
            asked(terminal, prompt)
            terminal.type(b"another one\n")
        assert terminal.process.wait(lib.LIMIT_S) == 0, terminal.shown
