#!/usr/bin/python3
"""Reads two accounts by IMAP, by a reader that is not the importer's, and says how they differ: mailboxes, their use and
subscription, and of each message, in order, its octets, flags, keywords and date.

    comparing.py HOST:PORT:USER:PASSWORD HOST:PORT:USER:PASSWORD       plain text; exit 1 where they differ
"""
import base64
import collections
import datetime
import hashlib
import pathlib
import re
import socket
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import server as lib  # noqa: E402

SPECIAL = {b"\\" + use for use in (b"all", b"archive", b"drafts", b"flagged", b"junk", b"sent", b"trash", b"important")}
Message = collections.namedtuple("Message", "digest flags date size")		# flags in lower case, without \Recent
Mailbox = collections.namedtuple("Mailbox", "messages uses is_subscribed")


class Refused(Exception):
    """The server does not want the literal; its tagged line."""


class Session:
    """Logged in; replies as they come, believed as little as possible."""

    def __init__(self, port, user, password, has_literal_plus=True, certificate=None, host="127.0.0.1"):
        connected = socket.create_connection((host, port), lib.LIMIT_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = lib.Client.unread(connected)
        self.has_literal_plus = has_literal_plus
        self.greeting = self.client.line()
        if certificate:
            self.command(b"STARTTLS")
            self.client.socket = ssl.create_default_context(cafile=certificate).wrap_socket(
                self.client.socket, server_hostname="localhost")
            self.client.file = self.client.socket.makefile("rb")
        self.ok(b"LOGIN {} {}", user.encode(), password.encode())
        self.capabilities = set(re.sub(rb"^\* CAPABILITY ", b"", self.ok(b"CAPABILITY").untagged[0]).upper().split())
        self.prefix, self.separator = b"", b"/"
        if b"NAMESPACE" in self.capabilities:
            found = re.search(rb'NAMESPACE \(\("([^"]*)" "(.)"', b" ".join(self.ok(b"NAMESPACE").untagged))
            self.prefix, self.separator = found[1], found[2]

    def send_literal(self, literal, tail):
        if self.has_literal_plus:
            self.client.send(b"{%d+}\r\n" % len(literal) + literal + tail)
            return
        self.client.send(b"{%d}\r\n" % len(literal))
        line = self.client.line()
        while not line.startswith(b"+"):
            if not line.startswith(b"* "):
                raise Refused(line)
            line = self.client.line()
        self.client.send(literal + tail)

    def command(self, command, *literals):
        """As lib.Client.command(), for servers without LITERAL+ too."""
        if self.has_literal_plus:
            return self.client.command(command, *literals)
        tag = self.client.tag()
        first, *pieces = command.split(b"{}")
        self.client.send(tag + b" " + first + (b"" if pieces else b"\r\n"))
        for number, (literal, piece) in enumerate(zip(literals, pieces)):
            self.send_literal(literal, piece + (b"\r\n" if number == len(pieces) - 1 else b""))
        return self.client.reply(tag)

    def ok(self, command, *literals):
        reply = self.command(command, *literals)
        assert reply.is_ok, (command, reply.tagged[:300])
        return reply

    def name(self, path):
        """As the server calls the mailbox of that path."""
        if path == ("INBOX",):
            return b"INBOX"
        return self.prefix + self.separator.join(encoded(part) for part in path)

    def path(self, name, separator):
        """The opposite; None for a mailbox that is not one's own."""
        if name.upper() == b"INBOX":
            return ("INBOX",)
        if not name.startswith(self.prefix):
            return None
        parts = name[len(self.prefix):].split(separator) if separator else [name[len(self.prefix):]]
        return tuple(decoded(part) for part in parts)

    def close(self):
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def encoded(text):
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    def shifted(found):
        if found[0] == "&":
            return "&-"
        return "&" + base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
    return re.sub(r"&|[^\x20-\x7e]+", shifted, text).encode()


def decoded(name):
    """What is no modified UTF-7 is taken for UTF-8."""
    def plain(found):
        if not found[1]:
            return "&"
        octets = found[1].replace(",", "/")
        return base64.b64decode(octets + "=" * (-len(octets) % 4)).decode("utf-16-be")
    text = name.decode("utf-8", "surrogateescape")
    try:
        return re.sub(r"&([^-]*)-", plain, text)
    except ValueError:
        return text


def names(session, command):
    """(path, attributes in lower case) for each line of LIST or LSUB."""
    found = []
    for line in session.ok(command).untagged:
        match = re.match(rb'\* (?:LIST|LSUB) \(([^)]*)\) (NIL|"\\?.") (.*)$', line, re.S)
        if match:
            separator = b"" if match[2] == b"NIL" else match[2][-2:-1]
            path = session.path(astring(match[3]), separator)
            if path:
                found.append((path, set(match[1].lower().split())))
    return found


def astring(octets):
    literal = re.match(rb"\{\d+\}\r\n", octets)
    if literal:
        return octets[literal.end():]
    return re.sub(rb"\\(.)", rb"\1", octets[1:-1]) if octets.startswith(b'"') else octets


def instant(text):
    return datetime.datetime.strptime(text.decode().strip(), "%d-%b-%Y %H:%M:%S %z").timestamp()


def message(line):
    """One FETCH, in whatever order its items come; None for one that lacks an item."""
    body = re.search(rb" ?BODY\[\] (?:~?\{(\d+)\}\r\n|\"((?:[^\"\\]|\\.)*)\"|(NIL))", line)
    if not body:
        return None
    end = body.end()
    octets = astring(body[0][body[0].index(b"] ") + 2:]) if body[2] is not None else b""
    if body[1]:
        octets = line[end:end + int(body[1])]
        end += int(body[1])
    rest = line[:body.start()] + b" " + line[end:]
    flags, date, uid = (re.search(pattern, rest) for pattern in
                        (rb"FLAGS \(([^)]*)\)", rb'INTERNALDATE "([^"]*)"', rb"UID (\d+)"))
    if not (flags and date and uid):
        return None
    return int(uid[1]), Message(hashlib.sha256(octets).hexdigest()[:16],
                                frozenset(flags[1].lower().split()) - {rb"\recent"}, instant(date[1]), len(octets))


def messages(session, path, batch=200):
    """Of one mailbox, in the order of their UIDs."""
    reply = session.command(b"EXAMINE {}", session.name(path))
    if not reply.is_ok:
        return None
    count = max((int(line.split()[1]) for line in reply.untagged if re.match(rb"\* \d+ EXISTS", line)), default=0)
    found = {}
    for first in range(1, count + 1, batch):
        last = min(first + batch - 1, count)
        for line in session.ok(b"FETCH %d:%d (UID FLAGS INTERNALDATE BODY.PEEK[])" % (first, last)).untagged:
            if re.match(rb"\* \d+ FETCH ", line) and (one := message(line)):
                found[one[0]] = one[1]
    assert len(found) == count, f"{path}: {count} messages, {len(found)} of them could be read"
    return [found[uid] for uid in sorted(found)]


def account(session):
    """{path: Mailbox} of one's own mailboxes, those that can be opened."""
    subscribed = {path for path, attributes in names(session, b'LSUB "" "*"') if b"\\noselect" not in attributes}
    found = {}
    command = b'LIST "" "*" RETURN (SPECIAL-USE)' if {b"LIST-EXTENDED", b"SPECIAL-USE"} <= session.capabilities else b'LIST "" "*"'
    for path, attributes in names(session, command):
        if not attributes & {rb"\noselect", rb"\nonexistent"}:
            there = messages(session, path)
            if there is not None:
                found[path] = Mailbox(there, frozenset(attributes & SPECIAL), path in subscribed)
    return found


def compare_messages(where, source, target):
    """Lines of what is missing, doubled, changed or in another order."""
    if source == target:
        return []
    lines = []
    before, after = collections.Counter(one.digest for one in source), collections.Counter(one.digest for one in target)
    for digest, count in (before - after).items():
        lines.append(f"{where}: {count} missing of {before[digest]}: {digest}")
    for digest, count in (after - before).items():
        lines.append(f"{where}: {count} too many, {before[digest]} expected: {digest}")
    if lines:
        return lines
    if [one.digest for one in source] != [one.digest for one in target]:
        if sorted(map(repr, source)) == sorted(map(repr, target)):
            return [f"{where}: in another order"]
        source, target = sorted(source, key=lambda one: one.digest), sorted(target, key=lambda one: one.digest)
        lines.append(f"{where}: in another order, and")
    for number, (old, new) in enumerate(zip(source, target), 1):
        if old.flags != new.flags:
            lines.append(f"{where}: {number}: flags {words(old.flags)} became {words(new.flags)}")
        if old.date != new.date:
            lines.append(f"{where}: {number}: date moved by {new.date - old.date:.0f} s")
    return lines


def words(flags):
    return "(" + " ".join(sorted(flag.decode("utf-8", "replace") for flag in flags)) + ")"


def differences(expected, target, may_have=()):
    """Lines of what the target lacks or has otherwise; paths of `may_have` it may have as well, empty."""
    lines = []
    for path in sorted({*expected, *target}):
        where, old, new = "/".join(path), expected.get(path), target.get(path)
        if new is None:
            lines.append(f"{where}: the mailbox is missing, {len(old.messages)} messages")
        elif old is None:
            if new.messages or path not in may_have:
                lines.append(f"{where}: a mailbox too many, {len(new.messages)} messages")
        else:
            lines += compare_messages(where, old.messages, new.messages)
            if old.is_subscribed != new.is_subscribed:
                lines.append(f"{where}: {'no longer' if old.is_subscribed else 'now'} subscribed")
            if old.uses - new.uses:
                lines.append(f"{where}: lost its use {words(old.uses - new.uses)}")
    return lines


def main():
    sides = []
    for word in sys.argv[1:3]:
        host, port, user, password = word.split(":", 3)
        with Session(int(port), user, password, has_literal_plus=False, host=host) as session:
            sides.append(account(session))
    lines = differences(*sides)
    print("\n".join(lines) or f"the same: {len(sides[0])} mailboxes, {sum(len(one.messages) for one in sides[0].values())} messages")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
