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


def test_garbage_ends_it(shared_server, deflated):
    deflated.socket.below.sendall(b"\xff" * 100)
    assert deflated.file.read() == b""
    shared_server.check_log()


def test_bye_is_deflated():
    """The front end lets its clients go: those behind DEFLATE read BYE, too."""
    with lib.Server(users=("zoe",)) as server:
        client = server.client("zoe").start_deflate()
        client.ok(b"SELECT INBOX")
        server.imapctl("stop", "cas")
        assert client.line().startswith(b"* BYE")


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


def test_resting_sessions_are_small(shared_server, user):
    """A hundred sessions in IDLE: far below the windows of a hundred states."""
    if not hasattr(shared_server, "rss_kib"):
        pytest.skip("two processes: the memory of one is looked at")
    clients = [shared_server.client(user) for _ in range(100)]
    for client in clients:
        client.ok(b"SELECT INBOX")
    before = shared_server.rss_kib()
    for client in clients:
        client.start_deflate()
        client.ok(b"NOOP")
    working = shared_server.rss_kib() - before
    for client in clients:
        client.send(client.tag() + b" IDLE\r\n")
        assert client.line().startswith(b"+")
    with shared_server.client(user) as other:
        other.ok(b"NOOP")
    resting = shared_server.rss_kib() - before
    for client in clients:
        client.close()
    assert working > 5000 and resting < working / 2, f"{working} KiB at work, {resting} KiB in IDLE"
