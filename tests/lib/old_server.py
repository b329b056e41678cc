"""The server that users are to move away from, played by a script: what a real one says, and what none should."""
import re
import socket
import ssl
import threading

from server import LIMIT_S

GREETING = b"* OK old server\r\n"
OFFER = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nR1 OK done\r\n"


class Connection:
    """One that has come, for a script to speak on."""

    def __init__(self, connected, server):
        self.socket, self.server, self.file = connected, server, connected.makefile("rb")

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        return self.file.readline().rstrip(b"\r\n")

    def expect(self, pattern):
        """The next line, which has to be like this."""
        line = self.line()
        found = re.fullmatch(pattern, line)
        assert found, (pattern, line)
        return found

    def literal(self, octets):
        """As the client sends it when it was told to go on."""
        self.send(b"+ go on\r\n")
        return self.file.read(octets)

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.cert, self.server.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.file = self.socket.makefile("rb")


class OldServer:
    """Runs script(connection) for each connection; as a context manager, which tells what a script has found wrong."""

    def __init__(self, script, cert=None, key=None, is_tls=False):
        self.script, self.cert, self.key, self.is_tls = script, cert, key, is_tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.wrong, self.count = [], 0
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected):
        connected.settimeout(LIMIT_S)
        connection = Connection(connected, self)
        try:
            if self.is_tls:
                connection.start_tls()
            self.script(connection)
        except AssertionError as error:
            self.wrong.append(error)
        except OSError:
            pass            # the other end has gone: that is for the test to judge
        finally:
            connection.file.close()
            connection.socket.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LIMIT_S)
        assert not self.wrong, self.wrong
