"""MESSAGELIMIT and SAVELIMIT (RFC 9738): what a command does to more messages than it may touch."""
import re

import pytest

import server as lib

pytestmark = pytest.mark.same_everywhere

LIMIT = 1000


def fill(client, name, count):
    client.ok(b"CREATE " + name)
    for start in range(0, count, 500):
        message = b" {5+}\r\na: b\n"
        assert client.command(b"APPEND " + name + message * min(500, count - start)).is_ok


def numbers(reply, pattern):
    return [int(found[1]) for line in reply.untagged if (found := re.match(pattern, line))]


def code_of(reply):
    found = re.search(rb"\[(MESSAGELIMIT[^\]]*)\]", reply.tagged)
    return found and found[1]


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=(f"message-limit {LIMIT}", "uidonly yes")) as running:
        with running.client("demo") as client:
            fill(client, b"box", 1006)
            client.ok(b"SELECT box")
            client.ok(b"STORE 2 +FLAGS (\\Deleted)")
            client.ok(b"CLOSE")				# UIDs 1, 3 to 1006: numbers 1 to 1005
        yield running


@pytest.fixture
def client(server):
    with server.client("demo") as client:
        client.ok(b"EXAMINE box")
        yield client


@pytest.fixture
def name(server):
    """A mailbox of 1005 messages, for one test: UIDs 1 to 1005."""
    with server.client("demo") as client:
        name = b"own%d" % len(client.ok(b'LIST "" own%').untagged)
        fill(client, name, 1005)
    return name


@pytest.fixture
def own(server, name):
    with server.client("demo") as client:
        client.ok(b"SELECT " + name)
        yield client


def test_capability(client):
    assert b" MESSAGELIMIT=1000" in client.ok(b"CAPABILITY").untagged[0]
    assert b"SAVELIMIT" not in client.ok(b"CAPABILITY").untagged[0]


@pytest.mark.parametrize("is_slow", [False, True])		# from the state alone, and from the store
@pytest.mark.parametrize("command, told, lowest", [
    (b"FETCH 1:* ", range(1005, 5, -1), 7),
    (b"FETCH 1:1004 ", range(1004, 4, -1), 6),
    (b"FETCH 2:3,5:1004 ", [*range(1004, 4, -1)], 6),
    (b"FETCH 1:1001 ", range(1001, 1, -1), 3),
    (b"FETCH 1:1000 ", range(1, 1001), None),
    (b"FETCH 1:500,502:600,602:1005 ", [*range(1005, 601, -1), *range(600, 501, -1), *range(500, 3, -1)], 5),
    (b"UID FETCH 1:* ", range(1005, 5, -1), 7),
    (b"UID FETCH 1:4294967295 ", range(1005, 5, -1), 7),
    (b"UID FETCH 1:1001 ", range(1, 1001), None),
    (b"UID FETCH 1:1002 ", range(1001, 1, -1), 3),
    (b"UID FETCH 6:* ", range(1005, 5, -1), 7),
    (b"UID FETCH 7:* ", range(6, 1006), None),
])
def test_fetch(client, command, told, lowest, is_slow):
    reply = client.ok(command + (b"BODY.PEEK[HEADER]" if is_slow else b"FLAGS"))
    assert numbers(reply, rb"\* (\d+) FETCH ") == list(told)
    assert code_of(reply) == (None if lowest is None else b"MESSAGELIMIT 1000 %d" % lowest)


def test_fetch_that_sets_seen(own):
    reply = own.ok(b"FETCH 1:* BODY[TEXT]")
    assert numbers(reply, rb"(?s)\* (\d+) FETCH \(.*FLAGS \(\\Seen") == list(range(1005, 5, -1))
    assert code_of(reply) == b"MESSAGELIMIT 1000 6"
    assert own.ok(b"UID SEARCH UID 1:7 SEEN").untagged == [b"* SEARCH 6 7"]


