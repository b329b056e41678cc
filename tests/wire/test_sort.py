"""SORT (RFC 5256, RFC 5957) against a model, over many messages, and over a file from before its keys were kept."""
import email.header
import email.utils
import random
import re
import sqlite3

import pytest

import ordering
import server as lib

SUBJECTS = ["", "a", "A", "b", "Gruß", "GRUSS", "über", "Uber", "z", "[list] a", "ﬁnd", "find", "_", "1", "ab", "abcdefghi",
            "abcdefghij", "ABCDEFGHIA"]
LEADERS = ["", "", "", "Re: ", "re:", "Fwd: ", "FW:[x]: ", "[list] ", "[a][b] Re: ", "[fwd: "]
PEOPLE = [("", "ann", "x.org"), ("Ann", "zoe", "x.org"), ("ann b", "bob", "y.org"), ("Zoë", "Ann", "y.org"),
          ("zoe", "a.b", "x.org"), ("", "Zed", "a.org")]
CRITERIA = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"]


@pytest.fixture(scope="module")
def server():
    with lib.Server() as running:
        yield running


def address(name, local, domain):
    return f"{email.header.Header(name, 'utf-8').encode()} <{local}@{domain}>" if name else f"{local}@{domain}"


def make(choice, number):
    """Random octets of a message, its internal date, and the model's view of it."""
    leader = choice.choice(LEADERS)
    subject = leader + choice.choice(SUBJECTS) + ("]" if leader == "[fwd: " else choice.choice(["", "", " (fwd)"]))
    people = [choice.choice(PEOPLE) for _ in range(3)]
    arrival, sent = (1_600_000_000 + choice.randrange(5) * 1000 for _ in range(2))
    encoding = choice.choice(["utf-8", "utf-8", "iso-8859-1"]) if "ﬁ" not in subject else "utf-8"
    lines = [f"Subject: {email.header.Header(subject, encoding).encode()}"] if subject else []
    lines += [f"{field}: {address(*person)}, other@x" for field, person in zip(("From", "To", "Cc"), people)]
    has_date = choice.random() < 0.8
    lines += [f"Date: {email.utils.formatdate(sent)}" if has_date else "Date: some day"]
    octets = "\r\n".join([*lines, "", "x" * choice.randrange(4)]).encode()
    names = [name or f"{local}@{domain}" for name, local, domain in people[:2]]
    return octets, arrival, ordering.Message(
        number, arrival=arrival, size=len(octets), sent=sent if has_date else None, subject=subject,
        mailboxes=[local for _, local, _ in people], names=names)


def internal_date(seconds):
    return email.utils.formatdate(seconds)[5:].replace(" ", "-", 2).encode()


def append_all(client, name, letters):
    for start in range(0, len(letters), 100):
        client.ok(b"APPEND " + name + b"".join(b' "%s" {%d+}\r\n%s' % (internal_date(arrival), len(octets), octets)
                                               for octets, arrival, *_ in letters[start:start + 100]))


def fill(client, name, letters):
    client.ok(b"CREATE " + name)
    append_all(client, name, letters)
    client.ok(b"SELECT " + name)


def order(client, command):
    line, = client.ok(command).untagged
    assert line.startswith(b"* SORT")
    return [int(number) for number in line.split()[2:]]


def program(choice):
    keys = choice.sample(CRITERIA, choice.randrange(1, 4))
    return [choice.choice(["", "REVERSE "]) + key for key in keys]


@pytest.mark.parametrize("seed", range(3))
def test_against_the_model(server, seed):
    choice = random.Random(seed)
    letters = [make(choice, number) for number in range(1, 61)]
    with server.client("demo") as client:
        fill(client, b"model%d" % seed, letters)
        for criteria in [[key] for key in CRITERIA] + [program(choice) for _ in range(60)]:
            found = order(client, b"SORT (%s) UTF-8 ALL" % " ".join(criteria).encode())
            assert found == ordering.sort([letter[2] for letter in letters], criteria), criteria


def esearch_numbers(line):
    found = re.search(rb"ALL (\S+)", line)
    ends = [tuple(map(int, piece.split(b":"))) for piece in found[1].split(b",")] if found else []
    assert all(len(piece) == 1 or piece[0] < piece[1] for piece in ends)
    return [number for piece in ends for number in range(piece[0], piece[-1] + 1)]


