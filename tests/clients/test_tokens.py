"""OAUTHBEARER (RFC 7628) and XOAUTH2 with tokens of an issuer that is no part of imapd, by a client written from the
texts, and by curl and GNU SASL."""
import base64
import json
import os
import subprocess
import threading
import time

import pytest

import server as lib
from tokens import AUDIENCE, NAME, Issuer


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
def server(issuer, tmp_path):
    keys = tmp_path / "jwks.json"
    keys.write_text(issuer.jwks())
    with lib.Server(settings=[f"oauth-issuer {NAME} {keys}", f"oauth-audience other {AUDIENCE}", "login-type secure",
                              "oauth-openid-configuration https://login.example.org/.well-known/openid-configuration"],
                    users=("demo", "tim@example.org")) as running:
        yield running


def bearer(user, token):
    name = "a=" + user.replace("=", "=3D").replace(",", "=2C") if user else ""
    return f"n,{name},\x01host=localhost\x01port=993\x01auth=Bearer {token}\x01\x01".encode()


def xoauth2(user, token):
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


FORMS = {b"OAUTHBEARER": bearer, b"XOAUTH2": xoauth2}


def log_in(client, mechanism, message, has_initial_response=True, answer=None):
    """The tagged line, and the error that came before it."""
    if has_initial_response:
        client.send(b"s AUTHENTICATE %s %s\r\n" % (mechanism, base64.b64encode(message)))
    else:
        client.send(b"s AUTHENTICATE %s\r\n" % mechanism)
        assert client.line().startswith(b"+")
        client.send(base64.b64encode(message) + b"\r\n")
    line, error = client.line(), None
    if line.startswith(b"+ "):
        error = json.loads(base64.b64decode(line[2:]))
        client.send((answer if answer is not None else b"AQ==" if mechanism == b"OAUTHBEARER" else b"") + b"\r\n")
        line = client.line()
    return line, error


def refused(server, mechanism, user, token):
    with server.client(tls=True) as client:
        line, error = log_in(client, mechanism, FORMS[mechanism](user, token))
        assert line.startswith(b"s NO [AUTHENTICATIONFAILED]"), line
        return error


@pytest.mark.parametrize("has_initial_response", [True, False], ids=["with SASL-IR", "without"])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("mechanism", FORMS)
def test_a_token(server, issuer, mechanism, algorithm, has_initial_response):
    with server.client(tls=True) as client:
        assert b"AUTH=" + mechanism in client.greeting
        message = FORMS[mechanism]("tim@example.org", issuer.token("Tim@example.org", algorithm))
        line, error = log_in(client, mechanism, message, has_initial_response)
        assert line.startswith(b"s OK") and error is None
        client.ok(b"SELECT INBOX")
    lib.wait_until(lambda: any("ev=login" in line and "user=tim@example.org" in line and
                               f"mech={mechanism.decode()} " in line for line in server.log_lines))


def test_the_token_may_name_the_user_alone(server, issuer):
    with server.client(tls=True) as client:
        assert log_in(client, b"OAUTHBEARER", bearer("", issuer.token("demo")))[0].startswith(b"s OK")


def test_long_tokens(server, issuer):
    token = issuer.token("demo", "RS256", groups=["x" * 4000])
    with server.client(tls=True) as client:
        assert log_in(client, b"XOAUTH2", xoauth2("demo", token), False)[0].startswith(b"s OK")


def test_a_token_shows_itself_to_nobody_without_tls(server, issuer):
    with server.client() as client:
        assert b"AUTH=" not in client.greeting
        answer = client.command(b"AUTHENTICATE XOAUTH2 " + base64.b64encode(xoauth2("demo", issuer.token("demo"))))
        assert b" NO [PRIVACYREQUIRED]" in answer.tagged


def now():
    return int(time.time())


