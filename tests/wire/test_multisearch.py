"""MULTISEARCH (RFC 7377): the answer is that of a UID SEARCH in each mailbox; what happens meanwhile; limits."""
import random
import re
import threading

import pytest

import server as lib

NAMES = [b"INBOX", b"INBOX/below", b"a", b"a/b", b"a/b/c", b"a/b/c/d", b"ab", b"x/y", b"x/z", b'"sp ace"', b"Sent", b"\xc3\xa4/\xe2\x82\xac"]
WORDS = [b"apple", b"pear", b"plum", b"fig", b"kiwi"]
ESEARCH = re.compile(rb'\* ESEARCH \(TAG "[^"]*" MAILBOX ("[^"]*"|\S+) UIDVALIDITY (\d+)\) UID(.*)')


def text(numbers):
    return b"Subject: %s\r\n\r\nthe %s and the %s\r\n" % tuple(numbers.choice(WORDS) for _ in range(3))


def told(reply):
    """Name, without quotes, to (UIDVALIDITY, data)."""
    lines = [ESEARCH.fullmatch(line) for line in reply.untagged if not line.startswith(b"* OK ")]
    assert all(lines), reply
    assert len({line[1] for line in lines}) == len(lines), reply
    return {line[1].strip(b'"'): (int(line[2]), line[3]) for line in lines}


def fill(client, name, messages):
    client.command(b"CREATE " + name)
    client.ok(b"APPEND " + name + b" {}" * len(messages), *messages)


@pytest.fixture
def filled(shared_server, user):
    numbers = random.Random(7377)
    with shared_server.client(user) as client:
        client.ok(b"ENABLE UTF8=ACCEPT IMAP4rev2")
        for name in NAMES:
            quoted = name if name.startswith(b'"') else b'"%s"' % name
            fill(client, quoted, [text(numbers) for _ in range(numbers.randint(1, 9))])
            client.ok(b"SELECT " + quoted)
            client.ok(b"STORE 1:%d +FLAGS.SILENT (\\Seen $k)" % numbers.randint(1, 3) if numbers.random() < 0.5 else b"NOOP")
            if numbers.random() < 0.4:
                client.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
                client.ok(b"EXPUNGE")
        client.ok(b"CREATE empty")
        client.ok(b"SUBSCRIBE a/b")
        client.ok(b"SUBSCRIBE not/there")
        client.ok(b"UNSELECT")
        yield client


def random_keys(numbers, depth=0):
    kind = numbers.randrange(12 if depth < 3 else 9)
    if kind < 4:
        return numbers.choice([b"SUBJECT ", b"BODY ", b"TEXT "]) + numbers.choice(WORDS)
    if kind < 9:
        return numbers.choice([b"SEEN", b"UNSEEN", b"KEYWORD $k", b"1:3", b"2:*", b"*", b"UID 2:4", b"UID *:3", b"LARGER 45",
                               b"ALL", b"UIDAFTER 2", b"SMALLER 50"])
    if kind == 9:
        return b"NOT " + random_keys(numbers, depth + 1)
    if kind == 10:
        return b"OR " + random_keys(numbers, depth + 1) + b" " + random_keys(numbers, depth + 1)
    return b"(" + random_keys(numbers, depth + 1) + b" " + random_keys(numbers, depth + 1) + b")"


def random_source(numbers, selected):
    """As it is said, and which mailboxes it means."""
    names = [name.strip(b'"') for name in NAMES]
    some = numbers.sample([*names, b"empty", b"not there"], numbers.randint(1, 3))
    listed = b"(" + b" ".join(b'"%s"' % name for name in some) + b")"
    sources = {
        b"personal": names,
        b"inboxes": [b"INBOX"],
        b"subscribed": [b"INBOX", b"Sent", b"a/b"],  # two from the beginning,
        b"mailboxes " + listed: some,
        b"subtree " + listed: [name for name in names if any(name == top or name.startswith(top + b"/") for top in some)],
        b"subtree-one " + listed: [name for name in names if name in some or name.rpartition(b"/")[0] in some],
    }
    if selected:
        sources[b"selected"] = [selected]
    said = numbers.choice(sorted(sources))
    return said, set(sources[said])


