"""FROM, TO, CC, BCC and SUBJECT look at the fields of the envelope structure, HEADER at the text of a field.

RFC 9051 section 6.4.4.
"""
import sqlite3

import pytest

from server import Server

pytestmark = pytest.mark.same_everywhere

LETTERS = [
    b"From: Ada (at work) <ada@example.org>\r\nSubject: one\r\nSubject: two\r\nMessage-ID: <1@a> (note)\r\n",
    b"From: \"Doe, John\"\r\n <john @ (x) example . org>\r\nTo: a@b\r\nTo: =?utf-8?Q?J=C3=B6rg?= <j@b>\r\n",
    b"From: eve@example.net (Eve Moneypenny)\r\nCc: Friends: x@y, \"z z\"@y;\r\nSubject:\r\n",
    b"From: =?utf-8?Q?J=C3=B6rg?=\r\n\t=?utf-8?Q?en?= <@relay.example:j@c>\r\nBcc: undisclosed-recipients:;\r\n",
    b"Subject: =?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=\r\n au lait\r\nMessage-Id: <5@a>\r\nMessage-Id:\r\n <6@b>\r\n",
    b"From: Nobody\r\nTo: Ada (at home) <ada@example.org>,\r\n bob@example.org\r\nMessage-ID:\r\n",
]

CASES = [
    # No comments in the envelope, unless they are the name.
    (b"FROM work", b""), (b"HEADER FROM work", b"1"), (b"FROM moneypenny", b"3"), (b"TO home", b""),
    # Names unquoted and decoded, folded fields as one line, addresses without space.
    (b'FROM "doe, john"', b"2"), (b'FROM "john@example.org"', b"2"), (b'HEADER FROM "john@example.org"', b""),
    (b'HEADER FROM "john @ (x) example . org"', b"2"), (b'FROM "ada <ada@example.org>"', b"1"),
    (b"FROM example.org", b"1:2"), (b"FROM {5+}\r\nJ\xc3\xb6RG", b"4"), (b"TO {5+}\r\nj\xc3\x96rg", b"2"),
    (b"FROM {7+}\r\nj\xc3\xb6rgen", b"4"), (b"FROM {6+}\r\njo\xcc\x88rg", b"4"), (b"FROM relay.example", b"4"),
    # All fields of a list, and groups; another field is another field.
    (b"TO a@b", b"2"), (b"TO j@b", b"2"), (b"CC friends", b"3"), (b'CC "z z@y"', b"3"), (b"BCC undisclosed", b"4"),
    (b"CC undisclosed", b""), (b"FROM bob", b""), (b"TO bob@", b"6"), (b"FROM nobody", b"6"),
    # The first Subject is that of the envelope.
    (b"SUBJECT one", b"1"), (b"SUBJECT two", b""), (b"HEADER SUBJECT two", b"1"),
    (b"SUBJECT {12+}\r\nCAF\xc3\x89 au lai", b"5"),
    # The empty text asks for the field.
    (b'SUBJECT ""', b"1,3,5"), (b'FROM ""', b"1:4,6"), (b'BCC ""', b"4"), (b'HEADER Message-ID ""', b"1,5:6"),
    # Message-ID: the text of each such field.
    (b"HEADER message-id note", b"1"), (b"HEADER Message-ID <6@b>", b"5"), (b"HEADER Message-ID 5@a", b"5"),
    (b"HEADER Message-ID @a><6", b""), (b"HEADER Message-ID @", b"1,5"),
    (b"OR SUBJECT one FROM nobody", b"1,6"), (b"NOT FROM example", b"5:6"), (b"FROM ada NOT HEADER FROM work", b""),
]


@pytest.fixture(scope="module")
def server():
    with Server(users=("demo",)) as server:
        fill(server)
        yield server


def fill(server):
    with server.client("demo") as client:
        for letter in LETTERS:
            assert client.append(b"INBOX", letter + b"\r\nx\r\n").is_ok


def find(client, keys):
    line, = client.ok(b"SEARCH RETURN (ALL) " + keys).untagged
    return line.partition(b" ALL ")[2]


@pytest.mark.parametrize("keys,expected", CASES)
def test_arrival(server, keys, expected):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert find(client, keys) == expected


def test_copies(server):
    with server.client("demo") as client:
        client.ok(b"CREATE copies")
        client.ok(b"SELECT INBOX")
        client.ok(b"COPY 1:* copies")
        client.ok(b"SELECT copies")
        assert [find(client, keys) for keys, _ in CASES] == [expected for _, expected in CASES]


@pytest.mark.parametrize("change", [
    "DELETE FROM searchable", "UPDATE searchable SET version = 1, subject = 'OTHER', message_id = NULL, from_list = NULL"])
def test_messages_of_an_older_release(change):
    """Of them nothing is kept, or what other libraries made of them, and the same is found; also the dates.

    With the index comes what is to be kept.
    """
    with Server(users=("demo",)) as server:
        fill(server)
        with server.client("demo") as client:
            assert client.append(b"INBOX", b"Date: 1 Jan 2020 10:00 +0000\r\nFrom: sent@example.com\r\n\r\nx\r\n").is_ok
        server.stop()
        file, = server.data.rglob("mail.db")
        database = sqlite3.connect(file)
        with database:
            assert database.execute(change).rowcount == len(LETTERS) + 1
        database.close()
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            assert [find(client, b"1:6 " + keys) for keys, _ in CASES] == [expected for _, expected in CASES]
            assert find(client, b"SENTON 1-Jan-2020") == find(client, b"FROM sent") == b"7"
        server.imapctl("index", "demo", "--rebuild")
        server.stop()
        database = sqlite3.connect(file)
        kept = database.execute("SELECT from_list FROM searchable JOIN index_state USING (version) ORDER BY content_id").fetchall()
        database.close()
        assert len(kept) == len(LETTERS) + 1 and kept[-1] == (b"<SENT@EXAMPLE.COM>",)


def test_long_fields(server):
    """What is too long to be kept is found in the header."""
    with server.client("demo") as client:
        client.ok(b"CREATE long")
        names = b",\r\n ".join(b"Name %d (%d) <user-%d@example.org>" % (n, n, n) for n in range(5000))
        assert client.append(b"long", b"Date: 1 Jan 2020 10:00 +0000\r\nTo: " + names + b"\r\nMessage-ID: <long@a>\r\n\r\n").is_ok
        client.ok(b"SELECT long")
        for keys in b'TO "name 4999 <user-4999@"', b"HEADER MESSAGE-ID long@", b"SENTON 1-Jan-2020", b'HEADER TO "(4999)"':
            assert find(client, keys) == b"1"
        assert find(client, b'TO "(4999)"') == b""
