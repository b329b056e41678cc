#!/bin/sh
# OpenSMTPD brings a message once more to recipients who have it, when an LMTP server's replies come in one packet.
#
# RFC 2033 section 4.2: "the server returns one reply for each previously successful RCPT command in the mail transaction,
# in the order that the RCPT commands were issued".  OpenSMTPD 6.8.0p2 (Debian 12) with `relay host lmtp://HOST:PORT` reads
# one of them; when it finds more in its buffer it says "Remote host sent too much data", which is a temporary failure
# for the other recipients, whatever their replies were.  All are tried again, and the next one has success: of a letter to
# three users of a server one gets it once, one twice and one three times.  Where each reply comes by itself, nothing of it is
# seen.  The server here takes all; what is tried again later is tried at once.
#
# It is the same with every server that may send two replies at once, imapd and Dovecot as well: use the action `lmtp`,
# which brings one recipient after the other, with a table of addresses (imapd-tutorial(7), Mail from Postfix).
#
# Needs apt, python3, an amd64 or arm64 Debian 12, and root, for a network, users and folders of its own.  Exits 0 while
# OpenSMTPD does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download opensmtpd=6.8.0p2-4+b4 libdb5.3 libevent-2.1-7 libssl3 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
chmod 755 "$work"
chgrp 902 root/usr/sbin/smtpctl
chmod 2755 root/usr/sbin/smtpctl

# A server that takes all; its replies leave one by one, or together.
cat >peer.py <<'END'
import socketserver, sys, time

class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer LMTP\r\n")
        recipients = []
        for line in self.rfile:
            verb, replies = line[:4].upper(), [b"250 2.0.0 ok\r\n"]
            if verb == b"RCPT":
                recipients.append(line.decode().strip()[len("RCPT TO:<"):-1])
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                replies *= len(recipients)
                print(*recipients, sep="\n", file=open("stored", "a"))
                recipients = []
            for reply in [b"".join(replies)] if sys.argv[1] == "together" else replies:
                self.wfile.write(reply)
                time.sleep(2 if len(replies) > 1 else 0)
            if verb == b"QUIT":
                break

socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 24), Session) as server:
    print("ready", flush=True)
    server.serve_forever()
END
cat >send.py <<'END'
import re, smtplib, subprocess, time

def ended(count):
    for _ in range(600):
        with open("smtpd.log", errors="replace") as log:
            found = re.findall(r' delivery evpid=.* result="(\w*)" stat="(.*)"', log.read())
        if len(found) >= count:
            break
        time.sleep(0.1)
    return found

for _ in range(300):
    try:
        with smtplib.SMTP("127.0.0.1", 25, timeout=60) as sender:
            sender.sendmail("bert@example.net", ["ada@example.org", "carl@example.org", "dora@example.org"],
                            "Subject: one\r\n\r\ntext\r\n")
        break
    except OSError:
        time.sleep(0.1)
seen, pending = 0, 3
while pending:
    results = sorted(ended(seen + pending)[seen:])
    for result, reply in results:
        print(f"  {result}, {reply}")
    seen += pending
    pending = sum(result == "TempFail" for result, _ in results)
    if pending:
        print("  tried again:")
        subprocess.run(["smtpctl", "schedule", "all"], stdout=subprocess.DEVNULL, check=True)
END
{
	cat /etc/passwd
	for name in opensmtpd:901 opensmtpq:902 vmail:903; do
		echo "${name%:*}:x:${name#*:}:${name#*:}::/nonexistent:/bin/false"
	done
} >passwd
{ cat /etc/group; printf '%s\n' opensmtpd:x:901: opensmtpq:x:902: vmail:x:903:; } >group
cat >attempt <<'END'
mount -t overlay -o lowerdir="$PWD/root/usr:/usr" overlay /usr
mount --bind passwd /etc/passwd
mount --bind group /etc/group
for folder in /run /var/spool /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -m 711 /var/spool/smtpd
mkdir -p /var/lib/opensmtpd/empty
ip link set lo up
python3 peer.py "$1" >ready 2>peer.log &
peer=$!
read -r line <ready
smtpd -d -f "$PWD/smtpd.conf" >smtpd.log 2>&1 &
smtpd=$!
python3 send.py
kill $smtpd $peer
wait
END
mkfifo ready
cat >smtpd.conf <<END
listen on 127.0.0.1 port 25 hostname mx.example.org
action "there" relay host "lmtp://127.0.0.1:24"
match from any for domain "example.org" action "there"
END
for how in 'one by one' together; do
	echo "replies $how:"
	rm -f stored
	unshare --mount --net sh attempt "$how"
	echo "  letters at the server:" $(sort stored | uniq -c | awk '{ print $1 }' | sort)
done | tee answers
cat >wanted <<'END'
replies one by one:
  Ok, 250 2.0.0 ok
  Ok, 250 2.0.0 ok
  Ok, 250 2.0.0 ok
  letters at the server: 1 1 1
replies together:
  Ok, 250 2.0.0 ok
  TempFail, Remote host sent too much data
  TempFail, Remote host sent too much data
  tried again:
  Ok, 250 2.0.0 ok
  TempFail, Remote host sent too much data
  tried again:
  Ok, 250 2.0.0 ok
  letters at the server: 1 2 3
END
cmp -s wanted answers
