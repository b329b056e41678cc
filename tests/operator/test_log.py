"""What stands in front of a line of the log: a priority in systemd's journal, a time elsewhere."""
import datetime
import os
import re
import signal
import subprocess

import pytest

import server as lib


def run(config, journal, *words):
    """Run imapd until it is ready, or ends, with standard error on a pipe; all its lines."""
    reader, writer = os.pipe()
    about = os.fstat(writer)
    names = {"own": f"{about.st_dev}:{about.st_ino}", "other": f"{about.st_dev}:{about.st_ino + 1}", "odd": "journal"}
    environment = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    if journal is not None:
        environment["JOURNAL_STREAM"] = names[journal]
    process = subprocess.Popen([lib.IMAPD, f"--config={config}", *words], stderr=writer, env=environment)
    os.close(writer)
    lines = []
    with os.fdopen(reader) as text:
        for line in text:
            lines.append(line.rstrip("\n"))
            if " ev=ready" in line:
                process.send_signal(signal.SIGTERM)
    process.wait(lib.LIMIT_S)
    return lines


@pytest.fixture
def server():
    server = lib.Server(users=())
    yield server
    with server:
        pass        # the folder goes with it


PRIORITIES = {"error": "<3>", "warning": "<4>", "info": "<6>", "debug": "<7>"}


def test_the_journal_gets_priorities(server):
    server.settings = ["log-level debug"]
    server.write_config()
    lines = run(server.config, "own")
    levels = set()
    for line in lines:
        found = re.match(r"(<\d>)level=(\w+) ev=\S", line)
        assert found and PRIORITIES[found[2]] == found[1], line
        levels.add(found[2])
    assert {"info"} <= levels


def test_an_error_at_the_start_is_one_in_the_journal(server):
    server.settings = [f"control-socket {server.folder}/nowhere/control"]
    server.write_config()
    (server.folder / "nowhere").write_text("no folder")
    lines = run(server.config, "own")
    assert lines and all(line.startswith("<3>") for line in lines)
    server.config.write_text("no-such-option 1\nnor-this 2\n")
    lines = run(server.config, "own")
    assert len(lines) >= 3 and all(line.startswith("<3>") for line in lines)
    assert not any(line.startswith("<3>") for line in run(server.config, None))
    server.settings = []
    server.write_config()


@pytest.mark.parametrize("journal", [None, "other", "odd"])
def test_elsewhere_a_line_has_a_time(server, journal):
    begun = datetime.datetime.now(datetime.timezone.utc)
    lines = run(server.config, journal)
    assert any(" ev=ready" in line for line in lines) and any(" ev=stopped" in line for line in lines)
    for line in lines:
        time, level = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (level=\w+ ev=\S+)", line).groups()
        passed = datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) - begun
        assert datetime.timedelta(seconds=-1) < passed < datetime.timedelta(minutes=5)
