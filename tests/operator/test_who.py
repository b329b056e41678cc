"""`imapctl who` and `kick`: what is told of a session in one process and in two, and who is meant by a word."""
import json
import os
import pty
import shutil
import socket

import pytest

import server as lib

IDENTITY = b'ID ("name" "Thunder\\"bird" "version" "128.5")'


class Role(lib.Server):
    """One of two processes."""

    def __init__(self, role, settings):
        self.role = role
        super().__init__(settings=settings, users=())


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("demo", "ann", "root")) as running:
        running.imapctl("user", "set", "root", "--master")
        yield running


@pytest.fixture(scope="module")
def pair():
    port = lib.free_port()
    mailbox = Role("mailbox", [f"link-listen 127.0.0.1:{port}"])
    key = mailbox.folder / "link.key"
    mailbox.imapctl("link-key", key)
    mailbox.settings.append(f"link-key {key}")
    mailbox.write_config()
    cas = Role("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}", "directory link mbx1"])
    with mailbox, cas:
        mailbox.add_user("demo")
        lib.wait_until(lambda: any(" ev=link-up " in line for line in cas.log_lines))
        yield cas, mailbox
    shutil.rmtree(mailbox.folder, ignore_errors=True)


def who(server, *words):
    return json.loads(server.imapctl("--json", "who", *words).stdout)["session"]


def is_alone(server):
    return who(server, "--strangers") == []


def connect(server, address):
    """A client that has not logged in, from an address of its own."""
    client = lib.Client.unread(socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S, (address, 0)))
    client.line()
    return client


def login(server, user, address="127.0.0.1"):
    client = connect(server, address)
    client.ok(b'LOGIN "%s" "%s"' % (user.encode(), lib.PASSWORD.encode()))
    return client


def test_what_is_told(server):
    lib.wait_until(lambda: is_alone(server))
    with server.client(tls=True) as client:
        client.ok(IDENTITY)
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        session, = who(server)
        assert (session["user"], session["by"], session["address"], session["client"]) == ("demo", "", "127.0.0.1", 'Thunder"bird; 128.5')
        assert (session["state"], session["command"], session["busy"], session["mailbox"]) == ("authenticated", "", "no", "")
        assert session["tls"].startswith("TLSv1.") and session["mechanism"] and session["roles"] == "cas mailbox"
        assert session["port"] == client.socket.getsockname()[1]
        client.ok(b"SELECT INBOX")
        session, = who(server)
        assert (session["state"], session["command"], session["mailbox"]) == ("selected", "SELECT", "INBOX")
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+")
        assert [(s["state"], s["command"], s["busy"]) for s in who(server, session["sid"])] == [("idle", "IDLE", "yes")]
        client.send(b"DONE\r\n")
        client.reply(b"i")
        client.ok(b"UNSELECT")
        assert who(server)[0]["state"] == "authenticated"


def test_octets_are_the_clients(server):
    """Of the login on, without what the roles say to each other, and on the line less than what was compressed."""
    lib.wait_until(lambda: is_alone(server))
    with login(server, "demo") as client:
        begun, = who(server)
        assert begun["compressed"] == "no"
        sent = b"x NOOP\r\n"
        client.send(sent)
        reply = client.reply(b"x")
        session, = who(server)
        assert session["in"] - begun["in"] == session["plain-in"] - begun["plain-in"] == len(sent)
        assert session["plain-in"] == len(sent), "the login's own octets are no part of it"
        assert session["out"] - begun["out"] == len(reply.tagged) + 2 * (not reply.tagged.endswith(b"\r\n"))
        client.start_deflate()
        for _ in range(20):
            client.ok(b"LIST \"\" *")
        session, = who(server)
        assert session["compressed"] == "yes" and session["out"] < session["plain-out"]


