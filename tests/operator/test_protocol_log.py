"""The protocol log: Exchange Server's columns, each command once, nothing that is secret, and no harm when it cannot be written."""
import base64
import csv
import os
import pathlib
import re
import subprocess

import pytest

import server as lib

SECRET = "hunter2-" * 3
COLUMNS = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"


def read(folder):
    """The rows of all files, and all text."""
    rows, whole = [], ""
    for file in sorted(folder.glob("*")):
        assert re.fullmatch(r"IMAP4\d{8}-[1-9]\d*\.LOG", file.name)
        text = file.read_text()
        whole += text
        lines = text.splitlines()
        assert [line.split(":")[0] for line in lines[:5]] == ["#Software", "#Version", "#Log-type", "#Date", "#Fields"]
        assert lines[2] == "#Log-type: IMAP4 Log" and lines[4] == f"#Fields: {COLUMNS}"
        for row in csv.reader(lines[5:]):
            assert len(row) == 13, row
            rows.append(dict(zip(COLUMNS.split(","), row)))
    return rows, whole


def say(client):
    """A session with a secret wherever there can be one."""
    client.command(b"LOGNI ann %s" % SECRET.encode())
    client.command(b"LOGIN %s x" % SECRET.encode())
    client.ok(b'LOGIN ann "%s"' % SECRET.encode())
    client.ok(b"SELECT INBOX")
    client.append(b"INBOX", lib.message(1, body=SECRET.encode() + b"\r\n"))
    client.ok(b"UID FETCH 1:* (BODY.PEEK[] FLAGS)")
    client.ok(b"SEARCH BODY {}", SECRET.encode())
    client.command(b"AUTHENTICATE PLAIN %s" % base64.b64encode(f"\0ann\0{SECRET}".encode()))
    client.command(b'SELECT "no, \\"such"')
    client.command(b"FROB %s" % SECRET.encode())
    client.ok(b"LOGOUT")


def test_a_session():
    server = lib.Server(users=())
    server.settings.append(f"protocol-log {server.folder}/protocol")
    server.write_config()
    folder = server.folder / "protocol"
    with server:
        server.add_user("ann", SECRET)
        with server.client() as client:
            local, port = client.socket.getpeername(), client.socket.getsockname()[1]
            say(client)
        with server.client() as other:
            other.ok(b"NOOP")
        server.stop()
        rows, text = read(folder)
        (first, second) = {row["sessionId"]: None for row in rows}
        rows, others = [row for row in rows if row["sessionId"] == first], [row for row in rows if row["sessionId"] == second]
        log = "\n".join(server.log_lines)
    assert SECRET not in text and base64.b64encode(SECRET.encode()).decode()[4:-4] not in text
    assert [int(row["seqNumber"]) for row in rows] == list(range(len(rows)))
    assert [row["command"] for row in rows] == ["OpenSession", "unknown", "login", "login", "select", "append", "uid fetch", "search",
                                                "authenticate", "select", "unknown", "logout", "CloseSession"]
    by_command = {row["command"]: row for row in rows}
    assert rows[3]["user"] == rows[4]["user"] == "ann" and rows[2]["user"] == "" == rows[0]["user"]
    assert {row["cIp"] for row in rows} == {f"127.0.0.1:{port}"} and rows[0]["sIp"] == f"{local[0]}:{local[1]}"
    assert rows[3]["context"] == "R=OK" and "AUTHENTICATIONFAILED" in rows[2]["context"] and rows[1]["context"].startswith('R="- BAD ')
    assert by_command["uid fetch"]["parameters"] == "1:* (BODY.PEEK[] FLAGS)" and rows[9]["parameters"] == '"no, \\"such"'
    assert by_command["search"]["parameters"] == "BODY {24 octets}" and by_command["login"]["parameters"] == "{27 octets}"
    assert int(by_command["uid fetch"]["rpsize"]) > len(lib.message(1)) and int(by_command["append"]["rqsize"]) > len(lib.message(1))
    assert int(rows[-1]["rqsize"]) == sum(int(row["rqsize"]) for row in rows[:-1]), "sums"
    assert int(rows[-1]["rpsize"]) == sum(int(row["rpsize"]) for row in rows[:-1])
    assert [row["command"] for row in others] == ["OpenSession", "noop", "CloseSession"]
    assert f"sid={first}" in log, "the id of the log"


def test_it_cannot_be_written():
    """Said once; clients go on; and what comes later is written, behind a word of what was lost."""
    server = lib.Server()
    server.settings.append(f"protocol-log {server.folder}/protocol")
    server.write_config()
    folder = server.folder / "protocol"
    with server:
        folder.write_text("no folder")
        for _ in range(5):
            with server.client("demo") as client:
                client.ok(b"NOOP")
        lib.wait_until(lambda: any(" ev=protocol-log-failed " in line for line in server.log_lines))
        folder.unlink()

        def is_written():
            with server.client("demo") as client:
                client.ok(b"NOOP")
            return folder.is_dir() and list(folder.glob("*.LOG"))
        lib.wait_until(is_written)
        lib.wait_until(lambda: any(" ev=protocol-log-lost " in line for line in server.log_lines))
        server.stop()
        assert sum(" ev=protocol-log-failed " in line for line in server.log_lines) == 1
        assert [row for row in read(folder)[0] if row["command"] == "noop"]


class Full(lib.Server):
    """Its protocol log lies on a disk of its own, of 256 KiB."""

    def start(self):
        (self.folder / "small").mkdir(exist_ok=True)
        self.prefix = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=256k small {self.folder}/small && exec "$@"', "sh"]
        return super().start()


def test_a_full_disk():
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here")
    server = Full()
    server.settings.append(f"protocol-log {server.folder}/small/protocol")
    server.write_config()

    def told(event):
        return sum(f" ev={event} " in line for line in server.log_lines)

    with server:
        small = pathlib.Path(f"/proc/{server.process.pid}/root{server.folder}/small")
        with server.client("demo") as client:
            for _ in range(20):
                client.ok(b"NOOP")
            with pytest.raises(OSError), (small / "fill").open("wb", buffering=0) as fill:
                while True:
                    fill.write(bytes(4096))

            def is_full():
                for _ in range(50):
                    client.ok(b"NOOP")
                return told("protocol-log-failed")
            lib.wait_until(is_full)
            for _ in range(200):
                client.ok(b"NOOP")
            client.append(b"INBOX", lib.message(1))
            files = len(list((small / "protocol").iterdir()))
            (small / "fill").unlink()
            lib.wait_until(lambda: client.ok(b"NOOP") and told("protocol-log-lost"))
            client.ok(b"EXAMINE INBOX")
            client.ok(b"LOGOUT")
        lib.wait_until(lambda: any(re.search(r",CloseSession,.*\n", file.read_text()) for file in (small / "protocol").iterdir()))
        rows, _ = read(small / "protocol")
        assert files == 1 and len(list((small / "protocol").iterdir())) == 1
        assert [row["command"] for row in rows][-3:] == ["examine", "logout", "CloseSession"]
        server.stop()
        assert told("protocol-log-failed") == 1 and told("protocol-log-lost") == 1, "once each, whatever comes"
