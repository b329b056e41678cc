"""Every message of the shared corpus goes in by LMTP, APPEND and import and comes back octet for octet (by LMTP,
behind the fields of who delivers).

The corpus is no part of the project; without it (../shared/corpus), or without the part of it that a test
reads, the tests are skipped.
ENVELOPE and BODYSTRUCTURE are read by a parser of their own (tests/lib/grammar.py), which knows the
grammar of RFC 9051 section 9 and nothing of the server.
"""
import email.header
import email.utils
import random
import re

import pytest

import grammar
import imaptest
import ordering
import server as lib

pytestmark = pytest.mark.skipif(next(lib.CORPUS.rglob("*.eml"), None) is None,
                                reason=f"no messages in {lib.CORPUS}")


def crlf(octets):
    """LF to CRLF; a CR that already stands before an LF, or alone, stays as it is."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def files(folder, pattern):
    """The corpus' files of a kind, in order; without any the test is skipped."""
    found = sorted(folder.rglob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in the shared corpus")
    return found


def letters():
    found = [crlf(path.read_bytes()) for path in files(lib.CORPUS, "*.eml")]
    return [letter for letter in found if letter]


def archives():
    """The list mboxes, cut at their From_ lines."""
    found = []
    for path in files(lib.CORPUS / "mbox", "*.mbox"):
        pieces = re.split(rb"(?m)^From [^\n]*\n", path.read_bytes())[1:]
        found.append((path, pieces))
    return found


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("append", "lmtp", "import", "mbox")) as running:
        yield running


def read_back(server, user, wanted, mailbox_name=b"INBOX", by_lmtp=False):
    with server.client(user) as client:
        client.ok(b"SELECT " + mailbox_name)
        number = 0
        client.send(b"f FETCH 1:* (RFC822.SIZE BINARY.PEEK[])\r\n")
        while not (line := client.line()).startswith(b"f "):
            found = re.match(rb"\* (\d+) FETCH \(RFC822\.SIZE (\d+) BINARY\[\] (~?)\{(\d+)\}\r\n", line)
            assert found, line[:200]
            body = line[found.end():found.end() + int(found[4])]
            assert int(found[2]) == int(found[4]) == len(body)
            kept = lib.delivered(body)[1] if by_lmtp else body
            assert kept == (lib.as_delivered(wanted[number]) if by_lmtp else wanted[number]), \
                f"message {number + 1} is not what went in"
            number += 1
        assert number == len(wanted)


def test_append(server):
    wanted = []
    refused = 0
    with server.client("append") as client:
        for letter in letters():
            reply = client.append(b"INBOX", letter)
            if not reply.is_ok:
                # RFC 9051 section 4.3: a literal holds no NUL; such a message needs literal8.
                assert b"\0" in letter, reply
                client.send(b"n APPEND INBOX ~{%d+}\r\n%s\r\n" % (len(letter), letter))
                reply = client.reply(b"n")
                refused += 1
            assert reply.is_ok, (reply, letter[:200])
            wanted.append(letter)
    print(f"{len(wanted)} by APPEND, {refused} of them as literal8")
    read_back(server, "append", wanted)


def test_lmtp(server):
    wanted = letters()
    with server.lmtp() as client:
        for letter in wanted:
            reply = client.deliver_chunk(letter, b"lmtp")
            assert reply[0].startswith(b"250"), (reply, letter[:200])
    read_back(server, "lmtp", wanted, by_lmtp=True)


def test_lmtp_data(server):
    server.add_user("data")
    wanted = [letter for letter in letters() if letter.endswith(b"\r\n") and b"\0" not in letter]
    with server.lmtp() as client:
        for letter in wanted:
            assert client.deliver(letter, b"data")[0].startswith(b"250")
    read_back(server, "data", wanted, by_lmtp=True)


# What is called .eml there and holds several messages, or none.
NO_LETTERS = {"comm-central/mbox_unquoted.eml", "mimekit/mbox-simple.mbox.eml", "mimekit/mbox-unmunged.mbox.eml",
              "spamassassin-tests/phishing-openphish-feed.eml"}


def test_import_eml(server, tmp_path):
    wanted = []
    for number, path in enumerate(sorted(lib.CORPUS.rglob("*.eml"))):
        letter = crlf(path.read_bytes())
        if letter and str(path.relative_to(lib.CORPUS)) not in NO_LETTERS:
            (tmp_path / f"{number:05}.eml").write_bytes(letter)
            wanted.append(letter)
    server.imapctl("import", "import", "eml", tmp_path)
    read_back(server, "import", wanted)
    again = server.imapctl("import", "import", "eml", tmp_path)
    assert again.stdout == f"0 imported, {len(wanted)} there already\n"


def test_import_refuses_what_is_no_letter(server):
    for path in sorted(NO_LETTERS):
        done = server.imapctl("import", "import", "eml", lib.CORPUS / path, check=False)
        assert done.returncode == 65 and "not imported" in done.stderr, path


