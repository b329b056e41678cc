"""EXTERNAL by the client's certificate (RFC 4422 appendix A), with certificates made by OpenSSL."""
import base64
import socket
import ssl
import subprocess

import pytest

import certificates
import server as lib

OPENSSL = ["openssl"]
UPN = "1.3.6.1.4.1.311.20.2.3"
UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"


def openssl(*words):
    subprocess.run([*OPENSSL, *map(str, words)], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder, and what it signs."""

    def __init__(self, folder, name):
        self.folder, self.cert, self.key = folder, folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def sign(self, name, subject, *extensions, days=30):
        """A certificate and its key, in one file."""
        request, cert, key, both = (self.folder / f"{name}.{end}" for end in ("csr", "crt", "key", "both"))
        more = self.folder / f"{name}.cnf"
        more.write_text("\n".join(["[e]", "basicConstraints=CA:FALSE", *extensions]) + "\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-utf8",
                "-subj", subject, "-keyout", key, "-out", request)
        if days < 0:
            config = self.folder / "ca.cnf"
            config.write_text(certificates.CA.format(folder=self.folder, names="DNS:unused"))
            (self.folder / "index").touch()
            (self.folder / "serial").write_text("77\n")
            certificates.sign(config, request, cert, days - 1, days, "-cert", self.cert, "-keyfile", self.key,
                              "-extfile", more, "-extensions", "e")
        else:
            openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                    "-days", days, "-extfile", more, "-extensions", "e", "-out", cert)
        both.write_text(cert.read_text() + key.read_text())
        return both


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "clients")


@pytest.fixture(scope="module")
def running(authority):
    with lib.Server(settings=[f"tls-client-ca {authority.cert}", "login-type secure"],
                    users=("demo", "tim@example.org", "tom@example.org", "jürgen@example.org")) as server:
        yield server


@pytest.fixture
def configure(running, authority):
    """Other settings, until the end of the test."""
    def reload(*settings, by=authority):
        running.settings = [f"tls-client-ca {by.cert}", "login-type secure", *settings]
        running.write_config()
        running.imapctl("reload")
    yield reload
    reload()


def context_of(certificate, maximum=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    if maximum is not None:
        context.maximum_version = maximum
    return context


def connect(server, certificate, context=None, session=None):
    """A client with this certificate."""
    context = context or context_of(certificate)
    client = lib.Client.__new__(lib.Client)
    client.__dict__.update(lib.Client.unread(socket.create_connection(("127.0.0.1", server.imaps_port), lib.LIMIT_S)).__dict__)
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost", session=session)
    client.file = client.socket.makefile("rb")
    client.greeting = client.line()
    return client


def external(client, identity=None):
    if identity is None:
        return client.command(b"AUTHENTICATE EXTERNAL =").tagged
    return client.command(b"AUTHENTICATE EXTERNAL " + base64.b64encode(identity.encode())).tagged


def test_a_certificate(running, authority):
    cert = authority.sign("tim", "/CN=Tim", "subjectAltName=email:tim@example.org")
    with connect(running, cert) as client:
        assert b"AUTH=EXTERNAL" in client.greeting
        assert b" OK " in external(client)
        client.ok(b"SELECT INBOX")
    with connect(running, cert) as client:      # without SASL-IR
        client.send(b"x AUTHENTICATE EXTERNAL\r\n")
        assert client.line() == b"+ "
        client.send(base64.b64encode(b"TIM@example.org") + b"\r\n")
        assert client.line().startswith(b"x OK")
    lib.wait_until(lambda: any("user=tim@example.org" in line and "mech=EXTERNAL" in line for line in running.log_lines))


def test_after_starttls(running, authority):
    cert = authority.sign("starttls", "/CN=Tim", "subjectAltName=email:tim@example.org")
    with running.client() as client:
        assert b"EXTERNAL" not in client.greeting
        client.ok(b"STARTTLS")
        client.socket = context_of(cert).wrap_socket(client.socket, server_hostname="localhost")
        client.file = client.socket.makefile("rb")
        assert b"AUTH=EXTERNAL" in client.ok(b"CAPABILITY").untagged[0]
        assert b" OK " in external(client)


def test_again_on_the_same_connection(running, authority):
    """UNAUTHENTICATE (RFC 8437 section 4.2): the certificate stays, for any of its names, and proves no other."""
    cert = authority.sign("both", "/CN=Tim", "subjectAltName=email:tim@example.org,email:tom@example.org")
    with connect(running, cert) as client:
        for name in ("tim@example.org", "tom@example.org", "tim@example.org"):
            assert b" OK " in external(client, name)
            client.ok(b"SELECT INBOX")
            assert b"AUTH=EXTERNAL" in client.ok(b"UNAUTHENTICATE").tagged
        assert b" NO " in external(client, "demo")


def test_nobody_elses_name(running, authority):
    cert = authority.sign("two", "/CN=demo", "subjectAltName=email:tim@example.org,email:tom@example.org,DNS:demo")
    with connect(running, cert) as client:
        assert b" OK " in external(client, "tom@example.org")
    for identity in ("demo", "jürgen@example.org", "tim@example.org\0", "tim"):
        with connect(running, cert) as client:
            assert b" OK " not in external(client, identity), identity
    lib.wait_until(lambda: any("reason=not-permitted" in line and "identity=demo" in line
                               for line in running.log_lines))


def test_no_certificate(running):
    with connect(running, None) as client:
        assert b"EXTERNAL" not in client.greeting and b"AUTH=PLAIN" in client.greeting
        assert b" NO [CANNOT]" in external(client, "demo")
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())


@pytest.mark.parametrize("name, words", {
    "of a stranger": None,
    "expired": ["subjectAltName=email:demo"],
    "for servers alone": ["subjectAltName=email:demo", "extendedKeyUsage=serverAuth"],
    "without an address": ["subjectAltName=DNS:demo"],
    "without names": [],
}.items())
def test_what_stands_for_nobody(running, authority, tmp_path, name, words):
    if words is None:
        cert = Authority(tmp_path, "clients").sign("stranger", "/CN=demo", "subjectAltName=email:demo")
    else:
        cert = authority.sign("x" + name.replace(" ", ""), "/CN=demo", *words, days=-1 if name == "expired" else 30)
    before = sum("ev=client-certificate" in line for line in running.log_lines)
    with connect(running, cert) as client:
        assert b"EXTERNAL" not in client.greeting
        assert b" NO [CANNOT]" in external(client, "demo")
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())   # the password is as good as ever
    lib.wait_until(lambda: sum("ev=client-certificate" in line for line in running.log_lines) > before)


def test_users_who_do_not_exist_or_may_not_log_in(running, authority):
    nobody = authority.sign("nobody", "/CN=x", "subjectAltName=email:nobody@example.org")
    demo = authority.sign("off", "/CN=x", "subjectAltName=email:demo")
    running.imapctl("user", "set", "demo", "--imap=off")
    answers = []
    for cert in (nobody, demo):
        with connect(running, cert) as client:
            answers.append(external(client))
    running.imapctl("user", "set", "demo", "--imap=on")
    assert b" NO [AUTHENTICATIONFAILED]" in answers[0] and answers[0] == answers[1]


FIELDS = {
    "commonName": [("/CN=tim@example.org", [], b" OK "), ("/CN=tim@example.org/CN=demo", [], b" NO [CANNOT]"),
                   ("/O=x", ["subjectAltName=email:tim@example.org"], b" NO [CANNOT]"),
                   ("/CN=jürgen@example.org", [], b" OK ")],
    "otherName": [("/CN=x", [f"subjectAltName=otherName:{UPN};UTF8:tim@example.org"], b" OK "),
                  ("/CN=x", ["subjectAltName=@names", "[names]",
                             f"otherName={UTF8_MAILBOX};FORMAT:UTF8,UTF8String:jürgen@example.org"], b" OK "),
                  ("/CN=x", ["subjectAltName=otherName:1.2.3.4;UTF8:tim@example.org"], b" NO [CANNOT]"),
                  ("/CN=x", [f"subjectAltName=otherName:{UPN};IA5:tim@example.org"], b" NO [CANNOT]"),
                  ("/CN=tim@example.org", ["subjectAltName=email:tim@example.org"], b" NO [CANNOT]")],
}


@pytest.mark.parametrize("field", FIELDS)
def test_fields(running, authority, configure, field):
    configure(f"tls-client-user {field}")
    for number, (subject, extensions, expected) in enumerate(FIELDS[field]):
        cert = authority.sign(f"{field}{number}", subject, *extensions)
        with connect(running, cert) as client:
            assert expected in external(client), (subject, extensions)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_it_is_looked_at_each_time(running, authority, version):
    """No session brings back what a certificate has proved; sessions without one resume as ever."""
    cert = authority.sign("again", "/CN=x", "subjectAltName=email:tim@example.org")
    maximum = getattr(ssl.TLSVersion, version)
    for certificate, is_resumed in ((cert, False), (None, True)):
        context = context_of(certificate, maximum)
        with connect(running, None, context) as client:
            client.ok(b"NOOP")
            if client.socket.version() != version.replace("_", "."):
                pytest.skip("this mbedTLS does not speak it")
            session = client.socket.session
        with connect(running, None, context, session) as client:
            assert client.socket.session_reused == is_resumed
            assert (b"AUTH=EXTERNAL" in client.greeting) == (certificate is not None)
            if certificate is not None:
                assert b" OK " in external(client)


def test_live(running, configure, tmp_path):
    other = Authority(tmp_path, "others")
    cert = other.sign("tim", "/CN=x", "subjectAltName=email:tim@example.org")
    with connect(running, cert) as client:
        assert b"EXTERNAL" not in client.greeting
    configure(by=other)
    with connect(running, cert) as client:
        assert b" OK " in external(client)
    configure("auth-mechanisms PLAIN", by=other)
    with connect(running, cert) as client:
        assert b"EXTERNAL" not in client.greeting


def test_gsasl(running, authority):
    gsasl = lib.need("gsasl")
    cert = authority.sign("gsasl", "/CN=x", "subjectAltName=email:tim@example.org")
    done = subprocess.run([gsasl, "--imap", f"--connect=127.0.0.1:{running.imap_port}", "--mechanism=EXTERNAL",
                           "--authorization-id=tim@example.org", f"--x509-ca-file={running.cert}", "--hostname=localhost",
                           f"--x509-cert-file={cert}", f"--x509-key-file={cert}"],
                          input="", text=True, capture_output=True, timeout=lib.LIMIT_S)
    assert done.returncode == 0 and " OK " in done.stdout, done.stdout + done.stderr


def test_curl(running, authority):
    curl = lib.need("curl")
    cert = authority.sign("curl", "/CN=x", "subjectAltName=email:tim@example.org")
    done = subprocess.run([curl, "-sS", "--cacert", running.cert, "--cert", cert, "--login-options", "AUTH=EXTERNAL",
                           "--user", "tim@example.org:",
                           f"imaps://localhost:{running.imaps_port}/"], text=True, capture_output=True, timeout=lib.LIMIT_S)
    assert done.returncode == 0 and "INBOX" in done.stdout, done.stderr


def test_what_the_check_says(running, tmp_path):
    config = tmp_path / "imapd.conf"
    for setting, reason in ((f"tls-client-ca {tmp_path}/none.pem", "none.pem"), ("tls-client-user email", "cannot be"),
                            (f"tls-client-ca {config}", "imapd.conf")):
        lines = [line for line in running.config.read_text().splitlines() if "tls-client" not in line]
        config.write_text("\n".join([*lines, setting]) + "\n")
        done = subprocess.run([lib.IMAPD, "--check-config", f"--config={config}"], capture_output=True, text=True)
        assert done.returncode == 78 and f"{config}:{len(lines) + 1}:" in done.stderr and reason in done.stderr
