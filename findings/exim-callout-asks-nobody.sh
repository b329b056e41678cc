#!/bin/sh
# Exim's callout asks nobody whether a recipient exists, and takes all, when mail goes on by its transport `lmtp`.
#
# `verify = recipient/callout` has Exim ask the server behind it at RCPT, so that mail for nobody is refused while its
# sender is on the line.  Exim 4.96 (Debian 12) has two ways to deliver by LMTP: `driver = lmtp` with a socket, and `driver
# = smtp` with `protocol = lmtp`.  By the second it asks, and passes the 550 on.  By the first it answers "250 Accepted" to
# every address, without having connected: the transport is a local one to it.  "Cannot do callout" stands in the output
# of debugging alone, and the address counts as verified.  All that is for nobody is bounced afterwards to whoever the sender
# is said to be.
#
# It is the same with every server, imapd as well: deliver by `driver = smtp`, `protocol = lmtp` (imapd-tutorial(7), Mail from
# Postfix).
#
# Needs apt, python3, an amd64 or arm64 Debian 12, and root, for a network and a user of its own.  Exits 0 while Exim does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download exim4-daemon-light=4.96-15+deb12u11 libdb5.3 libevent-2.1-7 libgnutls-dane0 libgnutls30 libidn12 libidn2-0 \
    libnsl2 libpcre2-8-0 libtirpc3 libunbound8 libunistring2 libhogweed6 libnettle8 libp11-kit0 libtasn1-6 libgssapi-krb5-2 \
    libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libcom-err2 libffi8 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')
chmod 755 "$work"

# A server with one user, at a port and at a socket.
cat >peer.py <<'END'
import os, socketserver, threading

class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer LMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                print(line.decode().strip(), file=open("asked", "a"))
            self.wfile.write(b"550 5.1.1 No such user here\r\n" if verb == b"RCPT" and b"<ada@" not in line else
                             b"221 2.0.0 bye\r\n" if verb == b"QUIT" else b"250 2.0.0 ok\r\n")
            if verb == b"QUIT":
                break

local = socketserver.ThreadingUnixStreamServer("socket", Session)
os.chmod("socket", 0o666)
threading.Thread(target=local.serve_forever, daemon=True).start()
socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 24), Session) as server:
    print("ready", flush=True)
    server.serve_forever()
END
configure() {			# a name, what stands in the router, what stands in the transport
	cat >"$1.conf" <<-END
	primary_hostname = mx.example.org
	spool_directory = $work/spool
	log_file_path = $work/log_%s
	host_lookup =
	rfc1413_query_timeout = 0s
	acl_smtp_rcpt = check
	begin acl
	check:
	  require domains = example.org
	          verify = recipient/callout
	  accept
	begin routers
	users:
	$2
	  transport = there
	begin transports
	there:
	$3
	END
}
configure lmtp '  driver = accept' "  driver = lmtp
  socket = $work/socket"
configure smtp '  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send' '  driver = smtp
  protocol = lmtp
  port = 24
  allow_localhost'
{ cat /etc/passwd; echo 'Debian-exim:x:904:904::/nonexistent:/bin/false'; } >passwd
{ cat /etc/group; echo 'Debian-exim:x:904:'; } >group
mkfifo ready
cat >attempt <<END
mount --bind passwd /etc/passwd
mount --bind group /etc/group
ip link set lo up
python3 peer.py >ready 2>peer.log &
peer=\$!
read -r line <ready
for driver in lmtp smtp; do
	rm -f asked
	echo "driver = \$driver:"
	printf '%s\r\n' 'EHLO sender.example.net' 'MAIL FROM:<bert@example.net>' 'RCPT TO:<ada@example.org>' \
	    'RCPT TO:<nobody@example.org>' QUIT |
	    LD_LIBRARY_PATH=$libraries $work/root/usr/sbin/exim4 -C "$work/\$driver.conf" -bhc 192.0.2.1 2>\$driver.log |
	    tr -d '\r' | sed -n '/^250 OK/,/^221/{/^221/d;s/^/  /;p;}'
	cat asked 2>/dev/null || echo "  and the server was asked nothing"
done
kill \$peer
END
unshare --mount --net sh attempt | tee answers
cat >wanted <<'END'
driver = lmtp:
  250 OK
  250 Accepted
  250 Accepted
  and the server was asked nothing
driver = smtp:
  250 OK
  250 Accepted
  550-Callout verification failed:
  550 550 5.1.1 No such user here
RCPT TO:<ada@example.org>
RCPT TO:<nobody@example.org>
END
cmp -s wanted answers