def test_import_mbox(server):
    for number, (path, pieces) in enumerate(archives()):
        name = f"list{number}"
        assert server.imapctl("import", "mbox", "mbox", path, f"--mailbox={name}").stderr == ""
        with server.client("mbox") as client:
            assert b"* %d EXISTS" % len(pieces) in client.ok(b"SELECT " + name.encode()).untagged, path


def test_structures_follow_the_grammar(server):
    """Each ENVELOPE, BODY and BODYSTRUCTURE parses, and each leaf's size is that of BODY[n]."""
    with server.client("append") as client:
        exists = client.ok(b"EXAMINE INBOX").untagged
        client.send(b"g FETCH 1:* (ENVELOPE BODY BODYSTRUCTURE)\r\n")
        count = 0
        structures = []
        while not (line := client.line()).startswith(b"g "):
            items = grammar.fetch(line)
            grammar.envelope(items[b"ENVELOPE"])
            grammar.body(items[b"BODY"], is_extensible=False)
            grammar.body(items[b"BODYSTRUCTURE"], is_extensible=True)
            structures.append(items[b"BODYSTRUCTURE"])
            count += 1
        assert b"* %d EXISTS" % count in exists
        for number, structure in enumerate(structures, 1):
            for section, size in list(grammar.leaves(structure))[:20]:
                items = grammar.fetch(client.ok(b"FETCH %d BODY.PEEK[%s]" % (number, section)).untagged[-1])
                (octets,) = items.values()
                assert len(octets or b"") == size, (number, section)


def identifiers(value):
    """What stands in angle brackets with an "@", without quotes and folding."""
    return [re.sub(r'["\s]', "", found) for found in re.findall(r"<([^<>@]+@[^<>@]+)>", value)]


def as_model(number, octets, arrival):
    """A message as tests/lib/ordering.py wants it, read by Python's own library."""
    parsed = email.message_from_bytes(octets)
    text = str(email.header.make_header(email.header.decode_header(re.sub(r"\r?\n", "", parsed["Subject"] or ""))))
    sent = email.utils.parsedate_tz(parsed["Date"] or "")
    own = identifiers(parsed["Message-ID"] or "")[:1]
    references = identifiers(parsed["References"] or "") or identifiers(parsed["In-Reply-To"] or "")[:1]
    return ordering.Message(number, arrival=arrival, size=len(octets), subject=text, references=references,
                            sent=email.utils.mktime_tz(sent) if sent else None, message_id=own[0] if own else None)


def test_order_of_archives(server):
    """SORT and THREAD over the list archives, against the model of RFC 5256."""
    server.add_user("order")
    choice = random.Random(1)
    for count, (path, pieces) in enumerate(archives()):
        letters = [(crlf(piece), 1_000_000_000 + choice.randrange(100_000_000)) for piece in pieces]
        messages = [as_model(number, *letter) for number, letter in enumerate(letters, 1)]
        with server.client("order") as client:
            name = b"list%d" % count
            client.ok(b"CREATE " + name)
            for octets, arrival in letters:
                date = email.utils.formatdate(arrival)[5:].replace(" ", "-", 2).encode()
                assert client.append(name, octets, date=date).is_ok
            client.ok(b"SELECT " + name)
            for criteria in (["SUBJECT"], ["DATE"], ["REVERSE SUBJECT", "SIZE"], ["REVERSE DATE"], ["SIZE", "ARRIVAL"]):
                line, = client.ok(b"SORT (%s) UTF-8 ALL" % " ".join(criteria).encode()).untagged
                assert [int(word) for word in line.split()[2:]] == ordering.sort(messages, criteria), (path, criteria)
            for algorithm in ("ORDEREDSUBJECT", "REFERENCES", "REFS"):
                line, = client.ok(b"THREAD %s UTF-8 ALL" % algorithm.encode()).untagged
                assert line[len("* THREAD "):].decode() == ordering.thread(algorithm, messages), (path, algorithm)


SCRIPTS = sorted((lib.CORPUS / "expected" / "imaptest").glob("*.imaptest"))


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_imaptest_script(server, path):
    """The scripted dialogues of ImapTest whose capabilities are offered."""
    script = imaptest.Script(path)
    user = f"it-{path.stem}"
    server.add_user(user)
    with server.client(user) as client:
        offered = client.ok(b"CAPABILITY").untagged[0].decode().upper().split()
    missing = [name for name in script.headers.get("capabilities", "").upper().split() if name not in offered]
    if missing:
        pytest.skip(f"not offered: {' '.join(missing)}")
    box = path.with_suffix(".mbox")
    letters = imaptest.letters_of(box if box.exists() else path.parent / "default.mbox")
    runner = imaptest.Runner(server, user, script, letters)
    try:
        runner.run()
    finally:
        runner.close()