def test_fetch_of_changes(own):
    """What has not changed counts for nothing."""
    modseq = max(int(found[1]) for line in own.ok(b"FETCH 1005 MODSEQ").untagged
                 if (found := re.search(rb"MODSEQ \((\d+)\)", line)))
    own.ok(b"STORE 1:3 +FLAGS.SILENT (\\Flagged)")
    reply = own.ok(b"FETCH 1:* FLAGS (CHANGEDSINCE %d)" % modseq)
    assert numbers(reply, rb"\* (\d+) FETCH ") == [3, 2, 1] and code_of(reply) is None
    reply = own.ok(b"FETCH 1:* FLAGS (CHANGEDSINCE 1)")
    assert numbers(reply, rb"\* (\d+) FETCH ") == list(range(1005, 5, -1)) and code_of(reply) == b"MESSAGELIMIT 1000 6"
    reply = own.ok(b"FETCH 1:1000 BODY.PEEK[] (CHANGEDSINCE 1)")
    assert numbers(reply, rb"\* (\d+) FETCH ") == list(range(1000, 0, -1)) and code_of(reply) is None


@pytest.mark.parametrize("command, found, lowest", [
    (b"SEARCH ALL", range(1005, 5, -1), 7),
    (b"UID SEARCH ALL", range(1006, 6, -1), 7),
    (b"UID SEARCH UNDELETED", range(1006, 6, -1), 7),
    (b"UID SEARCH SUBJECT none", [], 7),			# so many were looked at, none was found
    (b"UID SEARCH HEADER a b", range(1006, 6, -1), 7),
    (b"UID SEARCH UID 1:1002", range(1002, 2, -1), 3),
    (b"UID SEARCH UID 1:1001", range(1, 1002), None),
    (b"UID SEARCH 2:1001", range(3, 1003), None),
    (b"UID SEARCH NOT DELETED (UID 1:3 ALL)", [1, 3], None),
    (b"UID SEARCH UIDBEFORE 4", [1, 3], None),
    (b"UID SEARCH UIDBEFORE 1", [], None),
    (b"UID SEARCH UIDAFTER 1004", [1005, 1006], None),
    (b"UID SEARCH UIDAFTER 4294967295", [], None),
    (b"UID SEARCH uidafter 2 uidbefore 5", [3, 4], None),
    (b"UID SEARCH UIDAFTER 7", range(8, 1007), None),
    (b"UID SEARCH UIDAFTER 5", range(1006, 6, -1), 7),
    (b"UID SEARCH NOT UIDAFTER 5", [], 7),			# within NOT a set leaves everything to be looked at
    (b"UID SEARCH OR UID 1 UID 1006", [1006], 7),
])
def test_search(client, command, found, lowest):
    reply = client.ok(command)
    words = reply.untagged[0].split()[2:]
    assert [int(word) for word in words] == [uid for uid in found if uid != 2]
    assert code_of(reply) == (None if lowest is None else b"MESSAGELIMIT 1000 %d" % lowest)


@pytest.mark.parametrize("command", [b"SEARCH UIDAFTER 0", b"SEARCH UIDBEFORE", b"SEARCH UIDAFTER *", b"SEARCH UIDAFTER 1:2",
                                     b"SEARCH UIDBEFORE 4294967296"])
def test_wrong_uids(client, command):
    assert b" BAD " in client.command(command).tagged


def test_saved_result(client):
    """What "$" holds is cut off as well: RFC 9738 section 3.4."""
    reply = client.ok(b"UID SEARCH RETURN (SAVE) ALL")
    assert reply.untagged == [] and code_of(reply) == b"MESSAGELIMIT 1000 7"
    reply = client.ok(b"UID SEARCH RETURN (COUNT MIN MAX) $")
    assert b" COUNT 1000" in reply.untagged[0] and b" MIN 7 MAX 1006" in reply.untagged[0] and code_of(reply) is None
    reply = client.ok(b"FETCH $ UID")
    assert len(reply.untagged) == 1000 and code_of(reply) is None
    reply = client.ok(b"UID SEARCH RETURN (SAVE COUNT) UIDBEFORE 7 UNDELETED")
    assert b" COUNT 5" in reply.untagged[0] and code_of(reply) is None
    assert len(client.ok(b"FETCH $ UID").untagged) == 5


