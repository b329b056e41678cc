"""METADATA (RFC 5464): what a transcript cannot say; metadata.imap has the examples of the RFCs."""
import pytest

import responses
import server as lib

SETTINGS = ('server-comment "Ask in room 5, Zoë"', "server-admin mailto:postmaster@example.org")
VALUE_MAX = 65536
MAILBOX_MAX = 1024 * 1024
COUNT_MAX = 1000
TOLD = b"* METADATA one (/private/comment "


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=SETTINGS, users=("demo", "ada")) as running:
        yield running


@pytest.fixture
def client(server):
    with server.client("demo") as running:
        running.ok(b"CREATE one")
        yield running
        running.ok(b"DELETE one")


def metadata(client, mailbox, entry, options=b""):
    """What GETMETADATA tells of an entry, a line for each value."""
    return client.ok(b"GETMETADATA %s%s %s" % (options, mailbox, entry)).untagged


def test_any_octets_come_back(client):
    for value in (b"", b"NIL", b'"\\', b"a\r\nb", b"a\rb\nc", bytes(range(256)), "Grüße".encode(), b"x" * VALUE_MAX, b"\0" * VALUE_MAX):
        client.ok(b"SETMETADATA one (/private/comment ~{%d+}\r\n%s)" % (len(value), value))
        line, = metadata(client, b"one", b"/private/comment")
        assert line.startswith(TOLD) and line.endswith(b")")
        assert responses.Reader(line[len(TOLD):-1], True, True).string() == value


def test_value_too_long(client):
    client.ok(b'SETMETADATA one (/private/comment "old")')
    answer = client.command(b'SETMETADATA one (/private/a "new" /private/comment {%d+}\r\n%s)' % (VALUE_MAX + 1, b"x" * (VALUE_MAX + 1)))
    assert answer.tagged.split(b" ", 1)[1].startswith(b"NO [METADATA MAXSIZE %d] " % VALUE_MAX)
    assert metadata(client, b"one", b"(/private/a /private/comment)") == [
        b"* METADATA one (/private/a NIL)", b'* METADATA one (/private/comment "old")']


def test_too_many(client):
    for first in range(0, COUNT_MAX, 100):
        client.ok(b"SETMETADATA one (%s)" % b" ".join(b'/private/a/%d "%d"' % (n, n) for n in range(first, first + 100)))
    answer = client.command(b'SETMETADATA one (/private/a/1 "other" /private/b "x")')
    assert answer.tagged.split(b" ", 1)[1].startswith(b"NO [METADATA TOOMANY] ")
    assert metadata(client, b"one", b"/private/a/1") == [b'* METADATA one (/private/a/1 "1")']
    client.ok(b'SETMETADATA one (/private/a/1 NIL /private/b "x")')
    assert len(metadata(client, b"one", b"/private/a", b"(DEPTH 1) ")) == COUNT_MAX - 1
    assert client.ok(b"SETMETADATA INBOX (/private/b NIL)").is_ok


