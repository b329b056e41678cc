"""Folders of files that other programs left: maildirs, MH folders, and trees of both, imported into mailboxes."""
import bz2
import gzip
import json
import lzma
import mailbox
import os
import re
import shutil
import subprocess

import pytest

import server as lib


@pytest.fixture
def server():
    with lib.Server() as running:
        yield running


def letter(path, subject, time=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"From: a@example.org\nSubject: %s\n\nbody\n" % subject.encode())
    if time is not None:
        os.utime(path, (time, time))


def mailboxes(server):
    """Name -> [(subject, flags)], of those that have messages."""
    found = {}
    with server.client("demo") as client:
        for line in client.ok(b'LIST "" *').untagged:
            name = re.search(rb'"/" (.*?)\s*$', line)[1]
            if b"* 0 EXISTS" in client.ok(b"EXAMINE " + name).untagged:
                continue
            found[name.decode()] = [
                (re.search(rb"Subject: (.*)\r\n", line)[1].decode(),
                 set(re.search(rb"FLAGS \((.*?)\)", line)[1].decode().split()) - {r"\Recent"})
                for line in client.ok(b"FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])").untagged]
    return found


def subjects(server):
    return {name: [subject for subject, _ in letters] for name, letters in mailboxes(server).items()}


def test_one_maildir_with_everything(server, tmp_path):
    """Order of arrival over new/ and cur/, Dovecot's keywords, compressed and encrypted files, a name in UTF-8."""
    box = tmp_path / "Maildir"
    (box / "tmp").mkdir(parents=True)
    (box / "dovecot-keywords").write_text("0 $Label1\n1 work\n")
    letter(box / "cur/1500000001.M1P1.example:2,S", "1 plain", 1500000001)
    letter(box / "cur/1500000002.M1P1.example:2,Sabz", "2 keywords")
    letter(box / "new/1500000004.M1P1.example", "4 new")
    letter(box / "cur/1500000003.M1P1.example:2,", "3 unseen")
    letter(box / ".Entwürfe/cur/1500000001.M1P1.example:2,DF", "in UTF-8")
    plain = (box / "cur/1500000003.M1P1.example:2,").read_bytes()
    packed = box / "cur/1500000005.M1P1.example,S=46:2,S"
    packed.write_bytes(gzip.compress(plain))
    (box / "cur/1500000006.M1P1.example:2,").write_bytes(bz2.compress(plain))
    (box / "cur/1500000007.M1P1.example:2,").write_bytes(lzma.compress(plain))
    (box / "cur/1500000008.M1P1.example,S=46:2,S").write_bytes(b"CRYPTED\x03\x07" + 60 * b"k")
    (box / "cur/1500000009.M1P1.example,S=46:2,S").write_bytes(gzip.compress(plain)[:-9])
    done = server.imapctl("--json", "import", "demo", "maildir", box, check=False)
    assert done.returncode == 65, done.stderr
    report = json.loads(done.stdout)
    assert report["imported"] == 8
    reasons = {entry["origin"]: entry["reason"] for entry in report["refused"]}
    assert {path: reason.split()[-1] for path, reason in reasons.items()} == {
        str(box / "cur/1500000008.M1P1.example,S=46:2,S"): "there",
        str(box / "cur/1500000009.M1P1.example,S=46:2,S"): "early"}
    assert [note["kind"] for note in report["notes"]] == ["not taken over"] and "letter z" in done.stderr
    assert mailboxes(server) == {
        "Entw&APw-rfe": [("in UTF-8", {r"\Draft", r"\Flagged"})],
        "INBOX": [("1 plain", {r"\Seen"}), ("2 keywords", {r"\Seen", "$Label1", "work"}), ("3 unseen", set()),
                  ("4 new", set()), ("3 unseen", {r"\Seen"}), ("3 unseen", set()), ("3 unseen", set())]}
    with server.client("demo") as client:
        client.ok(b"EXAMINE INBOX")
        assert {client.fetch_body(number) for number in (3, 5, 6, 7)} == {plain.replace(b"\n", b"\r\n")}
        assert b'"14-Jul-2017 02:40:01 +0000"' in client.ok(b"FETCH 1 INTERNALDATE").untagged[0]


