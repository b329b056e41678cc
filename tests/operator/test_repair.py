"""`imapctl verify --repair`: each kind of damage once, made in the file itself; afterwards clients see what is left."""
import contextlib
import itertools
import json
import pathlib
import sqlite3

import pytest

import server as lib

MESSAGES = 30
numbers = itertools.count(1)
BODY = b"".join(b"Line %d of a text that is long enough.\r\n" % line for line in range(200))


class Mail:
    """A user of the one server, whom nobody else uses, and what a test does to the file."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        server.add_user(name)
        with self.client() as client:
            fill(client)

    def client(self):
        return self.server.client(self.name)

    @property
    def file(self):
        with contextlib.closing(sqlite3.connect(self.server.data / "directory.db")) as directory:
            (name,), = directory.execute("SELECT mailbox_id FROM user WHERE name = ?", (self.name,))
        return self.server.data / "data" / name[:2] / name / "mail.db"

    def imapctl(self, verb, *words, **how):
        return self.server.imapctl(verb, self.name, *words, **how)


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=(), settings=("storage-compression none",)) as running:
        yield running


@pytest.fixture
def mail(server):
    return Mail(server, f"user{next(numbers)}")


def fill(client):
    for number in range(1, MESSAGES + 1):
        assert client.append(b"INBOX", lib.message(number, BODY), b"\\Flagged").is_ok
    client.ok(b"SELECT INBOX")
    client.ok(b"UID COPY 1:3 Archive")
    client.ok(b"UID STORE 4:9 +FLAGS.SILENT (Odd)")
    client.ok(b"UID STORE 10 +FLAGS.SILENT (\\Deleted)")
    client.ok(b"UID EXPUNGE 10")


def verify(mail, *words, code=0):
    done = mail.imapctl("verify", "--json", *words, check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == code, (done.stderr, answer)
    return answer


def sql(mail, *statements):
    with contextlib.closing(sqlite3.connect(mail.file)) as database, database:
        for statement in statements:
            result = database.execute(statement).fetchall()
    return result


def change(mail, *statements):
    mail.server.stop()
    sql(mail, "PRAGMA wal_checkpoint(TRUNCATE)", *statements)
    mail.server.start()


def flip(mail, place, octets=b"\xff" * 64):
    """Octets of the file itself: place(database) gives the number of the page, and where in it."""
    mail.server.stop()
    with contextlib.closing(sqlite3.connect(mail.file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page, offset = place(database)
    with mail.file.open("r+b") as raw:
        raw.seek((page - 1) * 4096 + offset)
        raw.write(octets)
    mail.server.start()


def find(mail, octets, skip=0):
    """Where octets stand in the file: page and offset."""
    def place(_database):
        content = mail.file.read_bytes()
        at = -1
        for _ in range(skip + 1):
            at = content.index(octets, at + 1)
        return at // 4096 + 1, at % 4096
    return place


def leaf_of(name):
    def place(database):
        """Some leaf page of a table: the middle one."""
        root, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        raw = pathlib.Path(database.execute("PRAGMA database_list").fetchone()[2]).read_bytes()
        leaves, todo = [], [root]
        while todo:
            page = todo.pop(0)
            data = raw[(page - 1) * 4096:page * 4096]
            if data[0] in (13, 10):
                leaves.append(page)
                continue
            cells = int.from_bytes(data[3:5], "big")
            for cell in range(cells):
                at = int.from_bytes(data[12 + 2 * cell:14 + 2 * cell], "big")
                todo.append(int.from_bytes(data[at:at + 4], "big"))
            todo.append(int.from_bytes(data[8:12], "big"))
        return sorted(leaves)[len(leaves) // 2], 0
    return place


def root_of(name):
    return lambda database: (database.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0], 0)


def uids(client, mailbox=b"INBOX"):
    client.ok(b"EXAMINE " + mailbox)
    found = [line for line in client.ok(b"UID SEARCH ALL").untagged if line.startswith(b"* SEARCH")]
    return set(map(int, found[0].split()[2:]))


def recovered(client):
    """The subjects of what is in Recovered/NUMBER, whose texts are whole; the mailbox is left selected."""
    name, = (line.rsplit(b" ", 1)[1] for line in client.ok(b'LIST "" Recovered/%').untagged if b"Recovered/" in line)
    found = [b"".join(client.ok(b"UID FETCH %d BODY.PEEK[]" % uid).untagged) for uid in sorted(uids(client, name))]
    assert all(BODY in text for text in found)
    return [text.partition(b"Subject: ")[2].partition(b"\r\n")[0] for text in found]


def all_uids():
    return set(range(1, MESSAGES + 1)) - {10}


def is_mended(mail, *expected):
    """Found read-only, told and nothing changed; then mended; then nothing is found."""
    before = verify(mail, code=65)
    assert {fault["what"] for fault in before["fault"]} & set(expected), before["fault"]
    assert before["repaired"] == []
    assert verify(mail, code=65)["fault"]
    answer = verify(mail, "--repair", "--yes")
    assert answer["verify"][0]["faults"] == 0
    assert verify(mail)["fault"] == []
    return answer


def test_it_asks_first(mail):
    done = mail.imapctl("verify", "--repair", check=False)
    assert done.returncode == 64 and "--yes" in done.stderr
    assert verify(mail, "--repair", "--yes")["repaired"] == []


@pytest.mark.parametrize("word, statements", [
    ("counters", ["UPDATE mailbox SET messages = 7, unseen = 1, size = 3, deleted = 9 WHERE name = 'INBOX'"]),
    ("uidnext", ["UPDATE mailbox SET uidnext = 5 WHERE name = 'INBOX'"]),
    ("uidnext", ["UPDATE mailbox SET highest_modseq = 3 WHERE name = 'INBOX'"]),
    ("users", ["DELETE FROM shared"]),
    ("users", ["UPDATE shared SET extra = 7"]),
    ("users", ["INSERT INTO garbage SELECT min(id) FROM content"]),
    ("users", ["DELETE FROM garbage", "INSERT INTO content SELECT id + 500, size, header_length, sha256, sent, sent_day, message_id, "
               "envelope, bodystructure, body, parts, preview, chunk_octets, encoding, texts, checksum FROM content LIMIT 1",
               "INSERT INTO chunk SELECT id + (500 << 20), encoding, octets FROM chunk WHERE id >> 20 = (SELECT min(id) FROM content)"]),
    ("history", ["INSERT INTO expunged SELECT id, highest_modseq, 2, 3, 0 FROM mailbox WHERE name = 'INBOX'"]),
    ("flag-log", ["INSERT INTO flag_change SELECT id, 1, 5, highest_modseq, -1, 8 FROM mailbox WHERE name = 'INBOX'",
                  "INSERT INTO flag_change SELECT id, 3, 9, highest_modseq, -1, 8 FROM mailbox WHERE name = 'INBOX'"]),
    ("keywords", ["UPDATE message SET flags = (1 << 63) | (99 << 5) | 2 WHERE uid = 5"]),
    ("retained", ["UPDATE retained SET mailbox_id = 9999"]),
    ("orphan-rows", ["INSERT INTO keyword VALUES (777, 5, 'x')", "INSERT INTO ordering SELECT 999999, sent, is_reply, subject, "
                     "from_mailbox, to_mailbox, cc_mailbox, from_name, to_name, links FROM ordering LIMIT 1"]),
    ("seen", ["INSERT INTO seen VALUES (5, 1, 9, 1, 1)"]),
    ("parse", ["UPDATE content SET envelope = CAST('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)' AS BLOB), encoding = NULL WHERE id = 5"]),
    ("parse", ["UPDATE content SET bodystructure = x'28', parts = x'00' WHERE id = 5"]),
    ("parse", ["UPDATE ordering SET subject = CAST('ELSE' AS BLOB) WHERE content_id = 6"]),
    ("parse", ["UPDATE searchable SET subject = CAST('ELSE' AS BLOB) WHERE content_id = 6"]),
])
def test_rows(mail, word, statements):
    change(mail, *statements)
    is_mended(mail, word)
    with mail.client() as client:
        assert uids(client) == all_uids()
        assert b"message 5" in b"".join(client.ok(b"UID FETCH 5 (ENVELOPE BODYSTRUCTURE)").untagged)
        line, = (line for line in client.ok(b"STATUS INBOX (MESSAGES UIDNEXT)").untagged if line.startswith(b"* STATUS"))
        assert b"MESSAGES %d" % (MESSAGES - 1) in line and b"UIDNEXT %d" % (MESSAGES + 1) in line


@pytest.mark.parametrize("uid", ["x'00'", "'five'", "0", "-1", "4294967296 + 5"])
def test_uid_that_is_none(mail, uid):
    """Nobody sees the mailbox before it is mended: numbers of messages would not be what they seem."""
    change(mail, "PRAGMA ignore_check_constraints = ON", f"UPDATE message SET uid = {uid} WHERE uid = 5")
    with mail.client() as client:
        assert b"NO [CORRUPTION]" in client.command(b"SELECT INBOX").tagged
        client.ok(b"SELECT Archive")
    assert verify(mail, code=65)["fault"]
    assert verify(mail, "--repair", "--yes")["verify"][0]["faults"] == 0
    with mail.client() as client:
        assert uids(client) == all_uids() - {5}
        assert recovered(client) == [b"message 5"]


def test_counter_beyond_memory(mail):
    """Room is made for messages that are there, not for those that a row promises."""
    change(mail, "UPDATE mailbox SET messages = 4294967295 WHERE name = 'INBOX'")
    with mail.client() as client:
        assert uids(client) == all_uids()
    is_mended(mail, "counters")


def test_counters_while_logged_in(mail):
    change(mail, "UPDATE mailbox SET messages = 7 WHERE name = 'INBOX'")
    with mail.client() as client:
        client.ok(b"SELECT Archive")
        is_mended(mail, "counters")
        with pytest.raises((EOFError, ConnectionError, AssertionError)):	# BYE
            client.ok(b"NOOP")
            client.ok(b"NOOP")


def test_mailbox_row_gone(mail):
    change(mail, "PRAGMA foreign_keys = OFF", "DELETE FROM mailbox WHERE name = 'Archive'")
    is_mended(mail, "orphan-rows")
    with mail.client() as client:
        names = [line for line in client.ok(b'LIST "" *').untagged if b"Recovered/" in line]
        assert len(names) == 1
        assert len(uids(client, names[0].rsplit(b" ", 1)[1])) == 3


def test_message_rows_gone(mail):
    """Nobody has expunged them: they are not garbage."""
    change(mail, "DELETE FROM message WHERE uid BETWEEN 20 AND 25 OR mailbox_id <> (SELECT id FROM mailbox WHERE name = 'INBOX')")
    is_mended(mail, "users")
    with mail.client() as client:
        assert uids(client) == all_uids() - set(range(20, 26))
        assert recovered(client) == [b"message %d" % number for number in range(20, 26)]
    assert verify(mail, "--repair", "--yes")["repaired"] == []


@pytest.mark.parametrize("statement", [
    "UPDATE chunk SET octets = CAST(replace(CAST(octets AS TEXT), 'Line 7 ', 'Line 8 ') AS BLOB) WHERE id >> 20 = 5 AND id & 1 = 1",
    "DELETE FROM chunk WHERE id >> 20 = 5 AND id & 1 = 1",
    "DELETE FROM content WHERE id = 5",
    "UPDATE content SET sha256 = zeroblob(32) WHERE id = 5",
    "UPDATE content SET header_length = 7 WHERE id = 5",
])
def test_octets(mail, statement):
    """The message goes aside, with what can be read of it, and its client is told by an expunge."""
    with mail.client() as client:
        client.ok(b"SELECT INBOX")
    change(mail, statement)
    before = verify(mail, code=65)
    assert ("INBOX", 5) in {(fault["mailbox"], fault["uid"]) for fault in before["fault"]}, before["fault"]
    answer = verify(mail, "--repair", "--yes")
    aside, = (line for line in answer["repaired"] if line["what"] == "set-aside" and line["uid"] == 5)
    text = pathlib.Path(aside["text"].rpartition(" ")[2]).read_bytes()
    assert b"Subject: message 5\r\n" in text
    assert verify(mail)["fault"] == [] and verify(mail, "--repair", "--yes")["repaired"] == []
    with mail.client() as client:
        assert uids(client) == all_uids() - {5}
        reply = client.ok(b"ENABLE QRESYNC").untagged and client.ok(b"EXAMINE INBOX (QRESYNC (1 1))")
        assert reply
    done = mail.imapctl("undelete", "--list", "--json")
    assert [(line["uid"], line["how"]) for line in json.loads(done.stdout)["message"]] in (
        [(10, "expunged"), (5, "damaged")], [(5, "damaged"), (10, "expunged")])
    assert json.loads(mail.imapctl("undelete", "--json").stdout)["undelete"][0]["restored"] == 1


def test_index(mail):
    mail.imapctl("index")
    change(mail, "UPDATE index_slots SET contents = x'ff'")
    is_mended(mail, "index")
    mail.imapctl("index")
    with mail.client() as client:
        client.ok(b"EXAMINE INBOX")
        found, = (line for line in client.ok(b'UID SEARCH TEXT "Line 7 of"').untagged if line.startswith(b"* SEARCH"))
        assert set(map(int, found.split()[2:])) == all_uids()


@pytest.mark.parametrize("table", ["message", "content", "chunk", "searchable", "ordering", "mailbox", "expunged", "retained"])
def test_pages(mail, table):
    """A page's header: SQLite cannot read it, nor what lies in it; all else comes into a new file."""
    flip(mail, leaf_of(table), b"\x00" * 16)
    answer = verify(mail, "--repair", "--yes")
    assert any(line["what"] == "pages" for line in answer["repaired"]), answer
    assert verify(mail)["fault"] == []
    assert list(mail.file.parent.glob("mail.db.damaged-*"))
    with mail.client() as client:
        assert client.append(b"INBOX", lib.message(99)).is_ok
        for uid in uids(client) - {max(uids(client))}:
            assert BODY in b"".join(client.ok(b"UID FETCH %d BODY.PEEK[]" % uid).untagged)
        if table not in ("message", "mailbox"):
            assert len(uids(client)) > MESSAGES - 12
        if table == "message":
            assert {b"message %d" % number for number in all_uids()} <= set(recovered(client))


