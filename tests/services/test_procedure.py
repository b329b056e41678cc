"""The procedure of Exchange Server's page on IMAP4: two services, both stopped at first, each started, seen
running and stopped on its own, by those who are permitted."""
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import threading
import time

import pytest

import machine
import server as lib
from server import wait_until


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def states(server):
    answer = json.loads(server.imapctl("--json", "services").stdout)
    return {service["name"]: service["state"] for service in answer["service"]}


def code(server, *words):
    return server.imapctl(*words, check=False).returncode


@pytest.fixture
def stopped():
    with lib.Server(settings=["start-services no", "drain-time 2"], users=()) as server:
        yield server


@pytest.fixture
def running():
    with lib.Server(settings=["drain-time 2"]) as server:
        yield server


@pytest.fixture
def patient():
    """Time enough for an upload on a busy machine."""
    with lib.Server(settings=["drain-time 10"]) as server:
        yield server


def test_fresh_start_listens_nowhere(stopped):
    assert states(stopped) == {"cas": "stopped", "mailbox": "stopped"}
    for port in (stopped.imap_port, stopped.imaps_port, stopped.lmtp_port):
        assert not is_listening(port)
    assert code(stopped, "status") == 3
    assert code(stopped, "status", "cas") == 3
    refused = stopped.imapctl("who", check=False)
    assert refused.returncode == 69 and "stopped" in refused.stderr


def test_front_end_alone_then_both(stopped):
    stopped.add_user("demo")
    assert stopped.imapctl("start", "cas").stdout == "cas is running\n"
    assert states(stopped) == {"cas": "running", "mailbox": "stopped"}
    assert code(stopped, "status", "cas") == 0
    assert code(stopped, "status", "mailbox") == 3
    assert code(stopped, "status") == 3
    assert not is_listening(stopped.lmtp_port)
    with stopped.client() as client:
        reply = client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert b" NO [UNAVAILABLE]" in reply.tagged
    stopped.imapctl("start", "mailbox")
    assert states(stopped) == {"cas": "running", "mailbox": "running"}
    assert code(stopped, "status") == 0
    assert is_listening(stopped.lmtp_port)
    with stopped.client("demo") as client:
        client.ok(b"SELECT INBOX")


def test_stop_one_and_the_other_runs_on(running):
    with running.client("demo", tls=True) as client:
        client.ok(b"SELECT INBOX")
        running.imapctl("stop", "mailbox")
        assert client.line().startswith(b"* BYE [UNAVAILABLE]")
        assert client.line() == b""
    assert states(running) == {"cas": "running", "mailbox": "stopped"}
    assert not is_listening(running.lmtp_port)
    with running.client() as client:
        reply = client.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
        assert b" NO [UNAVAILABLE]" in reply.tagged
    running.imapctl("start", "mailbox")
    with running.client("demo") as client, running.client() as stranger:
        running.imapctl("stop", "cas")
        assert client.line().startswith(b"* BYE")
        assert client.line() == b""
        assert stranger.line().startswith(b"* BYE")
    assert states(running) == {"cas": "stopped", "mailbox": "running"}
    assert not is_listening(running.imap_port)
    with running.lmtp() as lmtp:
        assert lmtp.deliver(lib.message(), b"demo")[0].startswith(b"250")
    running.imapctl("start", "cas")
    with running.client("demo") as client:
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(1).endswith(b"Hello.\r\n")


@pytest.mark.parametrize("service", ["cas", "mailbox", "all"])
def test_one_bye_and_no_more(running, service):
    """A client that idles, one that has just logged in, one with a command under way."""
    with running.client("demo") as idle, running.client("demo") as quiet, running.client("demo") as busy:
        idle.ok(b"SELECT INBOX")
        idle.send(b"i IDLE\r\n")
        assert idle.line().startswith(b"+")
        busy.ok(b"SELECT INBOX")
        running.imapctl("stop", service)
        for client in (idle, quiet, busy):
            lines = list(iter(client.line, b""))
            assert len(lines) == 1 and lines[0].startswith(b"* BYE"), lines


@pytest.mark.parametrize("service", ["cas", "mailbox"])
def test_drain(patient, service):
    """Nobody new; who uploads may end; all have gone after the time for it."""
    message = lib.message(body=b"x" * 40000 + b"\r\n")
    clients = [patient.client("demo") for _ in range(10)]
    uploader = patient.client("demo")
    uploader.send(b"a APPEND INBOX {%d+}\r\n" % len(message) + message[:1000])
    drain = subprocess.Popen([lib.IMAPCTL, f"--config={patient.config}", "drain", service],
                             stdout=subprocess.PIPE, text=True)
    wait_until(lambda: states(patient)[service] == "draining")
    assert code(patient, "status", service) == 3
    if service == "cas":
        assert not is_listening(patient.imap_port)
    else:
        with patient.client() as late:
            reply = late.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode())
            assert b" NO [UNAVAILABLE]" in reply.tagged
    sent, begun = 1000, time.monotonic()
    while time.monotonic() < begun + 1.2:
        uploader.send(message[sent:sent + 100])
        sent += 100
        time.sleep(0.01)        # a slow line
    uploader.send(message[sent:] + b"\r\n")
    lines = list(iter(uploader.line, b""))
    assert any(line.startswith(b"a OK [APPENDUID") for line in lines), lines
    assert lines[-1].startswith(b"* BYE"), lines
    for client in clients:
        lines = list(iter(client.line, b""))
        assert len(lines) == 1 and lines[0].startswith(b"* BYE"), lines
    assert drain.wait(lib.LIMIT_S) == 0 and drain.stdout.read() == f"{service} is stopped\n"
    assert states(patient)[service] == "stopped"
    drain.stdout.close()
    for client in [*clients, uploader]:
        client.close()


