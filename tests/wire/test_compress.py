"""COMPRESS=DEFLATE (RFC 4978): the octets are right however they are cut, bounded, and cost nothing in IDLE."""
import random
import zlib

import pytest

import server as lib


@pytest.fixture
def deflated(shared_server, user):
    with shared_server.client(user) as client:
        yield client.start_deflate()


def test_commands_and_messages(deflated):
    messages = [lib.message(number) for number in range(20)] + [random.Random(1).randbytes(200_000).hex().encode()]
    for message in messages:
        assert deflated.append(b"INBOX", message).is_ok
    deflated.ok(b"SELECT INBOX")
    for number, message in enumerate(messages, 1):
        assert deflated.fetch_body(number) == message


def test_much_output_is_smaller(deflated):
    message = b"Subject: much\r\n\r\n" + b"the same line again and again\r\n" * 40_000
    assert deflated.append(b"INBOX", message).is_ok
    deflated.ok(b"SELECT INBOX")
    before = deflated.socket.octets_in
    for _ in range(5):
        assert deflated.fetch_body(1) == message
    assert deflated.socket.octets_in - before < len(message)


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH])
def test_flushed_octet_by_octet(shared_server, user, flush):
    """Each octet flushed and sent alone, in the ways that clients flush."""
    with shared_server.client(user) as client:
        client.start_deflate(flush)
        for octet in b"t90 SELECT INBOX\r\nt91 NOOP\r\n":
            client.send(bytes([octet]))
        assert client.reply(b"t90").is_ok and client.reply(b"t91").is_ok


def test_second_is_refused(deflated):
    reply = deflated.command(b"COMPRESS DEFLATE")
    assert reply.tagged.split(b" ")[1:3] == [b"NO", b"[COMPRESSIONACTIVE]"]
    assert deflated.ok(b"NOOP")


def test_not_before_login_and_nothing_else(shared_server, user):
    with shared_server.client() as client:
        assert client.command(b"COMPRESS DEFLATE").tagged.split(b" ")[1] == b"BAD"
    with shared_server.client(user) as client:
        assert client.command(b"COMPRESS LZW").tagged.split(b" ")[1] == b"BAD"
        assert client.command(b"COMPRESS").tagged.split(b" ")[1] == b"BAD"
        assert b"COMPRESS=DEFLATE" in client.ok(b"CAPABILITY").untagged[0].split()


def test_many_octets_of_few(deflated):
    """What grows a thousandfold meets the limits that it would have met without DEFLATE."""
    deflated.send(b"x NOOP " + b"a" * 50_000_000 + b"\r\n")
    assert deflated.line().startswith((b"x BAD", b"* BYE", b"* BAD"))


@pytest.mark.parametrize("garbage", [b"\xff" * 100, bytes(2000), b"\x03\x00" + b"a NOOP\r\n"], ids=["none", "zeros", "end"])
def test_garbage_ends_it(deflated, garbage):
    """What is no DEFLATE, or says to be the end of it: BYE, which can be inflated to its end."""
    deflated.socket.below.sendall(garbage)
    lines = deflated.file.read().split(b"\r\n")
    assert len(lines) == 2 and lines[0].startswith(b"* BYE") and lines[1] == b""


def test_much_before_logout(deflated):
    """What a worker still deflates when the session ends arrives before the end of the connection."""
    message = b"Subject: much\r\n\r\n" + random.Random(2).randbytes(150_000).hex().encode()
    assert deflated.append(b"INBOX", message).is_ok
    deflated.ok(b"SELECT INBOX")
    deflated.send(b"f FETCH 1 BODY.PEEK[]\r\nl LOGOUT\r\n")
    reply = deflated.reply(b"f")
    assert message in reply.untagged[0]
    assert deflated.line().startswith(b"* BYE") and deflated.line().startswith(b"l OK") and deflated.line() == b""


@pytest.mark.parametrize("is_idle", [False, True])
def test_bye_is_deflated(is_idle):
    """The front end lets its clients go: those behind DEFLATE read one BYE, and can inflate all that they get."""
    with lib.Server(users=("zoe",)) as server:
        client = server.client("zoe").start_deflate()
        client.ok(b"SELECT INBOX")
        if is_idle:
            client.send(b"i IDLE\r\n")
            assert client.line().startswith(b"+")
        server.imapctl("stop", "cas")
        assert client.line().startswith(b"* BYE")
        assert client.file.read() == b""


def test_idle_and_news(shared_server, user, deflated):
    """The states are given back in IDLE and taken again for each piece of news: the history must fit."""
    deflated.ok(b"SELECT INBOX")
    with shared_server.client(user) as other:
        for number in range(1, 6):
            tag = deflated.tag()
            deflated.send(tag + b" IDLE\r\n")
            assert deflated.line().startswith(b"+")
            assert other.append(b"INBOX", lib.message(number)).is_ok
            while not deflated.line().endswith(b"EXISTS"):
                pass
            deflated.send(b"DONE\r\n")
            assert deflated.reply(tag).is_ok
            assert deflated.ok(b"FETCH %d (UID)" % number).untagged == [b"* %d FETCH (UID %d)" % (number, number)]


def test_resting_sessions_are_small():
    """A hundred sessions in IDLE: far below the windows of a hundred states.  Nobody else takes or gives back memory there."""
    with lib.Server() as server:
        look_at_resting_sessions(server)


def look_at_resting_sessions(server):
    clients = [server.client("demo") for _ in range(100)]
    for client in clients:
        client.ok(b"SELECT INBOX")
    before = server.rss_kib()
    for client in clients:
        client.start_deflate()
        client.ok(b"NOOP")
    working = server.rss_kib() - before
    for client in clients:
        client.send(client.tag() + b" IDLE\r\n")
        assert client.line().startswith(b"+")
    with server.client("demo") as other:
        other.ok(b"NOOP")
    resting = server.rss_kib() - before
    for client in clients:
        client.close()
    assert working > 5000 and resting < working / 2, f"{working} KiB at work, {resting} KiB in IDLE"
