"""`imapctl trace`: what clients say and are answered, on one host and on two, and none of their secrets."""
import base64
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess

import pytest

import server as lib
from test_who import Role, who

SECRET = "hunter2-" * 3
TOKEN = "eyJhbGciOiJub25lIn0.planted.token"


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("demo", "ann"), settings=["auth-mechanisms PLAIN LOGIN SCRAM-SHA-256"]) as running:
        running.add_user("carl", SECRET)
        yield running


class Trace:
    """`imapctl trace` as it runs."""

    def __init__(self, server, *words):
        begun = sum(" ev=trace " in line for line in server.log_lines)
        self.process = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "trace", *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lib.wait_until(lambda: sum(" ev=trace " in line for line in server.log_lines) > begun)
        self.text = ""

    def until(self, words):
        """All that has come, with the line that has these words."""
        for line in self.process.stdout:
            self.text += line
            if words in line:
                return self.text
        raise EOFError(self.text)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


@contextlib.contextmanager
def trace(server, *words):
    made = Trace(server, *words)
    try:
        yield made
    finally:
        made.end()


def connect(server, address):
    client = lib.Client.unread(socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S, (address, 0)))
    client.line()
    return client


def b64(text):
    return base64.b64encode(text.encode())


def lines(text, mark):
    """Of what was shown, the texts from one side: "C", "S" or "--"."""
    return [line.split(" ", 3)[3] for line in text.splitlines() if line.split(" ")[2].rstrip(":") == mark]


def test_a_session_that_runs(server):
    """From one that is logged in: its commands and answers, its message counted, and the end with it."""
    with server.client("demo") as client:
        sid = who(server, "demo")[0]["sid"]
        with trace(server, sid) as shown:
            client.ok(b"SELECT INBOX")
            client.append(b"INBOX", lib.message(1, body=SECRET.encode() + b"\r\n"), flags=b"\\Seen")
            client.ok(b"FETCH 1 (BODY.PEEK[] ENVELOPE PREVIEW FLAGS)")
            client.ok(b"SEARCH BODY {}", SECRET.encode())
            client.send(b"i IDLE\r\n")
            client.line()
            client.send(b"DONE\r\n")
            client.reply(b"i")
            client.ok(b"LOGOUT")
            text = shown.until("the connection is over")
            assert shown.process.wait(lib.LIMIT_S) == 0, "it ends with its session"
    assert SECRET not in text and all(f" {sid} " in line for line in text.splitlines())
    said, answered = lines(text, "C"), lines(text, "S")
    assert any(line.endswith(" SELECT INBOX") for line in said) and "DONE" in said and "i IDLE" in said
    assert any(" APPEND \"INBOX\" {" in line for line in said) and any("SEARCH BODY {24 octets}" in line for line in said)
    assert any(line.startswith("* 1 FETCH (BODY[] {") and "FLAGS (\\Seen" in line for line in answered)
    assert "+ idling" in answered and any(" OK " in line for line in answered)


def plant():
    """All ways in which a secret comes before the login."""
    secret = SECRET.encode()
    return [b"LOGIN u1 %s" % secret, b'LOGIN "u2" "%s"' % secret, b"LOGIN {2+}\r\nu3 {%d+}\r\n%s" % (len(secret), secret),
            b"LOGNI demo %s" % secret, b"%s demo" % secret, b"SELECT %s" % secret, b"LOGIN %s x" % secret, b"APPEND %s {1+}\r\nx" % secret,
            b"AUTHENTICATE PLAIN %s" % b64(f"\0u4\0{SECRET}"), b"AUTHENTICATE PLAIN", b"AUTHENTICATE %s" % secret,
            b"AUTHENTICATE OAUTHBEARER %s" % b64(f"n,a=demo,\1auth=Bearer {TOKEN}\1\1"),
            b"AUTHENTICATE XOAUTH2 %s" % b64(f"user=demo\1auth=Bearer {TOKEN}\1\1"),
            b"AUTHENTICATE SCRAM-SHA-256 %s" % b64("n,,n=" + SECRET + ",r=" + SECRET)]


def forms_of(secret):
    yield secret
    for shift in range(3):
        yield base64.b64encode(b"." * shift + secret.encode())[shift + 2:-4].decode()