@pytest.mark.parametrize("selected", [None, b"a/b", b"x/z"])
def test_equals_a_search_in_each(shared_server, user, filled, selected):
    numbers = random.Random(str(selected))
    if selected:
        filled.ok(b"SELECT " + selected)
    with shared_server.client(user) as other:
        other.ok(b"ENABLE IMAP4rev2")
        for _ in range(40):
            keys = random_keys(numbers)
            returns = numbers.choice([b"", b"RETURN () ", b"RETURN (MIN MAX) ", b"RETURN (COUNT ALL) ", b"RETURN (PARTIAL 1:2) ",
                                      b"RETURN (PARTIAL -1:-3 COUNT) "])
            sources = [random_source(numbers, selected) for _ in range(numbers.randint(1, 3))]
            meant = set().union(*(names for _, names in sources))
            command = b"IN (" + b" ".join(said for said, _ in sources) + b") " + returns + keys
            answer = told(filled.ok(b"ESEARCH " + command))
            wanted = {}
            for name in sorted(meant):
                selection = other.command(b'EXAMINE "%s"' % name)
                if not selection.is_ok:
                    continue
                line = next(line for line in selection.untagged if b"UIDVALIDITY" in line)
                found = other.ok(b"UID SEARCH RETURN (COUNT) " + keys).untagged[0]
                if not found.endswith(b" COUNT 0"):
                    data = other.ok(b"UID SEARCH " + (returns or b"RETURN (ALL) ") + keys).untagged[0]
                    wanted[name] = int(re.search(rb"\d+", line)[0]), data.split(b" UID", 1)[1]
            assert answer == wanted, command


def test_a_thousand_mailboxes(shared_server, user):
    messages = [b"Subject: m%d\r\n\r\ntext\r\n" % number for number in range(20)]
    with shared_server.client(user) as client:
        tags = []
        for number in range(1000):
            tags.append(client.tag())
            client.send(tags[-1] + b" CREATE many/%d\r\n" % number)
        for tag in tags:
            assert client.reply(tag).is_ok
        fill(client, b"many/0", messages)
        client.ok(b"SELECT many/0")
        for number in range(1, 1000):
            client.send(b"c%d COPY 1:* many/%d\r\n" % (number, number))
        for number in range(1, 1000):
            assert client.reply(b"c%d" % number).is_ok
        client.ok(b"UNSELECT")
        answer = told(client.ok(b"ESEARCH IN (subtree many) RETURN (COUNT) SUBJECT m1"))
        assert len(answer) == 1000 and {data for _, data in answer.values()} == {b" COUNT 11"}
        names = b" ".join(b"many/%d" % number for number in range(0, 1000, 3))
        answer = told(client.ok(b"ESEARCH IN (mailboxes (" + names + b")) 20 BODY text"))
        assert len(answer) == 334 and {data for _, data in answer.values()} == {b" ALL 20"}


def test_while_others_change_mailboxes(shared_server, user):
    """What stays is told whole; what goes or gets another name is told as it was, or not at all; then all is OK."""
    message = b"Subject: s\r\n\r\n" + b"word " * 2000 + b"\r\n"
    with shared_server.client(user) as client, shared_server.client(user) as other:
        for number in range(30):
            fill(client, b"stays%02d" % number, [message] * 3)
            fill(client, b"goes%02d" % number, [message] * 3)
            fill(client, b"moves%02d" % number, [message] * 3)

        def change():
            for number in reversed(range(30)):
                other.ok(b"DELETE goes%02d" % number)
                other.ok(b"RENAME moves%02d moved%02d" % (number, number))
                other.ok(b"SELECT stays%02d" % number)
                other.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
                other.ok(b"EXPUNGE")

        thread = threading.Thread(target=change)
        thread.start()
        while True:
            was_alive = thread.is_alive()
            answer = told(client.ok(b"ESEARCH IN (personal) RETURN (COUNT) BODY word"))
            assert {b"stays%02d" % number for number in range(30)} <= set(answer)
            assert all(re.fullmatch(rb"(stays|goes|moves|moved)\d\d", name) for name in answer)
            assert all(data in (b" COUNT 2", b" COUNT 3") for _, data in answer.values())
            if not was_alive:
                break
        thread.join()
        assert sorted(answer) == sorted(b"%s%02d" % (name, number) for name in (b"stays", b"moved") for number in range(30))
        assert {answer[b"stays%02d" % number][1] for number in range(30)} == {b" COUNT 2"}


