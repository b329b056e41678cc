"""mbsync, Debian 12's 1.4 and Debian 13's 1.5: days of a mailbox that is read on the server and offline."""
import mailbox
import re

import pytest

import programs
import recorder
import server as lib

ABROAD = "Ärger & Neu".encode()


def trixie():
    """mbsync 1.5 with Debian 13's own C library, wherever this runs."""
    root = programs.foreign("trixie")
    libraries = next(root.glob("usr/lib/*/libc.so.6")).parent
    return [next(root.glob("usr/lib/*/ld-linux*")), "--library-path", libraries, root / "usr/bin/mbsync"]


@pytest.fixture(params=["of the system", "of Debian 13"])
def mbsync(request):
    return [lib.need("mbsync")] if request.param == "of the system" else trixie()


@pytest.fixture
def copy(mbsync, shared_server, user, tmp_path):
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        yield Copy(mbsync, relay, account, tmp_path)


class Copy:
    """A user's mail as mbsync keeps it in maildirs."""

    def __init__(self, mbsync, relay, account, folder):
        self.mbsync, self.relay, self.account = mbsync, relay, account
        self.environment = programs.home(folder)
        self.mail = folder / "mail"
        self.mail.mkdir()
        self.config = folder / "mbsyncrc"
        self.config.write_text(f"""
IMAPAccount test
Host 127.0.0.1
Port {relay.port}
User {account.user}
Pass "{lib.PASSWORD}"
SSLType None
AuthMechs LOGIN

IMAPStore remote
Account test

MaildirStore local
SubFolders Verbatim
Path {self.mail}/
Inbox {self.mail}/INBOX

Channel both
Far :remote:
Near :local:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")

    def sync(self):
        self.relay.forget()
        programs.run(*self.mbsync, "-c", self.config, "-a", env=self.environment)
        assert recorder.refused(self.relay.received()) == []

    def add(self, name, which):
        """A new message in the maildir."""
        octets = programs.letter(which).replace(b"\r\n", b"\n")
        mailbox.Maildir(self.mail / name, create=False).add(mailbox.MaildirMessage(octets))
        self.account.model[name.encode()][which] = frozenset()

    def check(self):
        """Both sides hold exactly what the model says."""
        self.account.check()
        assert decoded(programs.maildirs(self.mail)) == self.account.expected()


def decoded(found):
    """mbsync before 1.5 leaves the names as they come over the wire."""
    return {name.replace(b"&AMQ-", "Ä".encode()).replace(b"&-", b"&"): there for name, there in found.items()}


def begin(copy):
    account = copy.account
    account.append(b"INBOX", *range(1, 21))
    account.append(b"INBOX", 21, 22, flags_set=rb"\Seen \Flagged")
    account.create(b"Work")
    account.append(b"Work", *range(30, 35), flags_set=rb"\Seen")
    account.create(ABROAD)
    account.append(ABROAD, 40, 41)
    copy.sync()
    copy.check()


def change_on_server(account):
    account.expunge(b"INBOX", 1, 10, 20)
    account.store(b"INBOX", 2, rb"\Seen")
    account.store(b"INBOX", 3, rb"\Answered \Flagged \Seen")
    account.store(b"INBOX", 21, b"")
    account.move(b"INBOX", b"Work", 5, 6)
    account.append(b"INBOX", 50, 51, flags_set=rb"\Draft")
    account.create(b"Later")
    account.append(b"Later", 60)


def change_offline(copy):
    inbox, model = copy.mail / "INBOX", copy.account.model
    for which in (7, 8):
        programs.maildir_file(inbox, which).unlink()
        del model[b"INBOX"][which]
    programs.set_letters(inbox, 9, "FRS")
    model[b"INBOX"][9] = programs.flags(rb"\Flagged \Answered \Seen")
    programs.set_letters(inbox, 3, "")
    model[b"INBOX"][3] = frozenset()
    copy.add("INBOX", 70)
    copy.add("Work", 71)


def change_on_both_sides(copy):
    """What one has changed and the other, too: each change is kept; who deletes wins."""
    account, inbox = copy.account, copy.mail / "INBOX"
    account.store(b"INBOX", 11, rb"\Flagged")
    programs.set_letters(inbox, 11, "S")
    account.model[b"INBOX"][11] = programs.flags(rb"\Flagged \Seen")
    programs.set_letters(inbox, 12, "F")
    account.expunge(b"INBOX", 12)
    programs.maildir_file(inbox, 13).unlink()
    account.store(b"INBOX", 13, rb"\Answered")
    del account.model[b"INBOX"][13]
    account.append(b"INBOX", 80)
    copy.add("INBOX", 81)


def test_days_of_a_mailbox(copy):
    begin(copy)
    change_on_server(copy.account)
    copy.sync()
    copy.check()
    change_offline(copy)
    copy.sync()
    copy.check()
    change_on_both_sides(copy)
    copy.sync()
    copy.check()
    copy.sync()
    copy.check()
    assert not copy.relay.has_sent(rb"(UID )?(STORE|EXPUNGE|APPEND|COPY|MOVE|CREATE)"), copy.relay.sent()


def test_what_it_uses(copy):
    copy.account.append(b"INBOX", 1)
    copy.sync()
    copy.add("INBOX", 2)
    programs.maildir_file(copy.mail / "INBOX", 1).unlink()
    del copy.account.model[b"INBOX"][1]
    copy.sync()
    copy.check()
    sent = copy.relay.sent()
    assert copy.relay.conversations[0].compressed()
    assert re.search(rb"^\d+ APPEND \"INBOX\" .*\{\d+\+\}\r$", sent, re.M)
    assert re.search(rb"^\d+ UID STORE 1 \+FLAGS\.SILENT \(?\\Deleted\)?\r$", sent, re.M)


def test_a_mailbox_that_is_made_anew(copy):
    """Deleted and made again under its name: another UIDVALIDITY, and nothing of the old one comes back."""
    account = copy.account
    account.create(b"Work")
    account.append(b"Work", 1, 2, 3)
    copy.sync()
    account.expunge(b"Work", 1, 2, 3)        # mbsync removes nothing that is not empty
    copy.sync()
    copy.check()
    account.client.ok(b"DELETE Work")
    copy.sync()
    assert not (copy.mail / "Work/cur").exists()
    account.create(b"Work")
    account.append(b"Work", 2, 4)
    copy.sync()
    copy.check()
    copy.add("Work", 5)
    copy.sync()
    copy.check()
