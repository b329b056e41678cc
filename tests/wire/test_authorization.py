"""The authorization table: every command that can name a mailbox × what the user may do there.

The commands come from src/imap/command.c: one that has no row here fails.  A row says what the mailbox is named by and which
rights the command needs there (RFC 4314 section 4 and the RFCs of extensions).  What is expected of each set of rights is
computed: with the rights it works; who has "l" alone is told NOPERM; all else is byte for byte what is answered for a mailbox
that does not exist.
"""
import itertools
import os
import pathlib
import re

import pytest

import server as lib

LETTERS = "lrswipkxtea"
VISIBLE = "l"
NUMBERS = itertools.count()

# Commands that name no mailbox by an argument.
NAMELESS = {"CAPABILITY", "NOOP", "LOGOUT", "ID", "STARTTLS", "LOGIN", "AUTHENTICATE", "UNAUTHENTICATE", "ENABLE", "NAMESPACE",
            "COMPRESS", "GETQUOTA", "SETQUOTA", "UIDBATCHES", "IDLE", "CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "SEARCH", "SORT",
            "THREAD", "FETCH", "STORE"}


def need(*letters):
    return lambda rights: set(letters) <= rights


def any_of(letters, *always):
    return lambda rights: bool(set(letters) & rights) and set(always) <= rights


# (the command, with {} in the name's place; what it needs; literals).  The name comes quoted, its last quote is {q}.
ROWS = {
    "SELECT": [('SELECT {}{q}', need("r"))],
    "EXAMINE": [('EXAMINE {}{q} (CONDSTORE)', need("r"))],
    "STATUS": [('STATUS {}{q} (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)', need("r"))],
    "CREATE": [('CREATE {}/new{q}', need("k"))],
    "DELETE": [('DELETE {}{q}', need("x"))],
    "RENAME": [('RENAME {}{q} "Other Users/bob/movable/{n}"', need("x")), ('RENAME "Other Users/bob/movable/from{n}" {}/to{q}', need("k"))],
    "SUBSCRIBE": [('SUBSCRIBE {}{q}', need())],
    "UNSUBSCRIBE": [('UNSUBSCRIBE {}{q}', need())],
    "APPEND": [('APPEND {}{q} (\\Seen) {literal}', need("i"))],
    "COPY": [('COPY 1 {}{q}', need("i")), ('UID COPY 1:* {}{q}', need("i"))],
    "MOVE": [('MOVE 1 {}{q}', need("i")), ('UID MOVE 1 {}{q}', need("i"))],
    "REPLACE": [('REPLACE 1 {}{q} {literal}', need("i"))],
    "GETQUOTAROOT": [('GETQUOTAROOT {}{q}', need("r"))],
    "GETACL": [('GETACL {}{q}', need("a"))],
    "SETACL": [('SETACL {}{q} nobody-{n} lr', need("a")), ('SETACL {}{q} carol -lr', need("a")), ('SETACL {}{q} bob lr', None)],
    "DELETEACL": [('DELETEACL {}{q} carol', need("a"))],
    "LISTRIGHTS": [('LISTRIGHTS {}{q} carol', need("a"))],
    "MYRIGHTS": [('MYRIGHTS {}{q}', any_of("lrikxa"))],
    "GETMETADATA": [('GETMETADATA {}{q} (/shared/comment /private/comment)', any_of("rswip", "l"))],
    "SETMETADATA": [('SETMETADATA {}{q} (/shared/comment "x" /private/comment "y")', any_of("rswip", "l"))],
    "LIST": [('LIST "" {}{q}', need("l")), ('LIST {}{q} ""', need()), ('LIST "Other Users/" "bob/{name}" RETURN (MYRIGHTS)', need("l")),
             ('LIST "" ({}{q} nowhere) RETURN (STATUS (MESSAGES))', need("l"))],
    "LSUB": [('LSUB "" {}{q}', need()), ('LSUB {}{q} *', need())],
    "ESEARCH": [('ESEARCH IN (mailboxes {}{q}) RETURN (COUNT) ALL', need("l", "r")), ('ESEARCH IN (subtree {}{q}) ALL', need("l", "r"))],
    "NOTIFY": [('NOTIFY SET STATUS (mailboxes {}{q} (MessageNew MessageExpunge))', need()),
               ('NOTIFY SET STATUS (subtree {}{q} (MessageNew MessageExpunge))', need())],
}
# Those that never answer NO for want of a right: they say nothing of the mailbox.
SILENT = {"LIST", "LSUB", "ESEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE"}


