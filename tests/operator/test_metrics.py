"""What the server counts: each figure against what was done, and all of them against the manual and promtool."""
import collections
import concurrent.futures
import http.client
import json
import os
import re
import socket
import subprocess
import time

import pytest

import server as lib

SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (-?[0-9.]+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics(collections.UserDict):
    """Series -> value; metrics["imapd_logins_total", "mech=PLAIN", "result=ok"]."""

    def __init__(self, text):
        super().__init__()
        self.text, self.kinds = text, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                assert name not in self.kinds, "a family is in one piece"
                self.kinds[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                key = (name, *(f"{key}={value}" for key, value in LABEL.findall(labels or "")))
                assert key not in self.data, key
                self.data[key] = float(value)

    def __missing__(self, key):
        return 0.0

    def __getitem__(self, key):
        return self.data.get(key if isinstance(key, tuple) else (key,), 0.0)

    def sum(self, name, *labels):
        return sum(value for key, value in self.data.items() if key[0] == name and set(labels) <= set(key[1:]))

    def counters(self):
        for key, value in self.data.items():
            family = re.sub(r"_(bucket|sum|count)$", "", key[0])
            if "counter" == self.kinds.get(key[0]) or "histogram" == self.kinds.get(family):
                yield key, value


def metrics(server):
    return Metrics(server.imapctl("metrics").stdout)


@pytest.fixture(scope="module")
def server():
    with lib.Server() as running:
        yield running


def test_promtool_finds_nothing(server):
    promtool = lib.need("promtool")
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"NOOP")
    done = subprocess.run([promtool, "check", "metrics"], input=server.imapctl("metrics").stdout, text=True,
                          capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def nobody_is_there(server):
    """Who was there before has gone, and that is known."""
    return metrics(server).sum("imapd_connections_active") == 0


def test_commands_and_sessions(server):
    lib.wait_until(lambda: nobody_is_there(server))
    before = metrics(server)
    with server.client("demo") as client:
        client.append(b"INBOX", lib.message())
        client.ok(b"SELECT INBOX")
        client.ok(b"FETCH 1 FLAGS")
        assert client.command(b"SELECT nowhere").tagged.split()[1] == b"NO"
        assert client.command(b"FETCH 1 FLAGS").tagged.split()[1] == b"BAD"
        client.command(b"NONSENSE")
        client.ok(b"SELECT INBOX")
        tag = client.tag()
        client.send(tag + b" IDLE\r\n")
        assert client.line().startswith(b"+")
        now = metrics(server)
        assert now["imapd_connections_active", "role=mailbox", "state=idle"] == 1
        assert now["imapd_connections_active", "role=cas", "state=authenticated"] == 1
        client.send(b"DONE\r\n")
        client.reply(tag)
        assert metrics(server)["imapd_connections_active", "role=mailbox", "state=selected"] == 1
        client.ok(b"UNSELECT")
        assert metrics(server)["imapd_connections_active", "role=mailbox", "state=authenticated"] == 1
        client.command(b"LOGOUT")
    lib.wait_until(lambda: nobody_is_there(server))
    after = metrics(server)

    def grown(*key):
        return after[key] - before[key]

    for command, *numbers in (("SELECT", 2, 1, 0), ("FETCH", 1, 0, 1), ("APPEND", 1, 0, 0), ("IDLE", 1, 0, 0),
                              ("LOGIN", 1, 0, 0), ("LOGOUT", 1, 0, 0), ("AUTHENTICATE", 0, 0, 0), ("unknown", 0, 0, 1)):
        found = [grown("imapd_commands_total", f"command={command}", f"result={result}") for result in ("ok", "no", "bad")]
        assert found == numbers, command
    assert grown("imapd_command_duration_seconds_count", "command=SELECT") == 3
    assert ("imapd_command_duration_seconds_count", "command=IDLE") not in after
    assert grown("imapd_connections_total", "role=cas", "listener=imap") == 1
    assert grown("imapd_connections_total", "role=mailbox", "listener=link") == 1
    assert grown("imapd_connections_closed_total", "role=cas", "reason=logout") == 1
    assert grown("imapd_connections_closed_total", "role=mailbox", "reason=logout") == 1
    assert grown("imapd_logins_total", "mech=PLAIN", "result=ok") == 1
    assert grown("imapd_auth_duration_seconds_count") == 1
    assert grown("imapd_received_bytes_total", "listener=imap") > len(lib.message())
    assert grown("imapd_sent_bytes_total", "listener=imap") > 100


def test_histograms_fit_themselves(server):
    found = metrics(server)
    families = [name for name, kind in found.kinds.items() if kind == "histogram"]
    assert len(families) >= 6
    for key, value in found.items():
        name = re.sub(r"_count$", "", key[0])
        if name not in families or not key[0].endswith("_count"):
            continue
        buckets = [value for other, value in found.items()
                   if other[0] == f"{name}_bucket" and other[1:-1] == key[1:]]
        assert buckets == sorted(buckets) and buckets[-1] == value


def test_failed_logins(server):
    lib.wait_until(lambda: nobody_is_there(server))
    before = metrics(server)
    with lib.Client(server.imap_port) as client:
        assert b"AUTHENTICATIONFAILED" in client.command(b"LOGIN demo wrong").tagged
    lib.wait_until(lambda: nobody_is_there(server))
    after = metrics(server)
    key = "imapd_logins_total", "mech=PLAIN", "result=failed"
    assert after[key] - before[key] == 1
    key = "imapd_connections_closed_total", "role=cas", "reason=client-closed"
    assert after[key] - before[key] == 1


def test_nothing_goes_back_when_a_service_is_stopped(server):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        before = metrics(server)
        server.imapctl("stop", "all")
        stopped = metrics(server)
    assert stopped["imapd_role_running", "role=cas"] == stopped["imapd_role_running", "role=mailbox"] == 0
    assert ("imapd_db_open",) not in stopped
    server.imapctl("start", "all")
    after = metrics(server)
    assert after["imapd_role_running", "role=cas"] == 1
    assert after["imapd_connections_closed_total", "role=cas", "reason=server-stops"] + \
        after["imapd_connections_closed_total", "role=cas", "reason=logout"] > 0
    for earlier, later in ((before, stopped), (stopped, after)):
        for key, value in earlier.counters():
            assert later[key] >= value, key


def test_records_say_the_same(server):
    records = json.loads(server.imapctl("--json", "metrics").stdout)
    text = metrics(server)
    assert len(records["moment"]) == 1 and len(records["moment"][0]["bounds-us"].split()) == 18
    by_key = {(row["name"], *filter(None, row["labels"].split(","))): row.get("value") for row in records["series"]}
    for key, value in by_key.items():
        assert key in text, key
    key = "imapd_logins_total", "mech=PLAIN", "result=ok"
    assert by_key[key] == text[key] > 0
    row, = (row for row in records["histogram"] if row["labels"] == "command=SELECT")
    assert row["count"] == int(row["buckets"].split()[-1]) == text["imapd_command_duration_seconds_count", "command=SELECT"]


def test_the_page_has_them_all(server):
    page = (lib.ROOT / "man/imapd-metrics.7").read_text()
    for name in metrics(server).kinds:
        item = re.search(rf"^\.It Li {name}( Brq (.*))?$", page, re.M)
        assert item, name
        labels = {label.split("=")[0] for key in metrics(server) if key[0] == name for label in key[1:]}
        assert labels <= set((item[2] or "").split(", ")), name


def test_no_label_says_who(server):
    text = server.imapctl("metrics").stdout
    assert "demo" not in text and "127.0.0.1" not in text and "INBOX" not in text


def test_appends_and_limits(server):
    before = metrics(server)
    letter = lib.message()
    with server.client("demo") as client:
        client.append(b"INBOX", letter)
        assert client.command(b"CREATE inbox").tagged.split()[1] == b"NO"
        server.imapctl("user", "set", "demo", "--quota-messages=1")
        lib.wait_until(lambda: b"OVERQUOTA" in client.command(b"APPEND INBOX {%d+}\r\n%s" % (len(letter), letter)).tagged)
        server.imapctl("user", "set", "demo", "--quota-messages=default")
    after = metrics(server)
    assert after["imapd_append_total", "result=ok"] - before["imapd_append_total", "result=ok"] >= 1
    assert after["imapd_append_bytes_total"] - before["imapd_append_bytes_total"] >= len(letter)
    assert after["imapd_append_total", "result=permanent"] - before["imapd_append_total", "result=permanent"] == 1
    assert after["imapd_limit_hits_total", "limit=quota"] - before["imapd_limit_hits_total", "limit=quota"] == 1
    assert after["imapd_commit_duration_seconds_count"] > before["imapd_commit_duration_seconds_count"]


def test_deliveries():
    with lib.Server(settings=["message-size-limit 4K"]) as server:
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(), b"demo@localhost")[0].startswith(b"250")
            assert lmtp.command(b"MAIL FROM:<>")[-1].startswith(b"250")
            assert lmtp.command(b"RCPT TO:<nobody@localhost>")[-1].startswith(b"550")
            lmtp.command(b"RSET")
            assert lmtp.deliver(lib.message(body=b"x" * 70 + b"\r\n" * 4096), b"demo@localhost")[0].startswith(b"552")
            assert metrics(server)["imapd_connections_active", "role=mailbox", "state=lmtp"] == 1
            lmtp.command(b"QUIT")
        lib.wait_until(lambda: nobody_is_there(server))
        found = metrics(server)
    assert found["imapd_lmtp_deliveries_total", "result=ok"] == 1
    assert found["imapd_lmtp_deliveries_total", "result=permanent"] == 2
    assert found["imapd_lmtp_delivery_duration_seconds_count"] == 2
    assert found["imapd_lmtp_delivered_bytes_total"] >= len(lib.message())
    assert found["imapd_connections_total", "role=mailbox", "listener=lmtp"] == 1
    assert found["imapd_connections_closed_total", "role=mailbox", "reason=logout"] == 1


def test_handshakes(server):
    lib.wait_until(lambda: nobody_is_there(server))
    before = metrics(server)
    with server.client("demo", tls=True) as client:
        client.ok(b"NOOP")
    with socket.create_connection(("127.0.0.1", server.imaps_port)) as stranger:
        stranger.sendall(b"a login b c\r\n")
        while stranger.recv(4096):
            pass
    lib.wait_until(lambda: nobody_is_there(server))
    after = metrics(server)
    assert after.sum("imapd_tls_handshakes_total", "result=ok") - before.sum("imapd_tls_handshakes_total", "result=ok") == 1
    key = "imapd_tls_handshakes_total", "result=failed", "version=none"
    assert after[key] - before[key] == 1
    key = "imapd_connections_closed_total", "role=cas", "reason=tls-failed"
    assert after[key] - before[key] == 1
    assert after["imapd_tls_cert_expiry_timestamp_seconds", "certificate=localhost"] > time.time()


def test_what_is_in_memory_is_a_hit(server):
    with server.client("demo") as client:
        client.append(b"INBOX", lib.message())
        client.ok(b"SELECT INBOX")
        client.ok(b"FETCH 1:* ENVELOPE")
        before = metrics(server)
        client.ok(b"FETCH 1:* ENVELOPE")
        client.ok(b"UNSELECT")
        client.ok(b"SELECT INBOX")
        after = metrics(server)
    for cache in ("rendered", "state"):
        key = "imapd_cache_requests_total", f"cache={cache}", "result=hit"
        assert after[key] > before[key], cache



def test_stats_for_people(server):
    lib.wait_until(lambda: nobody_is_there(server))
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.append(b"INBOX", lib.message())
        text = server.imapctl("stats").stdout
        stats = json.loads(server.imapctl("--json", "stats").stdout)
    assert max(map(len, text.splitlines())) <= 80
    assert {row["what"]: row["now"] for row in stats["amount"]}["mailbox selected"] == 1
    found = metrics(server)
    for row in stats["command"]:
        assert row["count"] == found["imapd_command_duration_seconds_count", f"command={row['command']}"] or \
            row["command"] == "LOGOUT"
        assert 0 < row["p50-ms"] <= row["p99-ms"] <= 60000
    rates = {row["what"]: row["count"] for row in stats["rate"]}
    assert rates["messages appended"] == found["imapd_append_total", "result=ok"] > 0
    assert rates["logins"] == found.sum("imapd_logins_total", "result=ok") > 0


def test_stats_of_an_interval(server):
    with server.client("demo") as client, concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.imapctl, "--json", "stats", "--interval=2")
        while not waiting.done():
            client.ok(b"NOOP")
        stats = json.loads(waiting.result().stdout)
    assert 2 <= stats["period"][0]["seconds"] < 60
    rows = {row["command"]: row for row in stats["command"]}
    assert 0 < rows["NOOP"]["count"] <= metrics(server)["imapd_commands_total", "command=NOOP", "result=ok"]
    assert set(rows) <= {"NOOP", "LOGIN", "CAPABILITY"}


