"""Disks that are full or read-only under a backup and a restore: it is said, nothing is lost, and a second run finishes it."""
import json
import os
import subprocess

import pytest

import server as lib

LETTERS = 12


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder],
                                           capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def remount(disk, options):
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def leave_free(disk, filler, octets):
    room = os.statvfs(disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - octets))


def fill(server, user):
    with server.client(user) as client:
        for number in range(LETTERS):
            assert client.append(b"INBOX", lib.message(number, os.urandom(90000).hex().encode()), b"\\Flagged").is_ok


def run(server, *words, code=0):
    done = server.imapctl("--json", *words, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout), done.stderr


def bodies(server, user):
    with server.client(user) as client:
        client.ok(b"EXAMINE INBOX")
        return sorted(client.fetch_body(number) for number in range(1, LETTERS + 1))


def test_backup(disk):
    """Those who fit are there; the others come when there is room."""
    users = ("anna", "bert", "cora")
    folder = disk / "backup"
    with lib.Server(users=users) as server:
        with server.client("anna") as client:
            assert client.append(b"INBOX", lib.message(1, b"small")).is_ok
        fill(server, "bert")
        fill(server, "cora")
        answer, complaint = run(server, "backup", folder, code=73)
        assert "bert.db.partial: No space left" in complaint and len(complaint.splitlines()) == 1, complaint
        assert [record["user"] for record in answer["backup"]] == ["anna"]
        assert sorted(os.listdir(folder)) == ["anna.db", "manifest"]
        answer, complaint = run(server, "backup", folder, "--verify", code=75)
        assert [record["state"] for record in answer["backup"]] == ["good"] and "did not come to its end" in complaint
        remount(disk, "size=64m")
        run(server, "backup", folder)
        assert [record["state"] for record in run(server, "backup", folder, "--verify")[0]["backup"]] == ["good"] * 3
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        remount(disk, "ro")
        assert "Read-only file system" in run(server, "backup", folder, code=73)[1]
        assert "Read-only file system" in run(server, "backup", disk / "new", code=73)[1]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        expected = bodies(server, "bert")
        server.imapctl("user", "del", "bert", "--purge", "--yes")
        run(server, "restore", folder, "bert")      # a medium that can only be read will do
        assert bodies(server, "bert") == expected


def test_restore(disk, tmp_path):
    """Nothing of what did not fit is left, and what was there is as it was."""
    folder = tmp_path / "backup"
    remount(disk, "size=16m")
    with lib.Server(users=("anna", "bert"), settings=(f"data-directory {disk}",)) as server:
        fill(server, "anna")
        run(server, "backup", folder)
        expected = bodies(server, "anna")
        server.imapctl("user", "del", "anna", "--purge", "--yes")
        size = (folder / "anna.db").stat().st_size
        filler = disk / "filler"
        leave_free(disk, filler, size // 2)
        _, complaint = run(server, "restore", folder, "anna", code=73)
        assert "No space left" in complaint or "no space left" in complaint, complaint
        lib.wait_until(lambda: os.listdir(disk / "restore") == [])
        assert "anna" not in server.imapctl("user", "list").stdout
        filler.unlink()
        assert run(server, "restore", folder, "anna")[0]["restore"][0]["state"] == "whole"
        assert bodies(server, "anna") == expected
        leave_free(disk, filler, size // 2)
        _, complaint = run(server, "restore", folder, "anna", "--replace", "--yes", code=73)
        filler.unlink()
        assert bodies(server, "anna") == expected
        assert run(server, "restore", folder, "anna", "--replace", "--yes")[0]["restore"][0]["restored"] == LETTERS
        assert bodies(server, "anna") == expected
        small = tmp_path / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", small], check=True)
        try:
            done = subprocess.run([lib.IMAPCTL, f"--config={server.config}", "restore", folder, "anna", "--mailbox=INBOX"],
                                  capture_output=True, text=True, env={**os.environ, "TMPDIR": str(small)})
            assert done.returncode == 73 and "No space left" in done.stderr, done
            assert os.listdir(small) == []
        finally:
            subprocess.run(["umount", "-l", small], check=True)
        assert bodies(server, "anna") == expected
