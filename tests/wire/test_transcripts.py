"""Runs the transcripts of this folder (*.imap, *.lmtp) against a started server.

  C: text        the client sends the line and CRLF
  C| text        the client sends the text as it is; \\r \\n \\t \\0 \\\\ \\xHH are escapes
  S: text        the server's next line is this; `…` stands for any octets, ${name} remembers or
                 repeats what stood there
  S* text        among the lines up to the next S: one must match, in any order
  =name          what follows is a second, third connection; it is opened at its first use
  !close         the server has closed the connection
  !tls           both sides start TLS now

A new user is made for each transcript; $USER and $PASSWORD stand for it, $PLAIN for both as PLAIN sends them.
"""
import base64
import pathlib
import re

import pytest

import responses
import server as lib

FOLDER = pathlib.Path(__file__).parent
FILES = sorted([*FOLDER.glob("*.imap"), *FOLDER.glob("*.lmtp")])


def unescape(text):
    def octet(found):
        word = found[1]
        return {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}.get(
            word) or bytes([int(word[1:], 16)])
    return re.sub(rb"\\(r|n|t|0|\\|x[0-9a-f]{2})", octet, text)


class Run:
    def __init__(self, path, server, user):
        self.path, self.server = path, server
        self.user = user.encode()
        self.address = f"127.0.9.{FILES.index(path) + 1}"	# whose failures to log in are nobody else's
        self.names = {}
        self.connections = {}
        self.use("")

    def use(self, name):
        if name not in self.connections:
            port = self.server.lmtp_port if self.path.suffix == ".lmtp" else self.server.imap_port
            self.connections[name] = lib.Client.unread(
                lib.socket.create_connection(("127.0.0.1", port), lib.LIMIT_S, (self.address, 0)),
                None if self.path.suffix == ".lmtp" else responses.Checker())
        self.connection = self.connections[name]

    def fill(self, text):
        password = lib.PASSWORD.encode()
        text = text.replace(b"$PLAIN", base64.b64encode(b"\0" + self.user + b"\0" + password))
        text = text.replace(b"$USER", self.user).replace(b"$PASSWORD", password)
        return re.sub(rb"\$\{(\w+)\}", lambda found: self.names[found[1]], text)

    def pattern(self, text):
        text = text.replace(b"$USER", self.user)
        out, seen = b"", set()
        for piece in re.split(rb"(\$\{\w+\}|\xe2\x80\xa6)", text):
            name = piece[2:-1]
            if piece == b"\xe2\x80\xa6":
                out += rb"[\s\S]*"
            elif piece.startswith(b"${") and name in self.names:
                out += re.escape(self.names[name])
            elif piece.startswith(b"${") and name in seen:
                out += b"(?P=" + name + b")"
            elif piece.startswith(b"${"):
                seen.add(name)
                out += b"(?P<" + name + rb">[^\s\])]+)"
            else:
                out += re.escape(piece)
        return re.compile(out + rb"\Z")

    def expect(self, number, text, line):
        found = self.pattern(text).match(line)
        if found:
            self.names.update({k.encode(): v for k, v in found.groupdict().items()})
        return found

    def line(self, *wished):
        """The next line; the MAILBOXID that each SELECT tells is passed over where it is not asked for."""
        line = self.connection.line()
        while line.startswith(b"* OK [MAILBOXID") and not any(text.startswith(b"* OK [MAILBOXID") for text in wished):
            line = self.connection.line()
        return line

    def run(self):
        unordered = []
        for number, raw in enumerate(self.path.read_bytes().split(b"\n"), 1):
            where = f"{self.path.name}:{number}"
            kind, text = raw[:2], raw[3:]
            if raw == b"" or raw.startswith(b"#"):
                continue
            if kind == b"C:":
                self.connection.send(self.fill(text) + b"\r\n")
            elif kind == b"C|":
                self.connection.send(unescape(self.fill(text)))
            elif kind == b"S*":
                unordered.append((where, text))
            elif kind == b"S:":
                line = self.line(text, *(wish[1] for wish in unordered))
                while unordered:
                    hit = [wish for wish in unordered if self.expect(number, wish[1], line)]
                    assert hit, f"{where}: {line!r} is none of {unordered!r}"
                    unordered.remove(hit[0])
                    line = self.line(text, *(wish[1] for wish in unordered))
                assert self.expect(number, text, line), f"{where}: wanted {text!r}\n got {line!r}"
            elif raw.startswith(b"="):
                self.use(raw[1:].decode())
            elif raw == b"!close":
                rest = self.connection.file.read()
                assert rest == b"", f"{where}: still there: {rest!r}"
            elif raw == b"!tls":
                self.connection.start_tls()
            else:
                raise AssertionError(f"{where}: what is {raw!r}?")
        for connection in self.connections.values():
            connection.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_transcript(path, shared_server, user):
    Run(path, shared_server, user).run()
