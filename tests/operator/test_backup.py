"""`imapctl backup`: users' files as they were at one moment, while they work; resumed, compared, and kept apart."""
import fcntl
import hashlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import threading

import pytest

import server as lib


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("alice", "bob", "o'hara/../x%y@example.org")) as running:
        with running.client("alice") as client:
            for number in range(20):
                assert client.append(b"INBOX", lib.message(number, b"x" * 3000 * number)).is_ok
            client.ok(b"SELECT INBOX")
            client.ok(b"STORE 1:5 +FLAGS (\\Flagged urgent)")
        with running.client() as client:
            client.ok(b'LOGIN "o\'hara/../x%%y@example.org" "%s"' % lib.PASSWORD.encode())
            assert client.append(b"INBOX", lib.message(1, b"odd")).is_ok
        yield running


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


def backup(server, folder, *words, code=0):
    done = server.imapctl("--json", "backup", folder, *words, check=False)
    assert done.returncode == code, done
    answer = json.loads(done.stdout)
    return {record["user"]: record for record in answer["backup"]}, answer, done.stderr


def states(*words, **named):
    return {user: record["state"] for user, record in backup(*words, **named)[0].items()}


def until_unchanged(server, folder, user="alice"):
    """What the server does by itself when a user is quiet, such as indexing, is a change, too; from here on there is none."""
    server.imapctl("index", user)
    lib.wait_until(lambda: states(server, folder, f"--user={user}")[user] == "unchanged")


def file_of(server, user):
    with sqlite3.connect(f"file:{server.data / 'directory.db'}?mode=ro", uri=True) as directory:
        (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = ?", (user,))
    directory.close()
    return server.data / "data" / name[:2] / name / "mail.db"


def ask(file, query):
    with sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True) as database:
        rows = database.execute(query).fetchall()
    database.close()
    return rows


def begin_slowly(server, folder):
    """A backup that has begun to copy alice, and is not done with her for half a minute."""
    partial = folder / "alice.db.partial"

    def state():
        return partial.exists() and partial.stat().st_mtime_ns

    before = state()
    slow = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "backup", folder, "--rate=20K"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lib.wait_until(lambda: state() not in (False, before) and partial.stat().st_size > 0)
    return slow


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest"}


def test_all_users(server, folder):
    records, _, _ = backup(server, folder)
    odd = "o'hara/../x%y@example.org"
    assert {user: record["state"] for user, record in records.items()} == {"alice": "copied", "bob": "none", odd: "copied"}
    assert records[odd]["file"] == "o%27hara%2F..%2Fx%25y@example.org.db"
    assert sorted(os.listdir(folder)) == sorted(["manifest", "alice.db", records[odd]["file"]])
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600} and folder.stat().st_mode & 0o777 == 0o700
    assert ask(folder / "alice.db", "PRAGMA integrity_check") == [("ok",)]
    assert ask(folder / "alice.db", "SELECT count(*), count(*) FILTER (WHERE flags & 2) FROM message_now")[0][0] == 20
    manifest = (folder / "manifest").read_text()
    assert hashlib.sha256((folder / "alice.db").read_bytes()).hexdigest() in manifest and "SCRAM-SHA-256" in manifest
    assert states(server, folder, "--verify") == {"alice": "good", "bob": "none", odd: "good"}


def test_again_only_what_has_changed(server, folder):
    backup(server, folder, "--user=ALICE", "--user=bob")
    until_unchanged(server, folder)
    with server.client("alice") as client:
        client.ok(b"SUBSCRIBE Nowhere")             # no message, no UID, no modseq
        assert states(server, folder, "--user=alice") == {"alice": "copied"}
        assert ("Nowhere",) in ask(folder / "alice.db", "SELECT name FROM subscription")
        until_unchanged(server, folder)
    (folder / "alice.db").unlink()
    assert states(server, folder, "--user=alice") == {"alice": "copied"}
    until_unchanged(server, folder)
    before = contents(folder)
    server.imapctl("user", "set", "alice", "--quota-messages=777777")
    assert states(server, folder, "--user=alice") == {"alice": "unchanged"}
    assert contents(folder) == before
    server.stop()                                   # closing a file may write to it; opening one that is the same does not
    server.start()
    until_unchanged(server, folder)
    server.stop()
    server.start()
    assert states(server, folder, "--user=alice") == {"alice": "unchanged"}
    assert "quota-messages:=777777" in (folder / "manifest").read_text()
    assert states(server, folder, "--verify")["alice"] == "good"


