"""Pulling an account from another server: our own, since that is always there."""
import json
import re
import signal
import subprocess

import pytest

import server as lib

KEYWORDS = [b"kw%d" % number for number in range(45)]


@pytest.fixture(scope="module")
def old():
    """The server that goes on running."""
    with lib.Server(users=()) as running:
        yield running
        running.check_log()


@pytest.fixture(scope="module")
def new():
    """The server that is moved to."""
    with lib.Server(users=()) as running:
        yield running
        running.check_log()


@pytest.fixture
def user(old, new, request):
    """A user of this name on both."""
    name = re.sub(r"\W", "-", request.node.name)[:40]
    old.add_user(name)
    new.add_user(name)
    return name


def letter(number, body=b"body\r\n"):
    return b"Subject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\n" % (number, number) + body


def append(client, mailbox, octets, flags=b"", date=b"17-Jul-1996 02:44:25 -0700"):
    opening = b"~" if b"\0" in octets else b""
    client.ok(b'APPEND "%s" (%s) "%s" %s{%d+}\r\n%s' % (mailbox, flags, date, opening, len(octets), octets))


def pull(old, new, user, *words, check=True, password=lib.PASSWORD):
    return new.imapctl("import", user, f"imap://{user}@localhost:{old.imap_port}", f"--tls-ca={old.cert}", *words,
                       input=password + "\n", check=check)


def messages(server, user, mailbox):
    """(flags, date, octets) of each message."""
    with server.client(user) as client:
        client.ok(b'EXAMINE "%s"' % mailbox)
        found = []
        for line in client.ok(b"FETCH 1:* (FLAGS INTERNALDATE)").untagged:
            match = re.search(rb'FLAGS \((.*?)\) INTERNALDATE "(.*?)"', line)
            if match:
                flags, date = match.groups()
                octets = client.fetch_body(len(found) + 1)
                found.append((sorted(set(flags.lower().split()) - {b"\\recent"}), date.strip(), octets))
        return found


def mailboxes(server, user):
    with server.client(user) as client:
        lines = client.ok(b'LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)').untagged
    return {re.search(rb' "/" (.*)$', line)[1].strip(b'"'): set(re.match(rb"\* LIST \((.*?)\)", line)[1].lower().split())
            for line in lines if line.startswith(b"* LIST")}


def compare(old, new, user):
    theirs, ours = mailboxes(old, user), mailboxes(new, user)
    assert set(theirs) <= set(ours)
    for name in theirs:
        if b"\\noselect" not in theirs[name] and b"\\nonexistent" not in theirs[name]:
            assert sorted(messages(new, user, name)) == sorted(messages(old, user, name)), name


def fill(old, user):
    """An account with all that IMAP has."""
    with old.client(user) as client:
        for name in (b"Lists/r-devel", b"Entw&APw-rfe", b"empty", b"a.b", b"Lists/r-devel/old", b"100%"):
            client.ok(b'CREATE "%s"' % name)
        client.ok(b'SUBSCRIBE "Lists/r-devel"')
        append(client, b"INBOX", letter(1), b"\\Seen \\Answered \\Flagged \\Draft")
        append(client, b"INBOX", letter(2), b"\\Deleted")
        append(client, b"INBOX", letter(3), b" ".join(KEYWORDS))
        append(client, b"INBOX", letter(4), b"$Forwarded $Junk \\Seen", b"29-Feb-2000 23:59:59 +0530")
        append(client, b"INBOX", letter(5, b"NUL \0 and \x80 octets\r\n"))
        append(client, b"INBOX", b"bare\nLF and no header")
        append(client, b"Lists/r-devel", letter(7, b"x" * 300000 + b"\r\n"))
        for _ in range(2):                       # the same twice
            append(client, b"Entw&APw-rfe", letter(8), b"\\Seen")
        for number in range(300):
            append(client, b"Lists/r-devel/old", letter(number), b"\\Seen" if number % 3 else b"")
        client.ok(b"SELECT Lists/r-devel/old")
        client.ok(b"STORE 10:20,33 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")


