"""FETCHes that a client sends before it has the answers: what they answer, and in which order, must not show it.

Those that only read contents begin behind each other (RFC 9051 section 5.5).
"""
import random
import re

import pytest

import server as lib

SIZES = [10, 3000, 20000, 90000, 150000, 400000, 500, 60000]


def body(number, size):
    order = random.Random(number)
    return b"".join(b"%0126x\r\n" % order.getrandbits(500) for _ in range(size // 128 + 1))


@pytest.fixture
def client(shared_server, user):
    with shared_server.client(user) as client:
        for number, size in enumerate(SIZES, 1):
            assert client.append(b"INBOX", lib.message(number, body(number, size))).is_ok
        client.ok(b"SELECT INBOX")
        yield client


def send(client, *commands):
    """All at once; the replies, which must come in this order."""
    tags = [client.tag() for _ in commands]
    client.send(b"".join(tag + b" " + command + b"\r\n" for tag, command in zip(tags, commands)))
    return [client.reply(tag) for tag in tags]


def told(replies):
    return [(reply.tagged.split(b" ", 1)[1], reply.untagged) for reply in replies]


ITEMS = [b"BODY.PEEK[]", b"(UID BODY.PEEK[])", b"BODY.PEEK[TEXT]<100.5000>", b"BODY.PEEK[HEADER]", b"ENVELOPE", b"BODYSTRUCTURE",
         b"BODY.PEEK[HEADER.FIELDS (Subject)]", b"(BINARY.PEEK[1] BODY.PEEK[1])", b"(RFC822.SIZE INTERNALDATE)", b"PREVIEW",
         b"FLAGS", b"(FLAGS BODY.PEEK[TEXT])", b"BODY.PEEK[7]", b"NONSENSE", b"(BODY.PEEK[]<0.10> BODY.PEEK[]<10.10>)"]
SETS = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"*", b"1:3", b"2:*", b"7,1", b"99", b"8:100"]


@pytest.mark.parametrize("seed", range(6))
def test_as_one_after_the_other(client, seed):
    chance = random.Random(seed)
    common = chance.sample(ITEMS, 3)
    commands = [b"%sFETCH %s %s" % (chance.choice([b"", b"UID "]), chance.choice(SETS), chance.choice(common)) for _ in range(100)]
    assert told(send(client, *commands)) == told(client.command(command) for command in commands)


def test_bodies_alone(client):
    """More at once than may wait, in size and in number."""
    commands = [b"UID FETCH %d BODY.PEEK[]" % (number % len(SIZES) + 1) for number in range(200)]
    for number, reply in enumerate(send(client, *commands)):
        which = number % len(SIZES)
        assert reply.is_ok and len(reply.untagged) == 1
        assert lib.message(which + 1, body(which + 1, SIZES[which])) in reply.untagged[0]
        assert reply.untagged[0].startswith(b"* %d FETCH (UID %d BODY[] {" % (which + 1, which + 1))


def test_seen_is_set_and_told_in_its_turn(client):
    replies = send(client, b"FETCH 1 BODY.PEEK[TEXT]", b"FETCH 1 FLAGS", b"FETCH 1 BODY[TEXT]", b"FETCH 1 FLAGS",
                   b"FETCH 1 BODY.PEEK[TEXT]")
    seen = [b"\\Seen" in b"".join(reply.untagged) for reply in replies]
    assert seen == [False, False, True, True, False]


def test_others_wait_for_their_turn(client):
    """What changes or cannot be understood, between commands that begin behind each other."""
    replies = send(
        client, b"FETCH 1 ENVELOPE", b"FETCH 2 ENVELOPE", b"STORE 1 +FLAGS.SILENT (\\Deleted)", b"FETCH 1 ENVELOPE", b"EXPUNGE",
        b"FETCH 1 ENVELOPE", b"FETCH 8 ENVELOPE", b"FETCH 7 ENVELOPE", b"FETCH", b"NOOP", b"FETCH * ENVELOPE")
    words = [reply.tagged.split(b" ")[1] for reply in replies]
    assert words == [b"OK"] * 6 + [b"BAD", b"OK", b"BAD", b"OK", b"OK"]
    subjects = [re.search(rb'"message (\d)"', b"".join(reply.untagged)) for reply in replies]
    assert [match and int(match[1]) for match in subjects] == [1, 2, None, 1, None, 2, None, 8, None, None, 8]


def test_numbers_stay_while_more_are_under_way(shared_server, user, client):
    with shared_server.client(user) as other:
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 1 +FLAGS (\\Deleted)")
        other.ok(b"EXPUNGE")
        replies = send(client, *[b"UID FETCH %d BODY.PEEK[HEADER]" % uid for uid in range(2, 8)], b"NOOP")
    gone, found = 0, []
    for reply in replies:
        for line in reply.untagged:
            match = re.match(rb"\* (\d+) FETCH \(UID (\d+) BODY\[HEADER\]", line)
            if match:
                assert int(match[1]) == int(match[2]) - gone
                assert b"Subject: message %d\r\n" % int(match[2]) in line
                found.append(int(match[2]))
            gone += line == b"* 1 EXPUNGE"
    assert gone == 1 and found == list(range(2, 8))


def test_a_mailbox_that_goes(shared_server, user, client):
    """Whatever was answered is right, and the session ends with BYE."""
    client.ok(b"CREATE passing")
    client.ok(b"COPY 1:* passing")
    client.ok(b"SELECT passing")
    client.send(b"".join(b"x%d FETCH %d BODY.PEEK[]\r\n" % (number, number % len(SIZES) + 1) for number in range(64)))
    with shared_server.client(user) as other:
        other.ok(b"DELETE passing")
    rest = client.file.read()
    bodies = re.findall(rb"\* (\d) FETCH \(BODY\[\] \{\d+\}\r\n(.*?)\)\r\nx\d+ OK", rest, re.S)
    assert all(text == lib.message(int(number), body(int(number), SIZES[int(number) - 1])) for number, text in bodies)


def test_the_client_goes(shared_server, user, client):
    client.send(b"".join(b"x%d FETCH 1:* BODY.PEEK[]\r\ny%d FETCH 1 ENVELOPE\r\n" % (number, number) for number in range(50)))
    client.close()
    with shared_server.client(user) as other:
        other.ok(b"SELECT INBOX")
        assert b'"message 8"' in other.ok(b"FETCH 8 ENVELOPE").untagged[0]
