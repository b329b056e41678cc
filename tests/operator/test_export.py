"""Mail taken out by `imapctl export` and brought in again is the same: octets, flags, keywords, dates, names and more."""
import itertools
import json
import mailbox
import os
import random
import re
import signal
import stat
import subprocess

import pytest

import server as lib

NUMBERS = itertools.count(1)
SEEDS = range(1, 1 + int(os.environ.get("EXPORT_SEEDS", "1")))
FORMATS = ["maildir", "mbox", "eml"]
FLAGS = [b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft", b"$Forwarded"]
NAMES = ["Work", "work", "WORK/2020", "Work/2020", "a.b", "a.b/c.d", ".hidden", "x/.y", "..", "a/../b", "a/.", "~root", "back\\slash",
         "a\\2eb", "Entwürfe", "Entw&APw-rfe", "a&b", "& alone", "日本語/台北", "q\"uote", "star*%", "sp ace /x ", "INBOX/below", "Inboxes",
         "box.mbox", "box.mbox/deeper", "0000000001.eml", "letter.eml/x", "imapd-export", "imapd-export/new", "cur", "new/tmp", "tmp",
         "x.directory", "y.directory/z", "subscriptions", "dovecot-uidlist", "l" * 300, "m" * 240, "é" * 200 + "/" + "ü" * 180,
         "/".join("d" * 9 for _ in range(50)), "-dash", "'single'", "$(true)", "a:2,S", "tab~1"]
ODD = [b"Subject: plain\r\n\r\nbody\r\n", b"Subject: no line end\r\n\r\nbody", b"Subject: header alone\r\n\r\n", b"Subject: cut off\r\n",
       b"Subject", b"\r\n", b"\n", b"\r", b"\r\nno header\r\n", b"\r\n\r\n\r\n\r\n", b"no header at all\r\n\r\nbut two parts\r\n", b"x", b" folded\r\n\r\nx\r\n",
       b"From me@example.org Thu Jan  1 00:00:00 2004\r\nSubject: a separator first\r\n\r\nx\r\n", b">From quoted\r\nSubject: x\r\n\r\n",
       b"Subject: From_ lines\r\n\r\nFrom here on\r\n>From there\r\n>>From twice\r\n >From\r\nfrom small\r\nFrom \r\nFrom\r\n",
       b"Subject: a whole separator\r\n\r\nx\r\n\r\nFrom a@example.org Thu Jan  1 00:00:00 2004\r\nSubject: not another\r\n\r\ny\r\n",
       b"Subject: in the header\r\nFrom a@example.org Thu Jan  1 00:00:00 2004\r\n>From x\r\n\r\ny\r\n",
       b"Subject: bare LF\n\nbody\nmore\r\n", b"Subject: mixed\r\n\nbody\n\r\n\r", b"Subject: bare CR\r\n\r\na\rb\r\r\nc\r\r\r\n\r",
       b"Subject: ends in CR\r\n\r\nbody\r", b"Subject: 8-bit \xff\xfe\xe4\r\n\r\n" + bytes(range(1, 256)) + b"\r\n",
       b"Status: RO\r\nX-Status: DF\r\nX-Keywords: mine\r\nX-UID: 7\r\nContent-Length: 3\r\nLines: 2\r\nX-IMAPbase: 1 2 a\r\nSubject: theirs\r\n\r\nbody\r\n",
       b"X-Imapd-Export: uidvalidity=1 uid=1 octets=2 date=3 lines=lf\r\nSubject: forged\r\n\r\nbody\r\n",
       b"X-IMAPbase: 1 2\r\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\nx\r\n",
       b"X-Mozilla-Status: 0009\r\nX-Mozilla-Keys: a\r\nX-Gmail-Labels: Sent,Spam\r\nSubject: others' fields\r\n\r\nx\r\n",
       b"\x1f\x8b\x08 like gzip\r\n", b"BZh91AY&SY: like bzip2\r\n\r\nx\r\n", b"\x28\xb5\x2f\xfd\r\n", b"\x01\x01\x01\x01\r\nx\r\n", b"CRYPTED\x03\x07x",
       b"BABYL OPTIONS:\r\n", b"*mbx*\r\n", b"BEGIN:VCALENDAR\r\n", b"\x02N\x01\r\n",
       b"Subject: long line\r\n\r\n" + b"x" * 200000 + b"\r\n", b"Subject: " + b"From " * 20000 + b"\r\n\r\n" + b"From " * 30000,
       b"Subject: large\r\n\r\n" + b"0123456789 From line to line\r\nFrom x\r\n" * 60000]
DATES = [b"17-Jul-1996 02:44:25 -0700", b"01-Jan-1970 00:00:00 +0000", b"31-Dec-1969 23:59:59 +0000", b"20-Jul-1969 20:17:40 +0000",
         b"14-Dec-1901 12:00:00 +1200", b"01-Jan-1600 00:00:00 +0000", b"31-Dec-9999 23:59:59 +0000", b"31-Dec-2037 23:59:59 -1100", b"29-Feb-2024 12:00:00 +0530", b"01-Jan-2100 00:00:00 +0000"]


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=()) as running:
        yield running


