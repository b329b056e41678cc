"""`imapctl restore`: deleted users come back as they were, living ones get what is missing, and nothing else changes."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess

import pytest

import server as lib

USERS = ("alice", "bob", "carol", "dora")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A server and a backup of it; tests restore into it, each for users of its own."""
    folder = tmp_path_factory.mktemp("backup")
    with lib.Server(users=USERS) as running:
        for user in ("alice", "carol", "dora"):
            fill(running, user)
        running.imapctl("group", "add", "sales", "alice", "bob")
        running.imapctl("group", "add", "domain %20 users", "alice")
        running.imapctl("user", "allow", "alice", "--delegate=bob")
        running.imapctl("user", "set", "alice", "--quota-storage=1G")
        running.imapctl("backup", folder)
        yield running, folder


def fill(server, user):
    with server.client(user) as client:
        client.ok(b"CREATE Lists/Birds")
        client.ok(b"SUBSCRIBE Nowhere")
        client.ok(b'SETMETADATA Lists/Birds (/private/comment "of birds")')
        for number in range(12):
            letter = lib.message(number, b"z" * 2000 * number)
            client.ok(b'APPEND %s (\\Seen $label%d) "%02d-Nov-2026 10:00:00 +0000" {%d+}\r\n%s' % (
                b"INBOX" if number < 8 else b"Lists/Birds", number % 3, number + 1, len(letter), letter))
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 2,3 +FLAGS (\\Deleted)")
        client.ok(b"EXPUNGE")
        client.ok(b"SETACL Lists/Birds bob lr")


def picture(server, user, with_uids=True):
    """All that a client sees of the messages."""
    seen = {}
    with server.client(user) as client:
        names = sorted(line.split(b' "/" ')[1] for line in client.ok(b'LIST "" *').untagged if line.startswith(b"* LIST"))
        for name in names:
            reply = client.ok(b"EXAMINE " + name)
            validity = next(line for line in reply.untagged if b"UIDVALIDITY" in line)
            lines = client.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])").untagged if b"* 0 EXISTS" not in reply.untagged else []
            seen[name] = (validity if with_uids else None, sorted(without_numbers(line, with_uids) for line in lines))
    return seen


def messages_of(server, user):
    return {name: messages for name, (_, messages) in picture(server, user).items()}


def without_numbers(line, with_uids):
    words = line.split(b" ", 3)[3].replace(b" \\Recent", b"")
    return words if with_uids else words.split(b" ", 2)[2]


def restore(world, *words, code=0):
    server, folder = world
    done = server.imapctl("--json", "restore", folder, *words, check=False)
    assert done.returncode == code, done
    assert not [name for name in os.listdir(os.environ.get("TMPDIR", "/var/tmp")) if name.startswith(f"imapctl.{os.getpid()}")]
    return json.loads(done.stdout)["restore"], done.stderr


def test_deleted_user_comes_back(world):
    server, _ = world
    before = picture(server, "alice")
    with server.client("alice") as client:
        status = client.ok(b"STATUS INBOX (UIDNEXT HIGHESTMODSEQ MAILBOXID)").untagged
    shown = server.imapctl("user", "show", "alice").stdout
    server.imapctl("user", "del", "alice", "--purge", "--yes")
    done, _ = restore(world, "alice")
    assert (done[0]["state"], done[0]["restored"]) == ("whole", 10) and done[0]["size"] > 0
    assert picture(server, "alice") == before                   # and the password is that of before
    shown_again = server.imapctl("user", "show", "alice").stdout
    assert shown_again.rsplit("Z", 1)[0][:-20] == shown.rsplit("Z", 1)[0][:-20] and "sales" in shown_again and "domain %20 users" in shown_again and "bob" in shown_again
    with server.client("alice") as client:
        again = client.ok(b"STATUS INBOX (UIDNEXT HIGHESTMODSEQ MAILBOXID)").untagged
        numbers = [int(word) for line in (status[0], again[0]) for word in line.replace(b")", b"").split() if word.isdigit()]
        assert numbers[2] > numbers[0] and numbers[3] > numbers[1]      # nothing is given twice
        assert b"of birds" in client.ok(b"GETMETADATA Lists/Birds /private/comment").untagged[0]
        assert any(b"Nowhere" in line for line in client.ok(b'LSUB "" *').untagged)
    with server.client("bob") as client:
        assert any(b"alice/Lists/Birds" in line for line in client.ok(b'LIST "" "Other Users/*"').untagged)
        client.ok(b'SELECT "Other Users/alice/Lists/Birds"')
    assert restore(world, "alice")[0][0] == {"user": "alice", "state": "merged", "restored": 0, "already": 10, "refused": 0, "size": 0}


