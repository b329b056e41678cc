"""A disk that is full, and files that are damaged: the client is told so, others notice nothing."""
import os
import random
import re
import sqlite3
import subprocess

import pytest

import responses
import server as lib

LETTER = lib.message(1, lib.noise(1, 300000))
SMALL = lib.message(2, b"small\r\n")


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", tmp_path],
                                           capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def fill_to_the_brim(folder):
    path = folder / "filler"
    with open(path, "wb", buffering=0) as filler:
        for size in (1 << 16, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                pass
    return path


def test_import_to_a_full_disk(small_disk, tmp_path_factory):
    """The import stops at once, says how far it came, and goes on when there is space."""
    source = tmp_path_factory.mktemp("source") / "box"
    total = 40
    with open(source, "wb") as out:
        for number in range(total):
            out.write(b"From a@example.org Thu Dec  1 03:46:%02d 2005\nSubject: %d\n\n" % (number, number))
            out.write(lib.noise(number, 512000).replace(b"\r", b"") + b"\n")
    reserve = small_disk / "reserve"
    reserve.write_bytes(b"x" * 14000000)
    with lib.Server(settings=[f"data-directory {small_disk}"]) as server:
        done = server.imapctl("import", "demo", "mbox", source, check=False)
        came = int(re.match(r"(\d+) imported, 0 there already\n", done.stdout)[1])
        assert done.returncode == 73 and 0 < came < total and "no space left" in done.stderr
        assert "not imported" not in done.stderr
        with server.client("demo") as client:
            assert b"* %d EXISTS" % came in client.ok(b"SELECT INBOX").untagged
        reserve.unlink()
        done = server.imapctl("import", "demo", "mbox", source)
        assert done.stdout == f"{total - came} imported, {came} there already\n"


@pytest.mark.parametrize("compression", ("zstd", "none"))
def test_disk_full(small_disk, compression):
    """APPEND and LMTP say so; reading and EXPUNGE go on; with space, everything goes on."""
    reserve = small_disk / "reserve"
    reserve.write_bytes(b"x" * 4000000)
    settings = [f"data-directory {small_disk}", f"storage-compression {compression}"]
    with lib.Server(users=("demo", "other"), settings=settings) as server:
        with server.client("other") as other:
            other.ok(b"SELECT INBOX")
        with server.client("demo") as client:
            count = 0
            while (reply := client.append(b"INBOX", LETTER)).is_ok:
                count += 1
            assert count > 10 and b"NO [UNAVAILABLE]" in reply.tagged
            left = os.statvfs(small_disk)
            assert left.f_bavail * left.f_frsize > 2 << 20		# messages do not take the last of it
            filler = fill_to_the_brim(small_disk)
            assert b"NO [UNAVAILABLE]" in client.append(b"INBOX", LETTER).tagged
            with server.lmtp() as sender:       # before the message is sent: some lose what is refused behind it
                sender.command(b"MAIL FROM:<> SIZE=%d" % len(LETTER))
                assert sender.command(b"RCPT TO:<demo>")[-1] == b"452 4.3.1 No space left, try again later"
                assert sender.command(b"RCPT TO:<nobody>")[-1].startswith(b"550 ")
            client.ok(b"SELECT INBOX")
            assert client.fetch_body(count) == LETTER
            client.ok(b"STORE 1:5 +FLAGS (\\Deleted)")
            client.ok(b"EXPUNGE")
            with server.client("other") as other:
                other.ok(b"SELECT INBOX")
            filler.unlink()
            reserve.unlink()
            lib.wait_until(lambda: client.append(b"INBOX", SMALL).is_ok)
            with server.lmtp() as sender:
                assert sender.deliver(SMALL, b"other")[0].startswith(b"250 ")
            assert client.fetch_body(1) == LETTER
            left = int(client.ok(b"STATUS INBOX (MESSAGES)").untagged[-1].split()[-1].rstrip(b")"))
            assert left > count - 5
        assert server.stop() == 0
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            assert client.fetch_body(left) == SMALL


def damage(octets, kind, rng):
    octets = bytearray(octets)
    pages = len(octets) // 4096
    if kind == "bits":
        for _ in range(100):
            octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    elif kind == "zeros":
        page = rng.randrange(pages) * 4096
        octets[page:page + 4096] = bytes(4096)
    elif kind == "swap":
        a, b = (rng.randrange(pages) * 4096 for _ in range(2))
        octets[a:a + 4096], octets[b:b + 4096] = octets[b:b + 4096], octets[a:a + 4096]
    elif kind == "short":
        del octets[rng.randrange(len(octets)):]
    elif kind == "foreign":
        octets = bytearray(b"no database at all\n" * 1000)
    return octets


COMMANDS = (b"SELECT INBOX", b"FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)", b"FETCH 1:* BODY.PEEK[]",
            b"SEARCH BODY nothing", b"STORE 1:3 +FLAGS (\\Deleted k)", b"EXPUNGE", b'LIST "" *',
            b"STATUS INBOX (MESSAGES SIZE)", b"CREATE another", b"COPY 1 another")


def use(server):
    """Whatever is asked is answered, or the session ends; what was kept ready-made may have suffered unseen."""
    try:
        with server.client("demo") as client:
            client.checker = None		# what was stored as a reply may be what is damaged
            for command in COMMANDS:
                client.command(command)
            client.append(b"INBOX", SMALL)
    except (EOFError, responses.Malformed):
        pass


def test_damaged_files():
    """Nobody crashes, and nobody else suffers."""
    with lib.Server(users=("demo", "other")) as server:
        for user in ("demo", "other"):
            with server.client(user) as client:
                for number in range(30):
                    if number == 15:                            # rows of both kinds
                        server.settings = ["storage-compression none"]
                        server.write_config()
                        server.imapctl("reload")
                    client.append(b"INBOX", lib.message(number, b"line\r\n" * 2000))
        assert server.stop() == 0
        with sqlite3.connect(server.data / "directory.db") as directory:
            (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = 'demo'")
        path, = server.data.rglob(f"{name}/mail.db")
        good = path.read_bytes()
        for seed in range(15):
            kind = ("bits", "zeros", "swap", "short", "foreign")[seed % 5]
            path.write_bytes(damage(good, kind, random.Random(seed)))
            for log in path.parent.glob("mail.db-*"):
                log.unlink()
            server.start()
            use(server)
            with server.client("other") as other:
                other.ok(b"SELECT INBOX")
                assert len(other.fetch_body(30)) > 12000
            assert server.stop() == 0, f"{kind} {seed}\n" + "\n".join(server.log_lines[-20:])
