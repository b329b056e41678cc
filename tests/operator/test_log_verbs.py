"""`imapctl log` with filters and as it grows; `log level` while the server runs."""
import json
import subprocess

import pytest

import server as lib


@pytest.fixture(scope="module")
def server():
    with lib.Server(users=("demo", "ann")) as running:
        yield running


def level(server):
    found, = json.loads(server.imapctl("--json", "log", "level").stdout)["log-level"]
    return found["level"], found["configured"]


def log(server, *words):
    return [line["text"] for line in json.loads(server.imapctl("--json", "log", "200", *words).stdout)["line"]]


def test_level(server):
    assert level(server) == ("info", "info")
    assert "log-level" not in json.loads(server.imapctl("--json", "status").stdout)["server"][0]
    server.imapctl("log", "level", "debug")
    assert level(server) == ("debug", "info")
    assert json.loads(server.imapctl("--json", "status").stdout)["server"][0]["log-level"] == "debug"
    with server.client("demo"):
        lib.wait_until(lambda: log(server, "--only=level=debug", "--only=ev=cas-state"))
    server.imapctl("log", "level", "error")
    with server.client("ann"):
        pass
    assert not log(server, "--only=ev=login", "--only=user=ann")
    server.imapctl("reload")
    assert level(server) == ("info", "info"), "what is configured"
    changes = log(server, "--only=ev=log-level")
    assert [line.split()[-1] for line in changes] == ["level=debug", "level=error"]
    for wrong in (["loud"], ["debug", "info"], [""]):
        assert server.imapctl("log", "level", *wrong, check=False).returncode == 64


def test_filters(server):
    with server.client("demo"), server.client("ann") as client:
        client.ok(b'ID ("name" "x user=demo sid=1 \\" ev=login")')
    lib.wait_until(lambda: log(server, "--only=ev=logout", "--only=user=ann"))
    of_ann = log(server, "--only=user=ann")
    assert of_ann and all(" user=ann" in line for line in of_ann)
    sid = of_ann[-1].split("sid=")[1].split()[0]
    events = [line.split("ev=")[1].split()[0] for line in log(server, f"--only=sid={sid}")]
    assert events.count("login") == 2 and "id" in events and "logout" in events, "of both roles"
    assert not any("ev=id" in line for line in log(server, "--only=user=demo")), "a client's own words are no fields"
    assert log(server, "--only=user=ANN") and not log(server, "--only=user=an")
    for wrong in ("sid", "=x", ""):
        assert server.imapctl("log", f"--only={wrong}", check=False).returncode == 64


def test_follow(server):
    """Each line once, in order: so many that are there, then those that come, of one user."""
    with server.client("ann"):
        pass
    process = subprocess.Popen([lib.IMAPCTL, f"--config={server.config}", "--json", "log", "200", "--follow", "--only=user=ann"],
                               stdout=subprocess.PIPE, text=True)
    seen = [json.loads(process.stdout.readline())["line"][0]["text"]]
    for _ in range(5):
        with server.client("ann"), server.client("demo"):
            pass
    lib.wait_until(lambda: len(log(server, "--only=user=ann")) >= 4 * 6)
    wanted = log(server, "--only=user=ann")
    while seen[-1] != wanted[-1]:
        seen.append(json.loads(process.stdout.readline())["line"][0]["text"])
    process.kill()
    process.communicate()
    assert seen[-len(wanted):] == wanted[-len(seen):]
    assert server.imapctl("log", "many", "--follow", check=False).returncode == 64
