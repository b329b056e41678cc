"""Sessions of a user who moves to another mailbox server: each goes on there as if nothing had been, or is told BYE."""
import re
import subprocess
import zlib

import pytest

import server as lib
import split
from rehoming import append, finish, host_of, move, picture

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2, settings=["uidonly yes"]) as running:
        yield running


@pytest.fixture
def user(three, request):
    name = re.sub(r"\W", "", request.node.name)
    three.add_user(name, home=0)
    with three.client(name) as client:
        for number in range(6):
            assert append(client, b"INBOX", b"%d" % number, b"\\Seen kept" if number % 2 else b"").is_ok
    return name


def carried(three, user, count=1):
    """So many sessions have gone on at the other server, by what the host for clients says; their lines."""
    def lines():
        return [line for line in three.cas.log_lines if "ev=session-moved" in line and f"user={user} " in line]
    lib.wait_until(lambda: len(lines()) >= count)
    assert len(lines()) == count
    return lines()


def open_session(three, user, *commands):
    client = three.client(user)
    for command in commands:
        client.ok(command)
    return client


def idle(client):
    client.send(b"i1 IDLE\r\n")
    assert client.line().startswith(b"+")


def end_idle(client):
    client.send(b"DONE\r\n")
    line = client.line()
    while not line.startswith(b"i1 "):
        line = client.line()
    assert line.startswith(b"i1 OK"), line


def test_selected(three, user):
    """Numbers, UIDs, flags and what may be done stay; commands of both sides of the move see the same mailbox."""
    with open_session(three, user, b"ENABLE QRESYNC", b"SELECT INBOX") as client:
        before = client.ok(b"FETCH 1:* (UID FLAGS MODSEQ)").untagged
        move(three, user, "mbx2")
        assert client.ok(b"NOOP").untagged == []
        assert client.ok(b"FETCH 1:* (UID FLAGS MODSEQ)").untagged == before
        assert client.ok(b"UID STORE 1 +FLAGS (\\Deleted)").untagged
        assert any(b"VANISHED 1" in line for line in client.ok(b"EXPUNGE").untagged)
        assert append(client, b"INBOX", b"7").is_ok
        assert b"* 6 EXISTS" in client.ok(b"NOOP").untagged + client.ok(b"SELECT INBOX").untagged
        with three.client(user) as other:
            assert picture(other)[b"INBOX"]
    assert carried(three, user) and host_of(three, user) == "mbx2"


def test_logged_in_only(three, user):
    with open_session(three, user) as client:
        for server in ("mbx2", "mbx1", "mbx2"):
            move(three, user, server)
            assert b"MESSAGES 6" in client.ok(b"STATUS INBOX (MESSAGES)").untagged[0]
        client.ok(b"LOGOUT")
    assert carried(three, user, 3)


def test_idle(three, user):
    """What happens behind the move is told at once, and IDLE ends with its own tag."""
    with open_session(three, user, b"ENABLE QRESYNC", b"SELECT INBOX") as client, three.client(user) as other:
        idle(client)
        move(three, user, "mbx2")
        assert append(other, b"INBOX", b"7").is_ok
        assert client.line() == b"* 7 EXISTS"
        other.ok(b"SELECT INBOX")
        other.ok(b"UID STORE 2 +FLAGS (\\Flagged)")
        line = client.line()
        while b"FETCH" not in line:
            line = client.line()
        assert b"UID 2 " in line and b"\\Flagged" in line and b"MODSEQ" in line
        end_idle(client)
        client.ok(b"NOOP")


