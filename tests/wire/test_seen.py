"""\\Seen in mailboxes of others is each user's own; and messages that go from one user's file into another's."""
import os
import re
import shutil
import sqlite3

import pytest

import server as lib

USERS = ("bob", "alice", "carol")
ALL = b"lrswipkxte"


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=USERS) as running:
        yield running


@pytest.fixture
def bob(server):
    with server.client("bob") as client:
        yield client


@pytest.fixture
def alice(server):
    with server.client("alice") as client:
        yield client


@pytest.fixture
def carol(server):
    with server.client("carol") as client:
        yield client


NAMES = iter(range(10 ** 6))


def share(bob, messages=3, rights=ALL, who=(b"alice", b"carol")):
    """A mailbox of bob's that others may use, and its name for them."""
    name = b"s%d" % next(NAMES)
    bob.ok(b"CREATE " + name)
    for number in range(messages):
        assert bob.append(name, lib.message(number)).is_ok
    for user in who:
        bob.ok(b"SETACL " + name + b" " + user + b" " + rights)
    return name, b'"Other Users/bob/' + name + b'"'


def flags(client, name):
    """{UID: flags} as a client finds them that comes anew."""
    client.ok(b"EXAMINE " + name)
    found = {}
    for line in client.ok(b"UID FETCH 1:* (FLAGS)").untagged:
        match = re.match(rb"\* \d+ FETCH \(UID (\d+) FLAGS \((.*?)\)\)|\* \d+ FETCH \(FLAGS \((.*?)\) UID (\d+)\)", line)
        if match:
            found[int(match[1] or match[4])] = set((match[2] if match[1] else match[3]).split()) - {b"\\Recent"}
    client.ok(b"UNSELECT")
    return found


def seen(client, name):
    return {uid for uid, flags_of in flags(client, name).items() if b"\\Seen" in flags_of}


def unseen(client, name):
    (line,) = client.ok(b"STATUS " + name + b" (UNSEEN)").untagged
    assert line.startswith(b"* STATUS " + name), line
    return int(re.search(rb"UNSEEN (\d+)", line)[1])


def modseqs(client, since):
    lines = client.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % since).untagged
    return {int(re.search(rb"UID (\d+)", line)[1]): int(re.search(rb"MODSEQ \((\d+)\)", line)[1]) for line in lines}


def highest(client, name):
    line = next(line for line in client.ok(b"STATUS " + name + b" (HIGHESTMODSEQ)").untagged if b"STATUS" in line)
    return int(re.search(rb"HIGHESTMODSEQ (\d+)", line)[1])


def told(line):
    """Number and flags of a FETCH line."""
    match = re.match(rb"\* (\d+) FETCH \(.*FLAGS \((.*?)\)", line)
    return int(match[1]), set(match[2].split()) - {b"\\Recent"}


def test_each_has_their_own(bob, alice, carol):
    name, other = share(bob)
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1 +FLAGS (\\Seen \\Flagged)")
    alice.ok(b"SELECT " + other)
    lines = alice.ok(b"STORE 2:3 +FLAGS (\\Seen \\Answered)").untagged
    assert [told(line) for line in lines] == [(number, {b"\\Answered", b"\\Seen"}) for number in (2, 3)]
    assert flags(carol, other) == {1: {b"\\Flagged"}, 2: {b"\\Answered"}, 3: {b"\\Answered"}}
    assert flags(alice, other) == {1: {b"\\Flagged"}, 2: {b"\\Answered", b"\\Seen"}, 3: {b"\\Answered", b"\\Seen"}}
    assert flags(bob, name) == {1: {b"\\Flagged", b"\\Seen"}, 2: {b"\\Answered"}, 3: {b"\\Answered"}}
    assert [unseen(client, of) for client, of in ((bob, name), (alice, other), (carol, other))] == [2, 1, 3]


def test_after_a_restart():
    with lib.Server(users=USERS) as server:
        with server.client("bob") as bob, server.client("alice") as alice:
            name, other = share(bob)
            alice.ok(b"SELECT " + other)
            alice.ok(b"STORE 1:2 +FLAGS (\\Seen)")
            alice.ok(b"STORE 2 -FLAGS (\\Seen)")
        for end in (server.stop, server.kill):
            end()
            server.start()
            with server.client("bob") as bob, server.client("alice") as alice:
                assert (seen(alice, other), seen(bob, name), unseen(alice, other)) == ({1}, set(), 2)