BAD = {
    "expired": ("token-expired", lambda issuer: issuer.token("demo", exp=now() - 100)),
    "without an end": ("token-expired", lambda issuer: issuer.token("demo", exp=None)),
    "not yet": ("token-not-yet", lambda issuer: issuer.token("demo", nbf=now() + 1000)),
    "of the future": ("token-not-yet", lambda issuer: issuer.token("demo", iat=now() + 1000)),
    "for somebody else": ("token-audience", lambda issuer: issuer.token("demo", aud=["calendar"])),
    "by somebody else": ("token-issuer", lambda issuer: issuer.token("demo", iss="https://evil.example")),
    "with another key": ("token-signature", lambda issuer: Issuer().token("demo")),
    "unsigned": ("token-algorithm", lambda issuer: issuer.token("demo", "none")),
    "signed with a public key": ("token-algorithm", lambda issuer: issuer.token("demo", "HS256")),
    "of another user": ("not-permitted", lambda issuer: issuer.token("tim@example.org")),
    "no token": ("token-malformed", lambda issuer: "abc"),
    "an address that is not verified": ("token-user", lambda issuer: issuer.token("demo", email_verified=False)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(server, issuer, name):
    reason, make = BAD[name]
    assert refused(server, b"XOAUTH2", "demo", make(issuer)) == {"status": "401", "schemes": "bearer"}
    lib.wait_until(lambda: any("ev=auth-fail" in line and f"reason={reason}" in line and
                               (" user=demo " in line or " identity=demo " in line)
                               for line in server.log_lines))


def test_a_user_who_is_not_there(server, issuer):
    token = issuer.token("nobody@example.org")
    other = issuer.token("demo")
    errors = [refused(server, b"OAUTHBEARER", "nobody@example.org", one) for one in (token, other, "abc.def.ghi")]
    assert errors[0] == errors[1] == errors[2] == {
        "status": "invalid_token", "openid-configuration": "https://login.example.org/.well-known/openid-configuration"}


def test_users_who_may_not_log_in(server, issuer):
    server.imapctl("user", "set", "demo", "--imap=off")
    assert refused(server, b"XOAUTH2", "demo", issuer.token("demo"))["status"] == "401"
    server.imapctl("user", "set", "demo", "--imap=on")
    server.settings.append("deny-users tim@example.org")
    server.write_config()
    server.imapctl("reload")
    assert refused(server, b"XOAUTH2", "tim@example.org", issuer.token("tim@example.org"))["status"] == "401"
    with server.client(tls=True) as client:
        assert log_in(client, b"XOAUTH2", xoauth2("demo", issuer.token("demo")))[0].startswith(b"s OK")


def test_users_without_a_password(server, issuer):
    server.imapctl("user", "add", "ada@example.org", "--no-password", input="")
    server.imapctl("user", "passwd", "demo", "--no-password", input="")
    for user in ("ada@example.org", "demo"):
        with server.client(tls=True) as client:
            assert log_in(client, b"XOAUTH2", xoauth2(user, issuer.token(user)))[0].startswith(b"s OK")
        for command in (b'LOGIN %s ""' % user.encode(), b'LOGIN %s "%s"' % (user.encode(), lib.PASSWORD.encode())):
            with server.client(tls=True) as client:
                assert b" NO [AUTHENTICATIONFAILED]" in client.command(command).tagged
    assert server.imapctl("user", "set", "demo", "--no-password", check=False).returncode == 64
    server.imapctl("user", "passwd", "demo", input="again\n")
    server.client("demo", tls=True, password="again").close()


def test_discovery(server):
    """An empty "auth" asks what it takes to get a token: RFC 7628 section 4.3."""
    with server.client(tls=True) as client:
        line, error = log_in(client, b"OAUTHBEARER", b"n,a=demo,\x01auth=\x01\x01")
        assert error["openid-configuration"].startswith("https://") and line.startswith(b"s NO")


def test_who_cancels_after_the_error(server, issuer):
    with server.client(tls=True) as client:
        line, _ = log_in(client, b"OAUTHBEARER", bearer("demo", "abc"), answer=b"*")
        assert line.startswith(b"s BAD")
        assert log_in(client, b"OAUTHBEARER", bearer("demo", issuer.token("demo")))[0].startswith(b"s OK")
    lib.wait_until(lambda: any("ev=auth-fail" in line and "reason=token-malformed" in line for line in server.log_lines))


def test_scope_and_claim(server, issuer):
    server.settings += ["oauth-scope imap", "oauth-user-claim preferred_username"]
    server.write_config()
    server.imapctl("reload")
    token = issuer.token("x@example.org", preferred_username="demo")
    assert refused(server, b"OAUTHBEARER", "demo", token)["status"] == "insufficient_scope"
    assert refused(server, b"XOAUTH2", "demo", token) == {"status": "401", "schemes": "bearer", "scope": "imap"}
    with server.client(tls=True) as client:
        token = issuer.token("x@example.org", preferred_username="demo", scope="openid imap")
        assert log_in(client, b"OAUTHBEARER", bearer("demo", token))[0].startswith(b"s OK")


def test_keys_are_changed(server, issuer, tmp_path):
    """A reload takes what the files hold then; one that is damaged leaves all as it was."""
    newer, keys = Issuer(), tmp_path / "jwks.json"
    keys.write_text('{"keys": [}')
    done = server.imapctl("reload", check=False)
    assert done.returncode == 78 and f"{keys}:1:" in done.stdout + done.stderr
    with server.client(tls=True) as client:
        assert log_in(client, b"XOAUTH2", xoauth2("demo", issuer.token("demo")))[0].startswith(b"s OK")
    keys.write_text(newer.pem(newer.ec) + newer.pem(newer.ed))
    server.imapctl("reload")
    with server.client(tls=True) as client:
        assert log_in(client, b"XOAUTH2", xoauth2("demo", newer.token("demo")))[0].startswith(b"s OK")
    assert refused(server, b"XOAUTH2", "demo", issuer.token("demo"))["status"] == "401"
    keys.chmod(0o666)
    done = server.imapctl("reload", check=False)
    assert done.returncode == 78 and "everybody can change it" in done.stdout + done.stderr


def test_without_an_issuer(server, issuer):
    with server.client(tls=True) as waiting:
        server.settings = []
        server.write_config()
        server.imapctl("reload")
        assert b" NO [CANNOT]" in waiting.command(b"AUTHENTICATE XOAUTH2").tagged
        assert b"BEARER" not in waiting.ok(b"CAPABILITY").untagged[0]


def test_an_issuer_without_audience_is_refused(server, tmp_path):
    config = tmp_path / "imapd.conf"
    config.write_text("\n".join(line for line in server.config.read_text().splitlines() if "audience" not in line))
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={config}"], capture_output=True, text=True)
    assert done.returncode == 78 and "oauth-audience is missing" in done.stderr


def test_no_token_is_in_the_log(server, issuer):
    good, bad = issuer.token("demo"), issuer.token("demo", aud="x")
    with server.client(tls=True) as client:
        assert log_in(client, b"XOAUTH2", xoauth2("demo", good))[0].startswith(b"s OK")
    refused(server, b"OAUTHBEARER", "demo", bad)
    log = "\n".join(server.log_lines)
    for token in (good, bad):
        assert not any(part in log for part in token.split(".")[1:])


def test_a_stream_of_bad_messages_disturbs_nobody(server, issuer):
    """Noise of every form from many connections beside logins that are right."""
    stop, failures = threading.Event(), []

    def make_noise(number):
        messages = [b"n,a=x,\x01auth=Bearer a.b.c\x01\x01", b"\x01" * 50, issuer.token("demo", exp=1).encode() * 3, b"n,,"]
        while not stop.is_set():
            try:
                with server.client(tls=True) as client:
                    client.send(b"n AUTHENTICATE %s %s\r\n" % (
                        list(FORMS)[number % 2], base64.b64encode(messages[number % len(messages)])))
                    client.line()
            except (OSError, EOFError):
                pass
            number += 1
    noise = [threading.Thread(target=make_noise, args=(number,)) for number in range(6)]
    for thread in noise:
        thread.start()
    for _ in range(30):
        with server.client(tls=True) as client:
            line, _error = log_in(client, b"XOAUTH2", xoauth2("demo", issuer.token("demo")))
            if not line.startswith(b"s OK"):
                failures.append(line)
    stop.set()
    for thread in noise:
        thread.join()
    assert not failures


def test_python_jwt(server, issuer):
    jwt = pytest.importorskip("jwt", reason="python3-jwt is not installed")
    claims = {"iss": NAME, "aud": [AUDIENCE], "email": "demo", "exp": now() + 60, "nbf": now()}
    for key, algorithm, kid in ((issuer.rsa, "RS256", "r"), (issuer.ec, "ES256", "e"), (issuer.ed, "EdDSA", "d")):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})
        with server.client(tls=True) as client:
            assert log_in(client, b"OAUTHBEARER", bearer("demo", token))[0].startswith(b"s OK"), algorithm


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_mutt(server, issuer, tmp_path, mechanism):
    config = tmp_path / "muttrc"
    config.write_text(f"""
set imap_user="demo" imap_authenticators="{mechanism}"
set imap_oauth_refresh_command="cat {tmp_path}/token"
set folder="imaps://127.0.0.1:{server.imaps_port}/"
set certificate_file={server.cert} ssl_force_tls=yes ssl_verify_host=no
set mbox_type=mbox move=no quit=yes
""")
    (tmp_path / "token").write_text(issuer.token("demo") + "\n")
    done = subprocess.run([lib.need("script"), "-qec", f"{lib.need('mutt')} -n -F {config} -e \"push '<quit>'\" -f "
                           f"imaps://127.0.0.1:{server.imaps_port}/INBOX", "/dev/null"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=lib.LIMIT_S, env={**os.environ, "TERM": "xterm", "HOME": str(tmp_path)})
    if b"Error opening terminal" in done.stdout:
        pytest.skip("mutt finds no terminal here")
    lib.wait_until(lambda: any("ev=login" in line and f"mech={mechanism.upper()} " in line for line in server.log_lines))


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("more", [(), ("--sasl-ir",)], ids=["without", "with SASL-IR"])
def test_curl(server, issuer, mechanism, more):
    curl = lib.need("curl")

    server.settings.append(f"auth-mechanisms {mechanism}")     # curl takes the one that it likes best
    server.write_config()
    server.imapctl("reload")

    def run(token):
        return subprocess.run([curl, "-sS", "--cacert", server.cert, *more, "--user", "demo:", "--oauth2-bearer", token,
                               f"imaps://localhost:{server.imaps_port}/"],
                              capture_output=True, text=True, timeout=lib.LIMIT_S)
    done = run(issuer.token("demo"))
    assert done.returncode == 0 and "INBOX" in done.stdout, done.stderr
    lib.wait_until(lambda: any("ev=login" in line and f"mech={mechanism} " in line for line in server.log_lines))
    assert run(issuer.token("demo", exp=1)).returncode == 67        # login denied
