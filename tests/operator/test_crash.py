"""A fault is a report: in the log, in a file, in status and in sysreport; and without secrets."""
import json
import re
import shutil
import signal
import subprocess

import pytest

import server as lib

SECRET = "planted-Secret-4711"
BODY = b"planted-Body-4711\r\n"


@pytest.fixture(scope="module", autouse=True)
def no_sanitizer():
    """A sanitizer reports faults by itself."""
    if any(sign in lib.IMAPD.read_bytes() for sign in (b"__asan_init", b"__tsan_init")):
        pytest.skip("a sanitizer reports faults by itself")


def end_by(server, number):
    """The process ends by a signal from outside, as by its own fault; its log."""
    server.process.send_signal(number)
    assert server.process.wait(lib.LIMIT_S) == -number
    lib.wait_until(lambda: any("ev=crash-frame" in line for line in server.log_lines))
    lines = list(server.log_lines)
    server.kill()
    return lines


def reports(server):
    return sorted((server.folder / "data").glob("crash-*.txt"))


@pytest.fixture
def server():
    with lib.Server() as server:
        server.add_user("planted", SECRET)
        yield server
        if server.process is None:
            server.start()      # for an end in order


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS], ids=lambda number: number.name)
def test_log_and_report(server, number):
    with server.client("planted", password=SECRET) as client:
        client.append(b"INBOX", b"Subject: x\r\n\r\n" + BODY)
        client.ok(b"SELECT INBOX")
        lines = end_by(server, number)
    event, = (line for line in lines if "ev=crash " in line)
    assert f"signal={number.name}" in event and "version=" in event and "thread=imapd" in event
    report, = reports(server)
    assert f"report={report}" in event and report.stat().st_mode & 0o777 == 0o600
    text = report.read_text()
    assert re.search(r"^\t\S+\tSELECT$", text, re.M) and re.search(r"^\t\S+\tLOGIN$", text, re.M), "what was done before"
    assert re.search(r"^Before, thread storage-\d+:\n(\t.*\n)*\t\S+\twriting$", text, re.M), "... and by workers"
    assert "ev=login" in text, "the last lines of the log"
    frames = re.findall(r"ev=crash-frame number=\d+ at=imapd\+(0x[0-9a-f]+)", "\n".join(lines))
    assert frames and all(f"imapd+{frame}\n" in text for frame in frames)
    for planted in (SECRET, BODY.decode().strip()):
        assert planted not in text and planted not in "\n".join(lines)
    if shutil.which("addr2line"):
        named = subprocess.run(["addr2line", "-fpie", lib.IMAPD, *frames], capture_output=True, text=True, check=True).stdout
        assert re.search(r"^(main|loop_run) at .*\.c:\d+", named, re.M), named


def test_status_and_sysreport(server, tmp_path):
    server.client("planted", password=SECRET).ok(b"NOOP")
    end_by(server, signal.SIGSEGV)
    server.start()
    told = json.loads(server.imapctl("status", "--json", check=False).stdout)
    problem, = (problem for problem in told["problem"] if problem["kind"] == "crash")
    assert problem["path"] == str(reports(server)[0]) and problem["times"] == 1
    with server.client("planted", password=SECRET) as client:
        client.ok(b"NOOP")
        server.imapctl("trace", "planted", "--seconds=1")
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(1), b"planted", sender=b"planted@example.org")[0].startswith(b"250")
        text = server.imapctl("sysreport").stdout
        names = server.imapctl("sysreport", "--names").stdout
    parts = re.findall(r"^== (.*)$", text, re.M)
    assert parts == ["program", "system", "disk of data-directory", "config show -n", "errors and warnings of the configuration",
                     "config in force", "status", "the last crash", "log"]
    assert "ended by SIGSEGV" in text and "libsqlite3.so" in text and "data-directory" in text
    user, = set(re.findall(r"ev=login .*user=(\S+)", text))
    assert "ev=trace " in text and "ev=delivered " in text
    assert re.fullmatch(r"#\d+", user) and "planted" not in text and "127.0.0.1 " not in re.sub(r"listen .*", "", text)
    assert "user=planted" in names
    for planted in (SECRET, lib.PASSWORD):
        assert planted not in text + names
    server.imapctl("sysreport", str(tmp_path / "report.txt"))
    assert (tmp_path / "report.txt").stat().st_mode & 0o777 == 0o600
    assert server.imapctl("sysreport", str(tmp_path / "report.txt"), check=False).returncode == 73, "never over a file"
    assert [part["name"] for part in json.loads(server.imapctl("sysreport", "--json").stdout)["part"]] == parts


def test_sysreport_without_a_server(server):
    server.stop()
    text = server.imapctl("sysreport", check=False).stdout
    assert "the server is not running" in text and re.search(r"^== config show -n\n([a-z].*\n)*data-directory ", text, re.M)
    good = server.config.read_text()
    server.config.write_text(good + "idle-timout 12\n")
    text = server.imapctl("sysreport", check=False).stdout
    assert 'did you mean "idle-timeout"?' in text
    server.config.unlink()
    assert "No such file" in server.imapctl("sysreport", check=False).stdout
    server.config.write_text(good)


def test_the_last_ten_are_kept(server):
    server.stop()
    for second in range(1000, 1014):
        (server.folder / f"data/crash-{second}.txt").write_text("imapd 0 ended\n")
    (server.folder / "data/crash-notes.txt").write_text("an operator's own\n")
    server.start()
    assert [path.name for path in reports(server)] == [f"crash-{second}.txt" for second in range(1004, 1014)] + ["crash-notes.txt"]
    told = json.loads(server.imapctl("status", "--json", check=False).stdout)
    assert not any(problem["kind"] == "crash" for problem in told["problem"]), "years ago"


def test_sysreport_names_nobody_of_the_configuration(server):
    good = server.config.read_text()
    try:
        server.config.write_text(good + 'postmaster boss\ndeny-users planted other\ndeny-users "third one"\nserver-admin mailto:boss@example.org\n')
        server.imapctl("reload")
        text, names = server.imapctl("sysreport").stdout, server.imapctl("sysreport", "--names").stdout
        for part in ("config show -n", "config in force"):
            lines = text.split(f"== {part}\n")[1].split("\n== ")[0].splitlines()
            masked = [line for line in lines if line.split()[0] in ("postmaster", "deny-users", "server-admin")]
            assert len(masked) == 5 and all(re.fullmatch(r"[a-z-]+( #\d+)+", line) for line in masked), masked
            assert any(re.match(r"data-directory \"?/", line) for line in lines), "what names nobody is told"
        for name in ("boss", "planted", "other", "third"):
            assert not re.search(rf"(postmaster|deny-users|server-admin).*\b{name}\b", text) and name in names
    finally:
        server.config.write_text(good)
        server.imapctl("reload")
