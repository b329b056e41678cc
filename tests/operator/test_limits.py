"""The settings of imapd.conf(5) for clients: each is obeyed, and applied by a reload to a server that runs."""
import base64
import os
import re
import socket
import ssl
import struct
import subprocess

import pytest

import server as lib

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def reload(server, *settings):
    """Replace all settings of the test and have them applied."""
    server.settings = list(settings)
    server.write_config()
    return server.imapctl("reload").stderr


def is_logged(server, *words):
    return any(all(word in line for word in words) for line in list(server.log_lines))


def wait_for_log(server, *words):
    lib.wait_until(lambda: is_logged(server, *words))


@pytest.fixture
def server():
    with lib.Server() as running:
        yield running


def refuses(server, user="demo", password=lib.PASSWORD, **how):
    """The tagged answer to LOGIN without its tag."""
    with server.client(**how) as client:
        return client.command(b'LOGIN %s "%s"' % (user.encode(), password.encode())).tagged.split(b" ", 1)[1]


# What is said and who may log in

def test_banner(server):
    assert server.client().greeting.endswith(b"] localhost ready")
    reload(server, 'banner "The Microsoft Exchange IMAP4 service is ready."')
    greeting = server.client().greeting
    assert greeting.startswith(b"* OK [CAPABILITY ") and \
        greeting.endswith(b"] The Microsoft Exchange IMAP4 service is ready.")
    reload(server)
    assert server.client().greeting.endswith(b"] localhost ready")


PLAIN = base64.b64encode(b"\0demo\0" + lib.PASSWORD.encode())


def test_login_type_secure(server):
    reload(server, "login-type secure")
    with server.client() as client:
        assert b"LOGINDISABLED" in client.greeting and b"AUTH=" not in client.greeting
        for attempt in (b"LOGIN demo x", b"AUTHENTICATE PLAIN " + PLAIN, b"AUTHENTICATE SCRAM-SHA-256", b"AUTHENTICATE NONE"):
            assert b" NO [PRIVACYREQUIRED]" in client.command(attempt).tagged
    server.client("demo", tls=True).close()


def test_login_type_plain_auth(server):
    reload(server, "login-type plain-auth")
    with server.client() as client:
        assert b"LOGINDISABLED" in client.greeting and re.findall(rb"AUTH=(\S+?)[\] ]", client.greeting) == \
            [b"SCRAM-SHA-1", b"SCRAM-SHA-256"]
        for attempt in (b"LOGIN demo x", b"AUTHENTICATE PLAIN " + PLAIN, b"AUTHENTICATE LOGIN"):
            assert b" NO [PRIVACYREQUIRED]" in client.command(attempt).tagged
        assert b" NO [CANNOT]" in client.command(b"AUTHENTICATE NONE").tagged
        client.send(b"s AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(b"n,,n=demo,r=abcdefgh") + b"\r\n")
        assert client.line().startswith(b"+ ")
    with server.client(tls=True) as client:
        assert b"LOGINDISABLED" not in client.greeting and b"AUTH=PLAIN" in client.greeting
        client.ok(b"AUTHENTICATE PLAIN " + PLAIN)


def test_login_type_plain_of_a_session_that_waits(server):
    reload(server, "login-type secure")
    with server.client() as client:
        reload(server, "login-type plain")
        assert b"LOGINDISABLED" not in client.ok(b"CAPABILITY").untagged[0]
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())