@pytest.mark.parametrize("command, expected", [
    (b"STORE 1 FLAGS (\\Seen)", {b"\\Seen"}), (b"STORE 1 FLAGS (\\Flagged)", {b"\\Flagged"}), (b"STORE 1 FLAGS ()", set()),
    (b"STORE 1 -FLAGS (\\Answered)", {b"\\Seen"}), (b"STORE 1 -FLAGS (\\Seen)", {b"\\Answered"}),
    (b"STORE 1 +FLAGS (new)", {b"\\Answered", b"\\Seen", b"new"}), (b"STORE 1 FLAGS.SILENT (new \\Draft)", {b"new", b"\\Draft"}),
])
def test_store(bob, alice, command, expected):
    name, other = share(bob)
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1:* +FLAGS (\\Seen)")
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 1 FLAGS (\\Answered \\Seen)")
    lines = alice.ok(command).untagged
    if b"SILENT" not in command:
        assert (1, expected) in [told(line) for line in lines if b" FETCH " in line]
    assert flags(alice, other)[1] == expected
    assert flags(bob, name)[1] == expected | {b"\\Seen"}


@pytest.mark.parametrize("rights, command, granted, expected", [
    (b"lrw", b"STORE 1 +FLAGS (\\Seen)", False, set()),
    (b"lrw", b"STORE 1 +FLAGS (\\Seen \\Flagged)", True, {b"\\Flagged"}),
    (b"lrs", b"STORE 1 +FLAGS (\\Seen \\Flagged)", True, {b"\\Seen"}),
    (b"lrs", b"STORE 1 FLAGS (\\Seen \\Deleted)", True, {b"\\Seen"}),
    (b"lrt", b"STORE 1 FLAGS (\\Seen \\Deleted)", True, {b"\\Deleted"}),
    (b"lr", b"STORE 1 FLAGS (\\Seen)", False, set()),
    (b"lrs", b"FETCH 1 BODY[TEXT]", True, {b"\\Seen"}),
    (b"lrw", b"FETCH 1 BODY[TEXT]", True, set()),
    (b"lr", b"FETCH 1 BODY[TEXT]", True, set()),
])
def test_by_right(bob, alice, rights, command, granted, expected):
    name, other = share(bob, rights=rights)
    alice.ok(b"SELECT " + other)
    assert alice.command(command).is_ok == granted
    assert flags(alice, other)[1] == expected
    assert flags(bob, name)[1] == expected - {b"\\Seen"}


def test_fetch_and_search(bob, alice):
    name, other = share(bob, messages=5)
    alice.ok(b"SELECT " + other)
    lines = alice.ok(b"FETCH 2:3 (BODY[TEXT])").untagged
    assert [b"\\Seen" in line for line in lines if b"FETCH" in line] == [True, True]
    assert alice.ok(b"SEARCH SEEN").untagged == [b"* SEARCH 2 3"]
    assert alice.ok(b"SORT (DATE) UTF-8 UNSEEN").untagged == [b"* SORT 1 4 5"]
    bob.ok(b"SELECT " + name)
    assert bob.ok(b"SEARCH SEEN").untagged == [b"* SEARCH"]
    assert b"OK [UNSEEN 1]" in b"".join(alice.ok(b"SELECT " + other).untagged)
    alice.ok(b"STORE 1 +FLAGS (\\Seen)")
    assert b"OK [UNSEEN 4]" in b"".join(alice.ok(b"SELECT " + other).untagged)
    found = alice.ok(b'ESEARCH IN (SUBTREE "Other Users") RETURN (COUNT) SEEN').untagged
    assert any(other in line and b"COUNT 3" in line for line in found), found