@pytest.fixture
def user(server, request):
    """A user for one test alone."""
    name = f"{re.sub(r'[^a-z]+', '-', request.node.name)[5:35]}{next(NUMBERS)}"
    server.add_user(name)
    return name


def encoded(name):
    """Modified UTF-7, quoted."""
    out = ""
    for part in re.findall(r"[ -~]+|[^ -~]+", name):
        if part[0] < "\x7f":
            out += part.replace("&", "&-")
        else:
            import base64
            out += "&" + base64.b64encode(part.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
    return b'"' + out.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def words(text):
    """What stands between parentheses."""
    return frozenset(text.split()) - {b"\\Recent"}


def all_of(client, name):
    """Octets, flags and keywords, and date of each message, by UID."""
    client.ok(b"EXAMINE " + name)
    found = {}
    for line in client.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE BINARY.PEEK[])").untagged:
        facts = re.search(rb'UID (\d+) FLAGS \((.*?)\) INTERNALDATE "(.*?)" BINARY\[\] (?:~?\{(\d+)\}\r\n|"((?:[^"\\]|\\.)*)"|NIL)', line, re.S)
        if facts is None:
            continue
        octets = line[facts.end():facts.end() + int(facts[4])] if facts[4] else re.sub(rb"\\(.)", rb"\1", facts[5] or b"", flags=re.S)
        found[int(facts[1])] = (octets, words(facts[2]), facts[3].strip())
    return found


def everything(server, user):
    """All mailboxes with their attributes and messages, in the order of UIDs, and all subscriptions."""
    with server.client(user) as client:
        listed = client.ok(b'LIST "" * RETURN (SPECIAL-USE)').untagged
        subscribed = client.ok(b'LIST (SUBSCRIBED) "" *').untagged
        boxes = {}
        for line in listed:
            attributes, name = re.match(rb'\* LIST \((.*?)\) "/" (.*)$', line, re.S).groups()
            uses = words(attributes) & {b"\\Archive", b"\\Drafts", b"\\Junk", b"\\Sent", b"\\Trash", b"\\Important"}
            if b"\\Noselect" not in attributes and b"\\NonExistent" not in attributes:
                boxes[name] = (uses, [message for _, message in sorted(all_of(client, name).items())])
        return boxes, sorted(re.match(rb'\* LIST \(.*?\) "/" (.*)$', line, re.S)[1] for line in subscribed)


