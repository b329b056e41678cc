"""What is committed goes from the WAL into the file when nobody waits for it: bounded, and beside other programs."""
import sqlite3

import pytest

import server as lib

MB = 1 << 20
BOUND = 16 * MB		# folded from 8 on, and what comes meanwhile


@pytest.fixture
def server():
    with lib.Server() as running:
        yield running


def letter(number):
    """About a megabyte that nobody can make smaller."""
    return lib.message(number, lib.noise(number, MB))


def files(server):
    path, = server.data.glob("data/*/*/mail.db")
    return path, path.with_name("mail.db-wal")


def size(path):
    return path.stat().st_size if path.exists() else 0


def test_bounded_under_constant_load(server):
    with server.client("demo") as client:
        for number in range(50):
            assert client.append(b"INBOX", letter(number)).is_ok
            path, wal = files(server)
            assert size(wal) < BOUND
        lib.wait_until(lambda: size(path) > 16 * MB)
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(7) == letter(6)
    assert size(wal) < BOUND


def test_folded_when_quiet(server):
    """Long before the file is closed, which removes the WAL."""
    with server.client("demo") as client:
        for number in range(5):
            assert client.append(b"INBOX", letter(2 * number)).is_ok
            assert client.append(b"INBOX", letter(2 * number + 1)).is_ok
            path, wal = files(server)
            lib.wait_until(lambda: size(path) > (2 * number + 1) * MB)
            if wal.exists():
                return
        raise AssertionError("it was closed each time")


def test_another_program_reads(server):
    """It sees one state as long as it reads; what it holds up is folded afterwards."""
    with server.client("demo") as client:
        assert client.append(b"INBOX", letter(0)).is_ok
        path, wal = files(server)
        shell = sqlite3.connect(path, isolation_level=None)
        try:
            shell.execute("BEGIN")
            count = "SELECT count(*), sum(length(octets)) FROM chunk"
            before = shell.execute(count).fetchone()
            for number in range(1, 30):
                assert client.append(b"INBOX", letter(number)).is_ok
            assert shell.execute(count).fetchone() == before
            assert size(wal) > 20 * MB
            shell.execute("COMMIT")
            assert shell.execute("PRAGMA quick_check").fetchone() == ("ok",)
            for number in range(30, 60):
                assert client.append(b"INBOX", letter(number)).is_ok
            lib.wait_until(lambda: size(path) > 30 * MB)
            assert shell.execute("SELECT count(*) FROM message").fetchone() == (60,)
        finally:
            shell.close()
        client.ok(b"SELECT INBOX")
        for number in (0, 29, 59):
            assert client.fetch_body(number + 1) == letter(number)
