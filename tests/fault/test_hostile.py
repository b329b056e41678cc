"""Hostile clients: a BAD, NO or BYE, flat memory, other sessions undisturbed."""
import os
import random
import socket
import ssl

import pytest

import server as lib


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("victim", "mallory"), settings=["login-type plain"]) as running:
        yield running


@pytest.fixture(autouse=True)
def others_are_undisturbed(server):
    """Around each attack: a session that was there before still works, and memory is flat."""
    with server.client("victim") as bystander:
        bystander.ok(b"SELECT INBOX")
        before = server.rss_kib()
        yield
        bystander.ok(b"NOOP")
        is_sanitized = "asan" in str(lib.IMAPD) or "tsan" in str(lib.IMAPD)
        assert is_sanitized or server.rss_kib() - before < 32 * 1024


def raw(server, octets, user=None, timeout=lib.LIMIT_S):
    """Send octets and read until the server closes or goes quiet; whoever is still sending is not reset, but hears why."""
    client = server.client(user)
    client.socket.settimeout(timeout)
    try:
        client.send(octets)
        client.send(b"\r\nzz LOGOUT\r\n")
        out = b""
        while True:
            line = client.file.readline()
            out += line
            if line == b"" or line.startswith(b"zz "):
                return out
    finally:
        client.close()


