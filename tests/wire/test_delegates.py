"""Masters and delegates: logging in as somebody else, by each form of name and each mechanism (RFC 4422 section 3.4.1)."""
import base64
import concurrent.futures
import itertools
import json
import re
import socket

import pytest

import server as lib
from scram import Scram
from tokens import AUDIENCE, NAME, Issuer

USERS = ("demo", "ann", "root", "chief", "boss@example.org", "eve", "x*root", "x/y", "hal", "pete", "tom")
serials = itertools.count()


def furnish(server):
    server.imapctl("user", "set", "root", "--master")
    for master in ("chief", "hal"):
        server.imapctl("user", "set", master, "--master=on")
    server.imapctl("user", "add", "support", "--shared")
    for principal, delegate in (("demo", "ann"), ("support", "ann"), ("chief", "ann"), ("demo", "boss@example.org")):
        server.imapctl("user", "allow", principal, f"--delegate={delegate}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    keys, issuer = tmp_path_factory.mktemp("keys") / "jwks.json", Issuer()
    keys.write_text(issuer.jwks())
    with lib.Server(users=USERS, settings=[f"oauth-issuer {NAME} {keys}", f"oauth-audience {AUDIENCE}"]) as running:
        running.issuer = issuer
        furnish(running)
        yield running


def connect(server):
    """From an address of its own: failures slow down the next ones."""
    serial = next(serials)
    address = f"127.9.{serial // 250}.{serial % 250 + 1}"
    connected = socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S, (address, 0))
    client = lib.Client.unread(connected)
    client.line()
    return client


def quoted(text):
    return b'"%s"' % text.encode()


def b64(text):
    return base64.b64encode(text.encode())


def by_login(client, server, user, password, identity):
    assert not identity
    return client.command(b"LOGIN %s %s" % (quoted(user), quoted(password))).tagged


def by_plain(client, server, user, password, identity):
    return client.command(b"AUTHENTICATE PLAIN " + b64(f"{identity}\0{user}\0{password}")).tagged


def by_scram(client, server, user, password, identity):
    return Scram(user, password, identity=identity).run(client)


def answer(server, how, user, password, identity=""):
    """OK and the mailboxes of whose session it is, or the answer without its tag."""
    client = connect(server)
    tagged = how(client, server, user, password, identity).split(b" ", 1)[1]
    if not tagged.startswith(b"OK "):
        return tagged
    mailboxes = client.ok(b'LIST "" *').untagged
    client.socket.close()
    return next((line.split(b" of-")[1].decode() for line in mailboxes if b" of-" in line), "nobody")


REFUSED = b"NO [AUTHENTICATIONFAILED] Authentication failed"


def refused(server, user, identity=""):
    """The log says so at once, the answer comes late."""
    def failures():
        return sum(" ev=auth-fail " in line for line in server.log_lines)
    before, client = failures(), connect(server)
    client.send(b"s AUTHENTICATE PLAIN " + b64(f"{identity}\0{user}\0{lib.PASSWORD}") + b"\r\n")
    lib.wait_until(lambda: failures() > before)
    client.socket.close()
    return True


def create(server, user, name):
    client = connect(server)
    assert b" OK " in by_login(client, server, user, lib.PASSWORD, "")
    client.ok(b"CREATE of-" + name.replace("*", "-").replace("/", "-").encode())
    client.socket.close()


@pytest.fixture(scope="module")
def marked(server):
    """Each mailbox tells whose it is."""
    for user in ("demo", "ann", "root", "chief", "x*root", "x/y"):
        create(server, user, user)
    create(server, "support*root", "support")
    return server


FORMS = [("demo*root", "", "demo"), ("support*root", "", "support"), ("DEMO*Root", "", "demo"), ("ann/demo", "", "demo"),
         ("CONTOSO/ann/demo", "", "demo"), ("contoso.example/ann/support", "", "support"), ("demo*ann", "", "demo"),
         ("boss@example.org/demo", "", "demo"), ("example.org/boss/demo", "", "demo"), ("ann", "demo", "demo"),
         ("ann", "ann", "ann"), ("ann*ann", "", "ann"), ("root", "ann", "ann"), ("root", "support", "support"),
         ("ann", "chief", "chief"), ("x*root", "", "x-root"), ("x/y", "", "x-y"), ("ann", "", "ann")]
# The more failures of one prover, the longer each takes: no more than three.
WRONG = [("eve", "demo"), ("ann", "root"), ("root", "chief"), ("chief", "root"), ("demo", "ann"), ("hal", "nobody"),
         ("nobody", "demo"), ("support", ""), ("ann*demo", ""), ("demo*pete", ""), ("pete/demo", ""), ("D/pete/demo", ""),
         ("boss@example.org/root", ""), ("*chief", ""), ("demo*", ""), ("/demo", ""), ("ann/", ""), ("//", ""),
         ("hal", "a b"), ("demo*root*hal", ""), ("support", "support"), ("boss@example.org", "support*root")]


@pytest.mark.parametrize("how", [by_login, by_plain, by_scram])
def test_who_may(marked, how):
    for user, identity, whose in FORMS:
        if not (identity and how is by_login):
            assert answer(marked, how, user, lib.PASSWORD, identity) == whose, (user, identity)