def test_too_much_together(client):
    for number in range(MAILBOX_MAX // VALUE_MAX):
        client.ok(b"SETMETADATA one (/private/a/%d {%d+}\r\n%s)" % (number, VALUE_MAX, b"x" * VALUE_MAX))
    assert client.command(b'SETMETADATA one (/shared/b "x")').tagged.split(b" ", 1)[1].startswith(b"NO [METADATA TOOMANY] ")
    told = metadata(client, b"one", b"(/private /shared)", b"(DEPTH infinity) ")
    assert sum(map(len, told)) > MAILBOX_MAX and len(told) == MAILBOX_MAX // VALUE_MAX


def test_too_many_entries_are_asked_for(client):
    entries = b" ".join(b"/private/%d" % n for n in range(101))
    assert client.command(b"GETMETADATA one (%s)" % entries).tagged.split(b" ", 1)[1].startswith(b"NO [LIMIT] ")
    assert client.command(b'LIST "" * RETURN (METADATA (%s))' % entries).tagged.split(b" ", 1)[1].startswith(b"NO [LIMIT] ")


def test_a_mailbox_takes_them_along(client):
    client.ok(b'SETMETADATA one (/private/comment "mine" /shared/comment "all")')
    client.ok(b"RENAME one two")
    assert metadata(client, b"two", b"/private/comment") == [b'* METADATA two (/private/comment "mine")']
    client.ok(b"DELETE two")
    client.ok(b"CREATE two")
    assert metadata(client, b"two", b"/private", b"(DEPTH infinity) ") == []
    client.ok(b"RENAME two one")


def test_inbox_keeps_them(client):
    """Section 4.1: both have them."""
    client.ok(b'SETMETADATA INBOX (/private/comment "mine")')
    client.ok(b"RENAME INBOX three")
    for name in b"INBOX", b"three":
        assert metadata(client, name, b"/private/comment") == [b'* METADATA %s (/private/comment "mine")' % name]
    client.ok(b"SETMETADATA INBOX (/private/comment NIL)")
    assert metadata(client, b"three", b"/private/comment") == [b'* METADATA three (/private/comment "mine")']
    client.ok(b"DELETE three")


def test_server(server, client):
    """Section 6.2: the operator says what all see; what a client keeps there is its user's alone."""
    comment = "Ask in room 5, Zoë".encode()
    assert metadata(client, b'""', b"(/shared/comment /shared/admin)") == [
        b'* METADATA "" (/shared/comment {%d}\r\n%s)' % (len(comment), comment),
        b'* METADATA "" (/shared/admin "mailto:postmaster@example.org")']
    assert len(metadata(client, b'""', b"/shared", b"(DEPTH 1) ")) == 2
    answer = client.ok(b'GETMETADATA (MAXSIZE 20) "" (/shared/comment /shared/admin)')
    assert answer.untagged == [b'* METADATA "" (/shared/comment {%d}\r\n%s)' % (len(comment), comment)]
    assert b" OK [METADATA LONGENTRIES 29] " in answer.tagged
    for entry in b"/shared/comment", b"/SHARED/admin", b"/shared/vendor/a/b":
        assert client.command(b'SETMETADATA "" (%s "x")' % entry).tagged.split(b" ", 1)[1].startswith(b"NO [NOPERM] ")
        assert client.command(b'SETMETADATA "" (/private/a "x" %s NIL)' % entry).tagged.split(b" ", 1)[1].startswith(b"NO [NOPERM] ")
    assert metadata(client, b'""', b"/private/a") == [b'* METADATA "" (/private/a NIL)']
    client.ok(b'SETMETADATA "" (/private/vendor/a/b "x")')
    with server.client("ada") as other:
        assert metadata(other, b'""', b"/private/vendor/a/b") == [b'* METADATA "" (/private/vendor/a/b NIL)']
    assert metadata(client, b'""', b"/private/vendor/a/b") == [b'* METADATA "" (/private/vendor/a/b "x")']


def test_after_a_start(client, server):
    client.ok(b'SETMETADATA one (/private/Comment "mine")')
    with server.client("demo") as other:
        assert metadata(other, b"one", b"/private", b"(DEPTH 1) ") == [b'* METADATA one (/private/Comment "mine")']


def test_names_are_told_as_others_are(client):
    client.ok(b"CREATE &APY-")
    assert metadata(client, b"&APY-", b"/private/a") == [b"* METADATA &APY- (/private/a NIL)"]
    client.ok(b"ENABLE IMAP4rev2")
    assert metadata(client, '"ö"'.encode(), b'"/private/a b"') == ['* METADATA "ö" ("/private/a b" NIL)'.encode()]
    client.ok('DELETE "ö"'.encode())


def test_list_of_many(client):
    """Larger than a piece of an answer."""
    for number in range(30):
        client.ok(b"CREATE many/%d" % number)
        client.ok(b"SETMETADATA many/%d (/private/comment {20000+}\r\n%s)" % (number, b"%d" % (number % 10) * 20000))
    lines = client.ok(b'LIST "" many/* RETURN (METADATA (/private/comment /shared/comment))').untagged
    assert len(lines) == 90 and sum(map(len, lines)) > 600000
    for name, mine, shared in zip(lines[::3], lines[1::3], lines[2::3]):
        mailbox = name.rsplit(b" ", 1)[1]
        assert mine.startswith(b"* METADATA %s (/private/comment {20000}\r\n" % mailbox)
        assert shared == b"* METADATA %s (/shared/comment NIL)" % mailbox
    for number in range(30):
        client.ok(b"DELETE many/%d" % number)


def test_notify(client, server):
    """RFC 5465 sections 5.6 and 5.7: only what others change, and the names of the entries alone."""
    with server.client("demo") as watcher, server.client("demo") as blind:
        watcher.ok(b"NOTIFY SET (mailboxes one (MailboxMetadataChange)) (inboxes (ServerMetadataChange))")
        blind.ok(b"NOTIFY SET (mailboxes one (MailboxName))")
        client.ok(b'SETMETADATA one (/private/comment "a" /shared/comment NIL)')
        client.ok(b'SETMETADATA INBOX (/private/comment "a")')
        client.ok(b'SETMETADATA "" (/private/x "a")')
        told = []
        while len(told) < 3:
            told += watcher.ok(b"NOOP").untagged
        assert told == [b"* METADATA one /private/comment", b"* METADATA one /shared/comment", b'* METADATA "" /private/x']
        watcher.ok(b'SETMETADATA one (/private/comment "b")')
        client.ok(b"SETMETADATA one (/private/comment NIL)")
        told = []
        while not told:
            told += watcher.ok(b"NOOP").untagged
        assert told == [b"* METADATA one /private/comment"]
        assert blind.ok(b"NOOP").untagged == []
