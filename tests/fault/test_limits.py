"""How many may come, how long a stranger may stay, and what happens to those who are no longer wanted."""
import signal
import socket

import pytest

import server as lib


@pytest.fixture(scope="module")
def server():
    settings = ["max-connections 30", "max-connections-per-user 4", "max-connections-per-address 60",
                "login-timeout 10"]
    with lib.Server(users=("demo",), settings=settings) as running:
        yield running


def test_connections_of_a_user(server):
    clients = [server.client("demo") for _ in range(4)]
    with server.client() as fifth:
        reply = fifth.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert reply.tagged.split()[1:3] == [b"NO", b"[LIMIT]"]
        clients.pop().close()
        lib.wait_until(lambda: fifth.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode()).is_ok)
    for client in clients:
        client.close()


def test_strangers_make_room_for_whoever_comes(server):
    """The stranger who is there for longest leaves; who is logged in stays."""
    with server.client("demo") as inside:
        strangers = [server.client() for _ in range(60)]
        assert strangers[0].line().startswith(b"* BYE")
        with server.client("demo") as late:
            late.ok(b"NOOP")
        inside.ok(b"NOOP")
        assert strangers[-1].line().startswith(b"* BYE Autologout")
        for stranger in strangers:
            stranger.close()


def test_sessions_of_lmtp(server):
    """Half a thousand deliveries at a time; the next one is told to come later."""
    senders = [socket.create_connection(("127.0.0.1", server.lmtp_port)) for _ in range(500)]
    for sender in senders:
        assert sender.recv(4) == b"220 "
    with socket.create_connection(("127.0.0.1", server.lmtp_port)) as surplus:
        assert surplus.recv(4) == b"421 "
    for sender in senders:
        sender.close()

    def greeting():
        with socket.create_connection(("127.0.0.1", server.lmtp_port)) as late:
            return late.recv(4)
    lib.wait_until(lambda: greeting() == b"220 ")


def test_a_deleted_user_is_logged_out(server):
    server.add_user("leaver")
    with server.client("leaver") as reader, server.client("leaver") as idler, server.client("demo") as other:
        reader.ok(b"SELECT INBOX")
        idler.ok(b"SELECT INBOX")
        idler.send(b"i IDLE\r\n")
        assert idler.line().startswith(b"+")
        server.imapctl("user", "del", "leaver", "--yes")
        assert reader.line().startswith(b"* BYE") and reader.line() == b""
        assert idler.line().startswith(b"* BYE") and idler.line() == b""
        other.ok(b"NOOP")
    with server.client() as late:
        assert not late.command(b'LOGIN leaver "%s"' % lib.PASSWORD.encode()).is_ok


def test_the_last_sighup_counts(server):
    """Also one that comes while the files of the one before are being read."""
    good = server.config.read_text()
    server.config.write_text(good + "nonsense 1\n")
    for _ in range(20):
        server.process.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: any(" ev=reload-failed" in line for line in server.log_lines))
    server.process.send_signal(signal.SIGHUP)
    server.config.write_text(good)
    server.process.send_signal(signal.SIGHUP)

    def last():
        return [line for line in server.log_lines if " ev=reload" in line][-1]
    lib.wait_until(lambda: " ev=reload " in last())
