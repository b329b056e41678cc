"""Users whose home is imap://HOST or imaps://HOST: the cas logs in there with what its client gives, and joins the two.

The old server is another imapd, or a script that says what no server should.
"""
import base64
import concurrent.futures
import itertools
import json
import re
import socket
import threading

import pytest

import certificates
import server as lib
from old_server import GREETING, OFFER, OldServer

PASSWORD = lib.PASSWORD.encode()
BIG = lib.message(2, b"A line of text that is long enough to be one.\r\n" * 60000)
FAILED = b"NO [AUTHENTICATIONFAILED] Authentication failed"


@pytest.fixture(scope="module")
def old():
    with lib.Server(users=("alice", "bob", "carol")) as running:
        yield running


@pytest.fixture(scope="module")
def new(old):
    """Where the users are to live; demo and root do already, and root is a master."""
    with lib.Server(settings=[f"relay-ca {old.cert}"], users=("demo", "root")) as running:
        running.base = list(running.settings)
        running.imapctl("user", "set", "root", "--master")
        for user, home in (("alice", f"imaps://localhost:{old.imaps_port}"), ("bob", f"imap://LocalHost:{old.imap_port}/")):
            running.imapctl("user", "add", user, "--no-password", f"--home={home}")
        yield running


def set_up(new, *lines):
    new.settings = [*new.base, *lines]
    new.write_config()
    new.imapctl("reload")


def move(new, home, user="moved"):
    """A user whose home is there."""
    new.imapctl("user", "add", user, "--no-password", "--if-missing")
    new.imapctl("user", "set", user, f"--home={home}")


def login(client, user, password=PASSWORD):
    return client.command(b'LOGIN "%s" "%s"' % (user, password)).tagged.split(b" ", 1)[1]


def status(server, kind):
    return json.loads(server.imapctl("--json", "status", check=False).stdout)[kind]


def logged(server, *words):
    return [line for line in server.log_lines if all(word in line for word in words)]


def expect_log(server, *words):
    lib.wait_until(lambda: logged(server, *words))


