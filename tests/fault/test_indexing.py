"""The index of SEARCH when the process dies or the disk is full while it is made: nothing is missed, nothing is harmed."""
import os
import random
import sqlite3
import subprocess

import pytest

import server as lib

ROUNDS = int(os.environ.get("INDEX_ROUNDS", "8"))
COUNT = 900


def word(number):
    return b"wort%08x" % (number * 2654435761 % 2**32)


def letter(number, octets=5000):
    """With a word of its own in the subject and at the end of the body."""
    generator = random.Random(number)
    filler = b"".join(b"%x\r\n" % generator.getrandbits(280) for _ in range(octets // 72))
    return b"Subject: s%s\r\nFrom: a@example.org\r\n\r\n%s%s\r\n" % (word(number), filler, word(number))


def fill(client, count, octets=5000):
    for begin in range(0, count, 100):
        letters = [letter(number, octets) for number in range(begin, min(begin + 100, count))]
        client.send(b"f APPEND INBOX" + b"".join(b" (\\Seen) {%d+}\r\n%s" % (len(m), m) for m in letters) + b"\r\n")
        assert client.reply(b"f").is_ok


def indexed_through(folder):
    file, = folder.rglob("mail.db")
    database = sqlite3.connect("file:%s?mode=ro" % file, uri=True)
    try:
        row = database.execute("SELECT indexed_through FROM index_state").fetchone()
        return row[0] if row else 0
    finally:
        database.close()


def check_searches(server, count, generator):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        for number in generator.sample(range(count), 12):
            for keys in (b"BODY %s" % word(number), b"SUBJECT s%s" % word(number), b"TEXT %s" % word(number)[1:-1]):
                assert b"* SEARCH %d" % (number + 1) in client.ok(b"SEARCH " + keys).untagged, keys
        assert b"* SEARCH" in client.ok(b"SEARCH BODY %s" % word(count + 1)).untagged


def test_kill_in_the_middle_of_indexing():
    generator = random.Random(20261128)
    with lib.Server(users=("demo",)) as server:
        with server.client("demo") as client:
            fill(client, COUNT)
        server.imapctl("index", "demo")
        for _ in range(ROUNDS):
            goal = generator.randrange(COUNT)
            order = subprocess.Popen([lib.IMAPCTL, "--config=%s" % server.config, "index", "demo", "--rebuild"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            lib.wait_until(lambda: order.poll() is not None or indexed_through(server.data) >= goal)
            server.kill()
            order.wait(lib.LIMIT_S)
            server.start()
            check_searches(server, COUNT, generator)
            assert server.imapctl("index", "demo", "--verify", check=False).returncode == 0
        server.imapctl("index", "demo")
        assert indexed_through(server.data) == COUNT
        assert server.imapctl("index", "demo", "--verify", check=False).returncode == 0
        check_searches(server, COUNT, generator)


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", tmp_path],
                                           capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_disk_full(small_disk):
    """What little room there is, is for messages; with space, indexing goes on."""
    reserve = small_disk / "reserve"
    with lib.Server(users=("demo",), settings=[f"data-directory {small_disk}"]) as server:
        reserve.write_bytes(b"x" * (40 << 20))
        with server.client("demo") as client:
            fill(client, 300)
        ordered = server.imapctl("index", "demo", check=False)
        assert ordered.returncode == 73 and "room" in ordered.stderr
        assert indexed_through(small_disk) == 0
        assert "problem" not in server.imapctl("status").stdout
        check_searches(server, 300, random.Random(1))
        with open(small_disk / "filler", "wb", buffering=0) as filler:       # the last of it, while an index is made
            reserve.unlink()
            order = subprocess.Popen([lib.IMAPCTL, "--config=%s" % server.config, "index", "demo"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            lib.wait_until(lambda: order.poll() is not None or indexed_through(small_disk) > 0)
            try:
                while filler.write(b"x" * 65536):
                    filler.flush()
            except OSError:
                pass
            order.wait(lib.LIMIT_S)
            check_searches(server, 300, random.Random(2))
            with server.client("demo") as client:
                client.ok(b"SELECT INBOX")
                assert client.fetch_body(300) == letter(299)
        (small_disk / "filler").unlink()
        lib.wait_until(lambda: server.imapctl("index", "demo", check=False).returncode == 0)
        assert indexed_through(small_disk) == 300
        assert server.imapctl("index", "demo", "--verify", check=False).returncode == 0
        check_searches(server, 300, random.Random(3))
