"""UNAUTHENTICATE (RFC 8437): nothing of a user is left on the connection, and nothing of the next one is lost."""
import json
import select
import zlib

import pytest

import server as lib

PASSWORD = lib.PASSWORD.encode()
IS_SANITIZED = "san" in lib.IMAPD.parent.name


def login(user):
    return b'LOGIN %s "%s"' % (user.encode(), PASSWORD)


@pytest.fixture
def other(shared_server):
    """A second user."""
    name = f"other{lib.free_port()}"
    shared_server.add_user(name)
    return name


def test_another_user(shared_server, user, other):
    with shared_server.client(user) as client:
        assert client.append(b"INBOX", lib.message(1)).is_ok
        client.ok(b"UNAUTHENTICATE")
        client.ok(login(other))
        assert b"MESSAGES 0" in client.ok(b"STATUS INBOX (MESSAGES)").untagged[0]
        client.ok(b"UNAUTHENTICATE")
        client.ok(login(user))
        assert b"MESSAGES 1" in client.ok(b"STATUS INBOX (MESSAGES)").untagged[0]


def test_capabilities(shared_server, user):
    """Those of before login, in the code and when asked; the command is for those who have logged in."""
    with shared_server.client() as client:
        before = client.ok(b"CAPABILITY").untagged[0]
        assert b"UNAUTHENTICATE" not in before.split()
        client.ok(login(user))
        assert b"UNAUTHENTICATE" in client.ok(b"CAPABILITY").untagged[0].split()
        told = client.ok(b"UNAUTHENTICATE").tagged
        assert b"[%s]" % before[2:] in told
        assert client.ok(b"CAPABILITY").untagged == [before]


def test_what_was_enabled_is_forgotten(shared_server, user):
    with shared_server.client(user) as client, shared_server.client(user) as second:
        client.ok("CREATE &AOk-".encode())
        client.ok(b"ENABLE IMAP4rev2 UTF8=ACCEPT CONDSTORE QRESYNC")
        assert b'"\xc3\xa9"' in client.ok(b'LIST "" "\xc3\xa9"').untagged[0]
        assert client.append(b"INBOX", lib.message(1)).is_ok
        client.ok(b"NOTIFY SET (PERSONAL (MessageNew MessageExpunge))")
        client.ok(b"SELECT INBOX")
        client.ok(b"SEARCH RETURN (SAVE) ALL")
        client.ok(b"UNAUTHENTICATE")
        client.ok(login(user))
        assert second.append(b"&AOk-", lib.message(2)).is_ok     # which NOTIFY would have told
        client.ok(b"CREATE more")
        assert client.ok(b'LIST "" *').untagged and b"&AOk-" in b"".join(client.ok(b'LIST "" *').untagged)
        assert b" BAD " in client.command(b"SELECT INBOX (QRESYNC (1 1))").tagged
        assert any(line.endswith(b" RECENT") for line in client.ok(b"SELECT INBOX").untagged)
        assert client.ok(b"SEARCH ALL").untagged == [b"* SEARCH 1"]
        assert client.ok(b"SEARCH $").untagged == [b"* SEARCH"]
        answer = client.ok(b"STORE 1 +FLAGS (\\Deleted)")
        assert b"MODSEQ" not in answer.untagged[0]
        assert client.ok(b"EXPUNGE").untagged == [b"* 1 EXPUNGE"]


def test_starttls_behind_it(shared_server, user):
    with shared_server.client(user) as client:
        client.ok(b"UNAUTHENTICATE")
        client.ok(b"STARTTLS")
        client.start_tls()
        client.ok(login(user))
        client.ok(b"UNAUTHENTICATE")
        assert b" BAD " in client.command(b"STARTTLS").tagged
        client.ok(login(user))


def test_bad_commands_count_anew(shared_server, user):
    with shared_server.client(user) as client:
        for _ in range(3):
            client.ok(b"UNAUTHENTICATE")
            for _ in range(2):
                assert b" BAD " in client.command(b"SELECT INBOX").tagged
            client.ok(login(user))


@pytest.mark.parametrize("is_wrong_first", [False, True])
def test_pipelined_in_small_pieces(shared_server, user, other, is_wrong_first):
    """However the octets come, what stands behind the command is the next user's."""
    lines = [b"u UNAUTHENTICATE", b"w LOGIN %s wrong" % other.encode()] if is_wrong_first else [b"u UNAUTHENTICATE"]
    lines += [b"l " + login(other), b"c CREATE mine", b"o LOGOUT", b""]
    octets = b"\r\n".join(lines)
    for cut in range(1, len(octets), 7):
        with shared_server.client(user, address="127.0.8.1") as client:
            client.ok(b"SELECT INBOX")
            client.send(octets[:cut])
            client.send(octets[cut:])
            assert client.reply(b"u").is_ok
            assert not is_wrong_first or b" NO [AUTHENTICATIONFAILED]" in client.reply(b"w").tagged
            assert client.reply(b"l").is_ok
            assert b" OK " in client.reply(b"c").tagged or cut > 1
            assert client.reply(b"o").is_ok and client.line() == b""
        if is_wrong_first:
            break       # each failure costs a delay
    with shared_server.client(user) as client:
        assert b"mine" not in b"".join(client.ok(b'LIST "" *').untagged)