def fill(server, user, seed):
    """Odd mail in oddly named mailboxes."""
    chosen = random.Random(seed)
    keywords = [b"k%02d" % number for number in range(40)] + [b"$Label1", b"NonJunk", b"!x#'"]
    with server.client(user) as client:
        for name in NAMES:
            client.ok(b"CREATE " + encoded(name))
            if chosen.random() < 0.7:
                client.ok(b"SUBSCRIBE " + encoded(name))
        client.ok(b'CREATE "Post ausgang" (USE (\\Important))')
        client.ok(b"UNSUBSCRIBE Trash")
        client.ok(b"SUBSCRIBE no-such/mailbox")
        messages = ODD + [b"Subject: %d\r\n\r\n%d\r\n" % (number, number) for number in range(80)]
        for number, octets in enumerate(messages):
            name = b"INBOX" if chosen.random() < 0.5 else encoded(chosen.choice(NAMES[:-6]))
            count = 40 if number == 50 else chosen.choice([0, 0, 1, 3])
            flags = chosen.sample(FLAGS, chosen.randrange(4)) + chosen.sample(keywords, count)
            assert client.append(name, octets, flags=b" ".join(flags), date=chosen.choice(DATES)).is_ok, octets[:80]
        client.ok(b"APPEND INBOX ~{}", b"Subject: NUL\r\n\r\n" + b"x" * 100 + b"\0\r\n\0")     # RFC 3516
        client.ok(b"SELECT INBOX")
        client.ok(b"UID STORE 3,5 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"UID EXPUNGE 3,5")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_out_and_in_again_is_the_same(server, user, tmp_path, kind, seed):
    fill(server, user, seed)
    before = everything(server, user)
    count = sum(len(messages) for _, messages in before[0].values())
    out = server.imapctl("export", user, kind, tmp_path / "out")
    assert out.stdout == f"{count} exported, 0 there already\n"
    server.add_user(user + "-2")
    done = server.imapctl("import", user + "-2", tmp_path / "out")
    assert done.stdout == f"{count} imported, 0 there already\n" and re.fullmatch(r".*/out: taken for an export of imapctl\n.*NUL octets.*\n", done.stderr)
    after = everything(server, user + "-2")
    assert before[1] == after[1]
    assert sorted(before[0]) == sorted(after[0])
    for name, (uses, messages) in before[0].items():
        assert after[0][name][0] == uses, name
        assert len(after[0][name][1]) == len(messages)
        for old, new in zip(messages, after[0][name][1]):
            assert old == new, (name, old[0][:99], new[0][:99])


def letters(server, user, first, last, name=b"INBOX", size=0):
    with server.client(user) as client:
        for number in range(first, last):
            assert client.append(name, b"Subject: %d\r\n\r\n%s\r\n" % (number, b"x" * size), flags=b"\\Seen k%d" % (number % 3)).is_ok


def same(server, user, other):
    """Whether two users have the same; UIDs do not count."""
    return everything(server, user) == everything(server, other)


def import_anew(server, user, path, name):
    """What another user gets of it, who has nothing before."""
    server.add_user(name)
    server.imapctl("import", name, path)
    return name


@pytest.mark.parametrize("kind", FORMATS)
def test_again_brings_what_is_new(server, user, tmp_path, kind):
    out = tmp_path / "out"
    letters(server, user, 1, 5)
    assert server.imapctl("export", user, kind, out).stdout == "4 exported, 0 there already\n"
    files = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    letters(server, user, 5, 8)
    with server.client(user) as client:
        client.ok(b"CREATE New/Box")
    letters(server, user, 8, 9, b"New/Box")
    assert server.imapctl("export", user, out).stdout == "4 exported, 4 there already\n"     # the format is known
    if kind != "mbox":
        assert all(path.stat().st_mtime_ns == time for path, time in files.items() if "cur" in path.parts or path.suffix == ".eml")
    assert same(server, user, import_anew(server, user, out, user + "-2"))


@pytest.mark.parametrize("kind", FORMATS)
def test_mirror_lets_changes_follow(server, user, tmp_path, kind):
    out = tmp_path / "out"
    letters(server, user, 1, 9)
    with server.client(user) as client:
        client.ok(b"CREATE Gone/Below")
        client.ok(b"CREATE Anew")
    letters(server, user, 1, 3, b"Gone/Below")
    letters(server, user, 1, 3, b"Anew")
    server.imapctl("export", user, kind, out)
    with server.client(user) as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 1 FLAGS (\\Flagged new-one k2)")
        client.ok(b"STORE 2 FLAGS ()")
        client.ok(b"STORE 4,6 +FLAGS (\\Deleted)")
        client.ok(b"EXPUNGE")
        client.ok(b"DELETE Gone/Below")
        client.ok(b"DELETE Anew")
        client.ok(b"CREATE Other")
        client.ok(b"CREATE Anew")
    letters(server, user, 20, 22, b"Anew")
    done = server.imapctl("export", user, out, check=False)
    assert done.returncode == 65 and done.stdout == "0 exported, 8 there already, 1 refused\n"
    assert "4 messages" in done.stderr and "--mirror" in done.stderr and "UIDVALIDITY" in done.stderr
    report = json.loads(server.imapctl("--json", "export", user, out, "--mirror").stdout)
    assert report["refused"] == []
    if kind != "mbox":       # a file of many is written anew
        assert (report["exported"], report["already"], report["changed"], report["removed"]) == (2, 6, 2, 2)
    assert same(server, user, import_anew(server, user, out, user + "-2"))
    assert server.imapctl("export", user, out, "--mirror").stdout == "0 exported, 8 there already\n"


def test_some_mailboxes(server, user, tmp_path):
    with server.client(user) as client:
        for name in (b"Lists/one", b"Lists/two", b"Other"):
            client.ok(b"CREATE " + name)
    letters(server, user, 1, 3, b"Lists/one")
    letters(server, user, 3, 4, b"Other")
    assert server.imapctl("export", user, tmp_path / "out", "--mailbox=Lists/*").stdout == "2 exported, 0 there already\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == [".Lists.one", ".Lists.two"]
    assert server.imapctl("export", user, tmp_path / "out", "--mailbox=Oth%", "--mailbox=inbox").stdout == "1 exported, 0 there already\n"
    assert (tmp_path / "out/cur").is_dir() and (tmp_path / "out/.Other/cur").is_dir()
    assert server.imapctl("export", user, tmp_path / "no", "--mailbox=none", check=False).returncode == 66


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_of_others_is_touched(server, user, tmp_path, kind):
    out, other = tmp_path / "out", tmp_path / "other"
    letters(server, user, 1, 3)
    other.mkdir()
    (other / "precious").write_text("mine")
    done = server.imapctl("export", user, kind, other, check=False)
    assert done.returncode == 73 and "holds no export" in done.stderr and [path.name for path in other.iterdir()] == ["precious"]
    done = server.imapctl("export", user, kind, tmp_path / "no/such", check=False)
    assert done.returncode == 73 and "the last folder alone is made" in done.stderr
    assert server.imapctl("export", user, "pst", out, check=False).returncode == 64
    server.imapctl("export", user, kind, out)
    for path in [out, *out.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    done = server.imapctl("export", user, "mbox" if kind == "eml" else "eml", out, check=False)
    assert done.returncode == 73 and f"in the format {kind}" in done.stderr
    server.add_user(user + "-2")
    done = server.imapctl("export", user + "-2", out, check=False)
    assert done.returncode == 73 and f"another user, {user}" in done.stderr
    # What another program has put into the folder stays there.
    theirs = {"maildir": "cur/1500000000.M1P1.host:2,", "mbox": "INBOX.mbox", "eml": "INBOX/0000000003.eml"}[kind]
    with open(out / theirs, "ab") as file:
        file.write(b"From a@example.org Thu Jan  1 00:00:00 2004\nSubject: theirs\n\nx\n\n" if kind == "mbox" else b"Subject: theirs\n\nx\n")
    letters(server, user, 3, 5)
    with server.client(user) as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"STORE 1 FLAGS ()")
    before = (out / theirs).read_bytes()
    done = server.imapctl("export", user, out, "--mirror", check=False)
    assert done.returncode == 65 and "another program" in done.stderr
    assert (out / theirs).read_bytes() == before
    if kind == "mbox":      # what is new has room behind it
        assert server.imapctl("export", user, out, check=False).stdout == "2 exported, 2 there already\n"
        assert b"Subject: theirs" in (out / theirs).read_bytes()


# System calls that write, and which of them is the last.
POINTS = {"maildir": ("rename:1", "rename:9", "write:20", "syncfs:1", "syncfs:2"), "mbox": ("write:2", "write:3", "rename:3", "syncfs:1", "fsync:2"),
          "eml": ("rename:9", "rename:30", "write:20", "syncfs:1", "unlink:5")}


@pytest.mark.parametrize("kind", FORMATS)
def test_interrupted_anywhere_and_gone_on_with(server, user, tmp_path, kind):
    """Killed at any system call that writes: a second run makes it whole."""
    strace = lib.need("strace")
    letters(server, user, 1, 25, size=3000)
    with server.client(user) as client:
        client.ok(b"CREATE Second/Box")
        client.ok(b'COPY 1:3 "Second/Box"') if client.ok(b"SELECT INBOX") else None
    whole = import_anew(server, user, export(server, user, kind, tmp_path / "whole"), user + "-w")
    assert same(server, user, whole)
    for number, point in enumerate(POINTS[kind]):
        out = tmp_path / f"out{number}"
        killed = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + point.replace(":", ":signal=SIGKILL:when="), lib.IMAPCTL,
                                 f"--config={server.config}", "export", user, kind, out], capture_output=True, timeout=lib.LIMIT_S)
        assert killed.returncode != 0, point
        server.imapctl("export", user, kind, out)
        again = import_anew(server, user, out, f"{user}-{number}")
        assert same(server, user, again), point
        assert not [path for path in out.rglob("*") if path.name.endswith(".new")]


