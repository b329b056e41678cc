"""Libraries of Perl, Ruby, Python and Node: the same day for each, its end compared with the truth.

A mailbox with a name beyond ASCII is made and a draft put there; flags are set and taken away; messages are moved,
copied and expunged; IDLE waits for a new one, which is flagged and read.
"""
import os
import pathlib
import subprocess

import pytest

import programs
import recorder
import server as lib

FOLDER = pathlib.Path(__file__).parent / "libraries"
ABROAD = "Ärger".encode()


def perl():
    if subprocess.run([lib.need("perl"), "-MMail::IMAPClient", "-e", "1"], capture_output=True).returncode:
        pytest.skip("libmail-imapclient-perl is not installed")
    return [lib.need("perl"), FOLDER / "day.pl"], {}


def ruby():
    if subprocess.run([lib.need("ruby"), "-rnet/imap", "-e", "1"], capture_output=True).returncode:
        pytest.skip("this Ruby has no net-imap")
    return [lib.need("ruby"), FOLDER / "day.rb"], {}


def python():
    folder = programs.foreign("trixie") / "usr/lib/python3/dist-packages"
    return ["/usr/bin/python3", FOLDER / "day.py"], {"env": {**os.environ, "PYTHONPATH": str(folder)}}


def node():
    program, folder = programs.need_node_package("imap")
    return [program, FOLDER / "day.cjs"], {"cwd": folder}


LIBRARIES = {                   # what else must have been sent
    perl: [rb"COMPRESS DEFLATE", rb"UID EXPUNGE 7\r"],
    ruby: [rb"AUTHENTICATE PLAIN", rb"UID MOVE 4,5|UID MOVE 4:5"],
    python: [rb"ENABLE CONDSTORE", rb"UID FETCH 1:\* \(FLAGS\) \(CHANGEDSINCE \d+\)", rb"UID MOVE 4,5", rb"UID EXPUNGE 7\r"],
    node: [rb"UID MOVE 4,5", rb"UID EXPUNGE 7\r"],
}


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_a_day(shared_server, user, tmp_path, library):
    words, more = library()
    letter = tmp_path / "letter.eml"
    letter.write_bytes(programs.letter(20))
    with recorder.Recorder(shared_server.imap_port) as relay, programs.Account(shared_server, user) as account:
        account.append(b"INBOX", *range(1, 11))
        program = subprocess.Popen([str(word) for word in [*words, relay.port, user, lib.PASSWORD, letter]],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        lib.wait_until(lambda: relay.has_sent(rb"(UID EXPUNGE 7|EXPUNGE)\r[\s\S]*IDLE\r") or program.poll() is not None)
        account.append(b"INBOX", 30)
        out, said = program.communicate(timeout=lib.LIMIT_S)
        assert program.returncode == 0, said
        assert out == programs.letter(30)
        model = account.model[b"INBOX"]
        model[1] = model[3] = programs.flags(rb"\Seen")
        model[30] = programs.flags(rb"\Flagged")
        del model[7]
        account.model[ABROAD] = {4: model.pop(4), 5: model.pop(5), 6: model[6], 20: programs.flags(rb"\Draft")}
        account.check()
        for pattern in LIBRARIES[library]:
            assert relay.has_sent(pattern), (pattern, relay.sent())
        assert recorder.refused(relay.received()) == []
