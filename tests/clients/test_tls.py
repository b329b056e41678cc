"""What TLS a client is given."""
import pathlib
import ssl

import server as lib


def versions_of(server, minimum=None, maximum=None):
    context = ssl._create_unverified_context()
    if maximum:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = maximum
    with lib.socket.create_connection(("127.0.0.1", server.imaps_port)) as plain:
        with context.wrap_socket(plain) as wrapped:
            return wrapped.version(), wrapped.cipher()[0]


def test_the_best_version_there_is(shared_server):
    version, cipher = versions_of(shared_server)
    is_debian_13 = pathlib.Path("/etc/debian_version").read_text().startswith("13")
    assert version == ("TLSv1.3" if is_debian_13 else "TLSv1.2")
    assert "GCM" in cipher or "CHACHA20" in cipher


def test_nothing_below_1_2(shared_server):
    try:
        version, _ = versions_of(shared_server, maximum=ssl.TLSVersion.TLSv1_1)
    except (ssl.SSLError, ConnectionError):
        return
    raise AssertionError(f"{version} was spoken")


def test_a_session_is_resumed(shared_server, user):
    context = ssl._create_unverified_context()
    session = None
    for is_second in (False, True):
        with lib.socket.create_connection(("127.0.0.1", shared_server.imaps_port)) as plain:
            with context.wrap_socket(plain, session=session) as wrapped:
                file = wrapped.makefile("rb")
                assert file.readline().startswith(b"* OK")
                wrapped.sendall(b"a NOOP\r\n")
                assert file.readline().startswith(b"a OK")
                assert wrapped.session_reused == is_second
                session = wrapped.session
