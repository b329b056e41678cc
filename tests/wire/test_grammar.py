"""Commands by the formal syntax, and commands that miss it by little.

A generator walks tests/lib/commands.abnf: what it writes is never answered BAD.  A small change makes another
command of it; where the syntax, read widely, no longer allows that, it is answered BAD, once, and the session
goes on.  GRAMMAR_COMMANDS says how many of each kind.
"""
import os
import pathlib
import random
import re

import pytest

import server as lib
import syntax

ABNF = pathlib.Path(lib.__file__).parent / "commands.abnf"
COMMANDS = int(os.environ.get("GRAMMAR_COMMANDS", 600))
MESSAGE = b"Subject: x\r\n\r\na text\r\n"
BAD_IN_A_ROW = 10		# below what ends a session
PIECE = re.compile(rb"~?\{\d+\+\}\r\n|[()\"<>\[\]]| +|[^()\"<>\[\] {~]+|.", re.S)


class Session:
    """A session in the mailbox `work`, which has three messages or more before each command."""

    def __init__(self, server, user, enabled):
        self.server, self.user, self.enabled = server, user, enabled
        self.client = None
        self.renew()
        words = self.client.ok(b"CAPABILITY").untagged[0].split()[2:]
        self.capabilities = {re.sub(rb"(LIMIT)=\d+$", rb"\1", word) for word in words}

    def renew(self):
        if self.client:
            self.client.close()
        self.client = self.server.client(self.user)
        enabled = [self.enabled, b"QRESYNC"]		# without which some of what the syntax allows is BAD
        self.client.ok(b"ENABLE " + b" ".join(filter(None, enabled)))
        self.client.command(b"CREATE work")
        self.client.command(b'CREATE "work/a b"')
        self.enter()

    def enter(self):
        count = self.select()
        if count > 60:
            self.client.ok(b"DELETE work")
            self.client.ok(b"CREATE work")
            count = self.select()
        for _ in range(3 - count):
            assert self.client.append(b"work", MESSAGE).is_ok
            count = self.select()
        self.count = count

    def select(self):
        lines = self.client.ok(b"SELECT work").untagged
        return next(int(line.split()[1]) for line in lines if line.endswith(b" EXISTS"))

    def run(self, command, is_synchronizing=False):
        """The word that ends it."""
        tag = command.split(b" ", 1)[0]
        last = b""
        for piece in pieces(command) if is_synchronizing else [command]:
            self.client.send(piece)
            while piece.endswith(b"}\r\n") and not last.startswith((b"+ ", tag + b" ")):
                last = self.client.line()
                assert not last.startswith(b"* BAD"), (command, last)
            if last.startswith(tag + b" "):
                return last.split(b" ")[1]
            last = b""
        reply = self.client.reply(tag)
        assert not [line for line in reply.untagged if line.startswith(b"* BAD")], (command, reply)
        return reply.tagged.split(b" ")[1]


def pieces(command):
    """A command with synchronizing literals: what stands up to each of them, and what they hold with what follows."""
    begin = at = 0
    while found := re.compile(rb"\{(\d+)\+\}\r\n").search(command, at):
        yield command[begin:found.end() - 4] + b"}\r\n"
        begin, at = found.end(), found.end() + int(found[1])
    yield command[begin:]


@pytest.fixture(params=["", "IMAP4rev2"], ids=["rev1", "rev2"])
def session(request, shared_server, user):
    running = Session(shared_server, user, request.param.encode())
    yield running
    running.client.close()


def moves(command):
    return re.search(rb"(?i)^\S+ (UID )?(MOVE|REPLACE|EXPUNGE|COPY|APPEND|CLOSE|UNSELECT|EXAMINE)", command)


@pytest.mark.same_everywhere
@pytest.mark.parametrize("seed", [1, 2])
def test_valid_is_never_bad(session, seed):
    chance = random.Random(seed)
    grammar = syntax.Grammar(ABNF, session.capabilities)
    for _ in range(COMMANDS):
        command = grammar.sentence("command", chance)
        word = session.run(command, is_synchronizing=chance.random() < 0.3)
        assert word != b"BAD", f"seed {seed}: {command!r}"
        if moves(command):
            session.enter()


def changed(command, chance):
    """A small change outside of tag, literals and line end; None where there is no place for it."""
    tag, rest = command[:-2].split(b" ", 1)
    if re.search(rb"\r\n", re.sub(rb"\{\d+\+\}\r\n", b"", rest)):
        return None			# several lines, or a line end within a literal
    pieces, skip, places = [], 0, []
    for found in PIECE.finditer(rest):
        literal = re.match(rb"~?\{(\d+)\+\}", found[0])
        if skip <= 0 and not literal:
            places.append(len(pieces))
        skip = max(skip - len(found[0]), 0) + (int(literal[1]) if literal else 0)
        pieces.append(found[0])
    if not places:
        return None
    at = chance.choice(places)
    pieces[at] = chance.choice([
        lambda piece: b"", lambda piece: piece + piece, lambda piece: b" " + piece, lambda piece: piece + b")",
        lambda piece: b"(" + piece, lambda piece: b"\t" if piece == b" " else piece + b"\x01", lambda piece: piece[:-1],
        lambda piece: piece[:-1] + b"\xe9", lambda piece: b"0" if piece.isdigit() else b"x" + piece,
        lambda piece: b"0" + piece if piece[:1].isdigit() else b"\r" + piece, lambda piece: piece + b"\0",
        lambda piece: piece + b'"', lambda piece: piece + b" x", lambda piece: piece.swapcase()[::-1]])(pieces[at])
    return tag + b" " + b"".join(pieces) + b"\r\n"


def as_judged(command):
    """Doubled and trailing spaces of search keys are taken, since real programs send them."""
    if not re.match(rb"(?i)\S+ +(UID +)?(E?SEARCH|SORT|THREAD) ", command):
        return command
    return re.sub(rb" +(?=[ )\r])|(?<=\() +", b"", command)


@pytest.mark.same_everywhere
@pytest.mark.parametrize("seed", [1, 2])
def test_near_miss_is_bad_once(session, seed):
    chance = random.Random(seed)
    grammar = syntax.Grammar(ABNF, session.capabilities)
    judge = syntax.Grammar(ABNF, session.capabilities, is_wide=True)
    missed = 0
    while missed < COMMANDS:
        command = changed(grammar.sentence("command", chance), chance)
        if command is None or judge.is_sentence("command", as_judged(command)):
            continue
        missed += 1
        assert session.run(command) == b"BAD", f"seed {seed}: {command!r}"
        if missed % BAD_IN_A_ROW == 0:
            session.renew()


@pytest.mark.same_everywhere
def test_judge_knows_what_is_written():
    """The wide grammar takes all that the narrow one writes, or near misses would be none."""
    everything = {section.encode() for section in re.findall(r"(?m)^\[(.*)\]$", ABNF.read_text())} - {b"wide"}
    grammar, judge = syntax.Grammar(ABNF, everything), syntax.Grammar(ABNF, everything, is_wide=True)
    chance = random.Random(3)
    for _ in range(500):
        command = grammar.sentence("command", chance)
        assert judge.is_sentence("command", command), command