@pytest.mark.parametrize("octets, leaves_log", [
    (bytes(4096), True), (bytes(100), False), (b"SQLite format 3\0" + b"\xff" * 84, True), (b"\x01" * 4096, False),
], ids=["zeros", "header", "settings", "noise"])
def test_first_page(mail, octets, leaves_log):
    """Where the file begins stands what it is, and where its tables are: SQLite reads nothing of it without."""
    if leaves_log:
        mail.imapctl("index")       # nothing is left to be done by itself, and to be in the log as well
        change(mail)
        with mail.client() as client:
            client.ok(b"SELECT INBOX")
            client.ok(b"UID STORE 4 +FLAGS.SILENT (Late)")
            mail.server.kill()
        log = mail.file.with_name("mail.db-wal").read_bytes()
        pages = {log[at:at + 4] for at in range(32, len(log), 24 + 4096)}
        assert pages and b"\0\0\0\1" not in pages      # which would stand for the one in the file
        with mail.file.open("r+b") as raw:
            raw.write(octets)
        mail.server.start()
    else:
        flip(mail, lambda _database: (1, 0), octets)
    assert [fault["what"] for fault in verify(mail, code=65)["fault"]] == ["pages"]
    answer = verify(mail, "--repair", "--yes")
    assert any("first page" in line["text"] for line in answer["repaired"]), answer
    assert verify(mail)["fault"] == []
    kept, = mail.file.parent.glob("mail.db.damaged-?")
    assert kept.read_bytes().startswith(octets)
    assert sorted(path.name for path in mail.file.parent.glob("*.readable*")) == []
    with mail.client() as client:
        assert len(uids(client, b"Archive")) == 3 and uids(client) == all_uids()
        for uid in uids(client):
            assert BODY in b"".join(client.ok(b"UID FETCH %d BODY.PEEK[]" % uid).untagged)
        assert any(b"Odd" in line and (b"Late" in line) == leaves_log for line in client.ok(b"UID FETCH 4 FLAGS").untagged)
    assert json.loads(mail.imapctl("undelete", "--list", "--json").stdout)["message"][0]["uid"] == 10