def export(server, user, kind, path):
    server.imapctl("export", user, kind, path)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_is_told_and_gone_on_with(server, user, tmp_path, kind):
    letters(server, user, 1, 40, size=20000)
    strace = lib.need("strace")
    out = tmp_path / "out"
    done = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", f"inject=write:error=ENOSPC:when={2 if kind == 'mbox' else 30}", lib.IMAPCTL,
                           f"--config={server.config}", "export", user, kind, out], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert done.returncode == 73, done.stderr
    assert "No space left" in done.stderr and "goes on where it stopped" in done.stderr
    server.imapctl("export", user, kind, out)
    assert same(server, user, import_anew(server, user, out, user + "-2"))


def test_a_signal_ends_it_in_order(server, user, tmp_path):
    letters(server, user, 1, 30)
    strace = lib.need("strace")
    out = tmp_path / "out"
    done = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "-e", "inject=futex,utimensat:signal=SIGTERM:when=5", lib.IMAPCTL,
                           f"--config={server.config}", "export", user, "maildir", out], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert done.returncode == 75 and "goes on where it stopped" in done.stderr
    assert "incomplete" in (out / "imapd-export").read_text()
    told = server.imapctl("import", user, out, "--mailbox=Part", check=False)
    assert told.returncode == 65 and "has not come to its end" in told.stderr
    server.imapctl("export", user, out, "--mailbox=INBOX")
    assert json.loads(server.imapctl("--json", "export", user, out, "--mailbox=INBOX").stdout)["already"] == 29