def test_denied_users_look_like_a_wrong_password(server):
    server.add_user("eve")
    reload(server, "deny-users EVE nobody-of-this-name")
    assert refuses(server, "eve") == refuses(server, "eve", "wrong") == refuses(server, "demo", "wrong")
    wait_for_log(server, "auth-fail", "user=eve", "reason=deny-users")
    with server.client() as client:     # SCRAM says nothing either until its end
        client.send(b"s AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(b"n,,n=eve,r=abcdefgh") + b"\r\n")
        assert client.line().startswith(b"+ ")
    with server.lmtp() as lmtp:
        assert lmtp.deliver(lib.message(1), b"eve")[0].startswith(b"250")
    server.client("demo").close()
    reload(server)
    server.client("eve").close()


def test_denied_users_leave_on_reload(server):
    server.add_user("eve")
    with server.client("eve") as idler, server.client("eve") as other, server.client("demo") as demo:
        idler.ok(b"SELECT INBOX")
        idler.send(b"i IDLE\r\n")
        assert idler.line().startswith(b"+")
        reload(server, "deny-users eve")
        for client in (idler, other):
            lines = client.file.read()
            assert b"* BYE Logged out by the administrator\r\n" in lines
        demo.ok(b"NOOP")


# Limits

def test_connections_of_a_user(server):
    reload(server, "max-connections-per-user 2")
    with server.client("demo"), server.client("demo"):
        assert refuses(server).startswith(b"NO [LIMIT]")
        reload(server, "max-connections-per-user 3")
        server.client("demo").close()


def test_connections_of_an_address(server):
    reload(server, "max-connections-per-address 2")
    with server.client("demo") as client, server.client("demo"):
        assert server.client().greeting == b"* BYE [LIMIT] Too many connections"
        reload(server, "max-connections-per-address 3")
        server.client("demo").close()
        reload(server, "max-connections-per-address 1")
        client.ok(b"NOOP")      # who is there may stay


def test_connections_of_the_server(server):
    reload(server, "max-connections 2")
    with server.client("demo"), server.client() as stranger:
        server.client("demo").close()       # the oldest stranger makes room
        assert stranger.line() == b"* BYE Too many connections"
    lib.wait_until(lambda: server.imapctl("who").stdout == "")
    with server.client("demo"), server.client("demo"):
        assert server.client().greeting.startswith(b"* BYE [LIMIT]")
        reload(server, "max-connections 3")
        server.client("demo").close()


def test_command_size(server):
    long = b"NOOP" + b" " * 3000
    with server.client("demo") as client:
        assert b"too long" not in client.command(b'LIST "" "%s"' % (b"x" * 3000)).tagged
        reload(server, "max-command-size 2K")
        client.send(b't LIST "" "%s"\r\n' % (b"x" * 3000))      # of a session that runs
        assert b"BAD" in client.line()
        client.ok(b"LIST \"\" {}", b"x" * 900)
    with server.client() as stranger:
        stranger.send(b"t " + long + b"\r\n")
        assert b"BAD" in stranger.line()
    reload(server)
    with server.client("demo") as client:
        client.ok(b'LIST "" "%s"' % (b"x" * 3000))


def test_timeouts(server):
    reload(server, "idle-timeout 1")
    user = server.client("demo")        # with all the time that a login may take
    reload(server, "login-timeout 1", "handshake-timeout 1", "idle-timeout 1")
    stranger = server.client()
    assert stranger.line().startswith(b"* BYE ")
    assert stranger.file.read() == b""
    assert user.line().startswith(b"* BYE ")
    assert user.file.read() == b""
    reload(server, "handshake-timeout 1")
    with socket.create_connection(("127.0.0.1", server.imaps_port), lib.LIMIT_S) as silent:
        assert silent.recv(1) == b""
    wait_for_log(server, "tls-failed", "handshake took too long")
    with server.client() as client:
        client.ok(b"STARTTLS")
        assert client.file.read() == b""


# TLS

def make_certificate(folder, name):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "30", "-subj", f"/CN={name}", "-keyout", key, "-out", cert], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def shown(server, name):
    """The certificate for a name, in DER."""
    with socket.create_connection(("127.0.0.1", server.imaps_port), lib.LIMIT_S) as plain:
        with ssl._create_unverified_context().wrap_socket(plain, server_hostname=name) as wrapped:
            return wrapped.getpeercert(binary_form=True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def test_certificates_by_name(server):
    exact = make_certificate(server.folder, "exact")
    wild = make_certificate(server.folder, "wild")
    settings = ("tls-certificate-for *.Example.org %s %s" % wild,
                "tls-certificate-for imap.example.org %s %s" % exact)
    assert shown(server, "imap.example.org") == der(server.cert)
    with server.client("demo", tls=True) as client:
        reload(server, *settings)
        cases = {"imap.example.org": exact, "IMAP.EXAMPLE.ORG": exact, "mail.example.org": wild,
                 "example.org": (server.cert,), "a.b.example.org": (server.cert,), "other.test": (server.cert,), None: (server.cert,)}
        for name, files in cases.items():
            assert shown(server, name) == der(files[0]), name
        old = der(wild[0])
        make_certificate(server.folder, "wild")
        assert shown(server, "mail.example.org") == old
        reload(server, *settings)
        assert shown(server, "mail.example.org") == der(wild[0]) != old
        client.ok(b"NOOP")
    with server.client() as client:     # and behind STARTTLS
        client.ok(b"STARTTLS")
        wrapped = ssl._create_unverified_context().wrap_socket(client.socket, server_hostname="imap.example.org")
        assert wrapped.getpeercert(binary_form=True) == der(exact[0])
        wrapped.close()
    reload(server)
    assert shown(server, "imap.example.org") == der(server.cert)


def test_a_key_of_another_certificate_changes_nothing(server):
    exact, wild = make_certificate(server.folder, "exact"), make_certificate(server.folder, "wild")
    server.settings = ["tls-certificate-for imap.example.org %s %s" % (exact[0], wild[1])]
    server.write_config()
    done = server.imapctl("reload", check=False)
    assert done.returncode == 78 and "wild.key" in done.stdout + done.stderr
    assert shown(server, "imap.example.org") == der(server.cert)


def s_client(server, *words, input=""):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.imaps_port}", *words],
                          input=input, capture_output=True, text=True, timeout=lib.LIMIT_S)
    return done.stdout + done.stderr


