"""login-referral: LOGIN-REFERRALS (RFC 2221), for those alone who have proved who they are."""
import base64
import json
import subprocess

import pytest

import server as lib

PASSWORD = lib.PASSWORD.encode()
REFERRAL = b"NO [REFERRAL imap://%s;AUTH=*@imap2.example.org:143/] "
SETTINGS = ["login-referral mbx2 imap2.example.org:143"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Of its users some live on a host that nobody can reach: whoever is not referred there is told so."""
    key = tmp_path_factory.mktemp("link") / "link.key"
    subprocess.run([lib.IMAPCTL, "link-key", key], check=True, capture_output=True)
    base = [f"link-key {key}", f"mailbox-server mbx2 127.0.0.1:{lib.free_port()}"]
    with lib.Server(settings=base + SETTINGS, users=("demo", "bob@example.org", "jörg;x")) as running:
        running.base = base
        for name in ("bob@example.org", "jörg;x"):
            running.imapctl("user", "set", name, "--home=mbx2")
        yield running


@pytest.fixture(autouse=True)
def settings(server):
    def reload(*lines):
        server.settings = [*server.base, *lines]
        server.write_config()
        server.imapctl("reload")
    yield reload
    reload(*SETTINGS)


def login(client, user, password=PASSWORD):
    return client.command(b'LOGIN "%s" "%s"' % (user, password)).tagged.split(b" ", 1)[1]


def plain(client, user, password=PASSWORD):
    message = base64.b64encode(b"\0%s\0%s" % (user, password))
    return client.command(b"AUTHENTICATE PLAIN " + message).tagged.split(b" ", 1)[1]


@pytest.mark.parametrize("how", [login, plain])
def test_who_is_referred(server, how):
    with server.client() as client:
        assert b" LOGIN-REFERRALS " in client.greeting
        assert how(client, b"bob@example.org").startswith(REFERRAL % b"bob%40example.org")
        assert how(client, "jörg;x".encode()).startswith(REFERRAL % b"j%C3%B6rg%3Bx")
        assert json.loads(server.imapctl("--json", "status", check=False).stdout)["role"][0]["sessions"] == 0
        assert how(client, b"demo").startswith(b"OK ")          # the same connection, and a user of this host
        assert b"LOGIN-REFERRALS" not in client.ok(b"CAPABILITY").untagged[0]
    lib.wait_until(lambda: any("ev=referral " in line and "user=bob@example.org" in line and "server=imap2.example.org:143" in line
                               for line in server.log_lines))


def test_strangers_learn_nothing(server):
    """Section 6: a wrong password, a user who does not exist and one who lives elsewhere look alike."""
    answers = set()
    for user in (b"bob@example.org", b"demo", b"nobody"):
        with server.client() as client:
            answers.add(login(client, user, b"wrong"))
    assert answers == {b"NO [AUTHENTICATIONFAILED] Authentication failed"}


def test_who_is_denied(server, settings):
    settings(*SETTINGS, "deny-users bob@example.org")
    with server.client() as client:
        assert login(client, b"bob@example.org").startswith(b"NO [AUTHENTICATIONFAILED]")


def test_only_where_it_is_configured(server, settings):
    settings()
    with server.client() as client:
        assert b"LOGIN-REFERRALS" not in client.greeting
        assert login(client, b"bob@example.org").startswith(b"NO [UNAVAILABLE]")


def test_masked(server, settings):
    """From whom it is masked is served as ever: here by a host that is not there."""
    settings(*SETTINGS, "capability-mask LOGIN-REFERRALS id=phone")
    with server.client() as client:
        assert b"LOGIN-REFERRALS" in client.greeting
        client.ok(b'ID ("name" "phone")')
        assert b"LOGIN-REFERRALS" not in client.ok(b"CAPABILITY").untagged[0]
        assert login(client, b"bob@example.org").startswith(b"NO [UNAVAILABLE]")
        client.ok(b'ID ("name" "desktop")')
        assert login(client, b"bob@example.org").startswith(REFERRAL % b"bob%40example.org")


def test_behind_unauthenticate(server):
    """The next user of a connection may be one who lives elsewhere."""
    with server.client("demo") as client:
        assert b" LOGIN-REFERRALS " in client.ok(b"UNAUTHENTICATE").tagged
        assert login(client, b"bob@example.org").startswith(REFERRAL % b"bob%40example.org")
        assert login(client, b"demo").startswith(b"OK ")


@pytest.mark.parametrize("line, reason", [
    ("login-referral mbx3 imap3.example.org:143", 'login-referral: there is no mailbox-server "mbx3"; did you mean "mbx2"?'),
    ("login-referral mbx2 imap2.example.org", 'has no port; did you mean "imap2.example.org:143"?'),
    ("login-referral mbx2 im/ap2:143", "is not HOST:PORT or [IPV6]:PORT"),
    ("login-referral mbx2", "login-referral takes a name and an address"),
    ("login-referral mbx2 a.example.org:143\nlogin-referral mbx2 b.example.org:143", "is not a name of its own"),
])
def test_what_cannot_be_meant(server, tmp_path, line, reason):
    config = tmp_path / "imapd.conf"
    config.write_text("\n".join(each for each in server.config.read_text().splitlines() if "login-referral" not in each) +
                      f"\n{line}\n")
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={config}"], capture_output=True, text=True)
    assert done.returncode == 78 and f"{config}:" in done.stderr and reason in done.stderr, done.stderr