def test_not_unchanged_while_another_program_reads(server, folder):
    """What it holds up is not in the file yet, but was committed."""
    backup(server, folder, "--user=alice")
    until_unchanged(server, folder)
    reader = sqlite3.connect(f"file:{file_of(server, 'alice')}?mode=ro", uri=True, isolation_level=None)
    with server.client("alice") as client:
        client.ok(b"SELECT INBOX")
        until_unchanged(server, folder)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        assert client.append(b"INBOX", lib.message(4711)).is_ok
        records, _, complaint = backup(server, folder, "--user=alice", code=75)
        assert records["alice"]["state"] == "older" and "another program" in complaint
        assert ask(folder / "alice.db", "SELECT count(*) FROM message") == [(20,)]     # whole, and of one moment
        reader.execute("COMMIT")
        reader.close()
        assert states(server, folder, "--user=alice") == {"alice": "copied"}
    assert ask(folder / "alice.db", "SELECT count(*) FROM message") == [(21,)]


def test_one_moment_while_the_user_works(server, folder):
    """Pairs of messages come in one transaction each: no copy has half of one."""
    with server.client("alice") as client:
        client.ok(b"CREATE Pairs")
        for round in range(5):
            for _ in range(4):
                octets = lib.message(round, b"y" * 20000)
                assert client.append(b"Pairs", octets).is_ok
            client.ok(b"SELECT Pairs")
            client.ok(b"COPY 1:* Archive")
            assert states(server, folder, "--user=alice") == {"alice": "copied"}
            (pairs,), = ask(folder / "alice.db", "SELECT messages FROM mailbox WHERE name = 'Pairs'")
            assert pairs == 4 * (round + 1)
    assert states(server, folder, "--verify")["alice"] == "good"


def test_whole_while_mailboxes_come_and_go(server, folder):
    """Appended, expunged, renamed, deleted: each copy agrees with itself, and none fails."""
    is_over, rounds = threading.Event(), []

    def work():
        with server.client("alice") as client:
            while not is_over.is_set() or len(rounds) < 20:
                client.ok(b"CREATE one/two")
                for number in range(4):
                    assert client.append(b"one/two", lib.message(number, b"w" * 9000), b"\\Seen moving").is_ok
                client.ok(b"RENAME one three")
                client.ok(b"SELECT three/two")
                client.ok(b"STORE 1:2 +FLAGS (\\Deleted)")
                client.ok(b"EXPUNGE")
                client.ok(b"MOVE 1 Archive")
                client.ok(b"UNSELECT")
                client.ok(b"DELETE three/two")
                client.ok(b"DELETE three")
                rounds.append(1)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(4):
            assert states(server, folder, "--user=alice") == {"alice": "copied"}
            assert states(server, folder, "--verify") == {"alice": "good"}
            assert states(server, folder, "--user=alice", "--rate=2M") == {"alice": "copied"}
    finally:
        is_over.set()
        worker.join()
    assert len(rounds) >= 20 and states(server, folder, "--verify") == {"alice": "good"}


def test_damage_is_found(server, folder):
    backup(server, folder)
    file = folder / "alice.db"
    good = file.read_bytes()
    file.write_bytes(good[:50000] + bytes([good[50000] ^ 1]) + good[50001:])
    _, answer, complaint = backup(server, folder, "--verify", code=65)
    assert [fault["user"] for fault in answer["fault"]] == ["alice"] and "damaged" in complaint
    file.unlink()
    assert "missing" in backup(server, folder, "--verify", code=65)[1]["fault"][0]["text"]
    file.symlink_to("/etc/passwd")
    assert "link" in backup(server, folder, "--verify", code=65)[1]["fault"][0]["text"]
    assert states(server, folder)["alice"] == "copied" and not file.is_symlink()
    manifest = (folder / "manifest").read_text()
    (folder / "manifest").write_text(manifest.replace("file=alice.db", "file=../alice.db"))
    assert "damaged" in backup(server, folder, "--verify", code=65)[2]
    (folder / "manifest").write_text(manifest.replace("format:=1", "format:=2"))
    assert "newer" in backup(server, folder, code=65)[2]
    os.truncate(folder / "manifest", (1 << 30) + 1)
    assert "manifest: File too large" in backup(server, folder, "--verify", code=74)[2]
    (folder / "manifest").write_text(manifest[:manifest.rindex("run")] + "run sta")
    assert "did not come to its end" in backup(server, folder, "--verify", code=75)[2]
    until_unchanged(server, folder)


def test_generations_by_hard_links(server, folder, tmp_path):
    """No run writes into what the one before has left, so `cp -al` keeps it, also when runs die."""
    backup(server, folder)
    for user in ("alice", "o'hara/../x%y@example.org"):
        until_unchanged(server, folder, user)
    subprocess.run(["cp", "-al", folder, tmp_path / "monday"], check=True)
    before = {path.name: path.read_bytes() for path in (tmp_path / "monday").iterdir()}
    for number in range(3):
        with server.client("alice") as client:
            assert client.append(b"INBOX", lib.message(900 + number, os.urandom(100000).hex().encode())).is_ok
        if number < 2:
            slow = begin_slowly(server, folder)
            slow.kill()
            slow.communicate()
        else:
            assert states(server, folder)["alice"] == "copied"
    assert {path.name: path.read_bytes() for path in (tmp_path / "monday").iterdir()} == before
    odd = "o%27hara%2F..%2Fx%25y@example.org.db"
    assert (folder / odd).stat().st_ino == (tmp_path / "monday" / odd).stat().st_ino      # what has not changed is there once
    assert states(server, tmp_path / "monday", "--verify")["alice"] == "good"
    assert states(server, folder, "--verify")["alice"] == "good"


