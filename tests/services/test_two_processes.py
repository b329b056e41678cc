"""The two services in processes of their own, each with its control socket, joined by the link."""
import json
import re
import shutil
import socket
import sqlite3
import struct

import pytest

import server as lib


class Role(lib.Server):
    """One of the two processes."""

    def __init__(self, role, settings):
        self.role = role
        super().__init__(settings=settings, users=())


@pytest.fixture
def pair():
    port = lib.free_port()
    mailbox = Role("mailbox", [f"link-listen 127.0.0.1:{port}", "start-services no"])
    key = mailbox.folder / "link.key"
    mailbox.imapctl("link-key", key)
    mailbox.settings.append(f"link-key {key}")
    mailbox.write_config()
    cas = Role("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}", "directory link mbx1",
                       "start-services no"])
    with mailbox, cas:
        yield cas, mailbox
    shutil.rmtree(mailbox.folder, ignore_errors=True)


def code(server, *words):
    return server.imapctl(*words, check=False).returncode


def login(cas):
    with cas.client() as client:
        return client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode()).tagged


def test_procedure(pair):
    cas, mailbox = pair
    mailbox.add_user("demo")
    assert [code(server, "status") for server in pair] == [3, 3]
    cas.imapctl("start", "cas")
    assert b" NO [UNAVAILABLE]" in login(cas)
    mailbox.imapctl("net", "start", "msexchangeimap4be")
    assert [code(server, "status") for server in pair] == [0, 0]
    lib.wait_until(lambda: b" OK " in login(cas))
    with cas.client("demo") as client:
        client.ok(b"SELECT INBOX")
        mailbox.imapctl("stop", "all")
        assert client.line().startswith(b"* BYE")
    assert b" NO [UNAVAILABLE]" in login(cas)
    assert code(cas, "status", "cas") == 1          # it runs, and nobody can log in
    mailbox.imapctl("start", "mailbox")
    lib.wait_until(lambda: b" OK " in login(cas))
    with cas.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+")
        cas.imapctl("stop", "cas")
        lines = list(iter(client.line, b""))
        assert len(lines) == 1 and lines[0].startswith(b"* BYE"), lines
    assert code(mailbox, "status") == 0


def test_the_other_service_is_elsewhere(pair):
    cas, mailbox = pair
    asked = cas.imapctl("status", "mailbox", check=False)
    assert asked.returncode == 3 and "does not have the service mailbox" in asked.stderr
    assert code(cas, "start", "mailbox") == 64
    assert code(mailbox, "net", "start", "imap4") == 64
    mailbox.imapctl("start", "all")
    assert mailbox.imapctl("services").stdout.split("\n")[1].startswith("mailbox  running")


def told(server, *words, expected):
    """What --json status says, which has this exit status."""
    asked = server.imapctl("--json", "status", *words, check=False)
    assert asked.returncode == expected, asked
    return json.loads(asked.stdout)


def test_status_tells_of_the_mailbox_server(pair):
    """The client access host is not well while nobody can log in; a login does not have to find that out."""
    cas, mailbox = pair
    mailbox.add_user("demo")
    cas.imapctl("start", "cas")
    port = mailbox.settings[0].split(":")[-1]
    for _ in range(2):
        server, = told(cas, expected=1)["mailbox-server"]
        assert (server["name"], server["address"], server["state"]) == ("mbx1", f"127.0.0.1:{port}", "down")
        assert server["reason"]
        assert "mbx1" in cas.imapctl("status", check=False).stdout and "down" in cas.imapctl("status", check=False).stdout
        assert told(cas, "cas", expected=1)["mailbox-server"] == [server]
        mailbox.imapctl("start", "mailbox")
        server, = told(cas, expected=0)["mailbox-server"]       # asked at once, not at the next pulse
        assert (server["state"], server["reason"]) == ("up", "")
        assert b" OK " in login(cas)
        mailbox.imapctl("stop", "mailbox")
    mailbox.imapctl("start", "mailbox")
    mailbox.kill()
    assert told(cas, expected=1)["mailbox-server"][0]["state"] == "down"
    cas.imapctl("stop", "cas")
    assert told(cas, expected=3)["mailbox-server"] == []
    mailbox.start()


def test_a_key_of_another_site(pair):
    cas, mailbox = pair
    (mailbox.folder / "link.key").rename(mailbox.folder / "old.key")
    mailbox.imapctl("link-key", mailbox.folder / "link.key")
    cas.stop()
    cas.start()
    mailbox.imapctl("start", "all")
    cas.imapctl("start", "all")
    server, = told(cas, expected=1)["mailbox-server"]
    assert server["state"] == "down" and server["reason"].startswith("it refuses our link-key or link-certificate")
    lib.wait_until(lambda: any(" ev=link-refused " in line and 'reason="it has another link-key"' in line for line in mailbox.log_lines))


def test_a_port_that_is_no_link(pair):
    """The port of IMAP in the place of that of the link."""
    cas, mailbox = pair
    cas.stop()
    with lib.Server() as other:
        cas.settings = [re.sub(r"^(mailbox-server \S+) .*", rf"\1 127.0.0.1:{other.imap_port}", line) for line in cas.settings]
        cas.write_config()
        cas.start()
        cas.imapctl("start", "all")
        lib.wait_until(lambda: "speaks no TLS: is it the port of link-listen?" in told(cas, expected=1)["mailbox-server"][0]["reason"])