def test_a_command_under_way(server):
    """A message that is coming in: said by the session, though its client has not sent all of it."""
    lib.wait_until(lambda: is_alone(server))
    with login(server, "demo") as client:
        client.send(b"a APPEND INBOX {100}\r\n")
        assert client.line().startswith(b"+")
        client.send(b"Subject: x\r\n\r\n")
        lib.wait_until(lambda: who(server)[0]["plain-in"] > 30)
        session, = who(server)
        assert (session["command"], session["busy"], session["state"]) == ("APPEND", "yes", "authenticated")
        table = server.imapctl("who").stdout.splitlines()
        assert table[0].split() == ["user", "address", "client", "state", "in", "out", "age", "sid"]
        assert " APPEND " in table[1] and session["sid"] in table[1]


def test_strangers(server):
    """Who has not logged in is listed when asked for, never by the name that was typed: it may be a password."""
    lib.wait_until(lambda: is_alone(server))
    with connect(server, "127.0.3.7") as client:
        assert who(server) == []
        session, = who(server, "--strangers")
        assert (session["state"], session["user"], session["address"]) == ("not authenticated", "", "127.0.3.7")
        assert [s["sid"] for s in who(server, "127.0.3.7")] == [session["sid"]] == [s["sid"] for s in who(server, session["sid"])]
        client.send(b"a AUTHENTICATE PLAIN\r\n")
        assert client.line().startswith(b"+")
        lib.wait_until(lambda: who(server, "--strangers")[0]["state"] == "authenticating")
        assert who(server, "127.0.3.0/24") and not who(server, "127.0.4.0/24")
        assert server.imapctl("kick", "127.0.3.7").returncode == 0
        assert client.line().startswith(b"* BYE")
    lib.wait_until(lambda: is_alone(server))


def test_who_is_meant(server):
    lib.wait_until(lambda: is_alone(server))
    with login(server, "demo", "127.0.5.1") as one, login(server, "demo", "127.0.5.2") as two, \
            login(server, "ann", "127.0.5.2") as three, login(server, "demo*root", "127.0.5.3") as four:
        one.ok(IDENTITY)
        one.ok(b'ID ("name" "Mail")')
        four.ok(IDENTITY)
        assert len(who(server)) == 4 and len(who(server, "DEMO")) == 3 and len(who(server, "127.0.5.2")) == 2
        assert [s["user"] for s in who(server, "root")] == ["demo"], "as somebody else, too"
        assert [s["address"] for s in who(server, "--client=thunder")] == ["127.0.5.3"]
        assert [s["address"] for s in who(server, "--client=MAIL")] == ["127.0.5.1"]
        assert who(server, "nobody") == [] and len(who(server, "127.0.5.0/24")) == 4 and who(server, "127.0.5") == []
        assert [s["user"] for s in who(server, "--sort=user")] == ["ann", "demo", "demo", "demo"]
        assert [s["address"][-1] for s in who(server, "--sort=address")] == ["1", "2", "2", "3"]
        numbers = [s["in"] for s in who(server, "--sort=in")]
        assert numbers == sorted(numbers, reverse=True)
        assert server.imapctl("who", "--count").stdout == "4\n" and server.imapctl("who", "--count", "ann").stdout == "1\n"
        assert json.loads(server.imapctl("--json", "who", "--count").stdout)["count"] == [{"sessions": 4}]
        assert json.loads(server.imapctl("--json", "who", "--by=user").stdout)["group"] == [
            {"user": "demo", "sessions": 3}, {"user": "ann", "sessions": 1}]
        assert server.imapctl("who", "--by=address").stdout.splitlines()[1].split() == ["127.0.5.2", "2"]
        for wrong in (["--sort=size"], ["--by=age"], ["--by=user", "--count"], ["a", "b"]):
            assert server.imapctl("who", *wrong, check=False).returncode == 64
        refused = server.imapctl("kick", "127.0.5.0/24", check=False)
        assert refused.returncode != 0 and "--yes" in refused.stderr and len(who(server)) == 4
        server.imapctl("kick", "ann")
        assert three.line().startswith(b"* BYE")
        assert server.imapctl("--json", "kick", "127.0.5.0/24", "--yes").stdout.count('"sessions":3')
        for client in (one, two, four):
            assert client.line().startswith(b"* BYE")
    lib.wait_until(lambda: is_alone(server))


