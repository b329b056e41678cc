"""What the tests of real programs share: how they are run, and what is compared in the end."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import server as lib

FOREIGN = lib.ROOT / "build/programs"       # where tests/tools/programs puts what this Debian does not have
LETTERS = {"S": rb"\Seen", "R": rb"\Answered", "F": rb"\Flagged", "T": rb"\Deleted", "D": rb"\Draft"}


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=lib.LIMIT_S, **more)
    if check:
        assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done


def home(folder):
    """The environment of somebody who has nothing but this folder."""
    return {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8",
            "USER": "ada", "LANG": "C.UTF-8"}


def foreign(name):
    """The path of something that tests/tools/programs fetched; without it the test is skipped."""
    path = FOREIGN / name
    if not path.exists():
        pytest.skip(f"{name} is not there: tests/tools/programs fetches it, where that is possible")
    return path


def number(octets):
    """Which of lib.message() it is, by its Message-ID."""
    return int(re.search(rb"^Message-ID: <m(\d+)@example.org>", octets, re.M | re.I)[1])


def flags(words):
    """A set of flags as it is compared: without \\Recent, which belongs to a session."""
    return frozenset(words.split()) - {rb"\Recent"}


def mailbox_names(client):
    found = [re.match(rb'\* LIST \(([^)]*)\) "(.)" (?:"(.*)"|(\S+))$', line) for line in
             client.ok(b'LIST "" *').untagged]
    return [line[3] or line[4] for line in found if rb"\Noselect" not in line[1] and rb"\NonExistent" not in line[1]]


def messages(client, name):
    """The truth of one mailbox: {number of the message: its flags}; each must be whole, and there once."""
    client.ok(b'EXAMINE "%s"' % name)
    found = {}
    for line in client.ok(b"UID FETCH 1:* (FLAGS BODY.PEEK[])").untagged:
        match = re.match(rb"\* \d+ FETCH \(UID \d+ FLAGS \(([^)]*)\) BODY\[\] \{\d+\}\r\n", line)
        if match:
            found[check_whole(line[match.end():-1], found)] = flags(match[1])
    client.ok(b"UNSELECT")
    return found


def without_field(octets, name):
    """The message without a field that a program has put in."""
    return re.sub(rb"(?m)^%s: [^\r\n]*\r?\n" % re.escape(name), b"", octets)


def check_whole(octets, found):
    octets = without_field(octets, b"X-TUID")       # mbsync's mark on what it brings
    which = number(octets)
    assert which not in found, f"message {which} is there twice"
    assert octets.replace(b"\r\n", b"\n") == letter(which).replace(b"\r\n", b"\n")
    return which


def letter(which):
    """The message of that number; some have a body of several lines, all one that tells them apart."""
    return lib.message(which, b"Body of %d.\r\n" % which * (which % 7 + 1))


def truth(server, user):
    """{name of a mailbox: messages()}; empty mailboxes of a new user do not count."""
    with server.client(user) as client:
        client.ok(b"ENABLE UTF8=ACCEPT")
        found = {name: messages(client, name) for name in mailbox_names(client)}
    return {name: there for name, there in found.items() if there}


def difference(found, expected):
    """What is found and what is expected of the messages about which they differ."""
    return [(name, which, found.get(name, {}).get(which), expected.get(name, {}).get(which))
            for name in sorted({*found, *expected})
            for which in sorted({*found.get(name, {}), *expected.get(name, {})})
            if found.get(name, {}).get(which) != expected.get(name, {}).get(which)]


def maildir(folder):
    """As messages(), of a maildir."""
    found = {}
    for path in (path for sub in ("cur", "new") for path in (folder / sub).iterdir()):
        found[check_whole(path.read_bytes(), found)] = frozenset(
            LETTERS[sign] for sign in path.name.partition(":2,")[2] if sign in LETTERS)
    return found


def maildirs(folder):
    """As truth(), of a tree of maildirs whose folders are named as the mailboxes are."""
    found = {str(cur.parent.relative_to(folder)).encode(): maildir(cur.parent) for cur in folder.rglob("cur")}
    return {name: there for name, there in found.items() if there}


def maildir_file(folder, which):
    """The file of a message in a maildir."""
    return next(path for sub in ("cur", "new") for path in (folder / sub).iterdir()
                if number(path.read_bytes()) == which)


def set_letters(folder, which, letters):
    """What a mail program does that changes the flags of a message in a maildir."""
    path = maildir_file(folder, which)
    path.rename(folder / "cur" / f"{path.name.partition(':')[0]}:2,{letters}")


class Account:
    """A user's mailboxes as a second session changes them, and beside it the model of what must be there."""

    def __init__(self, server, user):
        self.server, self.user = server, user
        self.model = {}
        self.client = server.client(user)
        self.client.ok(b"ENABLE UTF8=ACCEPT")

    def append(self, name, *numbers, flags_set=b""):
        for which in numbers:
            assert self.client.append(b'"%s"' % name, letter(which), flags_set).is_ok
            self.model.setdefault(name, {})[which] = flags(flags_set)

    def select(self, name, which):
        """Open the mailbox; the UID of a message in it."""
        self.client.ok(b'SELECT "%s"' % name)
        found = self.client.ok(b"UID SEARCH HEADER Message-ID <m%d@example.org>" % which).untagged
        uids = [line for line in found if line.startswith(b"* SEARCH ")]
        assert len(uids) == 1 and len(uids[0].split()) == 3, (which, found)
        return int(uids[0].split()[2])

    def store(self, name, which, flags_set):
        self.client.ok(b"UID STORE %d FLAGS (%s)" % (self.select(name, which), flags_set))
        self.model[name][which] = flags(flags_set)

    def expunge(self, name, *numbers):
        for which in numbers:
            uid = self.select(name, which)
            self.client.ok(rb"UID STORE %d +FLAGS (\Deleted)" % uid)
            self.client.ok(b"UID EXPUNGE %d" % uid)
            del self.model[name][which]

    def move(self, name, target, *numbers):
        for which in numbers:
            self.client.ok(b'UID MOVE %d "%s"' % (self.select(name, which), target))
            self.model.setdefault(target, {})[which] = self.model[name].pop(which)

    def create(self, name):
        self.client.ok(b'CREATE "%s"' % name)
        self.model[name] = {}

    def expected(self):
        return {name: there for name, there in self.model.items() if there}

    def check(self):
        found, expected = truth(self.server, self.user), self.expected()
        assert found == expected, difference(found, expected)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.close()


def need_node_package(name):
    """(node, the folder whose node_modules has the package); without either the test is skipped."""
    foreign(f"npm/node_modules/{name}")
    return lib.need("node"), FOREIGN / "npm"
