"""A started imapd with a folder, ports and users of its own, for one test or many.

The program under test is $IMAPD (default build/imapd); imapctl lies beside it.
"""
import contextlib
import fcntl
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import zlib

import pytest

import responses
from serverlog import ServerLog

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAPD = pathlib.Path(os.environ.get("IMAPD", ROOT / "build/imapd")).resolve()
IMAPCTL = IMAPD.parent / "imapctl"
CORPUS = ROOT.parent / "shared" / "corpus"
PASSWORD = "correct horse battery"
LIMIT_S = 300       # for whatever is waited for: only there to fail a broken test, on the slowest of machines

# What is offered only where it is configured; a limit that no test reaches.
EVERYTHING = ("uidonly yes", "message-limit 1000000")


# Below those that the kernel gives to clients.  A port belongs to the process that locks its octet of this file: a
# server that is started anew finds it free, whatever else is tested on the machine, and wherever its folders are.
PORTS = iter(random.sample(range(20000, 32000), 12000))
OWNED_PORTS = open(f"/tmp/imapd-test-ports-{os.getuid()}", "ab")


def free_port(among=PORTS):
    """A TCP port of 127.0.0.1 that nobody listens on, and that this process alone uses from now on."""
    for port in among:
        with socket.socket() as probe:
            try:
                fcntl.lockf(OWNED_PORTS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free")


def need(program):
    """The path of a program; without it the test is skipped."""
    path = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def certificate(folder):
    """Make a self-signed ECDSA certificate as make run does; returns (certificate, key).

    Its common name is the address: mbsync looks nowhere else for it.
    """
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not cert.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=DNS:localhost,DNS:mail.example.org,IP:127.0.0.1",
             "-keyout", key, "-out", cert], check=True, capture_output=True)
        key.chmod(0o600)
    return cert, key


