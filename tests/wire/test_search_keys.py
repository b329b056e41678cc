"""Searches with thousands of keys hold up nobody: neither other users nor the user's own sessions."""
import select

import pytest

from server import LIMIT_S, Server, wait_until

pytestmark = pytest.mark.same_everywhere

# Keys that no message decides before the last.
MANY = 3000


@pytest.fixture(scope="module")
def server():
    with Server(users=("demo", "other")) as server:
        yield server


def fill(client, count):
    """Make INBOX hold at least so many messages, and select it."""
    letter = b"Subject: x\r\n\r\nx\r\n"
    client.ok(b"APPEND INBOX" + b" {}" * 500, *[letter] * 500)
    client.ok(b"SELECT INBOX")
    while count > 500:
        client.ok(b"COPY 1:* INBOX")
        client.ok(b"NOOP")
        count //= 2


def test_others_are_answered_meanwhile(server):
    """Ten answers to somebody else while the loop tests many keys on many messages.

    Who is not given the processor meanwhile tries again.
    """
    with server.client("demo") as searching, server.client("other") as other:
        fill(searching, 8000)

        def is_answered_often():
            tag, count = searching.tag(), 0
            searching.send(tag + b" SEARCH RETURN (COUNT) " + b"NOT UID 1000000000 " * MANY + b"NOT ALL\r\n")
            while not select.select([searching.socket], [], [], 0)[0]:
                other.ok(b"NOOP")
                count += 1
            assert searching.reply(tag).is_ok
            return count >= 10

        wait_until(is_answered_often)


def test_own_sessions_are_answered_meanwhile(server):
    """Looking through a long message again and again takes a minute or more; jobs of the same user come in between."""
    with server.client("demo") as searching, server.client("demo") as other:
        searching.ok(b"CREATE long")
        assert searching.append(b"long", b"\r\n" + b"0123456789abcdef\r\n" * 2000000).is_ok
        searching.ok(b"SELECT long")
        searching.send(b"a NOOP\r\n" + b"b SEARCH BODY zz NOT BODY zz1\r\n" * 2000)
        assert searching.reply(b"a").is_ok
        other.socket.settimeout(LIMIT_S)
        other.ok(b"CREATE meanwhile")
        server.imapctl("kick", "demo")
        wait_until(lambda: "demo" not in server.imapctl("who").stdout)


def test_more_body_keys_than_are_looked_for_at_once(server):
    """All keys are answered, whichever of them time was up at."""
    words = [b"word%d" % i for i in range(50)]
    text = b"Subject: x\r\n\r\n" + b"filler of some lines\r\n" * 100000 + b" ".join(words) + b"\r\n"
    with server.client("other") as client:
        assert client.append(b"INBOX", text).is_ok
        client.ok(b"SELECT INBOX")

        def count(keys):
            return client.ok(b"SEARCH RETURN (COUNT) " + keys).untagged[-1].endswith(b" COUNT 1")

        there = b"".join(b"BODY %s " % word for word in words)
        absent = b"".join(b"OR BODY no%s " % word for word in words)
        texts = b"".join(b"TEXT %s SUBJECT x " % word for word in words)
        assert count(there + b"ALL")
        assert not count(there + b"BODY no")
        assert count(there.replace(b"BODY", b"NOT NOT BODY") + texts + b'BODY ""')
        assert count(absent + b"BODY word49")
        assert not count(absent + b"BODY word50")
        assert not count(texts + b"NOT TEXT word7")


@pytest.mark.parametrize("kind", [b"TEXT", b"BODY", b"SUBJECT", b"FROM", b"HEADER X-Words", b"HEADER Message-ID"])
def test_many_different_keys(server, kind):
    """Each of many keys is found where it is, and only there, whatever others have in common with it."""
    there = [b"w%d" % number for number in range(0, 1000, 7)]
    words = b" ".join(there)
    with server.client("other") as client:
        name = b"many " + kind
        client.ok(b'CREATE "' + name + b'"')
        client.append(b'"' + name + b'"', b"Subject: %s\r\nX-Other: w1 w2 w3\r\nX-Words: %s\r\nX-Words: w999z\r\n"
                      b"Message-ID: <%s@x>\r\nFrom: %s <a@x>\r\n\r\n%s\r\n" % ((words,) * 5))
        client.ok(b'SELECT "' + name + b'"')

        def finds(keys):
            return client.ok(b"SEARCH RETURN (COUNT) " + keys).untagged[-1].endswith(b" COUNT 1")

        absent = b"".join(b"NOT %s w%dx " % (kind, number) for number in range(1000))
        assert finds(b"".join(kind + b" " + word + b" " for word in there) + b"ALL")
        assert finds(absent + kind + b" w994")
        assert finds(absent + kind + b' "w98 w105"')
        assert not finds(absent.replace(b"w994x", b"w994"))
