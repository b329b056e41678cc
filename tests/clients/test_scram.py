"""SCRAM (RFC 5802, RFC 7677) with both hash functions and with channel binding, by a client written from the RFCs
and by GNU SASL."""
import base64
import re
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

import server as lib
from scram import Scram, bound, end_point

SIMPLE = ["SCRAM-SHA-1", "SCRAM-SHA-256"]
PLUS = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]


@pytest.fixture
def new_server():
    """Failed logins delay the next one from the same address: no test waits for another's."""
    with lib.Server() as running:
        yield running


def mechanisms(text):
    return [name.decode() for name in re.findall(rb"AUTH=([^\s\]]+)", text)]


@pytest.mark.parametrize("has_initial_response", [True, False], ids=["with SASL-IR", "without"])
@pytest.mark.parametrize("mechanism", SIMPLE)
def test_the_right_password(shared_server, user, mechanism, has_initial_response):
    client = shared_server.client()
    assert Scram(user, lib.PASSWORD, mechanism=mechanism).run(client, has_initial_response).startswith(b"s OK")
    client.ok(b"SELECT INBOX")
    client.close()


@pytest.mark.parametrize("mechanism", PLUS)
def test_bound_to_the_certificate(shared_server, user, mechanism):
    with shared_server.client(tls=True) as client:
        assert mechanism in mechanisms(client.greeting)
        assert bound(user, lib.PASSWORD, client, mechanism).run(client).startswith(b"s OK")
        client.ok(b"SELECT INBOX")


def test_bound_after_starttls(shared_server, user):
    with shared_server.client() as client:
        assert not set(PLUS) & set(mechanisms(client.greeting))
        assert b" NO [CANNOT]" in client.command(b"AUTHENTICATE SCRAM-SHA-256-PLUS").tagged
        client.ok(b"STARTTLS")
        client.start_tls()
        assert set(PLUS) < set(mechanisms(client.ok(b"CAPABILITY").untagged[0]))
        assert bound(user, lib.PASSWORD, client).run(client).startswith(b"s OK")


def test_bound_to_the_certificate_of_the_name(tmp_path):
    (tmp_path / "other").mkdir()
    cert, key = lib.certificate(tmp_path / "other")
    with lib.Server(settings=[f"tls-certificate-for other.example.org {cert} {key}"]) as server:
        for name in ("localhost", "other.example.org"):
            with server.client(tls=True) as client:
                client.close()
                client.socket = socket.create_connection(("127.0.0.1", server.imaps_port), lib.LIMIT_S)
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                client.socket = context.wrap_socket(client.socket, server_hostname=name)
                client.file = client.socket.makefile("rb")
                client.line()
                is_other = end_point(client) == __import__("hashlib").sha256(
                    ssl.PEM_cert_to_DER_cert(cert.read_text())).digest()
                assert is_other == (name == "other.example.org")
                assert bound("demo", lib.PASSWORD, client).run(client).startswith(b"s OK")


@pytest.mark.parametrize("signed_with", ["sha1", "sha384", "sha512"])
def test_bound_by_the_hash_of_the_certificate(tmp_path, signed_with):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "30", f"-{signed_with}", "-subj", "/CN=localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    key.chmod(0o600)
    with lib.Server(settings=[f"tls-certificate {cert}", f"tls-key {key}"]) as server, server.client(tls=True) as client:
        assert bound("demo", lib.PASSWORD, client, signed_with=signed_with).run(client).startswith(b"s OK")


