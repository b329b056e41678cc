#!/bin/sh
# OpenSMTPD's action `lmtp` tries for four days what an LMTP server has refused for good.
#
# RFC 5321 section 4.2.1 has 5yz for a permanent error, and RFC 2033 passes it on for each recipient.  OpenSMTPD 6.8.0p2
# (Debian 12) hands an action `lmtp HOST:PORT` to its helper mail.lmtp, which ends with 75 for 550 as for 452, whether
# the recipient is refused or the message.  So mail to an address that does not exist stays in the queue until its time is
# over, "temporary failure" says the log, and who mistyped the address hears of it after four days (`queue ttl`).  Its other
# way to an LMTP server, `relay host lmtp://HOST:PORT`, bounces at once, and does worse elsewhere: see
# opensmtpd-relay-brings-it-again.sh.
#
# It is the same with every server, imapd as well: give `virtual` a table of the addresses that there are; then OpenSMTPD
# refuses the others itself (imapd-tutorial(7), Mail from Postfix).
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

# An LMTP server that refuses nobody@, or the message to nobody@.
cat >peer.py <<'END'
import socketserver, sys

place, reply = sys.argv[1], sys.argv[2].encode() + b"\r\n"

class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer LMTP\r\n")
        recipients = []
        for line in self.rfile:
            verb, answer = line[:4].upper(), b"250 2.0.0 ok\r\n"
            if verb == b"RCPT" and b"nobody" in line and place == "RCPT":
                answer = reply
            elif verb == b"RCPT":
                recipients.append(line)
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                answer = b"".join(reply if b"nobody" in one else answer for one in recipients)
                recipients = []
            self.wfile.write(answer)
            if verb == b"QUIT":
                break

socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 24), Session) as server:
    print("ready", flush=True)
    server.serve_forever()
END
cat >send.py <<'END'
import re, smtplib, time

for _ in range(300):
    try:
        with smtplib.SMTP("127.0.0.1", 25, timeout=60) as sender:
            try:
                sender.sendmail("bert@example.net", ["nobody@example.org"], "Subject: one\r\n\r\ntext\r\n")
            except smtplib.SMTPRecipientsRefused as refusal:
                print("  refused to the sender:", *(code for code, _ in refusal.recipients.values()))
                break
        for _ in range(600):
            with open("smtpd.log", errors="replace") as log:
                found = re.search(' delivery evpid=.* result="*([A-Za-z]*)', log.read())
            if found:
                print(" ", found[1])
                break
            time.sleep(0.1)
        break
    except OSError:
        time.sleep(0.1)
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
python3 peer.py "$1" "$2" >ready 2>peer.log &
peer=$!
read -r line <ready
smtpd -d -f "$PWD/smtpd.conf" >smtpd.log 2>&1 &
smtpd=$!
python3 send.py
kill $smtpd $peer
wait
END
mkfifo ready
attempts() {			# what stands in the table, an action
	cat >smtpd.conf <<-END
	listen on 127.0.0.1 port 25 hostname mx.example.org
	table users { "$1" = vmail }
	action "there" $2
	action "bounces" relay host "smtp://127.0.0.1:26"
	match from any for domain "example.org" action "there"
	match from any for any action "bounces"
	END
	for place in RCPT message; do
		for reply in '550 5.7.1 No' '452 4.2.2 Mailbox full'; do
			echo "$1, ${2%%\"*}, $place, ${reply%% *}:"
			unshare --mount --net sh attempt "$place" "$reply"
		done
	done
}
{
	attempts @example.org 'lmtp "127.0.0.1:24" rcpt-to virtual <users>'
	attempts @example.org 'relay host "lmtp://127.0.0.1:24"'
	attempts ada@example.org 'lmtp "127.0.0.1:24" rcpt-to virtual <users>'
} | tee answers
cat >wanted <<'END'
@example.org, lmtp , RCPT, 550:
  TempFail
@example.org, lmtp , RCPT, 452:
  TempFail
@example.org, lmtp , message, 550:
  TempFail
@example.org, lmtp , message, 452:
  TempFail
@example.org, relay host , RCPT, 550:
  PermFail
@example.org, relay host , RCPT, 452:
  TempFail
@example.org, relay host , message, 550:
  PermFail
@example.org, relay host , message, 452:
  TempFail
ada@example.org, lmtp , RCPT, 550:
  refused to the sender: 524
ada@example.org, lmtp , RCPT, 452:
  refused to the sender: 524
ada@example.org, lmtp , message, 550:
  refused to the sender: 524
ada@example.org, lmtp , message, 452:
  refused to the sender: 524
END
cmp -s wanted answers