@pytest.mark.parametrize("table", ["message", "content", "chunk", "account", "retained"])
def test_root_pages(mail, table):
    """Without the page that leads to the others: octets of messages are found nevertheless, and nothing else is drawn in."""
    flip(mail, root_of(table), b"\x00" * 200)
    answer = verify(mail, "--repair", "--yes")
    assert any(line["what"] == "pages" for line in answer["repaired"]), answer
    assert verify(mail)["fault"] == []
    with mail.client() as client:
        if table != "message":
            assert uids(client) == all_uids()
            for uid in all_uids():
                assert BODY in b"".join(client.ok(b"UID FETCH %d BODY.PEEK[]" % uid).untagged)
        assert client.append(b"INBOX", lib.message(99)).is_ok


def test_more_keys_than_can_be_tried(mail):
    """Of a table that cannot be read, nobody can try four milliards of UIDs: it is said, and all else is read."""
    change(mail, "UPDATE mailbox SET uidnext = 4000000000 WHERE name = 'INBOX'")
    flip(mail, root_of("message"), b"\x00" * 200)
    answer = verify(mail, "--repair", "--yes")
    assert any("more may be missing of message" in line["text"] for line in answer["repaired"]), answer
    with mail.client() as client:
        assert {b"message %d" % number for number in all_uids()} <= set(recovered(client))


