#!/bin/sh
# imapfilter moves mail to another account as headers without bodies, and deletes the whole letters, when one FETCH fails.
#
# RFC 9051 section 6.4.5 has NO for "can't fetch that data".  move_messages() of imapfilter 2.8.1 (Debian 12) between two
# accounts fetches all headers, then all bodies; the first NO to a body ends that, and what is then appended for this
# message and all after it is the header alone.  All are flagged \Deleted and expunged, it says "3 messages moved", and the
# exit status is 0: what a server could not read for a moment is lost, and so is what it was never asked for.
#
# imapd says NO where a message is damaged or its storage fails; what was expunged so comes back by `imapctl undelete`.
#
# Needs apt, python3 and an amd64 or arm64 Debian 12.  Exits 0 while imapfilter does so.
set -eu
work=$(mktemp -d)
peer=
trap 'kill $peer 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download imapfilter=1:2.8.1-1 liblua5.2-0 libpcre2-8-0 libssl3 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

# Two accounts, one server: the INBOX that is selected has three letters, and the body of the second cannot be read; what is
# appended is for the other account.
cat >peer.py <<'END'
import re, socketserver

letters = {number: [b"Subject: %d\r\n\r\n" % number, b"text of %d\r\n" % number] for number in (1, 2, 3)}
flags = dict.fromkeys(letters, b"")
copies = []

class Session(socketserver.StreamRequestHandler):
    def answer(self, line):
        verb = line.upper()
        if verb == b"CAPABILITY":
            yield b"CAPABILITY IMAP4rev1"
        elif verb.startswith(b"SELECT"):
            yield b"FLAGS (\\Deleted \\Seen)"
            yield b"%d EXISTS" % len(letters)
            yield b"OK [UIDVALIDITY 1] ok"
        elif verb.startswith(b"UID SEARCH"):
            yield b"SEARCH" + b"".join(b" %d" % uid for uid in letters)
        elif found := re.match(rb"UID FETCH (\d+) (.*)", verb):
            uid = int(found[1])
            if found[2] == b"FAST":
                yield b'%d FETCH (UID %d FLAGS (%s) INTERNALDATE "01-Jan-2024 10:00:00 +0000" RFC822.SIZE %d)' % (
                    uid, uid, flags[uid], len(b"".join(letters[uid])))
            elif found[2] == b"BODY.PEEK[TEXT]" and uid == 2:
                return b"NO [UNAVAILABLE] storage is busy, try again later"
            else:
                text = letters[uid][found[2] == b"BODY.PEEK[TEXT]"]
                yield b"%d FETCH (UID %d BODY%s {%d}\r\n%s)" % (uid, uid, found[2][9:], len(text), text)
        elif found := re.match(rb"UID STORE (\S+) ", verb):
            for part in found[1].split(b","):
                first, _, last = part.partition(b":")
                for uid in range(int(first), int(last or first) + 1):
                    flags[uid] = b"\\Deleted"
        elif verb in (b"CLOSE", b"EXPUNGE"):
            for uid in list(letters):
                if flags[uid]:
                    del letters[uid]
        elif found := re.search(rb"APPEND .*\{(\d+)\}$", line):
            self.wfile.write(b"+ go on\r\n")
            copies.append(self.rfile.read(int(found[1])))
            self.rfile.readline()
        elif verb == b"LOGOUT":
            with open("state", "w") as out:
                for copy in sorted(copies):
                    print("copied:", repr(copy.decode()), file=out)
                print("left at the old account:", *letters or ["nothing"], file=out)
        return b"OK done"

    def handle(self):
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, line = line.strip().partition(b" ")
            answer = self.answer(line)
            try:
                while True:
                    self.wfile.write(b"* %s\r\n" % next(answer))
            except StopIteration as end:
                self.wfile.write(b"%s %s\r\n" % (tag, end.value))
            if line.upper() == b"LOGOUT":
                break

with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
END
mkfifo port
python3 peer.py >port 2>peer.log &
peer=$!
read -r number <port
cat >move.lua <<END
old = IMAP { server = '127.0.0.1', port = $number, username = 'old', password = 'p' }
new = IMAP { server = '127.0.0.1', port = $number, username = 'new', password = 'p' }
print('move_messages:', old.INBOX:move_messages(new.INBOX, old.INBOX:select_all()))
END
# It looks for its scripts in /usr/share/imapfilter, a path of 21 octets.
sed 's,/usr/share/imapfilter,./scripts////////////,g' root/usr/bin/imapfilter >imapfilter
chmod 755 imapfilter
cp -r root/usr/share/imapfilter scripts
mkdir home
env -i PATH=/usr/bin:/bin HOME="$work/home" LD_LIBRARY_PATH="$libraries" ./imapfilter -c move.lua >out.log 2>&1 &&
    status=0 || status=$?
{
	cat out.log
	echo "exit $status"
	cat state
} | tr -d '\r' | sed 's/127\.0\.0\.1/server/g; s/IMAP ([0-9]*): [0-9A-F]* NO/IMAP: NO/' | tee answers
cat >wanted <<'END'
imapfilter: IMAP: NO [UNAVAILABLE] storage is busy, try again later
3 messages moved from old@server/INBOX to new@server/INBOX.
move_messages:	true
exit 0
copied: 'Subject: 1\r\n\r\ntext of 1\r\n'
copied: 'Subject: 2\r\n\r\n'
copied: 'Subject: 3\r\n\r\n'
left at the old account: nothing
END
cmp -s wanted answers