def grammar_commands():
    text = (lib.ROOT / "src/imap/command.c").read_text()
    return set(re.findall(r'^\t\[IMAP_[A-Z0-9]+\]\s*=\s*\{\s*"([A-Z]+)"', text, re.M))


def test_every_command_has_a_row():
    assert grammar_commands() == set(ROWS) | NAMELESS


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("bob", "alice", "carol")) as running:
        with running.client("bob") as bob:
            bob.ok(b"CREATE movable")
            bob.ok(b"SETACL movable alice lkx")
        yield running


@pytest.fixture
def bob(server):
    with server.client("bob") as client:
        yield client


@pytest.fixture
def alice(server):
    with server.client("alice") as client:
        yield client


def make(bob, rights, negative=""):
    """A mailbox in which alice has these rights; all names are equally long."""
    name = b"box%06d" % next(NUMBERS)
    bob.ok(b"CREATE " + name)
    bob.append(name, lib.message(1))
    if rights:
        bob.ok(b"SETACL " + name + b" alice " + rights.encode())
    if negative:
        bob.ok(b"SETACL " + name + b" -alice " + negative.encode())
    return name


def ask(bob, alice, template, name, user=b"bob"):
    """What is told, without tags and numbers that differ by nature."""
    number = b"%06d" % next(NUMBERS)
    if "from{n}" in template:
        bob.ok(b"CREATE movable/from" + number)
    is_selected = any(template.startswith(word) for word in ("COPY", "UID", "MOVE", "REPLACE"))
    if is_selected:
        alice.append(b"INBOX", lib.message(1))
        alice.ok(b"SELECT INBOX")
    elif template.startswith(("SELECT", "EXAMINE")):
        alice.command(b"UNSELECT")
    quoted = '"Other Users/%s/%s' % (user.decode(), name.decode())
    command = template.replace("{}", quoted).replace("{q}", '"').replace("{n}", number.decode()).replace("{name}", name.decode())
    literals = [lib.message(2)] if "{literal}" in command else []
    answer = alice.command(command.replace("{literal}", "{}").encode(), *literals)
    if is_selected:
        alice.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        alice.ok(b"CLOSE")
    text = b"\n".join([*(line for line in answer.untagged if b"RECENT" not in line and b"EXISTS" not in line),
                       answer.tagged.partition(b" ")[2]])
    return text.replace(name, b"NAME").replace(number, b"N")


def cases():
    for command, rows in ROWS.items():
        for template, needs in rows:
            yield pytest.param(command, template, needs, id=template)


@pytest.mark.parametrize("command, template, needs", cases())
def test_table(bob, alice, command, template, needs):
    missing = ask(bob, alice, template, b"box%06d" % next(NUMBERS))
    assert missing == ask(bob, alice, template, make(bob, ""))				# another's, without any right
    assert missing == ask(bob, alice, template, make(bob, LETTERS, negative=LETTERS))	# all given and taken away
    if needs is None:
        needs = need("a")							# of the owner: NO for another reason
    for rights in [*LETTERS, LETTERS, "l" + LETTERS[2:], LETTERS[1:]]:
        check(missing, ask(bob, alice, template, make(bob, rights)), command, needs, set(rights), "SETACL {}{q} bob" in template)
    for taken in LETTERS:
        rights = set(LETTERS) - {taken}
        check(missing, ask(bob, alice, template, make(bob, LETTERS, negative=taken)), command, needs, rights,
              "SETACL {}{q} bob" in template)


