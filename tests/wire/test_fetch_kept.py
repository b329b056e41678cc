"""FETCH of octets that the server has in memory, since somebody has just read them: they are what they were, whoever asks for which part."""
import base64
import random

import pytest

import server as lib


def attachment(number, size):
    order = random.Random(number)
    text = base64.encodebytes(order.randbytes(size * 3 // 4)).replace(b"\n", b"\r\n")
    return lib.message(number, text)


def text(number, size):
    order = random.Random(number)
    return lib.message(number, b"".join(b"%0126x\r\n" % order.getrandbits(500) for _ in range(size // 128 + 1)))


MESSAGES = [text(1, 10), attachment(2, 3000), text(3, 20000), attachment(4, 90000), text(5, 150000), attachment(6, 700000),
            b"Subject: 7\r\n\r\n", text(8, 30000).replace(b"0", b"\0", 50)]
SEEN_AS = [message.replace(b"\0", b"\x80") for message in MESSAGES]


@pytest.fixture
def filled(shared_server, user):
    with shared_server.client(user) as client:
        for message in MESSAGES:
            client.send(b"a APPEND INBOX ~{%d+}\r\n" % len(message) + message + b"\r\n")
            assert client.reply(b"a").is_ok
    return user


@pytest.fixture(params=["plain", "tls", "compress"])
def client(request, shared_server, filled):
    with shared_server.client(filled, tls=request.param == "tls") as client:
        if request.param == "compress":
            client.start_deflate()
        client.ok(b"SELECT INBOX")
        yield client


def draw(chance, message):
    """An item, how the reply names it, and what it says."""
    header = message.index(b"\r\n\r\n") + 4
    name, octets = chance.choice([(b"BODY.PEEK[]", message), (b"BODY.PEEK[TEXT]", message[header:]), (b"RFC822.HEADER", message[:header]),
                                  (b"BODY.PEEK[HEADER]", message[:header]), (b"BODY.PEEK[1]", message[header:])])
    told = name.replace(b".PEEK", b"")
    if name.startswith(b"BODY") and chance.random() < 0.6:
        offset = chance.choice([0, 0, chance.randrange(len(octets) + 10), 65536 * chance.randrange(len(octets) // 65536 + 1)])
        length = chance.choice([1, 100, 20000, 65536, 1 << 31])
        name, told, octets = name + b"<%d.%d>" % (offset, length), told + b"<%d>" % offset, octets[offset:offset + length]
    return name, told + b" {%d}\r\n" % len(octets) + octets


@pytest.mark.same_everywhere
@pytest.mark.parametrize("seed", range(4))
def test_any_part_again(client, seed):
    chance = random.Random(seed)
    for _ in range(150):
        number = chance.randrange(len(MESSAGES)) + 1
        items = [draw(chance, SEEN_AS[number - 1]) for _ in range(chance.choice([1, 1, 2]))]
        items = list({told.partition(b" ")[0]: (name, told) for name, told in items}.values())		# each under a name of its own
        line, = client.ok(b"FETCH %d (UID %s RFC822.SIZE)" % (number, b" ".join(name for name, _ in items))).untagged
        assert line == b"* %d FETCH (UID %d %s RFC822.SIZE %d)" % (number, number, b" ".join(told for _, told in items),
                                                                   len(MESSAGES[number - 1]))


def test_all_in_ranges(client):
    """As mail programs read: one range after the other."""
    for number, message in enumerate(SEEN_AS, 1):
        for length in (65536, 20000, 65536):
            got = b""
            while len(got) < len(message):
                line, = client.ok(b"FETCH %d BODY.PEEK[]<%d.%d>" % (number, len(got), length)).untagged
                got += line.partition(b"}\r\n")[2][:-1]
            assert got == message


def test_parts(client):
    """Those of a multipart, and of a message within it; what there is not is NIL each time."""
    inner = b"Subject: inner\r\n\r\n" + text(20, 9000)
    parts = [b"first\r\n", text(21, 70000), inner]
    heads = [b"Content-Type: text/plain\r\n\r\n", b"Content-Type: text/html\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\n"]
    whole = b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    whole += b"".join(b"--b\r\n" + head + part + b"\r\n" for head, part in zip(heads, parts)) + b"--b--\r\n"
    assert client.append(b"INBOX", whole).is_ok
    client.ok(b"NOOP")
    wanted = {b"1": parts[0], b"2": parts[1], b"3": inner, b"2.MIME": heads[1], b"4": None}
    wanted[b"3.HEADER"] = inner[:inner.index(b"\r\n\r\n") + 4]
    wanted[b"3.TEXT"] = inner[len(wanted[b"3.HEADER"]):]
    for _ in range(3):
        for name, octets in wanted.items():
            line, = client.ok(b"FETCH * BODY.PEEK[%s]" % name).untagged
            told = b"NIL" if octets is None else b"{%d}\r\n%s" % (len(octets), octets)
            assert line == b"* %d FETCH (BODY[%s] %s)" % (len(MESSAGES) + 1, name, told)
    assert client.fetch_body(len(MESSAGES) + 1) == whole


def test_all_at_once_and_again(client):
    for _ in range(3):
        lines = client.ok(b"FETCH 1:* (BODY.PEEK[] UID)").untagged
        assert lines == [b"* %d FETCH (BODY[] {%d}\r\n%s UID %d)" % (number, len(message), message, number)
                         for number, message in enumerate(SEEN_AS, 1)]


def test_again_before_it_is_sent(shared_server, filled):
    """What workers still deflate for one command and encrypt for another client is sent for the next."""
    with shared_server.client(filled) as deflated, shared_server.client(filled, tls=True) as encrypted:
        clients, wanted = [deflated.start_deflate(), encrypted], b"* 6 FETCH (BODY[] {%d}\r\n%s)" % (len(SEEN_AS[5]), SEEN_AS[5])
        for client in clients:
            client.ok(b"SELECT INBOX")
            client.fetch_body(6)
            client.send(b"".join(b"x%d FETCH 6 BODY.PEEK[]\r\n" % i for i in range(8)))
        for i in range(8):
            assert [client.reply(b"x%d" % i).untagged for client in clients] == [[wanted], [wanted]]


def test_seen_is_set_and_told(client):
    client.ok(b"FETCH 2 BODY.PEEK[]")
    line, = client.ok(b"FETCH 2 BODY[]").untagged
    assert line.startswith(b"* 2 FETCH (BODY[] {") and b" FLAGS (\\Seen" in line[-40:]
    line, = client.ok(b"FETCH 2 BODY[]").untagged
    assert b"FLAGS" not in line[-40:]


def test_others_have_their_own(shared_server, filled, client):
    """Messages of another mailbox, and others that come under the same numbers."""
    client.ok(b"FETCH 1:* BODY.PEEK[]")
    client.ok(b"CREATE other")
    client.ok(b"COPY 8,7,6 other")
    client.ok(b"SELECT other")
    for _ in range(2):
        assert [client.fetch_body(number) for number in (1, 2, 3)] == [SEEN_AS[5], SEEN_AS[6], SEEN_AS[7]]
    client.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.ok(b"EXPUNGE")
    assert client.append(b"other", MESSAGES[0]).is_ok
    client.ok(b"NOOP")
    assert [client.fetch_body(number) for number in (1, 2, 3)] == [SEEN_AS[6], SEEN_AS[7], SEEN_AS[0]]


def test_the_mailbox_goes_while_it_is_sent(shared_server, filled):
    """What has begun to leave ends as it is; with others it goes at its end."""
    with shared_server.client(filled) as client, shared_server.client(filled) as other:
        client.ok(b"CREATE passing")
        client.ok(b"SELECT INBOX")
        client.ok(b"COPY 6 passing")
        client.ok(b"SELECT passing")
        assert client.fetch_body(1) == SEEN_AS[5]
        client.send(b"".join(b"x FETCH 1 BODY.PEEK[]\r\n" for _ in range(30)))
        other.ok(b"DELETE passing")
        rest = client.file.read()
    whole = b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\nx OK " % (len(SEEN_AS[5]), SEEN_AS[5])
    begun = [b"* 1 FETCH " + line for line in rest.split(b"* 1 FETCH ")[1:]]
    assert all(line.startswith(whole) for line in begun[:-1])
    assert all(line.startswith(whole) or whole.startswith(line) for line in begun[-1:])
