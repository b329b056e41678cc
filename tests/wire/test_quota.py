"""QUOTA (RFC 9208): limits of what a user may keep, told and kept."""
import json

import pytest

import server as lib

LIMITS = ("quota-storage 100K", "quota-messages 20", "quota-mailboxes 8")


def letter(octets):
    return b"Subject: x\r\n\r\n" + b"y" * (octets - 14)


@pytest.fixture
def server():
    with lib.Server(settings=LIMITS) as running:
        yield running


def told(client, command=b"GETQUOTA user"):
    """Usage and limit by resource, as the QUOTA response has them."""
    *_, line = client.ok(command).untagged
    assert line.startswith(b"* QUOTA user (") and line.endswith(b")")
    words = line[len("* QUOTA user ("):-1].decode().split()
    return dict(zip(words[::3], zip(map(int, words[1::3]), map(int, words[2::3]))))


def test_what_is_told(server):
    with server.client("demo") as client:
        shown = client.ok(b"CAPABILITY").untagged[0].split()
        assert {b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE", b"QUOTA=RES-MAILBOX"} <= set(shown)
        assert b"QUOTASET" not in shown
        mailboxes = len(client.ok(b'LIST "" *').untagged)
        assert told(client) == {"STORAGE": (0, 100), "MESSAGE": (0, 20), "MAILBOX": (mailboxes, 8)}
        assert client.append(b"INBOX", letter(1025)).is_ok and client.append(b"Sent", letter(20)).is_ok
        assert told(client) == {"STORAGE": (2, 100), "MESSAGE": (2, 20), "MAILBOX": (mailboxes, 8)}
        assert client.ok(b"GETQUOTAROOT inbox").untagged[0] == b"* QUOTAROOT INBOX user"
        assert told(client, b"GETQUOTAROOT inbox") == told(client, b'getquota "user"') == told(client)
        assert client.ok(b"GETQUOTAROOT not/there").untagged[0] == b"* QUOTAROOT not/there user"
        assert client.ok(b'GETQUOTAROOT "&AOk-"').untagged[0] == b"* QUOTAROOT &AOk- user"
        client.ok(b"SELECT INBOX")
        assert told(client, b"GETQUOTAROOT INBOX")["MESSAGE"] == (2, 20)
        client.ok(b"ENABLE IMAP4rev2")
        assert client.ok('GETQUOTAROOT "é"'.encode()).untagged[0] == '* QUOTAROOT "é" user'.encode()


def test_without_limits():
    with lib.Server() as server, server.client("demo") as client:
        assert client.ok(b"GETQUOTAROOT INBOX").untagged == [b"* QUOTAROOT INBOX user", b"* QUOTA user ()"]


@pytest.mark.parametrize("command, answer", [
    (b"GETQUOTA x", b"NO [NONEXISTENT] "), (b'GETQUOTA ""', b"NO [NONEXISTENT] "), (b"GETQUOTA USER", b"NO [NONEXISTENT] "),
    (b"SETQUOTA user (STORAGE 1)", b"NO [NOPERM] "), (b"SETQUOTA user ()", b"NO [NOPERM] "),
    (b"SETQUOTA x (STORAGE 1 MESSAGE 2)", b"NO [NONEXISTENT] "), (b"SETQUOTA user (X-NEW 9223372036854775807)", b"NO [NOPERM] "),
    (b"GETQUOTA", b"BAD "), (b"GETQUOTA ", b"BAD "), (b"GETQUOTA user x", b"BAD "), (b"GETQUOTA (user)", b"BAD "),
    (b"GETQUOTAROOT", b"BAD "), (b"GETQUOTAROOT INBOX x", b"BAD "), (b"SETQUOTA user", b"BAD "),
    (b"SETQUOTA user (STORAGE)", b"BAD "), (b"SETQUOTA user (STORAGE x)", b"BAD "), (b"SETQUOTA user STORAGE 1", b"BAD "),
    (b"SETQUOTA user (STORAGE 9223372036854775808)", b"BAD "), (b"UID GETQUOTA user", b"BAD "),
])
@pytest.mark.same_everywhere
def test_wrong_arguments(server, command, answer):
    with server.client("demo") as client:
        reply = client.command(command)
        assert reply.tagged.split(b" ", 1)[1].startswith(answer) and reply.untagged == []


def test_before_login(server):
    with server.client() as client:
        assert b"QUOTA" not in client.greeting and b" BAD " in client.command(b"GETQUOTAROOT INBOX").tagged


def test_storage(server):
    with server.client("demo") as client:
        assert client.append(b"INBOX", letter(60_000)).is_ok
        client.send(b"a APPEND INBOX {60000}\r\n")		# refused before the literal is asked for
        assert client.line().startswith(b"a NO [OVERQUOTA] ")
        assert b" NO [OVERQUOTA] " in client.append(b"INBOX", letter(60_000)).tagged
        client.send(b"b APPEND INBOX {30000+}\r\n%s {30000+}\r\n%s\r\n" % (letter(30_000), letter(30_000)))
        assert client.line().startswith(b"b NO [OVERQUOTA] ")
        assert told(client)["MESSAGE"] == (1, 20)		# all or nothing
        client.ok(b"SELECT INBOX")
        assert b" NO [OVERQUOTA] " in client.command(b"COPY 1 Sent").tagged
        assert b"COPYUID" in client.ok(b"MOVE 1 Sent").untagged[0]	# which needs no room
        assert client.append(b"INBOX", letter(42_400)).is_ok		# 102,400 octets: just full
        assert told(client)["STORAGE"] == (100, 100)
        assert b" NO [OVERQUOTA] " in client.append(b"INBOX", letter(20)).tagged
        client.ok(b"STORE 1 +FLAGS (\\Deleted)")
        assert client.ok(b"STATUS INBOX (DELETED DELETED-STORAGE)").untagged == [b"* STATUS INBOX (DELETED 1 DELETED-STORAGE 42400)"]
        client.ok(b"EXPUNGE")
        assert client.append(b"INBOX", letter(20)).is_ok


def test_replace(server):
    """What takes the place of another needs no more room than it has more octets: RFC 8508."""
    with server.client("demo") as client:
        assert client.append(b"Drafts", letter(102_000)).is_ok
        client.ok(b"SELECT Drafts")
        assert b"APPENDUID" in client.ok(b"REPLACE 1 Drafts {}", letter(102_400)).untagged[0]
        assert b" NO [OVERQUOTA] " in client.command(b"REPLACE 1 Drafts {}", letter(102_401)).tagged
        server.settings = ["quota-storage 1K"]
        server.write_config()
        server.imapctl("reload")
        assert told(client) == {"STORAGE": (100, 1)}
        assert client.ok(b"REPLACE 1 Drafts {}", letter(102_400)).is_ok
        assert b" NO [OVERQUOTA] " in client.command(b"REPLACE 1 Drafts {}", letter(102_401)).tagged
        assert client.ok(b"REPLACE 1 Drafts {}", letter(500)).is_ok


def test_messages(server):
    with server.client("demo") as client:
        assert client.command(b"APPEND INBOX" + b" {3+}\r\nabc" * 20).is_ok
        client.send(b"a APPEND INBOX {3}\r\n")
        assert client.line().startswith(b"a NO [OVERQUOTA] ")
        client.ok(b"SELECT INBOX")
        assert b" NO [OVERQUOTA] " in client.command(b"COPY 1 Sent").tagged
        client.ok(b"MOVE 1:20 Sent")
        client.ok(b"SELECT Sent")
        client.ok(b"STORE 1:15 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")
        assert b" NO [OVERQUOTA] " in client.command(b"APPEND INBOX" + b" {3+}\r\nabc" * 16).tagged
        assert client.command(b"APPEND INBOX" + b" {3+}\r\nabc" * 15).is_ok


def test_mailboxes(server):
    with server.client("demo") as client:
        count = told(client)["MAILBOX"][0]
        for number in range(count, 7):
            client.ok(b"CREATE m%d" % number)
        assert b" NO [OVERQUOTA] " in client.command(b"CREATE a/b").tagged		# two of them
        client.ok(b"RENAME Trash bin")
        client.ok(b"CREATE last")
        assert b" NO [OVERQUOTA] " in client.command(b"RENAME bin deep/bin").tagged
        assert b" NO [OVERQUOTA] " in client.command(b"RENAME INBOX old").tagged
        assert not [line for line in client.ok(b'LIST "" *').untagged if b"deep" in line or b" a" in line]
        assert told(client)["MAILBOX"] == (8, 8)
        client.ok(b"DELETE last")
        client.ok(b"RENAME INBOX old")


def test_deleted_storage(server):
    """What it says is the same in a mailbox that is open, in one that is not, and in LIST."""
    with server.client("demo") as client, server.client("demo") as other:
        for octets in (100, 200, 400):
            assert client.append(b"Junk", letter(octets)).is_ok
        def said(session):
            return session.ok(b"STATUS Junk (DELETED-STORAGE)").untagged, \
                session.ok(b'LIST "" Junk RETURN (STATUS (DELETED-STORAGE))').untagged[1:]
        assert said(client) == ([b"* STATUS Junk (DELETED-STORAGE 0)"],) * 2
        other.ok(b"SELECT Junk")
        other.ok(b"STORE 1,3 +FLAGS.SILENT (\\Deleted)")
        assert said(client) == said(other) == ([b"* STATUS Junk (DELETED-STORAGE 500)"],) * 2
        other.ok(b"STORE 1 -FLAGS.SILENT (\\Deleted)")
        other.ok(b"UID COPY 3 Sent")
        assert said(client) == ([b"* STATUS Junk (DELETED-STORAGE 400)"],) * 2
        assert client.ok(b"STATUS Sent (DELETED-STORAGE)").untagged == [b"* STATUS Sent (DELETED-STORAGE 400)"]
        other.ok(b"EXPUNGE")
        assert said(client) == ([b"* STATUS Junk (DELETED-STORAGE 0)"],) * 2
    server.stop()
    server.start()
    with server.client("demo") as client:
        assert said(client) == ([b"* STATUS Junk (DELETED-STORAGE 0)"],) * 2
        assert client.ok(b"STATUS Sent (DELETED-STORAGE)").untagged == [b"* STATUS Sent (DELETED-STORAGE 400)"]


def refused(server, name, size=None):
    """What is said of a recipient, before the message is sent; that nothing is delivered so, and the next is."""
    with server.lmtp() as lmtp:
        assert lmtp.command(b"MAIL FROM:<s@example.org>" + (b" SIZE=%d" % size if size is not None else b""))[-1].startswith(b"250")
        reply = lmtp.command(b"RCPT TO:<%s>" % name)[-1]
        assert lmtp.command(b"DATA")[-1].startswith(b"354" if reply.startswith(b"250") else b"503 ")
    return reply


def test_delivery_and_warning(server):
    """Mail for a full mailbox waits in the queue of the sender's server, or is refused where that is configured."""
    def deliver(octets):
        lmtp = server.lmtp()
        reply, = lmtp.deliver(letter(octets), b"demo")
        lmtp.close()
        return reply
    assert deliver(90_000).startswith(b"250 2.0.0 ")
    assert not [line for line in server.log_lines if "quota-warning" in line]
    assert deliver(4_000).startswith(b"250 2.0.0 ")		# now above 90 percent
    lib.wait_until(lambda: [line for line in server.log_lines if "quota-warning" in line])
    warning, = [line for line in server.log_lines if "quota-warning" in line]
    assert "user=demo" in warning and "resource=storage" in warning and "limit=102400" in warning
    assert deliver(9_000).startswith(b"452 4.2.2 ")
    server.settings = [*LIMITS, "lmtp-over-quota permanent"]
    server.write_config()
    server.imapctl("reload")
    assert deliver(9_000).startswith(b"552 5.2.2 ")
    with server.client("demo") as client:
        assert told(client)["MESSAGE"] == (2, 20)


def used(server, name, resource):
    """Usage, limit and percentage, as the operator is told."""
    row, = [row for row in json.loads(server.imapctl("--json", "quota", name).stdout)["quota"] if row["resource"] == resource]
    return row["used"], row["limit"], row["percent"]


def test_limits_of_a_user_hold_for_sessions_that_run(server):
    with server.client("demo") as client:
        assert client.append(b"INBOX", letter(2000)).is_ok
        server.imapctl("user", "set", "demo", "--quota-messages=2", "--quota-storage=none")
        mailboxes = told(client)["MAILBOX"]
        assert told(client) == {"MESSAGE": (1, 2), "MAILBOX": mailboxes}
        assert client.append(b"INBOX", letter(200_000)).is_ok
        assert b" NO [OVERQUOTA] " in client.append(b"INBOX", letter(20)).tagged
        assert used(server, "demo", "messages") == (2, 2, 100) and used(server, "demo", "storage") == (202_000, "none", "")
        server.imapctl("user", "set", "demo", "--quota-messages=default", "--quota-storage=default")
        assert told(client)["MESSAGE"] == (2, 20) and told(client)["STORAGE"] == (198, 100)
        assert used(server, "demo", "storage") == (202_000, 102_400, 197)
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")                                    # who is above a limit may make room
        assert client.append(b"INBOX", letter(20)).is_ok


def test_limits_of_a_user_outlive_the_process_and_hold_for_mail():
    with lib.Server(settings=LIMITS) as server:
        server.imapctl("user", "set", "demo", "--quota-messages=1")
        server.stop()
        server.start()
        with server.lmtp() as lmtp:
            assert lmtp.deliver(letter(20), b"demo")[0].startswith(b"250")
        assert refused(server, b"demo").startswith(b"452 4.2.2 ")
        server.stop()
        server.start()
        assert used(server, "demo", "messages") == (1, 1, 100)          # no session, no delivery: the file is closed
        server.imapctl("user", "add", "support", "--shared", "--quota-messages=1")
        with server.lmtp() as lmtp:
            assert lmtp.deliver(letter(20), b"support")[0].startswith(b"250")
        assert refused(server, b"support").startswith(b"452 4.2.2 ")


def test_mail_that_has_no_room_is_refused_before_it_is_sent(server):
    """fetchmail keeps what is refused at RCPT, and loses what is refused behind the message."""
    with server.lmtp() as lmtp:
        assert lmtp.deliver(letter(90_000), b"demo")[0].startswith(b"250 ")
    assert refused(server, b"demo", 20_000) == b"452 4.2.2 Mailbox full"
    assert refused(server, b"demo+list@example.org", 20_000) == b"452 4.2.2 Mailbox full"
    for size in (5_000, 0, None):
        assert refused(server, b"demo", size).startswith(b"250 ")
    server.imapctl("user", "add", "roomy", "--no-password", "--quota-storage=1M")
    with server.lmtp() as lmtp:         # one recipient of a message is full, another one is not
        lmtp.command(b"MAIL FROM:<s@example.org> SIZE=20000")
        lmtp.socket.sendall(b"RCPT TO:<demo>\r\nRCPT TO:<roomy>\r\nRCPT TO:<demo>\r\nDATA\r\n")
        assert [lmtp.reply()[-1][:9] for _ in range(4)] == [b"452 4.2.2", b"250 2.1.5", b"452 4.2.2", b"354 Send "]
        lmtp.socket.sendall(letter(20_000) + b"\r\n.\r\n")
        assert lmtp.reply()[-1].startswith(b"250 ")
        lmtp.command(b"MAIL FROM:<s@example.org>")              # the size was that of the message before
        assert lmtp.command(b"RCPT TO:<demo>")[-1].startswith(b"250 ")
    assert used(server, "demo", "messages")[0] == 1 and used(server, "roomy", "messages")[0] == 1
    assert [line for line in server.log_lines if "lmtp-refused" in line and "reason=over-quota" in line]
    server.settings = [*LIMITS, "lmtp-over-quota permanent"]
    server.write_config()
    server.imapctl("reload")
    assert refused(server, b"demo", 20_000) == b"552 5.2.2 Mailbox full"
