#!/bin/sh
# fetchmail writes to its user that the password is probably invalid when the server has said that it is unavailable.
#
# RFC 5530 section 3 has [UNAVAILABLE] for "temporary failure because a subsystem is down", so that a client need not take a
# NO to LOGIN for a wrong password.  fetchmail 6.4.37 (Debian 12) reads none of these codes: it logs "Authorization
# failure", and the third poll as a daemon brings the user a mail which says so, adding that servers "don't send useful
# error messages on login failure".  The server's own sentence is neither in it nor in the log.  So where a mailbox server
# behind a proxy is restarted, users look for the fault in their passwords.
#
# imapd says NO [UNAVAILABLE] while a mailbox server is away, as the RFC has it: tell users of fetchmail before.
#
# Needs apt, python3 and an amd64 or arm64 Debian 12.  Exits 0 while fetchmail does so.
set -eu
work=$(mktemp -d)
peer=
trap 'kill $peer 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download fetchmail=6.4.37-1 libcom-err2 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
    libssl3 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

# A proxy whose server is away.
cat >peer.py <<'END'
import socketserver

class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in self.rfile:
            tag, verb = line.split()[:2]
            if verb.upper() == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
            elif verb.upper() == b"LOGOUT":
                return self.wfile.write(b"* BYE bye\r\n" + tag + b" OK done\r\n")
            else:
                self.wfile.write(tag + b" NO [UNAVAILABLE] The mailbox server is being restarted\r\n")

with socketserver.TCPServer(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
END
mkfifo port
python3 peer.py >port &
peer=$!
read -r number <port
cat >fetchmailrc <<END
poll 127.0.0.1 protocol imap port $number user u password p sslproto "" mda "cat >>$work/mail; touch $work/has-come"
END
chmod 600 fetchmailrc
HOME=$work FETCHMAILHOME=$work LC_ALL=C LD_LIBRARY_PATH=$libraries "$work/root/usr/bin/fetchmail" -f fetchmailrc -N -d 1 >log 2>&1 &
fetchmail=$!
for _ in $(seq 60); do
	[ ! -e has-come ] || break
	sleep 1
done
kill "$fetchmail" || { cat log >&2; exit 2; }
grep -h '^fetchmail: Auth' log | sort -u | sed "s/ on .*//" | tee answers
sed -n '/^Subject/s/ on .*//p; /^The attempt/,/^$/p' mail | tee -a answers
! grep -q restarted log mail && grep -qx 'fetchmail: Authorization failure' answers &&
    grep -qx 'Subject: fetchmail authentication failed' answers &&
    grep -qx 'This probably means your password is invalid, but some servers have' answers &&
    grep -qx "because they don't send useful error messages on login failure." answers
