"""The ways into a real source: each mechanism, over STARTTLS, master users, and somebody who acts for another."""
import os

import pytest

import accounts
import comparing
import moving
import servers

lib = comparing.lib
WAYS = {
    "login": ("u0", ["--auth=login"]),
    "plain": ("u0", ["--auth=plain"]),
    "the best": ("u0", []),
    "scram": ("u0", ["--auth=scram-sha-%d"]),
    "master user": (f"u0*{servers.MASTER}", []),
    "master user by PLAIN": (f"u0*{servers.MASTER}", ["--auth=plain"]),
    "acting for another": ("u0", [f"--login={servers.MASTER}"]),
}
CYRUS_HAS_NOT = ("master user", "master user by PLAIN")


@pytest.fixture(scope="module")
def target():
    with lib.Server(users=()) as running:
        yield running


@pytest.fixture(scope="module", params=["dovecot-2.3-sdbox"] + (
    ["dovecot-2.4-sdbox", "cyrus-3.6", "cyrus-3.10", "courier-5.0"] if os.environ.get("MOVE") else []))
def source(request):
    source = servers.EVERY[request.param]()
    if reason := source.lacks():
        pytest.skip(f"{request.param}: {reason}")
    with source:
        with comparing.Session(source.port, "u0", servers.PASSWORD, source.has_literal_plus) as session:
            accounts.append(session, ("INBOX",), [accounts.letter([lib.message(3)], 3)])
        yield source


@pytest.mark.parametrize("way", WAYS)
def test_login(source, target, way):
    there, options = WAYS[way]
    is_cyrus, is_courier = source.name.startswith("Cyrus"), source.name.startswith("Courier")
    if is_cyrus and way in CYRUS_HAS_NOT or is_courier and way not in ("login", "plain", "the best"):
        pytest.skip(f"{source.name} has no such way")
    user = f"{source.name}-{way}".lower().replace(" ", "-").replace(".", "-")
    target.add_user(user)
    words = [word % (1 if is_cyrus else 256) if "%d" in word else word for word in options]
    report, _, errors = moving.pull(target, user, source, *words, address=moving.url(source, there))
    assert report["imported"] == 1 and errors == ""


@pytest.mark.skipif(not os.environ.get("MOVE"), reason="real servers answer a wrong password late: make move")
def test_wrong_password(source, target):
    """Said once, whatever mechanisms were tried."""
    user = f"{source.name}-wrong".lower().replace(" ", "-").replace(".", "-")
    target.add_user(user)
    _, code, errors = moving.pull(target, user, source, password=servers.PASSWORD + " ", check=False)
    assert code == 77 and len(errors.splitlines()) == 1, (code, errors)
