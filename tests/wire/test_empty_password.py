"""An empty name or password is a string as any other: NO, as RFC 9051 section 6.2.3 has it, and a line in the log.

BAD is for syntax; clients ask again on NO alone.
"""
import base64
import socket

import server as lib


def encoded(text):
    return base64.b64encode(text)


# The lines of an attempt, and its user.
ATTEMPTS = [
    ([b"LOGIN ada \"\""], b"ada"),
    ([b"LOGIN \"\" secret"], b""),
    ([b"LOGIN \"\" \"\""], b""),
    ([b"LOGIN {0+}\r\n {0+}\r\n"], b""),
    ([b"AUTHENTICATE PLAIN " + encoded(b"\0bob\0")], b"bob"),
    ([b"AUTHENTICATE PLAIN", encoded(b"\0\0secret")], b""),
    ([b"AUTHENTICATE LOGIN", encoded(b"eve"), b""], b"eve"),
    ([b"AUTHENTICATE LOGIN", b"", encoded(b"secret")], b""),
    ([b"AUTHENTICATE LOGIN =", b""], b""),
]


def attempt(server, number, lines):
    """Send all of it, from an address of its own, so that nobody waits for the failures of the others."""
    client = lib.Client.unread(
        socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S, (f"127.0.1.{number}", 0)))
    assert client.line().startswith(b"* OK")
    client.send(b"a " + lines[0] + b"\r\n")
    for line in lines[1:]:
        assert client.line().startswith(b"+ ")
        client.send(line + b"\r\n")
    return client


def refusals(server, number):
    """What the log says of one address; it is read behind the answers."""
    return [line + " " for line in server.log_lines if " ev=auth-fail " in line and f"=127.0.1.{number} " in line]


def test_is_refused():
    with lib.Server(users=("ada", "bob", "eve")) as server:
        clients = [attempt(server, number, lines) for number, (lines, _) in enumerate(ATTEMPTS, 1)]
        for client in clients:
            assert client.line().startswith(b"a NO [AUTHENTICATIONFAILED] ")
        for number, (_, user) in enumerate(ATTEMPTS, 1):
            lib.wait_until(lambda: refusals(server, number))
            line, = refusals(server, number)
            assert (f" user={user.decode()} " if user else " reason=unknown-user ") in line
        for client in clients:
            client.close()


def test_what_is_no_message_of_plain_is_malformed(shared_server):
    with shared_server.client() as client:
        assert b" BAD " in client.command(b"AUTHENTICATE PLAIN " + encoded(b"\0ada")).tagged
