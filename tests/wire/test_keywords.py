"""More keywords in a mailbox than fit into a word of flags: some hundred, and up to the limit."""
import re

import pytest

import server as lib

MANY = [b"k%d" % number for number in range(150)]


def flags_of(client, numbers=b"1:*"):
    """The flags of each message, as sets."""
    lines = client.ok(b"FETCH " + numbers + b" FLAGS").untagged
    return [set(re.search(rb"FLAGS \(([^)]*)\)", line)[1].split()) - {b"\\Recent"} for line in lines if b" FETCH " in line]


def hits(client, query):
    lines = client.ok(b"SEARCH " + query).untagged
    return [int(word) for line in lines if line.startswith(b"* SEARCH") for word in line.split()[2:]]


@pytest.fixture
def box(shared_server, user, client):
    """Three messages, of which the second has all keywords, the third the first and the last."""
    client.ok(b"CREATE box")
    client.ok(b"CREATE other")
    for number in range(3):
        assert client.append(b"box", lib.message(number)).is_ok
    client.ok(b"SELECT box")
    for start in range(0, len(MANY), 40):
        client.ok(b"STORE 2 +FLAGS (" + b" ".join(MANY[start:start + 40]) + b")")
    client.ok(b"STORE 3 +FLAGS (\\Seen " + MANY[0] + b" " + MANY[-1] + b")")
    return client


def test_store_fetch_and_search(box):
    assert flags_of(box) == [set(), set(MANY), {b"\\Seen", MANY[0], MANY[-1]}]
    assert hits(box, b"KEYWORD K149") == [2, 3]
    assert hits(box, b"KEYWORD k57") == hits(box, b"KEYWORD k58") == [2]
    assert hits(box, b"UNKEYWORD k0") == [1] and hits(box, b"UNKEYWORD k100") == [1, 3]
    assert hits(box, b"KEYWORD k150") == []
    box.ok(b"STORE 2:3 -FLAGS (K149 \\Seen)")
    assert flags_of(box) == [set(), set(MANY[:-1]), {MANY[0]}]
    box.ok(b"STORE 2 FLAGS (k149 \\Flagged)")
    reply = box.ok(b"STORE 1:2 +FLAGS (k3 k60)")
    assert [line.split()[1] for line in reply.untagged] == [b"1", b"2"]
    assert flags_of(box) == [{b"k3", b"k60"}, {b"k149", b"k3", b"k60", b"\\Flagged"}, {MANY[0]}]
    box.ok(b"STORE 1:* -FLAGS.SILENT (k149 k60)")
    assert flags_of(box) == [{b"k3"}, {b"k3", b"\\Flagged"}, {MANY[0]}]


def test_seen_by_fetch(box):
    """What changes system flags leaves a set as it is."""
    line = box.ok(b"FETCH 2 BODY[TEXT]").untagged[0]
    assert set(re.search(rb"FLAGS \(([^)]*)\)", line)[1].split()) - {b"\\Recent"} == {b"\\Seen", *MANY}
    box.ok(b"STORE 2 -FLAGS (\\Seen)")
    assert flags_of(box, b"2") == [set(MANY)]


def test_another_session_is_told(box, shared_server, user):
    with shared_server.client(user) as other:
        other.ok(b"SELECT box")
        assert flags_of(other)[1] == set(MANY)
        box.ok(b"STORE 1 +FLAGS (brandnew k99)")
        told = other.ok(b"NOOP").untagged
        flags, permanent, fetch = told
        assert flags.startswith(b"* FLAGS (") and b" k149 brandnew)" in flags
        assert permanent.startswith(b"* OK [PERMANENTFLAGS (") and b" brandnew \\*)]" in permanent
        assert fetch.startswith(b"* 1 FETCH (") and set(re.search(rb"FLAGS \(([^)]*)\)", fetch)[1].split()) - {
            b"\\Recent"} == {b"brandnew", b"k99"}
        assert hits(other, b"KEYWORD brandnew") == [1]


