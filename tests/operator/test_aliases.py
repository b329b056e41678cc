"""alias add, remove and list: other names of users, for mail and for logins; and all that is nobody's in a domain."""
import json

import pytest

import server as lib
from scram import Scram


@pytest.fixture
def server():
    with lib.Server(users=("ann", "bob@example.org")) as running:
        yield running


def refused(server, *words, code, input=None):
    done = server.imapctl(*words, check=False, input=input)
    assert done.returncode == code, done
    return done.stderr


def aliases(server, *words):
    return {alias["name"]: alias["user"] for alias in json.loads(server.imapctl("--json", "alias", "list", *words).stdout)["alias"]}


def deliver(server, *addresses):
    """What is said of each."""
    codes = []
    with server.lmtp() as lmtp:
        for number, address in enumerate(addresses):
            lmtp.command(b"MAIL FROM:<sender@example.org>")
            said = lmtp.command(b"RCPT TO:<%s>" % address.encode())[-1]
            lmtp.command(b"RSET")
            codes.append(said[:3].decode())
            if said.startswith(b"250"):
                assert lmtp.deliver(lib.message(number), address.encode())[0].startswith(b"250")
    return codes


def letters(server, user):
    with server.client(user) as client:
        return [line for line in client.ok(b"SELECT INBOX").untagged if b"EXISTS" in line][0].split()[1]


def logs_in(server, name):
    with server.client() as client:
        return client.command(b'LOGIN %s "%s"' % (name.encode(), lib.PASSWORD.encode())).is_ok


def test_mail_and_logins(server):
    server.imapctl("alias", "add", "Info@Example.org", "ann")
    server.imapctl("alias", "add", "help", "bob@example.org")
    server.imapctl("alias", "add", "info@example.org", "ann")              # again is no error
    assert aliases(server) == {"info@example.org": "ann", "help": "bob@example.org"}
    assert aliases(server, "ann") == {"info@example.org": "ann"}
    assert "no such user" in refused(server, "alias", "list", "nobody", code=67)
    shown = json.loads(server.imapctl("--json", "user", "show", "ann").stdout)
    assert shown["alias"] == [{"name": "info@example.org"}]
    assert deliver(server, "info@example.org", "INFO+shop@example.ORG", "help@anywhere.example", "help+x", "inf@example.org") == \
        ["250", "250", "250", "250", "550"]
    assert (letters(server, "ann"), letters(server, "bob@example.org")) == (b"2", b"2")
    assert logs_in(server, "info@example.org") and logs_in(server, "HELP")
    with server.client() as client:
        assert Scram("info@example.org", lib.PASSWORD).run(client).startswith(b"s OK")
        assert b"ann" in server.imapctl("who").stdout.encode()
    server.stop()
    server.start()
    assert logs_in(server, "info@example.org")
    server.imapctl("alias", "remove", "info@example.org")
    assert deliver(server, "info@example.org") == ["550"] and not logs_in(server, "info@example.org")
    assert "no such alias" in refused(server, "alias", "remove", "info@example.org", code=67)


def test_all_that_is_left_of_a_domain(server):
    server.imapctl("alias", "add", "@example.org", "ann")
    assert deliver(server, "whoever@example.org", "bob@example.org", "bob+x@EXAMPLE.org", "postmaster@example.org",
                   "whoever@sub.example.org", "whoever", '"a b"@example.org') == ["250", "250", "250", "250", "550", "550", "250"]
    assert (letters(server, "ann"), letters(server, "bob@example.org")) == (b"3", b"2")
    assert not logs_in(server, "@example.org")
    assert not logs_in(server, "whoever@example.org")
    server.settings = ["postmaster bob@example.org"]
    server.write_config()
    server.imapctl("reload")
    assert deliver(server, "Postmaster@example.org") == ["250"] and letters(server, "bob@example.org") == b"3"
    server.imapctl("alias", "add", "postmaster@example.org", "ann")         # who is named comes before who is configured
    assert deliver(server, "Postmaster@example.org") == ["250"] and letters(server, "ann") == b"4"


def test_one_name_is_one_thing(server):
    server.imapctl("alias", "add", "info", "ann")
    assert "user has this name" in refused(server, "alias", "add", "ann", "bob@example.org", code=73)
    assert "user has this name" in refused(server, "alias", "add", "ann", "ann", code=73)
    refused(server, "alias", "add", "INFO", "bob@example.org", code=73)
    refused(server, "alias", "add", "other", "nobody", code=67)
    refused(server, "alias", "add", "other", "info", code=67)              # no alias of an alias: no circles
    for wrong in ("@", "foo@", "a@b@", "a b", "", "x" * 256, "$team"):
        refused(server, "alias", "add", wrong, "ann", code=65)
    refused(server, "user", "add", "foo@", code=65, input="x\n")
    refused(server, "user", "rename", "ann", "foo@", code=65)
    refused(server, "alias", "add", "other", code=64)
    assert "alias" in refused(server, "user", "add", "info", code=73, input="x\n")
    assert "alias" in refused(server, "user", "add", "info", "--shared", code=73)
    (server.folder / "users").write_text("Info:{PLAIN}secret\ncleo:{PLAIN}secret\n")
    assert "line 1, Info: the name is an alias" in refused(server, "user", "import", str(server.folder / "users"), code=65)
    assert aliases(server) == {"info": "ann"}


def test_whose_user_goes(server):
    server.imapctl("user", "add", "team", "--shared")
    server.imapctl("alias", "add", "sales@example.org", "team")
    server.imapctl("alias", "add", "info@example.org", "ann")
    assert deliver(server, "sales@example.org") == ["250"] and not logs_in(server, "sales@example.org")
    server.imapctl("user", "set", "ann", "--imap=off")
    assert deliver(server, "info@example.org") == ["250"] and not logs_in(server, "info@example.org")
    said = server.imapctl("user", "del", "ann", "--yes").stdout
    assert "info@example.org" in said and "refused from now on" in said
    assert deliver(server, "info@example.org") == ["550"] and aliases(server) == {"sales@example.org": "team"}
    server.add_user("ann")
    assert deliver(server, "info@example.org") == ["550"]                   # who has the name next has nothing of it