class Middle:
    """Somebody in the middle with a certificate of his own, who passes everything on."""

    def __init__(self, server, folder):
        self.target = server.imaps_port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*lib.certificate(folder))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near = self.context.wrap_socket(self.listener.accept()[0], server_side=True)
            except (OSError, ValueError):
                return
            far = lib.Client(self.target, tls=True)
            near.sendall(far.greeting + b"\r\n")
            for source, sink in ((near, far.socket), (far.socket, near)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def copy(source, sink):
        try:
            while octets := source.recv(4096):
                sink.sendall(octets)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_somebody_in_the_middle(new_server, tmp_path):
    middle = Middle(new_server, tmp_path)
    with lib.Client(middle.port, tls=True) as client:    # without binding nobody notices
        assert Scram("demo", lib.PASSWORD).run(client).startswith(b"s OK")
    with lib.Client(middle.port, tls=True) as client:
        assert bound("demo", lib.PASSWORD, client).run(client).startswith(b"s NO [AUTHENTICATIONFAILED]")
    # He hides what he cannot pass on, and the client says so.
    with lib.Client(middle.port, tls=True) as client:
        assert Scram("demo", lib.PASSWORD, flag=b"y").run(client).startswith(b"s NO [AUTHENTICATIONFAILED]")
    middle.close()
    lib.wait_until(lambda: sum("reason=channel-binding" in line for line in new_server.log_lines) == 2)


def test_who_could_bind_where_nothing_is_offered(new_server):
    with new_server.client() as client:
        assert Scram("demo", lib.PASSWORD, flag=b"y").run(client).startswith(b"s OK")


@pytest.mark.parametrize("name, change", {
    "another nonce": lambda step, m: m[:-1] + (b"A" if m[-1:] != b"A" else b"B") if step == 2 else m,
    "channel binding that was not offered": lambda step, m: b"p=tls-unique,," + m[3:] if step == 1 else m,
    "another binding in the proof": lambda step, m: m.replace(b"c=biws", b"c=eSws") if step == 2 else m,
    "a second user name": lambda step, m: m + b",n=root" if step == 1 else m,
    "a mandatory extension": lambda step, m: b"n,,m=x," + m[3:] if step == 1 else m,
    "a proof cut short": lambda step, m: m[:-8] if step == 3 else m,
}.items())
def test_what_is_forged_is_refused(new_server, name, change):
    client = new_server.client()
    assert Scram("demo", lib.PASSWORD, change).run(client, True).split()[1] in (b"NO", b"BAD"), name
    client.close()


@pytest.mark.parametrize("mechanism", SIMPLE)
def test_wrong_password_and_unknown_user_look_alike(new_server, mechanism):
    answers, fields = [], []
    for name, password in (("demo", "wrong"), ("nobody", lib.PASSWORD)):
        client = new_server.client()
        scram = Scram(name, password, mechanism=mechanism)
        answers.append(scram.run(client, True))
        fields.append((len(scram.fields[b"s"]), scram.fields[b"i"], len(scram.fields[b"r"])))
        client.close()
    assert answers[0] == answers[1] and answers[0].startswith(b"s NO") and fields[0] == fields[1]


def salt(server, name, mechanism):
    with server.client() as client:
        client.send(b"s AUTHENTICATE %s %s\r\n" % (mechanism.encode(), base64.b64encode(b"n,,n=%s,r=abc" % name)))
        return re.search(rb"s=([^,]+)", base64.b64decode(client.line()[2:])).group(1)


def test_salts_stay_over_a_restart(new_server):
    who = [(name, mechanism) for name in (b"demo", b"nobody", b"noone") for mechanism in SIMPLE]
    before = [salt(new_server, *one) for one in who]
    assert new_server.stop() == 0
    new_server.start()
    assert [salt(new_server, *one) for one in who] == before and len(set(before)) == len(before)
    assert (new_server.data / "auth-secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_used(new_server):
    assert new_server.stop() == 0
    (new_server.data / "auth-secret").write_text("short\n")
    new_server.start()
    lib.wait_until(lambda: any("ev=auth-secret" in line for line in new_server.log_lines))
    assert (new_server.data / "auth-secret").read_text() == "short\n"
    with new_server.client() as client:
        assert Scram("demo", lib.PASSWORD).run(client).startswith(b"s OK")


def reload(server, *settings):
    server.settings = list(settings)
    server.write_config()
    server.imapctl("reload")


def test_mechanisms_that_are_not_permitted(new_server):
    reload(new_server, "auth-mechanisms scram-sha-256-plus SCRAM-SHA-256")
    with new_server.client(tls=True) as client, new_server.client(tls=True) as waiting:
        assert mechanisms(client.greeting) == ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
        assert b"LOGINDISABLED" in client.greeting
        assert b" NO [CANNOT]" in client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode()).tagged
        for name in (b"PLAIN", b"LOGIN", b"SCRAM-SHA-1", b"SCRAM-SHA-1-PLUS", b"EXTERNAL"):
            assert b" NO [CANNOT]" in client.command(b"AUTHENTICATE " + name).tagged
        assert bound("demo", lib.PASSWORD, client).run(client).startswith(b"s OK")
        reload(new_server)      # counts for connections that are there
        assert "PLAIN" in mechanisms(waiting.ok(b"CAPABILITY").untagged[0])
        waiting.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())


def test_users_without_keys_for_sha1(new_server):
    reload(new_server, "login-type plain", "auth-mechanisms PLAIN SCRAM-SHA-256")
    new_server.add_user("old")
    reload(new_server)
    with new_server.client() as client:
        assert Scram("old", lib.PASSWORD, mechanism="SCRAM-SHA-1").run(client).startswith(b"s NO [AUTHENTICATIONFAILED]")
    lib.wait_until(lambda: any("reason=no-keys" in line and "user=old" in line for line in new_server.log_lines))
    with new_server.client() as client:
        assert Scram("old", lib.PASSWORD).run(client).startswith(b"s OK")
    new_server.imapctl("user", "passwd", "old", input="another\n")
    with new_server.client() as client:
        assert Scram("old", "another", mechanism="SCRAM-SHA-1").run(client).startswith(b"s OK")


def gsasl(server, mechanism, user, password, *more):
    path = shutil.which("gsasl")
    if path is None:
        pytest.skip("gsasl is not installed")
    return subprocess.run([path, "--imap", *([] if "PLUS" in mechanism else ["--no-cb"]),
                           f"--connect=127.0.0.1:{server.imap_port}", f"--mechanism={mechanism}",
                           f"--authentication-id={user}", f"--password={password}",
                           f"--x509-ca-file={server.cert}", "--hostname=localhost", *more],
                          input="", text=True, capture_output=True, timeout=lib.LIMIT_S)


@pytest.mark.parametrize("mechanism", SIMPLE + PLUS + ["PLAIN", "LOGIN"])
def test_gsasl(new_server, mechanism):
    if mechanism in PLUS:       # it knows tls-exporter, and so needs TLS 1.3
        with new_server.client(tls=True) as client:
            if client.socket.version() != "TLSv1.3":
                pytest.skip("this mbedTLS speaks no TLS 1.3")
    done = gsasl(new_server, mechanism, "demo", lib.PASSWORD)
    assert done.returncode == 0 and " OK " in done.stdout, done.stdout + done.stderr
    lib.wait_until(lambda: any("ev=login" in line and f"mech={mechanism} " in line for line in new_server.log_lines))
    assert gsasl(new_server, mechanism, "demo", "wrong").returncode != 0
