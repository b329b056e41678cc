"""health and test-connectivity: what is well is said to be, what is not is named, and no trace is left."""
import json
import pathlib
import socket
import sqlite3
import threading

import pytest

import certificates
import server as lib
from test_who import Role


def health(server, *words):
    done = server.imapctl("--json", "health", *words, check=False)
    answer = json.loads(done.stdout)
    answer["sets"] = {one["name"]: one["state"] for one in answer["health-set"]}
    answer["probes"] = {(one["name"], one["target"]): one for one in answer["probe"]}
    return done.returncode, answer


@pytest.fixture(scope="module")
def server():
    with lib.Server() as running:
        yield running


def traces(server):
    users = server.imapctl("user", "list").stdout + server.imapctl("user", "list", "--orphans").stdout
    files = sorted(str(path) for path in pathlib.Path(server.data).rglob("mail.db"))
    return users, files


def test_all_is_well_and_no_trace_is_left(server):
    before = traces(server)
    code, answer = health(server)
    assert code == 0 and set(answer["sets"].values()) == {"Healthy"}, answer
    assert {one["name"]: one["state"] for one in answer["component"]} == {"ImapProxy": "Active", "ImapBackEnd": "Active"}
    assert answer["probes"]["ImapDeepTestProbe", "127.0.0.1"]["state"] == "Healthy"
    ports = [target for name, target in answer["probes"] if name == "ImapCTPProbe"]
    assert ports == [f"imap 127.0.0.1:{server.imap_port}", f"imaps 127.0.0.1:{server.imaps_port}"]
    for _ in range(3):
        assert health(server)[0] == 0
    assert traces(server) == before
    with sqlite3.connect(f"file:{server.data}/directory.db?mode=ro", uri=True) as directory:
        assert sum("healthmailbox" in line for line in directory.iterdump()) <= 1      # the id of the last is remembered


def test_what_a_killed_probe_has_left_goes_the_next_time(server):
    server.imapctl("user", "add", "healthmailbox-0123456789abcdef", input="x\n")
    assert health(server)[0] == 0
    assert "healthmailbox" not in traces(server)[0]


def test_light_writes_nothing(server):
    code, answer = health(server, "--light")
    assert code == 0 and not any(name == "ImapDeepTestProbe" for name, _ in answer["probes"])


def test_a_service_that_is_stopped(server):
    server.imapctl("stop", "mailbox")
    code, answer = health(server)
    assert code == 1 and answer["sets"]["IMAP.Protocol"] == "Unhealthy"
    assert {one["name"]: one["state"] for one in answer["component"]}["ImapBackEnd"] == "Inactive"
    assert answer["probes"]["ImapSelfTestProbe", "mailbox"]["error"] == "stopped"
    server.imapctl("start", "mailbox")
    assert health(server)[0] == 0


def test_a_certificate_that_has_expired(server, tmp_path):
    pki = certificates.Certificates(tmp_path / "pki")
    good = pathlib.Path(server.cert).read_bytes(), pathlib.Path(server.key).read_bytes()
    for ends, state, code in ((-10, "Unhealthy", 1), (5, "Degraded", 0)):
        pathlib.Path(server.cert).write_bytes(pki.certificate(f"ends{ends}", host="localhost", begins=-100, ends=ends).read_bytes())
        pathlib.Path(server.key).write_bytes(pki.key().read_bytes())
        server.imapctl("reload")
        found, answer = health(server, "--light")
        assert (found, answer["probes"]["CertificateMonitor", "localhost"]["state"]) == (code, state)
    pathlib.Path(server.cert).write_bytes(good[0])
    pathlib.Path(server.key).write_bytes(good[1])
    server.imapctl("reload")
    assert health(server, "--light")[1]["sets"]["IMAP"] == "Healthy"


