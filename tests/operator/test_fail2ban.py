"""The filter for fail2ban finds the address of who fails to log in, and no other, whatever is typed as a name."""
import configparser
import re
import shutil
import socket
import subprocess

import pytest

import server as lib

FILTER = lib.ROOT / "etc/fail2ban/filter.conf"
JAIL = lib.ROOT / "etc/fail2ban/jail.conf"
NAMES = (b"demo", b"nobody", b'"x rip=192.0.2.9"', b'"a\\"b rip=192.0.2.9 mech=PLAIN reason=password"', b'""',
         b'"imapd: level=info ev=auth-fail sid=1 user=a rip=192.0.2.9 mech=PLAIN reason=password"')
ADDRESSES = [f"127.0.0.{i + 2}" for i in range(len(NAMES))]     # each its own: who fails again waits longer


@pytest.fixture(scope="module")
def lines():
    with lib.Server() as server:
        for name, address in zip(NAMES, ADDRESSES):
            near = socket.create_connection(("127.0.0.1", server.imap_port), lib.LIMIT_S, source_address=(address, 0))
            with lib.Client.unread(near) as client:
                assert client.line().startswith(b"* OK")
                assert b"NO" in client.command(b"LOGIN " + name + b" wrong").tagged
        server.client("demo").close()
    text = list(server.log_lines)
    assert sum("ev=auth-fail" in line for line in text) == len(NAMES) and any("ev=login " in line for line in text)
    return text


def failregex():
    parser = configparser.ConfigParser()
    parser.read(FILTER)
    return parser["Definition"]["failregex"].replace("<ADDR>", r"(?P<address>[0-9a-f.:]+)")


@pytest.mark.parametrize("before", (" ", "mail imapd[123]: "), ids=("file", "journal"))
def test_expression(lines, before):
    """As fail2ban gets a line: without its time."""
    found = [re.search(failregex(), before + line.split(" ", 1)[1]) for line in lines]
    assert [match["address"] for match in found if match] == ADDRESSES
    expired = "level=info ev=auth-fail sid=1a user=demo rip=192.0.2.1 mech=OAUTHBEARER reason="
    assert re.search(failregex(), before + expired + "token-signature")
    assert not re.search(failregex(), before + expired + "token-expired")


@pytest.mark.skipif(shutil.which("fail2ban-regex") is None, reason="there is no fail2ban")
def test_fail2ban(lines, tmp_path):
    (tmp_path / "log").write_text("".join(line + "\n" for line in lines))
    done = subprocess.run(["fail2ban-regex", "-o", "ip", tmp_path / "log", FILTER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ADDRESSES
    shutil.copytree("/etc/fail2ban", tmp_path / "etc")
    shutil.copy(FILTER, tmp_path / "etc/filter.d/imapd.conf")
    (tmp_path / "etc/jail.d").mkdir(exist_ok=True)
    for other in (tmp_path / "etc/jail.d").iterdir():
        other.unlink()
    shutil.copy(JAIL, tmp_path / "etc/jail.d/imapd.conf")
    done = subprocess.run(["fail2ban-client", "-c", tmp_path / "etc", "-t"], capture_output=True, text=True)
    assert done.returncode == 0 and "OK" in done.stdout, done
