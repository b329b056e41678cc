"""What `imapctl import` makes of files as other programs wrote them, once, twice, interrupted and refused."""
import json
import mailbox
import os
import re
import signal
import subprocess

import pytest

import server as lib


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=()) as running:
        yield running


@pytest.fixture
def user(server, request):
    """A user for one test alone."""
    name = re.sub(r"\W", "-", request.node.name)[:40]
    server.add_user(name)
    return name


def separated(number, flags=b"", body=b"body\n"):
    """A message in an mbox file, with the separator before it and the empty line behind it."""
    return (b"From a@example.org Thu Dec  1 03:46:%02d 2005\n" % (number % 60) + flags +
            b"Subject: %d\nMessage-ID: <%d@example.org>\n\n" % (number, number) + body + b"\n")


def count(server, user, name=b"INBOX"):
    with server.client(user) as client:
        lines = client.ok(b"EXAMINE " + name).untagged
        return int(next(re.match(rb"\* (\d+) EXISTS", line)[1] for line in lines if line.endswith(b"EXISTS")))


def facts(server, user, name=b"INBOX"):
    """Flags and keywords, date and octets of each message."""
    with server.client(user) as client:
        client.ok(b"EXAMINE " + name)
        found = []
        for line in client.ok(b"FETCH 1:* (FLAGS INTERNALDATE)").untagged:
            flags, date = re.search(rb'FLAGS \((.*?)\) INTERNALDATE "(.*?)"', line).groups()
            found.append((set(flags.split()) - {b"\\Recent"}, date.strip(), client.fetch_body(len(found) + 1)))
        return found


def test_flags_keywords_and_labels(server, user, tmp_path):
    (tmp_path / "box").write_bytes(
        b"From 17@xxx Fri May 23 16:35:53 +0000 2025\r\nX-GM-THRID: 17\r\n"
        b"X-Gmail-Labels: Archived,Opened,Starred,Family\r\nSubject: takeout\r\n\r\nx\r\n\r\n"
        b"From - Tue Mar 04 09:08:07 2003\nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
        b"X-Mozilla-Keys: work $label1                                  \nSubject: thunderbird\n\nx\n\n"
        b"From - Tue Mar 04 09:08:08 2003\nX-Mozilla-Status: 0009\nSubject: deleted\n\nx\n\n"
        b"From a@example.org Mon Jan  5 04:05:06 2009\nStatus: Done\nSubject: a sender's\n\nx\n")
    done = server.imapctl("import", user, "mbox", tmp_path / "box")
    assert done.stdout == "3 imported, 0 there already, 1 left out\n" and "Thunderbird" in done.stderr
    assert facts(server, user) == [
        ({b"\\Seen", b"\\Flagged", b"Family"}, b"23-May-2025 16:35:53 +0000", b"Subject: takeout\r\n\r\nx\r\n"),
        ({b"\\Seen", b"work", b"$label1"}, b"4-Mar-2003 09:08:07 +0000", b"Subject: thunderbird\r\n\r\nx\r\n"),
        (set(), b"5-Jan-2009 04:05:06 +0000", b"Status: Done\r\nSubject: a sender's\r\n\r\nx\r\n")]
    server.imapctl("import", user, "mbox", tmp_path / "box", "--mailbox=Gmail", "--labels=mailboxes")
    assert count(server, user, b"Gmail/Family") == 1 and count(server, user, b"Gmail") == 2
    done = server.imapctl("import", user, "mbox", tmp_path / "box", "--labels=folders", check=False)
    assert done.returncode == 64 and "keywords or mailboxes" in done.stderr


def test_what_python_writes(server, user, tmp_path):
    """The same messages in every format that Python's mailbox can write come in the same."""
    letters = [b"Subject: 1\n\nbody\n", b"Subject: 2\n\nFrom me\n\n", b"Subject: 3\n\nbody"]
    for kind, box, letter in (("mbox", mailbox.mbox, mailbox.mboxMessage), ("mmdf", mailbox.MMDF, mailbox.MMDFMessage),
                              ("babyl", mailbox.Babyl, mailbox.BabylMessage)):
        path = tmp_path / kind
        written = box(path)
        for number, octets in enumerate(letters):
            message = letter(octets)
            if number == 0 and kind == "babyl":
                message.set_labels(["answered", "work"])
            elif number == 0:
                message.set_flags("ROA")
            elif kind == "babyl":
                message.set_labels(["unseen"])
            written.add(message)
        written.flush()
        server.imapctl("import", user, path, f"--mailbox={kind}")
        found = facts(server, user, kind.encode())
        assert [flags for flags, _, _ in found] == [
            {b"\\Seen", b"\\Answered", b"work"} if kind == "babyl" else {b"\\Seen", b"\\Answered"}, set(), set()]
        # A line end at the end is Python's own where there was none.
        assert [octets.rstrip(b"\r\n") for _, _, octets in found] == [
            letter.replace(b"\n", b"\r\n").rstrip(b"\r\n") for letter in letters]


