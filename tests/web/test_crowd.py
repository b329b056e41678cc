"""The page with ten thousand users and as many sessions: it is paged, looked through and answered without a freeze.

CROWD=10000 is the long form; as a part of `make web-check` it is a few hundred.
"""
import os
import resource
import socket

import pytest

import browser as browsers
import server as lib
from test_browsers import SHOTS, ready

CROWD = int(os.environ.get("CROWD", 400))
SESSIONS = 100		# of a user


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request):
    reason = browsers.missing(request.param)
    if reason:
        pytest.skip(reason)
    running = browsers.BROWSERS[request.param]()
    yield running
    running.close()


@pytest.fixture(scope="module")
def server():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 1000:
        pytest.skip("too few files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CROWD + 1000), hard))
    port = lib.free_port()
    settings = [f"admin-listen 127.0.0.1:{port}", "max-connections 100000", "max-connections-per-user 200", "auth-mechanisms PLAIN",
                "max-connections-per-address 100000"]
    with lib.Server(settings=settings, users=()) as running:
        users = running.folder / "users"
        users.write_text("".join(f"user{number:05}:{{PLAIN}}secret\n" for number in range(-(-CROWD // SESSIONS))))
        running.imapctl("user", "import", str(users))
        users.write_text("".join(f"user{number:05}:{{PLAIN}}\n" for number in range(-(-CROWD // SESSIONS), CROWD)))
        running.imapctl("user", "import", "--no-password", str(users))
        running.page = f"http://127.0.0.1:{port}/"
        held = []
        for first in range(0, CROWD, SESSIONS):		# the first of each user has its password looked at, the others have it easy
            for few in (range(first, first + 1), range(first + 1, min(first + SESSIONS, CROWD))):
                held += (made := [log_in(running, number) for number in few])
                for one in made:
                    wait_for_login(one)
        yield running
        for one in held:
            one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def log_in(server, number):
    """From some ten addresses, as some users."""
    one = socket.socket()
    one.bind((f"127.0.{number % 10 + 1}.1", 0))
    one.connect(("127.0.0.1", server.imap_port))
    one.sendall(b'I ID ("name" "Thunderbird" "version" "140.%d")\r\nA LOGIN user%05d secret\r\n' % (number % 7, number // SESSIONS))
    return one


def wait_for_login(one):
    got = b""
    while b"\r\nA " not in got:
        got += one.recv(65536)
    assert b"\r\nA OK" in got, got


# How long the page was busy at one stretch, at most, since it was asked last.
WATCH = """
window.longest = 0;
let last = performance.now();
setInterval(() => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; }, 10);
"""


def test_crowd(browser, server):
    browser.size(1280, 900)
    browser.scheme("light")
    browser.open("about:blank")
    browser.open(server.imapctl("web").stdout.strip())
    browser.wait("return document.querySelectorAll('.service').length === 2")
    browser.run(WATCH)
    ready(browser, "sessions")
    text = f"{CROWD:,} sessions"
    browser.wait("return document.getElementById('sessions-count').textContent === arguments[0]", text)
    assert browser.run("return document.querySelectorAll('#sessions-table tbody tr').length") == 100
    pages = -(-CROWD // 100)
    assert browser.run("return document.querySelector('#sessions-table [role=status]').textContent") == f"page 1 of {pages}"
    browser.shot(SHOTS / f"{browser.name}-crowd-sessions.png")
    browser.run("document.getElementById('sessions-filter').focus()")
    browser.type("user00001")
    browser.wait("return document.getElementById('sessions-count').textContent === arguments[0]", f"{SESSIONS} of {text}")
    browser.run("const filter = document.getElementById('sessions-filter'); filter.value = ''; filter.dispatchEvent(new Event('input'))")
    browser.wait("return document.getElementById('sessions-count').textContent === arguments[0]", text)
    ready(browser, "users")
    browser.wait("return document.getElementById('users-count').textContent === arguments[0]", f"{CROWD:,} users")
    browser.run("document.getElementById('users-filter').focus()")
    browser.type("0012")
    browser.wait("return /^\\d+ of /.test(document.getElementById('users-count').textContent)")
    browser.shot(SHOTS / f"{browser.name}-crowd-users.png")
    ready(browser, "charts")
    browser.shot(SHOTS / f"{browser.name}-crowd-charts.png")
    print(f"\n{browser.name}: {CROWD} sessions and users, the page was busy for {browser.run('return window.longest'):.0f} ms at most")
    with server.client("user00000", password="secret") as client:
        client.ok(b"NOOP")