def test_old_tls_is_refused(server):
    for old in (["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
                ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-CCM8:@SECLEVEL=0"]):
        words = old if "-cipher" in old else [*old, "-cipher", "ALL:@SECLEVEL=0"]
        text = s_client(server, *words)
        assert "Cipher is (NONE)" in text and "alert" in text, text
    for good in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        assert f"Cipher is {good}" in s_client(server, "-tls1_2", "-cipher", good)


def test_renegotiation_is_off(server):
    """s_client begins one at a line that starts with R; the second handshake is never over."""
    text = s_client(server, "-tls1_2", input="R\na LOGOUT\n")
    assert "RENEGOTIATING" in text and "no renegotiation" in text, text


def test_tls_minimum(server):
    server.settings = ["tls-minimum 1.3"]
    server.write_config()
    done = server.imapctl("reload", check=False)
    if done.returncode == 0:
        assert "Cipher is (NONE)" in s_client(server, "-tls1_2")
        assert "TLSv1.3" in s_client(server, "-tls1_3")
    else:       # an mbedTLS of before 3.6
        assert done.returncode == 78 and "has no TLS 1.3" in done.stdout + done.stderr
    reload(server, "tls-minimum 1.2")
    assert "Cipher is ECDHE" in s_client(server, "-tls1_2")


# Ports

def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), lib.LIMIT_S).close()
        return True
    except ConnectionRefusedError:
        return False


def test_ports_follow_a_reload(server):
    new, old = lib.free_port(), server.imap_port
    with server.client("demo") as client:
        reload(server, f"listen imap 127.0.0.1:{new}", f"listen imaps 127.0.0.1:{server.imaps_port}")
        assert not can_connect(old)
        server.imap_port = new
        server.client("demo").close()
        server.client("demo", tls=True).close()
        client.ok(b"NOOP")
        wait_for_log(server, "ev=unlisten", str(old))
        wait_for_log(server, "ev=listen ", str(new))
        # The same port may speak TLS from now on.
        reload(server, f"listen imaps 127.0.0.1:{new}")
        with lib.Client(new, tls=True) as changed:
            assert changed.greeting.startswith(b"* OK")
        assert not can_connect(server.imaps_port)


