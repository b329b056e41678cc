"""An operator is told: damage, a full disk, a flush that fails, a file that is gone, an older one put back.

Each is one line with user and path, and no second one in a minute; `status` exits 1 and says so, until it is over.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess

import pytest

import server as lib

HERE = pathlib.Path(__file__).parent


def status(server):
    asked = server.imapctl("--json", "status", check=False)
    return asked.returncode, json.loads(asked.stdout)["problem"]


def is_well(server):
    return status(server) == (0, [])


def lines(server, event):
    return [line for line in list(server.log_lines) if f" ev={event} " in line]


def line_of(server, event):
    """The one line of an event, once it has come."""
    lib.wait_until(lambda: lines(server, event))
    line, = lines(server, event)
    return line


def path_of(server, user="demo"):
    with sqlite3.connect(server.data / "directory.db") as directory:
        (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = ?", (user,))
    return server.data / "data" / name[:2] / name / "mail.db"


def select(server, user="demo"):
    with server.client(user) as client:
        return client.command(b"SELECT INBOX")


def number(reply, name):
    return int(re.search(rb"%s (\d+)" % name, b"\n".join(reply.untagged))[1])


@pytest.fixture
def server():
    with lib.Server(users=("demo", "other")) as running:
        yield running


def fill(server, count=3, user="demo"):
    with server.client(user) as client:
        uids = [int(re.search(rb"APPENDUID \d+ (\d+)", client.append(b"INBOX", lib.message(n)).tagged)[1])
                for n in range(1, count + 1)]
        return uids


@pytest.mark.parametrize("octets", [b"no database at all\n" * 1000, None], ids=["foreign", "rows"])
def test_damage(server, octets):
    fill(server)
    server.stop()
    path = path_of(server)
    good = path.read_bytes()
    if octets is None:      # SQLite finds nothing wrong, we do
        with sqlite3.connect(path) as shell:
            shell.execute("DROP TABLE content")
    else:
        path.write_bytes(octets)
    server.start()
    assert is_well(server)
    for _ in range(5):
        with server.client("demo") as client:
            if client.command(b"SELECT INBOX").is_ok:
                assert b"NO [CORRUPTION]" in client.command(b"FETCH 1:* (ENVELOPE BODY.PEEK[])").tagged
    line = line_of(server, "store-failed")
    assert "level=error" in line and " user=demo " in line and f" path={path} " in line and " reason=damaged " in line
    code, (problem,) = status(server)
    assert code == 1 and problem["times"] >= 5
    assert (problem["service"], problem["kind"], problem["user"], problem["path"]) == \
        ("mailbox", "damaged", "demo", str(path))
    assert "demo" in server.imapctl("status", check=False).stdout
    assert server.imapctl("status", "mailbox", check=False).returncode == 1
    assert server.imapctl("status", "cas").returncode == 0             # which has nothing to do with it
    assert select(server, "other").is_ok
    # An operator may take it off; it comes back when it happens again.
    assert server.imapctl("acknowledge", "other", check=False).returncode == 1
    assert server.imapctl("acknowledge", "demo").stdout == "1 problem acknowledged\n"
    assert is_well(server)
    use = server.client("demo")
    if use.command(b"SELECT INBOX").is_ok:
        use.command(b"FETCH 1:* (ENVELOPE BODY.PEEK[])")
    use.close()
    assert status(server)[0] == 1
    server.stop()
    path.write_bytes(good)
    server.start()
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert len(client.ok(b"FETCH 1:* (ENVELOPE BODY.PEEK[])").untagged) == 3
    assert is_well(server)


def test_damage_is_over_with_another_file(server):
    """A file that could not be opened, and is put back while the server runs."""
    fill(server)
    server.stop()
    path = path_of(server)
    good = path.read_bytes()
    path.write_bytes(b"no database at all\n" * 1000)
    server.start()
    assert b"NO [CORRUPTION]" in select(server).tagged
    assert status(server)[0] == 1
    path.write_bytes(good)
    lib.wait_until(lambda: select(server).is_ok)
    assert is_well(server)
    line = line_of(server, "store-recovered")
    assert " user=demo " in line and f" path={path} " in line


def test_a_file_that_is_gone(server):
    """No new, empty mailbox for who had mail; and one when the operator says so, under another UIDVALIDITY."""
    fill(server)
    before = select(server)
    server.stop()
    path = path_of(server)
    kept = server.folder / "kept.db"
    shutil.move(path, kept)
    server.start()
    for _ in range(3):
        assert b"NO [CORRUPTION]" in select(server).tagged
    with server.lmtp() as sender:
        assert sender.deliver(lib.message(1), b"demo")[0].startswith(b"451 ")
    assert not path.exists()
    line = line_of(server, "store-failed")
    assert "level=error" in line and " user=demo " in line and f" path={path} " in line and " reason=missing" in line
    code, (problem,) = status(server)
    assert (code, problem["kind"], problem["user"], problem["path"]) == (1, "missing", "demo", str(path))
    # It is found.
    shutil.copy(kept, path)
    lib.wait_until(lambda: select(server).is_ok)
    assert number(select(server), b"UIDVALIDITY") == number(before, b"UIDVALIDITY")
    assert is_well(server)
    # It is not: the whole folder is gone, as when a disk is not mounted.
    fill(server, 1, "other")
    server.stop()
    shutil.rmtree(path.parent)
    server.start()
    assert b"NO [CORRUPTION]" in select(server).tagged
    refused = server.imapctl("user", "renew", "other", "--yes", check=False)
    assert refused.returncode == 73 and "is there" in refused.stderr
    assert server.imapctl("user", "renew", "demo", check=False).returncode == 64     # nobody can be asked
    server.imapctl("user", "renew", "demo", "--yes")
    again = select(server)
    assert again.is_ok and b"* 0 EXISTS" in again.untagged
    assert number(again, b"UIDVALIDITY") > number(before, b"UIDVALIDITY")
    assert is_well(server)


def test_users_without_mail_are_new(server):
    """Nobody misses what never was: a user who has not been here, and one who is added again."""
    assert select(server, "other").is_ok
    server.imapctl("user", "del", "other", "--yes")
    server.add_user("other")
    assert select(server, "other").is_ok
    server.stop()
    server.start()
    server.add_user("third")
    with server.lmtp() as sender:
        assert sender.deliver(lib.message(1), b"third")[0].startswith(b"250")
    assert is_well(server)


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_an_older_file_is_put_back(server, ending):
    """A backup, made while the server ran: what came since is lost, and no UID means two messages."""
    fill(server, 2)
    path, kept = path_of(server), server.folder / "kept.db"
    subprocess.run(["sqlite3", path, f".backup {kept}"], check=True)
    with server.client("demo") as client:
        client.ok(b"CREATE Later")
        first = client.ok(b"SELECT INBOX")
    uids = fill(server, 3)
    getattr(server, ending)()
    for rest in path.parent.glob("mail.db*"):
        rest.unlink()
    shutil.copy(kept, path)
    server.start()
    after = select(server)
    assert after.is_ok and b"* 2 EXISTS" in after.untagged
    assert number(after, b"UIDVALIDITY") > number(first, b"UIDVALIDITY") or number(after, b"UIDNEXT") > max(uids)
    line = line_of(server, "store-restored")
    assert "level=warning" in line and " user=demo " in line and f" path={path} " in line
    # Other users, and this one from now on, are let alone.
    assert number(select(server), b"UIDVALIDITY") == number(after, b"UIDVALIDITY")
    fill(server, 1, "other")
    server.stop()
    server.start()
    assert number(select(server), b"UIDVALIDITY") == number(after, b"UIDVALIDITY")
    assert line_of(server, "store-restored")
    assert is_well(server)


def test_an_older_file_under_a_session(server):
    """Whoever looks at the mailbox meanwhile is sent away: what was told is not true any more."""
    fill(server, 2)
    path = path_of(server)
    server.stop()
    good = path.read_bytes()
    server.start()
    idler = server.client("demo")
    before = idler.ok(b"SELECT INBOX")
    uids = fill(server, 3)
    server.imapctl("restart", "mailbox")
    assert idler.file.read()            # BYE
    server.imapctl("stop", "mailbox")
    path.write_bytes(good)
    server.imapctl("start", "mailbox")
    after = select(server)
    assert number(after, b"UIDVALIDITY") > number(before, b"UIDVALIDITY") or number(after, b"UIDNEXT") > max(uids)
    assert line_of(server, "store-restored")


@contextlib.contextmanager
def forbidden(path):
    """A file that the server may not write, as when it was put back as another user; root may, but not on such a mount."""
    if os.geteuid() != 0:
        path.chmod(0o400)
        yield "Permission denied"
        path.chmod(0o600)
        return
    folder = path.parent
    if subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode != 0:
        pytest.skip("a read-only mount needs more than this root may")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield "Read-only file system"
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def of_a_later_version(path):
    """As after going back to an older program."""
    with contextlib.closing(sqlite3.connect(path, timeout=lib.LIMIT_S)) as database:
        version, = database.execute("PRAGMA user_version").fetchone()
        database.execute("PRAGMA user_version = 1000000")
    yield "made by a later version"
    with contextlib.closing(sqlite3.connect(path, timeout=lib.LIMIT_S)) as database:
        database.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("made_useless", [forbidden, of_a_later_version])
def test_a_file_that_may_not_be_used(server, made_useless):
    """The operator is told why, not only that something failed."""
    fill(server)
    path = path_of(server)
    server.stop()
    with made_useless(path) as reason:
        server.start()
        assert b"NO [UNAVAILABLE]" in select(server).tagged
        assert f' reason=disk-failed error="{reason}" ' in line_of(server, "store-failed")
        code, (problem,) = status(server)
        assert (code, problem["kind"], problem["user"], problem["text"]) == (1, "disk-failed", "demo", reason)
    lib.wait_until(lambda: is_well(server))
    assert b"* 3 EXISTS" in select(server).untagged


def test_a_file_is_taken_away_under_the_server(server):
    """Nothing is taken on for a file that nobody will find."""
    fill(server)
    path = path_of(server)
    kept = server.folder / "kept.db"
    with server.client("demo") as client, server.lmtp() as sender:
        client.ok(b"SELECT INBOX")
        path.rename(kept)
        try:
            assert b"NO [CORRUPTION]" in client.append(b"INBOX", lib.message(9)).tagged
        except EOFError as error:       # BYE
            assert "BYE" in str(error)
        assert sender.deliver(lib.message(9), b"demo")[0].startswith(b"451 ")
    assert " reason=missing" in line_of(server, "store-failed") and not path.exists()
    assert [problem["kind"] for problem in status(server)[1]] == ["missing"]
    kept.rename(path)
    assert fill(server, 1)
    assert b"* 4 EXISTS" in select(server).untagged
    assert is_well(server)


def test_a_file_is_taken_away_within_a_message(server):
    """What has gone out of a message stays its beginning: nothing else is said in its place, and nobody else notices."""
    count, size = 60, 120000                                    # two pieces each, some of them three
    with server.client("demo") as client:
        for number in range(count):
            assert client.append(b"INBOX", lib.message(number, lib.noise(number, size))).is_ok
    path = path_of(server)
    for turn in range(12):
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send(b"f FETCH 1:* BODY.PEEK[]\r\n")
            began = client.file.read(300000 + 25000 * turn)
            shutil.move(path, f"{path}.away")
            rest = began + client.file.read()
            shutil.move(f"{path}.away", path)
        while literal := re.match(rb"\* \d+ FETCH \(BODY\[\] \{(\d+)\}\r\n", rest):
            rest = rest[literal.end() + int(literal[1]) + 3:]
        assert rest == b"" or rest.startswith((b"* BYE", b"f NO"))
        assert select(server, "other").is_ok and select(server).is_ok


def test_an_older_file_is_put_in_its_place_under_the_server(server):
    """As rsync and restic do it: under another name, then renamed."""
    fill(server, 2)
    path, kept = path_of(server), server.folder / "kept.db"
    subprocess.run(["sqlite3", path, f".backup {kept}"], check=True)
    uids = fill(server, 3)
    idler = server.client("demo")
    before = idler.ok(b"SELECT INBOX")
    kept.rename(path)
    idler.send(b"f FETCH 1:* BODY.PEEK[]\r\n")
    assert b"BYE" in idler.file.read()
    after = select(server)
    assert b"* 2 EXISTS" in after.untagged
    assert number(after, b"UIDVALIDITY") > number(before, b"UIDVALIDITY") or number(after, b"UIDNEXT") > max(uids)
    assert line_of(server, "store-restored")


def test_kills_and_restarts_leave_uids_alone(server):
    uids = fill(server, 2)
    before = select(server)
    for ending in ("kill", "stop", "kill", "kill", "stop"):
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            client.ok(b"STORE 1:* +FLAGS (\\Flagged)")
            client.ok(b"STORE 1:* -FLAGS (\\Flagged)")
        uids += fill(server, 1)
        getattr(server, ending)()
        server.start()
    after = select(server)
    assert number(after, b"UIDVALIDITY") == number(before, b"UIDVALIDITY")
    assert uids == list(range(uids[0], uids[0] + len(uids))) and number(after, b"UIDNEXT") == uids[-1] + 1
    assert lines(server, "store-restored") + lines(server, "store-doubtful") == []


def test_a_data_directory_that_is_copied(server):
    """To another machine, or from a backup of all of it: nobody can tell, so that numbers jump, once."""
    uids = fill(server, 3)
    before = select(server)
    server.stop()
    copied = server.folder / "copied"
    shutil.copytree(server.data, copied)
    shutil.rmtree(server.data)
    copied.rename(server.data)
    server.start()
    after = select(server)
    assert number(after, b"UIDVALIDITY") == number(before, b"UIDVALIDITY")
    assert number(after, b"UIDNEXT") > max(uids) + 1000
    assert " user=demo " in line_of(server, "store-doubtful")
    assert number(select(server), b"UIDNEXT") == number(after, b"UIDNEXT")


def test_an_installation_from_before(server):
    """Its files are adopted as they are, and missed from then on, also those that nobody has used since."""
    server.stop()
    shutil.rmtree(server.data / "marks")
    (server.data / "lock").write_text("")
    for user in ("demo", "other"):
        path = path_of(server, user)
        path.parent.mkdir(mode=0o700, parents=True)
        with sqlite3.connect(path) as shell:
            for version in (1, 2):
                shell.executescript((lib.ROOT / f"schema/mail.00{version}.sql").read_text())
            shell.executescript("""PRAGMA user_version = 2; INSERT INTO account VALUES (1, 1700000001, 0);
                INSERT INTO mailbox VALUES (1, 'INBOX', NULL, 1700000000, 7, 7, 9, 0, 0, 0, 0);""")
    server.start()
    for _ in range(2):
        after = select(server)
        assert (number(after, b"UIDVALIDITY"), number(after, b"UIDNEXT")) == (1700000000, 7)
    path_of(server, "other").unlink()
    assert b"NO [CORRUPTION]" in select(server, "other").tagged
    assert lines(server, "store-restored") + lines(server, "store-doubtful") == []


@pytest.fixture
def shim(tmp_path, monkeypatch):
    """A file that, while it is there, has every flush fail, or those of files whose paths have the text in it."""
    if "san" in lib.IMAPD.parent.name:
        pytest.skip("a sanitizer wants to be the first library itself")
    library, switch = tmp_path / "disk_shim.so", tmp_path / "fails"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, HERE / "disk_shim.c", "-ldl"],
                   check=True)
    return library, switch


def test_a_flush_that_fails(shim):
    library, switch = shim
    server = lib.Server(users=("demo", "other"))
    server.prefix = ("env", f"LD_PRELOAD={library}", f"DISK_SHIM={switch}")
    with server:
        fill(server)
        path = path_of(server)
        switch.touch()
        for _ in range(4):
            with server.client("demo") as client:
                try:
                    assert b"NO [UNAVAILABLE]" in client.append(b"INBOX", lib.message(9)).tagged
                except EOFError as error:       # BYE
                    assert "BYE" in str(error)
        line = line_of(server, "store-failed")
        assert "level=error" in line and " user=demo " in line and f" path={path} " in line
        assert " reason=disk-failed " in line and " error=" in line
        code, (problem,) = status(server)
        assert (code, problem["kind"], problem["user"], problem["path"]) == (1, "disk-failed", "demo", str(path))
        switch.unlink()
        lib.wait_until(lambda: is_well(server))         # found by itself: nobody has to use it
        # A change of flags is flushed behind the answer; nobody else would tell.
        with server.client("other") as client:
            client.append(b"INBOX", lib.message(1))
            client.ok(b"SELECT INBOX")
            client.ok(b"STORE 1 +FLAGS (\\Seen)")
            client.ok(b"STORE 1 +FLAGS (\\Flagged)")
            switch.touch()
            lib.wait_until(lambda: any(" user=other " in line for line in lines(server, "store-failed")))
        users = {problem["user"] for problem in status(server)[1]}
        assert "other" in users and users <= {"demo", "other"}		# mail of demo may be indexed meanwhile
        switch.unlink()
        lib.wait_until(lambda: is_well(server))
        assert fill(server, 1)
        assert {re.search(r" user=(\w+) ", line)[1] for line in lines(server, "store-recovered")} == {"demo", "other"}


def test_a_move_to_another_whose_end_is_unknown(shim):
    """The last flush, that of the file which the messages leave, fails: it may have left them or not, and none is lost."""
    library, switch = shim
    server = lib.Server(users=("demo", "other"))
    server.prefix = ("env", f"LD_PRELOAD={library}", f"DISK_SHIM={switch}")
    with server:
        assert fill(server)
        with server.client("other") as other, server.client("demo") as demo:
            other.ok(b"CREATE shared")
            other.ok(b"SETACL shared demo lrsi")
            demo.ok(b"SELECT INBOX")
            switch.write_text(str(path_of(server)))
            with contextlib.suppress(EOFError):         # BYE
                assert b"NO [UNAVAILABLE]" in demo.command(b'MOVE 1:* "Other Users/other/shared"').tagged
            switch.unlink()
        lib.wait_until(lambda: is_well(server))
        with server.client("other") as other, server.client("demo") as demo:
            there, left = (set(re.findall(rb"<m\d+@", b"".join(client.ok(b"FETCH 1:* (ENVELOPE)").untagged)))
                           for client, name in ((other, b"shared"), (demo, b"INBOX")) if client.ok(b"SELECT " + name))
            assert there | left == {b"<m1@", b"<m2@", b"<m3@"}


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", tmp_path],
                                           capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


@pytest.mark.parametrize("size", [10000, 1000000], ids=["in-the-store", "in-the-spool"])
@pytest.mark.parametrize("way", ["append", "lmtp", "recipient"])
def test_a_full_disk(small_disk, size, way):
    letter = lib.message(1, b"x" * 70 + b"\r\n" + b"y" * size + b"\r\n")
    with lib.Server(settings=[f"data-directory {small_disk}"]) as server:
        filler = small_disk / "filler"
        select(server)
        senders = [server.lmtp() for _ in range(3)]
        assert [sender.address(b"demo") for sender in senders] == [1, 1, 1]
        with open(filler, "wb", buffering=0) as out:
            for block in (1 << 16, 4096):
                try:
                    while True:
                        out.write(b"x" * block)
                except OSError:
                    pass
        for sender in senders:
            if way == "append":
                with server.client("demo") as client:
                    assert b"NO [UNAVAILABLE]" in client.append(b"INBOX", letter).tagged
            elif way == "lmtp":
                assert sender.hand_over(letter, 1)[0].startswith(b"452 ")
            else:
                assert sender.address(b"demo", b"demo") == 0
            sender.close()
        line = line_of(server, "store-failed")
        assert "level=error" in line and " user=demo " in line and " reason=disk-full " in line
        assert re.search(rf" path={small_disk}\S* ", line)
        code, problems = status(server)
        assert code == 1 and {problem["kind"] for problem in problems} == {"disk-full"}
        filler.unlink()
        lib.wait_until(lambda: is_well(server))
        with server.client("demo") as client:
            assert client.append(b"INBOX", letter).is_ok