def check(missing, answer, command, needs, rights, is_owners):
    where = (command, "".join(sorted(rights)), answer, missing)
    tagged = answer.split(b"\n")[-1]
    if command in SILENT:
        assert tagged.startswith(b"OK"), where
        assert (answer == missing) == (needs(set()) or not needs(rights)), where
    elif needs(rights):
        assert tagged.startswith(b"NO [CANNOT]" if is_owners else b"OK"), where
    elif VISIBLE in rights:
        assert tagged.startswith(b"NO [NOPERM]"), where
    else:
        assert answer == missing, where
    assert command in SILENT or missing.split(b"\n")[-1].startswith(b"NO"), where


@pytest.mark.parametrize("command, template, needs", cases())
def test_another_user_is_as_no_user(server, command, template, needs):
    """A user who shares nothing with one, and a name that nobody has: byte for byte the same."""
    with server.client("bob") as bob, server.client("alice") as alice:
        with server.client("carol") as carol:
            carol.command(b"CREATE boxcarol1")
        there = ask(bob, alice, template, b"boxcarol1", user=b"carol")
        nowhere = ask(bob, alice, template, b"boxcarol1", user=b"nobod")
        assert there.replace(b"carol", b"USER") == nowhere.replace(b"nobod", b"USER")


def open_files(server):
    """The users' files that the process has open."""
    folder = pathlib.Path(f"/proc/{server.process.pid}/fd")
    names = {os.readlink(link) for link in folder.iterdir() if link.exists()}
    return {name for name in names if name.endswith("/mail.db")}


@pytest.fixture(scope="module")
def begun_server():
    """A server that has opened no user's file since it began, with somebody who shares nothing."""
    with lib.Server(users=("bob", "alice", "carol")) as server:
        with server.client("carol") as carol, server.client("bob") as bob:
            carol.ok(b"CREATE box")
            bob.ok(b"SETACL INBOX carol lr")		# so that there is a namespace
        server.stop()
        server.start()
        yield server


@pytest.mark.same_everywhere
@pytest.mark.parametrize("command, template, needs", [case for case in cases() if case.values[0] not in ("LIST", "LSUB")])
def test_no_file_is_opened_for_what_is_not_shared(begun_server, command, template, needs):
    """What is not there costs no more work than what is there and not shared: the file of its owner stays closed."""
    with begun_server.client("alice") as alice:
        alice.append(b"INBOX", lib.message(1))
        alice.ok(b"SELECT INBOX")
        files = open_files(begun_server)
        quoted = '"Other Users/carol/box'
        line = template.replace("{}", quoted).replace("{q}", '"').replace("{n}", "1").replace("{name}", "box")
        alice.command(line.replace("{literal}", "{}").encode(), *([lib.message(2)] if "{literal}" in line else []))
        assert open_files(begun_server) == files and len(files) == 1


@pytest.mark.parametrize("command, template, needs", cases())
def test_own(server, command, template, needs):
    """The owner may everything, with names of the same kind."""
    if "Other Users" in template or "bob" in template:
        pytest.skip("names another's mailbox by itself")
    with server.client("bob") as bob:
        name = make(bob, "")
        quoted = '"' + name.decode()
        if any(template.startswith(word) for word in ("COPY", "UID", "MOVE", "REPLACE")):
            bob.append(b"INBOX", lib.message(1))
            bob.ok(b"SELECT INBOX")
        command_line = template.replace("{}", quoted).replace("{q}", '"').replace("{n}", "1").replace("{name}", name.decode())
        literals = [lib.message(2)] if "{literal}" in command_line else []
        assert bob.command(command_line.replace("{literal}", "{}").encode(), *literals).is_ok
