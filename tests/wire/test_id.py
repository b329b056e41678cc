"""ID within the bounds of RFC 2971 section 3.3, 30 pairs with values of 1,024 octets, is answered before login, too."""
import pytest

import server as lib


def quoted(text):
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(text):
    return b"{%d+}\r\n" % len(text) + text


@pytest.mark.parametrize("is_logged_in", [False, True])
@pytest.mark.parametrize("form", [quoted, literal])
def test_largest_id(shared_server, user, form, is_logged_in):
    pairs = [form(b"x-field-%022d" % number) + b" " + form(b'"\\' * 512) for number in range(29)]
    words = b"ID (" + b" ".join([b'"name" NIL', *pairs]) + b")"
    with shared_server.client(user if is_logged_in else None) as client:
        assert client.ok(words).untagged == [b'* ID ("name" "imapd")']
        assert b" BAD " in client.command(words[:-1] + b' "one" "more")').tagged
        client.ok(b"NOOP")


def test_synchronizing(shared_server):
    """One continuation for each literal, also where pairs before it are forgotten."""
    with shared_server.client() as client:
        client.send(b'a ID ("x" "y"')
        for number in range(29):
            client.send(b' "f%d" {1024}\r\n' % number)
            assert client.line().startswith(b"+ ")
            client.send(b"v" * 1024)
        client.send(b")\r\n")
        assert client.reply(b"a").is_ok
