"""Clients that ask without reading, watch without reading, or leave in the middle: what the server holds
for them is bounded, and nobody else notices.
"""
import socket

import pytest

import server as lib

IS_SANITIZED = "san" in lib.IMAPD.parent.name
GROWTH_KIB = 16 * 1024


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("reader", "victim")) as running:
        yield running


def push(connection, octets, most):
    """Send until the other side takes no more for a second; returns how much it took."""
    connection.settimeout(1)
    taken = 0
    try:
        while taken < most:
            taken += connection.send(octets)
    except (socket.timeout, ConnectionError):
        pass
    return taken


@pytest.mark.parametrize("port,question", [
    ("imap_port", b"a CAPABILITY\r\n"), ("lmtp_port", b"HELP\r\n"), ("lmtp_port", b"NOOP\r\n"),
])
def test_questions_without_reading_the_answers(server, port, question):
    """Pipelining stops where answers pile up, also before login."""
    before = server.rss_kib()
    with socket.create_connection(("127.0.0.1", getattr(server, port))) as connection:
        taken = push(connection, question * 10000, 32 << 20)
        grown = server.rss_kib() - before
    assert taken < 32 << 20, "the server takes any number of questions"
    assert IS_SANITIZED or grown < GROWTH_KIB, f"{grown} KiB"


def test_answers_are_whole_after_a_pause(server):
    """Whoever reads late gets every answer."""
    with socket.create_connection(("127.0.0.1", server.imap_port), 20) as connection:
        sent = push(connection, b"a NOOP\r\n" * 1000, 1 << 20) // len(b"a NOOP\r\n")
        connection.settimeout(20)
        answers = b""
        while answers.count(b"a OK Done\r\n") < sent:
            more = connection.recv(1 << 16)
            assert more, f"{answers.count(b'a OK')} of {sent}"
            answers += more
