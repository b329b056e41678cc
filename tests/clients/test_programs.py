"""Real clients from Debian's packages that do one thing each, as their users run them."""
import os
import signal
import subprocess

import pytest

import programs
import recorder
import server as lib
from programs import run


def fill(server, user, count, mailbox_name=b"INBOX"):
    messages = [lib.message(n, b"Body of %d.\r\n" % n * (n % 7 + 1)) for n in range(1, count + 1)]
    with server.client(user) as client:
        for octets in messages:
            assert client.append(mailbox_name, octets).is_ok
    return messages


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_curl(shared_server, user, scheme, tmp_path):
    curl = lib.need("curl")
    port = shared_server.imap_port if scheme == "imap" else shared_server.imaps_port
    base = [curl, "-sS", "-k", "--user", f"{user}:{lib.PASSWORD}"]
    if scheme == "imap":
        base += ["--ssl-reqd"]
    url = f"{scheme}://127.0.0.1:{port}"
    letter = tmp_path / "letter.eml"
    letter.write_bytes(lib.message(1))
    run(*base, "-T", letter, f"{url}/INBOX")
    assert run(*base, f"{url}/INBOX;MAILINDEX=1").stdout == lib.message(1)
    assert b"Sent" in run(*base, f"{url}/").stdout
    assert run(*base, f"{url}/INBOX", "-X", "SEARCH SUBJECT message").stdout.strip() == b"* SEARCH 1"


def mbsync_config(server, user, folder):
    (folder / "mail").mkdir(exist_ok=True)
    config = folder / "mbsyncrc"
    config.write_text(f"""
IMAPAccount test
Host 127.0.0.1
Port {server.imaps_port}
User {user}
Pass "{lib.PASSWORD}"
SSLType IMAPS
SystemCertificates no
CertificateFile {server.cert}

IMAPStore remote
Account test

MaildirStore local
SubFolders Verbatim
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel both
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
""")
    return config


def mbsync(config):
    return run(lib.need("mbsync"), "-c", config, "-a", env={**os.environ, "HOME": str(config.parent)})


def maildir_bodies(folder):
    return sorted(b"".join(line if not line.startswith(b"X-TUID:") else b"" for line in
                           path.read_bytes().splitlines(keepends=True))
                  for sub in ("cur", "new") for path in (folder / sub).iterdir())


def test_list_archive_of_400_messages_by_mbsync(shared_server, user, tmp_path):
    source = tmp_path / "archive.mbox"
    with open(source, "wb") as out:
        for number in range(1, 401):
            body = b"On day %d somebody wrote:\n>From the start\n\n\xc3\xa9t\xc3\xa9\n" % number
            out.write(b"From ada@example.org Mon Nov 23 10:%02d:00 2026\n" % (number % 60))
            out.write(lib.message(number, b"").replace(b"\r\n", b"\n") + body * (number % 50 + 1) + b"\n")
    result = shared_server.imapctl("import", user, "mbox", source)
    assert "400" in result.stdout + result.stderr
    mbsync(mbsync_config(shared_server, user, tmp_path))
    wanted = sorted(lib.message(number, b"").replace(b"\r\n", b"\n") +
                    b"On day %d somebody wrote:\nFrom the start\n\n\xc3\xa9t\xc3\xa9\n" % number * (number % 50 + 1)
                    for number in range(1, 401))
    assert maildir_bodies(tmp_path / "mail/INBOX") == wanted


