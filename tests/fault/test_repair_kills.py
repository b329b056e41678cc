"""kill -9 at calls that write, in the middle of `imapctl verify --repair`: nothing is lost, and a second run finishes it.

REPAIR_KILLS=100 for so many (`make repair-kills`); without it a few.
"""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess

import pytest

import server as lib

HERE = pathlib.Path(__file__).resolve().parent
KILLS = int(os.environ.get("REPAIR_KILLS", "3"))
MESSAGES = 25
BODY = b"".join(b"Line %d of a text that is long enough.\r\n" % line for line in range(200))


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "kill_shim.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, HERE / "kill_shim.c", "-ldl"], check=True)
    return library


def file_of(server):
    path, = server.data.rglob("mail.db")
    return path


def first_leaf(database, file, name):
    """The first leaf page of a table."""
    page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
    raw = file.read_bytes()
    while raw[(page - 1) * 4096] in (5, 2):
        at = (page - 1) * 4096
        cell = at + int.from_bytes(raw[at + 12:at + 14], "big")
        page = int.from_bytes(raw[cell:cell + 4], "big")
    return page


def damage(server, kind):
    """A body, a counter and an envelope; and with pages a leaf of the table of contents, which makes a new file of the old; with
    first the first page, beside a log that cannot be folded into such a file."""
    file = file_of(server)
    with sqlite3.connect(file) as database:
        database.execute("UPDATE mailbox SET messages = 7")
        database.execute("UPDATE content SET envelope = x'28' WHERE id = 20")
        database.execute("UPDATE chunk SET octets = zeroblob(length(octets)) WHERE id = (22 << 20) + 1")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = first_leaf(database, file, "content")
    database.close()
    if kind == "first":
        leave_log(file)
    if kind != "rows":
        with file.open("r+b") as raw:
            raw.seek((page - 1) * 4096 if kind == "pages" else 0)
            raw.write(bytes(16 if kind == "pages" else 4096))


def leave_log(file):
    """As a process does that dies: the last change is in the log alone, which has no first page."""
    before = file.read_bytes()
    with sqlite3.connect(file) as database:
        database.execute("UPDATE message SET flags = 2 WHERE uid = 9")
        database.commit()
        log = file.with_name("mail.db-wal").read_bytes()
    database.close()
    file.write_bytes(before)
    file.with_name("mail.db-wal").write_bytes(log)


def verify(server, *words):
    return server.imapctl("verify", "demo", "--json", *words, check=False)


def look(server):
    """What clients see: UIDs, flags, dates, ids and bodies."""
    with server.client("demo") as client:
        client.ok(b"EXAMINE INBOX")
        found, = (line for line in client.ok(b"UID SEARCH ALL").untagged if line.startswith(b"* SEARCH"))
        uids = list(map(int, found.split()[2:]))
        return {uid: (facts(client, uid), client.fetch_body(uid, uid=True)) for uid in uids}


def facts(client, uid):
    line, = client.ok(b"UID FETCH %d (FLAGS INTERNALDATE EMAILID)" % uid).untagged
    return line.replace(b"\\Recent", b"").split(b"FETCH", 1)[1].replace(b"( ", b"(").replace(b" )", b")")


def set_aside(server):
    return {path.name for path in file_of(server).parent.glob("damaged-M*.eml")}


def prepare(kind, tmp_path):
    server = lib.Server(users=("demo",), settings=("storage-compression none",))
    server.__enter__()
    with server.client("demo") as client:
        for number in range(1, MESSAGES + 1):
            assert client.append(b"INBOX", lib.message(number, BODY)).is_ok
    server.stop()
    damage(server, kind)
    shutil.copytree(server.data, tmp_path / "template")
    return server


def restore(server, tmp_path):
    shutil.rmtree(server.data)
    shutil.copytree(tmp_path / "template", server.data)


def repair_under(server, shim, tmp_path, number):
    """Repair, with a kill at the call of that number; 0: count the calls."""
    switch = tmp_path / "switch"
    server.prefix = ("env", f"LD_PRELOAD={shim}", f"KILL_SHIM={switch}")
    server.start()
    switch.write_text(str(number))
    done = verify(server, "--repair", "--yes")
    switch.unlink()
    is_killed = done.returncode != 0
    if is_killed:
        server.process.wait(lib.LIMIT_S)
        server.kill()
    else:
        server.stop()
    server.prefix = ()
    return is_killed


@pytest.mark.parametrize("kind", ["rows", "pages", "first"])
def test_kills(kind, shim, tmp_path):
    server = prepare(kind, tmp_path)
    try:
        assert not repair_under(server, shim, tmp_path, 0)
        calls = int((tmp_path / "switch.count").read_text())
        server.start()
        wanted, aside = look(server), set_aside(server)
        server.stop()
        assert (b"Flagged" in wanted[9][0]) == (kind == "first")
        assert aside and len(wanted) + len([name for name in aside]) >= MESSAGES, (aside, sorted(wanted))
        rng, killed = random.Random(int(os.environ.get("SEED", "1"))), 0
        for _ in range(max(KILLS // 3, 1)):
            restore(server, tmp_path)
            number = rng.randint(1, calls)
            killed += repair_under(server, shim, tmp_path, number)
            server.start()
            done = verify(server, "--repair", "--yes")
            answer = json.loads(done.stdout)
            assert done.returncode == 0 and answer["verify"][0]["faults"] == 0, (number, done.stderr)
            found = look(server)
            assert found == wanted, (number, sorted(wanted), sorted(found))
            assert set_aside(server) == aside, number
            server.stop()
        assert killed > 0
        print(f"{kind}: {killed} of {max(KILLS // 3, 1)} killed, {calls} calls")
    finally:
        server.__exit__(None, None, None)
