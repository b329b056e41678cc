"""A real Prometheus asks a cas and a mailbox server under load: each expression of the dashboard and of the alerts gives
data, and alerts fire when their cause is there.  `make metrics-check`; takes some minutes."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

import certificates
import server as lib

pytestmark = pytest.mark.skipif(not os.environ.get("METRICS"), reason="runs by make metrics-check")

# What has nothing to say while all is well, and why.
SILENT = {
    "increase(imapd_backend_reconnects_total": "no server was lost",
    'imapd_commands_total{job=~".*",instance=~".*",result!="ok"}': "all commands may have been in order",
    "imapd_db_errors_total": "there was no error",
}


class Part(lib.Server):
    """One of two hosts."""

    def __init__(self, role, settings, users=()):
        self.role = role
        super().__init__(settings=settings, users=users)
        self.metrics_port = lib.free_port()
        self.settings.append(f"metrics-listen 127.0.0.1:{self.metrics_port}")
        self.write_config()

    def lines(self):
        kept = "config hostname data control login max " + ("listen tls" if self.role == "cas" else "lmtp")
        return [line for line in super().lines() if line.startswith(tuple(kept.split()))]


class Prometheus:
    def __init__(self, folder, targets):
        self.folder, self.port = folder, lib.free_port()
        rules = (lib.ROOT / "etc/prometheus/imapd.rules.yml").read_text()
        # The same expressions, but nobody waits for them.
        rules = re.sub(r"^        for: .*\n", "", rules, flags=re.M)
        (folder / "rules.yml").write_text(re.sub(r"\[(5|10)m\]", "[15s]", rules))
        (folder / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [ rules.yml ]\n"
            "scrape_configs:\n  - job_name: imapd\n    static_configs:\n"
            f"      - targets: {json.dumps([f'127.0.0.1:{port}' for port in targets])}\n")

    def __enter__(self):
        log = open(self.folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            [lib.need("prometheus"), f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=log, stderr=log)
        lib.wait_until(self.is_ready, 120)
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()

    def ask(self, path, **words):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(words)}") as reply:
            return json.load(reply)["data"]

    def is_ready(self):
        with contextlib.suppress(OSError):
            return all(target["health"] == "up" for target in self.ask("/api/v1/targets")["activeTargets"])

    def query(self, expression):
        return [one for one in self.ask("/api/v1/query", query=expression)["result"] if one["value"][1] != "NaN"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("/api/v1/alerts")["alerts"] if alert["state"] == "firing"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    key, disk = folder / "link.key", folder / "disk"
    subprocess.run([lib.IMAPCTL, "link-key", key], check=True)
    port = lib.free_port()
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk]).returncode != 0:
        pytest.skip("a small disk takes root")
    pki = certificates.Certificates(folder / "pki")
    try:
        with contextlib.ExitStack() as stack:
            mailbox = stack.enter_context(Part("mailbox", [f"link-listen 127.0.0.1:{port}", f"link-key {key}",
                                                           f"data-directory {disk}"], users=("demo",)))
            cas = stack.enter_context(Part("cas", [f"mailbox-server mbx1 127.0.0.1:{port}", f"link-key {key}",
                                                   "directory link mbx1", "link-timeout 4"]))
            prometheus = stack.enter_context(Prometheus(folder, [cas.metrics_port, mailbox.metrics_port]))
            yield cas, mailbox, prometheus, disk, pki
    finally:
        subprocess.run(["umount", "-l", disk])


def work(cas, mailbox, seconds):
    """What clients do, some of it wrong."""
    letter, end = lib.message(), time.monotonic() + seconds
    with cas.client("demo", tls=True) as client, mailbox.lmtp() as lmtp:
        client.ok(b"SELECT INBOX")
        while time.monotonic() < end:
            client.append(b"INBOX", letter)
            lmtp.deliver(letter, b"demo@localhost")
            client.ok(b"FETCH 1:* (FLAGS ENVELOPE)")
            client.ok(b"SEARCH BODY hello")
            client.command(b"SELECT nowhere")
            client.ok(b"SELECT INBOX")
            with cas.client("demo", tls=True) as other:
                other.command(b"LOGOUT")
            with lib.Client(cas.imap_port) as stranger:
                stranger.command(b"NONSENSE")


def test_each_expression_gives_data(site):
    cas, mailbox, prometheus, _, _ = site
    work(cas, mailbox, 40)
    dashboard = json.loads((lib.ROOT / "etc/grafana/imapd.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    for expression in expressions:
        for name, value in (("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*")):
            expression = expression.replace(name, value)
        if not any(part in expression for part in SILENT):
            lib.wait_until(lambda: prometheus.query(expression), 60)	# the last scrape may still come
    rules = prometheus.ask("/api/v1/rules")["groups"][0]["rules"]
    assert len(rules) > 10
    for rule in rules:
        assert rule["health"] == "ok", rule
    bad = prometheus.query('scrape_samples_scraped{job="imapd"} < 50')
    assert not bad, bad
    series = prometheus.query('max(scrape_samples_scraped{job="imapd"})')[0]["value"][1]
    sys.stderr.write(f"\n{len(expressions)} expressions, {len(rules)} alerts, at most {series} series of a process\n")
    assert prometheus.firing() <= {"ImapdDiskFillsUp", "ImapdSlowCommits", "ImapdSlowLoop", "ImapdSlowCommands"}


def fires(prometheus, alert):
    lib.wait_until(lambda: alert in prometheus.firing(), 60)


def ceases(prometheus, alert):
    lib.wait_until(lambda: alert not in prometheus.firing(), 60)


def test_a_mailbox_server_that_is_gone(site):
    cas, mailbox, prometheus, _, _ = site
    mailbox.stop()
    for alert in ("ImapdDown", "ImapdMailboxServerDown"):
        fires(prometheus, alert)
    mailbox.start()
    for alert in ("ImapdDown", "ImapdMailboxServerDown"):
        ceases(prometheus, alert)
    lib.wait_until(lambda: prometheus.query("increase(imapd_backend_reconnects_total[1m]) > 0"), 60)


def test_a_service_that_is_stopped(site):
    cas, _, prometheus, _, _ = site
    cas.imapctl("stop", "cas")
    fires(prometheus, "ImapdServiceNotRunning")
    cas.imapctl("start", "cas")
    ceases(prometheus, "ImapdServiceNotRunning")


def test_a_certificate_that_has_expired(site):
    cas, _, prometheus, _, pki = site
    good = pathlib.Path(cas.cert).read_bytes(), pathlib.Path(cas.key).read_bytes()
    pathlib.Path(cas.cert).write_bytes(pki.certificate("old", begins=-100, ends=-10).read_bytes())
    pathlib.Path(cas.key).write_bytes(pki.key().read_bytes())
    cas.imapctl("reload")
    fires(prometheus, "ImapdCertificateExpired")
    pathlib.Path(cas.cert).write_bytes(good[0])
    pathlib.Path(cas.key).write_bytes(good[1])
    cas.imapctl("reload")
    ceases(prometheus, "ImapdCertificateExpired")


def test_a_disk_that_is_full(site):
    cas, mailbox, prometheus, disk, _ = site
    with open(disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"x" * 1000000)
    fires(prometheus, "ImapdDiskFull")
    with mailbox.lmtp() as lmtp:
        for _ in range(3):
            reply = lmtp.deliver(lib.message(), b"demo@localhost")[0]
            assert reply.startswith(b"45"), reply
    for alert in ("ImapdProblem", "ImapdDeliveriesFail"):
        fires(prometheus, alert)
    (disk / "ballast").unlink()
    ceases(prometheus, "ImapdDiskFull")


def test_passwords_that_are_guessed(site):
    cas, _, prometheus, _, _ = site

    strangers = []

    def guess():
        for number in range(20):
            strangers.append(lib.Client(cas.imap_port))
            strangers[-1].send(b"a LOGIN nobody%d wrong\r\n" % number)
        return "ImapdLoginsFail" in prometheus.firing()

    lib.wait_until(guess, 60)
    for stranger in strangers:
        stranger.close()
