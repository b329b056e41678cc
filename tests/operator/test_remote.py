"""imapctl as a client of another server: TLS and certificates, ways to log in, and servers that are none.

The other server is a small one of ours that does what a test tells it; what it has is one empty mailbox."""
import base64
import contextlib
import hashlib
import hmac
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import zlib

import pytest

import server as lib
from certificates import Certificates

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "move"))
import lying  # noqa: E402

PASSWORD = 'a "pass\\word" \u00e4'		# what must be quoted, and what cannot be
TOKEN = "t" * 3000
LOGGED_IN = b"OK [CAPABILITY IMAP4rev1 NAMESPACE LITERAL+] in"


class Session(lying.Session):
    """A session that can be logged into in all ways; what the client proved is in liar.proofs."""

    def on_logout(self, words):
        if self.liar.client:
            status = pathlib.Path(f"/proc/{self.liar.client}/status").read_text()
            self.liar.peak_kib = int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])
        return super().on_logout(words)

    def on_compress(self, words):
        self.socket = self.file = Deflated(self.socket)
        return b"OK from now on"

    def challenge(self, text):
        self.line(b"+ " + base64.b64encode(text))
        line = self.file.readline().strip()
        if line == b"*":
            raise ValueError
        return base64.b64decode(line)

    def let_in(self, *proof):
        self.liar.proofs.append(proof)
        self.is_in = self.liar.answers[0].startswith(b"OK")
        return self.liar.answers.pop(0) if len(self.liar.answers) > 1 else self.liar.answers[0]

    def on_login(self, words):
        return self.let_in("login", *(one.decode() for one in lying.arguments(words)))

    def on_authenticate(self, words):
        name, *initial = words.decode().split(" ")
        initial = [base64.b64decode(one) for one in initial]
        if name.startswith("SCRAM"):
            return self.scram(name, initial)
        if name == "LOGIN":
            return self.let_in(name, self.challenge(b"User Name\0").decode(), self.challenge(b"Password\0").decode())
        return self.let_in(name, (initial or [self.challenge(b"")])[0].decode())

    def scram(self, name, initial):
        kind = "sha1" if "SHA-1" in name else "sha256"
        first = (initial or [self.challenge(b"")])[0].decode()
        flag, identity, bare = first.split(",", 2)
        nonce, salt = bare.split("r=")[1] + "server", b"salt of four"
        server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i=4096"
        final = self.challenge(server_first.encode()).decode()
        without_proof, _, proof = final.rpartition(",p=")
        header = base64.b64decode(without_proof[2:].split(",")[0])
        salted = hashlib.pbkdf2_hmac(kind, PASSWORD.encode(), salt, 4096)
        sign = lambda key, text: hmac.new(key, text, kind).digest()  # noqa: E731
        text = f"{bare},{server_first},{without_proof}".encode()
        key = sign(salted, b"Client Key")
        signature = sign(hashlib.new(kind, key).digest(), text)
        is_right = bytes(a ^ b for a, b in zip(key, signature)) == base64.b64decode(proof)
        assert header.startswith(f"{flag},{identity},".encode())
        if self.liar.answers[0].startswith(b"OK") and self.liar.has_key:
            self.challenge(b"v=" + base64.b64encode(sign(sign(salted, b"Server Key"), text)))
        return self.let_in(name, flag, identity, bare.split(",")[0], is_right)


class Deflated:
    """A socket and a file, compressed behind the OK that is sent next (RFC 4978 section 3)."""

    def __init__(self, below):
        self.below = below
        self.packing, self.unpacking = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        self.kept, self.has_begun = b"", False

    def sendall(self, octets):
        if self.has_begun:
            octets = self.packing.compress(octets) + self.packing.flush(zlib.Z_SYNC_FLUSH)
        self.has_begun = True
        self.below.sendall(octets)

    def readline(self):
        while b"\n" not in self.kept:
            octets = self.below.recv(65536)
            if not octets:
                return b""
            self.kept += self.unpacking.decompress(octets)
        line, _, self.kept = self.kept.partition(b"\n")
        return line + b"\n"


