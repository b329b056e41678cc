"""A server that has no descriptors left: who runs it gets in, sees who has them, and makes room."""
import socket

import server as lib

LIMIT = 160


def fill(server):
    """Connect until there are no more; all sockets, the last of which waits to be greeted."""
    sockets = []
    while server.descriptors() < LIMIT:
        sockets.append(socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S))
        assert sockets[-1].recv(100).startswith(b"* OK")
    return sockets + [socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S)]


def test_the_operator_gets_in():
    class Small(lib.Server):
        prefix = (lib.need("prlimit"), f"--nofile={LIMIT}:{LIMIT}")

    with Small() as server, server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        sockets = fill(server)
        try:
            for _ in range(5):
                assert "running" in server.imapctl("status").stdout
                assert "demo" in server.imapctl("who").stdout
            server.imapctl("kick", "demo")
            assert client.line().startswith(b"* BYE")
            sockets[0].close()
            assert sockets[-1].recv(100).startswith(b"* OK")	# who has waited comes in
        finally:
            for one in sockets:
                one.close()