def test_aliases_come_back(world, tmp_path):
    """But for those that somebody else has got meanwhile; and a name that is an alias by now makes no user."""
    server, _ = world
    server.imapctl("user", "add", "erik", input="secret\n")
    for alias in ("info@example.org", "@example.org", "sales@example.org"):
        server.imapctl("alias", "add", alias, "erik")
    server.imapctl("backup", tmp_path, "--user=erik")
    server.imapctl("alias", "add", "late@example.org", "erik")
    server.imapctl("backup", tmp_path, "--user=erik")           # the mail is that of before
    server.imapctl("user", "del", "erik", "--purge", "--yes")
    server.imapctl("alias", "add", "sales@example.org", "bob")
    server.imapctl("alias", "add", "erik", "bob")
    restore((server, tmp_path), "erik", code=73)
    server.imapctl("alias", "remove", "erik")
    assert restore((server, tmp_path), "erik", "--as=erika")[0][0]["state"] == "whole"
    assert restore((server, tmp_path), "erik")[0][0]["state"] == "whole"
    listed = [line.split() for line in server.imapctl("alias", "list").stdout.splitlines()[1:]]
    assert listed == [["@example.org", "erik"], ["info@example.org", "erik"], ["late@example.org", "erik"],
                      ["sales@example.org", "bob"]]


def test_many_names_come_back(world, tmp_path):
    """More groups, delegates and aliases than a call of the control socket has room for, by number and by length."""
    server, _ = world
    server.imapctl("user", "add", "fritz", input="secret\n")
    aliases = sorted(f"alias-{number}-{'x' * 150}@example.org" for number in range(90))
    groups = sorted(f"group {number}" for number in range(70))
    for alias in aliases:
        server.imapctl("alias", "add", alias, "fritz")
    for group in groups:
        server.imapctl("group", "add", group, "fritz")
    for delegate in USERS:
        server.imapctl("user", "allow", "fritz", f"--delegate={delegate}")
    server.imapctl("backup", tmp_path, "--user=fritz")
    server.imapctl("user", "del", "fritz", "--purge", "--yes")
    assert restore((server, tmp_path), "fritz") == ([{"user": "fritz", "state": "whole", "restored": 0, "already": 0, "refused": 0,
                                                      "size": 0}], "")
    shown = json.loads(server.imapctl("--json", "user", "show", "fritz").stdout)
    assert sorted(one["name"] for one in shown["alias"]) == aliases
    assert sorted(one["name"] for one in shown["group"]) == groups
    assert sorted(one["name"] for one in shown["delegate"]) == sorted(USERS)
    server.imapctl("user", "del", "fritz", "--purge", "--yes")


def test_delegates_who_come_back_later(world, tmp_path):
    """Who acts for somebody may be after them in the alphabet."""
    server, _ = world
    for user in ("gina", "hugo"):
        server.add_user(user)
    server.imapctl("user", "allow", "gina", "--delegate=hugo")
    server.imapctl("backup", tmp_path, "--user=gina", "--user=hugo")
    for user in ("gina", "hugo"):
        server.imapctl("user", "del", user, "--purge", "--yes")
    assert [record["state"] for record in restore((server, tmp_path), "--all")[0]] == ["whole", "whole"]
    assert "hugo" in server.imapctl("user", "show", "gina").stdout