def test_much_pipelined(shared_server, user, other):
    """More than all buffers on the way hold: a message, and another one behind the next UNAUTHENTICATE."""
    message = b"Subject: much\r\n\r\n" + b"0123456789abcdef\r\n" * 30_000
    append = b"APPEND INBOX {%d+}\r\n%s\r\n" % (len(message), message)
    with shared_server.client(user) as client:
        client.send(b"u1 UNAUTHENTICATE\r\nl1 %s\r\na1 %su2 UNAUTHENTICATE\r\nl2 %s\r\na2 %sx NOOP\r\n" %
                    (login(other), append, login(user), append))
        for tag in (b"u1", b"l1", b"a1", b"u2", b"l2", b"a2", b"x"):
            assert client.reply(tag).is_ok, tag
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(1) == message


def test_within_a_message_and_idle_it_is_no_command(shared_server, user):
    message = b"Subject: x\r\n\r\nx UNAUTHENTICATE\r\n"
    with shared_server.client(user) as client:
        assert client.append(b"INBOX", message).is_ok
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(1) == message
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+")
        client.send(b"x UNAUTHENTICATE\r\n")
        assert client.line().startswith(b"i BAD")
        client.ok(b"FETCH 1 FLAGS")


def test_sessions_are_given_back():
    """The user has one session, and another client may have it at once; status and who count none."""
    with lib.Server(users=("zoe",), settings=["max-connections-per-user 1"]) as server:
        with server.client("zoe") as client:
            assert "zoe" in server.imapctl("who").stdout
            client.ok(b"UNAUTHENTICATE")
            assert "zoe" not in server.imapctl("who").stdout
            with server.client("zoe") as second:
                assert b" NO [LIMIT]" in client.command(login("zoe")).tagged
                second.ok(b"UNAUTHENTICATE")
                client.ok(login("zoe"))
                assert b" NO [LIMIT]" in second.command(login("zoe")).tagged
        lib.wait_until(lambda: sum("ev=logout" in line and "user=zoe" in line and "reason=unauthenticate" in line
                                   for line in server.log_lines) == 2)


def test_a_thousand_times():
    """Neither memory nor descriptors grow, nor does the number of sessions."""
    with lib.Server(users=("zoe", "yan")) as server:
        def rounds(client, count):
            for number in range(count):
                client.send(b"l %s\r\ns SELECT INBOX\r\nu UNAUTHENTICATE\r\n" % login(("zoe", "yan")[number % 2]))
            for _ in range(count):
                for tag in (b"l", b"s", b"u"):
                    assert client.reply(tag).is_ok
        with server.client() as client:
            rounds(client, 100)
            before, files = server.rss_kib(), server.descriptors()
            for _ in range(10):
                rounds(client, 100)
            lib.wait_until(lambda: server.descriptors() <= files + 4)
            assert IS_SANITIZED or server.rss_kib() < before + 4096
            client.ok(b"LOGOUT")
        lib.wait_until(lambda: json.loads(server.imapctl("--json", "status").stdout)["role"][0]["sessions"] == 0)


def test_lost_while_it_goes_back(shared_server, user):
    """Clients that vanish behind the command leave nothing."""
    for _ in range(20):
        with shared_server.client(user) as client:
            client.send(b"u UNAUTHENTICATE\r\nl " + login(user) + b"\r\n")
    with shared_server.client(user) as client:
        client.ok(b"NOOP")


def test_who_has_come_back_leaves_as_a_stranger():
    with lib.Server(users=("zoe",)) as server:
        client = server.client("zoe")
        client.ok(b"UNAUTHENTICATE")
        server.imapctl("stop", "cas")
        assert client.line().startswith(b"* BYE") and client.file.read() == b""


# ---- COMPRESS (RFC 8437 section 4.1) ------------------------------------------------------------------------



