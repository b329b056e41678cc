"""SEARCH over the shared corpus held against a model written from RFC 9051: tests/lib/searching.py.

SEARCH_QUERIES, SEARCH_SEEDS and SEARCH_LETTERS say how long and over how many messages.
"""
import email.utils
import os
import random
import re

import pytest

import asking
import searching
import server as lib

QUERIES = int(os.environ.get("SEARCH_QUERIES", 500))
SEEDS = [int(word) for word in os.environ.get("SEARCH_SEEDS", "1 2").split()]
LETTERS = int(os.environ.get("SEARCH_LETTERS", 200))


def contents(choice):
    """Some messages.  Not those whose Date is none of RFC 5322: what is made of it is more than the model knows."""
    paths = sorted(lib.CORPUS.rglob("*.eml"))
    choice.shuffle(paths)
    for path in paths:
        octets = re.sub(rb"(?<!\r)\n", b"\r\n", path.read_bytes())
        content = searching.Content(octets) if octets and b"\0" not in octets else None
        if content and (content.sent or not content.values.get("date")):
            yield content


def fill(client, choice):
    """Append them to INBOX with random dates and flags; (Content, flags) of each."""
    some = [content for content, _ in zip(contents(choice), range(LETTERS))]
    for start in range(0, len(some), 50):
        words, letters = b"APPEND INBOX", [content.octets for content in some[start:start + 50]]
        for _ in letters:
            date = email.utils.formatdate(1_600_000_000 + choice.randrange(40_000_000))[5:].replace(" ", "-", 2)
            flags = choice.sample(searching.FLAGS + searching.KEYWORDS, choice.randrange(4))
            words += b' (%s) "%s" {}' % (b" ".join(flags), date.encode())
        client.ok(words, *letters)
    return some


@pytest.mark.skipif(next(lib.CORPUS.rglob("*.eml"), None) is None, reason=f"no messages in {lib.CORPUS}")
@pytest.mark.parametrize("seed", SEEDS)
def test_search(seed):
    choice = random.Random(seed)
    with lib.Server(settings=lib.EVERYTHING) as server, server.client("demo") as client:
        client.ok(b"ENABLE CONDSTORE")
        some = fill(client, choice)
        client.ok(b"SELECT INBOX")
        asker = asking.Asker(client, choice, asking.read(client, dict(enumerate(some, 1))))
        for until in (QUERIES // 4, QUERIES):		# while the index is made, and by it
            while asker.asked < until:
                asker.ask()
            server.imapctl("index", "demo")
    assert asker.hits > asker.asked // 4