def test_long_message(mail):
    """All of a long message that can be read is read, not only its beginning."""
    lines = b"".join(b"Line %d of a long text, which is not like any other.\r\n" % line for line in range(100000))
    with mail.client() as client:
        assert client.append(b"INBOX", lib.message(500, lines)).is_ok

    def place(database):
        """The leaf with the row in the middle: found by breaking leaves of a copy is too much; by its key it is."""
        middle, = database.execute("SELECT id FROM chunk WHERE id >> 20 = (SELECT max(id) FROM content) ORDER BY id LIMIT 1 OFFSET 20").fetchone()
        raw = mail.file.read_bytes()
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk'").fetchone()
        while raw[(page - 1) * 4096] == 5:
            page = child(raw[(page - 1) * 4096:page * 4096], middle)
        return page, 0

    flip(mail, place, bytes(16))
    answer = verify(mail, "--repair", "--yes")
    aside, = (line for line in answer["repaired"] if line["what"] == "set-aside")
    text = pathlib.Path(aside["text"].rpartition(" ")[2]).read_bytes()
    assert b"Line 5 of a long" in text and b"Line 99999 of a long" in text and len(text) > len(lines) * 3 / 4


def varint(octets):
    number = 0
    for octet in octets[:9]:
        number = number << 7 | octet & 0x7f
        if octet < 0x80:
            return number


