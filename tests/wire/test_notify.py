"""NOTIFY (RFC 5465) with many sessions: one look for a change, whoever watches; nothing within a reply; bounds."""
import re

import pytest

import server as lib

WATCHERS = 100


def status_of(line):
    return {key: int(value) for key, value in re.findall(rb"([A-Z]+) (\d+)", line.split(b"(", 1)[1])}


@pytest.fixture
def writer(shared_server, user):
    with shared_server.client(user) as connected:
        connected.ok(b"CREATE box")
        yield connected


def watcher(server, user, groups):
    connected = server.client(user)
    connected.ok(b"NOTIFY SET " + groups)
    return connected


def test_all_watchers_are_told_the_same(shared_server, user, writer):
    watchers = [watcher(shared_server, user, b"(personal (MessageNew MessageExpunge))") for _ in range(WATCHERS)]
    for number in range(20):
        assert writer.append(b"box", lib.message(number)).is_ok
    for client in watchers:
        told = 0
        while told < 20:		# changes that come together are told together
            values = status_of(client.line())
            assert told < values[b"MESSAGES"] == values[b"UIDNEXT"] - 1
            told = values[b"MESSAGES"]
        assert client.ok(b"NOOP").untagged == []
        client.close()


def test_nothing_within_a_reply(shared_server, user, writer):
    """While a long FETCH is sent, mailboxes change: their lines come behind it."""
    body = b"Subject: long\r\n\r\n" + b"0123456789abcdef\r\n" * 40_000
    for _ in range(8):
        assert writer.append(b"box", body).is_ok
    with watcher(shared_server, user, b"(personal (MessageNew MessageExpunge))") as client:
        client.ok(b"SELECT box")
        client.send(b"f FETCH 1:* (BODY.PEEK[])\r\n")
        for number in range(10):
            assert writer.append(b"INBOX", lib.message(number)).is_ok
        reply = client.reply(b"f")
        bodies = [line for line in reply.untagged if b"FETCH" in line[:20]]
        assert [line.split(b"}\r\n", 1)[1][:-1] for line in bodies] == [body] * 8
        lines = [line for line in reply.untagged if line not in bodies]
        while not lines or status_of(lines[-1])[b"MESSAGES"] < 10:
            lines.append(client.line())
        assert all(line.startswith(b"* STATUS INBOX ") for line in lines)


def test_new_messages_in_pieces(shared_server, user, writer):
    """Hundreds of messages that come at once are told once each, with what was asked for."""
    with shared_server.client(user) as client:
        client.ok(b"SELECT box")
        client.ok(b"NOTIFY SET (selected (MessageNew (UID BODY.PEEK[TEXT]) MessageExpunge FlagChange))")
        count, message = 300, b"Subject: x\r\n\r\n" + b"y" * 2000
        for _ in range(3):
            writer.ok(b"APPEND box" + b" {}" * (count // 3), *[message] * (count // 3))
        told, exists = [], 0
        while len(told) < count:
            line = client.line()
            if line.endswith(b" EXISTS"):
                exists = int(line.split()[1])
            elif b" FETCH (UID " in line:
                number, uid = re.match(rb"\* (\d+) FETCH \(UID (\d+)", line).groups()
                assert int(number) <= exists, "FETCH before EXISTS"
                assert b"BODY[TEXT] {2000}" in line
                told.append(int(uid))
        assert told == list(range(1, count + 1))


def test_a_client_that_does_not_read(shared_server, user, writer):
    """What it misses is kept as it is last, and is told when it reads again."""
    with watcher(shared_server, user, b"(personal (MessageNew MessageExpunge FlagChange MailboxName))") as client:
        for number in range(300):
            assert writer.append(b"box", lib.message(number)).is_ok
        values = {b"MESSAGES": 0}
        while values[b"MESSAGES"] < 300:
            values = status_of(client.line())
        assert client.ok(b"NOOP").untagged == []


def test_what_waits_when_it_is_asked_for_anew(shared_server, user, writer):
    """NOTIFY SET without STATUS does not tell anew what is: what happened before it must not be lost."""
    body = b"Subject: long\r\n\r\n" + b"0123456789abcdef\r\n" * 400_000
    assert writer.append(b"box", body).is_ok
    with watcher(shared_server, user, b"(personal (MessageNew MessageExpunge))") as client:
        client.ok(b"SELECT box")
        client.send(b"f FETCH 1 (BODY.PEEK[])\r\nn NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))\r\n")
        assert writer.append(b"INBOX", lib.message(1)).is_ok
        lines = client.reply(b"f").untagged[1:] + client.reply(b"n").untagged
        assert [status_of(line)[b"MESSAGES"] for line in lines if line.startswith(b"* STATUS INBOX")] == [1]


def test_overflow(shared_server, user, writer):
    """More names than are kept for a session that is busy: it is told so, and then nothing (section 5.8)."""
    body = b"Subject: long\r\n\r\n" + b"0123456789abcdef\r\n" * 400_000
    assert writer.append(b"box", body).is_ok
    writer.ok(b"SELECT box")
    for _ in range(3):
        writer.ok(b"COPY 1:* box")
    with watcher(shared_server, user, b"(personal (MailboxName))") as client:
        client.ok(b"SELECT box")
        client.send(b"f FETCH 1:* (BODY.PEEK[])\r\n")		# more than buffers hold: it stays under way
        name = b"n" * 200
        for number in range(200):
            writer.ok(b"CREATE %s%d" % (name, number))
            writer.ok(b"DELETE %s%d" % (name, number))
        reply = client.reply(b"f")
        assert reply.is_ok
        line = client.line()
        assert line.startswith(b"* OK [NOTIFICATIONOVERFLOW]")
        writer.ok(b"CREATE more")
        assert client.ok(b"NOOP").untagged == []


def test_a_set_that_fails():
    """NOTIFY SET STATUS that cannot be answered leaves what was asked for before as it was."""
    with lib.Server(users=("demo", "other"), settings=["open-databases 1"]) as server:
        with server.client("demo") as writer, server.client("demo") as client, server.client("other") as other:
            writer.ok(b"CREATE box")
            path, = server.data.rglob("mail.db")
            client.ok(b"NOTIFY SET (mailboxes box (MessageNew MessageExpunge))")
            other.ok(b"CREATE box")		# two files are too many: the first is closed
            away = path.with_name("away")
            lib.wait_until(lambda: not path.with_name("mail.db-wal").exists())
            path.rename(away)
            assert b" NO " in client.command(b"NOTIFY SET STATUS (personal (MailboxName))").tagged
            away.rename(path)
            assert writer.append(b"box", lib.message(1)).is_ok
            assert status_of(client.line())[b"MESSAGES"] == 1
            assert client.ok(b"NOTIFY SET STATUS (mailboxes INBOX (MessageNew MessageExpunge))").untagged[0].startswith(
                b"* STATUS INBOX (MESSAGES 0 ")
            assert writer.append(b"box", lib.message(2)).is_ok
            assert writer.append(b"INBOX", lib.message(3)).is_ok
            assert client.line().startswith(b"* STATUS INBOX (MESSAGES 1 ")
