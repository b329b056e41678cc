"""SEARCH CHARSET: what the refusal of one says is taken is taken."""
import re


def test_badcharset_lists_what_is_taken(client):
    client.ok(b"SELECT INBOX")
    refusal = client.command(b"SEARCH CHARSET x-none ALL").tagged
    names = re.search(rb"NO \[BADCHARSET \(([^)]*)\)\]", refusal)[1].split()
    assert b"UTF-8" in names and b"ISO-8859-1" in names
    for name in names:
        text = "x".encode(name.decode() if name != b"TIS-620" else "ascii")
        if b"\0" in text:           # no literal of a command can hold it
            continue
        client.ok(b"SEARCH CHARSET %s SUBJECT {%d+}\r\n%s" % (name, len(text), text))