class Server:
    """`imapd --role=both` in a folder of its own; use as a context manager."""

    role = "both"
    prefix = ()         # of the command line

    def __init__(self, folder=None, settings=(), users=("demo",)):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="imapd-test-"))
        self.is_own_folder = folder is None
        self.cert, self.key = certificate(self.folder)
        self.imap_port, self.imaps_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.control = self.folder / "control"
        self.config = self.folder / "imapd.conf"
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.settings = list(settings)
        self.users = users
        self.process = None
        self.log = ServerLog(self.folder / "log")
        self.write_config()

    @property
    def log_lines(self):
        """All lines that it has written so far."""
        return self.log.lines()

    def write_config(self):
        own = {line.split()[0] for line in self.settings}
        lines = [line for line in self.lines() if line.split()[0] not in own] + self.settings
        self.config.write_text("\n".join(lines) + "\n")

    def lines(self):
        """The configuration, but for the settings of the test."""
        return ["config-version 1", "hostname localhost", f"data-directory {self.data}",
                f"control-socket {self.control}",
                f"listen imap 127.0.0.1:{self.imap_port}", f"listen imaps 127.0.0.1:{self.imaps_port}",
                f"lmtp-listen 127.0.0.1:{self.lmtp_port}",
                f"tls-certificate {self.cert}", f"tls-key {self.key}", "directory sqlite",
                "login-type plain", "max-connections-per-user 2000",
                "max-connections-per-address 5000"]

    def start(self):
        """Start and wait until it says that it is ready; then make the users once."""
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, IMAPD, f"--role={self.role}", f"--config={self.config}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE)
        log.close()
        ready = threading.Event()
        self.log.begin(self.process.stderr, lambda line: ready.set() if " ev=ready" in line else None)
        self.reader = threading.Thread(target=self._read_log, args=(self.process, ready), daemon=True)
        self.reader.start()
        if not ready.wait(LIMIT_S):
            self.kill()
            raise RuntimeError("imapd did not become ready:\n" + "\n".join(self.log_lines))
        if self.process.poll() is not None:
            raise RuntimeError("imapd ended:\n" + "\n".join(self.log_lines))
        for user in self.users:
            self.add_user(user)
        self.users = ()
        return self

    def _read_log(self, process, ready):
        self.log.follow(process.stderr)
        process.wait()		# it has ended, and start() must know
        ready.set()

    def add_user(self, name, password=PASSWORD):
        self.imapctl("user", "add", name, input=password + "\n")

    def imapctl(self, *words, input=None, check=True):
        result = subprocess.run([IMAPCTL, f"--config={self.config}", *map(str, words)],
                                input=input, text=True, capture_output=True, timeout=600)
        if check and result.returncode != 0:
            raise RuntimeError(f"imapctl {words}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def terminate(self):
        """
        As systemd does, with one signal.  The runtime of ThreadSanitizer (GCC 12) forgets one that comes while the program has
        not waited for anything yet, right behind ev=ready: there it is said again.
        """
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2 if IMAPD.parent.name == "tsan" else LIMIT_S)

    def stop(self):
        """End it and return the exit status."""
        if self.process is None:
            return None
        self.terminate()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise RuntimeError("imapd did not end on SIGTERM:\n" + "\n".join(self.log_lines[-50:]))
        self.reader.join(LIMIT_S)
        status, self.process = self.process.returncode, None
        return status

    def kill(self):
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.reader.join(LIMIT_S)
            self.process = None

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def check_log(self):
        """No sanitizer report, no assertion, no event that means a bug."""
        text = "\n".join(self.log_lines)
        for sign in ("Sanitizer", "runtime error:", "Assertion", "loop-would-block"):
            assert sign not in text, text[max(text.index(sign) - 5000, 0):][:20000]

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        try:
            status = self.stop()
            self.check_log()
            if error[0] is None:
                assert status in (0, None), f"exit status {status}\n" + "\n".join(self.log_lines[-50:])
        finally:
            self.kill()
            if self.is_own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, user=None, tls=False, password=PASSWORD, address=None):
        client = Client(self.imaps_port if tls else self.imap_port, tls, address=address)
        if user is not None:
            client.ok(b'LOGIN %s "%s"' % (user.encode(), password.encode()))
        return client

    def lmtp(self):
        return Lmtp(self.lmtp_port)