def test_logins_that_nobody_answers(pair):
    """The log names who could not log in; refusals of a mailbox server that is up are told by status, too."""
    cas, mailbox = pair
    mailbox.add_user("demo")
    cas.imapctl("start", "cas")
    assert b" NO [UNAVAILABLE]" in login(cas)
    lib.wait_until(lambda: any("ev=login-unavailable" in line for line in cas.log_lines))
    line = next(line for line in cas.log_lines if "ev=login-unavailable" in line)
    assert re.search(r"level=warning ev=login-unavailable sid=\w+ user=demo rip=127\.0\.0\.1 reason=", line)
    mailbox.imapctl("start", "mailbox")
    assert told(cas, expected=0)["problem"] == []
    lib.freeze(mailbox.process)
    try:
        assert b" NO [UNAVAILABLE]" in login(cas)
        assert told(cas, expected=1)["mailbox-server"][0]["state"] == "down"
    finally:
        lib.thaw(mailbox.process)
    lib.wait_until(lambda: b" OK " in login(cas))
    assert told(cas, expected=0)["problem"] == []


def test_a_directory_that_cannot_be_used():
    """Every login fails, and no service has stopped."""
    with lib.Server() as server:
        server.client("demo").close()
        assert told(server, expected=0)["problem"] == []
        database = server.data / "directory.db"
        with sqlite3.connect(database) as shell:
            shell.execute("ALTER TABLE user RENAME TO hidden")
        assert b" NO [UNAVAILABLE]" in login(server)
        assert b" NO [UNAVAILABLE]" in login(server)
        with server.lmtp() as sender:
            sender.command(b"MAIL FROM:<>")
            assert sender.command(b"RCPT TO:<demo>")[-1].startswith(b"451 ")
        ours, theirs = told(server, expected=1)["problem"]
        assert (ours["service"], ours["kind"], ours["times"]) == ("cas", "directory", 2)
        assert (theirs["service"], theirs["kind"], theirs["times"]) == ("mailbox", "directory", 1)
        assert "damaged" in ours["text"] and "damaged" in theirs["text"]
        # One for each role's connection.
        lib.wait_until(lambda: sum("ev=directory-failed" in line for line in server.log_lines) == 2)
        with sqlite3.connect(database) as shell:
            shell.execute("ALTER TABLE hidden RENAME TO user")
        assert b" OK " in login(server)
        with server.lmtp() as sender:
            assert sender.deliver(lib.message(1), b"demo")[0].startswith(b"250 ")
        assert told(server, expected=0)["problem"] == []


def test_a_mailbox_server_that_knows_nobody(pair):
    """It is up, and lets none of them in."""
    cas, mailbox = pair
    cas.settings.append("directory sqlite")
    cas.settings.remove("directory link mbx1")
    cas.write_config()
    cas.stop()
    cas.start()
    cas.add_user("demo")
    for server in pair:
        server.imapctl("start", "all")
    assert told(cas, expected=0)["problem"] == []
    assert b" NO [AUTHORIZATIONFAILED]" in login(cas)
    answer = told(cas, expected=1)
    assert [server["state"] for server in answer["mailbox-server"]] == ["up"]
    problem, = answer["problem"]
    assert (problem["service"], problem["kind"], problem["text"]) == ("cas", "mailbox-server", "refused")
    mailbox.add_user("demo")
    assert b" OK " in login(cas)
    assert told(cas, expected=0)["problem"] == []


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("ending", [lambda client: None, reset], ids=["close", "reset"])
def test_a_balancer_that_only_looks(pair, ending):
    """Connecting and closing, to any port, is worth no line above debug that warns."""
    cas, mailbox = pair
    proxy = lib.free_port()
    cas.settings += [f"listen imap 127.0.0.1:{cas.imap_port}", f"listen imaps 127.0.0.1:{cas.imaps_port}",
                     f"listen imaps 127.0.0.1:{proxy} proxy", "proxy-trusted 127.0.0.1", "log-level debug"]
    mailbox.settings += ["log-level debug"]
    for server in pair:
        server.write_config()
        server.stop()
        server.start()
        server.imapctl("start", "all")
    told(cas, expected=0)               # that it was down while it was started anew has been said by then
    link = int(mailbox.settings[0].split(":")[-1])
    for server, port in ((cas, cas.imap_port), (cas, cas.imaps_port), (cas, proxy), (mailbox, link),
                         (mailbox, mailbox.lmtp_port)):
        count = len(server.log_lines)
        with socket.create_connection(("127.0.0.1", port)) as client:
            own = client.getsockname()[1]
            ending(client)
        lib.wait_until(lambda: any("ev=close" in line or "ev=lmtp-end" in line for line in server.log_lines[count:]))
        lines = [line for line in server.log_lines[count:] if "cas=" not in line]
        assert not [line for line in lines if "level=warning" in line or "level=error" in line or "tls-failed" in line], \
            (port, own, lines)
    # What is wrong stays a warning.
    for server, port, event in ((cas, proxy, "proxy-refused"), (mailbox, link, "link-refused")):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while client.recv(4096):
                pass
        lib.wait_until(lambda: any(f"level=warning ev={event}" in line for line in server.log_lines))
