"""user rename where the directory is on one host and the mail on others: all of them know, or none."""
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import threading

import pytest

import server as lib
import split
from picturing import picture

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")

KILLS = int(os.environ.get("RENAME_KILLS", "1"))


@pytest.fixture(scope="module")
def three():
    with split.SplitServer(mailbox_servers=2, cas_settings=["link-timeout 10"]) as running:
        yield running


def rename(host, *words, code=0):
    done = host.imapctl("user", "rename", *words, check=False)
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


def names(host):
    return [user["name"] for user in json.loads(host.imapctl("--json", "user", "list").stdout)["user"]]


def knows(running, name):
    """The hosts that have a user of this name: the one with the directory, then the mailbox servers."""
    return [name in names(host) for host in running.hosts()]


def identifiers(host, owner):
    return {row["identifier"] for row in json.loads(host.imapctl("--json", "acl", "list", owner).stdout)["acl"]}


def test_all_hosts_know(three):
    three.add_user("ada", home=0)
    three.add_user("bob", home=0)
    three.add_user("far", home=1)
    three.mailboxes[0].imapctl("alias", "add", "info", "ada")
    three.mailboxes[0].imapctl("group", "add", "staff", "ada")
    with three.client("bob") as bob, three.client("far") as far:
        bob.ok(b"SETACL INBOX ada lr")
        far.ok(b"SETACL INBOX -ada lr")
    with three.client("ada") as client:
        assert client.append(b"INBOX", lib.message(1)).is_ok
        before = picture(client)
        assert "ada is countess" in rename(three.cas, "ada", "countess")
        assert client.line().startswith(b"* BYE")
    assert knows(three, "ada") == [False] * 3 and knows(three, "countess") == [True, True, False]
    with three.client("countess") as client:
        assert picture(client) == before
        client.ok(b'EXAMINE "Other Users/bob/INBOX"')
    with three.client() as client:
        assert not client.command(b'LOGIN ada "%s"' % lib.PASSWORD.encode()).is_ok
    assert identifiers(three.mailboxes[0], "bob") == {"countess"} and identifiers(three.mailboxes[1], "far") == {"-countess"}
    shown = json.loads(three.mailboxes[0].imapctl("--json", "user", "show", "countess").stdout)
    assert shown["alias"] == [{"name": "info"}] and shown["group"] == [{"name": "staff"}]
    with three.lmtp(0) as lmtp:
        assert lmtp.deliver(lib.message(2), b"info")[0].startswith(b"250")


def test_moved_before_and_afterwards(three):
    three.add_user("cleo", home=0)
    three.cas.imapctl("move", "cleo", "mbx2")
    rename(three.cas, "cleo", "queen", "--alias")
    assert knows(three, "queen") == [True, True, True]		# where she was, mail for her is put off
    three.cas.imapctl("move", "queen", "mbx1")
    with three.client("queen") as client, three.client("cleo") as alias:
        assert client.append(b"INBOX", lib.message(1)).is_ok
        assert b"* 1 EXISTS" in alias.ok(b"SELECT INBOX").untagged


def test_one_of_them_refuses_and_nothing_has_changed(three):
    three.add_user("dora", home=0)
    three.mailboxes[1].add_user("there")
    assert "mbx2: there is a user of the new name" in rename(three.cas, "dora", "there", code=75)
    lib.wait_until(lambda: any("ev=rename-ended" in line and "former=dora" in line for line in three.cas.log_lines))
    assert knows(three, "dora") == [True, True, False]
    rename(three.cas, "dora", "theodora")
    with three.client("theodora") as client:
        client.ok(b"SELECT INBOX")


def test_who_has_moved_away_is_renamed_elsewhere(three):
    three.add_user("walt", home=0)
    three.cas.imapctl("move", "walt", "mbx2")
    assert "on another host" in rename(three.mailboxes[0], "walt", "walter", code=69)


def test_a_server_that_is_silent(three):
    """Before it was asked: refused.  After the switch: told when it is there."""
    three.add_user("emil", home=0)
    lib.freeze(three.mailboxes[1].process)
    assert "mbx2" in rename(three.cas, "emil", "emilio", code=75)
    lib.thaw(three.mailboxes[1].process)
    three.await_link(1)
    lib.wait_until(lambda: three.cas.imapctl("user", "rename", "emil", "emilio", check=False).returncode == 0)
    with three.client("emilio") as client:
        client.ok(b"SELECT INBOX")


def test_stopped_while_it_asks(three):
    """The host that orders it ends: whoever waits is told, and the next process takes it back."""
    three.add_user("hans", home=0)
    lib.freeze(three.mailboxes[1].process)
    order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "user", "rename", "hans", "johann"],
                             stderr=subprocess.PIPE, text=True)
    lib.wait_until(lambda: [line for line in three.mailboxes[0].log_lines
                            if "ev=rename-told" in line and "former=hans" in line])
    assert three.cas.stop() == 0
    said = order.communicate()[1]
    assert order.returncode == 75 and ("being stopped" in said or "mbx2" in said), said
    three.cas.start()
    lib.thaw(three.mailboxes[1].process)
    lib.wait_until(lambda: three.cas.imapctl("user", "rename", "hans", "johann", check=False).returncode == 0)
    assert knows(three, "johann") == [True, True, False]


