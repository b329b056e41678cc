"""The .emlx files of Apple Mail, and its exports."""
from imported import everything, flags, server, subjects, user


def emlx(path, number, bits, text="body\n", received=1700000000, name="emlx"):
    octets = f"From: a@example.org\nDate: Mon, 01 Jan 2024 10:00:00 +0000\nSubject: {number}\n\n{text}".encode()
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{number}.{name}").write_bytes(b"%-10d\n" % len(octets) + octets + f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>date-received</key>
	<integer>{received}</integer>
	<key>flags</key>
	<integer>{bits}</integer>
	<key>remote-id</key>
	<string>77</string>
</dict>
</plist>
""".encode())


def test_one_account(server, user, tmp_path):
    account = tmp_path / "V10/0C0C1A5B-1111-2222-3333-444455556666"
    inbox = account / "INBOX.mbox/9A0C/Data"
    emlx(inbox / "Messages", 9, 1)
    emlx(inbox / "Messages", 10, 1 << 2 | 1 << 4 | 1 << 8 | 8590195712)
    emlx(inbox / "1/Messages", 1000, 1 << 24 | 1 << 6 | 1)
    emlx(account / "Sent Messages.mbox/9A0C/Data/Messages", 3, 1)
    emlx(account / "Arbeit & Co.mbox/2020.mbox/9A0C/Data/Messages", 4, 2, name="partial.emlx")
    (tmp_path / "V10/MailData").mkdir()
    done = server.imapctl("import", user, tmp_path / "V10", check=False)
    assert done.returncode == 65 and done.stdout == "5 imported, 0 there already\n"
    assert "taken for mail of Apple Mail, 5 messages" in done.stderr and "1 doubtful: a message whose attachments" in done.stderr
    found = everything(server, user)
    assert subjects(found) == {"INBOX": ["9", "10", "1000"], "Sent": ["3"], "Arbeit &- Co/2020": ["4"], "Arbeit &- Co": []}
    assert flags(found["INBOX"]) == {"9": {r"\Seen"}, "10": {r"\Answered", r"\Flagged", "$Forwarded"},
                                     "1000": {r"\Seen", r"\Draft", "$Junk"}}
    assert flags(found["Arbeit &- Co/2020"]) == {"4": {r"\Deleted"}}
    letter = found["INBOX"][0]
    assert letter.date == "14-Nov-2023 22:13:20 +0000" and letter.octets.endswith(b"Subject: 9\r\n\r\nbody\r\n")


def test_accounts_of_old_versions(server, user, tmp_path):
    """IMAP-user@host with X.imapmbox, and POP beside it; a file of which something is lost; one file alone."""
    emlx(tmp_path / "IMAP-a@example.org/INBOX.imapmbox/Messages", 1, 0)
    emlx(tmp_path / "POP-b@example.org/INBOX.mbox/Messages", 2, 1)
    damaged = tmp_path / "POP-b@example.org/INBOX.mbox/Messages/3.emlx"
    damaged.write_bytes(b"999\nSubject: 3\n\n")
    done = server.imapctl("import", user, tmp_path, check=False)
    assert done.returncode == 65 and done.stdout == "2 imported, 0 there already, 1 refused\n"
    assert f"{damaged}: not imported: its first line" in done.stderr
    found = everything(server, user)
    assert {name: letters for name, letters in subjects(found).items() if letters} == {
        "IMAP-a@example.org/INBOX": ["1"], "POP-b@example.org/INBOX": ["2"]}
    done = server.imapctl("import", user, tmp_path / "POP-b@example.org/INBOX.mbox/Messages/2.emlx", "--mailbox=One")
    assert subjects(everything(server, user))["One"] == ["2"]


def test_an_export(server, user, tmp_path):
    """X.mbox with a file mbox in it, and a table of contents."""
    for folder in ("Work.mbox", "Work/2020.mbox"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "table_of_contents").write_bytes(b"\0\0\0\1")
        (tmp_path / folder / "mbox").write_text(f"From a@example.org Mon Jan  1 10:00:00 2024\nSubject: {folder}\n\nx\n\n")
    done = server.imapctl("import", user, tmp_path)
    assert "taken for a folder of mbox files, 2 files" in done.stderr
    assert subjects(everything(server, user)) == {"Work": ["Work.mbox"], "Work/2020": ["Work/2020.mbox"]}