def test_sort_is_not_limited(client):
    """An order of some of the messages is none: RFC 9738 section 3.3."""
    reply = client.ok(b"UID SORT (REVERSE ARRIVAL) US-ASCII ALL")
    assert len(reply.untagged[0].split()) == 2 + 1005 and code_of(reply) is None


def test_esearch_in_rev2(server):
    with server.client("demo") as client:
        client.ok(b"ENABLE IMAP4rev2")
        client.ok(b"EXAMINE box")
        reply = client.ok(b"SEARCH RETURN (MIN MAX COUNT ALL) ALL")
        assert set(re.findall(rb"(?:MIN|MAX|COUNT) \d+|ALL \S+", reply.untagged[0])) == \
            {b"MIN 6", b"MAX 1005", b"COUNT 1000", b"ALL 6:1005"}
        assert code_of(reply) == b"MESSAGELIMIT 1000 7"


def test_store(own):
    reply = own.ok(b"UID STORE 1:* +FLAGS (\\Seen)")
    assert numbers(reply, rb"\* (\d+) FETCH ") == list(range(1005, 5, -1)) and code_of(reply) == b"MESSAGELIMIT 1000 6"
    reply = own.ok(b"UID STORE 1:5 +FLAGS (\\Seen)")
    assert numbers(reply, rb"\* (\d+) FETCH ") == [1, 2, 3, 4, 5] and code_of(reply) is None
    reply = own.ok(b"STORE 1:* -FLAGS.SILENT (\\Seen)")
    assert reply.untagged == [] and code_of(reply) == b"MESSAGELIMIT 1000 6"
    reply = own.ok(b"STORE 1:* -FLAGS.SILENT (\\Flagged)")		# nothing had to be changed
    assert code_of(reply) == b"MESSAGELIMIT 1000 6"
    assert own.ok(b"UID SEARCH UID 1:1000 SEEN").untagged == [b"* SEARCH 1 2 3 4 5"]


def test_store_with_another_code(own):
    """MODIFIED keeps its place, as EXPUNGEISSUED does."""
    reply = own.command(b"UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\\Seen)")
    assert b" OK [MODIFIED 6:1005] " in reply.tagged
    assert re.match(rb"\* NO \[MESSAGELIMIT 1000 6\] ", reply.untagged[-1])


