"""STATUS of mailboxes that nobody has open, asked for again and again: what has changed meanwhile is told, whoever did it."""
import re

import pytest

import server as lib

BOXES = [b"INBOX"] + [b"Box%02d" % number for number in range(12)]
LETTER = lib.message(1)


@pytest.fixture
def clients(shared_server, user):
    """Who polls, and who changes something; both are the same user, and have nothing selected."""
    with shared_server.client(user) as poller, shared_server.client(user) as other:
        for name in BOXES[1:]:
            poller.ok(b"CREATE " + name)
        yield poller, other


def poll(client, items=b"MESSAGES UIDNEXT UIDVALIDITY UNSEEN", boxes=BOXES):
    """Of each mailbox what STATUS tells, or None: asked twice, so that whatever is remembered was read before."""
    found = {}
    for _ in range(2):
        for name in boxes:
            reply = client.command(b"STATUS %s (%s)" % (name, items))
            found[name] = None if not reply.is_ok else {
                word: int(number) for word, number in re.findall(rb"([A-Z-]+) (\d+)", reply.untagged[0].rpartition(b"(")[2])}
    return found


def changed(before, after):
    """Name by name, how much the numbers of messages, next UID and unseen have grown."""
    return {name: tuple(after[name][word] - before[name][word] for word in (b"MESSAGES", b"UIDNEXT", b"UNSEEN"))
            for name in BOXES if after[name] != before[name]}


def test_append_by_another_session(clients):
    poller, other = clients
    before = poll(poller)
    assert other.append(b"Box03", LETTER).is_ok
    assert other.append(b"Box05", LETTER, b"\\Seen").is_ok
    assert changed(before, poll(poller)) == {b"Box03": (1, 1, 1), b"Box05": (1, 1, 0)}


def test_append_pipelined_before(clients):
    poller, _ = clients
    before = poll(poller)
    poller.send(b"a APPEND Box03 {%d+}\r\n%s\r\nb STATUS Box03 (MESSAGES)\r\nc STATUS Box04 (MESSAGES)\r\n" % (len(LETTER), LETTER))
    assert poller.reply(b"a").is_ok
    assert poller.reply(b"b").untagged == [b"* STATUS Box03 (MESSAGES 1)"]
    assert poller.reply(b"c").untagged == [b"* STATUS Box04 (MESSAGES 0)"]
    assert changed(before, poll(poller)) == {b"Box03": (1, 1, 1)}


def test_delivery(shared_server, user, clients):
    poller, _ = clients
    before = poll(poller)
    with shared_server.lmtp() as sender:
        assert sender.deliver(LETTER, user.encode())[0].startswith(b"250")
    assert changed(before, poll(poller)) == {b"INBOX": (1, 1, 1)}


def test_copy_and_move(clients):
    poller, other = clients
    for _ in range(3):
        assert other.append(b"Box00", LETTER).is_ok
    other.ok(b"SELECT Box00")
    before = poll(poller)
    other.ok(b"COPY 1:2 Box07")
    assert changed(before, poll(poller)) == {b"Box07": (2, 2, 2)}
    other.ok(b"MOVE 3 Box08")
    assert changed(before, poll(poller)) == {b"Box00": (-1, 0, -1), b"Box07": (2, 2, 2), b"Box08": (1, 1, 1)}


def test_rename_delete_create(clients):
    poller, other = clients
    assert other.append(b"Box01", LETTER).is_ok
    before = poll(poller)
    other.ok(b"RENAME Box01 Box99")
    after = poll(poller, boxes=[*BOXES, b"Box99"])
    assert after[b"Box01"] is None and after[b"Box99"] == before[b"Box01"]
    other.ok(b"DELETE Box99")
    assert poll(poller, boxes=[b"Box99"]) == {b"Box99": None}
    other.ok(b"CREATE Box99")
    anew = poll(poller, boxes=[b"Box99"])[b"Box99"]
    assert anew[b"MESSAGES"] == 0 and anew[b"UIDVALIDITY"] != before[b"Box01"][b"UIDVALIDITY"]


def test_flags_and_expunge(clients):
    poller, other = clients
    for _ in range(2):
        assert other.append(b"Box02", LETTER).is_ok
    before = poll(poller, b"MESSAGES UNSEEN DELETED HIGHESTMODSEQ")
    other.ok(b"SELECT Box02")
    other.ok(b"STORE 1 +FLAGS (\\Seen \\Deleted)")
    after = poll(poller, b"MESSAGES UNSEEN DELETED HIGHESTMODSEQ")[b"Box02"]
    assert (after[b"UNSEEN"], after[b"DELETED"]) == (1, 1) and after[b"HIGHESTMODSEQ"] > before[b"Box02"][b"HIGHESTMODSEQ"]
    other.ok(b"CLOSE")
    after = poll(poller, b"MESSAGES UNSEEN DELETED HIGHESTMODSEQ")[b"Box02"]
    assert (after[b"MESSAGES"], after[b"DELETED"]) == (1, 0)


def test_recent(clients):
    poller, other = clients
    assert other.append(b"Box02", LETTER).is_ok
    found = poll(poller, b"RECENT")
    assert found[b"Box02"] == {b"RECENT": 1} and found[b"Box03"] == {b"RECENT": 0}
    assert other.append(b"Box03", LETTER).is_ok
    assert poll(poller, b"RECENT")[b"Box03"] == {b"RECENT": 1}


def test_imported(shared_server, user, clients, tmp_path):
    poller, _ = clients
    (tmp_path / "Box06").write_bytes(b"From a@example.org Thu Dec  1 03:46:01 2005\nSubject: 1\n\ntext\n")
    before = poll(poller)
    shared_server.imapctl("import", user, str(tmp_path / "Box06"))
    assert [grown for grown, _, _ in changed(before, poll(poller)).values()] == [1]


def test_names_that_are_not_there(clients):
    """Asked for beside others that are remembered; a name is known by itself, not by its neighbours."""
    poller, _ = clients
    poll(poller)
    for name in (b"Box", b"Box0", b"Box000", b"Box03/Sub", b"Box12", b"A", b"Z", b"inbox2"):
        assert poll(poller, boxes=[name]) == {name: None}
    assert poll(poller, boxes=[b"inbox"])[b"inbox"] == poll(poller)[b"INBOX"]


def test_more_mailboxes_than_are_remembered(clients):
    poller, other = clients
    names = [b"Many%04d" % number for number in range(1100)]
    for begin in range(0, len(names), 100):
        poller.send(b"".join(b"x%d CREATE %s\r\n" % (number, name) for number, name in enumerate(names[begin:begin + 100])))
        for number in range(len(names[begin:begin + 100])):
            assert poller.reply(b"x%d" % number).is_ok
    assert all(found[b"MESSAGES"] == 0 for found in poll(poller, boxes=names).values())
    assert other.append(b"Many1050", LETTER).is_ok
    assert [name for name, found in poll(poller, boxes=names).items() if found[b"MESSAGES"]] == [b"Many1050"]
