"""SIGTERM whatever goes on: the process ends by itself, soon, with exit status 0, and says so."""
import socket
import threading

import server as lib

LETTER = lib.message(1, b"0123456789abcdef\r\n" * 20000)


def append_for_ever(server):
    try:
        with server.client("demo") as client:
            while True:
                client.append(b"INBOX", LETTER)
    except (OSError, EOFError):
        return


def attach(server):
    """A client in each state in which one can be left."""
    reader = server.client("demo")		# asks for much and reads nothing
    reader.ok(b"SELECT INBOX")
    reader.send(b"f FETCH 1:* BODY.PEEK[]\r\n" * 50)
    idler = server.client("demo", tls=True)
    idler.ok(b"SELECT INBOX")
    idler.send(b"i IDLE\r\n")
    half = socket.create_connection(("127.0.0.1", server.imaps_port))
    half.sendall(bytes.fromhex("1603010080010000"))
    writer = server.client("demo")
    writer.send(b"a APPEND INBOX {1000000}\r\n")
    writer.line()
    writer.send(b"x" * 500000)
    guesser = server.client()
    guesser.send(b"a LOGIN demo wrong\r\n")
    sender = server.lmtp()
    sender.command(b"MAIL FROM:<>")
    sender.command(b"RCPT TO:<demo>")
    sender.command(b"DATA")
    sender.socket.sendall(b"x" * 10000)
    operator = socket.socket(socket.AF_UNIX)
    operator.connect(str(server.control))
    return [reader, idler, half, writer, guesser, sender, operator]


def test_sigterm_in_the_middle_of_everything():
    with lib.Server(users=("demo",)) as server:
        with server.client("demo") as client:
            for _ in range(20):
                assert client.append(b"INBOX", LETTER).is_ok
        writers = [threading.Thread(target=append_for_ever, args=(server,)) for _ in range(5)]
        for writer in writers:
            writer.start()
        clients = attach(server)
        assert server.stop() == 0, "\n".join(server.log_lines[-20:])
        assert any(" ev=stopped" in line for line in server.log_lines)
        for writer in writers:
            writer.join(lib.LIMIT_S)
            assert not writer.is_alive()
        del clients