def test_two_sessions_of_one_user(server, bob, alice):
    name, other = share(bob)
    with server.client("alice") as second:
        second.ok(b"ENABLE CONDSTORE")
        second.ok(b"SELECT " + other)
        alice.ok(b"SELECT " + other)
        alice.ok(b"STORE 2 +FLAGS (\\Seen)")
        (line,) = second.ok(b"NOOP").untagged
        assert told(line) == (2, {b"\\Seen"}) and b"MODSEQ" in line
        bob.ok(b"SELECT " + name)
        assert bob.ok(b"NOOP").untagged == []
        alice.ok(b"STORE 2 -FLAGS (\\Seen)")
        (line,) = second.ok(b"NOOP").untagged
        assert told(line) == (2, set())


def test_changed_since(server, bob, alice):
    """RFC 7162: what each has changed has a modseq above all that were told; and so after all have gone."""
    name, other = share(bob, messages=4)
    alice.ok(b"ENABLE CONDSTORE")
    alice.ok(b"SELECT " + other)
    bob.ok(b"SELECT " + name)
    start = highest(alice, other)
    alice.ok(b"STORE 1 +FLAGS (\\Seen)")
    first = highest(alice, other)
    assert start < first == highest(bob, name)
    bob.ok(b"STORE 2 +FLAGS (\\Flagged)")
    alice.ok(b"STORE 3 +FLAGS (\\Seen)")
    second = highest(alice, other)
    alice.ok(b"STORE 1 -FLAGS (\\Seen)")
    assert set(modseqs(alice, start)) == {1, 2, 3}
    assert set(modseqs(alice, first)) == {1, 2, 3}
    assert set(modseqs(alice, second)) == {1}
    before = modseqs(alice, start)
    server.stop()
    server.start()
    with server.client("alice") as again:
        again.ok(b"ENABLE CONDSTORE")
        again.ok(b"SELECT " + other)
        assert modseqs(again, start) == before
        assert modseqs(again, second) == {1: before[1]}


def test_unchanged_since(server, bob, alice):
    name, other = share(bob, messages=4)
    with server.client("alice") as second:
        for client in (alice, second):
            client.ok(b"ENABLE CONDSTORE")
            client.ok(b"SELECT " + other)
        told = highest(alice, other)
        second.ok(b"STORE 1 +FLAGS (\\Seen)")
        reply = alice.ok(b"STORE 1:2 (UNCHANGEDSINCE %d) -FLAGS (\\Seen)" % told)
        assert b"[MODIFIED 1]" in reply.tagged
        reply = alice.ok(b"STORE 1:2 (UNCHANGEDSINCE %d) +FLAGS (\\Seen)" % told)
        assert b"[MODIFIED 1]" in reply.tagged
        assert seen(second, other) == {1, 2}
        second.ok(b"SELECT " + other)
        told = highest(alice, other)
        bob.ok(b"SELECT " + name)
        bob.ok(b"STORE 3 +FLAGS (\\Flagged)")
        assert b"[MODIFIED 3]" in second.ok(b"STORE 3:4 (UNCHANGEDSINCE %d) FLAGS (\\Seen)" % told).tagged
        assert flags(bob, name) == {1: set(), 2: set(), 3: {b"\\Flagged"}, 4: set()}


def test_append(bob, alice, carol):
    name, other = share(bob, messages=1)
    alice.ok(b"SELECT INBOX")
    letter = lib.message(7)
    alice.ok(b"APPEND " + other + b" (\\Seen \\Flagged new) {%d+}\r\n%s" % (len(letter), letter))
    alice.ok(b"APPEND " + other + b" {%d+}\r\n%s" % (len(letter), letter))
    assert flags(alice, other) == {1: set(), 2: {b"\\Seen", b"\\Flagged", b"new"}, 3: set()}
    assert flags(carol, other) == {1: set(), 2: {b"\\Flagged", b"new"}, 3: set()}
    assert seen(bob, name) == set()


def test_appends_that_nobody_waits_for(bob, alice):
    name, other = share(bob, messages=0)
    letter = lib.message(7)
    tags = [alice.tag() for _ in range(4)]
    alice.send(b"".join(b"%s APPEND %s %s{%d+}\r\n%s\r\n" % (tag, other, b"" if number % 2 else b"(\\Seen) ", len(letter), letter)
                        for number, tag in enumerate(tags)))
    for tag in tags:
        lines = iter(alice.line, b"")
        assert next(line for line in lines if line.startswith(tag)).startswith(tag + b" OK")
    assert (seen(alice, other), seen(bob, name)) == ({1, 3}, set())


