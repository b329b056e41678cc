"""Clients that ask without reading, watch without reading, or leave in the middle: what the server holds
for them is bounded, and nobody else notices.
"""
import base64
import random
import socket

import pytest

import server as lib

IS_SANITIZED = "san" in lib.IMAPD.parent.name
GROWTH_KIB = 16 * 1024


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("reader", "victim")) as running:
        yield running


def push(connection, octets, most):
    """Send until the other side takes no more for a second; returns how much it took."""
    connection.settimeout(1)
    taken = 0
    try:
        while taken < most:
            taken += connection.send(octets)
    except (socket.timeout, ConnectionError):
        pass
    return taken


@pytest.mark.parametrize("port,question", [
    ("imap_port", b"a CAPABILITY\r\n"), ("lmtp_port", b"HELP\r\n"), ("lmtp_port", b"NOOP\r\n"),
])
def test_questions_without_reading_the_answers(server, port, question):
    """Pipelining stops where answers pile up, also before login."""
    before = server.rss_kib()
    with socket.create_connection(("127.0.0.1", getattr(server, port))) as connection:
        taken = push(connection, question * 10000, 32 << 20)
        grown = server.rss_kib() - before
    assert taken < 32 << 20, "the server takes any number of questions"
    assert IS_SANITIZED or grown < GROWTH_KIB, f"{grown} KiB"


def test_answers_are_whole_after_a_pause(server):
    """Whoever reads late gets every answer."""
    with socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S) as connection:
        sent = push(connection, b"a NOOP\r\n" * 1000, 1 << 20) // len(b"a NOOP\r\n")
        connection.settimeout(lib.LIMIT_S)
        answers = b""
        while answers.count(b"a OK Done\r\n") < sent:
            more = connection.recv(1 << 16)
            assert more, f"{answers.count(b'a OK')} of {sent}"
            answers += more


def fill(client, mailbox, count):
    """Many small messages by few commands."""
    letter = lib.message(1, b"x\r\n")
    for _ in range(count // 500):
        client.send(b"f APPEND " + mailbox + b" {%d+}\r\n%s" % (len(letter), letter) * 500 + b"\r\n")
        assert client.reply(b"f").is_ok


def read_flags(client, flags, until):
    """Believe what the lines say, up to the one that begins so."""
    while True:
        line = client.line()
        assert line, "the connection ended"
        if line.startswith(until):
            return line
        words = line.split(b" ", 3)
        if words[2] == b"FETCH":
            flags[int(words[1])] = b"\\Seen" in line


def test_watchers_that_do_not_read(server):
    """IDLE is state, not a queue: the changes of a whole mailbox, for many who do not read, cost nothing."""
    count, watchers = 5000, []
    with server.client("reader") as writer, server.client("victim") as other:
        writer.ok(b"CREATE watched")
        fill(writer, b"watched", count)
        writer.ok(b"SELECT watched")
        for _ in range(100):
            watcher = server.client("reader")
            watcher.ok(b"SELECT watched")
            watcher.send(b"i IDLE\r\n")
            assert watcher.line().startswith(b"+")
            watchers.append(watcher)
        before = server.rss_kib()
        for turn in range(7):
            writer.ok(b"STORE 1:* %sFLAGS.SILENT (\\Seen)" % (b"-" if turn % 2 else b"+"))
            other.ok(b"NOOP")
        grown = server.rss_kib() - before
        assert IS_SANITIZED or grown < 2 * GROWTH_KIB, f"{grown} KiB"
        writer.ok(b"STORE 7 -FLAGS (\\Seen)")
        for number, watcher in enumerate(watchers):
            if number < 3:	# those who read after all learn how it is, before DONE's reply at the latest
                flags = {}
                watcher.send(b"DONE\r\n")
                read_flags(watcher, flags, b"i OK")
                assert flags == {n: n != 7 for n in range(1, count + 1)}
            watcher.close()


def test_much_news_before_one_reply(server):
    """Thousands of EXPUNGE and FETCH lines before NOOP's reply: all of them, in order, then the reply."""
    with server.client("reader") as writer, server.client("reader") as reader:
        writer.ok(b"CREATE news")
        fill(writer, b"news", 10000)
        writer.ok(b"SELECT news")
        reader.ok(b"SELECT news")
        writer.ok(b"STORE 1:9000 +FLAGS.SILENT (\\Deleted)")
        writer.ok(b"EXPUNGE")
        writer.ok(b"STORE 1:* +FLAGS.SILENT (\\Seen)")
        fill(writer, b"news", 500)
        news = reader.ok(b"NOOP").untagged
        assert [line for line in news if line.endswith(b"EXPUNGE")] == [b"* 1 EXPUNGE"] * 9000
        seen = [line for line in news if b"FETCH" in line]
        assert len(seen) == 1000 and all(b"\\Seen" in line for line in seen)
        assert b"* 1500 EXISTS" in news
        assert reader.ok(b"NOOP").untagged == []


@pytest.mark.skipif(IS_SANITIZED, reason="the allocator of the sanitizer keeps what was freed")
def test_pages_of_many_files():
    """What is held of the files of users who were there a moment ago has a bound for all of them together."""
    users = [f"user{number}" for number in range(64)]
    letter = lib.message(1, base64.encodebytes(random.Random(1).randbytes(1000000)).replace(b"\n", b"\r\n"))
    with lib.Server(users=users) as server:
        before = server.rss_kib()
        with server.lmtp() as sender:
            for _ in range(2):
                replies = sender.deliver(letter, *(user.encode() for user in users))
                assert all(reply.startswith(b"250") for reply in replies) and len(replies) == len(users)
        grown = server.rss_kib() - before
        print(f"{grown} KiB for {len(users)} files")
        assert grown < 60 * 1024        # each may hold 1 MB, and 80 MB were held
