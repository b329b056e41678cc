"""UIDBATCHES (RFC 10022): the messages counted off from the newest, as ranges of UIDs."""
import re

import pytest

import server as lib

pytestmark = pytest.mark.same_everywhere


def fill(client, name, count):
    client.ok(b"CREATE " + name)
    for start in range(0, count, 500):
        assert client.command(b"APPEND " + name + b" {3+}\r\nabc" * min(500, count - start)).is_ok


def batches(reply):
    """The ranges of the one reply there is, whose tag is that of the command."""
    line, = [line for line in reply.untagged if line.startswith(b"* UIDBATCHES")]
    tag, ranges = re.fullmatch(rb'\* UIDBATCHES \(TAG "([^"]+)"\)(?: (.*))?', line).groups()
    assert reply.tagged.startswith(tag + b" OK ")
    return [] if ranges is None else [tuple(map(int, piece.split(b":"))) for piece in ranges.split(b",")]


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=("uidonly yes",)) as running:
        with running.client("demo") as client:
            client.ok(b"CREATE empty")
            fill(client, b"few", 3)
            fill(client, b"box", 1700)
            client.ok(b"SELECT box")
            for gone in (b"1:50", b"1150:1170", b"1699"):
                client.ok(b"UID STORE " + gone + b" +FLAGS.SILENT (\\Deleted)")
            client.ok(b"CLOSE")			# 1,628 messages: UIDs 51 to 1149, 1171 to 1698, 1700
        yield running


@pytest.fixture(params=[b"", b"IMAP4rev2", b"UIDONLY"])
def client(request, server):
    with server.client("demo") as client:
        if request.param:
            client.ok(b"ENABLE " + request.param)
        client.ok(b"EXAMINE box")
        yield client


@pytest.mark.parametrize("arguments, ranges", [
    (b"1700", [(1700, 1)]),
    (b"1628", [(1700, 1)]),
    (b"1627", [(1700, 52), (51, 1)]),
    (b"500", [(1700, 1200), (1199, 679), (678, 179), (178, 1)]),
    (b"529", [(1700, 1171), (1170, 621), (620, 92), (91, 1)]),
    (b"814", [(1700, 865), (864, 1)]),
    (b"100000 1:1", [(1700, 1)]),
    (b"4294967295", [(1700, 1)]),
    (b"500 1:1", [(1700, 1200)]),
    (b"500 2:3", [(1199, 679), (678, 179)]),
    (b"500 4:4", [(178, 1)]),
    (b"500 4:200", [(178, 1)]),
    (b"500 5:5", []),
    (b"500 5:9", []),
    (b"500 4294967295:4294967295", []),
    (b"1628 2:2", []),
    (b"814 2:2", [(864, 1)]),
    (b"814 3:3", []),
])
def test_batches(client, arguments, ranges):
    assert batches(client.ok(b"UIDBATCHES " + arguments)) == ranges
    assert batches(client.ok(b"uidbatches " + arguments)) == ranges


def test_all_that_they_promise(client):
    """Each message is in one batch, and each batch but the last has as many as were asked for."""
    uids = [*range(51, 1150), *range(1171, 1699), 1700]
    for size in (500, 501, 600, 813, 1000):
        ranges = batches(client.ok(b"UIDBATCHES %d" % size))
        assert ranges[0][0] == 1700 and ranges[-1][1] == 1
        assert all(high - 1 == after for (_, high), (after, _) in zip(ranges, ranges[1:]))
        counts = [sum(low <= uid <= high for uid in uids) for high, low in ranges]
        assert counts[:-1] == [size] * (len(ranges) - 1) and 0 < counts[-1] <= size and sum(counts) == len(uids)


@pytest.mark.parametrize("arguments, answer", [
    (b"499", b"NO [TOOFEW] "), (b"1", b"NO [TOOFEW] "), (b"499 1:1", b"NO [TOOFEW] "),
    (b"500 1:201", b"NO [TOOMANY] "), (b"10000 1:11", b"NO [TOOMANY] "), (b"4294967295 1:4294967295", b"NO [TOOMANY] "),
    (b"500 2:1", b"BAD [CLIENTBUG] "), (b"500 4294967295:1", b"BAD [CLIENTBUG] "),
    (b"", b"BAD "), (b"0", b"BAD "), (b"0500", b"BAD "), (b"4294967296", b"BAD "), (b"x", b"BAD "), (b"*", b"BAD "),
    (b"500 1", b"BAD "), (b"500 1:", b"BAD "), (b"500 :1", b"BAD "), (b"500 0:1", b"BAD "), (b"500 1:0", b"BAD "),
    (b"500 1:*", b"BAD "), (b"500 1:2,4:5", b"BAD "), (b"500 1:2 3", b"BAD "), (b"500 (1:2)", b"BAD "), (b"500  1:2", b"BAD "),
    (b"500 1:01", b"BAD "), (b"500:1000", b"BAD "),
])
def test_wrong_arguments(client, arguments, answer):
    reply = client.command(b"UIDBATCHES " + arguments if arguments else b"UIDBATCHES")
    assert reply.tagged.split(b" ", 1)[1].startswith(answer) and reply.untagged == []


