"""Commands that a client sends before it has the answers: RFC 9051 section 5.5.

Those of one kind share a commit; what they do, what they answer and in which order must not show it.
"""
import random
import re
import threading
import zlib

import pytest

import server as lib

FLAGS = [b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft", b"one", b"Two"]


@pytest.fixture
def client(shared_server, user):
    with shared_server.client(user) as client:
        for number in range(5):
            assert client.append(b"INBOX", lib.message(number)).is_ok
        client.ok(b"SELECT INBOX")
        yield client


@pytest.fixture
def other(shared_server, user):
    with shared_server.client(user) as other:
        other.ok(b"SELECT INBOX")
        yield other


def send(client, *commands):
    """All at once; the replies, which must come in this order."""
    tags = [client.tag() for _ in commands]
    client.send(b"".join(tag + b" " + command + b"\r\n" for tag, command in zip(tags, commands)))
    return [client.reply(tag) for tag in tags]


def words(replies):
    return [reply.tagged.split(b" ")[1] for reply in replies]


def flags_of(client):
    """Number -> flags, as a command of its own reads them."""
    lines = client.ok(b"FETCH 1:* (FLAGS)").untagged
    found = (re.match(rb"\* (\d+) FETCH \(.*FLAGS \(([^)]*)\)", line) for line in lines)
    return {int(match[1]): set(match[2].split()) - {b"\\Recent"} for match in found if match}


@pytest.mark.parametrize("silent", [b"", b".SILENT"])
@pytest.mark.parametrize("prefix", [b"", b"UID "])
@pytest.mark.parametrize("seed", range(3))
def test_as_one_after_the_other(client, other, prefix, silent, seed):
    """More than may be under way at a time, on few messages, so that each depends on those before it."""
    chance, truth, commands = random.Random(seed), {number: set() for number in range(1, 6)}, []
    for _ in range(200):
        number, flags = chance.randint(1, 5), set(chance.sample(FLAGS, chance.randint(1, 3)))
        sign = chance.choice([b"+", b"-", b""])
        truth[number] = truth[number] | flags if sign == b"+" else truth[number] - flags if sign == b"-" else flags
        commands.append(b"%sSTORE %d %sFLAGS%s (%s)" % (prefix, number, sign, silent, b" ".join(sorted(flags))))
    replies = send(client, *commands)
    assert words(replies) == [b"OK"] * 200
    assert flags_of(client) == truth
    other.ok(b"NOOP")
    assert flags_of(other) == truth
    told = [line for reply in replies for line in reply.untagged if b" FETCH " in line]
    assert len(told) == 0 if silent else len(told) == 200


def test_each_is_told_its_own_flags(client):
    replies = send(client, b"STORE 1 +FLAGS (\\Seen)", b"STORE 1 +FLAGS (\\Flagged)", b"STORE 1 FLAGS ()")
    told = [re.search(rb"FLAGS \(([^)]*)\)", reply.untagged[0])[1].split() for reply in replies]
    assert [set(flags) - {b"\\Recent"} for flags in told] == [{b"\\Seen"}, {b"\\Seen", b"\\Flagged"}, set()]


def test_a_silent_one_that_undoes_another(client, other):
    """The state that sessions share is behind: what looks done already is not."""
    send(client, b"STORE 1 +FLAGS.SILENT (\\Seen)", b"STORE 1 -FLAGS.SILENT (\\Seen)",
         b"STORE 2 FLAGS.SILENT (\\Flagged)", b"STORE 2 FLAGS.SILENT ()")
    other.ok(b"NOOP")
    assert flags_of(other)[1] == flags_of(other)[2] == set()


def test_modseqs_rise(client):
    client.ok(b"ENABLE CONDSTORE")
    replies = send(client, *[b"STORE %d %sFLAGS (\\Seen)" % (number, sign)
                             for sign in (b"+", b"-") for number in range(1, 6)])
    modseqs = [int(re.search(rb"MODSEQ \((\d+)\)", reply.untagged[0])[1]) for reply in replies]
    assert modseqs == sorted(set(modseqs)) and len(modseqs) == 10


def test_unchangedsince_sees_what_came_before(client):
    """RFC 7162 section 3.1.3: the first of these changes what the second goes by."""
    client.ok(b"ENABLE CONDSTORE")
    before = int(re.search(rb"HIGHESTMODSEQ (\d+)", client.ok(b"STATUS INBOX (HIGHESTMODSEQ)").untagged[0])[1])
    replies = send(client, b"STORE 1 +FLAGS (\\Seen)", b"STORE 1,2 (UNCHANGEDSINCE %d) +FLAGS (\\Flagged)" % before,
                   b"STORE 3 +FLAGS (\\Flagged)")
    assert words(replies) == [b"OK"] * 3
    assert b"[MODIFIED 1]" in replies[1].tagged
    assert flags_of(client) == {1: {b"\\Seen"}, 2: {b"\\Flagged"}, 3: {b"\\Flagged"}, 4: set(), 5: set()}


def test_others_wait_for_their_turn(client):
    """What reads, moves numbers or cannot be understood, between commands that share a commit."""
    replies = send(
        client, b"STORE 1 +FLAGS (\\Deleted)", b"STORE 2 +FLAGS (\\Seen)", b"STORE 99 +FLAGS (\\Seen)",
        b"FETCH 1:2 (FLAGS)", b"NONSENSE", b"STORE 3 +FLAGS (\\Seen)", b"STORE 3 FLAGS", b"EXPUNGE",
        b"STORE 1 +FLAGS (\\Flagged)", b"SEARCH SEEN", b"NOOP")
    assert words(replies) == [b"OK", b"OK", b"BAD", b"OK", b"BAD", b"OK", b"BAD", b"OK", b"OK", b"OK", b"OK"]
    assert [b"\\Deleted" in replies[3].untagged[0], b"\\Seen" in replies[3].untagged[1]] == [True, True]
    assert b"* 1 EXPUNGE" in replies[7].untagged
    assert b"* SEARCH 1 2" in replies[9].untagged
    assert flags_of(client) == {1: {b"\\Seen", b"\\Flagged"}, 2: {b"\\Seen"}, 3: set(), 4: set()}


def test_literals_wait_for_their_turn(client):
    """No continuation before the answers to what was sent before: the client would take it for something else."""
    tags = [client.tag() for _ in range(3)]
    client.send(b"%s STORE 1 +FLAGS (\\Seen)\r\n%s STORE 2 +FLAGS (\\Seen)\r\n%s APPEND {4}\r\n" % tuple(tags))
    assert client.reply(tags[0]).is_ok and client.reply(tags[1]).is_ok
    assert client.line().startswith(b"+")
    client.send(b"none ")
    message = lib.message(9)
    client.send(b"{%d}\r\n" % len(message))
    assert b"[TRYCREATE]" in client.reply(tags[2]).tagged


@pytest.mark.parametrize("last", [b"LOGOUT", b"UNSELECT", b"CLOSE", b"SELECT INBOX", b"EXAMINE INBOX"])
def test_what_leaves_the_mailbox(shared_server, user, client, other, last):
    replies = send(client, *[b"STORE %d +FLAGS.SILENT (\\Seen)" % number for number in range(1, 6)], last)
    assert words(replies) == [b"OK"] * 6
    other.ok(b"NOOP")
    assert set(map(frozenset, flags_of(other).values())) == {frozenset([b"\\Seen"])}


def test_idle_behind(client, other):
    tags = [client.tag() for _ in range(3)]
    client.send(b"%s STORE 1 +FLAGS (\\Seen)\r\n%s STORE 2 +FLAGS (\\Seen)\r\n%s IDLE\r\n" % tuple(tags))
    assert client.reply(tags[0]).is_ok and client.reply(tags[1]).is_ok
    assert client.line().startswith(b"+")
    other.ok(b"STORE 5 +FLAGS (\\Flagged)")
    assert b"5 FETCH" in client.line()
    client.send(b"DONE\r\n")
    assert client.reply(tags[2]).is_ok


def test_compress_behind(client):
    tags = [client.tag() for _ in range(3)]
    client.send(b"%s STORE 1 +FLAGS (\\Seen)\r\n%s STORE 2 +FLAGS (\\Seen)\r\n%s COMPRESS DEFLATE\r\n" % tuple(tags))
    assert all(client.reply(tag).is_ok for tag in tags)
    client.file = client.socket = lib.Deflated(client.socket, zlib.Z_SYNC_FLUSH)
    assert flags_of(client)[2] == {b"\\Seen"}


def test_numbers_stay_while_more_are_under_way(client, other):
    """What another session expunges is told with the last of them at the earliest: the others were read by old numbers."""
    other.ok(b"STORE 1 +FLAGS (\\Deleted)")
    other.ok(b"EXPUNGE")
    assert other.append(b"INBOX", lib.message(7)).is_ok
    replies = send(client, *[b"UID STORE %d +FLAGS (\\Seen)" % uid for uid in range(2, 6)], b"NOOP")
    moves = [[line for line in reply.untagged if re.search(rb" (EXPUNGE|EXISTS)$", line)] for reply in replies]
    assert sorted(sum(moves, [])) == [b"* 1 EXPUNGE", b"* 5 EXISTS"]
    numbers = [re.match(rb"\* (\d+) FETCH", line)[1] for reply in replies[:3] for line in reply.untagged if b"FETCH" in line]
    assert numbers == [b"2", b"3", b"4"] or moves[0]     # nothing was under way behind the first


def test_keywords_are_told_before_they_are_used(client):
    replies = send(client, *[b"STORE %d +FLAGS (new%d)" % (number, number) for number in range(1, 6)])
    known = set()
    for line in (line for reply in replies for line in reply.untagged):
        flags = re.search(rb"FLAGS \(([^)]*)\)", line)
        if line.startswith(b"* FLAGS"):
            known = set(flags[1].split())
        elif flags and b" FETCH " in line:
            assert set(flags[1].split()) <= known | {b"\\Recent"}


def test_the_client_goes(shared_server, user, client, other):
    """What was sent is done or not, in order, and nothing of it holds the session."""
    client.send(b"".join(b"x%d STORE 1:5 %sFLAGS (\\Flagged)\r\n" % (n, b"-" if n % 2 else b"+") for n in range(100)))
    client.close()
    other.ok(b"NOOP")
    assert len(set(map(frozenset, flags_of(other).values()))) == 1


def test_a_client_that_does_not_read(client):
    """Its answers wait for it, in their order, and what it has sent waits, too."""
    tags = [b"x%d" % number for number in range(20000)]
    sent = b"".join(b"%s STORE 1:5 %sFLAGS (\\Flagged)\r\n" % (tag, b"-+"[n % 2:n % 2 + 1]) for n, tag in enumerate(tags))
    sender = threading.Thread(target=client.send, args=(sent,))
    sender.start()
    for tag in tags:
        assert client.reply(tag).is_ok
    sender.join()
    assert set(map(frozenset, flags_of(client).values())) == {frozenset([b"\\Flagged"])}


def an_append(mailbox, octets, flags=b"", literal=b"{%d+}"):
    return b"APPEND %s (%s) %s\r\n%s" % (mailbox, flags, literal % len(octets), octets)


def appended(replies):
    return [int(re.search(rb"APPENDUID \d+ (\d+)", reply.tagged)[1]) for reply in replies]


def test_appends(client, other):
    """Of sizes that take their time differently; UIDs are given in the order of the commands."""
    chance = random.Random(1)
    letters = [lib.message(n, b"line of %d\r\n" % n * chance.choice([1, 100, 30000, 2000])) for n in range(100)]
    replies = send(client, *[an_append(b"INBOX", letter, b"\\Seen" if n % 2 else b"new%d" % (n % 7))
                             for n, letter in enumerate(letters)])
    assert appended(replies) == list(range(6, 106))
    assert [line for reply in replies for line in reply.untagged if line.endswith(b" EXISTS")][-1] == b"* 105 EXISTS"
    other.ok(b"NOOP")
    for number, letter in enumerate(letters, 6):
        assert other.fetch_body(number) == letter
    assert [b"\\Seen" in flags for flags in list(flags_of(other).values())[5:]] == [False, True] * 50


def test_appends_while_others_are_stored(client):
    """Those that come on are given places while a worker finds those of the ones before: ThreadSanitizer looks on."""
    letter, uids = lib.message(9, b"line\r\n" * 500), iter(range(6, 1000))
    for _ in range(20):
        tags = [client.tag() for _ in range(40)]
        for tag in tags:
            client.send(tag + b" " + an_append(b"INBOX", letter) + b"\r\n")
        for tag in tags:
            assert appended([client.reply(tag)]) == [next(uids)]


def test_appends_that_fail(client):
    """Each has its own answer, and the others are not hurt."""
    letter = lib.message(9)
    replies = send(
        client, an_append(b"INBOX", letter), an_append(b"INBOX", b"Subject: \0\r\n\r\n"), an_append(b"INBOX", letter),
        an_append(b"none", letter), an_append(b"none", letter), an_append(b"INBOX", letter), an_append(b"INBOX", b""),
        an_append(b"INBOX", letter), b"APPEND INBOX nonsense", an_append(b"INBOX", letter), b"NOOP",
        an_append(b"INBOX", letter) + b" {%d+}\r\n%s" % (len(letter), letter), an_append(b"INBOX", letter),
        an_append(b"INBOX", letter) + b" {%d+}\r\n%s nonsense" % (len(letter), letter), an_append(b"INBOX", letter))
    assert words(replies) == [b"OK", b"NO", b"OK", b"NO", b"NO", b"OK", b"NO", b"OK", b"BAD", b"OK", b"OK", b"OK", b"OK",
                              b"BAD", b"OK"]
    assert all(b"[TRYCREATE]" in replies[place].tagged for place in (3, 4))
    assert appended([replies[place] for place in (0, 2, 5, 7, 9, 12, 14)]) == [6, 7, 8, 9, 10, 13, 14]
    assert b"[APPENDUID" in replies[11].tagged and b" 11:12]" in replies[11].tagged


def test_appends_to_several_mailboxes(client):
    client.ok(b"CREATE other")
    letter = lib.message(9)
    replies = send(client, *[an_append(mailbox, letter) for mailbox in [b"INBOX", b"other", b"other", b"inbox", b"INBOX"]])
    assert appended(replies) == [6, 1, 2, 7, 8]


def test_a_mailbox_that_is_made_between(client):
    """What depends on an answer waits for it, whichever it is."""
    letter = lib.message(9)
    replies = send(client, an_append(b"new", letter), b"CREATE new", an_append(b"new", letter), an_append(b"new", letter),
                   b"DELETE new", an_append(b"new", letter))
    assert words(replies) == [b"NO", b"OK", b"OK", b"OK", b"OK", b"NO"]


def test_stores_on_what_was_appended(client):
    letter = lib.message(9)
    replies = send(client, an_append(b"INBOX", letter), an_append(b"INBOX", letter), b"STORE 7 +FLAGS (\\Seen)",
                   b"STORE * +FLAGS (\\Flagged)", an_append(b"INBOX", letter), b"UID STORE * +FLAGS (\\Draft)")
    assert words(replies) == [b"OK"] * 6
    assert list(flags_of(client).values())[5:] == [set(), {b"\\Seen", b"\\Flagged"}, {b"\\Draft"}]


def test_a_literal_that_is_asked_for(client):
    tags, letter = [client.tag() for _ in range(3)], lib.message(9)
    client.send(b"%s %s\r\n%s %s\r\n%s APPEND INBOX {%d}\r\n" % (
        tags[0], an_append(b"INBOX", letter), tags[1], an_append(b"INBOX", letter), tags[2], len(letter)))
    replies = [client.reply(tag) for tag in tags[:2]]
    assert client.line().startswith(b"+")
    client.send(letter + b"\r\n")
    assert appended([*replies, client.reply(tags[2])]) == [6, 7, 8]


def test_appends_in_small_pieces(client):
    """Each octet may be the last that has come for a while."""
    tags, letter = [client.tag() for _ in range(4)], lib.message(9)
    octets = b"".join(tag + b" " + an_append(b"INBOX", letter) + b"\r\n" for tag in tags)
    for at in range(0, len(octets), 7):
        client.send(octets[at:at + 7])
    assert appended([client.reply(tag) for tag in tags]) == [6, 7, 8, 9]


def test_the_client_goes_within_an_append(shared_server, user, client, other):
    """What is whole is kept, in order and without a gap."""
    letters = [lib.message(number) for number in range(20)]
    octets = b"".join(b"x%d %s\r\n" % (n, an_append(b"INBOX", letter)) for n, letter in enumerate(letters))
    client.send(octets[:-300])
    client.close()
    lib.wait_until(lambda: b" EXISTS" in b"".join(other.ok(b"NOOP").untagged))
    count = len(flags_of(other))
    for number in range(6, count + 1):
        assert other.fetch_body(number) == letters[number - 6]


def test_over_quota_between():
    """The one that does not fit is refused, also where nothing of it was known when it came; smaller ones fit."""
    with lib.Server(settings=["quota-storage 100K"]) as server, server.client("demo") as client:
        small, large = lib.message(1), lib.message(2, b"x" * 60000 + b"\r\n")
        replies = send(client, *[an_append(b"INBOX", octets) for octets in (small, large, large, small, large, small)])
        assert words(replies) == [b"OK", b"OK", b"NO", b"OK", b"NO", b"OK"], replies
        assert all(b"[OVERQUOTA]" in replies[place].tagged for place in (2, 4))