def test_folders_in_folders(server, tmp_path):
    """Dovecot's LAYOUT=fs, with a name that is none beside it: that is told, and the others come in."""
    for place in ("", "Work/", "Work/2020/", "inbox/sub/", "R&D/", "Entw&APw-rfe/"):
        letter(tmp_path / f"M/{place}cur/1.a.example.org:2,S", place)
    (tmp_path / "M/No/Mail/new").mkdir(parents=True)
    (tmp_path / "M/No/Mail/cur").mkdir()
    bad = os.fsencode(tmp_path) + b"/M/Entw\xfcrfe/cur"
    os.makedirs(bad)
    shutil.copy(os.fsencode(tmp_path) + b"/M/cur/1.a.example.org:2,S", bad)
    done = server.imapctl("import", "demo", "maildir", tmp_path / "M", check=False)
    assert (done.returncode, done.stdout) == (65, "6 imported, 0 there already, 1 refused\n")
    assert r"/Entw\xfcrfe: not imported: its name is neither" in done.stderr and "1 message stay" in done.stderr
    assert subjects(server) == {"INBOX": [""], "Work": ["Work/"], "Work/2020": ["Work/2020/"],
                                "INBOX/sub": ["inbox/sub/"], "R&-D": ["R&D/"], "Entw&APw-rfe": ["Entw&APw-rfe/"]}
    with server.client("demo") as client:
        assert client.ok(b"LSUB No/ *").untagged == [b'* LSUB () "/" No/Mail']


@pytest.mark.skipif(shutil.which("mbsync") is None, reason="isync is not installed")
@pytest.mark.parametrize("style", ["Verbatim", "Legacy"])
def test_what_mbsync_wrote(server, tmp_path, style):
    """No maildir on top, a dot in a name, and a folder that is there for others alone."""
    names = ["INBOX", "INBOX/sub", "Work", "Work/v1.2", "Entw&APw-rfe", "p/q/r"]
    for name in names:
        for number in range(1, 12):
            letter(tmp_path / f"far/{name}/cur/15000000{number:02}.M1P1.h:2,S", f"{name} {number}")
        for part in ("new", "tmp"):
            (tmp_path / f"far/{name}/{part}").mkdir()
    (tmp_path / "near").mkdir()
    (tmp_path / "rc").write_text(
        f"MaildirStore far\nPath {tmp_path}/far/\nInbox {tmp_path}/far/INBOX\nSubFolders Verbatim\n\n"
        f"MaildirStore near\nPath {tmp_path}/near/\nInbox {tmp_path}/near/INBOX\nSubFolders {style}\n\n"
        "Channel all\nFar :far:\nNear :near:\nPatterns * INBOX*\nCreate Near\nSyncState *\n")
    subprocess.run(["mbsync", "-q", "-c", tmp_path / "rc", "all"], check=True, timeout=lib.LIMIT_S)
    done = server.imapctl("import", "demo", "maildir", tmp_path / "near")
    assert done.stdout == f"{11 * len(names)} imported, 0 there already\n"
    assert subjects(server) == {name: [f"{name} {number}" for number in range(1, 12)] for name in names}