def test_secrets(server, tmp_path):
    """Planted in every place where a client may say one; by address, so that what fails is shown as well."""
    file = tmp_path / "trace"
    with trace(server, "127.0.7.0/24", f"--file={file}") as shown:
        clients = [connect(server, f"127.0.7.{number + 1}") for number in range(len(plant()))]
        for client, command in zip(clients, plant()):       # at once: what fails is answered late
            client.send(client.tag() + b" " + command + b"\r\n")
        for client in clients:
            while (line := client.line()).startswith(b"+"):
                client.send(b64(f"\0u5\0{SECRET}") + b"\r\n")
            assert b" NO " in line or b" BAD " in line
            client.close()
        with connect(server, "127.0.7.100") as client:
            client.send(b"a AUTHENTICATE LOGIN\r\n")
            for answer in ("carl", SECRET):
                assert client.line().startswith(b"+")
                client.send(b64(answer) + b"\r\n")
            assert b" OK " in client.line()
            client.command(b"LOGIN carl %s" % SECRET.encode())
            client.command(b"LOGNI carl %s" % SECRET.encode())
            client.command(b"AUTHENTICATE PLAIN %s" % b64(f"\0carl\0{SECRET}"))
            client.ok(b"LOGOUT")
        lib.wait_until(lambda: file.exists() and "127.0.7.100 the connection is over" in file.read_text())
        assert (file.stat().st_mode & 0o777) == 0o600
        text = file.read_text()
    for secret in (SECRET, TOKEN):
        for form in forms_of(secret):
            assert form not in text, form
    assert text.count("the connection is over") == len(plant()) + 1 and text.count("are not understood") >= 3
    assert "AUTHENTICATE OAUTHBEARER {" in text and "S: + {" in text and "AUTHENTICATIONFAILED" in text
    assert text.isascii() and " -- carl 127.0.7.100 logged in" in text


def test_the_next_login(server):
    """By name: the dialogue before the login from its beginning, a failing one, too, and nothing of others."""
    with trace(server, "ann") as shown, connect(server, "127.0.8.1") as client, connect(server, "127.0.8.2") as other:
        other.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        client.ok(b'ID ("name" "Mail")')
        assert b" NO " in client.command(b"LOGIN ann wrong").tagged
        text = shown.until("AUTHENTICATIONFAILED")
        assert 'ID ("name" "Mail")' in text and " LOGIN {8 octets}" in text
        client.ok(b'LOGIN ANN "%s"' % lib.PASSWORD.encode())
        other.ok(b"STATUS INBOX (MESSAGES)")
        client.ok(b"NOOP")
        text = shown.until("NOOP")
        assert " -- ann 127.0.8.1 logged in" in text and "127.0.8.2" not in text and "STATUS INBOX" not in text


def test_several_and_how_they_end(server):
    """Each has all of it; --json is an object for each line; without a trace nothing is kept."""
    with server.client("demo") as client:
        with trace(server, "demo") as one, trace(server, "demo", "--seconds=3600") as two, trace(server, "demo", "--json") as three:
            killed = Trace(server, "demo")
            killed.process.kill()
            killed.process.wait()
            client.ok(b"NOOP")
            assert " C: " in one.until("NOOP") and " C: " in two.until("NOOP")
            objects = [json.loads(line) for line in three.until("NOOP").splitlines()]
            assert all(set(answer) == {"schema", "line"} for answer in objects)
            assert objects[-1]["line"][0]["from"] == "client" and objects[-1]["line"][0]["text"].endswith(" NOOP")
            killed.end()
        assert server.imapctl("trace", "demo", "--seconds=1").returncode == 0, "the time is over"
        client.ok(b"NOOP")
    assert server.imapctl("trace", check=False).returncode == 64
    assert server.imapctl("trace", "demo", "--seconds=0", check=False).returncode == 64
    assert server.imapctl("trace", "demo", "--file=/nowhere/at/all", check=False).returncode == 73


def test_a_slow_reader(server):
    """Who does not read loses lines and is told how many; the session is not held up, and the server keeps little."""
    with server.client("demo") as client, socket.socket(socket.AF_UNIX) as operator:
        operator.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        operator.connect(str(server.control))
        operator.sendall(b"trace demo\n")
        reader = operator.makefile("rb")
        assert reader.readline() == b".0\n"
        before = server.rss_kib()
        for _ in range(300):
            client.send(b"".join(b"%d LIST \"\" *\r\n" % n for n in range(20)))
            client.reply(b"19")
        assert server.rss_kib() - before < 16 * 1024
        lost = next(line for line in reader if b"lines were lost" in line)
        assert int(lost.split(b'text="')[1].split()[0]) > 100


