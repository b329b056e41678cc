"""What an import has left in the mailboxes of a user, for the tests of formats."""
import re

import pytest

import server as lib


class Letter:
    """A message as it is fetched."""

    def __init__(self, line, octets):
        flags, date, size = re.search(rb'FLAGS \((.*?)\) INTERNALDATE "(.*?)" RFC822.SIZE (\d+)', line).groups()
        self.flags = set(flags.decode().split()) - {r"\Recent"}
        self.date = date.decode().strip()
        self.octets = octets
        self.subject = (re.search(rb"^Subject: (.*?)\r$", octets, re.MULTILINE) or [b"", b""])[1].decode()
        assert int(size) == len(octets)


def everything(server, user):
    """Mailbox -> its messages; the mailboxes of every new user only when they hold some."""
    found = {}
    with server.client(user) as client:
        for line in client.ok(b'LIST "" *').untagged:
            name = re.search(rb'"/" (.*?)\s*$', line)[1]
            is_empty = b"* 0 EXISTS" in client.ok(b"EXAMINE " + name).untagged
            lines = [] if is_empty else client.ok(b"FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)").untagged
            letters = [Letter(line, client.fetch_body(number)) for number, line in enumerate(lines, 1)]
            name = name.decode().strip('"')
            if letters or name not in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"):
                found[name] = letters
    return found


def subjects(found):
    return {name: [letter.subject for letter in letters] for name, letters in found.items()}


def flags(letters):
    return {letter.subject: letter.flags for letter in letters}


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