def test_a_port_that_cannot_be_opened_is_told(server):
    with socket.socket() as taken:
        port = lib.free_port()		# which nobody else gets when it is given back
        taken.bind(("127.0.0.1", port))
        taken.listen()
        words = (f"listen imap 127.0.0.1:{port}", f"listen imap 127.0.0.1:{server.imap_port}")
        server.settings = list(words)
        server.write_config()
        refused = server.imapctl("reload", check=False)
        assert refused.returncode == 78
        assert f"127.0.0.1:{port} is in use by " in refused.stderr and f", pid {os.getpid()}, of " in refused.stderr
    server.client("demo").close()
    reload(server, *words)      # the next reload tries again
    assert can_connect(port)


# PROXY

def proxied(server, header, tls=False, pieces=None):
    """A client behind a balancer that sends the header in pieces."""
    client = lib.Client.unread(
        socket.create_connection(("127.0.0.1", server.imaps_port if tls else server.imap_port), lib.LIMIT_S))
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces or [header]:
        client.socket.sendall(piece)
    if tls:
        client.start_tls()
    client.greeting = client.line()
    return client


@pytest.fixture
def balanced():
    with lib.Server() as running:
        reload(running, f"listen imap 127.0.0.1:{running.imap_port} proxy",
               f"listen imaps 127.0.0.1:{running.imaps_port} proxy", "proxy-trusted 127.0.0.0/8", "login-type plain")
        yield running


def v2(command, family, body):
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack("!H", len(body)) + body


ENDS = bytes([192, 0, 2, 77, 198, 51, 100, 1]) + struct.pack("!HH", 40000, 993)
V1 = b"PROXY TCP4 192.0.2.77 198.51.100.1 40000 993\r\n"
HEADERS = [V1, v2(1, 0x11, ENDS), v2(1, 0x11, ENDS + b"\x04\x00\x03abc" + b"\x20\x00\x00")]


@pytest.mark.parametrize("header", HEADERS, ids=["v1", "v2", "v2-tlv"])
@pytest.mark.parametrize("tls", [False, True], ids=["imap", "imaps"])
def test_proxied_clients_have_their_own_address(balanced, header, tls):
    with proxied(balanced, header, tls) as client:
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert "192.0.2.77" in balanced.imapctl("who").stdout
    wait_for_log(balanced, "ev=login", "rip=192.0.2.77")
    wait_for_log(balanced, "ev=login", "address=192.0.2.77", "port=40000")


def test_a_header_may_be_cut_anywhere(balanced):
    for header in HEADERS:
        for cut in range(1, len(header)):
            with proxied(balanced, header, pieces=[header[:cut], header[cut:]]) as client:
                assert client.greeting.startswith(b"* OK")
    octets = [V1[at:at + 1] for at in range(len(V1))]
    with proxied(balanced, V1, pieces=octets) as client:
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
    # The handshake may begin in the same packet.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with socket.create_connection(("127.0.0.1", balanced.imaps_port), lib.LIMIT_S) as plain:
        plain.sendall(V1 + outgoing.read())
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))


def test_commands_behind_a_header(balanced):
    with proxied(balanced, V1 + b"a NOOP\r\n") as client:
        assert client.greeting.startswith(b"* OK") and client.line().startswith(b"a OK")


def test_failures_go_by_the_clients_address(balanced):
    with proxied(balanced, b"PROXY TCP6 2001:DB8::0:1 ::1 1 143\r\n") as client:
        assert client.command(b"LOGIN demo wrong").tagged.endswith(b"NO [AUTHENTICATIONFAILED] Authentication failed")
    wait_for_log(balanced, "ev=auth-fail", "user=demo", "rip=2001:db8::1", "reason=password")


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", v2(0, 0, b""), v2(0, 0x11, ENDS), v2(1, 0, b"")],
                         ids=["unknown", "local", "local-with-address", "unspecified"])
def test_the_balancers_own_connections(balanced, header):
    with proxied(balanced, header) as client:
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
    wait_for_log(balanced, "ev=login", "rip=127.0.0.1")


@pytest.mark.parametrize("header", [
    b"a LOGIN demo x\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n", b"PROXY TCP4" + b" " * 200,
    v2(2, 0x11, ENDS), v2(1, 0x12, ENDS), v2(1, 0x11, ENDS[:-1]), SIGNATURE + b"\x21\x11\xff\xff"])