def test_who_may(server):
    """Too many are refused, and a word is needed."""
    opened = []
    for _ in range(17):
        operator = socket.socket(socket.AF_UNIX)
        operator.connect(str(server.control))
        operator.sendall(b"trace demo\n")
        opened.append(operator)
        answer = operator.makefile("rb").readline()
    assert answer.startswith(b".75 ")
    for operator in opened:
        operator.close()
    lib.wait_until(lambda: server.imapctl("trace", "demo", "--seconds=1", check=False).returncode == 0)


@pytest.fixture(scope="module")
def site():
    """A cas and a mailbox server, and a user there."""
    port = lib.free_port()
    mailbox = Role("mailbox", [f"link-listen 127.0.0.1:{port}"])
    key = mailbox.folder / "link.key"
    mailbox.imapctl("link-key", key)
    mailbox.settings.append(f"link-key {key}")
    mailbox.write_config()
    cas = Role("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}", "directory link mbx1"])
    with mailbox, cas:
        mailbox.add_user("demo")
        lib.wait_until(lambda: any(" ev=link-up " in line for line in cas.log_lines))
        yield cas, mailbox
    shutil.rmtree(mailbox.folder, ignore_errors=True)


@contextlib.contextmanager
def trace_both(cas, mailbox, *words):
    """On the cas, once the mailbox server looks on, too."""
    begun = sum(" ev=trace peer=link " in line for line in mailbox.log_lines)
    with trace(cas, *words) as shown:
        lib.wait_until(lambda: sum(" ev=trace peer=link " in line for line in mailbox.log_lines) > begun)
        yield shown


def test_two_hosts(site):
    """The host with the cas shows all of it, the one with the mailbox what follows the login, by the same session id."""
    cas, mailbox = site
    with trace_both(cas, mailbox, "demo") as front, trace(mailbox, "demo") as back, cas.client() as client:
        failed = client.command(b"LOGIN demo wrong")
        assert b" NO " in failed.tagged
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        client.ok(b"SELECT INBOX")
        client.append(b"INBOX", lib.message(1, body=b"the text of the mail\r\n"))
        client.ok(b"LOGOUT")
        behind = back.until("the session is over")
        seen = front.until("the session is over")
    sid = seen.split()[1]
    assert {line.split()[1] for line in (seen + behind).splitlines()} == {sid}
    assert "LOGIN {" in seen and "SELECT INBOX" in behind and "LOGIN" not in behind
    told = [line.partition(sid)[2] for line in seen.splitlines()]
    assert all(line.partition(sid)[2] in told for line in behind.splitlines()), "all that the mailbox server shows"
    assert lib.PASSWORD not in seen + behind and "text of the mail" not in seen + behind
    # U13: the failure and the session, by one id, in the logs of both hosts
    for host, events in ((cas, ("ev=auth-fail ", "ev=login ", "ev=logout ")), (mailbox, ("ev=login-failed ", "ev=login ", "ev=logout "))):
        for event in events:
            lib.wait_until(lambda: any(f"sid={sid}" in line and event in line for line in host.log_lines))


def test_a_session_that_runs_on_two_hosts(site):
    """By its id: from now on, to its end, which ends the trace with all that was said."""
    cas, mailbox = site
    with cas.client() as client:
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        sid = json.loads(cas.imapctl("who", "--json").stdout)["session"][0]["sid"]
        with trace_both(cas, mailbox, sid) as shown:
            client.ok(b"EXAMINE INBOX")
            client.ok(b"LOGOUT")
            text = shown.text + shown.process.stdout.read()
            assert shown.process.wait(lib.LIMIT_S) == 0
    assert "C: t" in text and "EXAMINE INBOX" in text and "LOGOUT" in text and "the connection is over" in text
    assert "the session is over" in text and "LOGIN" not in text.replace("LOGINDISABLED", ""), text


def test_a_mailbox_server_that_goes(site):
    """What is not shown is said, and where it is to be had."""
    cas, mailbox = site
    with trace_both(cas, mailbox, "demo") as shown:
        mailbox.stop()
        line = shown.until("mbx1").splitlines()[-1]
        assert "it has gone" in line and line.endswith("on that host: imapctl trace demo")
    with trace(cas, "demo") as shown:
        assert "does not tell" in shown.until("mbx1")
    mailbox.start()