def test_a_whole_account(old, new, user):
    fill(old, user)
    done = pull(old, new, user)
    assert done.stdout == "297 imported, 0 there already\n", done.stderr
    compare(old, new, user)
    ours = mailboxes(new, user)
    assert b"\\subscribed" in ours[b"Lists/r-devel"] and b"\\subscribed" not in ours[b"empty"]
    again = pull(old, new, user)
    assert again.stdout == "0 imported, 297 there already\n"
    compare(old, new, user)


def verify(old, new, user, *words, code=0):
    done = pull(old, new, user, "--verify", *words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def count(server, user, mailbox=b"INBOX"):
    with server.client(user) as client:
        lines = client.ok(b'STATUS "%s" (MESSAGES)' % mailbox).untagged
    return int(re.search(rb"MESSAGES (\d+)", lines[0])[1])


def many(old, user, number=1200, mailbox=b"INBOX"):
    """Mail of which each tenth is there twice."""
    with old.client(user) as client:
        for first in range(0, number, 100):
            letters = [letter(index - index % 10 // 9, b"x" * 3000) for index in range(first, min(first + 100, number))]
            client.ok(b"APPEND %s%s" % (mailbox, b"".join(
                b' (\\Seen) "17-Jul-1996 02:44:25 -0700" {%d+}\r\n%s' % (len(octets), octets) for octets in letters)))


def start(old, new, user, *words):
    process = subprocess.Popen([lib.IMAPCTL, f"--config={new.config}", "import", user, f"imap://{user}@localhost:{old.imap_port}",
                                f"--tls-ca={old.cert}", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write(lib.PASSWORD + "\n")
    process.stdin.close()
    return process


def stop_when(process, new, user, number, sign):
    """Send a signal when so many messages have come, or the program has ended."""
    lib.wait_until(lambda: process.poll() is not None or count(new, user) >= number)
    process.send_signal(sign)
    process.stdout.read()
    process.stdout.close()
    text = process.stderr.read()
    process.stderr.close()
    process.wait(lib.LIMIT_S)
    return text


def test_killed_and_gone_on(old, new, user):
    many(old, user)
    for number in (1, 60, 350, 600, 601, 900):
        stop_when(start(old, new, user), new, user, number, signal.SIGKILL)
    pull(old, new, user)
    compare(old, new, user)
    assert verify(old, new, user) == "1200 compared, 0 differ\n"


def test_interrupted_and_gone_on(old, new, user):
    many(old, user)
    process = start(old, new, user)
    text = stop_when(process, new, user, 1, signal.SIGTERM)
    assert process.returncode in (0, 75) and (process.returncode == 0 or "run again" in text)
    pull(old, new, user)
    compare(old, new, user)


def test_the_difference_alone(old, new, user):
    fill(old, user)
    pull(old, new, user)
    with old.client(user) as client:
        append(client, b"INBOX", letter(100), b"\\Seen")
        append(client, b"INBOX", letter(1), b"\\Seen \\Answered \\Flagged \\Draft")      # the same as one that is there
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 1 -FLAGS.SILENT (\\Seen)")
        client.ok(b"UID STORE 3 FLAGS.SILENT (kw1 later)")
        client.ok(b"UID STORE 4 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"UID EXPUNGE 4")
    done = pull(old, new, user)
    assert done.stdout == "2 imported, 296 there already\n"
    assert count(new, user) == 8
    text = verify(old, new, user, code=1)
    assert "INBOX UID 1: flags" in text and "INBOX UID 3: flags" in text and "INBOX UID 4: is here" in text
    assert text.endswith("298 compared, 3 differ\n")
    done = pull(old, new, user, "--mirror")
    assert done.stdout == "0 imported, 298 there already, 2 with other flags, 1 expunged\n"
    compare(old, new, user)
    assert verify(old, new, user) == "298 compared, 0 differ\n"
    assert pull(old, new, user, "--mirror").stdout == "0 imported, 298 there already\n"


def test_what_was_done_here_stays(old, new, user):
    """A message deleted here does not come back, flags set here stay, mail that came here stays; but for --mirror."""
    fill(old, user)
    pull(old, new, user)
    with new.client(user) as client:
        append(client, b"INBOX", letter(77))
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 1 FLAGS.SILENT (mine)")
        client.ok(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"UID EXPUNGE 2")
        client.ok(b"DELETE a.b")
        client.ok(b"RENAME Lists/r-devel/old Moved")
    done = pull(old, new, user)
    assert done.stdout == "0 imported, 297 there already, 1 left out\n" and "deleted here" in done.stderr
    here = mailboxes(new, user)
    assert b"a.b" not in here and b"Lists/r-devel/old" not in here and count(new, user, b"Moved") == 288
    assert count(new, user) == 6 and ([b"mine"], letter(1)) in [(one[0], one[2]) for one in messages(new, user, b"INBOX")]
    assert "INBOX UID 2: was deleted here" in verify(old, new, user, code=1)
    done = pull(old, new, user, "--mirror")
    assert done.stdout == "1 imported, 296 there already, 1 with other flags\n"
    assert b"a.b" in mailboxes(new, user) and letter(77) in [one[2] for one in messages(new, user, b"INBOX")]
    assert verify(old, new, user) == "297 compared, 0 differ\n"


def test_another_uidvalidity(old, new, user):
    """The mailbox is made anew at the source: contents say what is here."""
    many(old, user, 120, b"Archive")
    pull(old, new, user)
    with old.client(user) as client:
        client.ok(b"RENAME Archive Elsewhere")
        client.ok(b"CREATE Archive")
        client.ok(b"SELECT Elsewhere")
        client.ok(b"COPY 1:120 Archive")
    done = pull(old, new, user, "--mailbox=Archive")
    assert done.stdout == "0 imported, 120 there already\n"
    with old.client(user) as client:
        append(client, b"Archive", letter(500))
    assert pull(old, new, user, "--mailbox=Archive").stdout == "1 imported, 120 there already\n"
    compare_one(old, new, user, b"Archive")


def compare_one(old, new, user, name):
    assert sorted(messages(new, user, name)) == sorted(messages(old, user, name))


def test_patterns_and_counting(old, new, user):
    fill(old, user)
    done = pull(old, new, user, "--dry-run")
    assert done.stdout.endswith("\n297 would be imported, 0 there already\n") and count(new, user) == 0
    assert "Lists/r-devel/old: 288 to import, 0 there already\n" in done.stdout
    assert b"Lists/r-devel" not in mailboxes(new, user)
    assert pull(old, new, user, "--mailbox=Lists/%").stdout.startswith("1 imported")
    assert pull(old, new, user, "--mailbox=Lists/*", "--mailbox=Entw*", "--exclude=Lists/r-devel").stdout == \
        "290 imported, 0 there already\n"
    assert count(new, user) == 0
    assert pull(old, new, user, "--dry-run").stdout.endswith("\n6 would be imported, 291 there already\n")


def test_words_when_it_cannot_be(old, new, user):
    """Exit codes and clear words, and nothing half."""
    def code(*words, expected, says, url=f"imap://{user}@localhost:{old.imap_port}", name=user, password=lib.PASSWORD):
        done = new.imapctl("import", name, url, *words, input=password + "\n", check=False)
        assert done.returncode == expected and says in done.stderr, (done.returncode, done.stdout, done.stderr)

    ca = f"--tls-ca={old.cert}"
    code(ca, expected=77, says="", password="wrong")
    code(expected=76, says="certificate")
    code(ca, expected=67, says="", name="nobody-here")
    code(ca, expected=64, says="no user", url=f"imap://localhost:{old.imap_port}")
    code(ca, expected=64, says="", url=f"imap://{user}:secret@localhost:{old.imap_port}")
    code(ca, expected=69, says="", url=f"imap://{user}@localhost:{lib.free_port()}")
    code(ca, "--mirror", "--verify", expected=64, says="together")
    code(ca, "--labels=folders", expected=64, says="keywords or mailboxes")
    code("--mirror", expected=64, says="--mirror is for imap://", url=str(old.config))
    for verb in ((), ("--dry-run",), ("--verify",)):
        code(ca, "--mailbox=Nope*", *verb, expected=66, says="no such mailbox")
        code(ca, *verb, expected=66, says="no such mailbox", url=f"imap://{user}@localhost:{old.imap_port}/Nope")
    code("--insecure", expected=0, says="")


def test_json(old, new, user):
    fill(old, user)
    report = json.loads(pull(old, new, user, "--json").stdout)
    assert report["imported"] == 297 and report["already"] == 0 and report["refused"] == []
    report = json.loads(pull(old, new, user, "--json", "--verify").stdout)
    assert report["compared"] == 297 and report["differences"] == []
    with new.client(user) as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 1 FLAGS.SILENT ()")
    report = json.loads(pull(old, new, user, "--json", "--verify", check=False).stdout)
    assert [one["origin"] for one in report["differences"]] == ["INBOX UID 1"]


def test_larger_than_taken_here(old, user):
    with lib.Server(users=(user,), settings=["message-size-limit 1M"]) as small:
        with old.client(user) as client:
            append(client, b"INBOX", letter(1, b"x" * 3000000))
            append(client, b"INBOX", letter(2))
        done = pull(old, small, user, check=False)
        assert done.returncode == 65 and done.stdout == "1 imported, 0 there already, 1 refused\n"
        assert "message-size-limit" in done.stderr and count(small, user) == 1


def test_no_room_in_the_quota(old, new, user):
    many(old, user, 200)
    new.imapctl("user", "set", user, "--quota-messages=100")
    done = pull(old, new, user, check=False)
    assert done.returncode == 73 and "make room and run again" in done.stderr
    new.imapctl("user", "set", user, "--quota-messages=none")
    pull(old, new, user)
    compare(old, new, user)


def test_the_state_is_lost(old, new, user):
    """Without it contents are compared, and nothing comes twice."""
    fill(old, user)
    pull(old, new, user)
    with new.client(user) as client:
        for name in [b"", *mailboxes(new, user)]:
            lines = client.ok(b'GETMETADATA (DEPTH infinity) "%s" /private/vendor/imapd/import' % name).untagged
            for entry in re.findall(rb"/private/vendor/imapd/import/[0-9a-f/]+(?:state)?", b"\r\n".join(lines)):
                client.ok(b'SETMETADATA "%s" (%s NIL)' % (name, entry))
    assert pull(old, new, user).stdout == "0 imported, 297 there already\n"
    compare(old, new, user)
    assert verify(old, new, user) == "297 compared, 0 differ\n"


@pytest.fixture
def listed(old, new, tmp_path, request):
    """Six users of both, each with some mail, and the file that names them."""
    users = [f"{request.node.name[:20]}-{number}" for number in range(6)]
    (tmp_path / "password").write_text(lib.PASSWORD + "\n")
    (tmp_path / "wrong").write_text("wrong\n")
    lines = ["# who moves", ""]
    for number, user in enumerate(users):
        old.add_user(user)
        new.add_user(user)
        many(old, user, 20 + number)
        lines.append(f"{user}, imap://{user}@localhost:{old.imap_port} ,{tmp_path}/password")
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    return tmp_path / "list", users


def pull_list(old, new, path, *words, check=True):
    return new.imapctl("import", f"--list={path}", f"--tls-ca={old.cert}", *words, check=check)


def test_many_users(old, new, listed):
    path, users = listed
    done = pull_list(old, new, path, "--jobs=3", "--jobs-per-host=2")
    assert sorted(done.stdout.splitlines()) == [f"{user}: {20 + number} imported, 0 there already" for number, user in enumerate(users)]
    for user in users:
        compare(old, new, user)
    report = json.loads(pull_list(old, new, path, "--json").stdout)
    assert {one["user"]: (one["code"], one["imported"], one["already"]) for one in report["user"]} == \
        {user: (0, 0, 20 + number) for number, user in enumerate(users)}


def test_the_worst_of_many(old, new, listed, tmp_path):
    path, users = listed
    text = path.read_text().replace(f"{users[1]}@localhost:{old.imap_port} ,{tmp_path}/password",
                                    f"{users[1]}@localhost:{old.imap_port} ,{tmp_path}/wrong")
    path.write_text(text + f"nobody-here,imap://{users[0]}@localhost:{old.imap_port},{tmp_path}/password\n")
    done = pull_list(old, new, path, "--auth=plain", check=False)      # tried once: each failure waits longer
    assert done.returncode == 77 and len(done.stdout.splitlines()) == 7
    assert f"{users[1]}: failed, exit status 77" in done.stdout and "nobody-here: failed, exit status 67" in done.stdout
    for user in users[2:]:
        compare(old, new, user)
    assert count(new, users[1]) == 0
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(users[1])))
    report = json.loads(pull_list(old, new, path, "--json", check=False).stdout)
    assert {one["user"]: one["code"] for one in report["user"]} == {**dict.fromkeys(users[:1] + users[2:], 0), "nobody-here": 67}


def test_many_stopped(old, new, listed):
    path, users = listed
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen([lib.IMAPCTL, f"--config={new.config}", "import", f"--list={path}", f"--tls-ca={old.cert}",
                                    "--jobs=2"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True)
        assert process.stdout.readline()
        process.send_signal(sign)
        process.stdout.read()
        process.stdout.close()
        process.wait(lib.LIMIT_S)
    pull_list(old, new, path)
    for user in users:
        compare(old, new, user)


def test_a_list_that_is_none(old, new, tmp_path):
    def code(text, *words, expected=65, says=""):
        (tmp_path / "list").write_text(text)
        done = pull_list(old, new, tmp_path / "list", *words, check=False)
        assert done.returncode == expected and says in done.stderr, (done.returncode, done.stderr)

    code("alice,imap://alice@old.example.org\n", says="list:1")
    code("# nobody\n", expected=66, says="names nobody")
    code("\nalice,http://alice@old.example.org,file\n", says="list:2")
    code("alice,imap://old.example.org,file\n", says="no user")
    code("alice,imap://alice@old.example.org,file\n", "--jobs=0", expected=64, says="number")
    code("alice,imap://alice@old.example.org,file\n", "--password-file=x", expected=64, says="one user")
    assert new.imapctl("import", "--list=/nowhere", check=False).returncode == 66
    assert new.imapctl("import", "alice", "/tmp", "--jobs=2", check=False).returncode == 64
    assert new.imapctl("import", "alice", check=False).returncode == 64


def test_special_uses(old, new, user):
    """What the source calls Sent is it here; the empty one that every user gets is it no more, unless it is there, too."""
    with old.client(user) as client:
        client.ok(b'CREATE "Gesendet" (USE (\\Sent))')
        append(client, b"Gesendet", letter(1))
        client.ok(b"DELETE Sent")
        client.ok(b'CREATE "More drafts" (USE (\\Drafts))')
    pull(old, new, user)
    here = mailboxes(new, user)
    assert b"\\sent" in here[b"Gesendet"] and b"\\sent" not in here[b"Sent"]
    assert b"\\drafts" in here[b"Drafts"] and b"\\drafts" in here[b"More drafts"]


def test_mailboxes_gone_at_the_source(old, new, user):
    """--mirror follows a rename and a DELETE; what came here otherwise stays, with its mailbox."""
    fill(old, user)
    pull(old, new, user)
    with old.client(user) as client:
        client.ok(b"RENAME Lists/r-devel/old Lists/ancient")
        client.ok(b"DELETE Entw&APw-rfe")
        client.ok(b"DELETE a.b")
    with new.client(user) as client:
        append(client, b"Entw&APw-rfe", letter(78))
    done = pull(old, new, user)
    assert done.stdout == "288 imported, 7 there already\n"
    assert count(new, user, b"Lists/r-devel/old") == 288 and b"a.b" in mailboxes(new, user)
    done = pull(old, new, user, "--mirror")
    assert done.stdout.startswith("0 imported, 295 there already, 290 expunged")
    here = mailboxes(new, user)
    assert b"Lists/r-devel/old" not in here and b"a.b" not in here
    assert [one[2] for one in messages(new, user, b"Entw&APw-rfe")] == [letter(78)]
    with old.client(user) as client:
        client.ok(b"CREATE a.b")
        append(client, b"a.b", letter(79))
    assert pull(old, new, user).stdout.startswith("1 imported")
    compare(old, new, user)