def test_no_uid_form(client):
    assert b" BAD " in client.command(b"UID UIDBATCHES 500").tagged


def test_small_mailboxes(client):
    client.ok(b"SELECT empty")
    assert batches(client.ok(b"UIDBATCHES 500")) == batches(client.ok(b"UIDBATCHES 500 1:1")) == []
    client.ok(b"SELECT few")
    assert batches(client.ok(b"UIDBATCHES 500")) == batches(client.ok(b"UIDBATCHES 500 1:200")) == [(3, 1)]
    client.ok(b"UNSELECT")
    assert b" BAD " in client.command(b"UIDBATCHES 500").tagged


def test_what_is_found_stays_saved(client):
    client.ok(b"UID SEARCH RETURN (SAVE) UID 51:60")
    client.ok(b"UIDBATCHES 500")
    assert len(client.ok(b"UID FETCH $ UID").untagged) == 10


def test_what_others_do(server, client):
    """What has gone is no longer counted, and what has come is when it has been told."""
    with server.client("demo") as other:
        fill(other, b"moving", 600)
        client.ok(b"SELECT moving")
        other.ok(b"SELECT moving")
        other.ok(b"UID STORE 600 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        assert batches(client.ok(b"UIDBATCHES 599")) == [(600, 1)]
        assert batches(client.ok(b"UIDBATCHES 598")) == [(599, 2), (1, 1)]
        assert other.append(b"moving", lib.message(1)).is_ok
        client.ok(b"NOOP")
        assert batches(client.ok(b"UIDBATCHES 599")) == [(601, 2), (1, 1)]
        client.ok(b"SELECT box")
        other.ok(b"UNSELECT")
        other.ok(b"DELETE moving")


def test_before_login(server):
    with server.client() as client:
        assert b"UIDBATCHES" not in client.greeting and b" BAD " in client.command(b"UIDBATCHES 500").tagged


def test_many_messages(server):
    """All of more than 100,000 messages may be asked for, a range that spans more may not (RFC 10022 section 3.1.5)."""
    with server.client("demo") as client:
        assert b" UIDBATCHES" in client.ok(b"CAPABILITY").untagged[0]
        fill(client, b"big", 500)
        client.ok(b"SELECT big")
        for _ in range(7):
            client.ok(b"COPY 1:* big")
        client.ok(b"COPY 1:36000 big")
        client.ok(b"NOOP")
        assert batches(client.ok(b"UIDBATCHES 50000")) == [(100000, 50001), (50000, 1)]
        assert batches(client.ok(b"UIDBATCHES 500 200:200")) == [(500, 1)]
        client.ok(b"COPY 1 big")
        client.ok(b"NOOP")
        assert batches(client.ok(b"UIDBATCHES 50000")) == [(100001, 50002), (50001, 2), (1, 1)]
        assert batches(client.ok(b"UIDBATCHES 100001")) == [(100001, 1)]
        assert b" NO [TOOMANY] " in client.command(b"UIDBATCHES 50000 1:3").tagged
        assert batches(client.ok(b"UIDBATCHES 50000 1:2")) == [(100001, 50002), (50001, 2)]
        assert batches(client.ok(b"UIDBATCHES 50000 3:3")) == [(1, 1)]


def test_with_a_message_limit():
    """It is for the client to ask for batches that one command may touch (RFC 10022 section 3.2): it gets what it asks for."""
    with lib.Server(settings=("message-limit 1000",)) as server, server.client("demo") as client:
        fill(client, b"box", 2100)
        client.ok(b"SELECT box")
        assert batches(client.ok(b"UIDBATCHES 2000")) == [(2100, 101), (100, 1)]
        assert batches(client.ok(b"UIDBATCHES 2100")) == [(2100, 1)]
        assert batches(client.ok(b"UIDBATCHES 1000 2:2")) == [(1100, 101)]
        reply = client.ok(b"UID FETCH 1101:2100 UID")
        assert len(reply.untagged) == 1000 and b"MESSAGELIMIT" not in reply.tagged
