"""storage-compression: what lies in the file, what clients get, and what a damaged row is called."""
import re
import sqlite3

import pytest

import server as lib

TEXT = lib.message(1, b"".join(b"This is line %d of a text.\r\n" % number for number in range(5000)))
NOISE = lib.message(2, lib.noise(1, 144000))
HEXADECIMAL = lib.message(3, lib.noise(1, 72000).hex("\n", 38).replace("\n", "\r\n").encode() + b"\r\n")


@pytest.fixture
def server():
    with lib.Server() as server:
        yield server


def rows(server):
    """Whether the rows of each content are compressed, of a server that has stopped."""
    path, = server.data.rglob("mail.db")
    with sqlite3.connect(path) as shell:
        found = {}
        for content, position, encoding in shell.execute("SELECT id >> 20, id & 1048575, encoding FROM chunk ORDER BY id"):
            found.setdefault(content, []).append(encoding)
        return found


def set_compression(server, word):
    server.settings = [f"storage-compression {word}"]
    server.write_config()
    assert server.imapctl("reload").stderr == ""


def test_live(server):
    """A reload says how the next message is kept, in sessions that are there; each comes back whole."""
    with server.client("demo") as client, server.lmtp() as sender:
        client.append(b"INBOX", TEXT)
        client.append(b"INBOX", NOISE)
        set_compression(server, "none")
        client.append(b"INBOX", TEXT)
        assert sender.deliver(TEXT, b"demo")[0].startswith(b"250")
        set_compression(server, "zstd")
        client.append(b"INBOX", TEXT)
        assert sender.deliver(TEXT, b"demo")[0].startswith(b"250")
        client.append(b"INBOX", HEXADECIMAL)
        client.ok(b"SELECT INBOX")
        for number, letter in ((1, TEXT), (2, NOISE), (3, TEXT), (5, TEXT), (7, HEXADECIMAL)):
            assert client.fetch_body(number) == letter
        for number in (4, 6):
            assert lib.delivered(client.fetch_body(number))[1] == lib.as_delivered(TEXT)
        octets = client.fetch_body(5, b"BODY.PEEK[]<70000.50000>")
        assert octets == TEXT[70000:120000]
        assert b"Subject:" in client.ok(b"FETCH 5 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").untagged[0]
    assert server.stop() == 0
    found = rows(server)
    assert [set(found[content][1:]) for content in sorted(found)] == [{1}, {0}, {0}, {0}, {1}, {1}, {1}]
    assert [found[content][0] for content in sorted(found)] == [2, 2, 0, 0, 2, 2, 2]
    size = {content: len(found[content]) for content in found}
    assert size[1] == size[3] == size[5] > 3


def test_damaged_row(server):
    """One octet of a compressed row: NO, a line in the log, and the other messages as ever."""
    with server.client("demo") as client:
        for _ in range(2):
            client.append(b"INBOX", TEXT)
    assert server.stop() == 0
    path, = server.data.rglob("mail.db")
    with sqlite3.connect(path) as shell:
        shell.execute("UPDATE chunk SET octets = CAST(substr(octets, 1, 99) || x'00' || substr(octets, 101) AS BLOB) "
                      "WHERE id = 1 << 20 | 2")
    server.start()
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(1, b"BODY.PEEK[]<0.20000>") == TEXT[:20000]
        try:
            reply = client.command(b"FETCH 1 BODY.PEEK[]<60000.10000>")
            assert b"NO [CORRUPTION]" in reply.tagged
        except EOFError:
            pass        # within a literal there is no other way to say it
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(2) == TEXT
    lib.wait_until(lambda: any(re.search(r"ev=store-failed .*reason=damaged", line) for line in server.log_lines))
    server.imapctl("acknowledge", "demo")


def answer(server, command):
    """None: the connection has ended, as it must when a slice of the FETCH ended within the line."""
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        try:
            return client.command(command)
        except EOFError:
            return None


def test_damaged_short_message(server):
    """What fits in one piece is not begun when it cannot be ended: NO, behind the messages before it."""
    letters = [lib.message(number, b"A line of the text.\r\n" * 50) for number in (1, 2, 3)]
    with server.client("demo") as client:
        for letter in letters:
            client.append(b"INBOX", letter)
    assert server.stop() == 0
    path, = server.data.rglob("mail.db")
    with sqlite3.connect(path) as shell:
        shell.execute("UPDATE chunk SET encoding = 99 WHERE id = 2 << 20 | 1")
    server.start()
    for items in b"BODY.PEEK[]", b"(UID BODY.PEEK[TEXT])", b"BODY.PEEK[]<5.700>", b"BINARY.PEEK[1]":
        replies = []
        lib.wait_until(lambda: replies.append(answer(server, b"FETCH 1:3 " + items)) or replies[-1])
        assert b"NO [CORRUPTION]" in replies[-1].tagged
        assert len(replies[-1].untagged) == 1 and replies[-1].untagged[0].startswith(b"* 1 FETCH ")
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(3) == letters[2]
    server.imapctl("acknowledge", "demo")