# As Prometheus and balancers ask.

def get(where, path="/metrics", headers=(), method="GET"):
    """(status, headers, body) by the path of a Unix socket, or a port of the loopback."""
    if isinstance(where, int):
        connection = http.client.HTTPConnection("127.0.0.1", where, timeout=lib.LIMIT_S)
    else:
        connection = http.client.HTTPConnection("localhost", timeout=lib.LIMIT_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(lib.LIMIT_S)
        connection.sock.connect(str(where))
    try:
        connection.request(method, path, headers=dict(headers))
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        connection.close()


def endpoint(server):
    return f"{server.folder}/control.metrics"


@pytest.fixture(scope="module")
def served():
    port = lib.free_port()
    with lib.Server(settings=[f"metrics-listen 127.0.0.1:{port}"]) as running:
        running.metrics_port = port
        yield running


def test_the_endpoint(served):
    for where in (endpoint(served), served.metrics_port):
        status, headers, body = get(where)
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert set(Metrics(body).kinds) == set(metrics(served).kinds)
        status, headers, body = get(where, headers={"Accept": "application/openmetrics-text;version=1.0.0"}.items())
        assert (status, body[-6:]) == (200, "# EOF\n")
        assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert get(where, "/healthz")[::2] == (200, "ok\n")
        assert get(where, "/readyz")[::2] == (200, "cas: ok\nmailbox: ok\n")
        assert get(where, "/metricsx")[0] == 404
        assert get(where, method="POST")[0] == 405
    assert get(served.metrics_port, headers={"Host": "evil.example.org"}.items())[0] == 421
    assert oct(os.stat(endpoint(served)).st_mode & 0o777) == oct(os.stat(f"{served.folder}/control").st_mode & 0o777)


def test_who_is_not_ready_says_why(served):
    served.imapctl("stop", "mailbox")
    assert get(endpoint(served), "/readyz")[::2] == (503, "cas: no mailbox server answers\nmailbox: stopped\n")
    assert get(endpoint(served), "/healthz")[0] == 200
    served.imapctl("start", "mailbox")
    served.imapctl("stop", "cas")
    assert get(endpoint(served), "/readyz")[::2] == (503, "cas: stopped\nmailbox: ok\n")
    served.imapctl("start", "all")
    assert get(endpoint(served), "/readyz")[0] == 200


def test_a_storm_and_a_slow_reader_do_not_matter(served):
    slow = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    for each in slow:
        each.connect(endpoint(served))
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        each.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)     # and the answers are not read
    with served.client("demo") as client, concurrent.futures.ThreadPoolExecutor(16) as pool:
        storm = [pool.submit(get, endpoint(served)) for _ in range(200)]
        for _ in range(20):
            client.ok(b"NOOP")
        for each in storm:
            assert each.result()[0] in (200, 503)
    assert get(served.metrics_port)[0] == 200
    for each in slow:
        each.close()


def test_other_hosts_cannot_ask(tmp_path):
    config = tmp_path / "imapd.conf"
    for address in ("0.0.0.0:9143", "[::]:9143", "192.0.2.1:9143", "localhost.example.org:9143"):
        config.write_text(f"config-version 1\nhostname localhost\nrole mailbox\ndata-directory {tmp_path}\n"
                          f"control-socket {tmp_path}/control\nmetrics-listen {address}\n")
        done = subprocess.run([lib.IMAPD, "--check-config", f"--config={config}"], text=True, capture_output=True)
        assert done.returncode == 78 and "imapd.conf:6:" in done.stderr + done.stdout, done


def test_a_socket_that_cannot_be_made_keeps_nobody_out():
    with lib.Server() as server:
        server.stop()
        os.mkdir(endpoint(server))
        server.start()
        with server.client("demo") as client:
            client.ok(b"NOOP")
        server.stop()
        assert any("ev=metrics-socket" in line for line in server.log_lines)
        os.rmdir(endpoint(server))
        server.start()