def test_fetchmail(shared_server, user, tmp_path):
    messages = fill(shared_server, user, 5)
    config = tmp_path / "fetchmailrc"
    config.write_text(f"""
poll 127.0.0.1 protocol imap port {shared_server.imap_port} user "{user}" password "{lib.PASSWORD}" sslproto ''
no rewrite mda "cat >> {tmp_path}/out"
""")
    config.chmod(0o600)
    env = {**os.environ, "FETCHMAILHOME": str(tmp_path), "HOME": str(tmp_path)}
    run(lib.need("fetchmail"), "--fetchmailrc", config, "--pidfile", tmp_path / "pid", "--nosyslog", "--invisible", env=env)
    out = (tmp_path / "out").read_bytes()
    for number in range(1, len(messages) + 1):
        assert out.count(b"Message-ID: <m%d@example.org>" % number) == 1
    with shared_server.client(user) as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_fetchmail_for_a_full_mailbox(shared_server, user, tmp_path):
    """By LMTP: it bounces and deletes what is refused behind the message, so the recipient must be refused before it."""
    config = tmp_path / "fetchmailrc"
    config.write_text(f"""
poll 127.0.0.1 protocol imap port {shared_server.imap_port} user "{user}" password "{lib.PASSWORD}" is "{user}-full" here
    sslproto '' lmtp smtphost "127.0.0.1/{shared_server.lmtp_port}" nokeep
""")
    config.chmod(0o600)
    fill(shared_server, user, 1)
    shared_server.imapctl("user", "add", f"{user}-full", "--no-password", "--quota-storage=1K")
    env = {**programs.home(tmp_path), "FETCHMAILHOME": str(tmp_path)}
    said = run(lib.need("fetchmail"), "-v", "--fetchmailrc", config, "--pidfile", tmp_path / "pid", "--nosyslog", env=env).stdout
    assert b"LMTP< 452 4.2.2" in said and b"LMTP> DATA" not in said
    shared_server.imapctl("user", "set", f"{user}-full", "--quota-storage=default")
    run(lib.need("fetchmail"), "--fetchmailrc", config, "--pidfile", tmp_path / "pid", "--nosyslog", env=env)
    with shared_server.client(user) as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged


def numbers(folder):
    """Which messages are in a folder, a file each, none twice."""
    found = [programs.number(path.read_bytes()) for path in folder.iterdir()]
    assert len(found) == len(set(found)), found
    return set(found)


def test_fetchmail_that_stays(shared_server, user, tmp_path):
    """With IDLE: a message that comes is fetched without a new poll, and one that has been read is left alone."""
    config = tmp_path / "fetchmailrc"
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        account.append(b"INBOX", 1)
        account.append(b"INBOX", 2, flags_set=rb"\Seen")
        config.write_text(f"""
poll 127.0.0.1 protocol imap port {relay.port} user "{user}" password "{lib.PASSWORD}" sslproto ''
keep idle no rewrite mda "(cat; echo) >> {tmp_path}/out"
""")
        config.chmod(0o600)
        staying = subprocess.Popen([lib.need("fetchmail"), "--fetchmailrc", config, "--pidfile", tmp_path / "pid", "--nosyslog", "--invisible", "--nodetach"],
                                   env={**programs.home(tmp_path), "FETCHMAILHOME": str(tmp_path)},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            relay.wait_for(rb"IDLE\r")
            account.append(b"INBOX", 3)
            relay.wait_for(rb"IDLE\r[\s\S]*FETCH 3 [\s\S]*IDLE\r")
        finally:
            staying.send_signal(signal.SIGTERM)
            said = staying.communicate()[1]
        out = (tmp_path / "out").read_bytes()
        assert [out.count(b"Message-ID: <m%d@example.org>" % which) for which in (1, 2, 3)] == [1, 0, 1], (out, said)
        account.model[b"INBOX"] = dict.fromkeys((1, 2, 3), programs.flags(rb"\Seen"))
        account.check()


def test_getmail(shared_server, user, tmp_path):
    """It knows by UIDVALIDITY and UID what it has had, from one day to the next; then it takes all away."""
    config, mail = tmp_path / "getmailrc", tmp_path / "mail"
    mail.mkdir()
    words = [lib.need("getmail"), f"--getmaildir={tmp_path}", f"--rcfile={config}", "--quiet"]
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        account.create(b"Work")
        account.append(b"INBOX", 1, 2, 3)
        account.append(b"Work", 10, flags_set=rb"\Seen")
        config.write_text(f"""
[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {relay.port}
username = {user}
password = {lib.PASSWORD}
mailboxes = ("INBOX", "Work")
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat >$(mktemp -p {mail})")
allow_root_commands = true
unixfrom = false
[options]
read_all = false
delivered_to = false
received = false
""")
        run(*words, env=programs.home(tmp_path))
        assert numbers(mail) == {1, 2, 3, 10}
        account.expunge(b"INBOX", 2)
        account.append(b"INBOX", 4)
        account.append(b"Work", 11)
        relay.forget()
        run(*words, env=programs.home(tmp_path))
        assert numbers(mail) == {1, 2, 3, 4, 10, 11}
        assert relay.sent().count(b"BODY.PEEK[]") + relay.sent().count(b"(RFC822)") == 2, relay.sent()
        run(*words, "--delete", env=programs.home(tmp_path))
        assert numbers(mail) == {1, 2, 3, 4, 10, 11}
        account.model = {}
        account.check()
        assert recorder.refused(relay.received()) == []
