"""SEARCH with an index: the same is found as without, and messages that cannot match are not opened."""
import base64
import sqlite3

import pytest

from server import Server

COUNT = 300
WORDS = "apple Grün straße naïve ﬁne İstanbul кошка 東京 zebra quick".split()
ENCODINGS = [
    lambda text: (b"Content-Type: text/plain; charset=utf-8\r\n", text.encode()),
    lambda text: (b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
                  base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")),
    lambda text: (b"Content-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n",
                  base64.encodebytes(text.encode("utf-16le")).replace(b"\n", b"\r\n")),
]


def letter(number):
    words = [WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 7)]
    headers, body = ENCODINGS[number % 3](" ".join(words) + f" number{number} " + "filling " * (number * 7 % 90))
    name = WORDS[number % len(WORDS)]
    return (f"From: {name} (secret{number % 5}) <user{number % 9}@example.org>\r\nSubject: {words[1]} about {number}\r\n"
            f"Message-ID: <{number}@id.example>\r\nX-Kind: kind{number % 4}\r\n").encode() + headers + b"\r\n" + body


def key(text):
    octets = text.encode()
    return b"{%d+}\r\n%s" % (len(octets), octets)


KEYS = [kind + b" " + key(text) for kind in (b"BODY", b"TEXT", b"SUBJECT", b"FROM", b"HEADER X-Kind")
        for text in ("apple", "GRÜN", "grün", "STRASSE", "straße", "fine", "ﬁne", "istanbul", "i̇stanbul", "КОШКА", "東京",
                     "東", "ra q", "zz", "a", "number7", "kind2", "secret3", "user4@example.org", "nowhere at all")]
KEYS += [b"HEADER Message-ID <7", b"HEADER message-id @id.example>", b"HEADER FROM secret2", b"TEXT secret2",
         b"TEXT \"X-Kind: kind3\"", b"NOT BODY apple", b"OR BODY number17 FROM user3@", b"NOT (OR SUBJECT zebra TEXT kind1) 50:250",
         b"NOT NOT BODY nowhere", b"BODY apple BODY zebra NOT SUBJECT quick", b"BODY \"" + b"filling " * 40 + b"\""]


@pytest.fixture(scope="module")
def server():
    with Server(users=("demo",)) as server:
        with server.client("demo") as client:
            for first in range(0, COUNT, 100):
                client.ok(b"APPEND INBOX" + b" {}" * 100, *[letter(first + n) for n in range(100)])
        yield server


def find_all(server):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        return [client.ok(b"SEARCH RETURN (ALL) CHARSET UTF-8 " + key).untagged[0].partition(b")")[2] for key in KEYS]


def database(server):
    file, = server.data.rglob("mail.db")
    return sqlite3.connect(file)


@pytest.fixture(scope="module")
def scanned(server):
    """What is found without an index."""
    server.stop()
    with database(server) as file:
        file.execute("DELETE FROM index_state")
    server.start()
    return find_all(server)


@pytest.mark.same_everywhere
def test_same_as_without(server, scanned):
    assert len(set(scanned)) > 30 and len(set(scanned[-11:])) > 7
    assert find_all(server) == scanned
    server.imapctl("index", "demo")
    server.stop()
    server.start()
    assert find_all(server) == scanned
    assert find_all(server) == scanned


def test_half_of_it_indexed(server, scanned):
    """The other half has come in since."""
    server.stop()
    with database(server) as file:
        file.execute("UPDATE index_state SET indexed_through = indexed_through / 2")
    server.start()
    assert find_all(server) == scanned


@pytest.mark.same_everywhere
@pytest.mark.parametrize("damage", ["UPDATE index_slots SET contents = x'FFFFFF'", "DELETE FROM index_slots", "DELETE FROM index_row",
                                    "UPDATE index_row SET octets = substr(octets, 1, 7)", "UPDATE index_block SET width = 0",
                                    "UPDATE index_block SET width = 30720", "UPDATE index_block SET width = -1",
                                    "UPDATE index_state SET indexed_through = -1 << 63", "UPDATE index_state SET indexed_through = 1 << 62"])
def test_damaged_index(server, scanned, damage):
    """It is not asked then: what is found is the same."""
    server.imapctl("index", "demo", "--rebuild")
    server.stop()
    with database(server) as file:
        file.execute("PRAGMA ignore_check_constraints = ON")    # as an octet of the disk does
        assert file.execute(damage).rowcount > 0
    server.start()
    assert find_all(server) == scanned


def test_misses_open_nothing(server):
    """Nor do messages that cannot match hinder a search when they cannot be read."""
    server.imapctl("index", "demo", "--rebuild")
    server.stop()
    with database(server) as file:
        file.execute("UPDATE chunk SET encoding = 99 WHERE id >> 20 <> 8")
        file.execute("DELETE FROM searchable WHERE content_id <> 8")
    server.start()
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        for kind in b"BODY", b"TEXT", b"SUBJECT", b"FROM", b"HEADER X-Kind", b"HEADER Message-ID":
            assert client.ok(b"SEARCH " + kind + b" xyzzy-nowhere").untagged == [b"* SEARCH"]
        assert client.ok(b"SEARCH 8 BODY number7").untagged == [b"* SEARCH 8"]
        assert not client.command(b"SEARCH BODY number9").is_ok
        assert not client.command(b"SEARCH BODY yq").is_ok
