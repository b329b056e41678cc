"""What Thunderbird keeps: mbox files whose flags stand beside them, copies of an IMAP server's folders, whole profiles."""
import json

from imported import everything, flags, server, subjects, user

COLUMNS = """// <!-- <mdb:mork:z v="1.4"/> -->
< <(a=c)> // (f=iso-8859-1)
  (80=ns:msg:db:row:scope:msgs:all)(83=message-id)(87=size)(88=flags)
  (96=ns:msg:db:table:kind:msgs)(97=ns:msg:db:table:kind:thread)
  (9F=ns:msg:db:row:scope:dbfolderinfo:all)
  (A0=ns:msg:db:table:kind:dbfolderinfo)(A3=folderSize)(A7=mailboxName)
  (AE=onlineName)(B2=storeToken)(B6=junkscore)(B7=keywords)>
"""


def letter(number, body="body\r\n"):
    return (f"From: a@example.org\r\nDate: Mon, 01 Jan 2024 10:0{number}:00 +0000\r\nSubject: {number}\r\n"
            f"Message-ID: <m{number}@example.org>\r\n\r\n{body}")


def stored(number, body="body\r\n", fields=""):
    return "From - Sat Nov 28 23:22:50 2026\r\n" + fields + letter(number, body) + "\r\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def write_box(path, count):
    """An mbox of messages 1 to count; gives their offsets."""
    offsets = [len("".join(stored(n) for n in range(1, number))) for number in range(1, count + 1)]
    write(path, "".join(stored(number) for number in range(1, count + 1)))
    return offsets




def row(number, bits, offset, more=""):
    return f"[{number:X}(^88={bits})(^83=m{number}@example.org)(^B2={offset}){more}]"


def test_flags_stand_beside_an_mbox(server, user, tmp_path):
    """Changes behind changes, one that was given up, one cut off, a value over two lines, a message that was deleted."""
    offsets = write_box(tmp_path / "Inbox", 7)
    size = (tmp_path / "Inbox").stat().st_size
    rows = "\n  ".join(row(number, 0, offsets[number - 1]) for number in range(1, 7))
    write(tmp_path / "Inbox.msf", COLUMNS + f"""
<(80=1)(90
    =$E6$97$A5\\)work \\
$label1)(91=100)>
{{1:^80 {{(k^96:c)(s=9)}}
  {rows}}}
{{2:^80 {{(k^97:c)(s=9)2:m }} 2 }}
{{1:^9F {{(k^A0:c)(s=9)}} [1(^A3=1)(^A7=Inbox)]}}

@$${{17{{@
[1:^80(^88^80)]
[-3:^80(^88=1006)(^83=m3@example.org)(^B2={offsets[2]})(^B7=$$label2 mein=20tag)(^B6^91)]
{{1:^80 {{(k^96:c)(s=9)}} -
  [-6]}}
{{1:^80 {{(k^96:c)(s=9)}} {row(7, 4, offsets[6])}}}
[1:^9F(^A3={size:x})]
@$$}}17}}@

@$${{18{{@
[2:^80(^88=1)]
@$$}}~abort~18}}@

@$${{19{{@
[5:^80(^88=1)]
""".replace("$$label2", r"\$label2"))
    done = server.imapctl("import", user, tmp_path / "Inbox")
    assert done.stdout == "6 imported, 0 there already, 1 left out\n"
    assert "deleted in Thunderbird" in done.stderr and f"Inbox:{offsets[5]}" in done.stderr
    found = everything(server, user)["INBOX"]
    assert flags(found) == {"1": {r"\Seen"}, "2": set(), "3": {r"\Answered", r"\Flagged", "$Forwarded", "$label2",
                                                               "mein=20tag", "$Junk"}, "4": set(), "5": set(), "7": {r"\Flagged"}}
    assert [letter.octets.decode() for letter in found] == [letter(number) for number in (1, 2, 3, 4, 5, 7)]
    assert found[0].date == "1-Jan-2024 10:01:00 +0000"


def test_what_came_since_the_file_beside_was_written_is_kept(server, user, tmp_path):
    """Another program has delivered, or cleaned up: then nothing is known to be deleted, and offsets may be of others."""
    offsets = write_box(tmp_path / "Inbox", 3)
    write(tmp_path / "Inbox.msf", COLUMNS + f"""
{{1:^80 {{(k^96:c)(s=9)}} {row(1, 1, offsets[0])} {row(9, 1, offsets[1])}}}
{{1:^9F {{(k^A0:c)(s=9)}} [1(^A3=9)]}}
""")
    assert server.imapctl("import", user, tmp_path / "Inbox").stdout == "3 imported, 0 there already\n"
    assert flags(everything(server, user)["INBOX"]) == {"1": {r"\Seen"}, "2": set(), "3": set()}


def imap_box(path, online, bits):
    """A copy of a folder on a server, whose one message ends without a line end there; Thunderbird says 0001 of all."""
    write(path, stored(1, "body\r\n", "X-Mozilla-Status: 0001\r\nX-Mozilla-Status2: 00000000\r\n"))
    size = len(letter(1, "body"))
    write(path.parent / (path.name + ".msf"), COLUMNS + f"""
{{1:^80 {{(k^96:c)(s=9)}} {row(1, bits, 0, f"(^87={size:x})")} [2(^88=1)(^83=m2@example.org)]}}
{{1:^9F {{(k^A0:c)(s=9)}} [1(^AE={online})]}}
""")


