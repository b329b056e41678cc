"""What becomes of the mail of users who go: said, listed, removed for good."""
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess

import pytest

import server as lib


@pytest.fixture
def server():
    with lib.Server(users=("demo", "olga")) as running:
        for user in ("demo", "olga"):
            with running.client(user) as client:
                assert client.append(b"INBOX", lib.message(1, b"x" * 50000 + b"\r\n")).is_ok
        yield running


def folder_of(server, user):
    with sqlite3.connect(server.data / "directory.db") as directory:
        (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = ?", (user,))
    return server.data / "data" / name[:2] / name


def marks(server):
    return sorted(path.name for path in (server.data / "marks").glob("*/*"))


def orphans(server):
    return json.loads(server.imapctl("--json", "user", "list", "--orphans").stdout)["orphan"]


def test_the_mail_stays_and_that_is_said(server):
    folder = folder_of(server, "olga")
    assert orphans(server) == []
    assert server.imapctl("user", "list", "--orphans").stdout == ""
    said = server.imapctl("user", "del", "olga", "--yes").stdout
    assert re.fullmatch(rf"The mail of olga, \d+ octets, stays in {folder}\.\n", said)
    orphan, = orphans(server)
    assert (orphan["user"], orphan["reason"], orphan["mailbox-id"], orphan["path"]) == \
        ("olga", "deleted", folder.name, str(folder))
    assert orphan["size"] > 50000 and re.match(r"20\d\d-", orphan["deleted"])
    table = server.imapctl("user", "list", "--orphans").stdout.splitlines()
    assert table[0].split() == ["user", "deleted", "size", "reason", "mailbox-id", "path"] and len(table) == 2
    # A new user of the name has nothing of the old one's.
    server.add_user("olga")
    with server.client("olga") as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged
    assert len(orphans(server)) == 1
    assert server.imapctl("user", "list").stdout.count("olga") == 1


def test_purge(server):
    folder = folder_of(server, "olga")
    server.imapctl("user", "del", "olga", "--yes")
    asked = server.imapctl("user", "purge", "olga", check=False)
    assert asked.returncode == 64 and "--yes" in asked.stderr and folder.exists()
    said = server.imapctl("user", "purge", "olga", "--yes").stdout
    assert re.fullmatch(rf"The mail of olga in {folder}, \d+ octets, is removed\.\n", said)
    assert not folder.exists() and marks(server) == [folder_of(server, "demo").name]
    assert orphans(server) == []
    again = server.imapctl("user", "purge", "olga", "--yes", check=False)
    assert again.returncode == 67 and "--orphans" in again.stderr
    with server.client("demo") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_del_with_purge(server):
    """Sessions end, and nothing that they still do makes anything anew."""
    folder = folder_of(server, "olga")
    idler, busy = server.client("olga"), server.client("olga")
    idler.ok(b"SELECT INBOX")
    for number in range(200):
        busy.send(b"a%d APPEND INBOX {3+}\r\nx\r\n\r\n" % number)
    asked = server.imapctl("user", "del", "olga", "--purge", check=False)
    assert asked.returncode == 64 and folder.exists()
    server.imapctl("user", "del", "olga", "--purge", "--yes")
    assert b"BYE" in idler.file.read()
    busy.close()
    with server.lmtp() as sender:
        sender.command(b"MAIL FROM:<>")
        assert sender.command(b"RCPT TO:<olga>")[-1].startswith(b"550")
    assert server.stop() == 0
    assert not folder.exists() and marks(server) == [folder_of(server, "demo").name]
    server.start()
    assert orphans(server) == []


def test_whose_mail_it_is_not(server):
    demo = folder_of(server, "demo")
    refused = server.imapctl("user", "purge", demo.name, "--yes", check=False)
    assert refused.returncode == 65 and "user del" in refused.stderr and (demo / "mail.db").exists()
    for word in ("demo", "nobody", "0" * 32, "../demo", "", "a b"):
        refused = server.imapctl("user", "purge", word, "--yes", check=False)
        assert refused.returncode == 67, (word, refused)
    assert (demo / "mail.db").exists()
    assert server.imapctl("user", "del", "nobody", "--yes", check=False).returncode == 67
    assert server.imapctl("user", "del", "a b", "--yes", check=False).returncode == 65


def test_mail_that_no_row_knows(server):
    """As when an older directory.db was put back."""
    folder = folder_of(server, "olga")
    with sqlite3.connect(server.data / "directory.db") as directory:
        directory.execute("DELETE FROM user WHERE name = 'olga'")
    orphan, = orphans(server)
    assert (orphan["user"], orphan["deleted"], orphan["reason"]) == ("", "", "unknown")
    assert "is removed" in server.imapctl("user", "purge", folder.name, "--yes").stdout
    assert not folder.exists() and orphans(server) == []


def test_two_of_one_name(server):
    folders = []
    for _ in range(2):
        folders.append(folder_of(server, "olga"))
        server.imapctl("user", "del", "olga", "--yes")
        server.add_user("olga")
        with server.client("olga") as client:
            client.append(b"INBOX", lib.message(1))
    kept = folder_of(server, "olga")
    assert {orphan["mailbox-id"] for orphan in orphans(server)} == {folder.name for folder in folders}
    assert server.imapctl("user", "purge", "olga", "--yes").stdout.count("is removed") == 2
    assert not any(folder.exists() for folder in folders) and (kept / "mail.db").exists()


def test_what_cannot_be_removed(server):
    """Something that is none of ours lies there: it is said, and the rest goes on another day."""
    folder = folder_of(server, "olga")
    (folder / "folder").mkdir()
    failed = server.imapctl("user", "del", "olga", "--purge", "--yes", check=False)
    assert failed.returncode == 74 and "log" in failed.stderr and folder.exists()
    lib.wait_until(lambda: any("ev=store-failed" in line and f"path={folder}/mail.db" in line
                               for line in server.log_lines))
    server.imapctl("acknowledge", "olga")
    shutil.rmtree(folder / "folder")
    server.imapctl("user", "purge", "olga", "--yes")
    assert not folder.exists()


def test_while_the_mailbox_service_is_stopped(server):
    folder = folder_of(server, "olga")
    server.imapctl("stop", "mailbox")
    for words in (("del", "olga", "--purge", "--yes"), ("purge", folder.name, "--yes")):
        refused = server.imapctl("user", *words, check=False)
        assert refused.returncode == 69 and "mailbox" in refused.stderr
    assert "olga" in server.imapctl("user", "list").stdout
    server.imapctl("user", "del", "olga", "--yes")
    assert len(orphans(server)) == 1
    server.imapctl("start", "mailbox")
    server.imapctl("user", "purge", "olga", "--yes")
    assert orphans(server) == []


@pytest.mark.parametrize("answer, is_removed", [("n", False), ("\n", False), ("y", True)])
def test_it_asks_on_a_terminal(server, answer, is_removed):
    folder = folder_of(server, "olga")
    master, slave = pty.openpty()
    process = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "user", "del", "olga", "--purge"],
                               stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    while b"[y/N]" not in text:
        text += os.read(master, 4096)
    assert b"olga" in text and b"all mail" in text
    os.write(master, answer.encode() + b"\n")
    process.wait(lib.LIMIT_S)
    os.close(master)
    assert folder.exists() != is_removed
