"""What one command may cost: command-cpu-limit.

A millisecond is less than any of the searches here costs on any machine; the default is more than all of them.
"""
import base64
import re

import pytest

import server as lib

MESSAGES = 3000
WIDE = b" ".join([b"UNSEEN"] * 4900)		# 9,800 keys for each message, which the packed state decides
LONG = [
    b"SEARCH " + WIDE,
    b"SEARCH RETURN (COUNT) " + WIDE,
    b"UID SEARCH " + b" ".join(b"NOT TEXT w%d" % i for i in range(300)),
    b"SEARCH " + b" ".join(b"NOT HEADER X-%d w" % i for i in range(300)),
    b"SORT (SUBJECT FROM REVERSE SIZE) UTF-8 " + WIDE,
    b"THREAD REFERENCES UTF-8 " + WIDE,
    b"FETCH 1:* (ENVELOPE BODY.PEEK[] PREVIEW)",
]


def message(number):
    return b"From: a%d@example.org\r\nSubject: s%d\r\nMessage-ID: <%d@x>\r\n\r\n%s" % (
        number, number * 7919 % MESSAGES, number, b"some words of text\r\n" * 20)


def limit(server, milliseconds):
    server.settings = [f"command-cpu-limit {milliseconds}"] if milliseconds else []
    server.write_config()
    server.imapctl("reload")


def events(server):
    return [line for line in server.log_lines if " ev=command-limit " in line]


@pytest.fixture(scope="module")
def server():
    with lib.Server() as running:
        with running.client("demo") as client:
            for start in range(0, MESSAGES, 500):
                batch = [message(number) for number in range(start, start + 500)]
                client.ok(b"APPEND INBOX" + b" {}" * len(batch), *batch)
            client.ok(b"CREATE other")
        yield running


@pytest.fixture
def client(server):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        yield client


@pytest.fixture
def tight(server):
    limit(server, 1)
    yield
    limit(server, None)


@pytest.mark.parametrize("command", LONG, ids=range(len(LONG)))
def test_long_commands_end(server, client, tight, command):
    before = len(events(server))
    reply = client.command(command)
    assert reply.tagged.split(b" ", 1)[1].startswith(b"NO [LIMIT] "), reply.tagged
    if b"FETCH" not in command:
        assert not reply.untagged
    client.ok(b"NOOP")				# and the session goes on
    lib.wait_until(lambda: len(events(server)) > before)
    name = command.removeprefix(b"UID ").split()[0].decode()
    assert f" command={name} " in events(server)[-1] and " user=demo " in events(server)[-1]


@pytest.mark.same_everywhere
def test_the_default_is_enough(client):
    for command in LONG:
        client.ok(command)


def test_a_search_that_is_cut_off_saves_nothing(server, client, tight):
    client.ok(b"SEARCH RETURN (SAVE) 1:10")
    assert not client.command(b"SEARCH RETURN (SAVE) " + WIDE).is_ok
    assert client.ok(b"FETCH $ UID").untagged == []


@pytest.mark.same_everywhere
def test_many_mailboxes_are_searched_in_part(server, client):
    """RFC 7377 section 2.4.  One message costs a thousandth of what all the others do."""
    with server.client("demo") as own:
        own.ok(b"CREATE A")
        own.append(b"A", message(1))
    command = b"ESEARCH IN (mailboxes (A INBOX)) " + WIDE
    def found(reply):			# a slow server also tells how far it is
        return [line for line in reply.untagged if b"[INPROGRESS " not in line]
    assert len(found(client.ok(command))) == 2
    before = len(events(server))
    limit(server, 30)
    reply = client.command(command)
    limit(server, None)
    assert reply.tagged.split(b" ", 1)[1].startswith(b"OK [LIMIT] ")
    assert len(found(reply)) == 1 and b" MAILBOX A " in found(reply)[0]
    lib.wait_until(lambda: len(events(server)) > before)
    assert " command=ESEARCH " in events(server)[-1]


def test_a_fetch_tells_whole_lines(server, client, tight):
    reply = client.command(b"FETCH 1:* (UID BODY.PEEK[])")
    told = [int(line.split()[1]) for line in reply.untagged]
    assert told == list(range(1, len(told) + 1)) and 0 < len(told) < MESSAGES
    for line in reply.untagged[:-1]:
        assert line.endswith(b"some words of text\r\n)")
    assert reply.untagged[-1].endswith((b"some words of text\r\n)", b"UID %d)" % told[-1]))     # behind an item


def test_a_line_is_cut_off_behind_an_item(server, client):
    body = base64.encodebytes(b"0123456789abcde" * 40000).replace(b"\n", b"\r\n")
    client.append(b"other", b"Content-Transfer-Encoding: base64\r\n\r\n" + body)
    client.ok(b"SELECT other")
    limit(server, 1)
    items = [b"BINARY.PEEK[1]<%d.10>" % (599990 - number) for number in range(2000)]
    reply = client.command(b"FETCH 1 (" + b" ".join(items) + b")")
    limit(server, None)
    assert reply.tagged.split(b" ", 1)[1].startswith(b"NO [LIMIT] ")
    assert len(reply.untagged) == 1
    told = re.findall(rb"BINARY\[1\]<(\d+)>", reply.untagged[0])
    assert told == [b"%d" % (599990 - number) for number in range(len(told))] and 0 < len(told) < 2000


def test_changes_are_not_cut_off(server, client, tight):
    client.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    reply = client.ok(b"COPY 1:* other")
    assert re.search(rb"\[COPYUID \d+ 1:%d " % MESSAGES, reply.tagged)
    client.ok(b"SELECT other")
    client.ok(b"UID EXPUNGE 1:*")
    assert client.ok(b"SEARCH DELETED").untagged == [b"* SEARCH"]
    client.ok(b"SELECT INBOX")
    client.ok(b"STORE 1:* -FLAGS (\\Deleted)")
    assert client.ok(b"SEARCH DELETED").untagged == [b"* SEARCH"]


@pytest.mark.same_everywhere
def test_list_with_costly_patterns(server, client):
    """A pattern costs up to its length times that of a name; names and patterns come in many jobs then, all the same."""
    names = [b"a" * 900 + b"/%d" % number for number in range(30)]
    for name in names:
        client.ok(b'CREATE "' + name + b'"')
    costly = b" ".join(b'"' + b"*a" * 400 + b"*b%d" % number + b'"' for number in range(6))
    command = b'LIST "" (' + costly + b' "%s/7" "oth%%")' % (b"*a" * 300)
    limit(server, 1)
    reply = client.command(command)
    limit(server, None)
    assert reply.tagged.split(b" ", 1)[1].startswith(b"NO [LIMIT] ")
    told = client.ok(command).untagged
    assert [line.rsplit(b" ", 1)[1].strip(b'"') for line in told] == [names[7], b"other"]
    assert len(client.ok(b'LIST "" "*/*"').untagged) == len(names)
    for name in names:
        client.ok(b'DELETE "' + name + b'"')
