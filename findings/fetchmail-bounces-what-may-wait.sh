#!/bin/sh
# fetchmail tells the sender of a permanent error, and deletes the message, when an LMTP server has asked to try again later.
#
# RFC 5321 section 4.2.1 has 4yz for "the error condition is temporary, and the action may be requested again".  With its
# option `lmtp`, fetchmail 6.4.37 (Debian 12) takes every refusal behind the message for final, 452 as well: a mailbox that
# is full today.  By the mail server of its host it sends "This is a permanent error" to who wrote the letter, with the
# header and without the text, deletes the letter at the server where it was, and exits 0.  A recipient who is refused by
# 452 before the message is sent leaves it there, for the next poll.
#
# imapd refuses the recipient, where the mailbox or the disk is full or SIZE says that the message does not fit
# (src/mailbox/incoming/recipients.c, tests/wire/test_quota.py, tests/fault/test_disk.py).
#
# Needs apt, python3, iproute2, an amd64 or arm64 Debian 12, and root, for a network of its own.  Exits 0 while fetchmail
# does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download fetchmail=6.4.37-1 libcom-err2 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
    libssl3 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

# A mailbox with one letter (port 143), the new one, which is full (port 24), and the host's mail server (port 25).
cat >peers.py <<'END'
import re, socketserver, sys, threading

place = sys.argv[1]             # the command that is refused
header, text = b"From: bert@example.org\r\nSubject: one\r\n\r\n", b"text\r\n"
is_deleted = False
is_there = True

class Peer(socketserver.StreamRequestHandler):
    def say(self, *lines):
        self.wfile.write(b"".join(line + b"\r\n" for line in lines))

class Imap(Peer):
    def answer(self, words):
        global is_deleted, is_there
        if words == b"CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif words.startswith(b"SELECT"):
            self.say(b"* %d EXISTS" % is_there, b"* OK [UIDVALIDITY 1] ok")
        elif words.startswith(b"SEARCH"):
            self.say(b"* SEARCH 1" if is_there else b"* SEARCH")
        elif words == b"FETCH 1 RFC822.SIZE":
            self.say(b"* 1 FETCH (RFC822.SIZE %d)" % len(header + text))
        elif words == b"FETCH 1 RFC822.HEADER":
            self.say(b"* 1 FETCH (RFC822.HEADER {%d}\r\n%s)" % (len(header), header))
        elif words == b"FETCH 1 BODY.PEEK[TEXT]":
            self.say(b"* 1 FETCH (BODY[TEXT] {%d}\r\n%s)" % (len(text), text))
        elif words.startswith(b"STORE") and b"DELETED" in words:
            is_deleted = True
        elif words == b"EXPUNGE" and is_deleted:
            is_deleted = is_there = False
            self.say(b"* 1 EXPUNGE")

    def handle(self):
        self.say(b"* OK [CAPABILITY IMAP4rev1] ready")
        for line in self.rfile:
            tag, _, words = line.strip().upper().partition(b" ")
            self.answer(words)
            self.say(tag + b" OK done")
            if words == b"LOGOUT":
                print("at the old server:", int(is_there), flush=True)
                break

class Mail(Peer):
    def handle(self):
        is_lmtp = self.server.server_address[1] == 24
        refusal = b"452 4.2.2 Mailbox full"
        self.say(b"220 peer")
        for line in self.rfile:
            verb = line[:4].decode().upper()
            if verb == "LHLO":
                self.say(b"250-peer", b"250 ENHANCEDSTATUSCODES")
            elif verb == "RCPT":
                self.say(refusal if is_lmtp and place == verb else b"250 2.1.5 ok")
            elif verb == "DATA":
                self.say(b"354 go on")
                while (line := self.rfile.readline()) != b".\r\n":
                    told = re.search(rb"^To: .*|This is a .*error|SMTP error.*|^text|^Subject: one", line.strip())
                    if told and not is_lmtp:
                        print("to the host's mail server:", told[0].decode(), flush=True)
                self.say(refusal if is_lmtp else b"250 2.0.0 ok")
            elif verb == "QUIT":
                self.say(b"221 2.0.0 bye")
                break
            else:
                self.say(b"250 2.0.0 ok")

socketserver.ThreadingTCPServer.daemon_threads = True
for port, peer in (143, Imap), (24, Mail), (25, Mail):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", port), peer)
    threading.Thread(target=server.serve_forever).start()
open("ready", "w")
END
cat >fetchmailrc <<END
poll 127.0.0.1 protocol imap port 143 auth password user "ada" password "p" is "ada" here
    sslproto '' lmtp smtphost "127.0.0.1/24" nokeep
END
chmod 600 fetchmailrc
cat >attempt <<END
ip link set lo up
python3 peers.py "\$1" &
peers=\$!
while kill -0 \$peers && [ ! -e ready ]; do sleep 0.1; done
env -i PATH=/usr/bin:/bin USER=root HOME="$work" FETCHMAILHOME="$work" LC_ALL=C LD_LIBRARY_PATH="$libraries" \\
    "$work/root/usr/bin/fetchmail" --fetchmailrc fetchmailrc --pidfile "$work/pid" --nosyslog >"$work/log" 2>&1 &&
    status=0 || status=\$?
kill \$peers
echo "exit \$status"
END
for place in DATA RCPT; do
	echo "refused at $place:"
	rm -f ready
	unshare --net sh attempt "$place" || exit 2
done | tee answers
cat >wanted <<'END'
refused at DATA:
to the host's mail server: To: bert@example.org
to the host's mail server: This is a permanent error
to the host's mail server: SMTP error: 452 4.2.2 Mailbox full
to the host's mail server: Subject: one
at the old server: 0
exit 0
refused at RCPT:
at the old server: 1
exit 0
END
cmp -s wanted answers