@pytest.mark.parametrize("verb", [b"COPY", b"MOVE"])
def test_copy_goes_by_names(box, shared_server, user, verb):
    with shared_server.client(user) as other:
        assert other.append(b"other", lib.message(9), b"z9 k149 k2").is_ok
        other.ok(b"SELECT other")
        box.ok(verb + b" 2:3 other")
        other.ok(b"NOOP")
        assert flags_of(other) == [{b"z9", b"k149", b"k2"}, set(MANY), {b"\\Seen", MANY[0], MANY[-1]}]
        assert hits(other, b"KEYWORD k149") == [1, 2, 3]
        other.ok(b"COPY 2 other")
        assert flags_of(other, b"4") == [set(MANY)]
        other.ok(b"RENAME INBOX empty")
    assert len(flags_of(box)) == (3 if verb == b"COPY" else 1)


def test_append(box):
    """MULTIAPPEND, each message with its own."""
    box.ok(b"APPEND box (" + b" ".join(MANY) + b") {} (k1 fresh) {}", lib.message(5), lib.message(6))
    assert flags_of(box)[3:] == [set(MANY), {b"k1", b"fresh"}]


def test_renaming_inbox_keeps_them(client):
    client.ok(b"APPEND INBOX (" + b" ".join(MANY) + b") {}", lib.message(1))
    client.ok(b"RENAME INBOX moved")
    client.ok(b"SELECT moved")
    assert flags_of(client) == [set(MANY)]


def test_survives_a_restart():
    with lib.Server() as server:
        with server.client("demo") as client:
            client.ok(b"APPEND INBOX (" + b" ".join(MANY) + b") {}", lib.message(1))
            client.ok(b"APPEND INBOX (k120) {}", lib.message(2))
        server.stop()
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            assert flags_of(client) == [set(MANY), {b"k120"}]
            client.ok(b"STORE 2 +FLAGS (k121 after)")
            assert flags_of(client, b"2") == [{b"k120", b"k121", b"after"}]


@pytest.mark.same_everywhere
def test_limit(client):
    """4,096 of them; then those that are there can still be used."""
    for start in range(0, 4096, 512):
        words = b" ".join(b"w%d" % number for number in range(start, start + 512))
        client.ok(b"APPEND INBOX (" + words + b") {}", lib.message(start))
    assert b" NO [LIMIT]" in client.command(b"APPEND INBOX (onemore) {}", lib.message(1)).tagged
    permanent, = [line for line in client.ok(b"SELECT INBOX").untagged if b"PERMANENTFLAGS" in line]
    assert b"\\*" not in permanent and b" w4095)" in permanent
    assert b" NO [LIMIT]" in client.command(b"STORE 1 +FLAGS (onemore)").tagged
    assert b" NO [LIMIT]" in client.command(b"STORE 1 +FLAGS (w1000 onemore)").tagged
    assert b"w1000" not in flags_of(client, b"1")[0]
    client.ok(b"STORE 1 +FLAGS (w4095)")
    assert hits(client, b"KEYWORD w4095") == [1, 8]
    client.ok(b"CREATE box")
    client.ok(b"COPY 1 box")
    client.ok(b"SELECT box")
    assert flags_of(client)[0] == {b"w%d" % number for number in [*range(512), 4095]}


def modseq_of(client):
    return re.search(rb"MODSEQ \((\d+)\)", b"".join(client.ok(b"FETCH 2 (FLAGS MODSEQ)").untagged))[1]


def test_unchangedsince_looks_at_the_keyword(box, shared_server, user):
    """RFC 7162 section 3.1.12: another keyword that somebody has changed is no conflict, the same one is."""
    modseq = modseq_of(box)
    with shared_server.client(user) as other:
        other.ok(b"SELECT box")
        other.ok(b"STORE 2 -FLAGS (k3)")
        reply = box.ok(b"STORE 2 (UNCHANGEDSINCE %s) -FLAGS.SILENT (k140)" % modseq)
        assert b"MODIFIED" not in reply.tagged
        modseq = modseq_of(box)
        other.ok(b"STORE 2 -FLAGS (k141)")
        reply = box.ok(b"STORE 2 (UNCHANGEDSINCE %s) +FLAGS.SILENT (k141)" % modseq)
        assert b"[MODIFIED 2]" in reply.tagged
    assert flags_of(box, b"2") == [set(MANY) - {b"k3", b"k140", b"k141"}]
