"""The operator's page in real browsers without a screen; `make web-check`.

Each view is looked at, by keyboard alone where something is done, at 200 % and at 400 %, in both colour schemes.  Pictures
are left in build/web/.  What this machine lacks is said, and skipped.
"""
import http.server
import os
import pathlib
import re
import subprocess
import threading

import pytest

import browser as browsers
import server as lib

VIEWS = ["overview", "sessions", "charts", "users", "log"]
SHOTS = pathlib.Path(os.environ.get("SHOTS", lib.ROOT / "build/web"))
EVIL = '<img src=x onerror="document.body.id=1">'
FOCUS = "return (document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || document.activeElement.id)"
SEEN = """return [...document.querySelectorAll('.view')].filter((one) => !one.hidden).map((one) => one.id.slice(5)).join()"""


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
    port = lib.free_port()
    with lib.Server(settings=[f"admin-listen 127.0.0.1:{port}", "drain-time 2"], users=("demo", "alice")) as running:
        running.page = f"http://127.0.0.1:{port}/"
        for number in range(120):
            running.imapctl("user", "add", f"user{number:03}", "--no-password", "--quota-storage=10M")
        with running.lmtp() as lmtp:
            for number in range(5):
                assert lmtp.deliver(lib.message(number), b"alice")
        yield running


@pytest.fixture
def page(browser, server):
    """The overview, entered by a new link."""
    browser.size(1280, 900)
    browser.scheme("light")
    browser.scripts(True)
    browser.open("about:blank")
    browser.forget()
    browser.open(server.imapctl("web").stdout.strip())
    browser.wait("return document.querySelectorAll('.service').length === 2", what="two services")
    yield browser
    assert browser.complaints() == []
    strangers = [url for url in browser.requests() if not url.startswith((server.page, "about:", "data:", "chrome"))]
    assert strangers == [], "the page asks nobody but its server"


def to(page, view):
    page.run("location.hash = arguments[0]", view)
    page.wait("return !document.getElementById(`view-${arguments[0]}`).hidden", view)


def tab_to(page, label, limit=80, key="Tab"):
    """By the key Tab alone, as who has no mouse would; by Shift+Tab for what lies behind, since round the end are the browser's own."""
    for _ in range(limit):
        if page.run(FOCUS) == label:
            return
        page.press(key)
    raise AssertionError(f"{key} does not come to {label}; now at {page.run(FOCUS)}")


