"""The deploy hook for certbot: called as certbot calls it, and by certbot itself, with an authority of our own."""
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import server as lib
from certificates import Certificates

HOOK = lib.ROOT / "etc/certbot/deploy"
HOST = "mail.example.org"


@pytest.fixture
def server(tmp_path):
    with lib.Server(settings=[f"hostname {HOST}"]) as running:
        yield running


@pytest.fixture
def lineage(tmp_path):
    """What certbot keeps: links to files that carry numbers."""
    pki = Certificates(tmp_path / "pki")
    folder = tmp_path / "live" / HOST
    folder.mkdir(parents=True)
    archive = tmp_path / "archive"
    archive.mkdir()
    for name, file in (("fullchain.pem", pki.certificate("new")), ("privkey.pem", pki.key())):
        shutil.copy(file, archive / name.replace(".", "2."))
        (folder / name).symlink_to(archive / name.replace(".", "2."))
    return folder


def deploy(server, lineage, domains=HOST, **more):
    return subprocess.run([HOOK], text=True, capture_output=True, timeout=lib.LIMIT_S, env={
        **os.environ, "PATH": f"{lib.IMAPD.parent}:{os.environ['PATH']}", "IMAPD_CONFIG": str(server.config),
        "RENEWED_DOMAINS": domains, "RENEWED_LINEAGE": str(lineage), **more})


def shown(port):
    """The certificate that a new client sees."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), lib.LIMIT_S)) as client:
        return ssl.DER_cert_to_PEM_cert(client.getpeercert(True))


@pytest.mark.parametrize("domains", [HOST, f"www.example.org {HOST}", "*.example.org"])
def test_it_takes_over_what_was_renewed(server, lineage, domains):
    with server.client("demo") as client:
        done = deploy(server, lineage, domains)
        assert done.returncode == 0, done
        client.ok(b"NOOP")
    assert shown(server.imaps_port) == (lineage / "fullchain.pem").read_text()
    assert server.key.read_bytes() == (lineage / "privkey.pem").read_bytes() and not server.key.is_symlink()
    assert server.key.stat().st_mode & 0o137 == 0 and server.cert.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in server.folder.iterdir() if path.suffix in (".old", ".new")] == []


@pytest.mark.parametrize("domains", ["www.example.org", "example.org", "*.example.net", "*.mail.example.org"])
def test_it_leaves_alone_what_is_not_for_this_server(server, lineage, domains):
    before = server.cert.read_text()
    done = deploy(server, lineage, domains)
    assert done.returncode == 0 and "nothing to do" in done.stdout and server.cert.read_text() == before


def test_certbots_own_files_are_only_read_again(server, lineage):
    server.cert.unlink()
    server.cert.symlink_to(lineage / "fullchain.pem")
    server.key.unlink()
    server.key.symlink_to(lineage / "privkey.pem")
    done = deploy(server, lineage)
    assert done.returncode == 0 and server.cert.is_symlink() and shown(server.imaps_port) == server.cert.read_text()


def test_a_bad_pair_is_put_back_and_told(server, lineage):
    before = server.cert.read_text(), server.key.read_text()
    (lineage / "privkey.pem").unlink()
    (lineage / "privkey.pem").write_text(Certificates(lineage).key("other").read_text())
    for _ in range(2):
        done = deploy(server, lineage)
        assert done.returncode == 1 and "does not belong to the certificate" in done.stderr and "put back" in done.stderr
        assert (server.cert.read_text(), server.key.read_text()) == before == (shown(server.imaps_port), before[1])
        server.stop()		# it would not start either
        done = deploy(server, lineage)
        assert done.returncode == 1 and "would not start" in done.stderr
        server.start()


def test_it_fails_loudly(server, lineage):
    assert "RENEWED_LINEAGE is not set" in deploy(server, "").stderr
    for missing in ("fullchain.pem", "privkey.pem"):
        (lineage / missing).rename(lineage / "away")
        done = deploy(server, lineage)
        assert done.returncode == 1 and "cannot be written" in done.stderr
        (lineage / "away").rename(lineage / missing)
    server.config.write_text(server.config.read_text() + "no-such-option 1\n")
    done = deploy(server, lineage)
    assert done.returncode == 1 and "no-such-option" in done.stderr


def test_a_server_that_does_not_run_has_it_at_its_start(server, lineage):
    server.stop()
    done = deploy(server, lineage)
    assert done.returncode == 0, done
    server.start()
    assert shown(server.imaps_port) == (lineage / "fullchain.pem").read_text()


@pytest.fixture
def authority(tmp_path):
    """Let's Encrypt's small server for tests, which believes everybody."""
    if not os.environ.get("CERTBOT"):
        pytest.skip("certbot itself takes 14 s: make check-setup")
    program = lib.need("pebble")
    pki = Certificates(tmp_path / "acme")
    certificate = pki.certificate("acme", host="localhost")
    ports = {name: lib.free_port() for name in ("listen", "management", "http", "tls")}
    config = tmp_path / "pebble.json"
    config.write_text(json.dumps({"pebble": {
        "listenAddress": f"127.0.0.1:{ports['listen']}", "managementListenAddress": f"127.0.0.1:{ports['management']}",
        "certificate": str(certificate), "privateKey": str(pki.key()), "httpPort": ports["http"], "tlsPort": ports["tls"],
        "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
    process = subprocess.Popen([program, "-config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1"})
    deadline = time.monotonic() + lib.LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", ports["listen"]), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline and process.poll() is None
    yield ports
    process.terminate()
    process.wait(lib.LIMIT_S)


def test_certbot_itself(server, authority, tmp_path):
    """A first certificate, and a renewal: certbot runs the hook, and who connects then sees the new one."""
    certbot = lib.need("certbot")
    folder = tmp_path / "letsencrypt"
    hooks = folder / "renewal-hooks/deploy"
    hooks.mkdir(parents=True)
    shutil.copy(HOOK, hooks / "imapd")

    def run(*words):
        return subprocess.run([
            certbot, *words, "--config-dir", folder, "--work-dir", tmp_path / "work", "--logs-dir", tmp_path / "logs", "-n",
            "--no-random-sleep-on-renew", "--no-verify-ssl", "--server", f"https://localhost:{authority['listen']}/dir"],
            text=True, capture_output=True, timeout=lib.LIMIT_S, env={
                **os.environ, "PATH": f"{lib.IMAPD.parent}:{os.environ['PATH']}", "IMAPD_CONFIG": str(server.config)})
    seen = [shown(server.imaps_port)]
    done = run("certonly", "--standalone", "--http-01-port", str(authority["http"]), "-d", HOST, "--agree-tos",
               "--register-unsafely-without-email", "--deploy-hook", str(hooks / "imapd"))
    assert done.returncode == 0, done
    seen.append(shown(server.imaps_port))
    done = run("renew", "--force-renewal")
    assert done.returncode == 0 and "error" not in done.stderr, done
    seen.append(shown(server.imaps_port))
    assert len(set(seen)) == 3 and (folder / f"live/{HOST}/fullchain.pem").read_text().startswith(seen[-1])
    server.config.write_text(server.config.read_text() + "no-such-option 1\n")
    assert "no-such-option" in run("renew", "--force-renewal").stderr, "certbot tells of a hook that failed"
