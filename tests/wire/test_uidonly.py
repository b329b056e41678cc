"""UIDONLY (RFC 9586): neither taken nor told are message numbers, and it is there only where it is configured."""
import re

import pytest

import server as lib

pytestmark = pytest.mark.same_everywhere


@pytest.fixture(scope="module")
def server():
    with lib.Server(settings=("uidonly yes",)) as running:
        yield running


@pytest.fixture
def name(server):
    with server.client("demo") as client:
        name = b"box%d" % len(client.ok(b'LIST "" *').untagged)
        client.ok(b"CREATE " + name)
        for number in range(5):
            assert client.append(name, lib.message(number)).is_ok
        client.ok(b"SELECT " + name)
        client.ok(b"STORE 2 +FLAGS (\\Deleted)")
        client.ok(b"CLOSE")				# UIDs 1, 3, 4, 5: they differ from the numbers
    return name


@pytest.fixture
def client(server, name):
    with server.client("demo") as client:
        assert client.ok(b"ENABLE UIDONLY").untagged == [b"* ENABLED UIDONLY"]
        client.ok(b"SELECT " + name)
        yield client


@pytest.mark.parametrize("command", [
    b"FETCH 1 FLAGS", b"FETCH * FLAGS", b"STORE 1 FLAGS ()", b"COPY 1 INBOX", b"MOVE 1 INBOX", b"SEARCH ALL",
    b"SEARCH UID 1", b"SEARCH RETURN (COUNT) ALL", b"UID SEARCH 1", b"UID SEARCH OR ALL NOT 1:2", b"UID SEARCH (SEEN *)",
    b"SORT (DATE) UTF-8 ALL", b"THREAD REFS UTF-8 ALL", b"UID THREAD REFS UTF-8 1", b"UID SORT (DATE) UTF-8 1:*", b"UID SORT RETURN () (DATE) UTF-8 NOT 1",
    b"SELECT INBOX (QRESYNC (1 1 1:9 (1:3 1:3)))", b"EXAMINE INBOX (QRESYNC (1 1 1:9 (1:3 1:3)))",
    b"REPLACE 1 INBOX {3+}\r\nabc"])
def test_numbers_are_refused(client, command):
    client.ok(b"ENABLE QRESYNC")
    assert re.match(rb"\S+ BAD \[UIDREQUIRED\] ", client.command(command).tagged)
    assert client.ok(b"UID SEARCH ALL").untagged == [b"* SEARCH 1 3 4 5"]	# and nothing was done


@pytest.mark.parametrize("command, replies", [
    (b"UID FETCH 3:4 FLAGS", [b"* 3 UIDFETCH (FLAGS ())", b"* 4 UIDFETCH (FLAGS ())"]),
    (b"UID FETCH 3 (UID RFC822.SIZE)", [b"* 3 UIDFETCH (UID 3 RFC822.SIZE %d)" % len(lib.message(2))]),
    (b"UID FETCH * BODY[]<0.3>", [b"* 5 UIDFETCH (BODY[]<0> {3}\r\n%s FLAGS (\\Seen))" % lib.message(4)[:3]]),
    (b"UID STORE 3 +FLAGS (\\Seen)", [b"* 3 UIDFETCH (FLAGS (\\Seen))"]),
    (b"UID SEARCH UID 2:4", [b"* SEARCH 3 4"]),
    (b"UID SORT (REVERSE SIZE) UTF-8 UID 2:4", [b"* SORT 3 4"]),
    (b"UID THREAD ORDEREDSUBJECT UTF-8 UID 2:4", [b"* THREAD (3)(4)"]),
    (b"UID EXPUNGE 1:5", []),
])
def test_uids(client, command, replies):
    untagged = [re.sub(rb" ?\\Recent ?", b"", line) for line in client.ok(command).untagged]
    assert untagged == replies


def test_store_with_modseq(client):
    client.ok(b"ENABLE CONDSTORE")
    told = client.ok(b"UID STORE 3 +FLAGS.SILENT (\\Seen)").untagged
    assert len(told) == 1 and re.fullmatch(rb"\* 3 UIDFETCH \(MODSEQ \(\d+\)\)", told[0])
    told = client.ok(b"UID FETCH 1:* FLAGS (CHANGEDSINCE %d)" % (int(re.search(rb"Q \((\d+)", told[0])[1]) - 1)).untagged
    assert len(told) == 1 and told[0].startswith(b"* 3 UIDFETCH (")


def test_move_and_expunge(client):
    lines = client.ok(b"UID MOVE 3 INBOX").untagged
    assert b"COPYUID" in lines[0] and lines[1] == b"* VANISHED 3"
    client.ok(b"UID STORE 4:5 +FLAGS (\\Deleted)")
    assert client.ok(b"EXPUNGE").untagged == [b"* VANISHED 4:5"]


def test_what_others_do(server, client, name):
    with server.client("demo") as other:
        other.ok(b"SELECT " + name)
        other.ok(b"STORE 2 +FLAGS (\\Flagged \\Deleted)")
        told = client.ok(b"NOOP").untagged
        assert len(told) == 1 and told[0].startswith(b"* 3 UIDFETCH (FLAGS (")
        assert other.ok(b"EXPUNGE").untagged[0] == b"* 2 EXPUNGE"
        assert b"* VANISHED 3" in client.ok(b"NOOP").untagged


def test_select_tells_no_number(client, name):
    lines = client.ok(b"SELECT " + name).untagged
    assert not any(b"[UNSEEN" in line for line in lines) and b"* 4 EXISTS" in lines


def test_resynchronized(server, client, name):
    client.ok(b"ENABLE QRESYNC")
    lines = client.ok(b"SELECT %s (QRESYNC (%d 1 1:9))" % (name, validity(client, name))).untagged
    assert b"* VANISHED (EARLIER) 2" in lines
    assert sum(re.match(rb"\* [1345] UIDFETCH \(MODSEQ \(\d+\) FLAGS \(", line) is not None for line in lines) == 4


def validity(client, name):
    return int(re.search(rb"UIDVALIDITY (\d+)", client.ok(b"STATUS %s (UIDVALIDITY)" % name).untagged[0])[1])


def test_off_by_default():
    with lib.Server() as server, server.client("demo") as client:
        assert b"UIDONLY" not in client.ok(b"CAPABILITY").untagged[0]
        assert client.ok(b"ENABLE UIDONLY").untagged == [b"* ENABLED"]
        client.ok(b"SELECT INBOX")
        client.ok(b"SEARCH ALL")


def test_masked(server):
    server.settings = ["uidonly yes", "capability-mask UIDONLY"]
    server.write_config()
    server.imapctl("reload")
    try:
        with server.client("demo") as client:
            assert b"UIDONLY" not in client.ok(b"CAPABILITY").untagged[0]
            assert client.ok(b"ENABLE UIDONLY").untagged == [b"* ENABLED"]
    finally:
        server.settings = ["uidonly yes"]
        server.write_config()
        server.imapctl("reload")