def test_a_doubtful_separator_is_told(server, user, tmp_path):
    (tmp_path / "box").write_bytes(separated(1, body=b"prose\nFrom b@c Thu Dec  1 03:46:52 2005\nprose\n"))
    done = server.imapctl("import", user, "mbox", tmp_path / "box", check=False)
    assert done.returncode == 65 and done.stdout == "1 imported, 0 there already\n"
    assert re.search(r"1 doubtful: .*separator.*box:\d+\)", done.stderr)
    report = json.loads(server.imapctl("--json", "import", user, "mbox", tmp_path / "box", check=False).stdout)
    assert report["imported"] == 0 and report["already"] == 1 and report["notes"][0]["kind"] == "doubtful"


def test_twice_is_once(server, user, tmp_path):
    twin = separated(7)
    (tmp_path / "box").write_bytes(twin + separated(8) + twin)
    assert server.imapctl("import", user, tmp_path / "box").stdout == "3 imported, 0 there already\n"
    assert server.imapctl("import", user, tmp_path / "box").stdout == "0 imported, 3 there already\n"
    # One more copy than before, one with another date, one with other octets of the same size; flags do not count.
    (tmp_path / "box").write_bytes(twin * 3 + separated(8, b"Status: RO\n") + separated(8).replace(b"03:46", b"03:47") +
                                   separated(8, body=b"BODY\n"))
    assert server.imapctl("import", user, tmp_path / "box").stdout == "3 imported, 3 there already\n"
    assert server.imapctl("import", user, tmp_path / "box", "--mailbox=Other").stdout == "6 imported, 0 there already\n"
    assert count(server, user) == 6
    # What was expunged comes in again.
    with server.client(user) as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 2 +FLAGS (\\Deleted)")
        client.ok(b"EXPUNGE")
    assert server.imapctl("import", user, tmp_path / "box").stdout == "1 imported, 5 there already\n"


def test_twice_is_once_for_single_messages(server, user, tmp_path):
    """Without a Date field the file's time is the date, the same again; NUL is compared, too; folders are mailboxes."""
    (tmp_path / "letters" / "sub").mkdir(parents=True)
    (tmp_path / "letters" / "1").write_bytes(b"Subject: no date\n\na\0b\n")
    (tmp_path / "letters" / "sub" / "2").write_bytes(lib.message(2))
    done = server.imapctl("import", user, "eml", tmp_path / "letters")
    assert done.stdout == "2 imported, 0 there already\n" and "1 not taken over: NUL" in done.stderr
    assert server.imapctl("import", user, "eml", tmp_path / "letters").stdout == "0 imported, 2 there already\n"
    assert count(server, user, b"sub") == 1


def test_eml_refuses_what_is_no_mail(server, user, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "1.eml").write_bytes(lib.message(1))
    (folder / "1.ics").write_bytes(b"BEGIN:VCALENDAR\nSUMMARY:x\n")
    (folder / "context").write_bytes(b"Current-Folder: inbox\n")
    (folder / "all").write_bytes(separated(1) + separated(2))
    done = server.imapctl("import", user, "eml", folder, check=False)
    assert done.returncode == 65 and done.stdout == "1 imported, 0 there already, 3 refused\n"
    for name in ("1.ics", "context", "all"):
        assert re.search(rf"{name}: not imported: ", done.stderr)