def on_a_terminal(server, *words):
    master, slave = pty.openpty()
    pid = os.posix_spawn(lib.IMAPCTL, ["imapctl", f"--config={server.config}", *words], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, slave, 1)])
    os.close(slave)
    text = b""
    while True:
        try:
            text += os.read(master, 65536)
        except OSError:
            break
    os.waitpid(pid, 0)
    os.close(master)
    return text.decode().splitlines()


def test_the_table_fits(server):
    """A long name is cut on a terminal and whole on a pipe; only the client's own words are cut on both."""
    lib.wait_until(lambda: is_alone(server))
    name = "a-name-that-is-longer-than-most@department.of.a.large.organization.example.org"
    server.add_user(name)
    with login(server, name) as client:
        client.ok(b'ID ("name" "%s")' % (b"W" * 300))
        lines = on_a_terminal(server, "who")
        assert all(len(line) <= 80 for line in lines) and "~" in lines[1] and who(server)[0]["sid"] in lines[1]
        piped = server.imapctl("who").stdout
        assert name in piped and "W" * 39 in piped and "W" * 40 not in piped
        assert len(who(server)[0]["client"]) == 300
    server.imapctl("user", "del", name, "--yes")


def test_a_client_that_says_too_much(server):
    """Control characters, quotes and the length of an ID do no harm to the line, the table or the JSON."""
    lib.wait_until(lambda: is_alone(server))
    with login(server, "demo") as client:
        client.send(b'x ID ("name" {9}\r\n')
        assert client.line().startswith(b"+")
        client.send(b'\x1b[2J"\\\r\n\x07' + b' "os" "' + "\u202egnp\u2066".encode() + b'" "vendor" "%s")\r\n' % (b"v" * 900))
        client.reply(b"x")
        text = who(server)[0]["client"]
        assert text.isascii() and text.isprintable() and text.startswith('?[2J"\\???') and len(text) <= 1000
        assert "\x1b" not in server.imapctl("who").stdout


def test_many(server):
    """An answer of many slices has everybody once."""
    lib.wait_until(lambda: is_alone(server))
    clients = [connect(server, f"127.0.6.{n % 250 + 1}") for n in range(1200)]
    sessions = who(server, "--strangers")
    assert len(sessions) == len({session["sid"] for session in sessions}) == 1200
    assert server.imapctl("who", "--strangers", "--count").stdout == "1200\n"
    assert server.imapctl("who", "--by=state", "--strangers").stdout.split()[-1] == "1200"
    for client in clients:
        client.close()
    lib.wait_until(lambda: is_alone(server))


@pytest.fixture(scope="module")
def balanced():
    port = lib.free_port()
    with lib.Server(settings=(f"listen imap 127.0.0.1:{port} proxy", "proxy-trusted 127.0.0.1", "max-connections 5000")) as running:
        running.proxy_port = port
        yield running


def proxied(server, address):
    """A client that a balancer brings, from any address; IPv6 needs no network of its own so."""
    kind = "TCP6" if ":" in address else "TCP4"
    client = lib.Client.unread(socket.create_connection(("127.0.0.1", server.proxy_port), lib.LIMIT_S))
    client.send(f"PROXY {kind} {address} {'::1' if kind == 'TCP6' else '127.0.0.1'} 4000 143\r\n".encode())
    client.line()
    return client