def by_plain(client, user):
    return client.command(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0%s\0%s" % (user, PASSWORD)))


def by_login(client, user):
    tag = client.tag()
    client.send(tag + b" AUTHENTICATE LOGIN\r\n")
    assert client.line().startswith(b"+ ")
    client.send(base64.b64encode(user) + b"\r\n")
    assert client.line().startswith(b"+ ")
    client.send(base64.b64encode(PASSWORD) + b"\r\n")
    return client.reply(tag)


def by_command(client, user):
    return client.command(b'LOGIN {} {}', user, PASSWORD)


@pytest.mark.parametrize("user", ["alice", "bob"])
@pytest.mark.parametrize("how", [by_plain, by_login, by_command])
def test_session(new, old, user, how):
    """All that a session does goes through: big literals both ways, IDLE, COMPRESS."""
    with new.client() as client:
        reply = how(client, user.encode())
        offer = re.search(rb"OK \[CAPABILITY ([^\]]*)\]", reply.tagged)[1].split()
        assert b"IMAP4rev1" in offer and b"COMPRESS=DEFLATE" in offer
        assert not [word for word in offer if word.startswith(b"AUTH=")]
        assert not {b"STARTTLS", b"LOGINDISABLED", b"SASL-IR", b"UNAUTHENTICATE", b"LOGIN-REFERRALS"} & set(offer)
        box = b"box-%s-%s" % (user.encode(), how.__name__.encode())
        client.ok(b"CREATE " + box)
        assert client.append(box, BIG, b"\\Seen").is_ok
        client.ok(b"SELECT " + box)
        assert client.fetch_body(1) == BIG
        tag = client.tag()
        client.send(tag + b" IDLE\r\n")
        assert client.line().startswith(b"+ ")
        with old.client(user) as other:             # what happens there is told here
            other.append(box, lib.message())
        while client.line() != b"* 2 EXISTS":
            pass
        client.send(b"DONE\r\n")
        assert client.reply(tag).is_ok
        client.start_deflate()
        assert client.fetch_body(1) == BIG
        client.ok(b"LOGOUT")
        assert client.line() == b""
    expect_log(new, "ev=login ", f"user={user} ", "relay=imap", f":{old.imaps_port if user == 'alice' else old.imap_port} ")
    expect_log(new, "ev=logout ", f"user={user} ", "reason=relay")


def test_first_commands_of_the_session_may_come_early(new, old):
    """What the client sends behind its login, without waiting, is for the old server."""
    with new.client() as client:
        client.send(b'a LOGIN alice "%s"\r\nb SELECT INBOX\r\nc NOOP\r\n' % PASSWORD)
        assert client.reply(b"a").is_ok and client.reply(b"b").is_ok and client.reply(b"c").is_ok


def test_another_name_there(new, old):
    move(new, f"imaps://carol@localhost:{old.imaps_port}", "carol@example.org")
    with new.client() as client:
        assert login(client, b"carol@example.org").startswith(b"OK ")
        client.append(b"INBOX", lib.message())
    with old.client("carol") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_who_and_status(new, old):
    with new.client("alice") as client:
        client.ok(b"NOOP")
        session, = json.loads(new.imapctl("--json", "who", "alice").stdout)["session"]
        server = f"imaps://localhost:{old.imaps_port}"
        assert session["relay"] == server and session["user"] == "alice"
        before, = [relay for relay in status(new, "relay") if relay["server"] == server]
        assert before["sessions"] == 1 and before["logins"] >= 1
        client.ok(b"LOGOUT")
    lib.wait_until(lambda: [relay["sessions"] for relay in status(new, "relay") if relay["server"] == server] == [0])


def scram(client, user):
    tag = client.tag()
    client.send(tag + b" AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(b"n,,n=%s,r=abcdefghijkl" % user) + b"\r\n")
    first = base64.b64decode(client.line()[2:])
    nonce = re.match(rb"r=([^,]*),s=[^,]+,i=\d+$", first)[1]
    client.send(base64.b64encode(b"c=biws,r=%s,p=%s" % (nonce, base64.b64encode(b"p" * 32))) + b"\r\n")
    return client.reply(tag).tagged.split(b" ", 1)[1]


def refuse(answer):
    """A server that answers a login so."""
    def script(c):
        begin(c)
        c.line()
        c.send(b"R1 " + answer + b"\r\n")
        c.line()
    return script


def together(new, *attempts):
    """What each gets: (function, argument...).  Each comes from an address of its own, so that nobody waits for others' failures."""
    def run(attempt):
        with lib.Client.unread(socket.create_connection(("127.0.0.1", new.imap_port), lib.LIMIT_S, (f"127.1.2.{next(hosts)}", 0))) as client:
            client.line()
            return attempt[0](client, *attempt[1:])
    with concurrent.futures.ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(run, attempts))


hosts = itertools.count(1)


def test_failures(new, old):
    """All look alike, whoever has found them wrong, and wait as long; the log says why."""
    new.imapctl("user", "add", "dora", "--no-password", f"--home=imaps://alice@localhost:{old.imaps_port}")
    new.imapctl("user", "set", "dora", "--imap=off")
    with OldServer(refuse(b"NO Login failed."), old.cert, old.key, is_tls=True) as short, \
            OldServer(refuse(b"NO [AUTHENTICATIONFAILED] bad"), old.cert, old.key, is_tls=True) as code, \
            OldServer(refuse(b"NO [ALERT] Application-specific password required"), old.cert, old.key, is_tls=True) as alert, \
            OldServer(refuse(b"NO [WEBALERT https://mail.example.org/] Log in"), old.cert, old.key, is_tls=True) as web:
        for user, server in (("short", short), ("code", code), ("alert", alert), ("web", web)):
            move(new, f"imaps://localhost:{server.port}", user)
        new.imapctl("user", "passwd", "short", input=lib.PASSWORD + "\n")       # which does not count there
        got = together(new, (login, b"alice", b"wrong"), (login, b"nobody", b"wrong"), (login, b"bob", b""), (scram, b"bob"),
                       (scram, b"nobody2"), (login, b"alice*root"), (login, b"dora"), (login, b"short"), (login, b"code"),
                       (login, b"alert"), (login, b"web"))
    assert got[:9] == [FAILED] * 9
    assert got[9:] == [b"NO [ALERT] Application-specific password required", b"NO [WEBALERT https://mail.example.org/] Log in"]
    for user, reason in (("alice", "relay"), ("nobody", "unknown-user"), ("bob", "relay-needs-password"), ("alice*root", "not-permitted"),
                         ("dora", "unknown-user"), ("short", "relay"), ("alert", "relay")):
        expect_log(new, "ev=auth-fail ", f"user={user} ", f"reason={reason}")
    with new.client() as client:                # nothing of this is held against who has the right password
        assert login(client, b"alice").startswith(b"OK ")
        client.ok(b"LOGOUT")
    with new.client() as client:
        assert login(client, b"demo*root").startswith(b"OK ")


def test_tokens(new, old):
    """A token that is good here proves nothing at the old server: it fails as for who does not exist."""
    tokens = pytest.importorskip("tokens")
    issuer, keys = tokens.Issuer(), new.folder / "jwks.json"
    keys.write_text(issuer.jwks())
    set_up(new, f"oauth-issuer {tokens.NAME} {keys}", f"oauth-audience {tokens.AUDIENCE}")

    def xoauth2(client, user):
        tag = client.tag()
        client.send(tag + b" AUTHENTICATE XOAUTH2 " + base64.b64encode(
            b"user=%s\1auth=Bearer %s\1\1" % (user, issuer.token(user.decode()).encode())) + b"\r\n")
        if (line := client.line()).startswith(b"+ "):
            client.send(b"\r\n")
            line = client.line()
        return line.split(b" ", 1)[1]

    assert together(new, (xoauth2, b"alice"), (xoauth2, b"nobody3")) == [FAILED] * 2
    expect_log(new, "ev=auth-fail ", "user=alice ", "mech=XOAUTH2", "reason=relay-needs-password")
    with new.client() as client:
        assert xoauth2(client, b"demo").startswith(b"OK ")
    set_up(new)


def test_who_may_not_log_in_any_more(new, old):
    move(new, f"imaps://alice@localhost:{old.imaps_port}", "lea")
    with new.client("lea") as client:
        client.ok(b"NOOP")
        new.imapctl("user", "set", "lea", "--imap=off")
        assert client.line().startswith(b"* BYE ")


def test_the_home_changes(new, old):
    """The next login goes where the home is then; who is there stays until it is ended."""
    move(new, f"imap://alice@localhost:{old.imap_port}", "eve")
    new.imapctl("user", "passwd", "eve", input=lib.PASSWORD + "\n")
    with new.client("eve") as before:
        new.imapctl("user", "set", "eve", "--home=")
        with new.client("eve") as after:
            assert after.ok(b"STATUS INBOX (MESSAGES)").untagged == [b"* STATUS INBOX (MESSAGES 0)"]
            after.ok(b"CREATE only-here")
        assert b"only-here" not in b"".join(before.ok(b'LIST "" *').untagged)


@pytest.mark.parametrize("home, words", [
    ("imap://", "there is no host"), ("imap://old.example.org/INBOX", "a port alone"), ("imap://:143", "there is no host"), ("imaps://old.example.org:0", "port"),
    ("imap://old.example.org:65536", "port"), ("imap://old.example.org/INBOX", "name or an address"),
    ("imap://alice:secret@old.example.org", "no password"), ("imap://alice;AUTH=PLAIN@old.example.org", "no ;AUTH="),
    ("imap://@old.example.org", "no name"), ("imap://a%0Ab@old.example.org", "control"), ("imap://a%4@old.example.org", "hexadecimal"),
    ("imap://[::1", "brackets"), ("imap://old example", "name or an address"), ("http://old.example.org", "no mailbox-server"),
])
def test_homes_that_are_none(new, home, words):
    result = new.imapctl("user", "set", "demo", f"--home={home}", check=False)
    assert result.returncode == 65 and words in result.stderr
    assert json.loads(new.imapctl("--json", "user", "show", "demo").stdout)["user"][0]["home"] == ""


def test_lmtp(new):
    """Mail for them is for the old server: it waits at the sender's until that is so, or the home is here."""
    with new.lmtp() as lmtp:
        lmtp.command(b"MAIL FROM:<sender@example.org>")
        assert lmtp.command(b"RCPT TO:<alice>")[-1].startswith(b"451 4.3.5 ")
        assert lmtp.command(b"RCPT TO:<demo>")[-1].startswith(b"250 ")
    expect_log(new, "ev=lmtp-refused ", "rcpt=alice ", "reason=elsewhere")


def test_mail_may_come_before(new):
    """What the operator imports ahead of the move is there when the home changes."""
    move(new, "imaps://old.example.org", "frank")
    mbox = new.folder / "frank.mbox"
    mbox.write_bytes(b"From ada@example.org Mon Nov 23 10:00:00 2026\n" + lib.message().replace(b"\r\n", b"\n") + b"\n")
    new.imapctl("import", "frank", mbox)
    new.imapctl("user", "set", "frank", "--home=")
    new.imapctl("user", "passwd", "frank", input=lib.PASSWORD + "\n")
    with new.client("frank") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


@pytest.mark.parametrize("scheme, port", [("imap", "imap_port"), ("imaps", "imaps_port")])
def test_certificates(new, old, scheme, port):
    """An authority that is not believed; relay-insecure names hosts, as homes do."""
    where = f"localhost:{getattr(old, port)}"

    def problems():
        return [problem["text"] for problem in status(new, "problem") if problem["path"] == f"{scheme}://{where}"]

    own, new.base[0] = new.base[0], f"relay-ca {new.cert}"
    move(new, f"{scheme}://alice@{where}", "gina")
    set_up(new)
    with new.client() as client:
        assert login(client, b"gina") == b"NO [UNAVAILABLE] Try again later"
        expect_log(new, "ev=login-unavailable ", "user=gina ", f"{where}: ", "not correctly signed")
        assert len(problems()) == 1 and "not correctly signed" in problems()[0]
        set_up(new, "relay-insecure other.example.org LOCALHOST")
        assert login(client, b"gina").startswith(b"OK ")
        assert not problems()
    new.base[0] = own
    set_up(new)


def test_nobody_logs_in_there_any_more(new):
    """What went wrong at a server is not told for ever: a reload forgets it, and the next failure brings it back."""
    home = f"imap://localhost:{lib.free_port()}"

    def problems():
        return [problem["kind"] for problem in status(new, "problem") if problem["path"] == home]

    move(new, home, "gone")
    with new.client() as client:
        for _ in range(2):
            assert login(client, b"gone") == b"NO [UNAVAILABLE] Try again later"
            expect_log(new, "ev=login-unavailable ", "user=gone ", home)
            assert problems() == ["relay"]
            new.imapctl("reload")
            assert problems() == []


def test_certificate_for_another_name(new, tmp_path):
    made = certificates.Certificates(tmp_path / "tls")
    cert = made.certificate("other", host="other.example.org")
    own, new.base[0] = new.base[0], f"relay-ca {cert}"
    set_up(new)
    with OldServer(begin, cert, made.key(), is_tls=True) as server, new.client() as client:
        move(new, f"imaps://localhost:{server.port}")
        assert login(client, b"moved") == b"NO [UNAVAILABLE] Try again later"
        expect_log(new, "ev=login-unavailable ", f"localhost:{server.port}: ", "does not match")
    new.base[0] = own
    set_up(new)


def test_without_relay_ca_the_system_is_asked(new, old):
    """Which believes no certificate that nobody has signed."""
    move(new, f"imaps://alice@localhost:{old.imaps_port}", "gina")
    own = new.base.pop(0)
    set_up(new)
    with new.client() as client:
        assert login(client, b"gina") == b"NO [UNAVAILABLE] Try again later"
        expect_log(new, "ev=login-unavailable ", "user=gina ", "localhost:")
    new.base.insert(0, own)
    set_up(new)


# What is said by servers that are none.

def script_bye(c):
    c.send(b"* BYE [UNAVAILABLE] too many users\r\n")


def script_garbage(c):
    c.send(b"220 mail.example.org ESMTP\r\n")
    c.line()


def script_preauth(c):
    c.send(b"* PREAUTH welcome, whoever you are\r\n")
    c.line()


def script_closes(c):
    pass


def script_long_line(c):
    c.send(b"* OK " + b"x" * 40000)
    c.line()


def script_talks_all_day(c):
    while True:
        c.send(b"* OK still here\r\n" * 1000)


def script_no_starttls(c):
    c.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n")
    assert c.line() == b""           # not a word of the password


def script_refuses_starttls(c):
    c.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
    c.expect(rb"R1 STARTTLS")
    c.send(b"R1 BAD not today\r\n")
    assert c.line() == b""


def script_says_more_before_tls(c):
    """CVE-2011-0411 and its kind: what came in plaintext must not be taken for what TLS has brought."""
    c.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
    c.expect(rb"R1 STARTTLS")
    c.send(b"R1 OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nR2 OK done\r\n")
    try:
        c.start_tls()
    except OSError:
        return
    assert c.line() == b""


def script_no_tls_behind_starttls(c):
    c.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
    c.expect(rb"R1 STARTTLS")
    c.send(b"R1 OK go\r\n")
    c.socket.recv(1)
    c.send(b"* OK and now?\r\n")
    while c.socket.recv(65536):
        pass


@pytest.mark.parametrize("script, reason", [
    (script_bye, "it says BYE: [UNAVAILABLE] too many users"), (script_garbage, "greeting is not that of an IMAP server: 220 mail"),
    (script_preauth, "greeting is not that of an IMAP server: PREAUTH"), (script_closes, "it has closed the connection"),
    (script_long_line, "more than belongs before a login"), (script_talks_all_day, "more than belongs before a login"),
    (script_no_starttls, "it offers no STARTTLS"), (script_refuses_starttls, "it refuses STARTTLS: BAD not today"),
    (script_says_more_before_tls, "octets in plaintext before the handshake"), (script_no_tls_behind_starttls, "SSL"),
])
def test_servers_that_are_none(new, old, script, reason):
    with OldServer(script, old.cert, old.key) as liar, new.client() as client:
        move(new, f"imap://localhost:{liar.port}")
        assert login(client, b"moved") == b"NO [UNAVAILABLE] Try again later"
        expect_log(new, "ev=login-unavailable ", "user=moved ", f"localhost:{liar.port}: ", reason)
        assert client.ok(b"NOOP")
        assert not json.loads(new.imapctl("--json", "who", "moved", check=False).stdout)["session"]


def test_nobody_listens(new):
    move(new, f"imap://localhost:{lib.free_port()}")
    with new.client() as client:
        assert login(client, b"moved") == b"NO [UNAVAILABLE] Try again later"
    expect_log(new, "ev=login-unavailable ", "user=moved ", "Connection refused")


def test_silence(new, old):
    """relay-timeout ends it; whoever waits is not alone on the loop."""
    set_up(new, "relay-timeout 1")
    come, go = threading.Event(), threading.Event()

    def script(c):
        come.set()
        go.wait(lib.LIMIT_S)

    with OldServer(script) as liar, new.client() as client:
        move(new, f"imap://localhost:{liar.port}")
        client.send(b'x LOGIN moved "%s"\r\n' % PASSWORD)
        assert come.wait(lib.LIMIT_S)
        with new.client("demo") as other:
            other.ok(b"NOOP")
        assert client.reply(b"x").tagged == b"x NO [UNAVAILABLE] Try again later"
        go.set()
    expect_log(new, "ev=login-unavailable ", f"localhost:{liar.port}: timed out")
    set_up(new)


def test_client_leaves_meanwhile(new):
    come, gone = threading.Event(), threading.Event()

    def script(c):
        come.set()
        assert c.line() == b""       # the attempt ends with its client
        gone.set()

    with OldServer(script) as liar:
        move(new, f"imap://localhost:{liar.port}")
        client = new.client()
        client.send(b'x LOGIN moved "%s"\r\n' % PASSWORD)
        assert come.wait(lib.LIMIT_S)
        client.close()
        assert gone.wait(lib.LIMIT_S)


# What is said by servers that are real, each in its own way.  TLS comes first here, so that the scripts need none.

@pytest.fixture
def talk(new, old):
    """Log in at a script, and what the client gets for it."""
    def run(script, command=b'LOGIN moved "%s"' % PASSWORD, after=lambda client: None):
        with OldServer(script, old.cert, old.key, is_tls=True) as server, new.client() as client:
            move(new, f"imaps://localhost:{server.port}")
            client.checker = None
            reply = client.command(command)
            after(client)
            return reply
    return run


def begin(c, offer=b"IMAP4rev1 AUTH=PLAIN SASL-IR"):
    c.send(b"* OK [CAPABILITY %s] hello\r\n" % offer)


PLAIN = re.escape(base64.b64encode(b"\0moved\0" + PASSWORD))


def test_capability_is_asked_for(talk):
    """Before login where the greeting tells none; after it, where neither the OK nor a line before it does."""
    def script(c):
        c.send(GREETING)
        c.expect(rb"R1 CAPABILITY")
        c.send(OFFER)
        c.expect(rb"R2 AUTHENTICATE PLAIN " + PLAIN)
        c.send(b"R2 OK welcome\r\n")
        c.expect(rb"R3 CAPABILITY")
        c.send(b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN SASL-IR\r\nR3 OK done\r\n")
        c.expect(rb"t2 NOOP")
        c.send(b"t2 OK done\r\n")
    assert talk(script, after=lambda client: client.ok(b"NOOP")).tagged == b"t1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in"


def test_capability_in_a_line(talk):
    def script(c):
        begin(c)
        c.expect(rb"R1 AUTHENTICATE PLAIN " + PLAIN)
        c.send(b"* CAPABILITY IMAP4rev1 UIDPLUS STARTTLS\r\nR1 OK welcome\r\n")
    assert talk(script).tagged == b"t1 OK [CAPABILITY IMAP4rev1 UIDPLUS] Logged in"


def test_capabilities_that_are_none(talk):
    def script(c):
        begin(c)
        c.line()
        c.send(b'R1 OK [CAPABILITY IMAP4rev1 a"b (x) {5} \xff\xfe c\\d AUTH=PLAIN LITERAL+ %* IDLE] welcome\r\n')
    assert talk(script).tagged == b"t1 OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] Logged in"


def test_without_initial_response(talk):
    def script(c):
        begin(c, b"IMAP4rev1 AUTH=PLAIN")
        c.expect(rb"R1 AUTHENTICATE PLAIN")
        c.send(b"+ \r\n")
        c.expect(PLAIN)
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    assert talk(script).is_ok


def test_by_login_in_quotes(talk):
    def script(c):
        begin(c, b"IMAP4rev1")
        c.expect(rb'R1 LOGIN "moved" "correct horse battery"')
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    assert talk(script).is_ok


def test_by_login_in_literals(talk):
    """Eight bits belong into no quotes."""
    secret = "pässwörd".encode()

    def script(c):
        begin(c, b"IMAP4rev1")
        c.expect(rb'R1 LOGIN "moved" \{%d\}' % len(secret))
        assert c.literal(len(secret)) == secret and c.line() == b""
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    assert talk(script, b"LOGIN moved {%d+}\r\n%s" % (len(secret), secret)).is_ok


def test_neither(talk):
    def script(c):
        begin(c, b"IMAP4rev1 LOGINDISABLED AUTH=GSSAPI")
        assert c.line() == b""
    assert talk(script).tagged == b"t1 NO [UNAVAILABLE] Try again later"


def test_id(talk):
    """As proxies do (RFC 2971); literals in the answer, and an answer that is BAD, are borne."""
    def script(c):
        begin(c, b"IMAP4rev1 ID AUTH=PLAIN SASL-IR")
        c.expect(rb'R1 ID \("name" "imapd" "x-session-id" "[0-9a-f]{12}" "x-originating-ip" "127\.0\.0\.1" '
                 rb'"x-originating-port" "\d+" "x-proxy-ttl" "4"\)')
        c.send(b'* ID ("name" {13}\r\nR1 NO whoever "version" {2}\r\n13)\r\nR1 BAD what?\r\n')
        c.expect(rb"R2 AUTHENTICATE PLAIN " + PLAIN)
        c.send(b"R2 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    assert talk(script).is_ok


def test_alerts_are_passed_on(talk):
    """RFC 9051 section 7.1: a client must show them."""
    def script(c):
        begin(c)
        c.line()
        c.send(b"* OK [ALERT] The old server goes at noon\r\n* OK [NOTICE] nothing\r\nR1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    assert talk(script).untagged == [b"* OK [ALERT] The old server goes at noon"]


@pytest.mark.parametrize("answer, told", [
    (b"NO [UNAVAILABLE] Later", b"NO [UNAVAILABLE] Later"), (b"NO [LIMIT] Too many sessions", b"NO [LIMIT] Too many sessions"),
    (b"NO [EXPIRED] Change your password", b"NO [EXPIRED] Change your password"),
    (b"NO [REFERRAL imap://older.example.org/] Moved", b"NO [REFERRAL imap://older.example.org/] Moved"),
    (b"NO [PRIVACYREQUIRED] TLS?", b"NO [UNAVAILABLE] Try again later"),
    (b"BAD User is authenticated but not connected.", b"NO [UNAVAILABLE] Try again later"),
    (b"what?", b"NO [UNAVAILABLE] Try again later"),
])
def test_refusals(talk, answer, told):
    assert talk(refuse(answer)).tagged == b"t1 " + told


@pytest.mark.parametrize("said, told", [
    (b"* OK [ALERT] Disk full {5}\r\nt1 OK\r\nR1 NO [LIMIT] Full {3}\r\n", [b"* OK [ALERT] Disk full {5}.", b"t1 NO [LIMIT] Full {3}."]),
    (b"* OK [ALERT] a\rt1 OK b\0c\r\nR1 NO [LIMIT] no\rt1 OK yes\r\n", [b"* OK [ALERT] at1 OK bc", b"t1 NO [LIMIT] not1 OK yes"]),
    (b"* OK [ALERT] a\r\nR1 NO [ALERT] b {9}\r\n", [b"* OK [ALERT] a", b"t1 NO [ALERT] b {9}."]),
])
def test_no_answer_hides_in_another(talk, said, told):
    """What the old server says of a login is one line for each client: no literal behind it, and nothing within that ends it."""
    def script(c):
        begin(c)
        c.line()
        c.send(said)
        c.line()
    reply = talk(script)
    assert [*reply.untagged, reply.tagged] == told


@pytest.mark.parametrize("offer, answer", [
    (b"IMAP4rev1", b'BAD Unknown command: LOGIN "moved" "a \\"b\\\\ c"'), (b"IMAP4rev1", b'NO [CONTACTADMIN] moved/a "b\\ c is not known'),
    (b"IMAP4rev1 AUTH=PLAIN SASL-IR", b"BAD Unknown command: AUTHENTICATE PLAIN " + base64.b64encode(b'\0moved\0a "b\\ c')),
    (b"IMAP4rev1 AUTH=PLAIN", b"BYE who is " + base64.b64encode(b'\0moved\0a "b\\ c')),
])
def test_repeated_passwords_are_not_logged(new, talk, offer, answer):
    """Some servers repeat the command that they do not like, and so the password."""
    def script(c):
        begin(c, offer)
        c.line()
        if offer.endswith(b"PLAIN"):
            c.send(b"+ \r\n")
            c.line()
        c.send((b"* " if answer.startswith(b"BYE") else b"R1 ") + answer + b"\r\n")
        c.line()
    before = len(new.log_lines)
    told = talk(script, b'LOGIN moved "a \\"b\\\\ c"').tagged
    assert told == (b"t1 NO [CONTACTADMIN]" if answer.startswith(b"NO") else b"t1 NO [UNAVAILABLE] Try again later")
    lib.wait_until(lambda: any("user=moved " in line for line in new.log_lines[before:]))
    said = "\n".join(new.log_lines[before:]) + json.dumps(status(new, "problem"))
    for part in ('"b', r'\"b', base64.b64encode(b'\0moved\0a "b\\ c').decode()):
        assert part not in said


def test_plaintext_reaches_into_nothing_behind_starttls(new, old):
    """A literal announced there, and capabilities: who is in the middle could say both."""
    def script(c):
        c.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS X-MIDDLE] hello\r\n")
        c.expect(rb"R1 STARTTLS")
        c.send(b"R1 OK go {12}\r\n")
        c.start_tls()
        c.expect(rb"R2 CAPABILITY")
        c.send(b"R2 OK done\r\n")
        c.expect(rb'R3 LOGIN "moved" "correct horse battery"')
        c.send(b"R3 OK welcome\r\n")
        c.expect(rb"R4 CAPABILITY")
        c.send(b"R4 BAD no\r\n")
    with OldServer(script, old.cert, old.key) as server, new.client() as client:
        move(new, f"imap://localhost:{server.port}")
        assert login(client, b"moved") == b"OK Logged in"


def test_asks_for_what_nobody_has(talk):
    def script(c):
        begin(c)
        c.line()
        c.send(b"+ and now the other password\r\n")
        assert c.line() == b""
    assert talk(script).tagged == b"t1 NO [UNAVAILABLE] Try again later"


def test_insecure_without_tls(new, old):
    """Nothing but relay-insecure lets a password go in the clear."""
    def script(c):
        c.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n")
        c.expect(rb"R1 AUTHENTICATE PLAIN " + PLAIN)
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
    set_up(new, "relay-insecure localhost")
    with OldServer(script) as server, new.client() as client:
        move(new, f"imap://localhost:{server.port}")
        assert login(client, b"moved").startswith(b"OK ")
    set_up(new)


def test_a_circle(new, old):
    """Who is relayed back to where it came from is stopped before it has gone round for ever."""
    move(new, f"imaps://alice@localhost:{new.imaps_port}", "round")
    new.imapctl("user", "set", "alice", f"--home=imaps://round@localhost:{new.imaps_port}")
    new.base[0] = f"relay-ca {new.cert}"
    set_up(new)
    try:
        with new.client() as client:
            assert login(client, b"round") == b"NO [UNAVAILABLE] Try again later"
        expect_log(new, "ev=login-unavailable ", "relays go round in a circle")
        assert len(logged(new, "ev=login-unavailable ", "relays go round in a circle")) == 1
    finally:
        new.base[0] = f"relay-ca {old.cert}"
        set_up(new)
        new.imapctl("user", "set", "alice", f"--home=imaps://localhost:{old.imaps_port}")


# The end of sessions.

def test_kick(new, old):
    with new.client("alice") as client, new.client("demo") as other:
        client.ok(b"SELECT INBOX")
        new.imapctl("kick", "alice")
        assert client.line() == b"* BYE The operator has ended this session"
        assert client.line() == b""
        other.ok(b"NOOP")
    expect_log(new, "ev=logout ", "user=alice ", 'reason="The operator has ended this session"')


def test_kick_where_the_server_does_not_care(new, old):
    """Whoever does not end its side when ours has ended is left there."""
    come, end = threading.Event(), threading.Event()

    def script(c):
        begin(c)
        c.line()
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
        c.line()
        come.set()
        end.wait(lib.LIMIT_S)

    with OldServer(script, old.cert, old.key, is_tls=True) as server, new.client() as client:
        move(new, f"imaps://localhost:{server.port}")
        client.ok(b'LOGIN moved "%s"' % PASSWORD)
        client.send(b"x NOOP\r\n")
        assert come.wait(lib.LIMIT_S)
        new.imapctl("kick", "moved")
        assert client.line() == b"* BYE The operator has ended this session"
        assert client.line() == b""
        end.set()


def test_the_server_goes(new, old):
    """No reply is made up: the client gets a line end and BYE."""
    def script(c):
        begin(c)
        c.line()
        c.send(b"R1 OK [CAPABILITY IMAP4rev1] welcome\r\n")
        c.expect(rb"t2 FETCH .*")
        c.send(b"* 1 FETCH (BODY[] {100}\r\nhalf of it")
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with OldServer(script, old.cert, old.key, is_tls=True) as server, new.client() as client:
        move(new, f"imaps://localhost:{server.port}")
        client.ok(b'LOGIN moved "%s"' % PASSWORD)
        client.send(b"t2 FETCH 1 BODY.PEEK[]\r\n")
        assert client.file.read().endswith(b"half of it\r\n* BYE [UNAVAILABLE] The mailbox server has gone\r\n")
    expect_log(new, "ev=disconnect ", "user=moved ", "reason=relay")


def test_drain(old):
    with lib.Server(settings=[f"relay-ca {old.cert}", "drain-time 1"], users=()) as new:
        new.imapctl("user", "add", "alice", "--no-password", f"--home=imaps://localhost:{old.imaps_port}")
        with new.client("alice") as client:
            client.ok(b"NOOP")
            new.imapctl("drain", "cas")
            assert client.line() == b"* BYE [UNAVAILABLE] Server stops"
            assert client.line() == b""


def test_slow_reader(new, old):
    """A client that reads nothing stops the old server, and not the memory of this one."""
    with old.client("alice") as client:
        client.ok(b"CREATE slow")
        assert client.append(b"slow", BIG).is_ok
        client.ok(b"SELECT slow")
        for _ in range(5):
            client.ok(b"COPY 1:* slow")
    with new.client("alice") as client:
        client.ok(b"SELECT slow")
        before = new.rss_kib()
        tag = client.tag()
        client.send(tag + b" FETCH 1:* BODY.PEEK[]\r\n")      # 32 of them: 90 MB
        with new.client("demo") as other:
            for _ in range(50):
                other.ok(b"NOOP")
        assert new.rss_kib() - before < 32768
        assert client.reply(tag).is_ok


def test_limits_hold(new, old):
    set_up(new, "max-connections-per-user 1")
    new.settings.remove("max-connections-per-user 1")
    with new.client("alice"), new.client() as second:
        assert login(second, b"alice") == b"NO [LIMIT] Too many connections of this user"
        assert login(second, b"demo").startswith(b"OK ")
    set_up(new)


def test_referral(new, old):
    """login-referral sends clients there instead, once the old server has said who they are."""
    home = f"imap://localhost:{old.imap_port}"
    move(new, home, "bob@example.net")
    new.imapctl("user", "set", "bob@example.net", f"--home=imap://bob@localhost:{old.imap_port}")
    set_up(new, f"login-referral {home} old.example.org:143")
    with new.client() as client:
        assert login(client, b"bob@example.net").startswith(b"NO [REFERRAL imap://bob;AUTH=*@old.example.org:143/] ")
        assert login(client, b"alice").startswith(b"OK ")
    set_up(new)


def test_passwords_are_learned(new, old):
    """relay-learn-passwords: whoever has none here gets the one that the old server has found right, and no other."""
    home = f"imaps://alice@localhost:{old.imaps_port}"
    set_up(new, "relay-learn-passwords yes")
    move(new, home, "henry")
    with new.client() as client:
        assert json.loads(new.imapctl("--json", "user", "show", "henry").stdout)["user"][0]["password"] == "no"
        assert login(client, b"henry").startswith(b"OK ")
    expect_log(new, "ev=password-learned ", "user=henry")
    assert json.loads(new.imapctl("--json", "user", "show", "henry").stdout)["user"][0]["password"] == "yes"
    new.imapctl("user", "set", "henry", "--home=")
    with new.client("henry") as client:                 # by a password that is proved here
        client.ok(b"NOOP")
    move(new, home, "ida")
    new.imapctl("user", "passwd", "ida", input="set by the operator\n")
    with new.client() as client:
        assert login(client, b"ida").startswith(b"OK ")
    set_up(new)
    move(new, home, "jane")
    with new.client() as client:
        assert login(client, b"jane").startswith(b"OK ")
    with new.client("demo") as client:                  # what was to be learned has been, by the order of jobs
        client.ok(b"NOOP")
    new.imapctl("user", "set", "ida", "--home=")
    with new.client() as client:
        assert login(client, b"ida", b"set by the operator").startswith(b"OK ")
    assert len(logged(new, "ev=password-learned ")) == 1
    assert json.loads(new.imapctl("--json", "user", "show", "jane").stdout)["user"][0]["password"] == "no"
