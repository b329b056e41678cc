"""Previews (RFC 8970) of messages that came in before they were kept."""
import sqlite3

import server as lib


def test_message_of_an_older_release():
    """LAZY gets NIL, others the same as they would have got; a message without text the empty string."""
    messages = [b"Subject: a\r\n\r\nHello there\r\n",
                b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
                b"Content-Type: text/html\r\n\r\n" + b"<p>" + b"word " * 40_000]
    with lib.Server(users=("ada",), settings=("storage-compression none",)) as server:
        with server.client("ada") as client:
            for message in messages:
                assert client.append(b"INBOX", message).is_ok
            client.ok(b"SELECT INBOX")
            kept = client.ok(b"FETCH 1:3 (PREVIEW)").untagged
        server.stop()
        (file,) = server.data.glob("data/*/*/mail.db")
        with sqlite3.connect(file) as database:
            database.execute("UPDATE content SET preview = NULL")
        database.close()
        server.start()
        with server.client("ada") as client:
            client.ok(b"SELECT INBOX")
            assert client.ok(b"FETCH 1:3 (PREVIEW (LAZY))").untagged == [
                b"* %d FETCH (PREVIEW NIL)" % number for number in (1, 2, 3)]
            assert client.ok(b"FETCH 1:3 (PREVIEW)").untagged == kept
            assert kept[0] == b'* 1 FETCH (PREVIEW "Hello there")' and kept[1] == b'* 2 FETCH (PREVIEW "")'