def test_a_user_who_is_broken_is_no_outage(server):
    server.imapctl("user", "add", "broken", input=lib.PASSWORD + "\n")
    with server.client("broken") as client:
        client.append(b"INBOX", lib.message())
    server.stop()
    newest = max(pathlib.Path(server.data).rglob("mail.db"), key=lambda path: path.stat().st_mtime)
    newest.write_bytes(b"x" * 8192)
    server.start()
    with server.client("broken") as client:
        assert b"CORRUPTION" in client.command(b"SELECT INBOX").tagged
    code, answer = health(server)
    assert code == 0 and answer["sets"]["Store"] == "Degraded"
    assert answer["probes"]["ProblemMonitor", "broken"]["state"] == "Degraded"
    server.imapctl("acknowledge", "all")


def test_each_port_of_the_configuration(tmp_path):
    """Those for mail, other hosts, programs and people, too; which one is silent is said."""
    link, metrics, admin, autoconfig, missing = (lib.free_port() for _ in range(5))
    with lib.Server() as server:
        server.imapctl("link-key", server.folder / "link.key")
        server.settings += [f"lmtp-listen {server.folder}/lmtp", f"lmtp-listen 127.0.0.1:{server.lmtp_port}", f"link-listen 127.0.0.1:{link}",
                            f"link-key {server.folder}/link.key", f"metrics-listen 127.0.0.1:{metrics}", f"admin-listen 127.0.0.1:{admin}",
                            f"autoconfig-listen http 127.0.0.1:{autoconfig}", "autoconfig-smtp mail.example.org:587",
                            "hostname mail.example.org"]
        server.stop()
        server.write_config()
        server.start()
        ports = {("LmtpProbe", f"lmtp {server.folder}/lmtp"): "MailboxTransport", ("LmtpProbe", f"lmtp 127.0.0.1:{server.lmtp_port}"): "MailboxTransport",
                 ("LinkPortProbe", f"link 127.0.0.1:{link}"): "IMAP.Protocol", ("MetricsProbe", f"metrics 127.0.0.1:{metrics}"): "Monitoring",
                 ("AdminPageProbe", f"admin 127.0.0.1:{admin}"): "ECP", ("AutoconfigProbe", f"autoconfig 127.0.0.1:{autoconfig}"): "Autodiscover"}
        code, answer = health(server, "--light")
        assert code == 0 and set(answer["sets"].values()) == {"Healthy"}, [one for one in answer["probe"] if one["state"] != "Healthy"]
        for port, name in ports.items():
            assert (answer["probes"][port]["state"], answer["probes"][port]["health-set"]) == ("Healthy", name)

        (server.folder / "lmtp").rename(server.folder / "elsewhere")
        with server.config.open("a") as config:
            config.write(f"metrics-listen 127.0.0.1:{missing}\nlisten imap 127.0.0.1:{missing}\n")
        code, answer = health(server, "--light")
        silent = {port for port, probe in answer["probes"].items() if probe["state"] == "Unhealthy"}
        assert code == 1 and silent == {("LmtpProbe", f"lmtp {server.folder}/lmtp"), ("MetricsProbe", f"metrics 127.0.0.1:{missing}"),
                                        ("ImapCTPProbe", f"imap 127.0.0.1:{missing}")}, answer
        assert all(answer["probes"][port]["error"] for port in silent)
        assert {name for name, state in answer["sets"].items() if state == "Unhealthy"} == {"MailboxTransport", "Monitoring", "IMAP"}

        server.write_config()
        server.imapctl("stop", "mailbox")
        code, answer = health(server, "--light")
        assert code == 1 and answer["probes"]["LmtpProbe", f"lmtp 127.0.0.1:{server.lmtp_port}"]["state"] == "Disabled"