def test_mh_as_python_writes_it(server, tmp_path):
    box = mailbox.MH(tmp_path / "Mail")
    for number in range(1, 13):
        message = mailbox.MHMessage(f"Subject: {number}\n\nx\n")
        if number == 1:
            message.set_sequences(["replied", "flagged", "Work", "cur"])
        if number > 9:
            message.set_sequences(["unseen"])
        box.add(message)
    box.remove(4)
    box.add_folder("lists").add_folder("2020").add(b"Subject: deep\n\nx\n")
    (tmp_path / "Mail/,5").write_text("Subject: removed\n\nx\n")
    (tmp_path / "Mail/context").write_text("Current-Folder: inbox\natr-mine-/home/a/Mail: 1\n")
    done = server.imapctl("import", "demo", "mh", tmp_path / "Mail", "--mailbox=Archive")
    assert done.stdout == "12 imported, 0 there already\n" and "private sequence" in done.stderr
    found = mailboxes(server)
    assert [subject for subject, _ in found["Archive"]] == [str(number) for number in range(1, 13) if number != 4]
    assert found["Archive"][0][1] == {r"\Answered", r"\Flagged", r"\Seen", "Work"}
    assert [flags for _, flags in found["Archive"][1:]] == 7 * [{r"\Seen"}] + 3 * [set()]
    assert found["Archive/lists/2020"] == [("deep", {r"\Seen"})]


def test_a_bomb_is_refused_before_it_fills_the_memory(server, tmp_path):
    """A thousand million zeros of text in a file of a megabyte, for a client of 64 MiB."""
    letter(tmp_path / "M/cur/1.a:2,", "small")
    packer = gzip.open(tmp_path / "M/cur/2.a:2,", "wb", compresslevel=9)
    with packer:
        packer.write(b"Subject: x\n\n")
        for _ in range(1000):
            packer.write(b"0" * 1000000)
    limit = f"ulimit -v {400 * 1024}; exec \"$@\""
    done = subprocess.run(["sh", "-c", limit, "sh", lib.IMAPD.parent / "imapctl", f"--config={server.config}",
                           "import", "demo", "maildir", tmp_path / "M"], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert (done.returncode, done.stdout) == (65, "1 imported, 0 there already, 1 refused\n"), done.stderr
    assert "message-size-limit" in done.stderr


def test_compressed_files_of_other_formats(server, tmp_path):
    """A whole mbox as logrotate or a person packs it, and letters by themselves."""
    text = b"".join(b"From a@example.org Sat Jan  1 10:00:0%d 2022\nSubject: %d\n\nbody\n\n" % (number, number)
                    for number in range(1, 4))
    (tmp_path / "box.gz").write_bytes(gzip.compress(text))
    (tmp_path / "box.xz").write_bytes(lzma.compress(text)[:-20])
    (tmp_path / "E").mkdir()
    (tmp_path / "E/1.eml.bz2").write_bytes(bz2.compress(b"Subject: packed\n\nbody\n"))
    (tmp_path / "E/2.eml").write_bytes(b"CRYPTED\x03\x07" + 60 * b"k")
    (tmp_path / "E/3.eml").write_bytes(gzip.compress(b"Subject: large\n\n" + 70 * 2**20 * b"x"))
    assert server.imapctl("import", "demo", "mbox", tmp_path / "box.gz").stdout == "3 imported, 0 there already\n"
    done = server.imapctl("import", "demo", "mbox", tmp_path / "box.xz", check=False)
    assert done.returncode == 65 and "end too early" in done.stderr
    done = server.imapctl("import", "demo", "eml", tmp_path / "E", check=False)
    assert (done.returncode, done.stdout) == (65, "1 imported, 0 there already, 2 refused\n")
    assert "2.eml: not imported: it is encrypted" in done.stderr and "3.eml: not imported: it is larger" in done.stderr
    assert subjects(server) == {"INBOX": ["1", "2", "3", "packed"]}


def test_nothing_is_no_success(server, tmp_path):
    (tmp_path / "empty/cur").mkdir(parents=True)
    (tmp_path / "none").mkdir()
    for kind, name, status in (("maildir", "empty", 66), ("maildir", "none", 65), ("mh", "none", 65),
                               ("mh", "missing", 66), ("maildir", "missing", 66)):
        assert server.imapctl("import", "demo", kind, tmp_path / name, check=False).returncode == status
