"""Who must not get in at the link's port, and what a mailbox server that is none gets to hear."""
import base64
import contextlib
import json
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

import server as lib
import split

pytestmark = pytest.mark.skipif(not split.is_possible(), reason="network namespaces need root and iproute2")


@pytest.fixture(scope="module")
def pair():
    with split.SplitServer() as running:
        running.add_user("alice")
        split.routes[running.mailboxes[0].link_port] = (running.middle, running.mailboxes[0].wire.far_address)
        yield running
        del split.routes[running.mailboxes[0].link_port]


def key_of(pair):
    text = pair.link_key.read_text()
    return re.search(r"^name (\S+)$", text, re.M)[1], re.search(r"^key (\S+)$", text, re.M)[1]


def refusals(pair):
    return [line for line in pair.mailboxes[0].log_lines if "ev=link-refused" in line]


def openssl(pair, identity, key, said):
    """Speak to the port as the program does that everybody has."""
    host = pair.mailboxes[0]
    done = subprocess.run(
        ["ip", "netns", "exec", pair.middle.name, "openssl", "s_client", "-quiet", "-ign_eof", "-tls1_2",
         "-psk_identity", identity, "-psk", key, "-cipher", "ECDHE-PSK-CHACHA20-POLY1305",
         "-connect", f"{host.wire.far_address}:{host.link_port}"],
        input=said, capture_output=True, timeout=lib.LIMIT_S)
    return done.stdout


def expect_refusal(pair, before):
    lib.wait_until(lambda: len(refusals(pair)) > before)
    line = refusals(pair)[-1]
    assert f"rip={pair.mailboxes[0].wire.near_address} " in line and "reason=" in line
    return line


def test_right_key(pair):
    """The port can be tried by hand: it greets, and speaks IMAP."""
    name, key = key_of(pair)
    out = openssl(pair, f"cas/{name}", key, b"a NOOP\r\nb LOGOUT\r\n")
    assert out.startswith(b"* OK [CAPABILITY") and b"a OK" in out and b"b OK" in out


@pytest.mark.parametrize("identity", ["cas/{name}", "{name}", "mailbox/{name}", "cas/other", "x" * 128])
def test_wrong_key_or_role(pair, identity):
    before = len(refusals(pair))
    name, key = key_of(pair)
    wrong = "00" * 32 if identity == "cas/{name}" else key
    assert openssl(pair, identity.format(name=name), wrong, b"a NOOP\r\n") == b""
    expect_refusal(pair, before)


