"""user rename: all that is a user's stays the user's, and all that says the old name says the new one."""
import base64
import contextlib
import json
import sqlite3

import pytest

import server as lib
from picturing import picture
from scram import Scram

USERS = ("ada", "bob", "carl", "dora", "eve")


@pytest.fixture
def server():
    with lib.Server(users=USERS) as running:
        yield running


def rename(server, *words, code=0):
    done = server.imapctl("user", "rename", *words, check=False)
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


def shown(server, name):
    return json.loads(server.imapctl("--json", "user", "show", name).stdout)


def acl(server, owner):
    rows = json.loads(server.imapctl("--json", "acl", "list", owner).stdout)["acl"]
    return {(row["mailbox"], row["identifier"]): row["rights"] for row in rows}


def deliver(server, address):
    with server.lmtp() as lmtp:
        lmtp.command(b"MAIL FROM:<>")
        said = lmtp.command(b"RCPT TO:<%s>" % address.encode())[-1]
        lmtp.command(b"RSET")
        if said.startswith(b"250"):
            assert lmtp.deliver(lib.message(1), address.encode())[0].startswith(b"250")
    return said[:3].decode()


def logs_in(server, name, password=lib.PASSWORD):
    with server.client() as client:
        return client.command(b'LOGIN %s "%s"' % (name.encode(), password.encode())).is_ok


def exists(client, mailbox):
    return client.command(b'EXAMINE "%s"' % mailbox).is_ok


def test_what_is_the_users_own(server):
    """Mail with its numbers, password and keys, groups, aliases, delegates, limits, who is master."""
    server.imapctl("group", "add", "sales", "ada", "bob")
    server.imapctl("alias", "add", "info@example.org", "ada")
    server.imapctl("user", "allow", "ada", "--delegate=bob")
    server.imapctl("user", "allow", "carl", "--delegate=ada")
    server.imapctl("user", "set", "ada", "--quota-messages=70", "--master")
    with server.client("ada") as client:
        client.ok(b"CREATE Projects/One")
        for number in range(5):
            assert client.append(b"Projects/One", lib.message(number)).is_ok
        client.ok(b"SELECT Projects/One")
        client.ok(b"UID STORE 2:3 +FLAGS (\\Deleted $Work)")
        client.ok(b"UID EXPUNGE 2")
        client.ok(b"SUBSCRIBE Projects/One")
        before, subscribed = picture(client), client.ok(b'LIST (SUBSCRIBED) "" *').untagged
        said = json.loads(server.imapctl("--json", "user", "rename", "Ada", "Countess@Example.org").stdout)
        assert said["rename"] == [{"former": "ada", "user": "countess@example.org", "alias": "no", "state": "done"}]
        assert client.line().startswith(b"* BYE")
    assert not logs_in(server, "ada") and deliver(server, "ada") == "550"
    after = shown(server, "countess@example.org")
    assert after["group"] == [{"name": "sales"}] and after["alias"] == [{"name": "info@example.org"}]
    assert after["delegate"] == [{"name": "bob"}] and after["user"][0]["quota-messages"] == "70"
    assert after["user"][0]["master"] == "yes" and shown(server, "carl")["delegate"] == [{"name": "countess@example.org"}]
    with server.client("countess@example.org") as client:
        assert picture(client) == before and client.ok(b'LIST (SUBSCRIBED) "" *').untagged == subscribed
    with server.client() as client:
        assert Scram("countess@example.org", lib.PASSWORD).run(client).startswith(b"s OK")
    assert deliver(server, "info@example.org") == deliver(server, "countess@example.org") == "250"
    assert server.imapctl("verify", "countess@example.org").returncode == 0
    assert json.loads(server.imapctl("--json", "user", "list", "--orphans").stdout)["orphan"] == []
    server.imapctl("user", "add", "ada", input="another\n")
    with server.client("ada", password="another") as client:
        assert b"* 0 EXISTS" in client.ok(b"SELECT INBOX").untagged
        assert not client.command(b"SELECT Projects/One").is_ok


