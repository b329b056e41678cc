"""The loop never blocks: while the server does everything it can do, no call that may wait for a disk, a
name server or a long computation is made on the loop's thread.  loop_shim.c, preloaded, notes such calls.
"""
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import server as lib

sys.path.insert(0, str(lib.ROOT / "tests/wire"))

import test_transcripts as wire  # noqa: E402

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if "san" in lib.IMAPD.parent.name:
        pytest.skip("a sanitizer wants to be the first library itself")
    folder = tmp_path_factory.mktemp("shim")
    shim, log = folder / "loop_shim.so", folder / "calls"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", shim,
                    HERE / "loop_shim.c", "-ldl"], check=True)
    log.touch()
    running = lib.Server(settings=lib.EVERYTHING, users=("demo",))
    os.environ.update(LD_PRELOAD=str(shim), LOOP_SHIM_LOG=str(log))
    try:
        running.start()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["LOOP_SHIM_LOG"]
    running.calls = log
    yield running
    running.kill()


def check(server):
    """Nothing was noted; and the shim does note: the process runs with it."""
    assert "loop_shim.so" in pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
    calls = server.calls.read_text()
    assert calls == "", calls[:5000]


@pytest.mark.parametrize("path", wire.FILES, ids=lambda path: path.name)
def test_transcripts(server, path):
    user = "loop-" + path.name.replace(".", "-")
    server.add_user(user)
    wire.Run(path, server, user).run()
    check(server)


def test_tls_and_passwords(server):
    for _ in range(3):
        with server.client("demo", tls=True) as client:
            client.ok(b"SELECT INBOX")
    with server.client() as client:
        assert not client.command(b"LOGIN nobody wrong").is_ok
    check(server)


def test_big_messages(server):
    letter = lib.message(1, b"0123456789abcdef\r\n" * 200000)
    with server.client("demo") as client:
        assert client.append(b"INBOX", letter).is_ok
        client.ok(b"SELECT INBOX")
        assert client.fetch_body(1) == letter
        client.ok(b"SEARCH BODY nothing")
        client.ok(b"STORE 1 +FLAGS (\\Deleted)")
        client.ok(b"EXPUNGE")
    with server.lmtp() as client:
        assert client.deliver(letter, b"demo")[0].startswith(b"250")
    check(server)


def test_the_operator(server, tmp_path):
    (tmp_path / "a.eml").write_bytes(lib.message(1, b"x\r\n"))
    server.imapctl("import", "demo", "eml", tmp_path / "a.eml")
    server.imapctl("user", "list")
    server.imapctl("user", "passwd", "demo", input=lib.PASSWORD + "\n")
    server.imapctl("status")
    reloads = sum(" ev=reload " in line for line in server.log_lines)
    server.process.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: sum(" ev=reload " in line for line in server.log_lines) > reloads)
    check(server)
