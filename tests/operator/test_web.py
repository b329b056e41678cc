"""The page's side of HTTP: links that are good once, sessions with two secrets, and the control's own refusals."""
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

import grouped
import server as lib

CALLS = ["status", "services", "who", "kick demo", "acknowledge all", "start cas no-wait", "stop cas no-wait", "drain cas no-wait",
         "restart cas no-wait", "reload", "log 5", "user list", "quota demo", "history"]


class Page:
    """A browser without a face."""

    def __init__(self, port, host=None):
        self.port = port
        self.host = host or f"127.0.0.1:{port}"
        self.cookie = self.key = None

    def send(self, method, path, body=None, **fields):
        """Fields: Origin=None leaves it away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=lib.LIMIT_S)
        given = {"Host": self.host, "Origin": f"http://{self.host}" if method == "POST" else None,
                 "Cookie": self.cookie, "X-Imapd-Key": self.key, **{name.replace("_", "-"): value for name, value in fields.items()}}
        connection.request(method, path, body, {name: value for name, value in given.items() if value is not None})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def login(self, url):
        answer = self.send("POST", "/login", url.partition("#")[2])
        assert answer.status == 200, answer.text
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.who = json.loads(answer.text)
        self.key = self.who["key"]
        return self

    def ask(self, line, **fields):
        return self.send("POST", "/call", line, **fields)

    def json(self, line):
        answer = self.ask(line)
        assert answer.status == 200, answer.text
        return json.loads(answer.text)


def link(server):
    return server.imapctl("web").stdout.strip()


@pytest.fixture(scope="module")
def server():
    port = lib.free_port()
    with lib.Server(settings=[f"admin-listen 127.0.0.1:{port}", "drain-time 1"]) as running:
        running.page_port = port
        yield running


@pytest.fixture
def page(server):
    return Page(server.page_port).login(link(server))


def test_a_link_is_good_once(server):
    url = link(server)
    assert re.fullmatch(rf"http://127\.0\.0\.1:{server.page_port}/#[\w-]{{43}}\n?", url) and url != link(server)
    page = Page(server.page_port).login(url)
    assert page.who["user"] == "root" if os.geteuid() == 0 else page.who["user"]
    assert page.who["mayChange"] is True
    answer = Page(server.page_port).send("POST", "/login", url.partition("#")[2])
    assert answer.status == 401 and "imapctl web" in answer.text and "Set-Cookie" not in answer.headers
    assert page.json("services")["service"][0]["name"] == "cas"


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "A" * 8000])
def test_no_link(server, secret):
    assert Page(server.page_port).send("POST", "/login", secret).status == 401


def test_the_cookie(server):
    answer = Page(server.page_port).send("POST", "/login", link(server).partition("#")[2])
    name, *words = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith(f"imapd-{server.page_port}=") and {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
    assert json.loads(answer.text)["key"] not in name, "who sees the cookie has not seen the key"


def test_files_and_their_policy(server):
    page = Page(server.page_port)
    seen = page.send("GET", "/").text
    files = sorted(path.name for path in (lib.ROOT / "src/web/page").iterdir())
    for name in files:
        answer = page.send("GET", "/" if name == "index.html" else f"/{name}")
        assert answer.status == 200 and answer.text == (lib.ROOT / "src/web/page" / name).read_text()
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy.split("; "))
        assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
        if name != "icon.svg":
            assert "//" not in re.sub(r"(?m)^\s*//.*|\s// .*|http://www\.w3\.org/2000/svg", "", answer.text), name
    assert "<style" not in seen and " style=" not in seen and " on" not in re.sub(r">[^<]*<", "><", seen)
    assert re.findall(r"<script(?![^>]*src=)", seen) == []
    for path in pathlib.Path(lib.ROOT / "src/web/page").glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", path.read_text())


def test_scripts_are_scripts():
    for path in sorted((lib.ROOT / "src/web/page").glob("*.js")):
        try:
            done = subprocess.run(["node", "--check", "--input-type=module"], stdin=path.open(), capture_output=True, text=True, timeout=lib.LIMIT_S)
        except FileNotFoundError:
            pytest.skip("nodejs is not installed")
        assert done.returncode == 0, (path, done.stderr)


@pytest.mark.parametrize("line", CALLS)
def test_each_call_needs_both_secrets_and_the_page(server, page, line):
    refused = {
        "no cookie": (401, {"Cookie": None}), "another cookie": (401, {"Cookie": page.cookie[:-1] + ("A" if page.cookie[-1] != "A" else "B")}),
        "no key": (401, {"X_Imapd_Key": None}), "another key": (401, {"X_Imapd_Key": "A" * 43}),
        "the cookie as key": (401, {"X_Imapd_Key": page.cookie.partition("=")[2]}),
        "no origin": (403, {"Origin": None}), "another origin": (403, {"Origin": "http://evil.example"}),
        "another port": (403, {"Origin": "http://127.0.0.1:1"}), "another scheme": (403, {"Origin": f"https://{page.host}"}),
        "an opaque origin": (403, {"Origin": "null"}), "a page of the same site": (403, {"Sec_Fetch_Site": "same-site"}),
        "another host": (421, {"Host": "evil.example", "Origin": "http://evil.example"}),
    }
    before = server.imapctl("services").stdout
    for name, (status, fields) in refused.items():
        assert page.ask(line, **fields).status == status, name
    assert page.send("GET", "/call").status == 405
    assert [row.split()[:2] for row in server.imapctl("services").stdout.splitlines()] == [row.split()[:2] for row in before.splitlines()]


def test_calls_are_those_of_the_control(server, page):
    assert page.json("status")["role"] == json.loads(server.imapctl("--json", "status").stdout)["role"]
    assert page.json("user list")["user"] == json.loads(server.imapctl("--json", "user", "list").stdout)["user"]
    assert page.json("quota demo")["quota"] == json.loads(server.imapctl("--json", "quota", "demo").stdout)["quota"]
    assert page.json("log 1")["line"][0].startswith("20")
    assert page.json("quota nobody-here")["error"]["code"] == 67
    assert page.json("stop nothing")["error"]["code"] == 64
    assert page.json('quota "no body"')["error"]["code"] == 67
    with server.client("demo"):
        session, = page.json("who")["session"]
        assert session["user"] == "demo" and page.json(f"kick {session['sid']}")["kicked"] == [{"sessions": 1}]
    assert page.json("stop mailbox") == {"schema": 1}
    assert [one["state"] for one in page.json("services")["service"]] == ["running", "stopped"]
    assert page.json("start mailbox") == {"schema": 1}


@pytest.mark.parametrize("line", ["", " ", "user add eve {3}\nabc", "user passwd demo {3}", "quota {5}", "status\nstop all", "import demo", "web",
                                  "statusx", '"trace" demo', "log set-level debug", '"log set-level" debug', '"log" "set-level" debug', "log level", "\tstatus", "status\0", "user show demo", "status " + "a" * 8190])
def test_the_page_may_not_ask_all(server, page, line):
    assert page.ask(line.encode()).status in (400, 413)
    assert page.json("services")["service"][0]["state"] == "running"


def test_hosts(server, page):
    for host in (f"localhost:{server.page_port}", "localhost", "127.0.0.1", f"[::1]:{server.page_port}", "127.0.0.1:80"):
        assert Page(server.page_port, host).send("GET", "/").status == 200, host
    for host in ("evil.example", "localhost.evil.example", f"127.0.0.1.evil.example:{server.page_port}", "10.0.0.1", "127.0.0.1x", "127.1.evil"):
        assert Page(server.page_port, host).send("GET", "/").status == 421, host


def test_leaving(server, page):
    assert page.send("POST", "/logout").status == 204
    assert page.ask("status").status == 401


def test_ending(server, page):
    waiting = link(server)
    done = server.imapctl("web", "--end")
    assert re.fullmatch(r"[1-9]\d* sessions? ended\n", done.stdout)
    assert page.ask("status").status == 401
    assert Page(server.page_port).send("POST", "/login", waiting.partition("#")[2]).status == 401
    assert json.loads(server.imapctl("--json", "web", "--end").stdout)["ended"] == [{"sessions": 0}]


def test_nobody_has_more_than_eight(server):
    pages = [Page(server.page_port).login(link(server)) for _ in range(9)]
    assert [page.ask("services").status for page in pages] == [401] + [200] * 8
    links = [link(server) for _ in range(9)]
    assert Page(server.page_port).send("POST", "/login", links[0].partition("#")[2]).status == 401
    Page(server.page_port).login(links[1])


def test_a_crowd_keeps_nobody_out(server, page):
    crowd = [socket.create_connection(("127.0.0.1", server.page_port)) for _ in range(300)]
    for number, one in enumerate(crowd):
        one.sendall(b"GET / HTT" if number % 2 else b"")
    assert page.json("services")["service"]
    for one in crowd:
        one.close()


def test_no_secret_in_the_log(server):
    url = link(server)
    page = Page(server.page_port).login(url)
    page.json("services")
    text = "\n".join(page.json("log 200")["line"])
    assert "web-session" in text
    for secret in (url.partition("#")[2], page.key, page.cookie.partition("=")[2]):
        assert secret not in text


def test_the_last_hour(server, page):
    """Samples of what was counted, so that charts are full when a page is opened; those that are known are not told again."""
    with server.client("demo") as client:
        client.ok(b"NOOP")
        known = page.json("history")["sample"][-1]["clock-us"]
        for _ in range(5):
            client.ok(b"NOOP")
        lib.wait_until(lambda: any(sample["answered"] >= 6 for sample in page.json(f"history {known}").get("sample", ())))
    answer = page.json("history")
    moment, samples = answer["moment"][0], answer["sample"]
    bounds = len(moment["bounds-us"].split())
    clocks = [sample["clock-us"] for sample in samples]
    assert clocks == sorted(set(clocks)) and clocks[-1] <= moment["clock-us"] and moment["every-ms"] == 5000
    assert all(len(sample[name].split()) == bounds + 1 for sample in samples for name in ("commands", "commits"))
    assert samples[-1]["answered"] >= 6 and samples[-1]["clients"] >= 1 and samples[-1]["logins"] >= 1
    assert int(samples[-1]["commands"].split()[-1]) >= 5, "a cumulative histogram ends with the count"
    for name in ("answered", "not-ok", "logins", "logins-failed", "out", "in"):
        assert [sample[name] for sample in samples] == sorted(sample[name] for sample in samples)
    assert page.json("history x")["error"]["code"] == 64


def test_the_option_at_reload():
    """The page and metrics come, move and go without a new start; what cannot be is said, and what was there stays."""
    port, other, metrics = (lib.free_port() for _ in range(3))
    with lib.Server() as server:
        def settings(*lines):
            server.settings[:] = lines
            server.write_config()
            return server.imapctl("reload", check=False)

        assert settings(f"admin-listen 127.0.0.1:{port}", f"metrics-listen 127.0.0.1:{metrics}").stdout == ""
        page = Page(port).login(link(server))
        assert page.json("history")["sample"]
        assert Page(metrics).send("GET", "/healthz").status == 200
        assert settings(f"admin-listen 127.0.0.1:{port}").stdout == ""
        assert page.ask("services").status == 200, "who is there stays"
        with pytest.raises(ConnectionRefusedError):
            Page(metrics).send("GET", "/healthz")
        settings(f"admin-listen 127.0.0.1:{other}")
        Page(other).login(link(server))
        with pytest.raises(ConnectionRefusedError):
            page.ask("services")
        with socket.create_server(("127.0.0.1", port)):
            refused = settings(f"admin-listen 127.0.0.1:{port}")
            assert str(port) in refused.stdout + refused.stderr
        Page(other).login(link(server))
        settings("admin-listen none")
        assert server.imapctl("web", check=False).returncode == 78
        with pytest.raises(ConnectionRefusedError):
            Page(other).send("GET", "/")


def test_without_the_option(tmp_path):
    with lib.Server() as server:
        done = server.imapctl("web", check=False)
        assert done.returncode == 78 and "admin-listen 127.0.0.1:9993" in done.stderr and done.stdout == ""
        assert json.loads(server.imapctl("--json", "web", check=False).stdout)["web"] == []


def test_a_new_start_ends_all():
    port = lib.free_port()
    with lib.Server(settings=[f"admin-listen 127.0.0.1:{port}"]) as server:
        page = Page(port).login(link(server))
        waiting = link(server)
        server.stop()
        server.start()
        assert page.ask("status").status == 401
        assert Page(port).send("POST", "/login", waiting.partition("#")[2]).status == 401
        Page(port).login(link(server))


def test_who_may_what():
    grouped.skip_unless_possible()
    port = lib.free_port()
    with grouped.Grouped(settings=[f"admin-listen 127.0.0.1:{port}"]) as server:
        viewer = Page(port).login(server.as_user(grouped.VIEW, "web").stdout.strip())
        assert (viewer.who["user"], viewer.who["mayChange"]) == ("daemon", False)
        assert [one["state"] for one in viewer.json("services")["service"]] == ["running", "running"]
        for line in ("stop cas", "drain cas", "restart cas", "start cas", "kick demo", "acknowledge all", "reload"):
            error = viewer.json(line)["error"]
            assert error["code"] == 77 and "imapd-admin" in error["text"], line
        changer = Page(port).login(server.as_user(grouped.CHANGE, "web").stdout.strip())
        assert (changer.who["user"], changer.who["mayChange"]) == ("bin", True)
        assert changer.json("stop cas") == {"schema": 1}
        assert changer.json("start cas") == {"schema": 1}
        stranger = server.as_user(grouped.NEITHER, "web")
        assert stranger.returncode == 77 and stranger.stdout == ""
        # The groups are asked again for each call: who has left them may do nothing more.
        (server.folder / "group").write_text(grouped.GROUPS.replace(":bin\n", ":\n"))
        assert changer.json("stop cas")["error"]["code"] == 77
        assert server.as_user(grouped.VIEW, "web", "--end").stdout == "1 session ended\n"
        assert viewer.ask("services").status == 401