def send(server, user, other, *options, check=True):
    """Export to another user by IMAP, as to a server elsewhere."""
    return server.imapctl("export", user, f"imap://{other}@127.0.0.1:{server.imap_port}", f"--tls-ca={server.cert}", *options,
                          input=lib.PASSWORD + "\n", check=check)


@pytest.mark.parametrize("seed", SEEDS)
def test_to_another_server(server, user, seed):
    fill(server, user, seed)
    other = user + "-2"
    server.add_user(other)
    before = everything(server, user)
    count = sum(len(messages) for _, messages in before[0].values())
    done = send(server, user, other)
    assert done.stdout == f"{count} exported, 0 there already\n", done.stderr
    after = everything(server, other)
    assert before[0] == after[0]
    assert set(before[1]) <= set(after[1])
    assert send(server, user, other).stdout == f"0 exported, {count} there already\n"


def test_to_another_server_again_and_interrupted(server, user):
    strace = lib.need("strace")
    other = user + "-2"
    server.add_user(other)
    letters(server, user, 1, 400, size=2000)
    letters(server, user, 1, 2, size=2000)      # twice there, twice it shall be
    for times in (1, 3, 30):
        subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "-e", f"inject=sendto,recvfrom:signal=SIGKILL:when={40 * times}", lib.IMAPCTL,
                        f"--config={server.config}", "export", user, f"imap://{other}@127.0.0.1:{server.imap_port}", f"--tls-ca={server.cert}"],
                       input=lib.PASSWORD + "\n", capture_output=True, text=True, timeout=lib.LIMIT_S)
    letters(server, user, 400, 403)
    done = json.loads(send(server, user, other, "--json").stdout)
    assert done["exported"] + done["already"] == 403 and done["refused"] == []
    with server.client(user) as client:
        mine = sorted(message[:2] for message in all_of(client, b"INBOX").values())
    with server.client(other) as client:
        assert sorted(message[:2] for message in all_of(client, b"INBOX").values()) == mine