@pytest.mark.parametrize("service", ["cas", "mailbox"])
def test_drain_is_spread(running, service):
    """They do not all come back at the same moment."""
    clients = [running.client("demo") for _ in range(20)]
    gone = []

    def watch(client):
        while client.line() != b"":
            pass
        gone.append(time.monotonic())

    watchers = [threading.Thread(target=watch, args=(client,)) for client in clients]
    for watcher in watchers:
        watcher.start()
    begun = time.monotonic()
    running.imapctl("drain", service)
    for watcher in watchers:
        watcher.join()
    times = sorted(moment - begun for moment in gone)
    assert times[9] > 0.4, times
    for client in clients:
        client.close()


def test_a_running_command_ends_before_bye(running):
    with running.client("demo") as client:
        for number in range(20):
            client.append(b"INBOX", lib.message(number, body=b"y" * 200000 + b"\r\n"))
        client.ok(b"SELECT INBOX")
        client.send(b"f FETCH 1:* BODY.PEEK[]\r\n")
        first = client.line()
        running.imapctl("stop", "cas")
        lines = [first, *iter(client.line, b"")]
        assert sum(b" FETCH (" in line[:40] for line in lines) == 20
        assert lines[-2].startswith(b"f OK") and lines[-1].startswith(b"* BYE")


def test_state_survives_a_restart(running):
    running.imapctl("stop", "cas")
    since = running.imapctl("--json", "services").stdout
    running.stop()
    running.start()
    assert states(running) == {"cas": "stopped", "mailbox": "running"}
    before, after = (json.loads(text)["service"][0] for text in (since, running.imapctl("--json", "services").stdout))
    assert after["asked-by"] == before["asked-by"] == pwd.getpwuid(os.getuid()).pw_name
    assert after["since"] >= before["since"]
    assert not is_listening(running.imap_port)
    running.imapctl("start", "all")
    running.kill()
    running.start()
    assert states(running) == {"cas": "running", "mailbox": "running"}


def test_restart_and_start_again_are_harmless(running):
    assert running.imapctl("restart", "all").stdout == "all services are running\n"
    running.imapctl("start", "cas")
    running.imapctl("restart", "mailbox")
    running.imapctl("stop", "all")
    running.imapctl("stop", "all")
    running.imapctl("restart", "cas")
    assert states(running) == {"cas": "running", "mailbox": "stopped"}


def test_failed_says_why(running):
    running.imapctl("stop", "cas")
    with socket.create_server(("127.0.0.1", running.imap_port)):
        refused = running.imapctl("start", "cas", check=False)
        assert refused.returncode == 69 and str(running.imap_port) in refused.stderr
        assert states(running)["cas"] == "failed"
        assert code(running, "status", "cas") == 1
        assert code(running, "status") == 3
    running.imapctl("start", "cas")
    assert code(running, "status", "cas") == 0


def test_net_as_exchange_operators_type_it(running):
    stopped = running.imapctl("net", "stop", "msexchangeimap4")
    assert stopped.stdout == "The MSExchangeIMAP4 service (cas) was stopped successfully.\n"
    running.imapctl("net", "stop", "IMAP4BE")
    assert states(running) == {"cas": "stopped", "mailbox": "stopped"}
    running.imapctl("net", "start", "MSExchangeIMAP4BE")
    running.imapctl("net", "start", "imap4")
    assert states(running) == {"cas": "running", "mailbox": "running"}
    wrong = running.imapctl("net", "start", "pop3", check=False)
    assert wrong.returncode == 64 and "MSExchangeIMAP4BE" in wrong.stderr


def test_wrong_words(running):
    assert code(running, "start") == 64
    assert code(running, "stop", "smtp") == 64
    assert code(running, "status", "smtp") == 64


def test_status_without_a_server():
    server = lib.Server(users=())
    asked = server.imapctl("status", check=False)
    assert asked.returncode == 3 and "systemctl start imapd" in asked.stderr
    assert code(server, "start", "cas") == 69
    shutil.rmtree(server.folder)


def test_log_holds_what_happened_and_no_secret(running):
    running.client("demo").close()
    running.imapctl("restart", "cas")
    lines = running.imapctl("log", "100").stdout
    assert "ev=service service=cas state=draining" in lines
    assert lib.PASSWORD not in lines


