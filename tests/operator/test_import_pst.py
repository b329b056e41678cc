"""Files of Outlook, by a stand-in for readpst that writes what readpst 0.6.76 was seen to write with -e."""
import os

import pytest

from imported import everything, flags, server, subjects, user

READPST = """#!/bin/sh -eu
test "$1 $2 $3" = "-e -q -o"
test "$(head -c 4 "$5")" = "!BDN"
root="$4/Personal folders"
mkdir -p "$root/Inbox" "$root/Sent Items/2020" "$root/Calendar"
for number in 1 2 10; do
	printf 'Status: RO\\nFrom: "A" <a@example.org>\\nDate: Mon, 01 Jan 2024 10:00:00 +0000\\nSubject: %s\\n\\nx\\n' $number > "$root/Inbox/$number.eml"
done
printf 'Date: Mon, 01 Jan 2024 10:00:00 +0000\\nSubject: 3\\n\\nx\\n' > "$root/Sent Items/2020/3.eml"
printf 'BEGIN:VCALENDAR\\n' > "$root/Calendar/1.ics"
printf 'BEGIN:VCARD\\n' > "$root/Calendar/1.vcf"
"""


@pytest.fixture
def archive(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "mail.pst").write_bytes(b"!BDN" + bytes(600))
    yield tmp_path / "mail.pst"
    assert os.listdir(tmp_path / "temporary") == []


def stand_in(archive, monkeypatch, script):
    program = archive.parent / "bin/readpst"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{archive.parent}/bin:{os.environ['PATH']}")


def test_a_file_of_outlook(server, user, archive, monkeypatch):
    stand_in(archive, monkeypatch, READPST)
    done = server.imapctl("import", user, archive)
    assert done.stdout == "4 imported, 0 there already, 2 left out\n"
    assert "taken for a file of Outlook" in done.stderr and "1 left out: a calendar entry" in done.stderr
    found = everything(server, user)
    assert subjects(found) == {"INBOX": ["1", "2", "10"], "Sent/2020": ["3"], "Calendar": []}
    assert flags(found["INBOX"])["1"] == {r"\Seen"} and flags(found["Sent/2020"]) == {"3": set()}
    assert b"Status" not in found["INBOX"][0].octets
    assert server.imapctl("import", user, archive).stdout == "0 imported, 4 there already, 2 left out\n"


def test_without_readpst(server, user, archive, monkeypatch):
    monkeypatch.setenv("PATH", str(archive.parent / "bin"))
    done = server.imapctl("import", user, archive, check=False)
    assert done.returncode != 0 and "pst-utils" in done.stderr
    stand_in(archive, monkeypatch, "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{archive.parent}/bin:/usr/bin:/bin")
    done = server.imapctl("import", user, archive, check=False)
    assert done.returncode == 65 and "mail.pst" in done.stderr
