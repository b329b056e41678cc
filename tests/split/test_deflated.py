"""COMPRESS with NOTIFY and IDLE through a front end: clients that do not keep to it, and a mailbox server that goes."""
import random
import socket
import struct
import zlib

import pytest

import server as lib
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

NOTIFY = b"NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[]) MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge))"


@pytest.fixture(scope="module")
def pair():
    with split.SplitServer(cas_settings=["link-timeout 4"]) as running:
        running.add_user("alice")
        yield running


def watcher(pair):
    """In IDLE, behind DEFLATE, told of new messages with all that they hold."""
    client = pair.client("alice").start_deflate()
    client.ok(b"SELECT INBOX")
    client.ok(NOTIFY)
    client.send(b"i IDLE\r\n")
    assert client.line().startswith(b"+")
    return client


def rest_of(client):
    """All that comes until the end; what cannot be inflated raises zlib.error."""
    client.socket.below.settimeout(lib.LIMIT_S)
    try:
        return client.file.read()
    except ConnectionResetError:
        return client.socket.take(len(client.socket.waiting))


def raw(client, octets):
    client.socket.below.sendall(octets)


def garbage(client, chance):
    raw(client, b"\xff" * chance.randint(1, 400))


def plain(client, chance):
    raw(client, b"DONE\r\nn NOOP\r\n")


def zeros(client, chance):
    raw(client, bytes(chance.randint(1, 5000)))


def bomb(client, chance):
    client.send(b"D" * 20_000_000)


def half_a_block(client, chance):
    octets = client.socket.out.compress(b"DONE\r\nx FETCH 1:* (BODY.PEEK[])\r\n") + client.socket.out.flush(zlib.Z_SYNC_FLUSH)
    raw(client, octets[:chance.randint(1, len(octets) - 1)])
    client.socket.below.shutdown(socket.SHUT_WR)


def octet_by_octet(client, chance):
    for octet in b"DONE\r\nn NOTIFY NONE\r\nm IDLE\r\nDONE\r\nl LOGOUT\r\n":
        client.send(bytes([octet]))


def end_of_data(client, chance):
    raw(client, client.socket.out.compress(b"DONE\r\n") + client.socket.out.flush(zlib.Z_FINISH) + b"\x00" * 9)


def second_compress(client, chance):
    client.send(b"DONE\r\nc COMPRESS DEFLATE\r\ni IDLE\r\nnothing\r\nl LOGOUT\r\n")


def not_reading(client, chance):
    client.send(b"DONE\r\n" + b"f FETCH 1:* (BODY.PEEK[])\r\n" * 40)
    reset(client, chance)


def reset(client, chance):
    client.socket.below.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.file = None
    client.socket.below.close()


HOSTILE = [garbage, plain, zeros, bomb, half_a_block, octet_by_octet, end_of_data, second_compress, not_reading, reset]


def test_hostile_clients(pair):
    """Each ends alone; what it reads can be inflated to the end, others are told of every message, nothing is left."""
    chance = random.Random(1)
    with watcher(pair) as good, pair.client("alice") as writer:
        before = {host: host.descriptors() for host in (pair.cas, pair.mailboxes[0])}
        for number, doing in enumerate(HOSTILE * 3, 1):
            bad = watcher(pair)
            body = chance.randbytes(chance.choice([20, 20_000])).hex().encode()
            sent = chance.random() < 0.5
            if sent:
                writer.append(b"INBOX", lib.message(number, body + b"\r\n"))
            try:
                doing(bad, chance)
            except (ConnectionResetError, BrokenPipeError):
                pass					# it was sent away while it was still sending
            if bad.file is not None:
                rest_of(bad)
                bad.close()
            if not sent:
                writer.append(b"INBOX", lib.message(number, body + b"\r\n"))
            while not (line := good.line()).startswith(b"* %d FETCH (UID %d BODY[] {" % (number, number)):
                assert line.endswith((b" EXISTS", b" RECENT")) or line.startswith(b"* OK"), line
            assert body in line
        good.send(b"DONE\r\n")
        assert good.reply(b"i").is_ok and good.ok(b"NOOP").untagged == []
        lib.wait_until(lambda: all(host.descriptors() <= count for host, count in before.items()))


def test_the_mailbox_server_goes(pair):
    """What a client has of a reply in DEFLATE is followed by the end of the connection, and by nothing in plain text."""
    host = pair.mailboxes[0]
    noise = random.Random(2).randbytes(3_000_000).hex().encode()
    with pair.client("alice") as writer:
        assert writer.append(b"Archive", lib.message(1, noise + b"\r\n")).is_ok
    clients = []
    for _ in range(6):
        client = pair.client("alice").start_deflate()
        client.ok(b"SELECT Archive")
        client.send(b"f FETCH 1 (BODY.PEEK[])\r\n")
        while len(client.socket.waiting) < 1000:
            assert client.socket.fill()		# it is under way
        clients.append(client)
    host.kill()
    cut, whole = 0, noise + b"\r\n)\r\nf OK done\r\n"		# which comes where the buffers had room for all of it
    for client in clients:
        rest = rest_of(client)
        body = rest.split(b"\r\n\r\n", 1)[1]
        assert b"BYE" not in rest
        assert whole.startswith(body)
        cut += body != whole
        client.close()
    assert cut > 0
    host.start()
    pair.await_link()
