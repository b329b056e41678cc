"""NeoMutt and Mutt with a header cache: CONDSTORE, QRESYNC, IDLE, and Mutt's COMPRESS."""
import mailbox

import pytest

import programs
import recorder
import server as lib
import terminal


class Mutt:
    """One of the two, with caches that outlive it."""

    def __init__(self, name, relay, account, folder, *settings):
        self.program = lib.need(name)
        self.relay, self.account = relay, account
        self.environment, self.copy = programs.home(folder), folder / "copy"
        self.config = folder / "muttrc"
        (folder / "headers").mkdir()
        self.config.write_text("\n".join([
            f'set imap_user="{account.user}"', f'set imap_pass="{lib.PASSWORD}"',
            f'set folder="imap://127.0.0.1:{relay.port}/"', 'set spoolfile="+INBOX"', "set ssl_starttls=no",
            "set ssl_force_tls=no", f'set header_cache="{folder}/headers"', f'set message_cachedir="{folder}/bodies"',
            "set mbox_type=mbox", "set copy=no", "set confirmappend=no", "set confirmcreate=no", "set delete=yes",
            "set move=no", "set quit=yes", "set mark_old=no", "set sleep_time=0", "set timeout=1",
            "set mail_check=1", "set wait_key=no", "set sort=mailbox-order",
            "set imap_condstore=yes", "set imap_qresync=yes", "set imap_idle=yes", "set mail_check_stats=no"][
                :None if name == "neomutt" else -1] + list(settings)) + "\n")

    def start(self, keys, name="INBOX"):
        self.relay.forget()
        push = 'push "' + keys.replace('"', '\\"') + '"'
        return terminal.Terminal(self.program, "-n", "-F", self.config, "-e", push, "-f",
                                 f"imap://127.0.0.1:{self.relay.port}/{name}", env=self.environment)

    def run(self, keys, name="INBOX"):
        with self.start(keys + "<quit>", name) as running:
            running.ended()
        assert recorder.refused(self.relay.received()) == []

    def shown(self, name="INBOX"):
        """As programs.messages(), what it has in the mailbox: all of it copied to a file."""
        self.copy.unlink(missing_ok=True)
        self.run(f"<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>{self.copy}<enter>", name)
        return self.copied()

    def copied(self):
        found = {}
        for message in mailbox.mbox(self.copy, create=False):
            found[programs.check_whole(undressed(message), found)] = frozenset(
                {"R": rb"\Seen", "A": rb"\Answered", "F": rb"\Flagged"}[sign] for sign in message.get_flags()
                if sign in "RAF")
        return found


def undressed(message):
    """A message of an mbox without what Mutt puts in."""
    octets = message.as_bytes()
    for field in (b"Status", b"X-Status", b"Content-Length", b"Lines"):
        octets = programs.without_field(octets, field)
    return octets


@pytest.fixture(params=["neomutt", "mutt"])
def mutt(request, shared_server, user, tmp_path):
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        yield Mutt(request.param, relay, account, tmp_path,
                   *(["set imap_deflate=yes"] if request.param == "mutt" else []))


def test_resync_by_the_header_cache(mutt):
    account = mutt.account
    account.append(b"INBOX", *range(1, 21))
    account.append(b"INBOX", 21, 22, flags_set=rb"\Seen \Flagged")
    assert mutt.shown() == account.model[b"INBOX"]
    account.expunge(b"INBOX", 1, 2, 15)
    account.store(b"INBOX", 3, rb"\Seen \Answered")
    account.store(b"INBOX", 21, b"")
    account.append(b"INBOX", 30, flags_set=rb"\Flagged")
    assert mutt.shown() == account.model[b"INBOX"]
    assert mutt.relay.has_sent(rb"ENABLE QRESYNC") and mutt.relay.has_sent(rb'SELECT "INBOX" \(CONDSTORE\)')
    assert mutt.relay.has_sent(rb"UID FETCH 1:\d+ \(FLAGS\) \(CHANGEDSINCE \d+ VANISHED\)")
    assert b"* VANISHED (EARLIER) 1:2,15\r\n" in mutt.relay.received()
    assert mutt.relay.conversations[0].compressed() or "neomutt" in mutt.program
    assert mutt.shown() == account.model[b"INBOX"]
    assert not mutt.relay.has_sent(rb"FETCH [^\r\n]*HEADER")
    account.check()


def test_changes_of_the_client(mutt):
    account = mutt.account
    account.append(b"INBOX", *range(1, 11))
    account.create(b"Work")
    mutt.run("<jump>2<enter><delete-message><jump>3<enter><flag-message><jump>4<enter><clear-flag>N"
             "<jump>5<enter><save-message><kill-line>=Work<enter><jump>6<enter><copy-message><kill-line>=Work<enter>"
             "<sync-mailbox>")
    model = account.model[b"INBOX"]
    del model[2]
    model[3], model[4] = programs.flags(rb"\Flagged"), programs.flags(rb"\Seen")
    account.model[b"Work"] = {5: model.pop(5), 6: model[6]}
    account.check()
    assert mutt.relay.has_sent(rb"UID STORE 2,5 \+FLAGS\.SILENT \(\\Deleted\)\r"), mutt.relay.sent()
    assert mutt.shown("Work") == account.model[b"Work"]
    assert mutt.shown() == model
    account.expunge(b"Work", 6)
    account.append(b"Work", 17, 18)
    mutt.run("<tag-pattern>~A<enter><tag-prefix><save-message><kill-line>=INBOX<enter><sync-mailbox>", "Work")
    model.update(account.model.pop(b"Work"))
    account.check()


def test_idle(mutt):
    """New mail and what others take away is there while it looks on."""
    account = mutt.account
    account.append(b"INBOX", 1, 2, 3)
    with mutt.start("") as running:
        mutt.relay.wait_for(rb"IDLE\r")
        account.append(b"INBOX", 4)
        mutt.relay.wait_for(rb"FETCH 4:4 \(UID FLAGS")
        mutt.relay.wait_for(rb"FETCH 4:4 [\s\S]*IDLE\r")
        account.expunge(b"INBOX", 2)
        account.append(b"INBOX", 5)         # once more the fourth, by which it tells that it knows
        mutt.relay.wait_for(rb"FETCH 4:4 [\s\S]*FETCH 4:4 [\s\S]*IDLE\r")
        running.type(b":push \"<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>%s<enter><quit>\"\n"
                     % str(mutt.copy).encode())
        running.ended()
    assert mutt.copied() == account.model[b"INBOX"]
    account.check()
