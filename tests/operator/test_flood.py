"""The control socket is open to all users of the host where there is a group imapd-view: who floods it keeps nobody else out."""
import subprocess
import sys

import pytest

import grouped
from server import LIMIT_S

# As somebody else: connections that stay, and requests without an end; a line says that they are there.
FLOOD = """
import socket, sys
held = []
for _ in range(300):
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].connect(sys.argv[1])
for one in held:
    one.setblocking(False)
    try:
        one.send(b"status\\n" * 5000)
    except OSError:
        pass
print("there", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server():
    grouped.skip_unless_possible()
    with grouped.Grouped() as running:
        yield running


@pytest.mark.parametrize("uid", [grouped.NEITHER, grouped.VIEW])
def test_flood(server, uid):
    flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(server.control)], user=uid, group=uid, extra_groups=[],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert flood.stdout.readline() == "there\n"
        for _ in range(20):
            assert server.imapctl("services").stdout.count("running") == 2
        assert server.as_user(grouped.CHANGE, "services").stdout.count("running") == 2, "nor another user"
        with server.client("demo") as client:
            client.ok(b"NOOP")
        refusals = [line for line in server.imapctl("log", "200").stdout.splitlines() if "ev=control-refused" in line]
        assert len(refusals) < 100, "nor fills the log"
        full = server.as_user(uid, "services")
        assert full.returncode == 75 and "too many callers" in full.stderr, full
    finally:
        flood.stdin.close()
        flood.wait(LIMIT_S)


def test_who_may_look_may_not_look_into_mail(server):
    with server.client("demo"):
        for words in (["trace", "demo", "--seconds=1"], ["kick", "demo"], ["log", "level", "debug"]):
            refused = server.as_user(grouped.VIEW, *words)
            assert refused.returncode == 77 and refused.stdout == "", words
            assert "imapd-admin" in refused.stderr and "imapd-view" not in refused.stderr
        session = server.as_user(grouped.VIEW, "who", "--json")
        assert session.returncode == 0 and '"mailbox":""' in session.stdout