def test_expunge_issued(server, own, name):
    with server.client("demo") as other:
        other.ok(b"SELECT " + name)
        other.ok(b"STORE 1000 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
    reply = own.ok(b"FETCH 1:* FLAGS")
    assert numbers(reply, rb"\* (\d+) FETCH ") == [number for number in range(1005, 4, -1) if number != 1000]
    assert b" OK [EXPUNGEISSUED] " in reply.tagged and reply.untagged[-1].startswith(b"* NO [MESSAGELIMIT 1000 5] ")


def test_copy(client, own):
    client.ok(b"CREATE copies")
    reply = own.command(b"UID COPY 1:* copies")
    assert re.match(rb"\S+ NO \[MESSAGELIMIT 1000 6\] ", reply.tagged)
    assert re.match(rb"\S+ NO \[MESSAGELIMIT 1000 5\] ", own.command(b"COPY 1:1004 copies").tagged)
    assert client.ok(b"STATUS copies (MESSAGES)").untagged == [b"* STATUS copies (MESSAGES 0)"]
    assert b"COPYUID" in own.ok(b"UID COPY 1:1000 copies").tagged
    assert client.ok(b"STATUS copies (MESSAGES)").untagged == [b"* STATUS copies (MESSAGES 1000)"]
    client.ok(b"DELETE copies")


@pytest.mark.parametrize("word", [b"MOVE 1:*", b"UID MOVE 1:*", b"UID MOVE 3:*"])
def test_move(own, client, word):
    client.ok(b"CREATE moved")
    reply = own.ok(word + b" moved")
    assert re.match(rb"\* OK \[COPYUID \d+ 6:1005 1:1000\] ", reply.untagged[0])
    assert len(numbers(reply, rb"\* (\d+) EXPUNGE")) == 1000 and code_of(reply) == b"MESSAGELIMIT 1000 6"
    assert own.ok(b"FETCH 1:* UID").untagged == [b"* %d FETCH (UID %d)" % (number, number) for number in range(1, 6)]
    assert code_of(own.ok(b"UID MOVE 1:* moved")) is None
    client.ok(b"DELETE moved")


def test_expunge(own):
    own.ok(b"STORE 1:5 +FLAGS.SILENT (\\Deleted)")
    own.ok(b"STORE 6:* +FLAGS.SILENT (\\Deleted)")
    reply = own.ok(b"UID EXPUNGE 2:*")
    assert len(numbers(reply, rb"\* (\d+) EXPUNGE")) == 1000 and code_of(reply) == b"MESSAGELIMIT 1000 6"
    reply = own.ok(b"UID EXPUNGE 2:*")
    assert len(numbers(reply, rb"\* (\d+) EXPUNGE")) == 4 and code_of(reply) is None
    assert own.ok(b"UID SEARCH ALL").untagged == [b"* SEARCH 1"]


def test_only_deleted_messages_count(own):
    own.ok(b"STORE 3:5,1000 +FLAGS.SILENT (\\Deleted)")
    reply = own.ok(b"UID EXPUNGE 1:*")
    assert len(numbers(reply, rb"\* (\d+) EXPUNGE")) == 4 and code_of(reply) is None


@pytest.mark.parametrize("command", [b"EXPUNGE", b"CLOSE"])
def test_never_limited(server, own, name, command):
    own.ok(b"STORE 1:5 +FLAGS.SILENT (\\Deleted)")
    own.ok(b"STORE 6:* +FLAGS.SILENT (\\Deleted)")
    assert own.ok(b"STATUS " + name + b" (UNSEEN DELETED)").untagged == [b"* STATUS " + name + b" (UNSEEN 1005 DELETED 1005)"]
    assert code_of(own.ok(command)) is None
    assert own.ok(b"STATUS " + name + b" (MESSAGES)").untagged == [b"* STATUS " + name + b" (MESSAGES 0)"]


def test_with_qresync(own):
    """A tagged OK that tells HIGHESTMODSEQ keeps it."""
    own.ok(b"ENABLE QRESYNC")
    own.ok(b"STORE 1:5 +FLAGS.SILENT (\\Deleted)")
    own.ok(b"STORE 6:* +FLAGS.SILENT (\\Deleted)")
    reply = own.ok(b"UID EXPUNGE 1:*")
    assert b"* VANISHED 6:1005" in reply.untagged and b" OK [HIGHESTMODSEQ " in reply.tagged
    assert reply.untagged[-1].startswith(b"* NO [MESSAGELIMIT 1000 6] ")


def test_with_uidonly(own):
    own.ok(b"ENABLE UIDONLY")
    reply = own.ok(b"UID FETCH 1:* FLAGS")
    assert numbers(reply, rb"\* (\d+) UIDFETCH ") == list(range(1005, 5, -1)) and code_of(reply) == b"MESSAGELIMIT 1000 6"


def test_append(client):
    client.ok(b"CREATE many")
    one = b" {3+}\r\nabc"
    assert b"APPENDUID" in client.ok(b"APPEND many" + one * 1000).tagged
    reply = client.command(b"APPEND many" + one * 1001)
    assert re.match(rb"\S+ NO \[MESSAGELIMIT 1000\] ", reply.tagged)
    client.send(b"x APPEND many" + one * 1000 + b" {3}\r\n")
    assert client.line().startswith(b"x NO [MESSAGELIMIT 1000] ")
    assert client.ok(b"STATUS many (MESSAGES)").untagged == [b"* STATUS many (MESSAGES 1000)"]


def test_fetch_of_notify_is_not_limited(server, own, name):
    own.ok(b"NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge))")
    with server.client("demo") as other:
        other.ok(b"SELECT " + name)
        fill(other, b"source" + name, 1001)
        other.ok(b"SELECT source" + name)
        other.ok(b"COPY 1:1000 " + name)
        other.ok(b"COPY 1001 " + name)
    told = []
    while not told or b"UID 2006" not in told[-1]:
        told.append(own.line())
    assert sum(b" FETCH (UID " in line for line in told) == 1001 and not any(b"MESSAGELIMIT" in line for line in told)


def test_limit_of_a_session_stays(server, client):
    server.settings = ["uidonly yes"]
    server.write_config()
    server.imapctl("reload")
    try:
        assert b" MESSAGELIMIT=1000" in client.ok(b"CAPABILITY").untagged[0]
        assert code_of(client.ok(b"FETCH 1:* FLAGS")) == b"MESSAGELIMIT 1000 7"
        with server.client("demo") as other:
            assert b"MESSAGELIMIT" not in other.ok(b"CAPABILITY").untagged[0]
            other.ok(b"EXAMINE box")
            reply = other.ok(b"FETCH 1:* FLAGS")
            assert numbers(reply, rb"\* (\d+) FETCH ") == list(range(1, 1006)) and code_of(reply) is None
            assert b" BAD " in other.command(b"UID SEARCH UIDAFTER 5").tagged
    finally:
        server.settings = [f"message-limit {LIMIT}", "uidonly yes"]
        server.write_config()
        server.imapctl("reload")


def test_masked(server):
    server.settings.append("capability-mask MESSAGELIMIT")
    server.write_config()
    server.imapctl("reload")
    try:
        with server.client("demo") as client:
            assert b"MESSAGELIMIT" not in client.ok(b"CAPABILITY").untagged[0]
            client.ok(b"EXAMINE box")
            assert len(client.ok(b"FETCH 1:* UID").untagged) == 1005
            assert b" BAD " in client.command(b"UID SEARCH UIDBEFORE 5").tagged
    finally:
        server.settings.pop()
        server.write_config()
        server.imapctl("reload")


def test_savelimit():
    with lib.Server(settings=("save-limit 1001",)) as server, server.client("demo") as client:
        assert b" SAVELIMIT=1001" in client.ok(b"CAPABILITY").untagged[0]
        assert b"MESSAGELIMIT" not in client.ok(b"CAPABILITY").untagged[0]
        one = b" {3+}\r\nabc"
        client.ok(b"APPEND INBOX" + one * 1001)
        assert re.match(rb"\S+ NO \[MESSAGELIMIT 1001\] ", client.command(b"APPEND INBOX" + one * 1002).tagged)
        client.ok(b"APPEND INBOX" + one)
        client.ok(b"SELECT INBOX")
        assert re.match(rb"\S+ NO \[MESSAGELIMIT 1001 2\] ", client.command(b"COPY 1:* Trash").tagged)
        client.ok(b"COPY 2:* Trash")
        assert b" BAD " in client.command(b"UID SEARCH UIDAFTER 5").tagged
        assert len(client.ok(b"FETCH 1:* UID").untagged) == 1002
        assert client.ok(b"UID SEARCH 1:2").tagged.count(b"[") == 0
        reply = client.ok(b"MOVE 1:* Junk")
        assert len(numbers(reply, rb"\* (\d+) EXPUNGE")) == 1002 and code_of(reply) is None