def child(page, key):
    """Where an interior page of a table leads to with a key."""
    for cell in range(int.from_bytes(page[3:5], "big")):
        at = int.from_bytes(page[12 + 2 * cell:14 + 2 * cell], "big")
        if key <= varint(page[at + 4:]):
            return int.from_bytes(page[at:at + 4], "big")
    return int.from_bytes(page[8:12], "big")


def test_flipped_octets_of_a_body(mail):
    flip(mail, find(mail, b"Line 33 of a text", 11), b"\x00")
    answer = is_mended(mail, "digest")
    assert len([line for line in answer["repaired"] if line["what"] == "set-aside"]) == 1


def test_salvage_knows_all_tables(mail):
    """What a new file is made of: each table is copied, or made anew from the others."""
    made_anew = {"searchable", "ordering", "shared", "garbage", "index_state", "index_block", "index_slots", "index_row", "index_again",
                 "sqlite_sequence"}
    source = (pathlib.Path(__file__).resolve().parents[2] / "src/store/salvage_rows.c").read_text()
    tables = {name for name, in sql(mail, "SELECT name FROM sqlite_schema WHERE type = 'table'")} - made_anew
    assert tables == {name for name in tables if f'FEW("{name}"' in source or f"INTO main.{name} SELECT" in source}