def test_living_user_gets_what_is_missing(world):
    server, _ = world
    before = picture(server, "carol", with_uids=False)
    with server.client("carol") as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 1:3 +FLAGS (\\Deleted)")
        client.ok(b"EXPUNGE")
        client.ok(b"STORE 1 +FLAGS (\\Flagged)")
        client.ok(b"DELETE Lists/Birds")
        assert client.append(b"INBOX", lib.message(77)).is_ok
        client.ok(b"NOOP")
        assert restore(world, "carol", "--mailbox=INBOX", "--dry-run")[0] == [
            {"user": "carol", "state": "dry-run", "restored": 3, "already": 3, "refused": 0, "size": 0}]
        assert not any(b"EXISTS" in line for line in client.ok(b"NOOP").untagged)
        assert restore(world, "carol", "--mailbox=INBOX")[0][0]["restored"] == 3
        assert b"* 7 EXISTS" in client.ok(b"NOOP").untagged      # the session goes on, and sees them
        assert restore(world, "carol")[0][0]["restored"] == 4    # the deleted mailbox
        assert restore(world, "carol")[0][0]["restored"] == 0
        assert client.ok(b"UID SEARCH FLAGGED").untagged[0].split()[2:]  # what was there is as it was
        client.ok(b"STORE 1 -FLAGS (\\Flagged)")
        client.ok(b"UID STORE %s +FLAGS (\\Deleted)" % client.ok(b'UID SEARCH SUBJECT "message 77"').untagged[0].split()[-1])
        client.ok(b"EXPUNGE")
    assert picture(server, "carol", with_uids=False) == before


def test_chosen_messages(world):
    server, _ = world
    server.add_user("erna")
    assert restore(world, "carol", "--as=erna", "--search=SINCE 3-Nov-2026 BEFORE 6-Nov-2026")[0][0]["restored"] == 2
    assert restore(world, "carol", "--as=erna", "--search=KEYWORD $label1", "--mailbox=Lists/*", "--into=Rescue")[0][0]["restored"] == 1
    with server.client("erna") as client:
        assert b"* STATUS INBOX (MESSAGES 2)" in client.ok(b"STATUS INBOX (MESSAGES)").untagged
        assert b"* STATUS Rescue/Lists/Birds (MESSAGES 1)" in client.ok(b"STATUS Rescue/Lists/Birds (MESSAGES)").untagged
    assert restore(world, "carol", "--as=erna", '--search=SUBJECT "Grüße"')[0][0]["restored"] == 0
    assert "Unknown search key" in restore(world, "carol", "--as=erna", "--search=NONSENSE", code=64)[1]
    restore(world, "carol", "--search=", code=64)
    restore(world, "carol", "--search=ALL\r\nx LOGOUT", code=64)
    assert "no mailbox" in restore(world, "carol", "--mailbox=Nothing", code=66)[1]


def test_under_another_name_and_instead(world):
    server, _ = world
    assert restore(world, "dora", "--as=Dora.before")[0][0]["state"] == "whole"
    before = picture(server, "dora")
    assert picture(server, "dora.before") == before
    assert "group" not in server.imapctl("user", "show", "dora.before").stdout
    with server.client("dora") as client:
        assert client.append(b"INBOX", lib.message(99)).is_ok
        client.ok(b"SELECT INBOX")
        assert "--yes" in restore(world, "dora", "--replace", code=64)[1]
        assert restore(world, "dora", "--replace", "--yes")[0][0]["state"] == "whole"
        assert client.line().startswith(b"* BYE")
    after = picture(server, "dora")
    assert messages_of(server, "dora") == {name: messages for name, (_, messages) in before.items()}
    assert after[b"INBOX"][0] != before[b"INBOX"][0]             # UIDVALIDITY: clients had seen more than the backup has
    restore(world, "dora", "--replace", "--mailbox=INBOX", code=64)