def test_rights_that_others_gave(server):
    """They are the new name's, also those that take; where both names have some they hold together."""
    with server.client("bob") as bob:
        for name in (b"Given", b"Taken", b"Both", b"Never", b"Later"):
            bob.ok(b"CREATE " + name)
        bob.ok(b"SETACL Given ada lrs")
        bob.ok(b"SETACL Taken anyone lr")
        bob.ok(b"SETACL Taken -ada lr")
        bob.ok(b"SETACL Both ada l")
        bob.ok(b"SETACL Both countess r")
        bob.ok(b"SETACL Later -ada lr")	# of a file that says nothing else of the user
    with server.client("carl") as carl:
        carl.ok(b"SETACL INBOX -ada lrswipkxtea")
    rename(server, "ada", "countess")
    assert acl(server, "bob") == {("Given", "countess"): "lrs", ("Taken", "anyone"): "lr", ("Taken", "-countess"): "lr",
                                  ("Both", "countess"): "lr", ("Later", "-countess"): "lr"}
    with server.client("carl") as carl:
        carl.ok(b"SETACL INBOX anyone lr")
    with server.client("bob") as bob:
        bob.ok(b"SETACL Later anyone lr")
    with server.client("countess") as client:
        assert exists(client, b"Other Users/bob/Given") and exists(client, b"Other Users/bob/Both")
        assert not exists(client, b"Other Users/bob/Taken") and not exists(client, b"Other Users/bob/Later")
        assert not exists(client, b"Other Users/carl/INBOX")
    server.imapctl("user", "add", "ada", input=lib.PASSWORD + "\n")
    with server.client("ada") as client:		# the old name is nobody's
        assert not exists(client, b"Other Users/bob/Given") and exists(client, b"Other Users/bob/Taken")


def test_rights_in_mail_that_nobody_has_now(server):
    """The file of a user who was deleted is kept: what it gives, and follows, is not for who gets the old name."""
    with server.client("bob") as bob, server.client("ada") as ada:
        bob.ok(b"CREATE Given")
        bob.ok(b"SETACL Given ada lrs")
        bob.ok(b"SETACL INBOX -ada lr")
        ada.ok(b"SETACL INBOX bob lr")
        bob.ok(b'SUBSCRIBE "Other Users/ada/INBOX"')
    path = json.loads(server.imapctl("--json", "user", "del", "bob", "--yes").stdout)["mail"][0]["path"]
    rename(server, "ada", "countess")
    server.stop()
    with contextlib.closing(sqlite3.connect(f"{path}/mail.db")) as file:
        assert set(file.execute("SELECT identifier FROM acl")) == {("countess",), ("-countess",)}
        assert file.execute("SELECT name FROM subscription WHERE name LIKE '%/%'").fetchall() == [("Other Users/countess/INBOX",)]
    server.start()


def test_what_the_user_shares(server):
    """It is found below the new name, subscriptions follow, and whoever has it selected goes on."""
    with server.client("ada") as ada:
        ada.ok(b"CREATE Plans/Secret")
        assert ada.append(b"Plans", lib.message(1)).is_ok
        for name in (b"Plans", b"Plans/Secret"):
            ada.ok(b"SETACL " + name + b" bob lrsi")
        ada.ok(b"SETACL Plans countess lr")		# nobody's name yet
        ada.ok(b"SETACL INBOX $sales lr")
    server.imapctl("group", "add", "sales", "carl")
    with server.client("bob") as bob, server.client("carl") as carl:
        for name in (b"Other Users/ada/Plans", b"Other Users/ada/Plans/Secret", b"Other Users/adam"):
            bob.ok(b'SUBSCRIBE "%s"' % name)
        carl.ok(b'SUBSCRIBE "Other Users/ada/INBOX"')
        bob.ok(b'SELECT "Other Users/ada/Plans"')
        rename(server, "ada", "countess")
        assert b"* 1 FETCH (UID 1)" in bob.ok(b"FETCH 1 UID").untagged
        assert exists(bob, b"Other Users/countess/Plans/Secret") and not exists(bob, b"Other Users/ada/Plans")
        assert bob.append(b'"Other Users/countess/Plans"', lib.message(2)).is_ok
        listed = b"".join(bob.ok(b'LIST (SUBSCRIBED) "" *').untagged)
        assert b'"Other Users/countess/Plans/Secret"' in listed and b"ada/" not in listed and b'"Other Users/adam"' in listed
        assert exists(carl, b"Other Users/countess/INBOX")
        assert b'"Other Users/countess/INBOX"' in b"".join(carl.ok(b'LSUB "" *').untagged)
        assert b"ada" not in b"".join(bob.ok(b'LIST "" *').untagged).replace(b"adam", b"")
    with server.client("countess") as client:
        assert b'countess' not in b"".join(client.ok(b"GETACL Plans").untagged).replace(b"countess lrswipkxteacd", b"")
        client.ok(b"SETACL Plans carl lr")
    with server.client("carl") as carl:
        assert exists(carl, b"Other Users/countess/Plans")


