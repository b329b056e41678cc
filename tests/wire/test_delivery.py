"""What LMTP makes of a message: the fields of who delivers (RFC 5321 section 4.4, RFC 2033) and, behind them, what
came; and that every way to ask for it tells of the same octets.
"""
import email.utils
import re
import time

import pytest

import grammar
import server as lib

MIXED = (b"Subject: two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
         b"Content-Type: message/rfc822\r\n\r\nReturn-Path: <inside@x>\r\nSubject: inside\r\n\r\ntwo\r\n--b--\r\n")


def fetch(client, number, *items):
    """Each item's octets or value."""
    found = grammar.fetch(client.ok(b"FETCH %d (%s)" % (number, b" ".join(items))).untagged[-1])
    return [found[re.sub(rb"\.PEEK", b"", item)] for item in items]


def stored(client, number=1):
    """(trace fields, what stands behind them) of a message whose parts tell of the same octets."""
    whole, size, header, text = fetch(client, number, b"BODY.PEEK[]", b"RFC822.SIZE", b"BODY.PEEK[HEADER]",
                                      b"BODY.PEEK[TEXT]")
    assert size == len(whole) and header + (text or b"") == whole
    return lib.delivered(whole)


def deliver(server, message, *recipients, sender=b"bounces+17@example.org", parameters=b""):
    with server.lmtp() as lmtp:
        assert lmtp.command(b"MAIL FROM:<%s>%s" % (sender, parameters))[0].startswith(b"250")
        for recipient in recipients:
            assert lmtp.command(b"RCPT TO:<%s>" % recipient)[0].startswith(b"250")
        lmtp.socket.sendall(b"BDAT %d LAST\r\n" % len(message) + message)
        for _ in recipients:
            assert lmtp.reply()[-1].startswith(b"250")


def test_the_fields(shared_server, user, client):
    before = int(time.time())
    address = user.encode() + b"+shop@example.org"
    deliver(shared_server, b"Return-Path: <old@example.org>\r\nSubject: x\r\n\r\nx\r\n", address)
    client.ok(b"SELECT INBOX")
    trace, message = stored(client)
    assert message == b"Subject: x\r\n\r\nx\r\n"
    assert trace["sender"] == b"bounces+17@example.org" and trace["recipient"] == address
    assert trace["client"] == b"test" and trace["protocol"] == b"LMTP"
    received = email.utils.parsedate_to_datetime(trace["date"].decode()).timestamp()
    assert before <= received <= time.time()
    date, = fetch(client, 1, b"INTERNALDATE")
    assert email.utils.parsedate_to_datetime(date.decode().replace("-", " ")).timestamp() == received
    assert client.ok(b"SEARCH HEADER Return-Path bounces+17").untagged == [b"* SEARCH 1"]
    assert client.ok(b"SEARCH HEADER Return-Path old").untagged == [b"* SEARCH"]
    assert client.ok(b"SEARCH HEADER Delivered-To +shop@").untagged == [b"* SEARCH 1"]
    assert client.ok(b"SEARCH LARGER %d SMALLER %d" % (len(trace[0]) + 16, len(trace[0]) + 18)).untagged == \
        [b"* SEARCH 1"]
    assert fetch(client, 1, b"BODY.PEEK[HEADER.FIELDS (RETURN-PATH)]") == \
        [b"Return-Path: <bounces+17@example.org>\r\n\r\n"]


def test_each_recipient_has_its_own(shared_server, user):
    other = user + "-other"
    shared_server.add_user(other)
    names = [user.encode(), other.encode() + b"+a@example.org", other.encode() + b"+bb@example.org"]
    deliver(shared_server, MIXED, *names)
    seen = []
    for name in user, other:
        with shared_server.client(name) as client:
            client.ok(b"SELECT INBOX")
            for number in range(1, 2 if name == user else 3):
                trace, message = stored(client, number)
                assert message == MIXED
                seen.append(trace["recipient"])
                envelope, one, inner, two = fetch(client, number, b"ENVELOPE", b"BODY.PEEK[1]",
                                                  b"BODY.PEEK[2.HEADER]", b"BODY.PEEK[2.1]")
                assert envelope[1] == b"two" and (one, two) == (b"one", b"two")
                assert inner == b"Return-Path: <inside@x>\r\nSubject: inside\r\n\r\n"
                structure, = fetch(client, number, b"BODYSTRUCTURE")
                grammar.body(structure, is_extensible=True)
                assert client.ok(b"SEARCH SUBJECT two BODY one").untagged[0].split()[2:].count(b"%d" % number)
    assert sorted(seen) == sorted(names)