def test_over_a_file_that_cannot_be_opened(world):
    """The log beside it goes with it, and is not replayed into what takes its place."""
    server, _ = world
    server.add_user("frida")
    assert restore(world, "dora", "--as=frida", "--mailbox=INBOX")[0][0]["restored"] > 0
    with server.client("frida") as client:
        assert client.append(b"INBOX", lib.message(4712)).is_ok
    server.stop()
    with sqlite3.connect(server.data / "directory.db") as database:
        mailbox_id, = database.execute("SELECT mailbox_id FROM user WHERE name = 'frida'").fetchone()
    database.close()
    file = server.data / "data" / mailbox_id[:2] / mailbox_id / "mail.db"
    file.write_bytes(b"\0" * 8192)
    file.with_name("mail.db-wal").write_bytes(b"7" * 40000)
    server.start()
    done = server.imapctl("--json", "restore", world[1], "dora", "--as=frida", "--replace", "--yes", check=False)
    assert done.returncode == 0, done
    assert messages_of(server, "frida") == messages_of(server, "dora")


def test_users_without_mail(world):
    server, _ = world
    server.imapctl("user", "del", "bob", "--yes", check=False)
    server.imapctl("user", "purge", "bob", "--yes", check=False)
    assert restore(world, "bob")[0][0]["state"] == "whole"
    with server.client("bob") as client:
        client.ok(b"SELECT INBOX")
    assert "no such user" in restore(world, "nobody", code=67)[1]
    restore(world, code=64)
    restore(world, "bob", "--all", code=64)


def test_mail_that_was_kept_is_not_touched(world):
    """A deleted user whose mail lies there still: the restored one gets another place."""
    server, _ = world
    server.add_user("kept")
    fill(server, "kept")
    server.imapctl("backup", world[1], "--user=kept")
    server.imapctl("user", "del", "kept", "--yes")
    orphan, = [line for line in server.imapctl("user", "list", "--orphans").stdout.splitlines() if line.startswith("kept")]
    assert restore(world, "kept")[0][0]["state"] == "whole"
    assert orphan in server.imapctl("user", "list", "--orphans").stdout
    with server.client("kept") as client:
        assert b"* 6 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_what_is_damaged_changes_nothing(world, tmp_path):
    server, folder = world
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    server.add_user("gone")
    octets = bytearray((copy / "carol.db").read_bytes())
    octets[70000] ^= 1
    (copy / "carol.db").write_bytes(octets)
    before = picture(server, "carol")
    assert "damaged" in restore((server, copy), "carol", code=65)[1]
    assert "damaged" in restore((server, copy), "carol", "--mailbox=INBOX", code=65)[1]
    assert "damaged" in restore((server, copy), "carol", "--as=fresh", code=65)[1]
    assert picture(server, "carol") == before and "fresh" not in server.imapctl("user", "list").stdout
    (copy / "carol.db").unlink()
    assert "missing" in restore((server, copy), "carol", code=66)[1]

    def rewrite(change):
        import hashlib
        (copy / "dora.db").write_bytes((folder / "dora.db").read_bytes())
        with sqlite3.connect(copy / "dora.db") as database:
            change(database)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        octets = (copy / "dora.db").read_bytes()
        lines = (folder / "manifest").read_text().splitlines()
        line = next(line for line in lines if line.startswith("user name=dora "))
        words = [f"size:={len(octets)}" if word.startswith("size:=") else f"sha256={hashlib.sha256(octets).hexdigest()}"
                 if word.startswith("sha256=") else word for word in line.split(" ")]
        (copy / "manifest").write_text("\n".join([" ".join(words) if other == line else other for other in lines]) + "\n")

    rewrite(lambda database: database.execute("DROP TABLE seen"))
    assert "the table seen is missing" in restore((server, copy), "dora", "--as=fresh", code=65)[1]
    rewrite(lambda database: database.execute("ALTER TABLE retained RENAME COLUMN keywords TO words"))
    assert "the table retained is missing, or another one" in restore((server, copy), "dora", "--as=fresh", code=65)[1]
    rewrite(lambda database: database.execute("DROP VIEW message_now") and database.execute(
        "CREATE VIEW message_now AS SELECT mailbox_id, uid, content_id, size, 2 AS flags, modseq, internal_date, save_date FROM message"))
    assert restore((server, copy), "dora", "--as=viewer")[0][0]["state"] == "whole"     # a view is made anew
    assert messages_of(server, "viewer") == messages_of(server, "dora")
    rewrite(lambda database: database.executescript("DROP TABLE retained; DROP TABLE deleted_mailbox; "
                                               "ALTER TABLE content DROP COLUMN checksum; PRAGMA user_version = 16"))
    assert restore((server, copy), "dora", "--as=older")[0][0]["state"] == "whole"      # brought up to date on its way in
    assert messages_of(server, "older") == messages_of(server, "dora")
    assert ask_of(server, "older", "PRAGMA user_version") > 16 and ask_of(server, "older", "SELECT count(*) FROM retained") == 0
    rewrite(lambda database: database.execute("PRAGMA user_version = 9999"))
    assert "later version" in restore((server, copy), "dora", "--as=fresh", code=65)[1]
    assert "later version" in restore((server, copy), "dora", "--mailbox=INBOX", "--into=x", code=65)[1]
    assert "fresh " not in server.imapctl("user", "list").stdout
    lib.wait_until(lambda: os.listdir(server.data / "restore") == [])


