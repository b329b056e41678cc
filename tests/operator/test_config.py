"""`imapctl config show` and `config diff`: what is set, where, and what of it the server runs with."""
import json
import re
import subprocess

import pytest

import server as lib
from server import IMAPCTL


def show(tmp_path, text, *words, code=0):
    (tmp_path / "imapd.conf").write_text(text)
    done = subprocess.run([IMAPCTL, f"--config={tmp_path}/imapd.conf", "config", "show", *words], capture_output=True,
                          text=True, timeout=lib.LIMIT_S)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def base(tmp_path):
    """A configuration that is right wherever tests run."""
    (tmp_path / "data").mkdir()
    return (f"config-version 1\ndata-directory {tmp_path}/data\ncontrol-socket {tmp_path}/control\n"
            f"listen imap 127.0.0.1:0\n")


def names(text):
    return re.findall(r"^([a-z0-9-]+) ", text, re.M)


def test_what_differs_from_the_defaults(base, tmp_path):
    text = show(tmp_path, base + "log-level info\nidle-timeout 1860\n", "-n")
    assert names(text) == ["data-directory", "control-socket", "listen", "idle-timeout"], "said, but as by default: left out"
    assert show(tmp_path, base + "idle-timeout 1860\n", "--non-default") == text
    assert show(tmp_path, text, "-n") == text, "it can be read again"


def test_sizes_have_their_units(base, tmp_path):
    text = show(tmp_path, base + "message-size-limit 1073741824\nquota-storage 1T\nmax-command-size 1025\n", "-n")
    assert text.splitlines()[-3:] == ["max-command-size 1025", "message-size-limit 1G", "quota-storage 1T"]
    assert show(tmp_path, text, "-n") == text and "protocol-log-size 250M\n" in show(tmp_path, base)


def test_all_and_the_defaults(base, tmp_path):
    everything, defaults = show(tmp_path, base), show(tmp_path, base, "-d")
    assert everything == show(tmp_path, base, "-a") == show(tmp_path, base, "--all")
    assert set(names(everything)) == set(names(defaults)) and "listen imaps [::]:993\n" in defaults
    assert f'data-directory "{tmp_path}/data"' in everything and "data-directory \"/var/lib/imapd\"" in defaults
    assert show(tmp_path, base + "such-an-option 1\n", "-d") == defaults, "files say nothing to that"
    assert "usage" in show(tmp_path, base, "-n", "-d", code=64)


def test_some_options(base, tmp_path):
    assert show(tmp_path, base, "idle-timeout", "listen") == "listen imap 127.0.0.1:0\nidle-timeout 1800\n"
    assert 'no option idle-timout; did you mean "idle-timeout"?' in show(tmp_path, base, "idle-timout", code=64)
    assert "there is no option qqqqqqqqqq\n" in show(tmp_path, base, "qqqqqqqqqq", code=64)


def test_where_each_is_set(base, tmp_path):
    (tmp_path / "more.conf").write_text("\n\ndeny-users a b\nproxy-trusted 192.0.2.0/24\nproxy-trusted 192.0.2.7\n")
    text = show(tmp_path, base + "deny-users c\ninclude more.conf\n", "--origin")
    main = f"{tmp_path}/imapd.conf"
    assert re.findall(r"^deny-users (\S+)\s+# (.*)", text, re.M) == [
        ('"c"', f"{main}:5"), ('"a"', f"{tmp_path}/more.conf:3"), ('"b"', f"{tmp_path}/more.conf:3")]
    assert re.findall(r"^proxy-trusted (\S+)\s+# (.*)", text, re.M) == [
        ("192.0.2.0/24", f"{tmp_path}/more.conf:4"), ("192.0.2.7/32", f"{tmp_path}/more.conf:5")]
    assert re.search(r"^idle-timeout 1800\s+# default$", text, re.M) and f"# {main}:4" in text
    assert show(tmp_path, text) == show(tmp_path, base + "deny-users c\ninclude more.conf\n"), "comments are no settings"
    told = json.loads(show(tmp_path, base, "--origin", "--json", "listen"))
    assert told["option"] == [{"name": "listen", "value": "imap 127.0.0.1:0", "origin": f"{main}:4"}]


@pytest.fixture(scope="module")
def server():
    with lib.Server() as server:
        yield server


def differences(server):
    done = server.imapctl("--json", "config", "diff", check=False)
    told = json.loads(done.stdout)["difference"]
    assert done.returncode == (1 if told else 0)
    return {one["name"]: (one["running"], one["files"], one["applies"]) for one in told}


def test_a_change_before_and_after_reload(server):
    good = server.config.read_text()
    assert differences(server) == {}
    server.config.write_text(good + "idle-timeout 1920\nstorage-threads 3\ndeny-users x y\n")
    wanted = {"idle-timeout": (["idle-timeout 1800"], ["idle-timeout 1920"], "reload"),
              "deny-users": ([], ['deny-users "x"', 'deny-users "y"'], "reload")}
    changed = differences(server)
    threads = changed.pop("storage-threads")
    assert changed == wanted and threads[1:] == (["storage-threads 3"], "start")
    text = server.imapctl("config", "diff", check=False).stdout
    assert "-idle-timeout 1800\n+idle-timeout 1920\t# imapctl reload\n" in text
    assert re.search(r"^-storage-threads \d+\n\+storage-threads 3\t# at the next start$", text, re.M)
    server.imapctl("reload")
    assert differences(server) == {"storage-threads": threads}, "what applies at the start is still what it was then"
    server.config.write_text(good.rstrip("\n") + "\n")
    assert set(differences(server)) == {"idle-timeout", "deny-users"}
    server.imapctl("reload")
    assert differences(server) == {}


def test_what_an_argument_says_is_not_compared(server):
    good = server.config.read_text()
    server.config.write_text(good + "role cas\n")
    assert f"--role={server.role}" in server.process.args and differences(server) == {}
    server.config.write_text(good)


def test_files_with_errors(server):
    good = server.config.read_text()
    server.config.write_text(good + "no-such-option 1\n")
    done = server.imapctl("config", "diff", check=False)
    assert done.returncode == 78 and "no-such-option" in done.stderr and done.stdout == ""
    server.config.write_text(good)