def test_directory_is_lost_while_it_asks(three):
    """The host that orders it gets a backup of its directory: ordered again it takes over what others have noted, if they still do."""
    three.add_user("nick", home=0)
    with contextlib.closing(sqlite3.connect(three.cas.data / "directory.db")) as file:
        backup = "\n".join(file.iterdump())
        version = file.execute("PRAGMA user_version").fetchone()[0]
    lib.freeze(three.mailboxes[1].process)
    order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "user", "rename", "nick", "nicolas"],
                             stderr=subprocess.PIPE, text=True)
    lib.wait_until(lambda: [line for line in three.mailboxes[0].log_lines
                            if "ev=rename-told" in line and "former=nick" in line])
    three.cas.kill()
    order.communicate()
    for path in three.cas.data.glob("directory.db*"):
        path.unlink()
    with contextlib.closing(sqlite3.connect(three.cas.data / "directory.db")) as file:
        file.executescript(f"{backup}\nPRAGMA user_version = {version};")
    os.chmod(three.cas.data / "directory.db", 0o600)
    three.cas.start()
    lib.thaw(three.mailboxes[1].process)
    host = three.mailboxes[0]
    assert "being renamed" in host.imapctl("user", "del", "nick", "--yes", check=False).stderr
    assert "--abandon" in rename(host, "nick", "nicolas", code=75)
    assert "begun here" in rename(host, "nick", "nikita", "--abandon", code=67)
    said = json.loads(host.imapctl("--json", "user", "rename", "nick", "nicolas", "--abandon").stdout)["rename"]
    assert said == [{"former": "nick", "user": "nicolas", "alias": "no", "state": "abandoned"}]
    host.imapctl("user", "add", "nicolas", input=lib.PASSWORD + "\n")
    host.imapctl("user", "del", "nicolas", "--yes")
    lib.wait_until(lambda: three.cas.imapctl("user", "rename", "nick", "nicolas", check=False).returncode == 0)
    assert knows(three, "nicolas") == [True, True, False] and knows(three, "nick") == [False] * 3


def test_no_rename_while_users_move(three):
    three.add_user("fred", home=0)
    three.add_user("greg", home=0)
    lib.freeze(three.mailboxes[1].process)
    order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "move", "fred", "mbx2"], stderr=subprocess.PIPE)
    lib.wait_until(lambda: [line for line in three.cas.log_lines if "ev=move-begun" in line and "user=fred" in line])
    for name in ("fred", "greg"):
        assert "is being moved" in rename(three.cas, name, name + "2", code=75)
    lib.thaw(three.mailboxes[1].process)
    order.communicate()


def test_where_the_mailbox_host_has_the_users():
    with split.SplitServer() as pair:
        pair.add_user("olga")
        assert "on the mailbox server" in rename(pair.cas, "olga", "helga", code=69)
        with pair.client("olga") as client:
            client.ok(b"SELECT INBOX")
            rename(pair.mailboxes[0], "olga", "helga")
            assert client.line().startswith(b"* BYE")
        with pair.client("helga") as client:
            client.ok(b"SELECT INBOX")


def test_killed_in_the_middle(three):
    """Of each process; then a second run, or the process that begins, ends it."""
    seed = int(os.environ.get("RENAME_SEED", random.randrange(1 << 30) if KILLS > 1 else 1))
    chance = random.Random(seed)
    print("RENAME_SEED", seed)
    three.add_user("zoe", home=0)
    three.add_user("owen", home=0)
    with three.client("owen") as owen:
        owen.ok(b"SETACL INBOX zoe lr")
        owen.ok(b"CREATE Shut")
        owen.ok(b"SETACL Shut anyone lr")
        owen.ok(b"SETACL Shut -zoe lr")
    with three.client("zoe") as client:
        assert client.append(b"INBOX", lib.message(1)).is_ok
        before = picture(client)
    for number in range(KILLS):
        for victim in chance.sample([three.cas, *three.mailboxes], 3):
            old = "zoe" if "zoe" in names(three.cas) else "zora"
            new = "zora" if old == "zoe" else "zoe"
            order = subprocess.Popen([lib.IMAPCTL, f"--config={three.cas.config}", "user", "rename", old, new],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            threading.Event().wait(chance.uniform(0, 0.04))
            victim.kill()
            victim.start()
            order.communicate()

            def is_done():
                done = three.cas.imapctl("user", "rename", old, new, check=False)
                return done.returncode == 0 and \
                    knows(three, new) == [True, True, False] and knows(three, old) == [False] * 3
            lib.wait_until(is_done)

            def is_in():
                with three.client() as client:
                    return client.command(b'LOGIN %s "%s"' % (new.encode(), lib.PASSWORD.encode())).is_ok
            lib.wait_until(is_in)
            lib.wait_until(lambda: identifiers(three.mailboxes[0], "owen") >= {new, "-" + new})
            assert not {old, "-" + old} & identifiers(three.mailboxes[0], "owen")
            with three.client(new) as client:
                assert picture(client) == before
            if KILLS > 1:
                print(number, victim.folder.name, flush=True)