REFUSED = (b"BAD", b"BYE", b"NO ")
ATTACKS = {
    "literal of 4 GiB": b"a LOGIN {4294967295}\r\n",
    "literal of 4 GiB, non-synchronizing": b"a LOGIN {4294967295+}\r\n",
    "literal beyond 64 bit": b"a LOGIN {99999999999999999999999}\r\n",
    "negative literal": b"a LOGIN {-1}\r\n",
    "unterminated quoted string": b'a LOGIN "' + b"x" * 100000,
    "10^5 parentheses": b"a NOOP " + b"(" * 100000,
    "10^5 closing parentheses": b"a NOOP " + b")" * 100000,
    "a line of 1 MiB": b"a " + b"x" * (1 << 20),
    "a tag of 1 MiB": b"x" * (1 << 20),
    "NUL octets": b"a LOGIN \0 \0",
    "a bare CR": b"a NOOP\rb NOOP",
    "8-bit tag": b"\xff\xfe NOOP",
    "HTTP": b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\na LOGIN x y",
    "a TLS hello": bytes.fromhex("16030100800100007c0303") + os.urandom(120),
    "many small literals": b"a LOGIN " + b"{1+}\r\nx" * 20000,
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("user", [None, "mallory"], ids=["before login", "after login"])
def test_attack(server, name, user):
    out = raw(server, ATTACKS[name], user)
    # What is no IMAP at all (HTTP, TLS) may also be hung up on without a word.
    assert any(word in out for word in REFUSED) or (out == b"" and name in ("HTTP", "a TLS hello")), out[:500]
    assert len(out) < 100000


AFTER_LOGIN = {
    "deep SEARCH": b"a SEARCH " + b"(" * 5000 + b"ALL" + b")" * 5000,
    "NOT NOT NOT": b"a SEARCH " + b"NOT " * 15000 + b"ALL",
    "SEARCH with 10^5 literals": b"a SEARCH " + b"SUBJECT {1+}\r\nx " * 100000 + b"ALL",
    "FETCH of 10^5 header names": b"a FETCH 1 BODY[HEADER.FIELDS (" + b"X " * 100000 + b"X)]",
    "APPEND of 4 GiB": b"a APPEND INBOX {4294967295}\r\n",
    "APPEND of 4 GiB, non-synchronizing": b"a APPEND INBOX {4294967295+}\r\n",
    "sequence set of 10^5 ranges": b"a FETCH " + b",".join(b"%d:%d" % (n, n + 1) for n in range(1, 20000, 3)) + b" FLAGS",
    "partial beyond everything": b"a FETCH 1 BODY[]<4294967296.4294967296>",
    "mailbox of 10^4 octets": b'a CREATE "' + b"x" * 10000 + b'"',
    "mailbox of 1000 levels": b'a CREATE "' + b"x/" * 1000 + b'y"',
    "mailbox with NUL in modified UTF-7": b"a CREATE &AAA-",
    "LIST of wildcards": b'a LIST "" "' + b"*%" * 2000 + b'x"',
}


@pytest.mark.parametrize("name", AFTER_LOGIN)
def test_attack_after_login(server, name):
    with server.client("mallory") as client:
        client.ok(b"SELECT INBOX")
    out = raw(server, b"s SELECT INBOX\r\n" + AFTER_LOGIN[name], "mallory")
    answer = out[out.index(b"s OK"):]
    assert b"\na " in answer or b"BYE" in answer or b"BAD" in answer, out[-500:]
    if "sequence" not in name and "LIST" not in name and "partial" not in name:
        assert any(word in answer for word in REFUSED), out[-500:]


@pytest.mark.parametrize("injected", [
    b"a STARTTLS\r\nb NOOP\r\n", b"a STARTTLS\r\nb LOGIN victim x\r\n", b"a STARTTLS\nb NOOP\n",
    b"a STARTTLS \r\nb NOOP\r\n", b"a STARTTLS\r\n" + b"x" * (1 << 20), b"a STARTTLS\r\nb LOGIN {5+}\r\nvic",
])
def test_plaintext_behind_starttls_is_never_answered(server, injected):
    """RFC 9051 section 6.2.1: it is thrown away, or spoils the handshake where it came too late for that."""
    with server.client() as client:
        try:
            client.send(injected)
            assert client.line().startswith(b"a OK")
            client.start_tls()
            client.send(b"c NOOP\r\n")
            assert client.reply(b"c").untagged == []
        except (OSError, EOFError):     # no handshake (ssl.SSLError is an OSError), and the connection is closed
            pass


def test_state_before_tls_is_forgotten(server):
    client = server.client()
    client.ok(b"STARTTLS")
    client.start_tls()
    capability = client.ok(b"CAPABILITY").untagged[0]
    assert b"STARTTLS" not in capability and b"LOGINDISABLED" not in capability
    assert client.command(b"STARTTLS").tagged.split()[1] == b"BAD"
    client.close()


def test_login_is_refused_before_tls_by_default():
    with lib.Server(settings=["login-type secure"]) as server:
        client = server.client()
        assert b"LOGINDISABLED" in client.ok(b"CAPABILITY").untagged[0]
        assert b"AUTH=" not in client.ok(b"CAPABILITY").untagged[0]
        reply = client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert b"NO [PRIVACYREQUIRED]" in reply.tagged
        assert not client.command(b"AUTHENTICATE PLAIN AGRlbW8AeA==").is_ok
        client.close()


def test_commands_split_at_every_octet(server):
    script = (b'a1 LOGIN mallory "%s"\r\na2 SELECT INBOX\r\na3 APPEND INBOX (\\Seen) {%d+}\r\n%s\r\n'
              b"a4 UID SEARCH RETURN (COUNT) NOT DELETED\r\na5 LOGOUT\r\n")
    letter = lib.message(7)
    script = script % (lib.PASSWORD.encode(), len(letter), letter)
    client = server.client()
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in script:
        client.send(bytes([octet]))
    for tag in (b"a1", b"a2", b"a3", b"a4", b"a5"):
        assert client.reply(tag).is_ok
    client.close()


def test_abandoned_uploads_leave_nothing(server):
    for size in (10, 1000, 300000, 3000000):
        client = server.client("mallory")
        client.send(b"a APPEND INBOX {%d+}\r\n" % (size * 2) + b"x" * size)
        client.close()
    with server.client("mallory") as client:
        client.ok(b"SELECT INBOX")
        assert not [name for name in server.data.rglob("*") if "spool" in name.name and name.is_file()]


def test_random_noise(server):
    """A thousand connections of random octets from the alphabet that hurts parsers."""
    rng = random.Random(1)
    alphabet = [b"(", b")", b"{", b"}", b"[", b"]", b'"', b"\\", b"<", b">", b" ", b"\r\n", b"a", b"1", b"+",
                b"*", b"\0", b"\xff", b"LOGIN ", b"FETCH ", b"{3}\r\n", b"{3+}\r\n", b"APPEND "]
    for number in range(300):
        client = server.client("mallory" if number % 2 else None)
        client.socket.settimeout(0.2)
        try:
            client.send(b"".join(rng.choice(alphabet) for _ in range(rng.randint(1, 500))))
        except OSError:
            pass
        client.close()


def test_slow_reader_holds_little(server):
    """A client that asks for much and reads nothing: its output waits in the store, not in memory."""
    letter = lib.message(1, b"x" * 70 + b"\r\n" + b"y" * 70 + b"\r\n" * 20000)
    with server.client("mallory") as writer:
        writer.ok(b"CREATE big")
        for _ in range(50):
            assert writer.append(b"big", letter).is_ok
    before = server.rss_kib()
    sleepers = []
    for _ in range(12):
        client = server.client("mallory")
        client.ok(b"SELECT big")
        client.send(b"".join(b"x%d FETCH 1:* BODY.PEEK[]\r\n" % n for n in range(50)))
        sleepers.append(client)
    with server.client("victim") as other:
        for _ in range(50):
            other.ok(b"NOOP")
    grown = server.rss_kib() - before
    for client in sleepers:
        client.close()
    assert "san" in lib.IMAPD.parent.name or grown < 24 * 1024, f"{grown} KiB for 12 slow readers"


def test_half_handshakes_do_not_hold_up_others(server):
    halves = []
    for _ in range(200):
        half = socket.create_connection(("127.0.0.1", server.imaps_port))
        half.sendall(bytes.fromhex("1603010080010000"))
        halves.append(half)
    with server.client("victim", tls=True) as client:
        client.ok(b"NOOP")
    for half in halves:
        half.close()


def test_wrong_passwords_do_not_stop_the_right_one(server):
    guessers = [server.client() for _ in range(10)]
    for guesser in guessers:
        guesser.send(b"a LOGIN victim wrong\r\n")
    with server.client("victim") as client:
        client.ok(b"NOOP")
    for guesser in guessers:
        guesser.close()


def test_no_secret_in_the_log(server):
    commands = (b"LOGIN victim planted-secret", b'LOGIN "victim" {14+}\r\nplanted-secret', b"LOGIN planted-secret",
                b"AUTHENTICATE PLAIN AHZpY3RpbQBwbGFudGVkLXNlY3JldA==")
    clients = [server.client() for _ in commands]
    for client, command in zip(clients, commands):
        client.send(b"a " + command + b"\r\n")
    for client in clients:	# in parallel, because each failure delays the next answer
        assert client.reply(b"a").tagged.split()[1] in (b"NO", b"BAD")
        client.close()
    log = (server.folder / "log").read_text(errors="replace")
    assert "planted-secret" not in log and "AHZpY3RpbQ" not in log and lib.PASSWORD not in log


def test_alpn_without_imap_is_refused(server):
    """ALPACA: a browser's connection ends before a word is said."""
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_connection(("127.0.0.1", server.imaps_port)) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain).recv(10)