def fits(page):
    wide = page.run("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], wide
    return page.run("""
        return [...document.querySelectorAll('main *, header *')].filter((one) => one.offsetParent && getComputedStyle(one).position !== 'absolute' &&
            one.getBoundingClientRect().right > window.innerWidth + 1 && !one.closest('svg, caption')).map((one) => one.outerHTML.slice(0, 120))""")


def ready(page, view):
    to(page, view)
    page.wait({
        "overview": "return document.querySelector('#strip b').textContent !== ''",
        "sessions": "return document.getElementById('sessions-count').textContent !== ''",
        "charts": "return document.querySelectorAll('#charts-grid path[d^=M]').length > 2",
        "users": "return /KiB|no limit|MiB/.test(document.getElementById('users-table').innerText)",
        "log": "return document.querySelectorAll('#log-lines p').length > 3",
    }[view], what=view)


def test_each_view(page, server):
    with server.client("demo") as client:
        client.ok(b'ID ("name" "Thunderbird" "version" "140.1")')
        client.ok(b"SELECT INBOX")
        assert page.run("return location.href") == server.page, "the secret has left the address bar"
        for view in VIEWS:
            ready(page, view)
            assert page.run(SEEN) == view
            assert page.run("return document.querySelector('nav [aria-current]').hash") == f"#{view}"
            assert page.run("return window.scrollY") == 0
            page.shot(SHOTS / f"{page.name}-{view}.png")
        assert "Thunderbird" in page.run("return document.getElementById('sessions-table').textContent")
        for chart in page.run("return [...document.querySelectorAll('.chart > svg')].map((one) => one.getAttribute('aria-label'))"):
            assert re.search(r"now|nothing yet", chart), "a chart says in words what it shows"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("zoom", [2, 4])
def test_zoom(page, server, zoom, scheme):
    """200 % on 1280 pixels, and 320 CSS pixels: WCAG 2.1, 1.4.4 and 1.4.10."""
    page.scheme(scheme, reduced=True)
    with server.client("demo"):
        page.size(1280, 900, zoom)
        for view in VIEWS:
            ready(page, view)
            assert fits(page) == [], view
            page.shot(SHOTS / f"{page.name}-{view}-{zoom}00-{scheme}.png")


CONTRASTS = """
const number = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((all, one, index) => all + one * [0.2126, 0.7152, 0.0722][index], 0);
function behind(element) {
    for (let one = element; one; one = one.parentElement) {
        const colour = number(getComputedStyle(one).backgroundColor);
        if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
}
return [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && !one.closest('svg') &&
    [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== '')).map((one) => {
    const [a, b] = [light(number(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), one.outerHTML.slice(0, 100)];
}).filter(([ratio]) => ratio < 4.5);"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrasts(page, server, scheme):
    """4.5 to 1 for all text: WCAG 2.1, 1.4.3."""
    page.scheme(scheme, reduced=True)
    with server.client("demo"):
        for view in VIEWS:
            ready(page, view)
            assert page.run(CONTRASTS) == [], view
        page.shot(SHOTS / f"{page.name}-{VIEWS[-1]}-{scheme}.png")


def state(server, name):
    return next(line.split()[1] for line in server.imapctl("services").stdout.splitlines() if line.startswith(name))


def test_by_keyboard_alone(page, server):
    page.press("Tab")
    assert page.run(FOCUS) == "Skip to the content"
    page.wait("return document.activeElement.getBoundingClientRect().top >= 0", what="it is seen when it has the focus")
    page.press("Enter")
    assert page.run("return document.activeElement.id") == "content"
    tab_to(page, "Stop Client access")
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus is seen"
    page.press("Enter")
    page.wait("return document.getElementById('dialog').open")
    page.shot(SHOTS / f"{page.name}-dialog.png")
    assert page.run(FOCUS) == "Cancel", "what cuts clients off is not one key away"
    page.press("Tab")
    assert page.run(FOCUS) == "Stop"
    page.press("Shift+Tab")
    assert page.run(FOCUS) == "Cancel"
    page.press("Escape")
    page.wait("return !document.getElementById('dialog').open")
    assert page.run(FOCUS) == "Stop Client access" and state(server, "cas") == "running"
    page.press("Enter")
    page.wait("return document.getElementById('dialog').open")
    tab_to(page, "Stop")
    page.press("Space")
    page.wait("return document.querySelector('#card-cas .state').textContent === 'stopped'")
    assert page.run(FOCUS) == "Stop Client access", "the focus stays"
    assert state(server, "cas") == "stopped"
    page.press("Enter")
    assert not page.run("return document.getElementById('dialog').open"), "what is stopped cannot be stopped"
    page.press("Shift+Tab", "Shift+Tab")
    assert page.run(FOCUS) == "Start Client access"
    page.press("Enter")
    page.wait("return document.querySelector('#card-cas .state').textContent === 'running'")
    assert "asked" in page.run("return document.getElementById('notes').textContent")
    for verb, becomes, key in (("Drain Mailboxes", "stopped", "Tab"), ("Start Mailboxes", "running", "Shift+Tab")):
        tab_to(page, verb, key=key)
        page.press("Enter")
        if verb.startswith("Drain"):
            page.wait("return document.getElementById('dialog').open")
            tab_to(page, "Drain")
            page.press("Enter")
        page.wait("return document.querySelector('#card-mailbox .state').textContent === arguments[0]", becomes)
    tab_to(page, "Charts", key="Shift+Tab")
    page.press("Enter")
    page.wait("return !document.getElementById('view-charts').hidden")
    assert page.run("return document.activeElement.id") == "content"


def test_sessions(page, server):
    with server.client("demo") as one, server.client("alice") as other:
        one.ok(b'ID ("name" "%s")' % EVIL.replace('"', "'").encode())
        ready(page, "sessions")
        page.wait("return document.querySelectorAll('#sessions-table tbody tr').length === 2")
        tab_to(page, "sessions-filter")
        page.type("ALI")
        page.wait("return document.querySelectorAll('#sessions-table tbody tr').length === 1")
        assert page.run("return document.getElementById('sessions-count').textContent") == "1 of 2 sessions"
        page.press(*["\ue003"] * 3)
        page.wait("return document.querySelectorAll('#sessions-table tbody tr').length === 2")
        tab_to(page, "User")
        page.press("Enter")
        assert page.run("return document.querySelector('#sessions-table tbody td').textContent") == "demo"
        assert page.run("return document.querySelector('#sessions-table [aria-sort]').getAttribute('aria-sort')") == "descending"
        tab_to(page, "End session of alice from 127.0.0.1")
        page.press("Enter")
        page.wait("return document.getElementById('dialog').open")
        tab_to(page, "End session")
        page.press("Enter")
        page.wait("return document.querySelectorAll('#sessions-table tbody tr').length === 1")
        assert other.line().startswith(b"* BYE") and one.ok(b"NOOP") is not None
        assert page.run("return document.body.id") == "", "what a client calls itself is text"


def test_users(page, server):
    server.imapctl("user", "add", EVIL, "--no-password", check=False)
    ready(page, "users")
    assert page.run("return document.querySelectorAll('#users-table tbody tr').length") == 50
    assert re.fullmatch(r"12[23] users", page.run("return document.getElementById('users-count').textContent"))
    tab_to(page, "Next")
    page.press("Enter", "Enter")
    assert page.run("return document.querySelector('#users-table [role=status]').textContent") == "page 3 of 3"
    page.wait("return /0 B of 10\\.0 MiB/.test(document.getElementById('users-table').innerText)")
    assert page.run("return document.querySelector('#users-table meter').getAttribute('aria-label')") == "0 percent of the quota"
    page.run("document.getElementById('users-filter').focus()")
    page.type("user11")
    page.wait("return document.querySelectorAll('#users-table tbody tr').length === 10")
    assert page.run("return document.body.id") == ""


def test_log(page, server):
    ready(page, "log")
    with lib.Client(server.imap_port) as client:
        client.command(b"LOGIN alice wrong")
    page.run("fetch('/login', { method: 'POST', body: 'wrong' })")		# warning web-refused
    shown = "return [...document.querySelectorAll('#log-lines p')].filter((one) => !one.hidden).map((one) => one.textContent)"
    page.wait("return /auth-fail[^]*web-refused|web-refused[^]*auth-fail/.test(document.getElementById('log-lines').textContent)")
    page.run("document.getElementById('log-user').focus()")
    page.type("alice")
    assert all("alice" in line for line in page.run(shown)) and page.run(shown)
    assert [one for one in page.complaints() if " 401 " not in one] == []
    page.forget()
    page.press(*["\ue003"] * 5)
    page.run("const level = document.getElementById('log-level'); level.value = '1'; level.dispatchEvent(new Event('input'))")
    lines = page.run(shown)
    assert lines and all(re.search(r" (warning|error) ", line) for line in lines)
    assert page.run("return document.body.id") == ""


def test_a_new_start(page, server):
    """The page stays open, says what is the matter, and what to do."""
    server.stop()
    page.wait("return document.getElementById('trouble').textContent.includes('does not answer')")
    assert page.run("return document.getElementById('connection').textContent") == "not connected"
    page.shot(SHOTS / f"{page.name}-lost.png")
    server.start()
    page.wait("return !document.getElementById('door').hidden")
    assert "imapctl web" in page.text() and "started anew" in page.text()
    page.shot(SHOTS / f"{page.name}-door.png")
    # Chromium tells of connections that fail, which they are meant to here.
    assert [one for one in page.complaints() if "ERR_" not in one and " 401 " not in one] == []
    page.open("about:blank")
    page.forget()


def test_another_tab_and_leaving(page, server):
    page.run("window.other = window.open('/', '_blank')")
    page.wait("return window.other && window.other.document.querySelectorAll('.service').length === 2", what="the other tab has asked this one")
    page.run("window.other.close()")
    page.run("document.getElementById('leave').click()")
    page.wait("return !document.getElementById('door').hidden")
    page.open(server.page)
    page.wait("return document.getElementById('door') && !document.getElementById('door').hidden")
    assert "imapctl web" in page.text()


def test_without_scripts(browser, server):
    browser.scripts(False)
    browser.open("about:blank")
    browser.open(server.page)
    browser.shot(SHOTS / f"{browser.name}-without-scripts.png")
    browser.scripts(True)
    page = (lib.ROOT / "src/web/page/index.html").read_text()
    assert "imapctl console" in page.split("<noscript>")[1].split("</noscript>")[0]


def test_a_page_from_elsewhere(browser, server):
    """Another server of this host, whose page tries to use the session that is open beside it."""
    heard = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.headers.get("Cookie", ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>other</title>")

        def log_message(self, *words):
            pass

    browser.open("about:blank")		# or only the part behind the # would change
    browser.open(server.imapctl("web").stdout.strip())
    browser.wait("return document.querySelectorAll('.service').length === 2")
    key = browser.run("return JSON.parse(sessionStorage.getItem('imapd')).key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        browser.open(f"http://127.0.0.1:{other.server_port}/")
        assert browser.run("return sessionStorage.getItem('imapd')") is None
        outcomes = browser.run("""
            window.results = [];
            const ask = (headers) => fetch(arguments[0] + 'call', { method: 'POST', body: 'stop all', credentials: 'include', mode: 'cors', headers })
                .then((answer) => window.results.push(String(answer.status)), () => window.results.push('refused'));
            ask({}); ask({ 'X-Imapd-Key': 'x' });""", server.page)
        assert outcomes is None
        browser.wait("return window.results.length === 2")
        assert browser.run("return window.results") == ["refused", "refused"]
        other.shutdown()
    assert key not in "".join(heard)
    assert state(server, "cas") == "running"


def test_axe(page, server):
    """axe-core's rules, where npm has it: nothing that it calls a violation."""
    script = axe()
    for view in VIEWS:
        ready(page, view)
        page.run(script + "\nwindow.axe = axe;" if page.name == "firefox" else script)
        page.run("window.found = null; axe.run(document, { resultTypes: ['violations'] }).then((result) => { window.found = result.violations"
                 ".map((one) => [one.id, one.nodes.map((node) => node.html).slice(0, 3)]); })")
        page.wait("return window.found !== null")
        assert page.run("return window.found") == [], view


def axe():
    folder = lib.ROOT / "build/axe"
    path = folder / "node_modules/axe-core/axe.min.js"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(["npm", "install", "--no-save", "--prefix", folder, "axe-core@4.10.2"], capture_output=True, text=True, timeout=120)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            pytest.skip("npm is not here, and so no axe-core")
        if done.returncode != 0 or not path.exists():
            pytest.skip("npm cannot fetch axe-core")
    return path.read_text()