@pytest.mark.parametrize("word, value", [
    ("file=dora.db", "file=../dora.db"), ("file=dora.db", "file=/etc/passwd"), ("file=dora.db", "file=carol.db"),
    ("file=dora.db", 'file="dora.db\\u0000"'), ("file=dora.db", "file=manifest"),
    ("name=dora", "name=../../etc/cron.d/dora"), ("name=dora", 'name="do ra"'), ("name=dora", "name="),
    ("size:=", "size:=99999999999999999999"), ("size:=", "size:=-1"), ("size:=", "size:=9223372036854775807 x:="),
    ("sha256=", "sha256=../"), ("sha256=", "sha256= x="), ("mailbox-id=", "mailbox-id=../../../etc/x y="),
    ("mailbox-id=", "mailbox-id=ZZ y="), ("imap=", "imap=maybe y="), ("quota-storage:=", "quota-storage:=-5 y:="),
    ("created:=", "created:=99999999999999999999 y:="), ("credential=", "credential=$6$rounds=4294967295$x$ y="),
    ("\n", "\n\n"), ("\n", "\0\n"), ("user ", "user user "), ("user ", "u\xff"), ("backup format:=1", "backup format:=1 x=" + "x" * 300000),
], ids=lambda value: repr(value)[:30])
def test_manifest_of_an_enemy(world, tmp_path, word, value):
    """Nothing is read or written elsewhere, nobody dies, and who restores is told."""
    server, folder = world
    for name in ("manifest", "dora.db", "carol.db"):
        shutil.copy(folder / name, tmp_path)
    manifest = (folder / "manifest").read_bytes()
    kept = [line for line in manifest.splitlines(keepends=True) if not line.startswith(b"user ") or line.startswith(b"user name=dora ")]
    (tmp_path / "manifest").write_bytes(b"".join(kept).replace(word.encode(), value.encode("latin-1")))
    names = server.imapctl("user", "list").stdout
    for words in (["--verify"], ["dora", "--as=enemy"], ["--all"]):
        verb = "backup" if words == ["--verify"] else "restore"
        done = server.imapctl("--json", verb, tmp_path, *words, check=False)
        assert done.returncode in (0, 64, 65, 66, 67, 70, 73, 75, 76), done
        assert done.returncode == 0 or done.stderr.startswith("imapctl: "), done
        json.loads(done.stdout)
    assert sorted(os.listdir(tmp_path)) == ["carol.db", "dora.db", "manifest"]
    after = set(server.imapctl("user", "list").stdout.split()) - set(names.split())
    assert not any(name.startswith(("..", "/", "do ")) for name in after)
    server.imapctl("user", "del", "enemy", "--purge", "--yes", check=False)
    lib.wait_until(lambda: list(server.data.glob("restore/*")) == [])


