"""Real clients from Debian's packages, as their users run them."""
import mailbox
import os
import re
import shutil
import subprocess

import pytest

import server as lib


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=300, **more)
    if check:
        assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done


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


def test_mbsync_both_directions_twice(shared_server, user, tmp_path):
    messages = fill(shared_server, user, 30)
    config = mbsync_config(shared_server, user, tmp_path)
    mbsync(config)
    inbox = tmp_path / "mail/INBOX"
    assert maildir_bodies(inbox) == sorted(m.replace(b"\r\n", b"\n") for m in messages)
    # Towards the server: a new message, a flag, a deletion; and a new mailbox on either side.
    local = mailbox.Maildir(inbox, create=False)
    local.add(mailbox.MaildirMessage(lib.message(31).replace(b"\r\n", b"\n")))
    for path in sorted((inbox / "new").iterdir())[:1] + sorted((inbox / "cur").iterdir())[:1]:
        name = path.name.split(":")[0]
        path.rename(inbox / "cur" / f"{name}:2,FST")
    with shared_server.client(user) as client:
        client.ok(b"CREATE Work")
        client.append(b"Work", lib.message(100))
        mbsync(config)
        client.ok(b"SELECT INBOX")
        assert len(client.ok(b"UID SEARCH ALL").untagged[-1].split()) - 2 in (30, 29)
        assert b"31" in client.ok(b'UID SEARCH SUBJECT "message 31"').untagged[0]
    assert (tmp_path / "mail/Work").is_dir()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mail").rglob("cur/*")}
    again = mbsync(config)
    assert not re.search(rb"[+*#][1-9]", again.stdout + again.stderr), again
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "mail").rglob("cur/*")}


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


def test_mutt_in_batch(shared_server, user, tmp_path):
    fill(shared_server, user, 3)
    config = tmp_path / "muttrc"
    config.write_text(f"""
set imap_user="{user}"
set imap_pass="{lib.PASSWORD}"
set folder="imap://127.0.0.1:{shared_server.imap_port}/"
set ssl_starttls=no
set ssl_force_tls=no
set mbox_type=mbox
set copy=no confirmappend=no delete=yes move=no
set quit=yes
""")
    copy = tmp_path / "copy"
    # In batch: open the mailbox, copy message 2 to a file, delete it and leave.
    keys = f"push '<jump>2<enter><copy-message><kill-line>{copy}<enter>y<delete-message><sync-mailbox><quit>'"
    env = {**os.environ, "TERM": "xterm", "HOME": str(tmp_path)}
    done = run(lib.need("script"), "-qec", f"{lib.need('mutt')} -n -F {config} -e \"{keys}\" -f "
               f"imap://127.0.0.1:{shared_server.imap_port}/INBOX", "/dev/null", env=env, stdin=subprocess.DEVNULL,
               check=False)
    if b"Error opening terminal" in done.stdout:
        pytest.skip("mutt finds no terminal here")
    assert done.returncode == 0, done.stdout
    assert b"Subject: message 2" in copy.read_bytes()
    with shared_server.client(user) as client:
        assert b"* 2 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_fetchmail(shared_server, user, tmp_path):
    messages = fill(shared_server, user, 5)
    config = tmp_path / "fetchmailrc"
    config.write_text(f"""
poll 127.0.0.1 protocol imap port {shared_server.imap_port} user "{user}" password "{lib.PASSWORD}" sslproto ''
no rewrite mda "cat >> {tmp_path}/out"
""")
    config.chmod(0o600)
    env = {**os.environ, "FETCHMAILHOME": str(tmp_path), "HOME": str(tmp_path)}
    run(lib.need("fetchmail"), "--fetchmailrc", config, "--nosyslog", "--invisible", env=env)
    out = (tmp_path / "out").read_bytes()
    for number in range(1, len(messages) + 1):
        assert out.count(b"Message-ID: <m%d@example.org>" % number) == 1
    with shared_server.client(user) as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_offlineimap(shared_server, user, tmp_path):
    messages = fill(shared_server, user, 5)
    config = tmp_path / "offlineimaprc"
    config.write_text(f"""
[general]
accounts = test
metadata = {tmp_path}/meta
ui = quiet
[Account test]
localrepository = local
remoterepository = remote
[Repository local]
type = Maildir
localfolders = {tmp_path}/mail
[Repository remote]
type = IMAP
remotehost = 127.0.0.1
remoteport = {shared_server.imaps_port}
remoteuser = {user}
remotepass = {lib.PASSWORD}
ssl = yes
sslcacertfile = {shared_server.cert}
""")
    env = {**os.environ, "HOME": str(tmp_path)}
    for _ in range(2):
        run(lib.need("offlineimap"), "-o", "-c", config, env=env)
    inbox = tmp_path / "mail/INBOX"
    names = [path for sub in ("cur", "new") for path in (inbox / sub).iterdir()]
    assert len(names) == len(messages)
    assert {path.read_bytes() for path in names} == {m.replace(b"\r\n", b"\n") for m in messages}