def test_addresses_of_six(balanced):
    """However an address is written, and networks of any length; IPv4 is none of them."""
    lib.wait_until(lambda: is_alone(balanced))
    addresses = ["2001:db8::7", "2001:db8::8", "2001:db8:1::7", "192.0.2.7"]
    clients = [proxied(balanced, address) for address in addresses]
    for word, expected in (
            ("2001:db8::7", addresses[:1]), ("2001:DB8:0:0:0::7", addresses[:1]), ("[2001:db8::7]", addresses[:1]),
            ("2001:db8::/32", addresses[:3]), ("2001:db8::/48", addresses[:2]), ("2001:db8::7/127", addresses[:1]),
            ("2001:db8::7/128", addresses[:1]), ("::/0", addresses), ("2001:db8::/129", []), ("2001:db8::9", []),
            ("::ffff:192.0.2.7", addresses[3:]), ("::ffff:192.0.2.0/120", addresses[3:]), ("192.0.2.0/24", addresses[3:]), ("0.0.0.0/0", addresses[3:])):
        assert [s["address"] for s in who(balanced, word)] == expected, word
    refused = balanced.imapctl("kick", "2001:db8::/48", check=False)
    assert refused.returncode != 0 and "--yes" in refused.stderr and len(who(balanced, "::/0")) == 4
    kicked = json.loads(balanced.imapctl("--json", "kick", "2001:db8::/48", "--yes").stdout)
    assert kicked["kicked"] == [{"sessions": 2}]
    for client in clients[:2]:
        assert client.line() == b"* BYE The operator has ended this session"
    assert balanced.imapctl("kick", "2001:0db8:0001::7").returncode == 0
    assert clients[2].line().startswith(b"* BYE")
    assert balanced.imapctl("kick", "2001:db8::7", check=False).returncode == 1
    assert [s["address"] for s in who(balanced, "--strangers")] == addresses[3:]
    for client in clients:
        client.close()
    lib.wait_until(lambda: is_alone(balanced))


def test_many_are_kicked(balanced):
    """In many turns of the loop: everybody once, and nobody else."""
    lib.wait_until(lambda: is_alone(balanced))
    with proxied(balanced, "2001:db8:ffff::1") as other:
        clients = [proxied(balanced, f"2001:db8::{n:x}") for n in range(700)]
        assert len(who(balanced, "2001:db8::/64")) == 700
        kicked = json.loads(balanced.imapctl("--json", "kick", "2001:db8::/64", "--yes").stdout)
        assert kicked["kicked"] == [{"sessions": 700}]
        for client in clients:
            assert client.line() == b"* BYE The operator has ended this session"
            client.close()
        assert other.ok(b"NOOP")
        assert [s["address"] for s in who(balanced, "--strangers")] == ["2001:db8:ffff::1"]


def test_two_hosts(pair):
    """Each host has its view of a session, by the same id, and both can end it."""
    cas, mailbox = pair
    with cas.client(tls=True) as client:
        client.ok(IDENTITY)
        client.ok(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        client.ok(b"SELECT INBOX")
        (front,), (back,) = who(cas), who(mailbox)
        assert front["sid"] == back["sid"] and (front["roles"], back["roles"]) == ("cas", "mailbox")
        for fact in ("user", "address", "port", "client", "tls"):
            assert front[fact] == back[fact] != "", fact
        assert (front["state"], back["state"], back["command"], back["mailbox"]) == ("authenticated", "selected", "SELECT", "INBOX")
        assert front["mechanism"] != "" == front["command"]
        client.ok(b'ID ("name" "Later")')
        assert who(mailbox)[0]["client"] == "Later"
        mailbox.imapctl("kick", front["sid"])
        assert client.line() == b"* BYE The operator has ended this session"
    lib.wait_until(lambda: who(cas) == [] == who(mailbox))
    with cas.client("demo") as client:
        cas.imapctl("kick", "demo")
        assert client.line() == b"* BYE The operator has ended this session"
    lib.wait_until(lambda: who(cas) == [] == who(mailbox))


def test_kicked_from_a_command(pair):
    """The mailbox host lets a command end, and waits for nobody who sends half a message."""
    cas, mailbox = pair
    with cas.client("demo") as client:
        client.send(b"a APPEND INBOX {100}\r\n")
        assert client.line().startswith(b"+")
        lib.wait_until(lambda: who(mailbox)[0]["command"] == "APPEND")
        mailbox.imapctl("kick", "demo")
        assert client.line() == b"* BYE The operator has ended this session"
    lib.wait_until(lambda: who(cas) == [] == who(mailbox))
