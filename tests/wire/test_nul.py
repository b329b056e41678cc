"""NUL in a message: never in a plain literal (RFC 9051 section 9, CHAR8), and all of it by BINARY (section 4.3.1)."""
import pytest

import grammar

MESSAGE = (b"From: \"a\0b\" <c@example.org>\r\nSubject: x\0y\r\nContent-Type: text/plain; name=\"n\0m\"\r\n"
           b"X-Odd: 1\0002\r\n\r\na\0b\0\r\n")
PLAIN = [b"BODY[]", b"BODY[1]", b"BODY[TEXT]", b"BODY[HEADER]", b"BODY[HEADER.FIELDS (X-Odd Subject)]", b"RFC822",
         b"RFC822.HEADER", b"RFC822.TEXT", b"BODY[1.MIME]", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY"]


@pytest.fixture
def selected(client):
    client.send(b"a APPEND INBOX ~{%d+}\r\n" % len(MESSAGE) + MESSAGE + b"\r\n")
    assert client.reply(b"a").is_ok
    client.ok(b"SELECT INBOX")
    return client


def test_plain_literals(selected):
    for item in PLAIN:
        line, = selected.ok(b"FETCH 1 " + item).untagged
        assert b"\0" not in line, item
        grammar.fetch(line)
    got = selected.fetch_body(1)
    assert got == MESSAGE.replace(b"\0", b"\x80")       # the size stays true
    line, = selected.ok(b"FETCH 1 (RFC822.SIZE BODY.PEEK[TEXT]<1.3>)").untagged
    assert line == b"* 1 FETCH (RFC822.SIZE %d BODY[TEXT]<1> {3}\r\n\x80b\x80)" % len(MESSAGE)


def test_binary(selected):
    line, = selected.ok(b"FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[])").untagged
    assert line == (b"* 1 FETCH (BINARY.SIZE[1] 6 BINARY[1] ~{6}\r\na\0b\0\r\n BINARY[] ~{%d}\r\n" % len(MESSAGE) +
                    MESSAGE + b")")


def test_lmtp(shared_server, user, client):
    with shared_server.lmtp() as lmtp:
        assert lmtp.deliver(b"Subject: x\r\n\r\na\0b\r\n", user.encode())[0].startswith(b"250")
    client.ok(b"SELECT INBOX")
    assert b"a\x80b\r\n" in client.fetch_body(1, b"BODY.PEEK[1]")
    line, = client.ok(b"FETCH 1 BINARY.PEEK[1]").untagged
    assert b"~{" in line and b"a\0b\r\n" in line