def test_clients_that_go(shared_server, user):
    """A search that nobody waits for ends; the next client is answered."""
    message = b"Subject: s\r\n\r\n" + b"word " * 20000 + b"\r\n"
    with shared_server.client(user) as client:
        for number in range(20):
            fill(client, b"box%d" % number, [message] * 5)
        for behind in (b"", b"t9 LOGOUT\r\n", b"t9 ESEARCH IN (personal) ALL\r\n"):
            with shared_server.client(user) as leaving:
                leaving.send(b"t8 ESEARCH IN (personal) BODY nowhere\r\n" + behind)
        assert len(told(client.ok(b"ESEARCH IN (personal) RETURN (COUNT) TEXT word"))) == 20


def test_what_is_new_is_told_behind_it(shared_server, user):
    with shared_server.client(user) as client, shared_server.client(user) as other:
        fill(client, b"box", [b"a: b\r\n\r\n"] * 3)
        client.ok(b"SELECT box")
        other.ok(b"APPEND box {}", b"a: b\r\n\r\n")
        reply = client.ok(b"ESEARCH IN (personal) ALL")
        assert [line for line in reply.untagged if b"ESEARCH" in line][0].endswith(b"UID ALL 1:3")
        assert b"* 4 EXISTS" in reply.untagged
        assert client.ok(b"ESEARCH IN (selected mailboxes box) ALL").untagged[0].endswith(b"UID ALL 1:4")


@pytest.mark.parametrize("command", [b"ESEARCH 1", b"ESEARCH IN (personal) NOT 1:2", b"ESEARCH IN (mailboxes INBOX) *"])
def test_uidonly(client, command):
    client.ok(b"ENABLE UIDONLY")
    client.ok(b"SELECT INBOX")
    assert b" BAD [UIDREQUIRED] " in client.command(command).tagged
    client.ok(b"ESEARCH IN (personal) UID 1:*")


def test_message_limit():
    """Of the selected mailbox a part, as SEARCH; of many all or nothing: RFC 7377 section 2.4."""
    with lib.Server(settings=("message-limit 1000",)) as server, server.client("demo") as client:
        for name, count in ((b"small", 500), (b"little", 500), (b"big", 1001)):
            client.ok(b"CREATE " + name)
            for start in range(0, count, 500):
                assert client.command(b"APPEND " + name + b" {5+}\r\na: b\n" * min(500, count - start)).is_ok
        both = b"ESEARCH IN (mailboxes (small little)) RETURN (COUNT) ALL"
        assert {data for _, data in told(client.ok(both)).values()} == {b" COUNT 500"}
        for sources in (b"mailboxes big", b"mailboxes (small little) subtree big", b"personal"):
            assert b" NO [LIMIT] " in client.command(b"ESEARCH IN (" + sources + b") ALL").tagged
        client.ok(b"SELECT big")
        reply = client.ok(b"ESEARCH ALL")
        assert reply.untagged[0].endswith(b" UID ALL 2:1001") and b" OK [MESSAGELIMIT 1000 2] " in reply.tagged
        assert b" NO [LIMIT] " in client.command(b"ESEARCH IN (selected mailboxes small) ALL").tagged
        client.ok(b"ESEARCH IN (mailboxes small) ALL")
