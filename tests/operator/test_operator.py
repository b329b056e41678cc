"""What an operator does: checks a configuration, makes users, imports mail, reloads, looks, stops."""
import json
import mailbox
import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import server as lib


@pytest.fixture
def server():
    with lib.Server() as running:
        yield running


def check_config(tmp_path, text):
    path = tmp_path / "imapd.conf"
    path.write_text(text)
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={path}"], capture_output=True, text=True)
    return done.returncode, done.stderr + done.stdout, path


def test_all_errors_of_a_configuration_at_once(tmp_path):
    (tmp_path / "more.conf").write_text("\nlog-levle debug\n")
    status, output, path = check_config(
        tmp_path, "config-version 1\nhostnam x\nlisten imapz [::]:1\nlogin-timeout abc\ninclude more.conf\n"
        "data-directory relative\nlisten imap 127.0.0.1:99999\nhostname \"a\n")
    assert status == 78
    for where, hint in ((f"{path}:2:1: ", 'did you mean "hostname"'), (f"{path}:3:8: ", ""), (f"{path}:4:15: ", ""),
                        (f"{tmp_path}/more.conf:2:1: ", 'did you mean "log-level"'), (f"{path}:6:16: ", ""),
                        (f"{path}:7:", ""), (f"{path}:8:", "")):
        assert any(line.startswith(where) and hint in line for line in output.splitlines()), (where, output)


