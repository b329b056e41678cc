"""THREAD (RFC 5256, draft-ietf-morg-inthread) against a model, over deep and wide threads, and what it refuses."""
import email.utils
import random
import re

import pytest

import ordering
import server as lib

ALGORITHMS = ["ORDEREDSUBJECT", "REFERENCES", "REFS"]
SUBJECTS = ["", "a", "Re: a", "A (fwd)", "b", "[list] re: B", "Fwd: c", "c"]


@pytest.fixture(scope="module")
def server():
    with lib.Server() as running:
        yield running


def identifier(choice, text):
    """One id in several ways of writing it."""
    return choice.choice(["<{}@x>", "<{}@x>", '<"{}"@x>', "<{} @ x>", "<{}(comment)@x>"]).format(text)


def make(choice, number, ids):
    """Random octets of a message, its internal date, and the model's view of it."""
    own = choice.choice([None, *ids, *ids])
    references = [choice.choice(ids) for _ in range(choice.choice([0, 1, 1, 2, 3, 5]))]
    subject, arrival = choice.choice(SUBJECTS), 1_600_000_000 + choice.randrange(50) * 1000
    sent = 1_600_000_000 + choice.randrange(20) * 1000 if choice.random() < 0.9 else None
    lines = [f"Subject: {subject}"] if subject else []
    lines += [f"Message-ID: {identifier(choice, own)}"] if own else [choice.choice(["X: y", "Message-ID: none"])]
    lines += [f"Date: {email.utils.formatdate(sent)}"] if sent is not None else []
    if len(references) == 1 and choice.random() < 0.5:
        lines += ["References: ?"] * choice.randrange(2) + [f"In-Reply-To: yours {identifier(choice, references[0])} <q@x>"]
    elif references:
        lines += ["References: " + choice.choice(["\r\n ", " ", ""]).join(identifier(choice, text) for text in references),
                  "In-Reply-To: <not@this>"]
    return "\r\n".join([*lines, "", ""]).encode(), arrival, ordering.Message(
        number, arrival=arrival, sent=sent, subject=subject, message_id=own, references=references)


def internal_date(seconds):
    return email.utils.formatdate(seconds)[5:].replace(" ", "-", 2).encode()


def append_all(client, name, letters):
    for start in range(0, len(letters), 500):
        client.ok(b"APPEND " + name + b"".join(b' "%s" {%d+}\r\n%s' % (internal_date(arrival), len(octets), octets)
                                               for octets, arrival, *_ in letters[start:start + 500]))


def threads(client, algorithm, keys=b"ALL", uid=b""):
    line, = client.ok(uid + b"THREAD %s UTF-8 %s" % (algorithm.encode(), keys)).untagged
    assert re.match(rb"\* THREAD(?: \(|\Z)", line)
    return line[len("* THREAD "):].decode()


@pytest.mark.parametrize("seed", range(12))
def test_against_the_model(server, seed):
    """Ids that few messages share, so that there are duplicates, gaps, loops and long chains."""
    choice = random.Random(seed)
    letters = [make(choice, number, [f"i{n}" for n in range(4 + 5 * seed)]) for number in range(1, 61)]
    messages = [letter[2] for letter in letters]
    with server.client("demo") as client:
        name = b"model%d" % seed
        client.ok(b"CREATE " + name)
        append_all(client, name, letters)
        client.ok(b"SELECT " + name)
        for algorithm in ALGORITHMS:
            assert threads(client, algorithm) == ordering.thread(algorithm, messages)
            assert threads(client, algorithm, b"NOT 1") == ordering.thread(algorithm, messages[1:])
            for _ in range(8):
                found = sorted(choice.sample(range(60), choice.randrange(40)))
                keys = ",".join(str(place + 1) for place in found).encode() or b"NOT ALL"
                assert threads(client, algorithm, keys) == ordering.thread(algorithm, [messages[i] for i in found])
        client.ok(b"STORE 1:7 +FLAGS.SILENT (\\Deleted)")
        client.ok(b"EXPUNGE")
        assert threads(client, "REFERENCES", uid=b"UID ") == ordering.thread("REFERENCES", messages[7:])


@pytest.mark.same_everywhere
@pytest.mark.parametrize("is_reversed", [False, True])
def test_deep(server, is_reversed):
    """Each message answers the one before; the parents come before or behind the children."""
    count = 3000
    letters = [(f"Message-ID: <{n}@deep>\r\nReferences: <{n - 1}@deep>\r\n\r\n".encode(), n * 1000)
               for n in range(1, count + 1)]
    name = b"deep%d" % is_reversed
    with server.client("demo") as client:
        client.ok(b"CREATE " + name)
        append_all(client, name, letters[::-1] if is_reversed else letters)
        client.ok(b"SELECT " + name)
        numbers = range(count, 0, -1) if is_reversed else range(1, count + 1)
        for algorithm in ("REFERENCES", "REFS"):
            assert threads(client, algorithm) == f"({' '.join(map(str, numbers))})"


@pytest.mark.same_everywhere
def test_wide(server):
    """Many answers to one message, and to one that is not there: the list is longer than what waits for a client."""
    letters = [(b"Message-ID: <top@wide>\r\n\r\n", 1)] + [
        (b"Message-ID: <%d@wide>\r\nReferences: <%s@wide>\r\n\r\n" % (n, b"none" if n % 2 else b"top"), n * 1000)
        for n in range(2, 20002)]
    with server.client("demo") as client:
        client.ok(b"CREATE wide")
        append_all(client, b"wide", letters)
        client.ok(b"SELECT wide")
        expected = "(1 %s)(%s)" % ("".join(f"({n})" for n in range(2, 20002, 2)), "".join(f"({n})" for n in range(3, 20002, 2)))
        assert threads(client, "REFERENCES") == expected
        assert threads(client, "REFS") == expected
        assert threads(client, "ORDEREDSUBJECT") == "(1 %s)" % "".join(f"({n})" for n in range(2, 20002))