def test_where_it_cannot_be(server, folder, tmp_path):
    assert "data directory" in backup(server, server.data / "backup", code=64)[2]
    assert "no backup" in backup(server, tmp_path, "--verify", code=66)[2]
    assert "No such file" in backup(server, folder, "--verify", code=66)[2]
    (tmp_path / "file").write_text("")
    backup(server, tmp_path / "file", code=66)
    backup(server, folder, "--rate=none", code=64)
    backup(server, folder, "--verify", "--user=alice", code=64)
    assert "no such user" in backup(server, folder, "--user=nobody", "--user=bob", code=67)[2]
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert "under way" in backup(server, folder, code=75)[2]
    os.close(descriptor)


def test_killed_and_interrupted(server, folder):
    """A slow one is killed in the middle of a file: what was there is good, and the next run goes on."""
    backup(server, folder)
    before = contents(folder)
    with server.client("alice") as client:
        assert client.append(b"INBOX", lib.message(500, os.urandom(150000).hex().encode())).is_ok
    for sign, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 75)):
        (folder / "alice.db.partial").unlink(missing_ok=True)
        slow = begin_slowly(server, folder)
        slow.send_signal(sign)
        slow.communicate(timeout=lib.LIMIT_S)
        assert slow.returncode == code
        assert contents(folder)["alice.db"] == before["alice.db"]
        assert states(server, folder, "--verify", code=75)["alice"] == "good"
    assert states(server, folder)["alice"] == "copied"
    assert sorted(os.listdir(folder)) == sorted({"manifest", *before})
    assert states(server, folder, "--verify")["alice"] == "good"


def test_killed_before_the_file_has_its_name(server, folder):
    """The first time there is no former one: the manifest tells of it, and it is there, whole."""
    backup(server, folder)
    manifest = (folder / "manifest").read_text()
    (folder / "manifest").write_text(manifest[:manifest.rindex("run ")])
    (folder / "alice.db").rename(folder / "alice.db.partial")
    assert states(server, folder, "--verify", code=75)["alice"] == "good"
    server.imapctl("restore", folder, "alice", "--as=fresh")
    server.imapctl("user", "del", "fresh", "--purge", "--yes")
    backup(server, folder)
    assert (folder / "alice.db").exists() and not (folder / "alice.db.partial").exists()
    assert states(server, folder, "--verify")["alice"] == "good"


def test_server_stops_meanwhile(server, folder):
    with server.client("alice") as client:
        assert client.append(b"INBOX", lib.message(501, os.urandom(1500000).hex().encode())).is_ok
    slow = begin_slowly(server, folder)
    assert server.stop() == 0
    _, complaint = slow.communicate(timeout=lib.LIMIT_S)
    assert slow.returncode == 75 and "run again" in complaint
    server.start()
    assert states(server, folder)["alice"] == "copied"


@pytest.mark.parametrize("named, code", [(["--user=gone", "--user=bob"], 74), ([], 0)])
def test_user_goes_meanwhile(server, folder, named, code):
    """Who was named is missing; of all there are, nobody is."""
    server.add_user("gone")
    with server.client("gone") as client:
        assert client.append(b"INBOX", lib.message(1, os.urandom(4000000).hex().encode())).is_ok
    slow = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "backup", folder, "--rate=500K", *named],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lib.wait_until(lambda: (folder / "gone.db.partial").exists() and (folder / "gone.db.partial").stat().st_size > 0)
    server.imapctl("user", "del", "gone", "--purge", "--yes")
    output, complaint = slow.communicate(timeout=lib.LIMIT_S)
    assert slow.returncode == code and "gone: " in complaint and "bob" in output, (slow.returncode, output, complaint)
    assert ("deleted meanwhile" in complaint) == (code == 0)
    assert not (folder / "gone.db.partial").exists()


def test_other_homes(server, folder):
    """Whose mail another host keeps is not copied here, but what this directory has of them is."""
    server.imapctl("link-key", server.folder / "link.key")
    server.settings += ["mailbox-server mbx9 127.0.0.1:9", f"link-key {server.folder / 'link.key'}"]
    server.write_config()
    server.stop()
    server.start()
    server.imapctl("user", "set", "bob", "--home=mbx9")
    assert states(server, folder, "--user=bob") == {"bob": "none"}
    assert "home=mbx9" in (folder / "manifest").read_text()