def test_a_good_configuration_is_silent(server):
    done = subprocess.run([lib.IMAPD, "--check-config", f"--config={server.config}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_users(server):
    assert "demo" in server.imapctl("user", "list").stdout
    server.add_user("ada", "first")
    assert server.imapctl("user", "add", "ada", input="x\n", check=False).returncode != 0
    assert server.imapctl("user", "add", "ada", "--if-missing", input="x\n").returncode == 0
    server.client("ada", password="first").close()
    server.imapctl("user", "passwd", "ada", input="second\n")
    server.client("ada", password="second").close()
    client = server.client()
    assert b"AUTHENTICATIONFAILED" in client.command(b"LOGIN ada first").tagged
    client.close()
    server.imapctl("user", "del", "ada", "--yes")
    client = server.client()
    assert b"AUTHENTICATIONFAILED" in client.command(b"LOGIN ada second").tagged
    client.close()
    assert server.imapctl("user", "passwd", "nobody", input="x\n", check=False).returncode == 67
    assert server.imapctl("frobnicate", check=False).returncode == 64


def shown(server, name):
    text = server.imapctl("--json", "user", "show", name).stdout
    assert "SCRAM" not in text and "credential" not in text
    return json.loads(text)["user"][0]


def test_settings_of_a_user(tmp_path):
    key = tmp_path / "link.key"
    subprocess.run([lib.IMAPCTL, "link-key", key], check=True, capture_output=True)
    with lib.Server(settings=["mailbox-server elsewhere 127.0.0.1:1", f"link-key {key}"]) as server:
        settings_of_a_user(server)


def settings_of_a_user(server):
    server.imapctl("user", "add", "ada", "--home=elsewhere", input="first\n")
    user = shown(server, "ada")
    assert list(user)[:4] == ["name", "home", "password", "imap"] and {"created", "changed", "quota-storage"} <= set(user)
    assert (user["name"], user["home"], user["imap"]) == ("ada", "elsewhere", "on")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", user["created"]) and user["changed"] >= user["created"]
    server.imapctl("user", "set", "ada", "--home=", "--imap=off")
    assert (shown(server, "ada")["home"], shown(server, "ada")["imap"]) == ("", "off")
    assert server.imapctl("user", "show", "ada").stdout.split()[:4] == ["name", "home", "password", "imap"]
    for code, words in ((67, ("set", "nobody", "--imap=off")), (67, ("show", "nobody")), (64, ("set", "ada")),
                        (64, ("set", "ada", "--imap=maybe")), (64, ("show", "ada", "--imap=on")), (65, ("show", "a b")),
                        (65, ("set", "ada", "--home=a b"))):
        done = server.imapctl("user", *words, check=False)
        assert (done.returncode, done.stderr != "") == (code, True), words


def test_a_home_that_is_none(server):
    """Where no mailbox server is named, nobody lives at one: the user could not log in."""
    for words in (["set", "demo"], ["add", "ada", "--no-password"]):
        done = server.imapctl("user", *words, "--home=elsewhere", check=False)
        assert done.returncode == 65 and "no mailbox-server of this name: elsewhere" in done.stderr
    server.client("demo").close()


def test_imap_off_counts_at_once(server):
    with server.client("demo") as client, server.client("demo") as idler, server.lmtp() as lmtp:
        client.ok(b"SELECT INBOX")
        idler.ok(b"SELECT INBOX")
        idler.send(b"i IDLE\r\n")
        assert idler.line().startswith(b"+")
        server.imapctl("user", "set", "demo", "--imap=off")
        for one in (client, idler):
            assert one.line().startswith(b"* BYE ")
            assert one.file.readline() == b""
        with server.client() as again:
            off = again.command(b'LOGIN demo "%s"' % lib.PASSWORD.encode()).tagged.split(b" ", 1)[1]
            assert off == again.command(b"LOGIN demo wrong").tagged.split(b" ", 1)[1]
        assert lmtp.deliver(lib.message(1), b"demo")[0].startswith(b"250")
    server.imapctl("user", "set", "demo", "--imap=on")
    with server.client("demo") as client:
        assert b"* 1 EXISTS" in client.ok(b"SELECT INBOX").untagged


def test_status_of_a_server_that_runs_and_one_that_does_not(server):
    report = json.loads(server.imapctl("--json", "status").stdout)
    assert isinstance(report, dict)
    assert "cas" in server.imapctl("status").stdout
    server.stop()
    done = server.imapctl("status", check=False)
    assert done.returncode in (3, 69) and "imapd" in done.stderr + done.stdout
    server.start()


def mbox(path):
    with open(path, "wb") as out:
        for number in range(1, 6):
            out.write(b"From ada@example.org Sat Jan  0%d 10:00:00 2022\n" % number)
            out.write(b"Status: %s\n" % (b"RO" if number % 2 else b"O"))
            out.write(lib.message(number, b"").replace(b"\r\n", b"\n") + b">From here\nbody %d\n\n" % number)
    return path


def test_import_keeps_flags_and_dates(server, tmp_path):
    server.imapctl("import", "demo", "mbox", mbox(tmp_path / "box"), "--mailbox=Lists/box")
    with server.client("demo") as client:
        client.ok(b"SELECT Lists/box")
        lines = client.ok(b"FETCH 1:* (FLAGS INTERNALDATE)").untagged
        assert len(lines) == 5
        assert b"\\Seen" in lines[0] and b"\\Seen" not in lines[1]
        assert b'"01-Jan-2022 10:00:00 +0000"' in lines[0] or b'" 1-Jan-2022 10:00:00 +0000"' in lines[0]
        assert b"\r\nFrom here\r\nbody 1\r\n" in client.fetch_body(1)


def test_import_of_a_maildir(server, tmp_path):
    box = mailbox.Maildir(tmp_path / "Maildir")
    for number, flags in ((1, ""), (2, "S"), (3, "FRS"), (4, "DT")):
        letter = mailbox.MaildirMessage(lib.message(number).replace(b"\r\n", b"\n"))
        letter.set_subdir("cur")
        letter.set_flags(flags)
        letter.set_date(1600000000 + number)
        box.add(letter)
    work = box.add_folder("Work")
    work.add(lib.message(9).replace(b"\r\n", b"\n"))
    server.imapctl("import", "demo", "maildir", tmp_path / "Maildir")
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        found = {}
        for line in client.ok(b"FETCH 1:* (FLAGS INTERNALDATE ENVELOPE)").untagged:
            found[int(re.search(rb"<m(\d+)@", line)[1])] = line
        assert b"\\Seen" in found[2] and b"\\Seen" not in found[1]
        assert all(flag in found[3] for flag in (b"\\Flagged", b"\\Answered", b"\\Seen"))
        assert b"\\Draft" in found[4] and b"\\Deleted" in found[4]
        assert b"13-Sep-2020 12:26:41 +0000" in found[1]
        assert b"* 1 EXISTS" in client.ok(b"SELECT Work").untagged


def test_import_of_nothing_is_no_success(server, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    done = server.imapctl("import", "demo", "mbox", tmp_path / "empty", check=False)
    assert done.returncode == 66 and done.stdout == "0 imported, 0 there already\n" and "no message" in done.stderr
    done = server.imapctl("--json", "import", "demo", "eml", tmp_path / "empty", check=False)
    assert json.loads(done.stdout)["imported"] == 0 and done.returncode == 65


def test_import_draws_a_bar_on_a_terminal_only(server, tmp_path):
    path = mbox(tmp_path / "box")
    plain = server.imapctl("import", "demo", "mbox", path)
    assert "\r" not in plain.stdout + plain.stderr and "\x1b" not in plain.stdout + plain.stderr
    master, slave = pty.openpty()
    done = subprocess.run([lib.IMAPCTL, f"--config={server.config}", "import", "demo", "mbox", path],
                          stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    assert done.returncode == 0 and b"\r" in os.read(master, 65536)


def test_what_comes_by_any_way_wakes_idle(server, tmp_path):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        assert client.line().startswith(b"+")
        with server.lmtp() as lmtp:
            assert lmtp.deliver(lib.message(1), b"demo")[0].startswith(b"250")
        assert client.line() == b"* 1 EXISTS"
        assert client.line().endswith(b"RECENT")
        letter = tmp_path / "one.eml"
        letter.write_bytes(lib.message(2))
        server.imapctl("import", "demo", "eml", letter)
        assert client.line() == b"* 2 EXISTS"


def serial(server):
    context = ssl._create_unverified_context()
    with lib.socket.create_connection(("127.0.0.1", server.imaps_port)) as plain:
        with context.wrap_socket(plain) as wrapped:
            return wrapped.getpeercert(binary_form=True)


def test_reload_takes_a_new_certificate_and_keeps_sessions(server):
    before = serial(server)
    with server.client("demo", tls=True) as client:
        server.cert.unlink()
        server.key.unlink()
        lib.certificate(server.folder)
        server.process.send_signal(signal.SIGHUP)
        lib.wait_until(lambda: serial(server) != before)
        client.ok(b"NOOP")


def test_reload_of_a_broken_configuration_keeps_the_old_one(server):
    good = server.config.read_text()
    with server.client("demo") as client:
        server.config.write_text(good + "\nno-such-option 1\n")
        done = server.imapctl("reload", check=False)
        assert done.returncode == 78 and "no-such-option" in done.stderr + done.stdout
        client.ok(b"NOOP")
        server.client("demo").close()
        server.key.write_text("garbage")
        server.config.write_text(good)
        assert server.imapctl("reload", check=False).returncode != 0
        serial(server)


def test_reload_names_what_has_to_wait(server):
    good = server.config.read_text()
    server.config.write_text(good + "\nopen-databases 500\nbanner hello\n")
    waiting = "open-databases: applies at the next start"
    assert server.imapctl("reload").stderr == waiting + "\n"
    lib.wait_until(lambda: any(f' ev=restart-needed reason="{waiting}"' in line for line in list(server.log_lines)))
    server.config.write_text(good)
    done = server.imapctl("--json", "reload")
    assert json.loads(done.stdout)["problem"] == [{"text": waiting}]


def test_a_reader_who_has_seen_enough(server):
    """`imapctl metrics | head -1`: nothing is wrong that anybody would want to hear of."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([lib.IMAPCTL, f"--config={server.config}", "metrics"], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (74, "")


def test_sigterm_under_load_ends_cleanly(server):
    def load():
        try:
            with server.client("demo") as client:
                while True:
                    client.append(b"INBOX", lib.message(1, b"x" * 5000 + b"\r\n"))
        except (OSError, EOFError, AssertionError):
            pass
    writers = [threading.Thread(target=load) for _ in range(8)]
    for writer in writers:
        writer.start()
    idler = server.client("demo")
    idler.ok(b"SELECT INBOX")
    idler.send(b"i IDLE\r\n")
    assert server.stop() == 0
    lines = b""
    while (line := idler.file.readline()) != b"":
        lines += line
    assert b"* BYE" in lines
    for writer in writers:
        writer.join()
    idler.close()
    server.start()


def test_a_second_process_keeps_out(server):
    done = subprocess.run([lib.IMAPD, "--role=both", f"--config={server.config}"], capture_output=True, text=True,
                          timeout=lib.LIMIT_S)
    assert done.returncode != 0 and "another imapd" in done.stderr
    assert f"control-socket: imapd, pid {server.process.pid}, answers at {server.control}; two processes" in done.stderr
    server.client("demo").close()


def test_a_session_can_be_followed_by_its_id(server):
    with server.client("demo") as client:
        client.ok(b"SELECT INBOX")
        client.ok(b"LOGOUT")
    lib.wait_until(lambda: any("ev=logout" in line for line in server.log_lines))
    sids = {re.search(r" sid=(\w+)", line)[1] for line in server.log_lines if " sid=" in line and "user=demo" in line}
    assert len(sids) == 1


@pytest.mark.parametrize("is_begun", [True, False])
def test_verbs_of_a_service_that_is_stopped(is_begun):
    """They say so, whether it was there before or not, and do not look for what has gone with it."""
    source = "".join(path.read_text() for path in (lib.ROOT / "src/mailbox").rglob("*.c"))
    verbs = set(re.findall(r'control_register\(\w+, "([a-z ]+)"', source)) - {"session"}
    assert len(verbs) > 8
    words = {"acl set": ["demo", "INBOX", "eve", "lr"], "acl remove": ["demo", "INBOX", "eve"], "acl seen": ["demo", "INBOX"]}
    with lib.Server(settings=[] if is_begun else ["start-services no"], users=()) as server:
        if is_begun:
            server.imapctl("stop", "all")
        for verb in sorted(verbs):
            if is_begun:		# by the socket: imapctl asks more of some
                server.imapctl("start", "mailbox")
                server.imapctl("stop", "mailbox")
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(server.control))
                control.sendall(" ".join([verb, *words.get(verb, ["demo"])]).encode() + b"\n")
                assert control.makefile("rb").readline().startswith(b".69 the service that could answer is stopped"), verb
        assert server.process.poll() is None and server.imapctl("start", "all").returncode == 0