def octets(client, name, uid):
    client.ok(b"EXAMINE " + name)
    (line,) = [line for line in client.ok(b"UID FETCH %d (INTERNALDATE BODY.PEEK[])" % uid).untagged if b"BODY" in line]
    client.ok(b"UNSELECT")
    found = re.search(rb'INTERNALDATE ("[^"]*").*BODY\[\] \{(\d+)\}\r\n', line, re.S)
    return found[1], line[found.end():found.end() + int(found[2])]


@pytest.mark.parametrize("verb", [b"COPY", b"MOVE"])
def test_from_another_and_back(bob, alice, verb):
    """Flags, keywords, dates and octets go along; \\Seen is that of who copies."""
    name, other = share(bob, messages=3)
    target = b"mine%d" % next(NAMES)
    alice.ok(b"CREATE " + target)
    before = octets(alice, other, 2)
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1:3 +FLAGS (\\Seen $Label \\Draft)")
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 2 +FLAGS (\\Seen)")
    reply = alice.ok(verb + b" 2:3 " + target)
    assert re.search(rb"COPYUID \d+ 2:3 1:2\]", b"".join(reply.untagged) + reply.tagged)
    assert flags(alice, target) == {1: {b"\\Seen", b"$Label", b"\\Draft"}, 2: {b"$Label", b"\\Draft"}}
    assert octets(alice, target, 1) == before
    assert set(flags(bob, name)) == ({1} if verb == b"MOVE" else {1, 2, 3})

    alice.ok(b"SELECT " + target)
    reply = alice.ok(verb + b" 1:2 " + other)
    assert re.search(rb"COPYUID \d+ 1:2 4:5\]", b"".join(reply.untagged) + reply.tagged)
    assert {uid: set_of for uid, set_of in flags(alice, other).items() if uid > 3} == {
        4: {b"\\Seen", b"$Label", b"\\Draft"}, 5: {b"$Label", b"\\Draft"}}
    assert {uid: set_of for uid, set_of in flags(bob, name).items() if uid > 3} == {
        4: {b"$Label", b"\\Draft"}, 5: {b"$Label", b"\\Draft"}}
    assert octets(alice, other, 4) == before
    assert len(flags(alice, target)) == (0 if verb == b"MOVE" else 2)


@pytest.mark.parametrize("verb", [b"COPY", b"MOVE"])
def test_within_one_file(bob, alice, verb):
    name, other = share(bob)
    second, other_second = share(bob, messages=0)
    bob.ok(b"SELECT " + name)
    bob.ok(b"STORE 1 +FLAGS (\\Seen)")
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 2 +FLAGS (\\Seen)")
    alice.ok(verb + b" 1:2 " + other_second)
    assert (seen(alice, other_second), seen(bob, second)) == ({2}, {1})


def test_to_a_third(server, bob, alice, carol):
    name, other = share(bob, messages=2)
    carol.ok(b"CREATE hers")
    carol.ok(b"SETACL hers alice lrsi")
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 1:2 +FLAGS (\\Seen \\Flagged)")
    alice.ok(b'COPY 1:2 "Other Users/carol/hers"')
    assert flags(alice, b'"Other Users/carol/hers"') == {1: {b"\\Seen"}, 2: {b"\\Seen"}}
    assert flags(carol, b"hers") == {1: set(), 2: set()}


def test_large_messages_across(bob, alice):
    """In several pieces, and one message that is larger than a piece."""
    name, other = share(bob, messages=0)
    for number in range(4):
        letter = lib.message(number, b"line %d of it\r\n" % number * (200000 if number == 2 else 60000))
        assert bob.append(name, letter).is_ok
    target = b"mine%d" % next(NAMES)
    alice.ok(b"CREATE " + target)
    alice.ok(b"SELECT " + other)
    alice.ok(b"COPY 1:* " + target)
    for uid in range(1, 5):
        assert octets(alice, target, uid) == octets(alice, other, uid)