def ask_of(server, user, query):
    with sqlite3.connect(f"file:{server.data / 'directory.db'}?mode=ro", uri=True) as database:
        mailbox_id, = database.execute("SELECT mailbox_id FROM user WHERE name = ?", (user,)).fetchone()
    database.close()
    with sqlite3.connect(f"file:{server.data / 'data' / mailbox_id[:2] / mailbox_id / 'mail.db'}?mode=ro", uri=True) as database:
        answer, = database.execute(query).fetchone()
    database.close()
    return answer


def talk(server, *lines, ends=False):
    """What a client of the control socket gets that sends this, and maybe ends."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.control))
        for line in lines:
            client.sendall(line)
        if ends:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while (octets := client.recv(65536)) != b"":
            answer += octets
            if answer.startswith(b".") and not answer.startswith(b".0"):
                break
        return answer


def test_requests_that_are_wrong(world):
    server, folder = world
    octets = (folder / "dora.db").read_bytes()
    zeros, ident = b"0" * 64, b"0123456789abcdef" * 2
    assert talk(server, b"restore new 10 %s\n" % zeros).startswith(b".64")
    assert talk(server, b"restore new 10 xx %s\n" % ident).startswith(b".64")
    assert talk(server, b"restore new -1 %s %s\n" % (zeros, ident)).startswith(b".64")
    assert talk(server, b'restore "a b" 10 %s %s\n' % (zeros, ident)).startswith(b".65")
    assert b"failed 65 what came" in talk(server, b"restore new %d %s %s\n" % (len(octets), zeros, ident), octets)
    assert talk(server, b"restore new %d %s %s\n" % (len(octets) + 1, zeros, ident), octets, ends=True) == b".0\n"    # cut short
    assert talk(server, b"image\n").startswith(b".64") and talk(server, b"image nobody\n").startswith(b".67")
    assert talk(server, b"user restore new imap=maybe\n").startswith(b".65")
    assert talk(server, b"user restore new mailbox-id=../../x\n").startswith(b".65")
    assert talk(server, b"user restore carol\n").startswith(b".73")
    for credential in (b"x", b"$6$rounds=999999999$salt$" + b"x" * 86, b"$6$rounds=999999999$salt$x", b"$2b$31$" + b"x" * 53):
        assert talk(server, b"user restore new {%d}\n%s" % (len(credential), credential)).startswith(b".65"), credential
    lib.wait_until(lambda: os.listdir(server.data / "restore") == [])
    assert "new" not in server.imapctl("user", "list").stdout.split()


def test_one_that_died_is_waited_for(world):
    """What a run that was killed has begun in the server ends there; the next run waits for that."""
    server, folder = world
    server.imapctl("user", "del", "dora", "--purge", "--yes")
    with socket.socket(socket.AF_UNIX) as first:
        first.connect(str(server.control))
        first.sendall(b"restore dora 10 %s %s\n" % (b"0" * 64, b"0123456789abcdef" * 2))
        assert first.recv(100) == b".0\n"
        second = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "restore", folder, "dora"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        lib.wait_until(lambda: (server.folder / "log").read_text().count("verb=restore code=75") > 0)
    assert second.communicate(timeout=lib.LIMIT_S)[1] == "" and second.returncode == 0


def test_killed(world):
    """A slow one is killed at any time; nothing is left behind, and the next one does it."""
    server, folder = world
    server.imapctl("user", "del", "carol", "--purge", "--yes")
    for sign in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "restore", folder, "carol", "--mailbox=INBOX"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder.parent)})
        lib.wait_until(lambda: process.poll() is not None or any(name.startswith("imapctl.") for name in os.listdir(folder.parent)))
        process.send_signal(sign)
        process.wait(lib.LIMIT_S)
        lib.wait_until(lambda: not any(name.startswith("imapctl.") for name in os.listdir(folder.parent)))
    assert restore(world, "carol")[0][0]["state"] == "whole"
    assert restore(world, "--all")[0]