def test_a_path_of_another_kind_is_named(server, user, tmp_path):
    (tmp_path / "letter").write_bytes(lib.message(1))
    for words, code, said in ((["mbox", tmp_path], 65, "is a folder"), (["maildir", tmp_path / "letter"], 65, "is no maildir"),
                              (["mbox", tmp_path / "letter"], 65, "is no mbox"), (["mbx", tmp_path / "letter"], 65, "is no mbx"),
                              (["mbox", tmp_path / "missing"], 66, "No such file"), (["mix", tmp_path / "letter"], 65, "is a file"), (["nsf", tmp_path / "letter"], 64, "mmdf")):
        done = server.imapctl("import", user, *words, check=False)
        assert done.returncode == code and said in done.stderr and "ioctl" not in done.stderr, words


def test_files_go_to_one_mailbox(server, user, tmp_path):
    (tmp_path / "letter.eml").write_bytes(lib.message(1))
    done = server.imapctl("import", user, tmp_path / "letter.eml", "--mailbox=One", "--mailbox=Two", check=False)
    assert (done.returncode, done.stdout) == (64, "") and "--mailbox more than once" in done.stderr


def test_a_pipe_can_be_imported(server, user, tmp_path):
    done = subprocess.run([lib.IMAPCTL, f"--config={server.config}", "import", user, "mbox", "/dev/stdin"],
                          input=separated(1) + separated(2), capture_output=True)
    assert done.returncode == 0 and done.stdout == b"2 imported, 0 there already\n"


def test_more_keywords_than_a_mailbox_has_room_for(server, user, tmp_path):
    """No message stays out for its keywords."""
    (tmp_path / "box").write_bytes(b"".join(separated(number, b"X-Keywords: word%d\n" % number) for number in range(2000)))
    done = server.imapctl("import", user, "mbox", tmp_path / "box", check=False)
    assert done.returncode == 0 and done.stdout == "2000 imported, 0 there already\n"
    lost = re.search(r"(\d+) not taken over: keywords", done.stderr)
    kept = sum(1 for flags, _, _ in facts(server, user) if flags)
    assert kept + (int(lost[1]) if lost else 0) == 2000 and kept > 0


def test_memory_is_bounded(server, user, tmp_path):
    """A file of 200 MB needs what a file of one message does, a little more."""
    def peak(path):
        done = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "import", user, "mbox", path],
                                stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(done.pid, 0)
        assert status == 0
        return usage.ru_maxrss
    (tmp_path / "small").write_bytes(separated(1))
    with open(tmp_path / "large", "wb") as out:
        for number in range(400):
            out.write(separated(number, body=b"%64d\n" % number * 8000))
    assert peak(tmp_path / "large") < peak(tmp_path / "small") + 40 * 1024


def test_a_full_mailbox_is_told(tmp_path):
    """With --json, too: what the server said is in the error."""
    (tmp_path / "box").write_bytes(separated(1) + separated(2))
    with lib.Server(users=("demo",), settings=("quota-messages 1",)) as small:
        done = small.imapctl("--json", "import", "demo", "mbox", tmp_path / "box", check=False)
    report = json.loads(done.stdout)
    assert done.returncode == report["error"]["code"] == 73 and report["imported"] == 0
    assert "[OVERQUOTA]" in report["error"]["text"] and report["error"]["text"] in done.stderr


def test_an_interrupted_import_says_how_far_it_came_and_goes_on(server, user, tmp_path):
    total = 20000
    with open(tmp_path / "box", "wb") as out:
        for number in range(total):
            out.write(separated(number))
    with server.client(user) as client:
        command = [lib.IMAPCTL, f"--config={server.config}", "import", user, "mbox", tmp_path / "box"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lib.wait_until(lambda: client.ok(b"STATUS INBOX (MESSAGES)").untagged != [b"* STATUS INBOX (MESSAGES 0)"])
        # While the server stands still, no more than a window of messages can be handed over.
        lib.freeze(server.process)
        running.send_signal(signal.SIGINT)
        lib.thaw(server.process)
        out, errors = running.communicate(timeout=lib.LIMIT_S)
    assert running.returncode == 75 and "interrupted" in errors
    came = int(re.match(r"(\d+) imported, 0 there already\n", out)[1])
    assert 0 < came < total and count(server, user) == came
    for _ in range(3):      # and when it is killed
        before = count(server, user)
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lib.wait_until(lambda: running.poll() is not None or count(server, user) > before)
        running.kill()
        running.wait()
    done = server.imapctl("import", user, "mbox", tmp_path / "box")
    new, known = map(int, re.match(r"(\d+) imported, (\d+) there already\n", done.stdout).groups())
    assert new + known == total and known >= came and count(server, user) == total
