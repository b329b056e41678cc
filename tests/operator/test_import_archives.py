"""Archives as they are downloaded or made by tar: Takeout in parts, folders of any format, damage."""
import glob
import io
import os
import struct
import subprocess
import tarfile
import zipfile

import pytest

from imported import everything, flags, server, subjects, user


def takeout(*letters):
    return b"".join(b"From %d@xxx Mon Jan 01 10:00:0%d +0000 2024\r\nX-GM-THRID: %d\r\nX-Gmail-Labels: %s\r\nSubject: %d\r\n\r\n%s\r\n\r\n" % (
        number, number, number, labels.encode(), number, b"text " * 5000) for number, labels in letters)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Nothing is left behind."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    yield
    assert os.listdir(tmp_path / "temporary") == []


def test_a_takeout_in_parts(server, user, tmp_path):
    """The same message in the files of two labels comes once; what is no mail is not even unpacked."""
    with zipfile.ZipFile(tmp_path / "takeout-20240101T000000Z-001.zip", "w", zipfile.ZIP_DEFLATED) as part:
        part.writestr("Takeout/archive_browser.html", "<html>")
        part.writestr("Takeout/Mail/Inbox.mbox", takeout((1, "Inbox,Unread"), (2, "Inbox,Family")))
    with zipfile.ZipFile(tmp_path / "takeout-20240101T000000Z-002.zip", "w") as part:
        part.writestr("Takeout/Mail/Family.mbox", takeout((2, "Inbox,Family"), (3, "Sent,Family")))
    done = server.imapctl("import", user, tmp_path / "takeout-20240101T000000Z-001.zip")
    assert done.stdout == "3 imported, 0 there already\n"
    assert "taken for an archive of a Google Takeout, 2 files" in done.stderr
    found = everything(server, user)
    assert {name: letters for name, letters in subjects(found).items() if letters} == {"INBOX": ["2", "1"], "Sent": ["3"]}
    assert flags(found["INBOX"]) == {"1": set(), "2": {r"\Seen", "Family"}}


@pytest.mark.parametrize("how", ["zip", "ustar", "pax", "gnu"])
def test_a_maildir(server, user, tmp_path, how):
    """Dates are those of the files; long names; the folder that holds all is no mailbox."""
    box = tmp_path / "Maildir"
    deep = box / (".Work." + "long" * 40)
    for place, name in ((box, "1.M1P1.h:2,S"), (deep, "2.M1P1.h" + "x" * 70 + ":2,F")):
        for part in ("cur", "new", "tmp"):
            (place / part).mkdir(parents=True)
        (place / "cur" / name).write_bytes(b"Subject: %s\n\nx\n" % name[:1].encode())
        os.utime(place / "cur" / name, (1500000000, 1500000000))
    path = tmp_path / "backup"
    if how == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in glob.glob(str(box) + "/**", recursive=True, include_hidden=True):
                info = zipfile.ZipInfo.from_file(name, os.path.relpath(name, tmp_path))
                info.extra = struct.pack("<HHBi", 0x5455, 5, 1, int(os.stat(name).st_mtime))
                archive.writestr(info, b"" if os.path.isdir(name) else open(name, "rb").read())
    elif how != "ustar":
        subprocess.run(["tar", "-C", tmp_path, f"--format={how}", "-czf", path, "Maildir"], check=True)
    else:
        deep.rename(box / ".Work.short")
        subprocess.run(["tar", "-C", tmp_path, "--format=ustar", "-cf", path, "./Maildir"], check=True)
    done = server.imapctl("import", user, path)
    assert "taken for an archive of a maildir" in done.stderr and done.stdout.startswith("2 imported")
    found = everything(server, user)
    below = "Work/short" if how == "ustar" else "Work/" + "long" * 40
    assert {name: letters for name, letters in subjects(found).items() if letters} == {"INBOX": ["1"], below: ["2"]}
    assert found[below][0].date == "14-Jul-2017 02:40:00 +0000" and found[below][0].flags == {r"\Flagged"}
    assert server.imapctl("import", user, path).stdout == "0 imported, 2 there already\n"


def test_what_leads_outside_stays_out(server, user, tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("../outside.eml", "/tmp/outside.eml", "in/../../outside.eml", "good.eml"):
            info = tarfile.TarInfo(name)
            info.size = 14
            archive.addfile(info, io.BytesIO(b"Subject: x\n\ny\n"))
        link = tarfile.TarInfo("link.eml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "a.tar").write_bytes(packed.getvalue())
    assert server.imapctl("import", user, tmp_path / "a.tar").stdout == "1 imported, 0 there already\n"
    assert not (tmp_path / "outside.eml").exists() and not (tmp_path / "temporary/outside.eml").exists()


def test_damage_is_told(server, user, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.mbox", takeout((1, "Inbox")))
    octets = bytearray((tmp_path / "a.zip").read_bytes())
    octets[60] ^= 0xff
    (tmp_path / "a.zip").write_bytes(octets)
    subprocess.run(["tar", "-C", tmp_path, "-czf", tmp_path / "whole.tgz", "a.zip"], check=True)
    (tmp_path / "cut.tgz").write_bytes((tmp_path / "whole.tgz").read_bytes()[:-20])
    for name in ("a.zip", "cut.tgz"):
        done = server.imapctl("import", user, tmp_path / name, check=False)
        assert done.returncode == 65 and name in done.stderr, name
    assert subjects(everything(server, user)) == {}