def test_to_another_server_in_vain(server, user):
    other = user + "-2"
    server.add_user(other)
    letters(server, user, 1, 3)
    assert send(server, user, other, "--mirror", check=False).returncode == 64
    assert server.imapctl("export", user, "maildir", f"imap://{other}@127.0.0.1:{server.imap_port}", input="x\n", check=False).returncode == 64
    assert server.imapctl("export", user, f"imap://{other}@127.0.0.1:{server.imap_port}", f"--tls-ca={server.cert}", input="wrong\n",
                          check=False).returncode == 77
    server.imapctl("user", "set", other, "--quota-messages=1")
    done = send(server, user, other, check=False)
    assert done.returncode == 73 and "goes on where it stopped" in done.stderr


def simple(server, user):
    """Some mail that every program can keep."""
    with server.client(user) as client:
        for octets, flags in ((b"Subject: one\r\n\r\nFrom me\r\n>From you\r\n", b"\\Seen \\Answered work"),
                              (b"Subject: two\r\n\r\nno end", b"\\Flagged $Forwarded $Label1"),
                              (b"Subject: three\r\n\r\nx\r\n\r\nFrom a@example.org Thu Jan  1 00:00:00 2004\r\nSubject: in it\r\n\r\ny\r\n",
                               b"\\Draft \\Deleted"), (b"Subject: gone\r\n\r\nx\r\n", b"\\Deleted"), (b"Subject: four\r\n\r\nx\r\n", b"")):
            assert client.append(b"INBOX", octets, flags=flags, date=b"17-Jul-1996 02:44:25 -0700").is_ok
        client.ok(b"SELECT INBOX")
        client.ok(b"UID EXPUNGE 4")
        client.ok(b"CREATE Work/2020.old")
        client.ok(b"UNSUBSCRIBE Junk")
        assert client.append(b"Work/2020.old", b"Subject: below\r\n\r\nx\r\n", flags=b"\\Seen").is_ok


