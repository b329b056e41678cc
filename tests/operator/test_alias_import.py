"""alias import: the aliases of a file, as Postfix's virtual(5) has them and `alias list` prints them."""
import json
import signal
import subprocess

import pytest

import server as lib

MANY = 5000


@pytest.fixture
def server():
    with lib.Server(users=("ann", "bob@example.org")) as running:
        yield running


def run(server, text, *words, code=0):
    """What was said, and what of each line that was refused."""
    done = server.imapctl("alias", "import", "-", *words, input=text, check=False)
    assert done.returncode == code, done
    return done.stdout.strip(), done.stderr.removeprefix("imapctl: ").split("\nimapctl: ")[:-1]


def aliases(server):
    return {alias["name"]: alias["user"] for alias in json.loads(server.imapctl("--json", "alias", "list").stdout)["alias"]}


def test_a_file(server):
    text = ("\ufeff# as Postfix has them\n\n"
            "Info@Example.org\tann\r\n"
            "help    bob@example.org   \n"
            "@example.net ann\n"
            "   # no line of its own\n")
    assert run(server, text, "--dry-run")[0] == "would be: 3 added, 0 updated, 0 there already, 0 refused"
    assert aliases(server) == {}
    assert run(server, text)[0] == "3 added, 0 updated, 0 there already, 0 refused"
    assert aliases(server) == {"info@example.org": "ann", "help": "bob@example.org", "@example.net": "ann"}
    assert run(server, text)[0] == "0 added, 0 updated, 3 there already, 0 refused"
    assert run(server, "help bob@example.org")[0] == "0 added, 0 updated, 1 there already, 0 refused"      # without a line end
    with server.lmtp() as lmtp:
        assert [said[:3] for said in lmtp.deliver(lib.message(1), b"info@example.org", b"whoever@example.net")] == [b"250"] * 2
    server.stop()
    server.start()
    assert len(aliases(server)) == 3


def test_what_is_listed_is_read_back(server):
    server.imapctl("user", "add", "user", input="secret\n")
    for alias, user in (("info@example.org", "ann"), ("@example.org", "bob@example.org"), ("name", "user"), ("größe", "ann")):
        server.imapctl("alias", "add", alias, user)
    listed, before = server.imapctl("alias", "list").stdout, aliases(server)
    assert run(server, listed)[0] == "0 added, 0 updated, 4 there already, 0 refused"
    for alias in before:
        server.imapctl("alias", "remove", alias)
    assert run(server, listed)[0] == "4 added, 0 updated, 0 there already, 0 refused"
    assert aliases(server) == before


def test_each_refusal_has_its_line(server):
    server.imapctl("alias", "add", "sales", "ann")
    several = "it goes to several: that is for a shared account, or for virtual_alias_maps of the mail server in front"
    said, refusals = run(server, "\n".join((
        "good ann", "sales bob@example.org", "bob@example.org ann", "other nobody", "other good", "half", "GOOD bob@example.org",
        "foo@ ann", "list ann, bob@example.org", "list ann bob@example.org", "list ann,", "team ann", "\tbob@example.org",
        "x" * 256 + " ann", "y" * 20000 + " ann", "last $all", "fine bob@example.org", "# the end")), code=65)
    assert said == "2 added, 0 updated, 0 there already, 15 refused"
    taken = "a user has this name, or it is somebody else's alias"
    assert sorted(refusals, key=lambda text: int(text.split()[1].rstrip(",:"))) == [
        f"line 2, sales: {taken}", f"line 3, bob@example.org: {taken}", "line 4, other: there is no such user",
        "line 5, other: the alias stood on a line before, which counts", "line 6, half: an alias, and no user",
        "line 7, GOOD: the alias stood on a line before, which counts",
        "line 8, foo@: not an alias: a name as of a user, or @ and a domain", f"line 9, list: {several}",
        f"line 10, list: {several}", f"line 11, list: {several}", f"line 12, team: {several}",
        "line 13: it goes on from a line before", f"line 14, {'x' * 256}: not an alias: a name as of a user, or @ and a domain",
        "line 15: the line is too long", "line 16, last: there is no such user"]
    assert aliases(server) == {"sales": "ann", "good": "ann", "fine": "bob@example.org"}


def test_update(server):
    server.imapctl("alias", "add", "sales", "ann")
    assert run(server, "sales bob@example.org\n", "--update", "--dry-run")[0] == \
        "would be: 0 added, 1 updated, 0 there already, 0 refused"
    assert aliases(server) == {"sales": "ann"}
    assert run(server, "sales bob@example.org\nann bob@example.org\n", "--update", code=65)[0] == \
        "0 added, 1 updated, 0 there already, 1 refused"
    assert aliases(server) == {"sales": "bob@example.org"}


def test_nothing_to_read(server):
    for text in ("", "# nothing\n\n", "name  user\n"):
        done = server.imapctl("alias", "import", "-", input=text, check=False)
        assert done.returncode == 66 and done.stderr == "imapctl: - names no alias\n", done
    done = server.imapctl("alias", "import", server.folder / "none", check=False)
    assert done.returncode == 66 and "No such file" in done.stderr


def test_many_and_interrupted(server):
    """Each call is all or nothing; what was begun is finished by the same command."""
    path = server.folder / "aliases"
    path.write_text("".join(f"alias{number}@example.org {('ann', 'bob@example.org')[number % 2]}\n" for number in range(MANY)))
    with path.open() as text:
        process = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "alias", "import", "-"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        for _ in range(MANY // 2):
            process.stdin.write(text.readline())
        process.stdin.flush()
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(BrokenPipeError):
            while True:
                process.stdin.write("\n" * 1000)
                process.stdin.flush()
    begun = len(aliases(server))
    assert begun % 500 == 0 and begun <= MANY // 2
    done = server.imapctl("alias", "import", path)
    assert done.stdout == f"{MANY - begun} added, 0 updated, {begun} there already, 0 refused\n"
    found = aliases(server)
    assert len(found) == MANY and found["alias7@example.org"] == "bob@example.org"
    assert server.imapctl("alias", "import", "-", input=server.imapctl("alias", "list").stdout).stdout == \
        f"0 added, 0 updated, {MANY} there already, 0 refused\n"