class Door(lying.Liar):
    is_tls_first = False
    answers = None		# to logins, one after the other
    has_key = True		# it can prove that it knows the password
    behind_starttls = b""	# said in plain text
    is_mute = False		# it says nothing at all
    client = None		# its process, which is looked at when it logs out

    def __init__(self, **lies):
        own = {name: lies.pop(name) for name in list(lies) if name in Door.__dict__}
        super().__init__(lies.pop("letters", []), **lies)
        self.__dict__.update(own)
        self.answers = list(self.answers or [LOGGED_IN])
        self.proofs = []

    def serve(self, connected):
        with contextlib.suppress(lying.Hangup, OSError, ValueError):
            if self.is_mute:
                connected.recv(1)
                return
            session = Session(self, connected)
            if self.is_tls_first:
                session.start_tls()
            session.run()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


def on_starttls(self, words):
    if self.liar.behind_starttls:
        self.send(b"r2 OK begin\r\n" + self.liar.behind_starttls)
        raise lying.Hangup
    return b"OK begin"


Session.on_starttls = on_starttls


@pytest.fixture(scope="module")
def here():
    with lib.Server(users=("joe",)) as running:
        yield running
        running.check_log()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    for name, words in {"good": {}, "other": {"host": "imap.example.org mail.example.org"}, "old": {"begins": -9, "ends": -1},
                        "new": {"begins": 3, "ends": 9}}.items():
        made.certificate(name, **{"host": "localhost", **words})
    subprocess.run(["openssl", "req", "-x509", "-key", made.key("issuer"), "-days", "3", "-subj", "/CN=issuer.example.org", "-addext",
                    "basicConstraints=critical,CA:TRUE", "-out", made.folder / "issuer.pem"], check=True, capture_output=True)
    made.certificate("issued", host="localhost", issuer="issuer")
    subprocess.run(["openssl", "req", "-x509", "-key", made.key(), "-days", "3", "-subj", "/CN=x", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-out", made.folder / "address.pem"], check=True, capture_output=True)
    return made


def shown(certificates, name):
    return certificates.folder / f"{name}.pem", certificates.key()


def pull(here, door, *words, scheme="imap", user="joe", host="localhost", secret=PASSWORD, code=0):
    run = here.imapctl("import", "joe", f"{scheme}://{user}@{host}:{door.port}", *words, input=secret + "\n", check=False)
    assert run.returncode == code, run
    assert secret not in run.stdout + run.stderr
    return run.stderr


# ---- TLS ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
@pytest.mark.parametrize("name, host, authority, words", [
    ("good", "localhost", "good", None),
    ("issued", "localhost", "issuer", None),
    ("address", "127.0.0.1", "address", None),
    ("good", "localhost", "issuer", ["authority that is not known here", "CN=localhost", "--tls-ca", "--insecure"]),
    ("good", "localhost", None, ["authority that is not known here", "--tls-ca"]),
    ("other", "localhost", "other", ["not for localhost, but for imap.example.org, mail.example.org", "--insecure"]),
    ("good", "127.0.0.1", "good", ["not for 127.0.0.1, but for localhost"]),
    ("address", "localhost", "address", ["not for localhost, but for 127.0.0.1"]),
    ("old", "localhost", "old", ["has expired on 2", "--insecure"]),
    ("new", "localhost", "new", ["becomes valid only on 2", "--insecure"]),
])
def test_certificates(here, certificates, scheme, name, host, authority, words):
    with Door(certificate=shown(certificates, name), is_tls_first=scheme == "imaps") as door:
        options = [f"--tls-ca={certificates.folder / authority}.pem"] if authority else []
        said = pull(here, door, *options, scheme=scheme, host=host, code=76 if words else 0)
        assert all(one in said for one in words or []), said
        assert bool(door.proofs) == (not words)
        pull(here, door, "--insecure", scheme=scheme, host=host)
        assert door.proofs


def test_without_tls(here):
    with Door() as door:
        said = pull(here, door, code=76)
        assert "no STARTTLS" in said and "imaps://" in said and "--insecure" in said
        assert not door.proofs
        pull(here, door, "--insecure")
        assert door.proofs


def test_preauth_is_no_way_around_tls(here, certificates):
    with Door(certificate=shown(certificates, "good"), greeting=b"* PREAUTH you are in") as door:
        assert "logged us in already" in pull(here, door, code=76)


def test_nothing_is_believed_that_came_before_tls(here, certificates):
    with Door(certificate=shown(certificates, "good"), behind_starttls=b"* CAPABILITY IMAP4rev1\r\n") as door:
        assert "behind STARTTLS" in pull(here, door, code=76)


def test_starttls_refused(here, certificates, monkeypatch):
    monkeypatch.setattr(Session, "on_starttls", lambda self, words: b"NO not today")
    with Door(certificate=shown(certificates, "good")) as door:
        assert "NO not today" in pull(here, door, code=76)
        assert not door.proofs


def test_authorities(here, certificates, tmp_path):
    with Door(certificate=shown(certificates, "good"), is_tls_first=True) as door:
        assert "no-such-file: No such file" in pull(here, door, f"--tls-ca={tmp_path}/no-such-file", scheme="imaps", code=66)
        (tmp_path / "empty").write_text("nothing\n")
        assert f"{tmp_path}/empty: there is no certificate" in pull(here, door, f"--tls-ca={tmp_path}/empty", scheme="imaps", code=66)


# ---- much mail ----------------------------------------------------------------------------------------------------------


def letter(number, size):
    head = b"Subject: %d\r\n\r\n" % number
    return lying.Letter(number, head + b"0123456789abcdef0123456789abcdef0123456789\r\n" * (size // 44))


@pytest.mark.parametrize("has_tls", [False, True])
def test_compression(here, certificates, has_tls):
    """It is asked for where the way is not short: 0.0.0.0 is this host, but does not look like it."""
    letters = [letter(number, 1000 * number) for number in range(1, 60)]
    capabilities = b"IMAP4rev1 NAMESPACE LITERAL+ AUTH=PLAIN COMPRESS=DEFLATE"
    with Door(letters=letters, capabilities=capabilities, answers=[b"OK [CAPABILITY " + capabilities + b"] in"],
              certificate=shown(certificates, "good") if has_tls else None) as door:
        user = f"compressed-{has_tls}".lower()
        here.add_user(user)
        run = here.imapctl("import", user, f"imap://joe@0.0.0.0:{door.port}", "--insecure", input=PASSWORD + "\n", check=False)
        assert run.returncode == 0 and "59 imported" in run.stdout, run
        assert door.count(b"COMPRESS") == 1
        with here.client(user) as client:
            client.ok(b"SELECT INBOX")
            assert [client.fetch_body(number) for number in (1, 30, 59)] == [letters[number - 1].octets for number in (1, 30, 59)]


def peak_kib(here, user, door):
    """What imapctl has taken at most before it logs out, and what it says."""
    here.add_user(user)
    with subprocess.Popen([lib.IMAPCTL, f"--config={here.config}", "import", user, f"imap://joe@localhost:{door.port}", "--insecure"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        door.client = process.pid
        said, _ = process.communicate(PASSWORD.encode() + b"\n")
    return door.peak_kib, said


def test_memory_does_not_follow_what_is_sent(here):
    """A letter beyond what is taken here goes by and is not kept, whatever size it is said to have."""
    small = [letter(1, 1000), letter(3, 1000)]
    with Door(letters=small, capabilities=can("PLAIN")) as door:
        least, said = peak_kib(here, "small", door)
        assert b"2 imported" in said
    large = [small[0], letter(2, 120 << 20), small[1]]
    with Door(letters=large, capabilities=can("PLAIN"), size_off_by=-(119 << 20)) as door:
        most, said = peak_kib(here, "large", door)
        assert b"2 imported" in said and 2 in door.fetched
        assert most < least + (16 << 10), (least, most)


# ---- what is no IMAP server ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("greeting, code, words", [
    (b"220 mail.example.org ESMTP", 76, "no IMAP server"),
    (b"+OK POP3 ready", 76, "no IMAP server"),
    (b"HTTP/1.1 400 Bad Request", 76, "no IMAP server"),
    (b"* NO go away", 76, "refusal"),
    (b"* BYE [UNAVAILABLE] too many\x1b[2J of you", 75, "too many"),
])
def test_other_greetings(here, greeting, code, words):
    with Door(greeting=greeting) as door:
        said = pull(here, door, "--insecure", code=code)
        assert words in said and "\x1b" not in said


def test_no_tls_where_it_is_expected(here, certificates):
    with Door() as door:
        said = pull(here, door, scheme="imaps", code=76)
        assert "no TLS" in said and "imap://" in said
    with Door(is_mute=True) as door:
        said = pull(here, door, "--timeout=1", code=75)
        assert "does not answer" in said and "imaps://" in said


def test_nobody_there(here):
    port = lib.free_port()          # none of those that a client may come from, and so find itself
    run = here.imapctl("import", "joe", f"imap://joe@127.0.0.1:{port}", input="x\n", check=False)
    assert run.returncode == 69 and f"nobody listens on port {port} of 127.0.0.1" in run.stderr


@pytest.mark.parametrize("verb", [b"CAPABILITY", b"AUTHENTICATE"])
def test_servers_that_leave(here, verb):
    with Door(bye_at=verb) as door:
        assert "maintenance" in pull(here, door, "--insecure", code=75)
    with Door(silent_at=verb) as door:
        assert "does not answer" in pull(here, door, "--insecure", "--timeout=1", code=75)


@pytest.mark.parametrize("verb", [b"CAPABILITY", b"LOGIN", b"LIST"])
def test_a_signal_is_heard_while_the_server_is_silent(here, verb):
    """The time-out is five minutes, and the test gives up sooner."""
    with Door(silent_at=verb) as door:
        process = subprocess.Popen([lib.IMAPCTL, f"--config={here.config}", "import", "joe", f"imap://joe@localhost:{door.port}",
                                    "--insecure", "--auth=login"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdin.write("x\n")
        process.stdin.flush()
        lib.wait_until(lambda: any(command.startswith(verb) for command in door.commands))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=lib.LIMIT_S)
        assert process.returncode == 75 and "interrupted" in said, said


# ---- logging in ---------------------------------------------------------------------------------------------------------


def can(*mechanisms, more=b""):
    return b"IMAP4rev1 LITERAL+" + b"".join(b" AUTH=" + one.encode() for one in mechanisms) + more


@pytest.mark.parametrize("has_ir", [True, False])
@pytest.mark.parametrize("offered, words, secret, expected", [
    (["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"], [], PASSWORD, ("SCRAM-SHA-256", "n", "", "n=joe", True)),
    (["PLAIN", "SCRAM-SHA-1"], [], PASSWORD, ("SCRAM-SHA-1", "n", "", "n=joe", True)),
    (["PLAIN", "LOGIN"], [], PASSWORD, ("PLAIN", f"\0joe\0{PASSWORD}")),
    (["LOGIN"], [], PASSWORD, ("LOGIN", "joe", PASSWORD)),
    ([], [], PASSWORD, ("login", "joe", PASSWORD)),
    ([], [], "plain", ("login", "joe", "plain")),
    (["PLAIN", "SCRAM-SHA-256"], ["--auth=plain"], PASSWORD, ("PLAIN", f"\0joe\0{PASSWORD}")),
    (["PLAIN"], ["--auth=login"], PASSWORD, ("login", "joe", PASSWORD)),
    (["PLAIN", "LOGIN"], ["--login=boss"], PASSWORD, ("PLAIN", f"joe\0boss\0{PASSWORD}")),
    (["SCRAM-SHA-256"], ["--login=b,=ss"], PASSWORD, ("SCRAM-SHA-256", "n", "a=joe", "n=b=2C=3Dss", True)),
    (["OAUTHBEARER", "PLAIN"], ["--auth=oauthbearer"], TOKEN,
     ("OAUTHBEARER", "n,a=joe,\1host=localhost\1port={port}\1auth=Bearer %s\1\1" % TOKEN)),
    (["XOAUTH2"], ["--auth=xoauth2"], TOKEN, ("XOAUTH2", f"user=joe\1auth=Bearer {TOKEN}\1\1")),
])
def test_ways_to_log_in(here, offered, words, secret, expected, has_ir):
    with Door(capabilities=can(*offered, more=b" SASL-IR" if has_ir else b"")) as door:
        pull(here, door, "--insecure", *words, secret=secret)
        assert door.proofs == [tuple(one.format(port=door.port) if isinstance(one, str) and "{port}" in one else one
                                     for one in expected)]


def test_secret_in_a_file(here, tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\r\nmore\n")
    with Door(capabilities=can("PLAIN")) as door:
        pull(here, door, "--insecure", f"--password-file={file}", secret="another")
        assert door.proofs == [("PLAIN", f"\0joe\0{PASSWORD}")]
        file.write_text("\n")
        assert str(file) in pull(here, door, "--insecure", f"--password-file={file}", code=65)
        assert "no-such" in pull(here, door, "--insecure", f"--password-file={tmp_path}/no-such", code=66)


def test_master_user_and_odd_names(here):
    with Door(capabilities=can("PLAIN")) as door:
        pull(here, door, "--insecure", user="joe@example.org*boss")
        pull(here, door, "--insecure", user="j%C3%B6%20e")
        assert [proof[1].split("\0")[1] for proof in door.proofs] == ["joe@example.org*boss", "j\u00f6 e"]


def test_the_url_names_a_mechanism(here):
    with Door(capabilities=can("PLAIN", "SCRAM-SHA-256")) as door:
        pull(here, door, "--insecure", user="joe;AUTH=PLAIN")
        pull(here, door, "--insecure", user="joe;AUTH=*")
        assert [proof[0] for proof in door.proofs] == ["PLAIN", "SCRAM-SHA-256"]


@pytest.mark.parametrize("answer, code, words", [
    (b"NO [AUTHENTICATIONFAILED] wrong \x1b[2Jpassword", 77, "wrong"),
    (b"NO [UNAVAILABLE] the directory is away", 75, "the directory is away"),
    (b"NO [REFERRAL imap://joe;AUTH=*@other.example.org/] not here", 77, "imap://joe;AUTH=*@other.example.org/"),
    (b"BAD what?", 77, "what?"),
])
def test_refusals(here, answer, code, words):
    with Door(capabilities=can("PLAIN"), answers=[answer]) as door:
        said = pull(here, door, "--insecure", code=code)
        assert words in said and "\x1b" not in said
        assert len(door.proofs) == 1


def test_alerts_are_shown(here):
    with Door(capabilities=can("PLAIN"), answers=[b"OK [ALERT] moving on \x1b[1mMonday"]) as door:
        said = pull(here, door, "--insecure")
        assert "the server says: moving on  [1mMonday" in said
    with Door(capabilities=can("PLAIN"), answers=[b"OK [REFERRAL imap://joe;AUTH=*@new.example.org/] in for once"]) as door:
        assert "mail may be elsewhere: imap://joe;AUTH=*@new.example.org/" in pull(here, door, "--insecure")


def test_password_in_another_form(here, certificates):
    """A server that offers SCRAM to users of whom it has another form of the password: it is sent, once, under TLS."""
    answers = [b"NO no keys", LOGGED_IN]
    with Door(capabilities=can("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"), answers=answers, certificate=shown(certificates, "good")) as door:
        pull(here, door, f"--tls-ca={certificates.folder / 'good.pem'}")
        assert [proof[0] for proof in door.proofs] == ["SCRAM-SHA-256", "PLAIN"]
        door.answers, door.proofs = list(answers), []
        pull(here, door, f"--tls-ca={certificates.folder / 'good.pem'}", "--auth=scram-sha-256", code=77)
        assert len(door.proofs) == 1
    with Door(capabilities=can("SCRAM-SHA-256", "PLAIN"), answers=answers) as door:
        pull(here, door, "--insecure", code=77)
        assert [proof[0] for proof in door.proofs] == ["SCRAM-SHA-256"]


def test_servers_that_do_not_know_the_password(here):
    with Door(capabilities=can("SCRAM-SHA-256"), has_key=False) as door:
        assert "has not proved" in pull(here, door, "--insecure", code=76)


def test_binding_to_the_channel(here, certificates):
    """-PLUS is for those who ask for it; without it the flag says whether it was offered (RFC 5802 section 6)."""
    good = f"--tls-ca={certificates.folder / 'good.pem'}"
    with Door(capabilities=can("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"), certificate=shown(certificates, "good")) as door:
        pull(here, door, good, "--auth=scram-sha-256-plus")
        pull(here, door, good)
        door.capabilities = can("SCRAM-SHA-256")
        pull(here, door, good)
        assert [proof[:2] for proof in door.proofs] == [("SCRAM-SHA-256-PLUS", "p=tls-server-end-point"),
                                                        ("SCRAM-SHA-256", "n"), ("SCRAM-SHA-256", "y")]
        assert all(proof[4] for proof in door.proofs)


@pytest.mark.parametrize("offered, more, words, code, said", [
    (["GSSAPI"], b" LOGINDISABLED", [], 76, "takes no passwords"),
    (["PLAIN"], b"", ["--auth=scram-sha-256"], 76, "does not offer it"),
    (["PLAIN"], b"", ["--auth=oauthbearer"], 76, "does not offer it"),
    (["LOGIN"], b"", ["--login=boss"], 76, "neither PLAIN nor SCRAM"),
    (["PLAIN"], b"", ["--auth=gssapi"], 64, "there are SCRAM-SHA-256-PLUS"),
])
def test_no_way_to_log_in(here, offered, more, words, code, said):
    with Door(capabilities=can(*offered, more=more)) as door:
        assert said in pull(here, door, "--insecure", *words, code=code)
        assert not door.proofs


@pytest.mark.parametrize("url, words", [
    ("imap://joe:secret@localhost", "password has no place in a URL"),
    ("imap://localhost:1", "imap://USER@HOST"),
    ("imap://joe@localhost:0", "port is a number"),
])
def test_wrong_urls(here, url, words):
    run = here.imapctl("import", "joe", url, "--insecure", input="x\n", check=False)
    assert run.returncode == 64 and words in run.stderr and "secret" not in run.stderr


@pytest.mark.skipif(not os.path.exists("/usr/sbin/dovecot"), reason="Dovecot is not installed")
def test_dovecot_by_all_its_mechanisms(here):
    import servers
    with servers.Dovecot("sdbox") as dovecot:
        for mechanism in ("plain", "login", "scram-sha-256"):
            run = here.imapctl("import", "joe", f"imap://u0@localhost:{dovecot.port}", f"--tls-ca={dovecot.certificate}",
                               f"--auth={mechanism}", input=servers.PASSWORD + "\n", check=False)
            assert run.returncode == 0, run