def test_what_was_not_told_yet(three, user):
    """News from before the move come behind it: flags, expunges by their numbers, and new messages."""
    with open_session(three, user, b"SELECT INBOX") as client, three.client(user) as other:
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 6 +FLAGS (\\Flagged fresh)")
        other.ok(b"STORE 2,4 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        assert append(other, b"INBOX", b"7").is_ok
        move(three, user, "mbx2")
        fetched = client.ok(b"FETCH 1,3,5,6 (UID)").untagged		# numbers as the client counts
        assert [line for line in fetched if re.match(rb"\* \d+ FETCH \(UID \d+\)$", line)] == [
            b"* 1 FETCH (UID 1)", b"* 3 FETCH (UID 3)", b"* 5 FETCH (UID 5)", b"* 6 FETCH (UID 6)"]
        told = fetched + client.ok(b"NOOP").untagged
        assert b"* 4 EXPUNGE" in told or b"* 3 EXPUNGE" in told
        assert sum(b"EXPUNGE" in line for line in told) == 2 and any(b"EXISTS" in line for line in told)
        assert any(b"\\Flagged" in line and b"fresh" in line for line in told if b"FETCH" in line)
        assert client.ok(b"FETCH 1:* (UID)").untagged == [
            b"* %d FETCH (UID %d)" % pair for pair in ((1, 1), (2, 3), (3, 5), (4, 6), (5, 7))]


def test_qresync_expunges(three, user):
    with open_session(three, user, b"ENABLE QRESYNC", b"SELECT INBOX") as client, three.client(user) as other:
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 1:3 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        move(three, user, "mbx2")
        told = client.ok(b"NOOP").untagged
        assert b"* VANISHED 1:3" in told and not any(b"EXPUNGE" in line for line in told)


def test_saved_search(three, user):
    """"$" means the same messages behind the move: they have the same UIDs."""
    with open_session(three, user, b"SELECT INBOX", b"SEARCH RETURN (SAVE) SEEN") as client:
        before = client.ok(b"FETCH $ (UID)").untagged
        move(three, user, "mbx2")
        assert client.ok(b"FETCH $ (UID)").untagged == before and len(before) == 3


@pytest.mark.parametrize("enabled", [b"IMAP4rev2", b"UTF8=ACCEPT", b"UIDONLY", b"CONDSTORE"])
def test_enabled(three, user, enabled):
    with three.client(user) as client:
        client.ok(b"CREATE Gr&APwA3w-e")
    with open_session(three, user, b"ENABLE " + enabled, b"EXAMINE INBOX") as client:
        asked = (b'LIST "" *', b"UID FETCH 1:* (FLAGS)", b"STATUS INBOX (UIDNEXT)")
        before = [client.ok(command).untagged for command in asked]
        has_numbers = client.command(b"FETCH 1 (UID)").is_ok
        move(three, user, "mbx2")
        assert [client.ok(command).untagged for command in asked] == before
        assert not client.command(b"UID STORE 1 +FLAGS (\\Flagged)").is_ok	# it is read-only still
        assert client.command(b"FETCH 1 (UID)").is_ok == has_numbers


def test_unchangedsince(three, user):
    """What the client knows of messages that others have changed is kept: its STORE does not win over theirs."""
    with open_session(three, user, b"ENABLE CONDSTORE", b"SELECT INBOX") as client, three.client(user) as other:
        modseq = re.search(rb"MODSEQ \((\d+)\)", client.ok(b"FETCH 3 (MODSEQ)").untagged[0])[1]
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 3 +FLAGS (\\Answered)")
        move(three, user, "mbx2")
        done = client.command(b"STORE 3 (UNCHANGEDSINCE %s) FLAGS (\\Draft)" % modseq)
        assert b"MODIFIED 3" in done.tagged


def test_pipelined(three, user):
    """Commands that wait for the move are done behind it, in their order."""
    with open_session(three, user, b"SELECT INBOX") as client:
        order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", user, "mbx2"], stdout=subprocess.PIPE)
        number = 0
        while order.poll() is None or number < 100:
            client.send(b"".join(b"p%d NOOP\r\n" % (number + i) for i in range(20)))
            for i in range(20):
                assert client.line().startswith(b"p%d OK" % (number + i))
            number += 20
        order.communicate()
        assert order.returncode == 0 and carried(three, user)


def test_appends_go_on(three, user):
    """Who sends one message after the other keeps the connection and loses none."""
    with three.client(user) as client:
        order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", user, "mbx2"], stdout=subprocess.PIPE)
        number = 0
        while order.poll() is None or number < 20:
            assert append(client, b"INBOX", b"more-%d" % number).is_ok
            number += 1
        order.communicate()
        assert order.returncode == 0
        assert b"MESSAGES %d" % (6 + number) in client.ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_deflated(three, user):
    """What both sides refer to, in the octets of before, is there still: in either direction, several times."""
    with three.client(user) as client:
        client.start_deflate()
        client.ok(b"SELECT INBOX")
        text = b"Subject: long\r\n\r\n" + b"".join(b"the line %d, which comes again\r\n" % number for number in range(600))
        assert client.append(b"INBOX", text).is_ok
        for server in ("mbx2", "mbx1", "mbx2"):
            move(three, user, server)
            assert client.append(b"INBOX", text).is_ok
            client.ok(b"NOOP")
            assert client.fetch_body(7) == text
    assert carried(three, user, 3)


def test_deflated_idle(three, user):
    with three.client(user) as client, three.client(user) as other:
        client.start_deflate()
        client.ok(b"SELECT INBOX")
        idle(client)
        move(three, user, "mbx2")
        assert append(other, b"INBOX", b"7").is_ok
        assert client.line() == b"* 7 EXISTS"
        end_idle(client)
        assert client.fetch_body(7).startswith(b"From:")


def test_deflated_and_pipelined(three, user):
    with three.client(user) as client:
        client.start_deflate()
        client.ok(b"SELECT INBOX")
        order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", user, "mbx2"], stdout=subprocess.PIPE)
        number = 0
        while order.poll() is None or number < 100:
            for i in range(20):
                client.send(b"p%d UID FETCH 1:* (FLAGS)\r\n" % (number + i))
            for i in range(20):
                assert client.reply(b"p%d" % (number + i)).is_ok
            number += 20
        order.communicate()
        assert order.returncode == 0 and carried(three, user)


@pytest.mark.parametrize("flush", [zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH])
def test_deflated_in_other_ways(three, user, flush):
    """Who ends within an octet cannot be carried, and is told so within DEFLATE; or goes on."""
    with three.client(user) as client:
        client.start_deflate(flush)
        client.ok(b"SELECT INBOX")
        move(three, user, "mbx2")
        client.send(b"x NOOP\r\n")
        line = client.line()
        assert line.startswith((b"x OK", b"* BYE [UNAVAILABLE]")), line
        assert flush != zlib.Z_FULL_FLUSH or line.startswith(b"x OK")


def test_who_and_kick(three, user):
    """The session has its id still, for both hosts, and can be ended."""
    with open_session(three, user, b"SELECT INBOX") as client:
        move(three, user, "mbx2")
        client.ok(b"NOOP")
        sid = re.search(r"sid=(\w+)", carried(three, user)[0])[1]
        assert sid in three.cas.imapctl("who").stdout and sid in three.mailboxes[1].imapctl("who").stdout
        assert sid not in three.mailboxes[0].imapctl("who").stdout
        three.cas.imapctl("kick", sid)
        assert client.line().startswith(b"* BYE")


def test_unauthenticate_behind_it(three, user):
    with open_session(three, user, b"SELECT INBOX") as client:
        move(three, user, "mbx2")
        client.ok(b"UNAUTHENTICATE")
        client.ok(b'LOGIN %s "%s"' % (user.encode(), lib.PASSWORD.encode()))
        assert b"* 6 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_another_users_mailbox_is_left(three, user):
    """What is selected stays where its owner is: the session cannot go on, and is told so."""
    three.add_user("owner", home=0)
    with three.client("owner") as owner:
        owner.command(b"SETACL INBOX %s lrs" % user.encode())
    with open_session(three, user, b'SELECT "Other Users/owner/INBOX"') as client:
        move(three, user, "mbx2", "--yes")
        assert client.line().startswith(b"* BYE [UNAVAILABLE]")
    three.cas.imapctl("user", "del", "owner", "--yes")
    three.mailboxes[0].imapctl("user", "del", "owner", "--yes")


def test_target_is_gone(three, user):
    """The other server falls over before sessions are there: they get BYE in bounded time, and the user is there later."""
    with open_session(three, user, b"SELECT INBOX") as client:
        three.cas.imapctl("move", user, "mbx2", "--yes")
        client.ok(b"NOOP")
        client.checker = None		# half a line may have come
        three.mailboxes[1].kill()
        assert b"* BYE [UNAVAILABLE] The mailbox server has gone" in [client.line(), client.line()]
    three.mailboxes[1].start()
    three.await_link(1)
    finish(three, user, "mbx2")