def test_a_table_on_a_pipe(running):
    lines = running.imapctl("services").stdout.splitlines()
    assert lines[0].split() == ["name", "state", "since", "asked-by", "sessions", "error"]
    assert [line.split()[0:2] for line in lines[1:]] == [["cas", "running"], ["mailbox", "running"]]


# Who may.

needs_root = pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None,
                                reason="other users can be tried by root alone")


@pytest.fixture
def open_folder(running):
    """A program and a server that other users can reach."""
    folder = pathlib.Path("/tmp") / f"imapd-rights-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    shutil.copy(lib.IMAPD, folder / "imapctl")
    running.folder.chmod(0o755)
    running.config.chmod(0o644)
    running.control.chmod(0o666)
    yield running, folder / "imapctl"
    shutil.rmtree(folder)


def ask_as(server, program, user, *words):
    """As this user with nobody's group: a user's number may be that of a group that matters."""
    return subprocess.run(["setpriv", f"--reuid={user}", "--regid=65534", "--clear-groups", program,
                           f"--config={server.config}", *words], capture_output=True, text=True, timeout=lib.LIMIT_S)


@needs_root
def test_a_stranger_is_refused(open_folder):
    server, program = open_folder
    for words in (["stop", "cas"], ["services"], ["status"], ["log"]):
        refused = ask_as(server, program, "65534", *words)
        assert refused.returncode == 77, refused
        assert "imapd-admin" in refused.stderr
    assert states(server) == {"cas": "running", "mailbox": "running"}


@pytest.fixture
def groups():
    """The two groups, and a user who is in none of them yet."""
    made = []
    for group in ("imapd-admin", "imapd-view"):
        if subprocess.run(["getent", "group", group], capture_output=True).returncode != 0:
            machine.change_accounts("groupadd", "--system", group)
            made.append(["groupdel", group])
    name = f"imapdtest{os.getpid()}"
    machine.change_accounts("useradd", "--system", "--no-create-home", name)
    yield name
    # By force: another program of the machine may run under the number that the user got.
    for command in [["userdel", "--force", name], *made]:
        machine.change_accounts(*command)


@needs_root
@pytest.mark.skipif(shutil.which("useradd") is None, reason="no useradd")
def test_groups_are_looked_up_at_once(groups, open_folder):
    server, program = open_folder
    server.control.chmod(0o666)
    user = str(pwd.getpwnam(groups).pw_uid)
    assert ask_as(server, program, user, "services").returncode == 77
    machine.change_accounts("usermod", "-aG", "imapd-view", groups)
    assert ask_as(server, program, user, "services").returncode == 0
    refused = ask_as(server, program, user, "stop", "cas")
    assert refused.returncode == 77 and "imapd-admin" in refused.stderr and "imapd-view" not in refused.stderr
    machine.change_accounts("usermod", "-aG", "imapd-admin", groups)
    assert ask_as(server, program, user, "stop", "cas").returncode == 0
    service = json.loads(server.imapctl("--json", "services").stdout)["service"][0]
    assert service["state"] == "stopped" and service["asked-by"] == groups


LOOKS = (["status"], ["services"], ["log"], ["who"], ["user", "list"], ["user", "list", "--orphans"], ["user", "show", "demo"])
CHANGES = (["start", "cas"], ["stop", "cas"], ["drain", "cas"], ["restart", "mailbox"], ["net", "start", "imap4"],
           ["net", "stop", "imap4be"], ["kick", "demo"], ["reload"], ["acknowledge", "all"], ["user", "del", "demo", "--yes"],
           ["user", "del", "demo", "--purge", "--yes"], ["user", "purge", "demo", "--yes"], ["user", "renew", "demo", "--yes"],
           ["user", "set", "demo", "--imap=off"], ["import", "demo", "eml", "/etc/passwd"])


@needs_root
@pytest.mark.skipif(shutil.which("useradd") is None, reason="no useradd")
def test_who_may_what(groups, open_folder):
    """Each verb, by who may nothing, who may look, and who may everything; each service alone."""
    server, program = open_folder
    server.control.chmod(0o666)
    user = str(pwd.getpwnam(groups).pw_uid)
    for words in (*LOOKS, *CHANGES):
        assert ask_as(server, program, user, *words).returncode == 77, words
    machine.change_accounts("usermod", "-aG", "imapd-view", groups)
    for words in LOOKS:
        assert ask_as(server, program, user, *words).returncode == 0, words
    for words in CHANGES:
        refused = ask_as(server, program, user, *words)
        assert refused.returncode == 77 and "imapd-admin" in refused.stderr, words
    assert states(server) == {"cas": "running", "mailbox": "running"}
    assert "demo" in server.imapctl("user", "list").stdout
    machine.change_accounts("usermod", "-aG", "imapd-admin", groups)
    for name, other in (("cas", "mailbox"), ("mailbox", "cas")):
        for verb, state in (("stop", "stopped"), ("start", "running"), ("drain", "stopped"), ("restart", "running")):
            assert ask_as(server, program, user, verb, name).returncode == 0
            assert states(server) == {name: state, other: "running"}
