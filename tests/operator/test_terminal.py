"""Tables on a terminal are no wider than it, and nothing is left out for that; on a pipe each record is a line."""
import os
import re

import pytest

import server as lib
from terminal import Terminal

NAME = "ann-with-a-name-that-is-long-enough-to-matter@department.example.org"
SUBJECT = "a subject that goes on and on, as those of some people do who have never heard of lines"


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("demo",)) as running:
        running.add_user(NAME)
        with running.client(NAME) as client:
            client.ok(b'ID ("name" "A Mail Program With Many Words" "version" "1.2.3.4.5.6.7.8")')
            client.append(b"INBOX", lib.message(1).replace(b"Subject: ", b"Subject: %s " % SUBJECT.encode(), 1))
            client.ok(b"SELECT INBOX")
            client.ok(b"STORE 1 +FLAGS (\\Deleted)")
            client.ok(b"EXPUNGE")
            (running.data / "crash-1795910400.txt").write_text("imapd was ended by SIGSEGV\n")
            yield running


def shown(server, *words):
    with Terminal(lib.IMAPCTL, f"--config={server.config}", *words, env={**os.environ, "NO_COLOR": "1"}) as terminal:
        return terminal.ended().decode().replace("\r\n", "\n")


@pytest.mark.parametrize("words", [
    ["status"], ["status", "all"], ["who"], ["who", "--by=client"], ["user", "show", NAME], ["user", "list"], ["undelete", NAME, "--list"],
    ["quota", "--all"], ["stats"], ["health", "--light"], ["index", NAME]], ids=" ".join)
def test_width(server, words):
    text, piped = shown(server, *words), server.imapctl(*words, check=False).stdout
    assert piped.strip() and max(map(len, text.splitlines())) <= 80, text
    if words[0] not in ("who", "stats", "health"):		# figures change, and the table of sessions marks what it cuts off
        letters = [sorted(re.sub(r"\s", "", one)) for one in (text, piped)]
        assert len(letters[0]) >= len(piped.split()) and abs(len(letters[0]) - len(letters[1])) <= 20, "all of it is there"


def test_a_pipe_has_it_whole(server):
    line, = (line for line in server.imapctl("who").stdout.splitlines() if NAME in line)
    assert "A Mail Program With Many Words" in line
    listed = server.imapctl("undelete", NAME, "--list").stdout.splitlines()
    assert sum(SUBJECT in line for line in listed) == 1
    assert len(server.imapctl("user", "show", NAME).stdout.splitlines()) == 2
