"""What systemd sees: readiness, status, reload, watchdog, handed-over sockets, units that are tight."""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

import pytest

import server as lib

UNITS = sorted((lib.ROOT / "etc/systemd").glob("*.service"))


class Manager:
    """The datagram socket that systemd names in NOTIFY_SOCKET."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(lib.LIMIT_S)
        self.lines = []

    def until(self, wanted):
        """Read on until a line begins so; returns it."""
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            self.lines += lines
            for line in lines:
                if line.startswith(wanted):
                    return line


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    name = f"@imapd-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    made = Manager(name)
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    yield made
    made.socket.close()


def test_ready_status_reload_stop(manager):
    with lib.Server() as server:
        manager.until("READY=1")
        assert manager.until("STATUS=") == "STATUS=cas: 0 sessions, mailbox running"
        server.imapctl("stop", "cas")
        assert manager.until("STATUS=cas stopped") == "STATUS=cas stopped, mailbox running"
        server.imapctl("reload")
        manager.until("RELOADING=1")
        assert any(line.startswith("MONOTONIC_USEC=") for line in manager.lines)
        manager.until("READY=1")
        assert not any(line.startswith("WATCHDOG") for line in manager.lines)
        server.stop()
        manager.until("STOPPING=1")


def test_ready_means_that_all_listens(manager):
    server = lib.Server(users=())
    process = subprocess.Popen([lib.IMAPD, f"--config={server.config}"], stderr=subprocess.DEVNULL)
    try:
        manager.until("READY=1")
        for port in (server.imap_port, server.imaps_port, server.lmtp_port):
            socket.create_connection(("127.0.0.1", port), lib.LIMIT_S).close()
        assert (server.data / "lock").exists()
    finally:
        process.terminate()
        assert process.wait(lib.LIMIT_S) == 0
        shutil.rmtree(server.folder)


def test_watchdog_is_fed_by_the_loop(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with lib.Server(users=()):
        for _ in range(3):
            manager.until("WATCHDOG=1")


def test_watchdog_of_somebody_else(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    with lib.Server(users=()):
        manager.until("STATUS=")
        manager.socket.settimeout(1)
        with pytest.raises(socket.timeout):
            manager.until("WATCHDOG=1")


def test_sockets_of_systemd():
    """They are taken over, and stay open while the service is stopped: clients wait for it."""
    server = lib.Server()
    with socket.create_server(("127.0.0.1", server.imap_port)) as ours:
        start = ('export LISTEN_PID=$$ LISTEN_FDS=1; '
                 f'exec "{lib.IMAPD}" --config="{server.config}" 3<&{ours.fileno()}')
        process = subprocess.Popen(["bash", "-c", start], pass_fds=[ours.fileno()], stderr=subprocess.PIPE, text=True)
        try:
            lines = iter(process.stderr.readline, "")
            seen = []
            assert any(seen.append(line) or " ev=ready" in line for line in lines), seen
            server.add_user("demo")
            with server.client("demo") as client:
                client.ok(b"NOOP")
            server.imapctl("stop", "cas")
            with socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S) as waiting:
                server.imapctl("start", "cas")
                waiting.settimeout(lib.LIMIT_S)
                assert waiting.recv(100).startswith(b"* OK")
        finally:
            process.terminate()
            process.communicate(timeout=lib.LIMIT_S)
            shutil.rmtree(server.folder)


@pytest.mark.skipif(os.getuid() != 0, reason="low ports are root's")
def test_low_ports_can_be_bound_again():
    """Started by root, served as somebody else, stopped and started."""
    folder = pathlib.Path(f"/tmp/imapd-low-{os.getpid()}")
    folder.mkdir(mode=0o755)
    port = lib.free_port(range(700, 1000))
    nobody = pwd.getpwnam("nobody")
    server = lib.Server(folder=folder, settings=[f"listen imap 127.0.0.1:{port}", "user nobody"], users=())
    server.imap_port = port
    for path in (folder, server.data, server.key, server.cert):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    try:
        with server:
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
            server.imapctl("restart", "cas")
            with server.client() as client:
                client.ok(b"NOOP")
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_exposure(unit):
    checked = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                             capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout[-400:] + checked.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_install_puts_all_in_place_and_enables_nothing(tmp_path):
    subprocess.run(["make", "-s", f"BUILD={lib.IMAPD.parent}", f"DESTDIR={tmp_path}", "PREFIX=/usr", "-o",
                    str(lib.IMAPD), "install"], cwd=lib.ROOT, check=True, capture_output=True)
    units = tmp_path / "usr/lib/systemd/system"
    assert {path.name for path in units.iterdir()} == {"imapd.service", "imapd-cas.service",
                                                       "imapd-mailbox.service", "imapd-cas.socket"}
    for path in ("usr/lib/sysusers.d/imapd.conf", "usr/lib/tmpfiles.d/imapd.conf",
                 "usr/share/polkit-1/rules.d/50-imapd.rules", "usr/share/man/man7/imapd-exchange.7"):
        assert (tmp_path / path).exists()
    assert not list((tmp_path / "etc").rglob("*.wants"))
    checked = subprocess.run(["systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", "imapd-cas.service",
                              "imapd-mailbox.service", "imapd.service", "imapd-cas.socket"],
                             capture_output=True, text=True)
    missing = ("not found", "/bin/kill is not executable")  # there is nothing else below that folder
    wrong = [line for line in checked.stderr.splitlines() if not any(words in line for words in missing)]
    assert not wrong, checked.stderr


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None or os.getuid() != 0, reason="no systemd-sysusers here")
def test_sysusers_makes_user_and_groups(tmp_path):
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", lib.ROOT / "etc/systemd/imapd.sysusers"],
                   check=True, capture_output=True)
    assert "imapd:" in (tmp_path / "etc/passwd").read_text()
    groups = (tmp_path / "etc/group").read_text()
    assert "imapd-admin:" in groups and "imapd-view:" in groups