def test_malformed_headers_are_closed(balanced, header):
    with socket.create_connection(("127.0.0.1", balanced.imap_port), lib.LIMIT_S) as plain:
        plain.sendall(header)
        try:
            assert plain.recv(1) == b""
        except ConnectionResetError:
            pass
    wait_for_log(balanced, "proxy-refused", "not a PROXY header")
    with proxied(balanced, V1) as client:
        client.ok(b"NOOP")


def test_nobody_else_can_forge_an_address(balanced):
    reload(balanced, f"listen imap 127.0.0.1:{balanced.imap_port} proxy", "proxy-trusted 192.0.2.0/24")
    with socket.create_connection(("127.0.0.1", balanced.imap_port), lib.LIMIT_S) as plain:
        try:
            plain.sendall(V1)
            assert plain.recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            pass
    wait_for_log(balanced, "proxy-refused", "not in proxy-trusted")
    # Where no header is asked for, it is no command.
    reload(balanced, f"listen imap 127.0.0.1:{balanced.imap_port}")
    with lib.Client(balanced.imap_port) as client:
        client.send(V1)
        assert client.line().startswith(b"PROXY BAD") or client.line() == b""
    assert not is_logged(balanced, "rip=192.0.2.77")


def test_limits_go_by_the_clients_address(balanced):
    reload(balanced, f"listen imap 127.0.0.1:{balanced.imap_port} proxy", "proxy-trusted 127.0.0.1",
           "max-connections-per-address 1")
    with proxied(balanced, V1), proxied(balanced, V1.replace(b"2.77", b"2.78")) as other:
        assert other.greeting.startswith(b"* OK")
        assert proxied(balanced, V1).greeting == b"* BYE [LIMIT] Too many connections"


def test_a_header_that_never_comes(balanced):
    reload(balanced, f"listen imap 127.0.0.1:{balanced.imap_port} proxy", "proxy-trusted 127.0.0.1",
           "handshake-timeout 1")
    with socket.create_connection(("127.0.0.1", balanced.imap_port), lib.LIMIT_S) as plain:
        plain.sendall(V1[:10])
        try:
            assert plain.recv(1) == b""
        except ConnectionResetError:    # the rest of it came too late
            pass
    wait_for_log(balanced, "proxy-refused", "no PROXY header")


# Mail for postmaster

def recipient(server, address):
    with server.lmtp() as lmtp:
        lmtp.command(b"MAIL FROM:<>")
        return lmtp.command(b"RCPT TO:<%s>" % address)[-1]


POSTMASTERS = [b"postmaster", b"Postmaster", b"POSTMASTER@example.org", b"postmaster+abuse@example.net",
               b'"postmaster"@example.org']


def test_postmaster(server):
    """RFC 5321 section 4.5.1: somebody gets it, or the reply says what lacks."""
    for address in POSTMASTERS:
        refused = recipient(server, address)
        assert refused.startswith(b"550 5.1.1 ") and b"postmaster" in refused and b"imapd.conf" in refused
    wait_for_log(server, "level=info", "ev=lmtp-refused", "reason=no-postmaster")
    assert recipient(server, b"nobody@example.org") == b"550 5.1.1 No such user here"
    reload(server, "postmaster Demo")
    with server.lmtp() as lmtp:
        for address in POSTMASTERS:
            assert lmtp.deliver(lib.message(1), address)[0].startswith(b"250 ")
    with server.client("demo") as client:
        assert b"* %d EXISTS" % len(POSTMASTERS) in client.ok(b"SELECT INBOX").untagged
    assert recipient(server, b"postmasters").startswith(b"550 ")
    reload(server, "postmaster nobody")
    assert recipient(server, b"postmaster").startswith(b"451 ")
    wait_for_log(server, "level=warning", "ev=postmaster-unknown", "user=nobody")
    server.add_user("postmaster")           # one of this name comes first
    with server.lmtp() as lmtp:
        assert lmtp.deliver(lib.message(1), b"Postmaster@example.org")[0].startswith(b"250 ")
    with server.client("postmaster") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