def test_quota_of_the_target():
    with lib.Server(users=USERS, settings=("quota-messages 4",)) as server, \
            server.client("bob") as bob, server.client("alice") as alice:
        name, other = share(bob, messages=3)
        for number in range(2):
            assert alice.append(b"INBOX", lib.message(number)).is_ok
        alice.ok(b"SELECT INBOX")
        assert b"NO [OVERQUOTA]" in alice.command(b"COPY 1:2 " + other).tagged
        assert b"NO [OVERQUOTA]" in alice.command(b"MOVE 1:2 " + other).tagged
        alice.ok(b"MOVE 2 " + other)
        assert (set(flags(bob, name)), set(flags(alice, b"INBOX"))) == ({1, 2, 3, 4}, {1})


def test_list_status(bob, alice):
    name, other = share(bob, messages=3)
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 1 +FLAGS (\\Seen)")
    alice.ok(b"UNSELECT")
    lines = alice.ok(b'LIST "" (' + other + b") RETURN (STATUS (MESSAGES UNSEEN))").untagged
    assert b"* STATUS " + other + b" (MESSAGES 3 UNSEEN 2)" in lines, lines


def test_mailbox_made_anew(bob, alice):
    name, other = share(bob, messages=2)
    alice.ok(b"SELECT " + other)
    alice.ok(b"STORE 1:2 +FLAGS (\\Seen)")
    alice.ok(b"UNSELECT")
    bob.ok(b"DELETE " + name)
    bob.ok(b"CREATE " + name)
    bob.ok(b"SETACL " + name + b" alice lrs")
    for number in range(2):
        assert bob.append(name, lib.message(number)).is_ok
    assert seen(alice, other) == set()


def test_shared_by_configuration():
    with lib.Server(users=USERS, settings=("shared-seen shared",)) as server, \
            server.client("bob") as bob, server.client("alice") as alice:
        name, other = share(bob)
        alice.ok(b"SELECT " + other)
        alice.ok(b"STORE 2 +FLAGS (\\Seen)")
        alice.ok(b"FETCH 3 BODY[]")
        assert (seen(alice, other), seen(bob, name), unseen(alice, other)) == ({2, 3}, {2, 3}, 1)
        letter = lib.message(7)
        alice.ok(b"APPEND " + other + b" (\\Seen) {%d+}\r\n%s" % (len(letter), letter))
        assert seen(bob, name) == {2, 3, 4}


def test_for_one_mailbox(server, bob):
    name, other = share(bob)
    with server.client("alice") as alice:
        alice.ok(b"SELECT " + other)
        alice.ok(b"STORE 1:2 +FLAGS (\\Seen)")
        server.imapctl("acl", "seen", "bob", name.decode(), "shared")
        assert alice.line().startswith(b"* BYE [UNAVAILABLE]")
    with server.client("alice") as alice:
        alice.ok(b"ENABLE CONDSTORE")
        assert (seen(alice, other), unseen(alice, other)) == (set(), 3)
        alice.ok(b"SELECT " + other)
        before = highest(alice, other)
        alice.ok(b"STORE 3 +FLAGS (\\Seen)")
        assert (seen(bob, name), seen(alice, other)) == ({3}, {3})
    server.imapctl("acl", "seen", "bob", name.decode(), "default")
    with server.client("alice") as alice:
        alice.ok(b"ENABLE CONDSTORE")
        assert (seen(bob, name), seen(alice, other)) == ({3}, {1, 2})
        alice.ok(b"SELECT " + other)
        assert set(modseqs(alice, before)) == {1, 2, 3}


def test_end_behind_a_file_that_was_exchanged():
    """What lay over a mailbox of another's was kept, and nothing else of that user's: both go, and the server can end."""
    with lib.Server(users=USERS, settings=("open-databases 1",)) as server:
        with server.client("bob") as bob:
            _, other = share(bob)
        with server.client("alice") as alice:
            alice.ok(b"SELECT " + other)
            alice.ok(b"UNSELECT")
            assert alice.append(b"INBOX", lib.message(1)).is_ok		# bob's file is closed for alice's
        with sqlite3.connect(server.data / "directory.db") as directory:
            (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = 'alice'")
        path = server.data / "data" / name[:2] / name / "mail.db"
        shutil.copy(path, f"{path}.new")
        os.replace(f"{path}.new", path)
        with server.client("alice") as alice:
            alice.ok(b"STATUS INBOX (MESSAGES)")
        assert server.stop() == 0