def test_tokens(marked):
    def try_token(user, identity):
        client, token = connect(marked), marked.issuer.token(user)
        client.send(b"s AUTHENTICATE XOAUTH2 " + b64(f"user={identity}\x01auth=Bearer {token}\x01\x01") + b"\r\n")
        line = client.line()
        if line.startswith(b"+ "):
            client.send(b"\r\n")
            line = client.line()
        return line.split()[1]
    assert try_token("ann", "ann") == try_token("ann", "demo") == try_token("root", "demo") == b"OK"
    bad = [("tom", "demo"), ("ann", "nobody"), ("root", "chief"), ("demo*root", "demo*root"), ("ann/demo", "ann/demo")]
    with concurrent.futures.ThreadPoolExecutor(len(bad)) as pool:   # what a token proves is not taken apart
        assert list(pool.map(lambda case: try_token(*case), bad)) == [b"NO"] * len(bad)


def last(server, event):
    return next(line for line in reversed(server.log_lines) if f" ev={event} " in line)


def test_both_names_are_logged_and_shown(marked):
    client = connect(marked)
    assert b" OK " in by_login(client, marked, "demo*root", lib.PASSWORD, "")
    logins = [line for line in marked.log_lines if " ev=login " in line][-2:]
    assert len(logins) == 2 and all("user=demo by=root" in line for line in logins)
    assert any("kind=master" in line for line in logins)
    session, = [one for one in json.loads(marked.imapctl("--json", "who", "demo").stdout)["session"] if one["by"]]
    assert (session["user"], session["by"]) == ("demo", "root")
    assert refused(marked, "tom", "demo")
    assert "user=tom identity=demo" in last(marked, "auth-fail") and "reason=not-permitted" in last(marked, "auth-fail")
    client.socket.close()
    assert answer(marked, by_plain, "ann", lib.PASSWORD, "demo") == "demo"
    assert any("by=ann kind=delegate" in line for line in marked.log_lines)


def test_a_change_counts_at_once():
    with lib.Server(users=("demo", "ann", "root")) as server:
        furnished = [("user", "set", "root", "--master"), ("user", "allow", "demo", "--delegate=ann")]
        for words in furnished:
            server.imapctl(*words)
        user, = json.loads(server.imapctl("--json", "user", "show", "root").stdout)["user"]
        assert user["master"] == "yes"
        assert json.loads(server.imapctl("--json", "user", "show", "demo").stdout)["delegate"] == [{"name": "ann"}]

        server.imapctl("user", "set", "demo", "--imap=off")     # masters get in, delegates do not
        assert answer(server, by_plain, "root", lib.PASSWORD, "demo") == "nobody"
        assert refused(server, "ann", "demo")
        server.imapctl("user", "set", "demo", "--imap=on")
        assert answer(server, by_plain, "ann", lib.PASSWORD, "demo") == "nobody"

        held = connect(server)
        assert b" OK " in by_plain(held, server, "root", lib.PASSWORD, "demo")
        server.imapctl("user", "set", "root", "--imap=off")     # ends the sessions that root has
        assert re.match(rb"\* BYE ", held.line())
        assert refused(server, "root", "demo")
        server.imapctl("user", "set", "root", "--imap=on", "--master=off")
        assert refused(server, "root", "demo")
        server.imapctl("user", "deny", "demo", "--delegate=ann")
        assert refused(server, "ann", "demo")
        assert server.imapctl("user", "deny", "demo", "--delegate=ann", check=False).returncode == 67
        assert server.imapctl("user", "allow", "demo", "--delegate=nobody", check=False).returncode == 67
        assert server.imapctl("user", "allow", "demo", check=False).returncode == 64

        # Who gets a name later has no permission of the one before.
        server.imapctl("user", "allow", "demo", "--delegate=ann")
        server.imapctl("user", "del", "ann", "--yes")
        server.add_user("ann")
        assert refused(server, "ann", "demo")


def test_another_separator_or_none():
    with lib.Server(users=("demo", "root"), settings=["master-separator %"]) as server:
        server.imapctl("user", "set", "root", "--master")
        assert answer(server, by_login, "demo%root", lib.PASSWORD) == "nobody"
        assert refused(server, "demo*root")
    with lib.Server(users=("demo", "root"), settings=["master-separator none"]) as server:
        server.imapctl("user", "set", "root", "--master")
        assert refused(server, "demo*root")
        assert answer(server, by_plain, "root", lib.PASSWORD, "demo") == "nobody"


def salt(server, user):
    client = connect(server)
    client.send(b"s AUTHENTICATE SCRAM-SHA-256 " + b64(f"n,,n={user},r=abc") + b"\r\n")
    first = base64.b64decode(client.line()[2:]).decode()
    client.socket.close()
    return first.split(",")[1]


def test_a_salt_tells_nobody(server):
    """Whoever exists and who does not have one salt each, whatever else the name says."""
    for user in ("ann", "nobody"):
        assert salt(server, user) == salt(server, f"demo*{user}") == salt(server, f"x*{user}") == salt(server, f"{user}/demo")


@pytest.mark.same_everywhere
def test_who_may_not(server):
    """In parallel, each by one of the mechanisms: failures are told late."""
    hows = itertools.cycle((by_plain, by_scram, by_login))
    cases = [(by_plain if identity else next(hows), user, identity) for user, identity in WRONG]
    cases += [(by_scram, user, identity) for user, identity in WRONG[:5] if identity]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(lambda case: answer(server, case[0], case[1], lib.PASSWORD, case[2]), cases))
    assert answers == [REFUSED] * len(cases), list(zip(cases, answers))
