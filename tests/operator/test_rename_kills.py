"""kill -9 in the middle of a rename, of imapctl and of the server: it has happened or not, a second run or a start
finishes it, and at no moment does anybody have a right more or a message less.

`make rename-kills` does it RENAME_KILLS times; as a test, a few times.
"""
import json
import os
import random
import subprocess
import threading

import pytest

import server as lib
from picturing import picture

KILLS = int(os.environ.get("RENAME_KILLS", "2"))
OWNERS = [f"owner{number}" for number in range(8)]
NAMES = ("ada", "countess")


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("ada", *OWNERS)) as running:
        for number, owner in enumerate(OWNERS):
            with running.client(owner) as client:
                client.ok(b"CREATE Open")
                client.ok(b"CREATE Shut")
                client.ok(b"SETACL Open ada lr" if number % 2 else b"SETACL Open anyone lr")
                client.ok(b"SETACL Shut anyone lr")
                client.ok(b"SETACL Shut -ada lr")
                client.ok(b'SUBSCRIBE "Other Users/ada/Mine"')
        with running.client("ada") as client:
            client.ok(b"CREATE Mine")
            assert client.append(b"Mine", lib.message(1)).is_ok
            for owner in OWNERS:
                client.ok(b"SETACL Mine %s lr" % owner.encode())
        yield running


def name_of(server):
    users = [user["name"] for user in json.loads(server.imapctl("--json", "user", "list").stdout)["user"]]
    found = [name for name in NAMES if name in users]
    assert len(found) == 1, users
    return found[0]


def sees(client, owner):
    return [client.command(b'EXAMINE "Other Users/%s/%s"' % (owner.encode(), name)).is_ok for name in (b"Open", b"Shut")]


def check_rights(server, name):
    """As the user: what was open is, and what was shut is not, however far the walk has come.  False: now it is another's name."""
    with server.client() as client:
        if not client.command(b'LOGIN %s "%s"' % (name.encode(), lib.PASSWORD.encode())).is_ok:
            assert name_of(server) != name		# the server went on by itself meanwhile
            return False
        client.checker = None
        try:
            for owner in OWNERS:
                assert sees(client, owner) == [True, False], owner
        except (EOFError, IndexError):		# no file says the old name any more: whoever came meanwhile is sent away
            return False
    return True


def finish(server, old, new):
    """Order it again until the directory has no more to do with it."""
    lib.wait_until(lambda: server.imapctl("user", "rename", old, new, check=False).returncode == 0)


def check_files(server, name):
    """No file says the old name."""
    for number, owner in enumerate(OWNERS):
        rows = json.loads(server.imapctl("--json", "acl", "list", owner).stdout)["acl"]
        found = {(row["mailbox"], row["identifier"]) for row in rows}
        assert found == {("Open", name if number % 2 else "anyone"), ("Shut", "anyone"), ("Shut", "-" + name)}, (owner, found)
        with server.client(owner) as client:
            assert b'"Other Users/%s/Mine"' % name.encode() in b"".join(client.ok(b'LSUB "" *').untagged)
            client.ok(b'EXAMINE "Other Users/%s/Mine"' % name.encode())


def test_killed_in_the_middle(server):
    seed = int(os.environ.get("RENAME_SEED", random.randrange(1 << 30) if KILLS > 2 else 1))
    chance = random.Random(seed)
    print("RENAME_SEED", seed)
    with server.client("ada") as client:
        before = picture(client)
    for number in range(KILLS):
        for victim in ("server", "imapctl"):
            old = name_of(server)
            new = NAMES[old == NAMES[0]]
            order = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "user", "rename", old, new],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            threading.Event().wait(chance.uniform(0, 0.06))
            if victim == "imapctl":
                order.kill()
            else:
                server.kill()
                server.start()
            order.wait()
            now = name_of(server)
            check_rights(server, now)
            finish(server, old, new)
            lib.wait_until(lambda: check_rights(server, new))
            check_files(server, new)
            with server.client(new) as client:
                assert picture(client) == before
            if KILLS > 2:
                print(number, victim, "renamed before the end" if now == new else "not yet renamed", flush=True)