def test_return_options_agree(server):
    """ESORT tells the same order, with UIDs too; MODSEQ is the highest of what is told."""
    choice = random.Random(7)
    letters = [make(choice, number) for number in range(1, 31)]
    with server.client("demo") as client:
        fill(client, b"esort", letters)
        client.ok(b"STORE 1:5 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")
        for _ in range(20):
            keys = b"(%s) UTF-8 SMALLER %d" % (" ".join(program(choice)).encode(), choice.randrange(100, 400))
            plain, uids = order(client, b"SORT " + keys), order(client, b"UID SORT " + keys)
            assert uids == [number + 5 for number in plain]
            line, = client.ok(b"SORT RETURN (ALL COUNT MIN MAX) " + keys).untagged
            assert esearch_numbers(line) == plain and b" COUNT %d" % len(plain) in line
            assert not plain or b" MIN %d MAX %d " % (plain[0], plain[-1]) in line
            line, = client.ok(b"UID SORT RETURN () " + keys).untagged
            assert esearch_numbers(line) == uids and b" UID " in line + b" UID "


def orderings(server):
    file, = server.data.glob("data/*/*/mail.db")
    with sqlite3.connect(file) as database:
        (count,), = database.execute("SELECT count(*) FROM ordering")
    database.close()
    return count


@pytest.mark.same_everywhere
def test_a_file_of_an_older_release(tmp_path):
    """What is not kept is made when it is asked for, with the same answer, and kept from then on; copies share it."""
    choice = random.Random(11)
    letters = [make(choice, number) for number in range(1, 1201)]
    commands = [b"UID SORT (SUBJECT REVERSE DATE) UTF-8 ALL", b"SORT (DISPLAYFROM TO) UTF-8 2:*", b"SORT (CC) UTF-8 ALL"]
    with lib.Server() as server:
        with server.client("demo") as client:
            append_all(client, b"INBOX", letters)
            client.ok(b"SELECT INBOX")
            kept = [order(client, command) for command in commands]
        server.stop()
        assert orderings(server) == len(letters)
        file, = server.data.glob("data/*/*/mail.db")
        with sqlite3.connect(file) as database:
            database.execute("DELETE FROM ordering WHERE content_id % 3 > 0")
        database.close()
        server.start()
        with server.client("demo") as client:
            client.ok(b"SELECT INBOX")
            assert [order(client, command) for command in commands] == kept
            client.ok(b"COPY 1:* Trash")
            client.ok(b"MOVE 1:* Junk")
            for name in (b"Trash", b"Junk"):
                client.ok(b"SELECT " + name)
                assert [order(client, command) for command in commands] == kept
        server.stop()
        assert orderings(server) == len(letters)


def test_asked_again(server):
    """What is remembered holds for the same messages alone: they come and go, and other sessions ask other things."""
    choice, number, messages = random.Random(13), 0, []
    commands = [["SUBJECT"], ["REVERSE SUBJECT"], ["SUBJECT", "DATE"], ["SIZE"]]
    with server.client("demo") as client, server.client("demo") as other:
        client.ok(b"CREATE again")
        for _ in range(12):
            letters = [make(choice, number + place) for place in range(1, choice.randrange(2, 8))]
            number += len(letters)
            append_all(other, b"again", letters)
            messages += [letter[2] for letter in letters]
            for session in (client, other):
                session.ok(b"SELECT again")
            for criteria in commands * 2:
                words = " ".join(criteria).encode()
                for keys, found in ((b"ALL", messages), (b"1:3", messages[:3]), (b"NOT 2", messages[:1] + messages[2:])):
                    expected = ordering.sort(found, criteria)
                    for session in (client, other):
                        assert order(session, b"UID SORT (%s) UTF-8 %s" % (words, keys)) == expected
            gone = messages.pop(choice.randrange(len(messages)))
            client.ok(b"UID STORE %d +FLAGS.SILENT (\\Deleted)" % gone.number)
            client.ok(b"EXPUNGE")


@pytest.mark.same_everywhere
def test_many(server):
    """A list longer than what waits for a client, sorted while another session takes messages away."""
    with server.client("demo") as client, server.client("demo") as other:
        client.ok(b"CREATE many")
        append_all(client, b"many", [(b"Subject: %d\r\n\r\n" % number, 0) for number in range(5000, 0, -1)])
        client.ok(b"SELECT many")
        for _ in range(3):
            client.ok(b"COPY 1:5000 many")
        for session in (client, other):
            session.ok(b"SELECT many")
        expected = sorted(range(1, 20001), key=lambda number: (str(5000 - (number - 1) % 5000), number))
        assert order(client, b"SORT (SUBJECT) UTF-8 ALL") == expected
        assert order(client, b"SORT (REVERSE SUBJECT) UTF-8 1:5000") == [
            number for number in reversed(expected) if number <= 5000]
        tag = client.tag()
        client.send(tag + b" UID SORT RETURN (ALL COUNT) (SUBJECT) UTF-8 ALL\r\n")
        other.ok(b"STORE 1:100 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        line, = [line for line in client.reply(tag).untagged if b"ESEARCH" in line]
        found = esearch_numbers(line)
        assert b" COUNT %d" % len(found) in line and [uid for uid in found if uid > 100] == [
            uid for uid in expected if uid > 100]