def test_python_reads_it(server, user, tmp_path):
    simple(server, user)
    server.imapctl("export", user, "mbox", tmp_path / "mbox")
    server.imapctl("export", user, "maildir", tmp_path / "maildir")
    found = [(message["subject"], set(message.get_flags())) for message in mailbox.mbox(tmp_path / "mbox/INBOX.mbox", create=False)]
    assert found == [("one", set("ROA")), ("two", set("OF")), ("three", set("ODT")), ("four", set("O"))]
    folder = mailbox.Maildir(tmp_path / "maildir", create=False)
    found = {message["subject"]: (set(re.sub("[a-z]", "", message.get_flags())), int(message.get_date())) for message in folder}
    assert found == {"one": (set("SR"), 837596665), "two": (set("FP"), 837596665), "three": (set("DT"), 837596665), "four": (set(), 837596665)}
    assert [message["subject"] for message in folder.get_folder("Work.2020\\2eold")] == ["below"]


class Dovecot:
    """Its imap on a pipe, logged in, on one folder."""

    def __init__(self, folder, location):
        program = "/usr/lib/dovecot/imap"
        if not os.access(program, os.X_OK):
            pytest.skip("Dovecot is not installed")
        if not subprocess.run([lib.need("dovecot"), "--version"], capture_output=True, text=True).stdout.startswith("2.3"):
            pytest.skip("its configuration is for Dovecot 2.3")
        if os.getuid() != 0:
            pytest.skip("root is needed to start Dovecot's imap as another user")
        self.log = folder / "dovecot.log"
        for path in (folder, *folder.parents)[:4]:
            path.chmod(path.stat().st_mode | 0o011)
        mail = folder / "mail"
        subprocess.run(["chown", "-R", "mail:mail", mail], check=True)
        self.log.write_text("")
        self.log.chmod(0o666)
        config = folder / "dovecot.conf"
        config.write_text(f"base_dir = {folder}/run\nstate_dir = {folder}/run\nlog_path = {self.log}\nssl = no\nmail_location = {location}\n"
                          "mail_plugins = listescape\nmail_uid = mail\nmail_gid = mail\nfirst_valid_uid = 0\nfirst_valid_gid = 0\n"
                          f"namespace inbox {{\n inbox = yes\n separator = /\n}}\nuserdb {{\n driver = static\n args = uid=mail gid=mail home={mail}\n}}\n")
        config.chmod(0o644)
        self.process = subprocess.Popen(["setpriv", "--reuid=mail", "--regid=mail", "--clear-groups", program, "-c", config], env={"USER": "mail", "HOME": str(mail)},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        greeting = self.process.stdout.readline()
        assert greeting.startswith(b"* PREAUTH"), greeting

    def ask(self, command):
        """The untagged replies, each with its literals."""
        self.process.stdin.write(b"t " + command + b"\r\n")
        self.process.stdin.flush()
        replies = []
        while True:
            reply = self.process.stdout.readline()
            while (literal := re.search(rb"\{(\d+)\}\r\n$", reply)) is not None:
                reply += self.process.stdout.read(int(literal[1])) + self.process.stdout.readline()
            if reply.startswith(b"t "):
                assert reply.startswith(b"t OK"), reply
                return replies
            assert reply, "it has gone"
            replies.append(reply)

    def messages(self):
        """UID -> octets, flags, date, as all_of() has them."""
        found = {}
        for line in self.ask(b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"):
            uid, flags, date, size, length = (facts := re.search(
                rb'UID (\d+) FLAGS \((.*?)\) INTERNALDATE "(.*?)" RFC822.SIZE (\d+) BODY\[\] \{(\d+)\}\r\n', line)).groups()
            octets = line[facts.end():facts.end() + int(length)]
            assert int(size) == len(octets)
            found[int(uid)] = (octets, words(flags), date.strip())
        return found

    def close(self):
        self.process.stdin.close()
        self.process.wait(lib.LIMIT_S)
        assert not re.search("Warning|Error|Panic|Fatal", self.log.read_text()), self.log.read_text()


def test_dovecot_takes_a_maildir_over(server, user, tmp_path):
    """As it is: UIDVALIDITY, UIDs, sizes, flags, keywords, dates, names, subscriptions."""
    simple(server, user)
    server.imapctl("export", user, "maildir", tmp_path / "mail")
    dovecot = Dovecot(tmp_path, f"maildir:{tmp_path}/mail")
    with server.client(user) as client:
        for name in (b"INBOX", b"Work/2020.old"):
            mine = all_of(client, name)
            uids = {line.split()[2:4][0]: line for line in client.ok(b"EXAMINE " + name).untagged if b"[UID" in line}
            theirs = b"".join(dovecot.ask(b"SELECT " + name))
            for word in (b"UIDVALIDITY", b"UIDNEXT"):
                assert re.search(word + rb" (\d+)", theirs)[1] == re.search(word + rb" (\d+)", b"".join(uids.values()))[1]
            assert dovecot.messages() == mine
        subscribed = {line.split(b'"/" ')[1].strip() for line in client.ok(b'LSUB "" *').untagged}
    assert {line.split(b'"/" ')[1].strip() for line in dovecot.ask(b'LSUB "" *')} == subscribed
    dovecot.close()


def test_dovecot_reads_an_mbox(server, user, tmp_path):
    simple(server, user)
    server.imapctl("export", user, "mbox", tmp_path / "out", "--mailbox=INBOX")
    with server.client(user) as client:
        client.ok(b"SELECT INBOX")
        assert client.append(b"INBOX", b"Subject: later\r\n\r\nx\r\n", flags=b"another", date=b"17-Jul-1997 02:44:25 -0700").is_ok
    server.imapctl("export", user, tmp_path / "out", "--mailbox=INBOX")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/inbox").write_bytes((tmp_path / "out/INBOX.mbox").read_bytes())
    dovecot = Dovecot(tmp_path, f"mbox:{tmp_path}/mail:INBOX={tmp_path}/mail/inbox")
    dovecot.ask(b"SELECT INBOX")
    theirs = {uid: (flags, date) for uid, (_, flags, date) in dovecot.messages().items()}
    dovecot.close()
    with server.client(user) as client:
        assert theirs == {uid: (flags, date) for uid, (_, flags, date) in all_of(client, b"INBOX").items()}


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_what_other_programs_move_and_mark_is_not_lost(server, user, tmp_path, kind):
    """A message of one exported mailbox in another is theirs; one that they have marked is still ours."""
    out = tmp_path / "out"
    with server.client(user) as client:
        client.ok(b"CREATE Other")
    letters(server, user, 1, 3)
    letters(server, user, 3, 4, b"Other")
    server.imapctl("export", user, kind, out)
    if kind == "maildir":
        moved = next((out / ".Other/cur").iterdir())
        moved.rename(out / "cur" / moved.name)
        marked = next(path for path in (out / "cur").iterdir() if "Q2." in path.name)
        marked.rename(str(marked) + "T")
    else:
        box = mailbox.mbox(out / "INBOX.mbox", create=False)
        other = mailbox.mbox(out / "Other.mbox", create=False)
        marked = box[1]
        marked.set_flags("ROF")
        box[1] = marked
        box.add(other[0])
        box.flush()
    before = sorted(path.name for path in (out / "cur").iterdir()) if kind == "maildir" else (out / "INBOX.mbox").read_bytes()
    done = server.imapctl("export", user, out, "--mailbox=INBOX", "--mirror", check=False)
    assert done.returncode == 65 and "another program" in done.stderr
    assert before == (sorted(path.name for path in (out / "cur").iterdir()) if kind == "maildir" else (out / "INBOX.mbox").read_bytes())
    if kind == "mbox":
        assert server.imapctl("export", user, out, "--mailbox=INBOX").stdout == "0 exported, 2 there already\n"