@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH])
@pytest.mark.parametrize("is_pipelined", [False, True])
def test_compress_ends(shared_server, user, other, flush, is_pipelined):
    """Both sides are plain behind the command and its OK; it may begin again with the next user."""
    with shared_server.client(user) as client:
        for name in (other, user, other):
            client.start_deflate()
            client.ok(b"SELECT INBOX")
            behind = b"l " + login(name) + b"\r\n"
            client.socket.send_last(b"u UNAUTHENTICATE\r\n", flush, behind if is_pipelined else b"")
            assert client.reply(b"u").is_ok
            if not is_pipelined:
                client.send(behind)
            assert client.reply(b"l").is_ok
            client.ok(b"NOOP")
            assert client.socket.into.eof


def test_compress_ends_in_part_of_a_block(shared_server, user):
    """Z_PARTIAL_FLUSH keeps up to seven bits back: a client that then goes on with text never sends them."""
    with shared_server.client(user) as client:
        for number in range(8):         # so that they are different bits
            client.start_deflate(zlib.Z_PARTIAL_FLUSH)
            client.ok(b'LIST "" "' + b"xyzuvwab"[:number] + b'"')
            client.socket.send_last(b"u UNAUTHENTICATE\r\n", zlib.Z_PARTIAL_FLUSH)
            assert client.reply(b"u").is_ok
            client.ok(login(user))


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_PARTIAL_FLUSH])
def test_compress_ends_twice(shared_server, user, flush):
    """A client that flushes and then ends its stream as well."""
    with shared_server.client(user) as client:
        client.start_deflate(flush)
        out = client.socket.out
        octets = out.compress(b"u UNAUTHENTICATE\r\n") + out.flush(flush) + out.flush(zlib.Z_FINISH)
        client.socket.out = None
        client.send(octets + b"l " + login(user) + b"\r\n")
        assert client.reply(b"u").is_ok and client.reply(b"l").is_ok


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
def test_compress_ends_in_small_pieces(shared_server, user, flush):
    with shared_server.client(user) as client:
        client.start_deflate()
        out = client.socket.out
        octets = out.compress(b"n NOOP\r\nu UNAUTHENTICATE\r\n") + out.flush(flush) + b"l " + login(user) + b"\r\nx NOOP\r\n"
        client.socket.out = None
        for octet in octets:
            client.send(bytes([octet]))
        for tag in (b"n", b"u", b"l", b"x"):
            assert client.reply(tag).is_ok


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_compress_ends_in_a_flush_that_comes_late(shared_server, user, flush):
    """The command has come, and what is left of its flush comes when it might have been answered: that is no command."""
    for cut in range(1, 9):
        with shared_server.client(user) as client:
            client.start_deflate()
            out = client.socket.out
            octets = out.compress(b"u UNAUTHENTICATE\r\n") + out.flush(flush)
            client.socket.out = None
            client.send(octets[:-cut])
            select.select([client.socket.below], [], [], 0.05)
            client.send(octets[-cut:] + b"l " + login(user) + b"\r\n")
            assert client.reply(b"u").is_ok and client.reply(b"l").is_ok


@pytest.mark.parametrize("command", [b"STORE 1 +FLAGS (\\Seen)", b"FETCH 1 BODY.PEEK[]", b"APPEND INBOX {3+}\r\na\r\n"])
def test_compress_ends_behind_what_is_under_way(shared_server, user, command):
    """It is read, but not begun, while those before it are under way: what comes behind it is not deflated all the same."""
    with shared_server.client(user) as client:
        client.start_deflate()
        assert client.append(b"INBOX", b"Subject: one\r\n\r\n").is_ok
        client.ok(b"SELECT INBOX")
        client.socket.send_last(b"".join(b"c%d %s\r\n" % (number, command) for number in range(5)) + b"u UNAUTHENTICATE\r\n",
                                zlib.Z_SYNC_FLUSH, b"l " + login(user) + b"\r\n")
        for tag in (b"c0", b"c1", b"c2", b"c3", b"c4", b"u", b"l"):
            assert client.reply(tag).is_ok


def test_compress_ends_behind_much_output(shared_server, user):
    """What a worker deflates leaves before the end, and the end before what is plain."""
    message = b"Subject: much\r\n\r\n" + b"".join(b"%08x\r\n" % (number * 2654435761 % 2**32) for number in range(60_000))
    with shared_server.client(user) as client:
        client.start_deflate()
        assert client.append(b"INBOX", message).is_ok
        client.ok(b"SELECT INBOX")
        client.socket.send_last(b"f FETCH 1 BODY.PEEK[]\r\nu UNAUTHENTICATE\r\n", zlib.Z_SYNC_FLUSH,
                                b"l " + login(user) + b"\r\ns STATUS INBOX (MESSAGES)\r\n")
        assert message in client.reply(b"f").untagged[0]
        assert client.reply(b"u").is_ok and client.reply(b"l").is_ok and client.reply(b"s").is_ok
