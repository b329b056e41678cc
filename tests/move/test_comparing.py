"""The comparison of two accounts finds what it is there for: each kind of difference, made on purpose."""
import dataclasses
import re

import pytest

import accounts
import comparing
import lying
import servers


@pytest.fixture(scope="module")
def running():
    with servers.Ours() as source:
        for user in ("u0", "u1"):
            with comparing.Session(source.port, user, servers.PASSWORD) as session:
                accounts.build(session)
        yield source


def read(running, user):
    with comparing.Session(running.port, user, servers.PASSWORD) as session:
        return comparing.account(session)


def test_the_same_is_the_same(running):
    first = read(running, "u0")
    assert comparing.differences(first, read(running, "u1")) == []
    built = [mailbox for path, mailbox in first.items() if path in accounts.MAILBOXES]
    assert len(built) >= len(accounts.MAILBOXES) - 3
    found = [message for mailbox in built for message in mailbox.messages]
    assert len(found) == 200 + len(accounts.KEYWORDS)
    words = {flag for message in found for flag in message.flags}
    assert words >= {flag.lower() for flag in accounts.KEYWORDS + accounts.SYSTEM}
    assert len({message.digest for message in found}) < len(found), "nothing is there twice"
    assert any(not mailbox.messages for mailbox in built) and len({mailbox.is_subscribed for mailbox in built}) == 2


def delete_one(session):
    session.ok(b"SELECT INBOX")
    session.ok(rb"STORE 3 +FLAGS (\Deleted)")
    session.ok(b"UID EXPUNGE " + uid(session, 3))
    session.ok(b"UNSELECT")


def uid(session, number):
    return re.search(rb"UID (\d+)", session.ok(b"FETCH %d (UID)" % number).untagged[0])[1]


def double_one(session):
    session.ok(b"SELECT INBOX")
    session.ok(b"COPY 3 INBOX")
    session.ok(b"UNSELECT")


def flag_one(session):
    session.ok(b"SELECT INBOX")
    session.ok(b"STORE 3 +FLAGS (another)")
    session.ok(b"UNSELECT")


def store_again(session):
    """The first one, behind the others, a second younger."""
    flags = b" ".join(comparing.messages(session, ("work",))[0].flags)
    session.ok(b"SELECT work")
    octets = session.client.fetch_body(1)
    session.ok(rb"STORE 1 FLAGS (\Deleted)")
    session.ok(b"UID EXPUNGE " + uid(session, 1))
    assert session.client.append(b"work", octets, flags, b"01-Jan-2001 00:00:00 +0000").is_ok


CHANGES = {
    "INBOX: 1 missing of": delete_one,
    "INBOX: 1 too many": double_one,
    "INBOX: 3: flags": flag_one,
    "work: in another order": store_again,
    "Drafts: no longer subscribed": lambda session: session.ok(b"UNSUBSCRIBE Drafts"),
    "Drafts: now subscribed": lambda session: session.ok(b"SUBSCRIBE Drafts"),
    "Extra: a mailbox too many": lambda session: session.ok(b"CREATE Extra"),
    "WORK: the mailbox is missing": lambda session: session.ok(b"DELETE WORK"),
}


@pytest.mark.parametrize("sign", CHANGES)
def test_what_differs_is_found(running, sign):
    with comparing.Session(running.port, "u1", servers.PASSWORD) as session:
        before = comparing.account(session)
        CHANGES[sign](session)
        lines = comparing.differences(before, comparing.account(session))
    assert any(sign in line for line in lines) and len({line.split(": ")[0] for line in lines}) == 1, lines


def test_octets_date_and_use():
    """What no server changes afterwards."""
    one = comparing.Message("digest", frozenset(), 1.0, 10)
    box = comparing.Mailbox([one], frozenset({b"\\sent"}), True)
    source = {("Sent",): box}
    assert comparing.differences(source, {("Sent",): box._replace(messages=[one._replace(date=3.0)])}) == [
        "Sent: 1: date moved by 2 s"]
    assert len(comparing.differences(source, {("Sent",): box._replace(messages=[one._replace(digest="other")])})) == 2
    assert comparing.differences(source, {("Sent",): box._replace(uses=frozenset())}) == [r"Sent: lost its use (\sent)"]


def test_a_reply_in_any_order():
    letter = lying.Letter(5, b"Subject: FLAGS (x) UID 9\r\n\r\n" + b'INTERNALDATE "no"')
    expected = None
    for lies in ({}, {"order": "backwards"}, {"is_quoted": True}, {"piece": 3}):
        with lying.Liar([dataclasses.replace(letter)], **lies) as liar, comparing.Session(liar.port, "u", "p") as session:
            found = comparing.messages(session, ("INBOX",))
        expected = expected or found
        assert found == expected and len(found) == 1