def test_kept_as_an_alias_and_back(server):
    rename(server, "ada", "countess", "--alias")
    assert deliver(server, "ada") == "250" and logs_in(server, "ada") and logs_in(server, "countess")
    assert shown(server, "countess")["alias"] == [{"name": "ada"}]
    rename(server, "countess", "ada")			# to the user's own alias
    assert shown(server, "ada")["alias"] == [] and deliver(server, "countess") == "550"
    with server.client("ada") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_shared_account(server):
    server.imapctl("user", "add", "office", "--shared")
    server.imapctl("acl", "set", "office", "INBOX", "ada", "lrs")
    with server.client("ada") as ada:
        assert exists(ada, b"Shared/office/INBOX")
        ada.ok(b'SUBSCRIBE "Shared/office/INBOX"')
        rename(server, "office", "bureau")
        assert exists(ada, b"Shared/bureau/INBOX") and not exists(ada, b"Shared/office/INBOX")
        assert b'Shared/bureau/INBOX' in b"".join(ada.ok(b'LIST (SUBSCRIBED) "" *').untagged)


def test_ordered_again(server):
    """Whoever does not know how it ended orders it again, and is told that it is done; unless somebody else has one of the names."""
    rename(server, "ada", "countess")
    again = json.loads(server.imapctl("--json", "user", "rename", "ada", "countess").stdout)
    assert again["rename"] == [{"former": "ada", "user": "countess", "alias": "no", "state": "done"}]
    assert "no such user" in rename(server, "ada", "duchess", code=67)
    assert "no such user" in rename(server, "ada", "countess", "--alias", code=67)
    server.imapctl("user", "add", "ada", input=lib.PASSWORD + "\n")
    assert "a user of the new name" in rename(server, "ada", "countess", code=73)


def test_what_cannot_be(server):
    server.imapctl("alias", "add", "info", "bob")
    server.imapctl("group", "add", "sales", "bob")
    assert "no such user" in rename(server, "nobody", "new", code=67)
    assert "a user of the new name" in rename(server, "ada", "BOB", code=73)
    assert "somebody else's alias" in rename(server, "ada", "info", code=73)
    assert "a group of the new name" in rename(server, "ada", "sales", code=73)
    assert "the same" in rename(server, "ada", "Ada", code=65)
    for name in ("", "two words", "anyone", "$sales", "x" * 256):
        assert "not a name" in rename(server, "ada", name, code=65)
    rename(server, "ada", code=64)
    assert logs_in(server, "ada") and shown(server, "ada")["user"][0]["name"] == "ada"


def test_settings_that_say_the_old_name_are_told(server):
    server.stop()
    server.settings = ["postmaster ada", "deny-users eve ada", 'capability-mask IDLE user=a*']
    server.write_config()
    server.start()
    said = rename(server, "ada", "countess")
    assert all(f"at {option}:" in said for option in ("postmaster", "deny-users", "capability-mask"))
    assert "at " not in rename(server, "bob", "robert")


def test_nobody_logged_in_as_delegate_stays(server):
    server.imapctl("user", "allow", "bob", "--delegate=ada")
    with server.client() as client:
        client.ok(b'AUTHENTICATE PLAIN ' + base64.b64encode(b"bob\0ada\0" + lib.PASSWORD.encode()))
        rename(server, "ada", "countess")
        assert client.line().startswith(b"* BYE")
    with server.client() as client:
        client.ok(b'AUTHENTICATE PLAIN ' + base64.b64encode(b"bob\0countess\0" + lib.PASSWORD.encode()))