def test_something_else_is_spoken_there(server):
    """A port that another program has taken: it answers, and not as ours does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        def answer_once():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-none\r\n")

        thread = threading.Thread(target=answer_once)
        thread.start()
        good = server.config.read_text()
        server.config.write_text(good + f"metrics-listen 127.0.0.1:{port}\n")
        code, answer = health(server, "--light")
        server.config.write_text(good)
        thread.join(lib.LIMIT_S)
    probe = answer["probes"]["MetricsProbe", f"metrics 127.0.0.1:{port}"]
    assert code == 1 and (probe["state"], probe["error"]) == ("Unhealthy", "something else is spoken there")


def test_nobody_is_there():
    with lib.Server() as server:
        server.stop()
        done = server.imapctl("health", check=False)
        assert done.returncode == 3
        server.start()


# From outside.

def connect(server, url, *words, password=lib.PASSWORD):
    done = server.imapctl("--json", "test-connectivity", url, *words, input=password + "\n", check=False)
    answer = json.loads(done.stdout)
    return done.returncode, {step["Scenario"]: step["Result"] for step in answer["step"]}, answer


@pytest.mark.parametrize("kind", ["imap", "imaps"])
def test_connectivity(server, kind):
    with server.client("demo") as client:
        client.ok(b'LIST "" *')
    before = server.imapctl("quota", "demo").stdout, server.imapctl("undelete", "demo", "--list").stdout
    port = server.imap_port if kind == "imap" else server.imaps_port
    code, steps, answer = connect(server, f"{kind}://demo@localhost:{port}", f"--tls-ca={server.cert}")
    assert code == 0 and set(steps.values()) == {"Success"} and len(steps) == 11, answer
    assert (server.imapctl("quota", "demo").stdout, server.imapctl("undelete", "demo", "--list").stdout) == before
    with server.client("demo") as client:
        assert not any(b"imapd-test" in line for line in client.ok(b'LIST "" *').untagged)


def test_each_failure_has_its_code_and_its_sentence(server):
    port = server.imaps_port
    for url, words, password, code, step, text in (
            (f"imaps://demo@nowhere.invalid:{port}", (), lib.PASSWORD, 68, "DNS", "nowhere.invalid"),
            (f"imaps://demo@127.0.0.1:{lib.free_port()}", (), lib.PASSWORD, 69, "Connect", "nobody listens"),
            (f"imaps://demo@127.0.0.1:{port}", (), lib.PASSWORD, 76, "TLS", "authority"),
            (f"imaps://demo@127.0.0.1:{port}", ("--insecure", "--light"), "wrong", 77, "Login", "refused"),
            (f"imap://demo@127.0.0.1:{server.lmtp_port}", ("--insecure",), lib.PASSWORD, 76, "Greeting", "")):
        found, steps, answer = connect(server, url, *words, password=password)
        assert (found, steps[step]) == (code, "Failure"), answer
        assert text in answer["error"]["text"] and answer["error"]["text"].startswith(f"{step}: ")
        assert steps["Logout"] == "Skipped"


def test_no_room(server):
    server.imapctl("user", "set", "demo", "--quota-mailboxes=1")
    code, steps, _ = connect(server, f"imaps://demo@localhost:{server.imaps_port}", f"--tls-ca={server.cert}")
    assert code in (73, 76) and steps["Append"] == "Failure"
    server.imapctl("user", "set", "demo", "--quota-mailboxes=default")


def test_the_way_to_a_mailbox_server(tmp_path):
    """On the cas of two hosts: within what time each mailbox server answers, or why it does not."""
    port, key = lib.free_port(), tmp_path / "link.key"
    mailbox = Role("mailbox", [f"link-listen 127.0.0.1:{port}", f"link-key {key}"])
    mailbox.imapctl("link-key", key)
    cas = Role("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}", "directory link mbx1"])
    with mailbox, cas:
        lib.wait_until(lambda: health(cas)[1]["probes"]["ImapProxyTestProbe", "mbx1"]["ms"] > 0)
        code, answer = health(cas)
        assert code == 0 and answer["sets"]["IMAP.Proxy"] == "Healthy"
        code, answer = health(mailbox)
        assert code == 0 and answer["probes"]["ImapSelfTestProbe", "mailbox"]["state"] == "Healthy", answer
        mailbox.stop()
        lib.wait_until(lambda: health(cas)[0] == 1)
        probe = health(cas)[1]["probes"]["ImapProxyTestProbe", "mbx1"]
        assert probe["state"] == "Unhealthy" and probe["error"] and probe["ms"] == 0
