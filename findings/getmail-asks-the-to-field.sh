#!/bin/sh
# getmail delivers by LMTP to whom To and Cc name, and deletes the message when all of these are refused.
#
# MDA_lmtp of getmail6 6.18.11 (Debian 12) has an option `override`, "instead of the one given by the envelope or mail
# headers", and a `fallback` for a recipient who is refused.  Without `override` the envelope's recipient, which a multidrop
# retriever has read from Delivered-To, is never used, nor is the fallback: what came by a list goes to the list's address,
# which no server has, and to whoever else stands in To and Cc.  550 for all of them passes for a delivery: "delivered,
# deleted", exit status 0, and the letter is gone.  With `override` it stays where it was.
#
# It is the same with every server, imapd as well: one configuration for each user, with `override`.
#
# Needs apt, python3 and a Debian 12.  Exits 0 while getmail does so.
set -eu
work=$(mktemp -d)
peers=
trap 'kill $peers 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download getmail6=6.18.11-2 >download.log 2>&1 || { cat download.log >&2; exit 2; }
dpkg -x getmail6*.deb root

# A mailbox with three letters, by POP3, and the new server, which knows ada and postmaster.
cat >peers.py <<'END'
import os, socketserver, threading

def letter(number, fields):
    return ("Return-Path: <bert@example.net>\r\nDelivered-To: ada@example.org\r\nFrom: bert@example.net\r\n"
            f"{fields}Subject: {number}\r\n\r\ntext\r\n").encode()

letters = {1: letter(1, "To: ada@example.org\r\n"), 2: letter(2, "To: list@example.net\r\n"),
           3: letter(3, "To: list@example.net\r\nCc: carl@example.com\r\n")}

class Pop3(socketserver.StreamRequestHandler):
    def say(self, line, octets=None):
        self.wfile.write(line.encode() + b"\r\n" + (octets + b".\r\n" if octets is not None else b""))

    def handle(self):
        self.say("+OK")
        dropped, listed = set(), sorted(letters)
        for line in self.rfile:
            verb, *words = line.decode().split()
            which = listed[int(words[0]) - 1] if verb in ("RETR", "TOP", "DELE") else 0
            if verb in ("UIDL", "LIST"):
                rows = [f"{n} {which if verb == 'UIDL' else len(letters[which])}\r\n" for n, which in enumerate(listed, 1)]
                self.say("+OK", "".join(rows).encode())
            elif verb == "STAT":
                self.say(f"+OK {len(listed)} {sum(map(len, letters.values()))}")
            elif verb in ("RETR", "TOP"):
                self.say("+OK", letters[which])
            elif verb == "DELE":
                dropped.add(which)
                self.say("+OK")
            elif verb == "QUIT":
                for which in dropped:
                    del letters[which]
                print(f"  left: {' '.join(map(str, sorted(letters))) or 'none'}", file=open("said", "a"))
                self.say("+OK")
                return
            else:
                self.say("-ERR" if verb in ("CAPA", "STLS") else "+OK")

class Lmtp(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer LMTP\r\n")
        count = 0
        for line in self.rfile:
            verb, reply = line[:4].upper(), b"250 2.0.0 ok\r\n"
            if verb in (b"MAIL", b"RSET"):
                count = 0
            elif verb == b"RCPT":
                address = line.decode().split(":")[1].strip()
                is_known = address.strip("<>").split("@")[0] in ("ada", "postmaster")
                count += is_known
                reply = b"250 2.1.5 ok\r\n" if is_known else b"550 5.1.1 No such user here\r\n"
                print(f"  RCPT TO:{address} {reply[:3].decode()}", file=open("said", "a"))
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                reply *= count
            self.wfile.write(reply)

socketserver.ThreadingTCPServer.daemon_threads = True
servers = [socketserver.ThreadingTCPServer(("127.0.0.1", 0), session) for session in (Pop3, Lmtp)]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
print(*(server.server_address[1] for server in servers), flush=True)
END
mkfifo ports
for options in 'fallback = postmaster' 'override = ada' 'override = nobody'; do
	python3 peers.py >ports 2>peers.log &
	peers=$!
	read -r pop3 lmtp <ports
	rm -rf said state
	mkdir state
	cat >rc <<-END
	[retriever]
	type = MultidropPOP3Retriever
	server = 127.0.0.1
	port = $pop3
	username = ada
	password = secret
	envelope_recipient = delivered-to:1
	[destination]
	type = MDA_lmtp
	host = 127.0.0.1
	port = $lmtp
	$options
	[options]
	delete = true
	END
	env -i PATH=/usr/bin:/bin HOME="$work/state" PYTHONPATH="$work/root/usr/lib/python3/dist-packages" \
	    python3 "$work/root/usr/bin/getmail" --getmaildir="$work/state" --rcfile="$work/rc" >getmail.log 2>&1 && status=0 || status=$?
	echo "$options: exit $status"
	sed -n 's/^  msg \([0-9]\)[^ ]* ([^)]*),* \(deliver[a-z, ]*\).*/  \1 \2/p' getmail.log | sed 's/ *$//'
	cat said
	kill "$peers"
	wait "$peers" 2>/dev/null || true
done | tee answers
cat >wanted <<'END'
fallback = postmaster: exit 0
  1 delivered, deleted
  2 delivered, deleted
  3 delivered, deleted
  RCPT TO:<ada@example.org> 250
  RCPT TO:<list@example.net> 550
  RCPT TO:<list@example.net> 550
  RCPT TO:<carl@example.com> 550
  left: none
override = ada: exit 0
  1 delivered, deleted
  2 delivered, deleted
  3 delivered, deleted
  RCPT TO:<ada> 250
  RCPT TO:<ada> 250
  RCPT TO:<ada> 250
  left: none
override = nobody: exit 127
  1 delivery error
  2 delivery error
  3 delivery error
  RCPT TO:<nobody> 550
  RCPT TO:<nobody> 550
  RCPT TO:<nobody> 550
  left: 1 2 3
END
cmp -s wanted answers
