"""A relay in front of a server that keeps what passes, so that a test can tell which commands a program sent.

COMPRESS=DEFLATE is undone in what is kept, not in what passes.  TLS cannot be read: programs come without it.
"""
import re
import socket
import threading
import zlib

import server as lib


class Conversation:
    """One connection: the octets of both sides, as they passed."""

    def __init__(self, client, server):
        self.raw_sent, self.raw_received = b"", b""
        self.threads = [threading.Thread(target=self.pass_on, args=(client, server, "raw_sent"), daemon=True),
                        threading.Thread(target=self.pass_on, args=(server, client, "raw_received"), daemon=True)]
        for thread in self.threads:
            thread.start()

    def pass_on(self, source, target, name):
        """Keep first, then pass on: what one side has seen is there to be read."""
        try:
            while octets := source.recv(65536):
                setattr(self, name, getattr(self, name) + octets)
                target.sendall(octets)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def compressed(self):
        """The tag of COMPRESS, if the server said OK to it."""
        asked = re.search(rb"^(\S+) COMPRESS DEFLATE\r\n", self.raw_sent, re.M | re.I)
        if asked and re.search(rb"^%s OK" % re.escape(asked[1]), self.raw_received, re.M):
            return asked[1]
        return None

    def plain(self, raw, end):
        begin = re.search(end, raw, re.M | re.I).end()
        return raw[:begin] + zlib.decompressobj(-15).decompress(raw[begin:])

    @property
    def sent(self):
        tag = self.compressed()
        return self.plain(self.raw_sent, rb"^\S+ COMPRESS DEFLATE\r\n") if tag else self.raw_sent

    @property
    def received(self):
        tag = self.compressed()
        return self.plain(self.raw_received, rb"^%s OK[^\r\n]*\r\n" % re.escape(tag)) if tag else self.raw_received


class Recorder:
    """Listens on .port and relays to another port of this host; use as a context manager."""

    def __init__(self, port):
        self.server_port = port
        self.conversations = []
        self.listener = socket.create_server(("127.0.0.1", lib.free_port()))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                self.conversations.append(Conversation(near, socket.create_connection(("127.0.0.1", self.server_port))))
        except OSError:
            pass

    def forget(self):
        """Begin a round: what has passed so far is not asked for again."""
        self.conversations = []

    def sent(self):
        """What clients sent, the connections one after the other."""
        return b"".join(conversation.sent for conversation in self.conversations)

    def received(self):
        return b"".join(conversation.received for conversation in self.conversations)

    def has_sent(self, pattern):
        """A regular expression for a command, from its name on."""
        return re.search(rb"^\S+ " + pattern, self.sent(), re.M) is not None

    def wait_for(self, pattern):
        lib.wait_until(lambda: self.has_sent(pattern))

    def wait_until_received(self, pattern):
        lib.wait_until(lambda: re.search(pattern, self.received(), re.M))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def refused(received):
    """The tagged NO and BAD among the replies, but those that a program provokes to learn of something."""
    return re.findall(rb"^[A-Za-z]*\d+ (?:NO|BAD) [^\r\n]*", received, re.M)
