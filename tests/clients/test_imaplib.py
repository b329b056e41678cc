"""Python's imaplib: every call of it that IMAP has a command for."""
import imaplib
import ssl

import pytest

import server as lib


@pytest.fixture(params=["plain", "tls", "starttls"])
def session(request, shared_server, user):
    context = ssl._create_unverified_context()
    if request.param == "tls":
        session = imaplib.IMAP4_SSL("127.0.0.1", shared_server.imaps_port, ssl_context=context)
    else:
        session = imaplib.IMAP4("127.0.0.1", shared_server.imap_port)
        if request.param == "starttls":
            session.starttls(context)
    session.login(user, lib.PASSWORD)
    yield session
    session.logout()


def test_a_day_of_a_client(session):
    assert session.select()[0] == "OK"
    for number in range(1, 6):
        status, data = session.append("INBOX", r"(\Seen)" if number % 2 else None, None, lib.message(number))
        assert status == "OK" and b"APPENDUID" in data[0]
    assert session.noop()[0] == "OK"
    assert session.search(None, "ALL")[1] == [b"1 2 3 4 5"]
    assert session.search(None, "UNSEEN")[1] == [b"2 4"]
    assert session.search(None, "SUBJECT", '"message 3"')[1] == [b"3"]
    status, data = session.fetch("3", "(RFC822)")
    assert data[0][1] == lib.message(3)
    assert session.store("2", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert session.create("Other")[0] == "OK"
    assert session.copy("1:3", "Other")[0] == "OK"
    assert session.expunge()[1] == [b"2"]
    assert session.uid("MOVE", "1", "Other")[0] == "OK"
    assert session.status("Other", "(MESSAGES UNSEEN)")[1] == [b"Other (MESSAGES 4 UNSEEN 1)"]
    assert session.rename("Other", "Else")[0] == "OK"
    assert session.subscribe("Else")[0] == "OK"
    assert any(b"Else" in line for line in session.lsub()[1])
    assert session.unsubscribe("Else")[0] == "OK"
    assert session.delete("Else")[0] == "OK"
    assert session.namespace()[0] == "OK"
    assert session.check()[0] == "OK"
    assert session.unselect()[0] == "OK"


def test_authenticate_plain(shared_server, user):
    session = imaplib.IMAP4("127.0.0.1", shared_server.imap_port)
    session.authenticate("PLAIN", lambda _: f"\0{user}\0{lib.PASSWORD}".encode())
    assert session.state == "AUTH"
    session.logout()


def test_wrong_password_is_refused(shared_server, user):
    session = imaplib.IMAP4("127.0.0.1", shared_server.imap_port)
    with pytest.raises(imaplib.IMAP4.error):
        session.login(user, "wrong")
    session.logout()
