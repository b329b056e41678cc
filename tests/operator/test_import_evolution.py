"""What Evolution and KMail keep, and Claws Mail's and Sylpheed's own folders; mbox files that are called by numbers."""
import struct

from imported import everything, flags, server, subjects, user


def letter(number, more=""):
    return f"From: a@example.org\nDate: Mon, 01 Jan 2024 10:00:00 +0000\nSubject: {number}\n{more}\nbody\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def box(*letters):
    return "".join("From a@example.org Mon Jan  1 10:00:00 2024\n" + one + "\n" for one in letters)


def test_mbox_of_evolution(server, user, tmp_path):
    for name in ("Inbox", "Work.sbd/2020"):
        write(tmp_path / name, box(letter(1, "X-Evolution: 00000002-0000\n"), letter(2, "X-Evolution: 00000004-0410\n"),
                                   letter(3, 'X-Evolution: 00000006-008f; flags="$Labelwork,Mein Label"; tags="a=b"\n'),
                                   letter(4, "X-Evolution: a sender's\n")))
        for litter in ("cmeta", "ibex.index", "ibex.index.data"):
            write(tmp_path / f"{name}.{litter}", "\0\0")
    done = server.imapctl("import", user, tmp_path)
    assert done.stdout == "8 imported, 0 there already\n" and "taken for mail of Evolution" in done.stderr
    found = everything(server, user)
    for name in ("INBOX", "Work/2020"):
        assert flags(found[name]) == {
            "1": set(), "2": {r"\Seen", "$Forwarded"}, "4": set(),
            "3": {r"\Answered", r"\Deleted", r"\Draft", r"\Flagged", "$Junk", "$Labelwork", "Mein_Label"}}
        assert [b"X-Evolution" in one.octets for one in found[name]] == [False, False, False, True]


def test_mh_of_evolution(server, user, tmp_path):
    write(tmp_path / "Work/7", letter(1, 'X-Evolution: 00000009-0009; flags="$Labelwork"\nStatus: RO\n'))
    write(tmp_path / "Work.cmeta", "\0")
    done = server.imapctl("import", user, tmp_path)
    assert done.stdout == "1 imported, 0 there already\n"
    found = everything(server, user)["Work"]
    assert flags(found) == {"1": {r"\Answered", r"\Flagged", "$Labelwork"}}
    assert found[0].octets.decode() == letter(1, "Status: RO\n").replace("\n", "\r\n")


def test_maildirs_of_evolution_and_kmail(server, user, tmp_path):
    write(tmp_path / "cur/1.a:2,S", letter(1))
    write(tmp_path / "..cmeta", "\0")
    write(tmp_path / ".a&b/cur/2.a:2,", letter(2))
    done = server.imapctl("import", user, tmp_path)
    assert "1 not taken over: labels of Evolution" in done.stderr
    assert subjects(everything(server, user)) == {"INBOX": ["1"], "a&-b": ["2"]}


def test_mboxes_between_maildirs(server, user, tmp_path):
    """KMail lets its user choose for each folder."""
    write(tmp_path / "inbox/cur/1.a:2,S", letter(1))
    write(tmp_path / "old", box(letter(2, "Status: RO\n"), letter(3)))
    write(tmp_path / ".old.index", "# KMail-Index V1506\n")
    write(tmp_path / ".inbox.directory/2020", box(letter(4)))
    done = server.imapctl("import", user, tmp_path)
    assert done.stdout == "4 imported, 0 there already\n" and "mbox files between them" in done.stderr
    found = everything(server, user)
    assert subjects(found) == {"INBOX": ["1"], "old": ["2", "3"], "INBOX/2020": ["4"]}
    assert flags(found["old"]) == {"2": {r"\Seen"}, "3": set()}


def test_folders_of_claws_mail(server, user, tmp_path):
    for name, mark in (("inbox", ".claws_mark"), ("sent", ".sylpheed_mark"), ("sent/2020", ".claws_mark"), ("trash", None)):
        write(tmp_path / name / "1", letter(1))
        if mark:
            (tmp_path / name / mark).write_bytes(struct.pack("<III", 2, 1, 4))
    server.imapctl("import", user, tmp_path)
    found = everything(server, user)
    assert subjects(found) == {"INBOX": ["1"], "Sent": ["1"], "Sent/2020": ["1"], "trash": ["1"]}
    assert found["Sent"][0].flags == {r"\Seen", r"\Flagged"}


def test_years_may_be_mbox_files(server, user, tmp_path):
    for year in ("2019", "2020"):
        write(tmp_path / year, box(letter(year + "a"), letter(year + "b")))
    done = server.imapctl("import", user, tmp_path)
    assert "taken for a folder of mbox files, 2 files" in done.stderr
    assert subjects(everything(server, user)) == {"2019": ["2019a", "2019b"], "2020": ["2020a", "2020b"]}


def test_gnus(server, user, tmp_path):
    """Folders like those of MH, and beside them mbox files with a field of Gnus in each message."""
    write(tmp_path / "nnml/mail/misc/1", letter(1, "Xref: vm mail.misc:1\n"))
    write(tmp_path / "nnml/mail/misc/.overview", "1\t1\n")
    write(tmp_path / "nnml/active", "mail.misc 1 1 y\n")
    write(tmp_path / "folder/archive", box(letter(2, "X-Gnus-Article-Number: 1   Sun, 29 Nov 2026 00:35:12 +0000\n"),
                                           letter(3, "X-Gnus-Article-Number: a sender's\n")))
    write(tmp_path / "folder/archive.nov", "1\t2\n")
    done = server.imapctl("import", user, tmp_path)
    assert done.stdout == "3 imported, 0 there already, 2 left out\n"
    assert "taken for MH folders, and mbox files between them" in done.stderr
    found = everything(server, user)
    assert {name: letters for name, letters in subjects(found).items() if letters} == {
        "nnml/mail/misc": ["1"], "folder/archive": ["2", "3"]}
    assert [b"X-Gnus" in one.octets for one in found["folder/archive"]] == [False, True]


def test_dbox_says_what_to_do(server, user, tmp_path):
    write(tmp_path / "mailboxes/INBOX/dbox-Mails/u.1", "2 M1e C6b09d328\n\1\2N")
    done = server.imapctl("import", user, tmp_path, check=False)
    assert done.returncode == 65 and done.stdout == "" and f"doveadm -o mail_location=sdbox:{tmp_path} backup" in done.stderr