def pages_of_a_user():
    """A user's file as moves carry it, page by page, each behind its number."""
    with lib.Server(users=("zoe",)) as server:
        server.client("zoe").ok(b"CREATE box")
        server.stop()
        (path,) = (server.folder / "data/data").glob("*/*/mail.db")
        octets = path.read_bytes()
    return [(number + 1).to_bytes(4, "big") + octets[number * 4096:(number + 1) * 4096] for number in range(len(octets) // 4096)]


def test_no_page_comes_behind_the_last(pair):
    """Who moves a user here says when the file is whole; from then on it is the user's, and nobody writes pages to it."""
    name, key = key_of(pair)
    pages = pages_of_a_user()
    wish = b"\0in\0zoe\0" + b"1" * 32 + b"\0%d\0%d" % (schema_now(), len(pages) * 4096)
    data = b"".join(b"data %d\r\n" % len(page) + page for page in pages)
    out = openssl(pair, f"cas/{name}", key, b"L2 AUTHENTICATE X-IMAPD-MOVE " + base64.b64encode(wish) + b"\r\n" + data +
                  b"prepare %d \r\n" % len(pages) + b"data %d\r\n" % len(pages[-1]) + pages[-1])
    assert re.search(rb"^L2 OK", out, re.M) and re.search(rb"^ok.*\nprepared\r?\nno ", out, re.M), out


def schema_now():
    return max(int(path.name.split(".")[1]) for path in (lib.ROOT / "schema").glob("mail.*.sql"))


def order_move(pair, wish, said=b""):
    """What somebody with the key says to a mailbox server in the place of a cas that moves users, and is told behind the OK."""
    name, key = key_of(pair)
    out = openssl(pair, f"cas/{name}", key, b"L2 AUTHENTICATE X-IMAPD-MOVE " + base64.b64encode(wish) + b"\r\n" + said)
    return out.partition(b"L2 OK")[2].partition(b"\n")[2]


ID = b"0123456789abcdef" * 2
PAGE = b"\0" * 4096
LIES = [b"in", b"\0in", b"\0in\0x\0" + ID[1:], b"\0in\0x\0" + b"g" * 32, b"\0in\0a b\0" + ID, b"\0in\0\0" + ID, b"\0up\0x\0" + ID,
        b"\0in\0x\0" + ID, b"\0in\0x\0" + ID + b"\0-1\0000", b"\0in\0x\0" + ID + b"\0999999\0001", b"\0in\0x\0" + ID + b"\0001\000" + b"9" * 18,
        b"\0out\0nobody\0" + ID, b"\0" * 100, b"\0in\0x\0" + ID + b"\0" * 9]
BEHIND_OK = [b"prepare 1 \r\n", b"prepare 0 \r\n", b"prepare 4294967295 \r\n", b"prepare 99999999999 \r\n", b"prepare 1 !!!\r\n", b"prepare\r\n",
             b"data 0\r\n", b"data 5\r\n", b"data -4100\r\n", b"data 999999999999\r\n", b"data 4100\r\n\0\0\0\0" + PAGE,
             b"data 4100\r\n\xff\xff\xff\xff" + PAGE, b"data 4100\r\n\0\0\0\1" + PAGE + b"prepare 1 \r\n", b"copy\r\n", b"\r\n", b"yield x\r\n"]


def test_lies_about_moves(pair):
    """Who has the key is believed in what users are, and harms nobody else by what makes no sense."""
    with pair.client("alice") as client:
        assert client.append(b"INBOX", lib.message(1)).is_ok
    for lie in LIES:
        assert order_move(pair, lie).startswith(b"no "), lie
    assert order_move(pair, b"\0drop\0x\0" + ID) == b"done\r\n"
    for number, said in enumerate(BEHIND_OK):
        wish = b"\0in\0liar%d\0" % number + ID + b"\0%d\0004096" % schema_now()
        told = order_move(pair, wish, said + b"nonsense\r\n").splitlines()
        assert told[0] == b"ok" and told[1].startswith(b"no "), (said, told)
        assert order_move(pair, b"\0drop\0liar%d\0" % number + ID) == b"done\r\n"
    assert order_move(pair, b"\0in\0long\0" + ID + b"\0%d\0001" % schema_now(), b"x" * 100000) == b"ok\r\nno the line is too long\r\n"
    assert order_move(pair, b"\0drop\0long\0" + ID) == b"done\r\n"


def test_lies_about_somebody_who_is_there(pair):
    """No verdict counts of a move that nobody has begun, and none that has begun goes on by itself."""
    for verdict in (b"gone", b"stay", b"adopt", b"drop"):
        assert order_move(pair, b"\0" + verdict + b"\0alice\0" + ID)[:3] in (b"don", b"no ")
    for said in (b"freeze\r\n", b"yield x\r\n", b"copy\r\nyield x\r\n", b"copy\r\nfreeze\r\n", b"x" * 100000):
        order_move(pair, b"\0out\0alice\0" + ID, said + b"nonsense\r\n")	# behind which the server hangs up
    pages = pages_of_a_user()
    data = b"".join(b"data %d\r\n" % len(page) + page for page in pages) + b"prepare %d \r\n" % len(pages)
    assert b"prepared" not in order_move(pair, b"\0in\0alice\0" + ID + b"\0%d\0%d" % (schema_now(), 4096 * len(pages)), data)
    assert order_move(pair, b"\0drop\0alice\0" + ID) == b"done\r\n"
    (hers,) = [row["mailbox-id"].encode() for row in json.loads(pair.mailboxes[0].imapctl("--json", "user", "list").stdout)["user"]
               if row["name"] == "alice"]
    assert order_move(pair, b"\0in\0bob\0" + hers + b"\0%d\0004096" % schema_now()).startswith(b"no ")	# nobody arrives there
    with pair.client("alice") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged
        client.ok(b"STORE 1 +FLAGS (\\Seen)")


def test_without_key(pair):
    before = len(refusals(pair))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", pair.mailboxes[0].link_port), lib.LIMIT_S) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain)
    expect_refusal(pair, before)


@pytest.mark.parametrize("said", [b"a NOOP\r\n", b"L1 ID NIL\r\nL2 AUTHENTICATE EXTERNAL YWxpY2U=\r\n", b"\0" * 5000,
                                  b"\x16\x03\x01\xff\xff" + b"\x01" * 300, b"GET / HTTP/1.0\r\n\r\n"])
def test_plaintext(pair, said):
    """Not an octet of IMAP is said to who does not speak TLS."""
    before = len(refusals(pair))
    with socket.create_connection(("127.0.0.1", pair.mailboxes[0].link_port), lib.LIMIT_S) as plain:
        plain.sendall(said)
        plain.shutdown(socket.SHUT_WR)
        heard = b""
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(4096):
                heard += piece
    assert b"OK" not in heard and b"IMAP" not in heard and len(heard) <= 64
    expect_refusal(pair, before)


def test_silent_strangers_go(pair):
    """A handshake that is not begun ends after a while, and meanwhile disturbs nobody."""
    before = len(refusals(pair))
    strangers = [socket.create_connection(("127.0.0.1", pair.mailboxes[0].link_port), lib.LIMIT_S) for _ in range(50)]
    with pair.client("alice") as client:
        client.ok(b"NOOP")
    for stranger in strangers:
        assert stranger.recv(1) == b""
        stranger.close()
    lib.wait_until(lambda: len(refusals(pair)) >= before + 50)
    assert len(refusals(pair)) == before + 50


class Tap:
    """Stands between cas and mailbox server and keeps what the cas says."""

    def __init__(self, pair):
        self.pair, self.said = pair, []
        with pair.middle.inside():
            self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.pair.mailboxes[0].link_port), lib.LIMIT_S)
                self.said.append([])
                threading.Thread(target=self.relay, args=(near, far, self.said[-1]), daemon=True).start()

    @staticmethod
    def relay(near, far, said):
        with contextlib.suppress(OSError), near, far:
            while True:
                for side in select.select([near, far], [], [])[0]:
                    octets = side.recv(65536)
                    if not octets:
                        return
                    if side is near:
                        said.append(octets)
                    (far if side is near else near).sendall(octets)


