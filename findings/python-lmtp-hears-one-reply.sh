#!/bin/sh
# Python's smtplib.LMTP reads one reply for a message, whoever refuses it, and the next message gets the others.
#
# RFC 2033 section 4.2: after the final dot "the server returns one reply for each previously successful RCPT command in
# the mail transaction", and for that LMTP is there.  smtplib of Python 3.11.2 (Debian 12) has a class LMTP, whose
# sendmail() hears the first one alone.  When the second recipient's mailbox is full it returns {}, which says that all have
# the message, and who removes it then has lost it; the refusal is taken for the answer to the next message's MAIL FROM,
# whose recipient has nothing to do with it.
#
# It is the same with every server, imapd as well: hand each recipient over in a transaction of its own, or connect for
# each message and call mail(), rcpt(), data() and then getreply() for the other recipients.
#
# Needs apt and an amd64 or arm64 Debian 12.  Exits 0 while smtplib does so.
set -eu
work=$(mktemp -d)
peer=
trap 'kill $peer 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download python3.11-minimal=3.11.2-6+deb12u9 libpython3.11-minimal=3.11.2-6+deb12u9 \
    libpython3.11-stdlib=3.11.2-6+deb12u9 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
export PYTHONHOME="$work/root/usr"

# A server where b's mailbox is full.
cat >peer.py <<'END'
import socketserver

class Session(socketserver.StreamRequestHandler):
    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())

    def handle(self):
        self.say("220 peer LMTP")
        recipients = []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"LHLO":
                self.say("250-peer", "250-PIPELINING", "250 ENHANCEDSTATUSCODES")
            elif verb == b"RCPT":
                recipients.append(line)
                self.say("250 2.1.5 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                self.say(*("452 4.2.2 full" if b"<b@" in recipient else "250 2.0.0 stored" for recipient in recipients))
                recipients = []
            elif verb == b"QUIT":
                return self.say("221 2.0.0 bye")
            else:
                self.say("250 2.0.0 ok")

with socketserver.TCPServer(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
END
cat >client.py <<'END'
import smtplib, sys

lmtp = smtplib.LMTP("127.0.0.1", int(sys.argv[1]))
print("to a and b, whose mailbox is full:", lmtp.sendmail("s@example.org", ["a@example.org", "b@example.org"], b"\r\nx\r\n"))
try:
    print("then to c:", lmtp.sendmail("s@example.org", ["c@example.org"], b"\r\nx\r\n"))
except smtplib.SMTPException as error:
    print("then to c:", error)
END
mkfifo port
"$work/root/usr/bin/python3.11" peer.py >port &
peer=$!
read -r number <port
"$work/root/usr/bin/python3.11" client.py "$number" | tee answers
grep -qxF 'to a and b, whose mailbox is full: {}' answers &&
    grep -qxF "then to c: (452, b'4.2.2 full', 's@example.org')" answers