def test_a_profile(server, user, tmp_path):
    """Two accounts with mail and one without; names that are not those of the files; what is no folder."""
    profile = tmp_path / "x.default"
    local, far = profile / "Mail/Local Folders", profile / "ImapMail/imap.example.org"
    for name in ("Inbox", "Sent", "Archives", "Archives.sbd/2023", "what26c83686", "a.b"):
        write_box(local / name, 1)
        write(local / (name + ".msf"), COLUMNS)
    write(local / "Empty", "")
    write(local / "msgFilterRules.dat", "version=9\n")
    write(local / "notes", "not mail\n")
    write(profile / "Mail/pop.example.org/Trash", "")
    write(profile / "Mail/pop.example.org/Trash.msf", COLUMNS)
    write(profile / "ImapMail/imap.example.org.msf", COLUMNS)
    imap_box(far / "INBOX", "INBOX", "80")
    imap_box(far / "INBOX.sbd/a.b", "INBOX.a.b", "81")
    imap_box(far / "Entw&APw-rfe", "Entw&APw-rfe", "85")
    write(far / "Never.msf", COLUMNS + "{1:^9F {(k^A0:c)(s=9)} [1(^AE=Never)]}\n")
    write(profile / "prefs.js", f"""
user_pref("mail.server.server1.directory", "{local}");
user_pref("mail.server.server1.name", "Local Folders");
user_pref("mail.server.server2.directory", "C:\\\\Users\\\\a\\\\x.default\\\\ImapMail\\\\imap.example.org");
user_pref("mail.server.server2.hostname", "imap.example.org");
user_pref("mail.server.server2.userName", "ann");
""")
    write(profile / "folderCache.json", json.dumps(
        {"/elsewhere/x.default/Mail/Local Folders/what26c83686.msf": {"flags": 4, "folderName": "what?/März"}}))
    for words, count in ((["--dry-run", tmp_path], 0), ([profile], 9)):
        done = server.imapctl("import", user, *words)
        assert f"{words[-1]}: taken for mail of Thunderbird, 2 accounts, and 1 without any mail" in done.stderr
        assert "a folder whose messages are on its server alone" in done.stderr
        assert "1 left out: a file that is no folder of Thunderbird" in done.stderr
        assert sum(len(letters) for letters in everything(server, user).values()) == count
    assert "3 left out: on its server alone" in done.stderr
    assert "9 imported, 0 there already, 5 left out\n" == done.stdout
    found = everything(server, user)
    assert {name for name, letters in found.items() if letters} == {
        "Local Folders/INBOX", "Local Folders/Sent", "Local Folders/Archive", "Local Folders/Archive/2023",
        "Local Folders/what?_M&AOQ-rz", "Local Folders/a.b", "ann@imap.example.org/INBOX",
        "ann@imap.example.org/INBOX/a.b", "ann@imap.example.org/Entw&APw-rfe"}
    assert found["Local Folders/Empty"] == []
    assert [found["ann@imap.example.org/" + name][0].flags for name in ("INBOX", "INBOX/a.b", "Entw&APw-rfe")] == [
        set(), {r"\Seen"}, {r"\Seen", r"\Flagged"}]
    assert found["ann@imap.example.org/INBOX"][0].octets.decode() == letter(1, "body")


def test_one_account_needs_no_name(server, user, tmp_path):
    write_box(tmp_path / "Work", 1)
    write(tmp_path / "Work.msf", COLUMNS)
    write_box(tmp_path / "Only.sbd/Below", 2)
    done = server.imapctl("--json", "import", user, tmp_path, "--mailbox=Old")
    report = json.loads(done.stdout)
    assert (report["format"], report["taken-for"]) == ("thunderbird", "mail of Thunderbird, 1 account")
    assert subjects(everything(server, user)) == {"Old/Work": ["1"], "Old/Only/Below": ["1", "2"], "Old/Only": [], "Old": []}


def test_maildirs(server, user, tmp_path):
    """Thunderbird's files have no flags in their names."""
    for number in (1, 2):
        write(tmp_path / f"Inbox/cur/170000000{number}.M1P1.h.eml", letter(number))
    (tmp_path / "Inbox/tmp").mkdir()
    write(tmp_path / "Inbox.msf", COLUMNS + """
{1:^80 {(k^96:c)(s=9)} [1(^88=5)(^83=m1@example.org)(^B2=1700000001.M1P1.h.eml)(^B7=\\$label3)]}
{1:^9F {(k^A0:c)(s=9)} [1(^A7=Inbox)]}
""")
    assert server.imapctl("import", user, tmp_path).stdout == "2 imported, 0 there already\n"
    found = everything(server, user)["INBOX"]
    assert flags(found) == {"1": {r"\Seen", r"\Flagged", "$label3"}, "2": set()}
    assert found[1].date == "1-Jan-2024 10:02:00 +0000"