def start_cas(pair, port, name):
    """Another cas beside the first, whose mailbox server is somewhere else."""
    folder = pair.folder / f"{name}-{next(split.numbers)}"
    host = split.CasHost(pair, pair.middle, pair.wire, folder, [
        f"mailbox-server mbx1 127.0.0.1:{port}", "link-timeout 4"])
    host.start()
    split.routes[host.imap_port] = (pair.clients, pair.wire.far_address)
    return host


def test_replay(pair):
    """What a cas has said, said again: random octets of both ends are in every key, so it opens nothing."""
    tap = Tap(pair)
    cas = start_cas(pair, tap.port, "cas-tapped")
    try:
        lib.wait_until(lambda: any("ev=link-up" in line for line in cas.log_lines))
        for _ in range(2):
            cas.client("alice").close()
    finally:
        cas.stop()
        tap.listener.close()
    logins = len([line for line in pair.mailboxes[0].log_lines if "ev=login " in line])
    assert len(tap.said) >= 3
    for said in tap.said:
        assert b"alice" not in b"".join(said) and lib.PASSWORD.encode() not in b"".join(said)
        before = len(refusals(pair))
        with socket.create_connection(("127.0.0.1", pair.mailboxes[0].link_port), lib.LIMIT_S) as again:
            with contextlib.suppress(ConnectionError):
                again.sendall(b"".join(said))
                while again.recv(65536):
                    pass
        expect_refusal(pair, before)
    assert len([line for line in pair.mailboxes[0].log_lines if "ev=login " in line]) == logins


@pytest.mark.parametrize("greeting", [b"* PREAUTH welcome\r\nL2 OK in\r\n", b"* OK ready\r\nL1 OK\r\nL2 OK in\r\n",
                                      b"220 smtp\r\n", b""])
def test_false_mailbox_server(pair, greeting):
    """A server that cannot prove itself hears no name and no password, whatever it says (QUALITY T03)."""
    heard = []
    with pair.middle.inside():
        listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                near.settimeout(10)
                with contextlib.suppress(OSError), near:
                    near.sendall(greeting)
                    while piece := near.recv(4096):
                        heard.append(piece)
    threading.Thread(target=serve, daemon=True).start()
    cas = start_cas(pair, listener.getsockname()[1], "cas-false")
    try:
        with cas.client() as client:
            answer = client.command(b'LOGIN alice "%s"' % lib.PASSWORD.encode())
            assert b"NO [UNAVAILABLE]" in answer.tagged
        lib.wait_until(lambda: any("ev=link-down" in line for line in cas.log_lines))
    finally:
        cas.stop()
        listener.close()
    everything = b"".join(heard)
    assert b"alice" not in everything and b"AUTHENTICATE" not in everything and b"horse" not in everything


def test_two_cas(pair):
    """A cas that is sent to another cas by mistake finds no mailbox server there."""
    cas = start_cas(pair, pair.cas.imaps_port, "cas-to-cas")
    try:
        lib.wait_until(lambda: any("ev=link-down" in line for line in cas.log_lines))
        with cas.client() as client:
            answer = client.command(b'LOGIN alice "%s"' % lib.PASSWORD.encode())
            assert b"NO [UNAVAILABLE]" in answer.tagged
    finally:
        cas.stop()


def test_key_file(pair, tmp_path):
    """Who could read the key could read everybody's mail."""
    key = tmp_path / "link.key"
    assert subprocess.run([lib.IMAPCTL, "link-key", key], capture_output=True).returncode == 0
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_text()
    again = subprocess.run([lib.IMAPCTL, "link-key", key], capture_output=True, text=True)
    assert again.returncode == 73 and "never overwritten" in again.stderr and key.read_text() == text
    config = tmp_path / "imapd.conf"

    def check():
        config.write_text(f"data-directory {tmp_path}\ncontrol-socket {tmp_path}/control\nlink-key {key}\n"
                          "link-listen 127.0.0.1:0\n")
        return subprocess.run([lib.IMAPD, "--role=mailbox", "--check-config", f"--config={config}"], capture_output=True,
                              text=True)
    assert check().returncode == 0, check()
    key.chmod(0o640)
    assert check().returncode == 78 and "chmod 600" in check().stderr
    key.chmod(0o600)
    os.chown(key, 65534, 0)
    assert check().returncode == 78 and "somebody else" in check().stderr
    shutil.chown(key, 0)
    key.write_text("key 1234\n")
    broken = subprocess.run([lib.IMAPD, "--role=mailbox", f"--config={config}"], capture_output=True, text=True, timeout=lib.LIMIT_S)
    assert broken.returncode != 0 and "not a key" in broken.stderr