class Deflated:
    """A connected socket behind RFC 4978: what a Client uses of a socket and of its file.  Plain again behind its end."""

    def __init__(self, below, flush=zlib.Z_SYNC_FLUSH):
        self.below, self.flush = below, flush
        self.out, self.into = zlib.compressobj(1, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.octets_in = 0
        self.waiting = b""

    def sendall(self, octets):
        self.below.sendall(self.out.compress(octets) + self.out.flush(self.flush) if self.out else octets)

    def send_last(self, octets, flush, behind=b""):
        """The end of what is deflated, and plain octets in the same packet."""
        self.below.sendall(self.out.compress(octets) + self.out.flush(flush) + behind)
        self.out = None

    def fill(self):
        octets = self.below.recv(65536)
        self.octets_in += len(octets)
        if self.into.eof:
            self.waiting += octets
        else:
            self.waiting += self.into.decompress(octets)
            self.waiting += self.into.unused_data
        return octets != b""

    def recv(self, size):
        if not self.waiting:
            self.fill()
        return self.take(min(size, len(self.waiting)))

    def readline(self):
        while b"\n" not in self.waiting and self.fill():
            pass
        end = self.waiting.find(b"\n") + 1 or len(self.waiting)
        return self.take(end)

    def read(self, size=None):
        while (size is None or len(self.waiting) < size) and self.fill():
            pass
        return self.take(len(self.waiting) if size is None else size)

    def take(self, size):
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken

    def close(self):
        self.below.close()


class Reply:
    """All lines of one command: untagged ones as octets (literals inside), then the tagged one."""

    def __init__(self, untagged, tagged):
        self.untagged, self.tagged = untagged, tagged

    @property
    def is_ok(self):
        return self.tagged.split(b" ", 2)[1] == b"OK"

    def __repr__(self):
        return f"Reply({self.untagged!r}, {self.tagged!r})"


class Client:
    """A plain IMAP client that hides nothing: octets in, octets out.  Each reply must be what the grammar allows."""

    def __init__(self, port, tls=False, timeout=LIMIT_S, address=None):
        """From an address of its own, such as 127.0.5.1, whose failures to log in are nobody else's."""
        source = (address, 0) if address else None
        self.attach(socket.create_connection(("127.0.0.1", port), timeout, source), responses.Checker())
        if tls:
            self.start_tls()
        self.greeting = self.line()

    def attach(self, connected, checker=None):
        """Begin on a socket whose greeting is still to be read; without a checker replies may be anything."""
        self.socket, self.checker, self.count, self.has_ended = connected, checker, 0, False
        self.file = self.socket.makefile("rb")
        return self

    @classmethod
    def unread(cls, connected, checker=None):
        """A client that has not read the greeting."""
        return cls.__new__(cls).attach(connected, checker)

    def start_tls(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.file = self.socket.makefile("rb")

    def start_deflate(self, flush=zlib.Z_SYNC_FLUSH):
        """COMPRESS DEFLATE, and all that follows by it."""
        self.ok(b"COMPRESS DEFLATE")
        self.file = self.socket = Deflated(self.socket, flush)
        return self

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        """One response, literals included, without its CRLF; empty at the end of the connection, and EOFError behind it."""
        if self.has_ended:
            raise EOFError("nothing more comes")
        parts = []
        while True:
            line = self.file.readline()
            parts.append(line)
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if not literal:
                break
            parts.append(self.file.read(int(literal[1])))
        whole = b"".join(parts)
        if not whole.endswith(b"\r\n"):
            self.has_ended = True
            return whole
        if self.checker:
            self.checker.check(whole[:-2])
        return whole[:-2]

    def tag(self):
        self.count += 1
        return b"t%d" % self.count

    def reply(self, tag):
        untagged = []
        while True:
            line = self.line()
            if line == b"":
                raise EOFError(f"connection ended after {untagged!r}")
            if line.startswith(tag + b" "):
                return Reply(untagged, line)
            untagged.append(line)

    def command(self, command, *literals):
        """Send a command; each `{}` in it is a literal of the arguments, sent as LITERAL+."""
        tag = self.tag()
        pieces = command.split(b"{}")
        out = [tag, b" ", pieces[0]]
        for literal, piece in zip(literals, pieces[1:]):
            out += [b"{%d+}\r\n" % len(literal), literal, piece]
        out.append(b"\r\n")
        self.send(b"".join(out))
        return self.reply(tag)

    def ok(self, command, *literals):
        reply = self.command(command, *literals)
        assert reply.is_ok, reply
        return reply

    def append(self, mailbox, message, flags=b"", date=b""):
        words = b"APPEND " + mailbox + (b" (" + flags + b")" if flags else b"")
        return self.command(words + (b' "' + date + b'"' if date else b"") + b" {}", message)

    def fetch_body(self, number, item=b"BODY.PEEK[]", uid=False):
        """The octets of one literal or quoted string of one message."""
        reply = self.ok((b"UID " if uid else b"") + b"FETCH %d %s" % (number, item))
        for line in reply.untagged:
            found = re.search(rb"\{(\d+)\}\r\n", line)
            if found:
                return line[found.end():found.end() + int(found[1])]
            found = re.search(rb'\] "((?:[^"\\]|\\.)*)"', line)
            if found:
                return re.sub(rb"\\(.)", rb"\1", found[1])
        raise AssertionError(reply)

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Lmtp:
    """An LMTP client (RFC 2033)."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()
        self.extensions = self.command(b"LHLO test")

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if line == b"":
                raise EOFError(lines)
            lines.append(line.rstrip(b"\r\n"))
            if line[3:4] != b"-":
                return lines

    def command(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.reply()

    def deliver(self, message, *recipients, sender=b"sender@example.org"):
        """Hand over one message; returns the reply lines, one for each accepted recipient."""
        return self.hand_over(message, self.address(*recipients, sender=sender))

    def address(self, *recipients, sender=b"sender@example.org"):
        """Say from whom the next message is and for whom; returns how many recipients were accepted."""
        self.command(b"MAIL FROM:<%s>" % sender)
        return sum(self.command(b"RCPT TO:<%s>" % recipient)[-1].startswith(b"250") for recipient in recipients)

    def hand_over(self, message, accepted):
        """Send the message itself; returns the reply lines for so many recipients."""
        assert self.command(b"DATA")[-1].startswith(b"354")
        stuffed = re.sub(rb"(^|\r\n)\.", rb"\1..", message)
        if not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        self.socket.sendall(stuffed + b".\r\n")
        return [self.reply()[-1] for _ in range(accepted)]

    def deliver_chunk(self, message, *recipients):
        """As deliver(), by BDAT: the message needs no line end at its end."""
        self.command(b"MAIL FROM:<sender@example.org>")
        accepted = 0
        for recipient in recipients:
            accepted += self.command(b"RCPT TO:<%s>" % recipient)[-1].startswith(b"250")
        self.socket.sendall(b"BDAT %d LAST\r\n" % len(message) + message)
        return [self.reply()[-1] for _ in range(accepted)]

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def message(number=1, body=b"Hello.\r\n", extra=b""):
    """A small message of our own."""
    return (b"From: Ada <ada@example.org>\r\nTo: Demo <demo@example.org>\r\n"
            b"Subject: message %d\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
            b"Message-ID: <m%d@example.org>\r\n" % (number, number)) + extra + b"\r\n" + body


PRINTABLE = bytes(33 + octet % 94 for octet in range(256))


def noise(seed, length):
    """Lines of about so many octets in all that nobody makes shorter by a fifth."""
    order = random.Random(seed)
    return b"".join(b" " + order.randbytes(247).translate(PRINTABLE) + b"\r\n" for _ in range(length // 250))


TRACE = re.compile(
    rb"Return-Path: <(?P<sender>[^\r\n]*)>\r\nDelivered-To: (?P<recipient>[^\r\n]+)\r\n"
    rb"Received: from (?P<client>\S+)(?: \(\[(?P<address>[^]\r\n]+)\]\))?\r\n"
    rb"\tby (?P<host>\S+) with (?P<protocol>LMTP|UTF8LMTP) id (?P<sid>[0-9a-f]{12})\r\n"
    rb"\tfor <(?P=recipient)>;\r\n\t(?P<date>[^\r\n]+)\r\n")


def delivered(stored):
    """A message that came by LMTP: (a match of its trace fields, what stands behind them)."""
    trace = TRACE.match(stored)
    assert trace, stored[:500]
    return trace, stored[trace.end():]


def as_delivered(letter):
    """What must stand behind the trace fields: no Return-Path, and text without a header is a body."""
    end = re.search(rb"^\r?\n", letter, re.M)
    header, rest = (letter[:end.start()], letter[end.start():]) if end else (letter, b"")
    fields = [field for field in re.split(rb"(?<=\n)(?![ \t])", header)
              if field and not re.match(rb"return-path[ \t]*:", field, re.I)]
    has_header = any(re.match(rb"[!-9;-~]+[ \t]*:", field) for field in fields)
    is_body = not has_header and (fields or not end)
    return (b"\r\n" if is_body else b"") + b"".join(fields) + rest


def freeze(process):
    """Stop a program in all its threads: until the signal has reached the last one, others go on working."""
    process.send_signal(signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    wait_until(lambda: all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()))


def thaw(process):
    process.send_signal(signal.SIGCONT)


def wait_until(question, seconds=LIMIT_S):
    """Ask again until the answer is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")
