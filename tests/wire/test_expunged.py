"""One of the messages that a command is about was expunged by another session: RFC 2180 section 4, RFC 9051 6.4.9.

Whatever is answered, after a NOOP the client knows how it is, and what was refused was not done.
"""
import re

import pytest

import server as lib


class Told:
    """A client that remembers what it was told of its mailbox, as in test_sessions.py."""

    def __init__(self, server, user):
        self.client = server.client(user)
        self.client.ok(b"SELECT box")
        self.flags = []
        self.run(b"FETCH 1:4 (UID FLAGS)")

    def run(self, command):
        reply = self.client.command(command)
        for line in reply.untagged:
            found = re.match(rb"\* (\d+) (FETCH .*FLAGS \(([^)]*)\)|EXPUNGE|EXISTS)", line, re.S)
            if found and found[2] == b"EXPUNGE":
                del self.flags[int(found[1]) - 1]
            elif found and found[2].startswith(b"FETCH"):
                while len(self.flags) < int(found[1]):
                    self.flags.append(None)
                self.flags[int(found[1]) - 1] = set(found[3].split()) - {b"\\Recent"}
        return reply

    def expect(self, operation, flag, numbers):
        """What a client takes from an OK to its .SILENT."""
        for number in numbers:
            before = self.flags[number - 1]
            self.flags[number - 1] = {b"+": before | {flag}, b"-": before - {flag}, b"": {flag}}[operation]


@pytest.fixture
def pair(shared_server, user):
    """Two sessions on four messages; the second has expunged number 2, and the first has not heard of it."""
    with shared_server.client(user) as client:
        client.ok(b"CREATE box")
        client.ok(b"CREATE other")
        for number in range(4):
            assert client.append(b"box", lib.message(number), b"old").is_ok
        client.ok(b"SELECT box")
        client.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    first, second = Told(shared_server, user), Told(shared_server, user)
    second.run(b"EXPUNGE")
    yield first, second
    first.client.close()
    second.client.close()


def settle(first, second):
    """After a NOOP both know the same, and it is what a FETCH says."""
    first.run(b"NOOP")
    second.run(b"NOOP")
    told = list(first.flags)
    assert told == second.flags and len(told) == 3
    first.run(b"FETCH 1:3 FLAGS")
    assert first.flags == told
    return told


@pytest.mark.same_everywhere
@pytest.mark.parametrize("flag", [b"\\Flagged", b"new", b"old", b"OLD"])
@pytest.mark.parametrize("operation", [b"+", b"-", b""])
@pytest.mark.parametrize("numbers", [b"1:4", b"2", b"2,4"])
@pytest.mark.parametrize("is_silent", [True, False])
def test_store(pair, numbers, operation, flag, is_silent):
    first, second = pair
    named = flag.lower() if flag == b"OLD" else flag
    reply = first.run(b"STORE %s %sFLAGS%s (%s)" % (numbers, operation, b".SILENT" if is_silent else b"", flag))
    assert not any(b" EXPUNGE" in line for line in reply.untagged)
    assert reply.is_ok == is_silent, reply
    assert b"[EXPUNGEISSUED]" in reply.tagged
    if is_silent:
        assert not any(b" FETCH " in line for line in reply.untagged)
        first.expect(operation, named, {b"1:4": [1, 2, 3, 4], b"2": [2], b"2,4": [2, 4]}[numbers])
    else:
        shown = [line.split()[1] for line in reply.untagged if b" FETCH " in line]
        assert shown == {b"1:4": [b"1", b"3", b"4"], b"2": [], b"2,4": [b"4"]}[numbers]
    told = settle(first, second)
    if numbers != b"2":
        assert (named in told[2]) == (operation != b"-")


@pytest.mark.parametrize("suffix", [b"", b".SILENT"])
def test_uid_store(pair, suffix):
    first, second = pair
    assert first.run(b"UID STORE 2 +FLAGS%s (new)" % suffix).is_ok
    reply = first.run(b"UID STORE 1:4 +FLAGS%s (new)" % suffix)
    assert reply.is_ok
    if suffix:
        first.expect(b"+", b"new", [1, 2, 3])
    assert all(b"new" in flags for flags in settle(first, second))


@pytest.mark.parametrize("verb", [b"COPY", b"MOVE"])
@pytest.mark.parametrize("numbers", [b"1:4", b"2"])
def test_copy_is_all_or_nothing(pair, verb, numbers):
    first, second = pair
    reply = first.run(verb + b" " + numbers + b" other")
    assert reply.tagged.split(b" ", 1)[1].startswith(b"NO [EXPUNGEISSUED]")
    assert first.client.ok(b"STATUS other (MESSAGES)").untagged == [b"* STATUS other (MESSAGES 0)"]
    settle(first, second)


@pytest.mark.parametrize("verb", [b"COPY", b"MOVE"])
def test_uid_copy_takes_what_is_there(pair, verb):
    first, second = pair
    assert first.run(b"UID " + verb + b" 2 other").is_ok
    reply = first.run(b"UID " + verb + b" 1:2 other")
    assert reply.is_ok and re.search(rb"\[COPYUID \d+ 1 1\]", b"\n".join([*reply.untagged, reply.tagged]))
    assert first.client.ok(b"STATUS other (MESSAGES)").untagged == [b"* STATUS other (MESSAGES 1)"]


def test_saved_result_loses_what_is_gone(pair):
    first, second = pair
    second.run(b"STORE 1 +FLAGS (\\Deleted)")
    first.run(b"NOOP")
    assert first.run(b"SEARCH RETURN (SAVE) ALL").is_ok
    second.run(b"EXPUNGE")
    assert first.run(b"STORE $ +FLAGS (new)").is_ok
    assert first.run(b"FETCH $ FLAGS").tagged.endswith(b"OK done")
    assert first.run(b"COPY $ other").is_ok
    assert first.client.ok(b"STATUS other (MESSAGES)").untagged == [b"* STATUS other (MESSAGES 2)"]


@pytest.mark.parametrize("items", [b"FLAGS", b"BODY[]"])
def test_fetch(pair, items):
    first, second = pair
    reply = first.run(b"FETCH 1:4 " + items)
    assert reply.is_ok and [line.split()[1] for line in reply.untagged] == [b"1", b"3", b"4"]
    assert reply.tagged.split(b" ", 1)[1].startswith(b"OK [EXPUNGEISSUED]")
    reply = first.run(b"FETCH 2 " + items)
    assert reply.untagged == [] and reply.tagged.split(b" ", 1)[1].startswith(b"NO [EXPUNGEISSUED]")
    assert first.run(b"UID FETCH 2 " + items).is_ok
    settle(first, second)


def test_search_and_expunge(pair):
    first, second = pair
    assert first.run(b"SEARCH ALL").untagged == [b"* SEARCH 1 3 4"]
    assert first.run(b"SEARCH 2").untagged == [b"* SEARCH"]
    assert first.run(b"UID SEARCH NOT 4").untagged[0] == b"* SEARCH 1 3"
    assert first.run(b"UID EXPUNGE 2").is_ok
    settle(first, second)
