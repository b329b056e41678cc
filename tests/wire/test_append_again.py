"""APPEND to where the last one went: it is let in without a question, and goes where the name leads by then.

And what is \\Recent of it: RFC 3501 section 2.3.2.
"""
import pytest

import server as lib


def letter(number):
    return lib.message(number, b"body\r\n")


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=["alice"]) as server:
        yield server


@pytest.fixture
def two(server):
    with server.client("alice") as client, server.client("alice") as other:
        yield client, other
        other.command(b"delete again")
        other.command(b"delete aside")


def count(client, mailbox):
    return client.ok(b"status %s (messages)" % mailbox).untagged[0]


@pytest.mark.parametrize("flags", [b"", b"$never-seen"])
def test_a_mailbox_that_is_gone_is_not_found(server, two, flags):
    client, other = two
    client.ok(b"create again")
    assert client.append(b"again", letter(1)).is_ok
    other.ok(b"delete again")
    for _ in range(2):
        assert b"[TRYCREATE]" in client.append(b"again", letter(2), flags).tagged
    assert not any("store-failed" in line for line in server.log_lines)


def test_another_mailbox_of_that_name_takes_it(two):
    client, other = two
    client.ok(b"create again")
    assert client.append(b"again", letter(1), b"$one").is_ok
    other.ok(b"rename again aside")
    other.ok(b"create again")
    other.ok(b"select again")
    validity = other.ok(b"status again (uidvalidity)").untagged[0].split()[-1].rstrip(b")\r\n")
    for number, flag in ((2, b"$two"), (3, b"$three")):
        reply = client.append(b"again", letter(number), flag)
        assert b"[APPENDUID %s %d]" % (validity, number - 1) in reply.tagged
    told = b"".join(other.ok(b"fetch 1:* flags").untagged)
    assert b"$two" in told and b"$three" in told
    assert b"MESSAGES 1)" in count(client, b"aside")


def test_nobody_else_sees_as_recent_what_its_session_was_told_of(server):
    with server.client("alice") as client:
        client.ok(b"create again")
        client.ok(b"select again")
        for number in range(3):
            assert client.append(b"again", letter(number)).is_ok
        told = client.ok(b"fetch 1:* flags").untagged
        assert len(told) == 3 and all(b"\\Recent" in line for line in told)
    server.kill()
    server.start()
    with server.client("alice") as client:
        assert b"RECENT 0)" in client.ok(b"status again (recent)").untagged[0]
        client.ok(b"delete again")


def test_who_is_told_of_it_later_sees_it_as_recent(server):
    with server.client("alice") as client, server.client("alice") as other:
        client.ok(b"create again")
        client.ok(b"examine again")
        assert client.append(b"again", letter(1)).is_ok
        assert b"RECENT 1)" in other.ok(b"status again (recent)").untagged[0]
        other.ok(b"select again")
        assert b"\\Recent" in other.ok(b"fetch 1 flags").untagged[0]
        other.ok(b"close")
        other.ok(b"delete again")
