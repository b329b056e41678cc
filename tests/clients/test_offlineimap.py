"""OfflineIMAP: days of a mailbox that is read on the server and in maildirs."""
import mailbox

import pytest

import programs
import recorder
import server as lib

ABROAD = "Ärger".encode()


class Copy:
    """A user's mail as OfflineIMAP keeps it in maildirs."""

    def __init__(self, relay, account, folder):
        self.program = lib.need("offlineimap")
        self.relay, self.account = relay, account
        self.environment, self.mail = programs.home(folder), folder / "mail"
        self.config = folder / "offlineimaprc"
        self.config.write_text(f"""
[general]
accounts = test
metadata = {folder}/meta
ui = quiet
[Account test]
localrepository = local
remoterepository = remote
utf8foldernames = yes
[Repository local]
type = Maildir
localfolders = {self.mail}
sync_deletes = yes
[Repository remote]
type = IMAP
remotehost = 127.0.0.1
remoteport = {relay.port}
remoteuser = {account.user}
remotepass = {lib.PASSWORD}
ssl = no
starttls = no
auth_mechanisms = PLAIN
""")

    def sync(self):
        self.relay.forget()
        programs.run(self.program, "-o", "-c", self.config, env=self.environment)
        assert recorder.refused(self.relay.received()) == []

    def check(self):
        self.account.check()
        found = programs.maildirs(self.mail)
        assert found == self.account.expected(), programs.difference(found, self.account.expected())


@pytest.fixture
def copy(shared_server, user, tmp_path):
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        yield Copy(relay, account, tmp_path)


def test_days_of_a_mailbox(copy):
    account, model, inbox = copy.account, copy.account.model, copy.mail / "INBOX"
    account.append(b"INBOX", *range(1, 16))
    account.append(b"INBOX", 16, flags_set=rb"\Seen \Flagged")
    account.create(ABROAD)
    account.append(ABROAD, 20, 21)
    copy.sync()
    copy.check()
    account.expunge(b"INBOX", 1, 8)
    account.store(b"INBOX", 2, rb"\Answered \Seen")
    account.store(b"INBOX", 16, b"")
    account.move(b"INBOX", ABROAD, 3)
    account.create(b"Work")
    account.append(b"Work", 30, flags_set=rb"\Draft")
    copy.sync()
    copy.check()
    programs.maildir_file(inbox, 4).unlink()
    del model[b"INBOX"][4]
    programs.set_letters(inbox, 5, "FS")
    model[b"INBOX"][5] = programs.flags(rb"\Flagged \Seen")
    mailbox.Maildir(inbox, create=False).add(mailbox.MaildirMessage(programs.letter(40).replace(b"\r\n", b"\n")))
    model[b"INBOX"][40] = frozenset()
    account.store(b"INBOX", 6, rb"\Flagged")
    account.expunge(b"INBOX", 7)
    copy.sync()
    copy.check()
    assert copy.relay.has_sent(rb"UID STORE .*\\Deleted") and copy.relay.has_sent(rb"APPEND ")
    copy.sync()
    copy.check()
    assert not copy.relay.has_sent(rb"(UID )?(STORE|EXPUNGE|APPEND|COPY|CREATE)"), copy.relay.sent()