LONG = b"b" * 255


@pytest.mark.parametrize("sender, parameters, protocol", [
    (b"", b"", b"LMTP"),
    (b"\"a \\\"b\\\"\"@example.org", b"", b"LMTP"),
    ("bücher@bücher.example".encode(), b" SMTPUTF8 BODY=8BITMIME", b"UTF8LMTP"),
    (b'"' + b"\\a" * 255 + b'"@' + LONG, b"", b"LMTP"),
], ids=["null", "quoted", "utf8", "long"])
def test_senders(shared_server, user, client, sender, parameters, protocol):
    deliver(shared_server, b"Subject: x\r\n\r\n", user.encode(), sender=sender, parameters=parameters)
    client.ok(b"SELECT INBOX")
    trace, _ = stored(client)
    assert trace["sender"] == sender and trace["protocol"] == protocol
    assert max(map(len, trace[0].split(b"\r\n"))) <= 998


def test_long_recipient(shared_server, user, client):
    address = user.encode() + b"+" + b"d" * (254 - len(user)) + b"@" + LONG
    deliver(shared_server, b"Subject: x\r\n\r\n", address)
    client.ok(b"SELECT INBOX")
    assert stored(client)[0]["recipient"] == address


@pytest.mark.parametrize("message", [
    b"", b"\r\n", b"x", b"Hello\r\nyou\r\n", b"Hello\r\n\r\nyou\r\n", b"\r\nHello\r\n",
    b"A: 1\r\nReturn-Path:\r\n <old@x>\r\n  (folded)\r\nreturn-PATH : <older@x>\r\nB: 2\r\n\r\nReturn-Path: <b>\r\n",
    b"Return-Path: <a>\r\n\r\n", b"Return-Path: <a>", b"Return-Path: <a>\r\nHello\r\n", b"A: 1\nReturn-Path: <x>\n\nb\n",
    b"From a@b Mon Nov 23 09:30:00 2026\r\nSubject: x\r\n\r\nb", b">From a@b\r\nSubject: x\r\n\r\nb",
    b"no field\r\nReturn-Path: <a>\r\nSubject: x\r\n\r\nb", b" folded\r\nSubject: x\r\n\r\nb", b"A: 1\r\n" * 50000 +
    b"Return-Path: <a>\r\n\r\n" + b"b\r\n" * 100000,
], ids=range(16))
def test_messages(shared_server, user, client, message):
    deliver(shared_server, message, user.encode())
    client.ok(b"SELECT INBOX")
    trace, kept = stored(client)
    assert kept == lib.as_delivered(message)
    own, = fetch(client, 1, b"BODY.PEEK[HEADER.FIELDS (RETURN-PATH)]")
    assert own.rstrip() == b"Return-Path: <bounces+17@example.org>"
    envelope, = fetch(client, 1, b"ENVELOPE")
    assert envelope[1] == (b"x" if b"Subject: x" in message else None)


def test_size_is_that_of_what_was_sent(shared_server, user):
    """A message of the announced size comes in, however long the fields before it are."""
    with shared_server.lmtp() as lmtp:
        announced = int(next(line for line in lmtp.extensions if b"SIZE" in line).split()[-1])
    message = b"Subject: x\r\n\r\n".ljust(announced, b"x")
    deliver(shared_server, message, user.encode(), parameters=b" SIZE=%d" % announced)
    with shared_server.client(user) as client:
        client.ok(b"SELECT INBOX")
        assert fetch(client, 1, b"RFC822.SIZE")[0] > announced
