#!/bin/sh
# Without its cache of failures Postfix never learns that an address does not exist, and tells senders to try again for ever.
#
# `reject_unverified_recipient` has Postfix ask the server behind it whether there is such a user.  It remembers a "no" for
# hours, so that who adds a user is inclined to set `address_verify_negative_cache = no`: "Postfix will generate an address
# probe for every lookup", says postconf(5).  Postfix 3.7.11 (Debian 12) does, and gets its 550 each time; but the process
# that has asked looks for it in the cache, which is where it is not kept.  After some seconds it answers 450 "Address
# verification in progress", so that mail for nobody stays in its senders' queues, each try holds a process, and the
# sender of a mistyped address hears of it after days.
#
# It is the same with every server, imapd as well: leave the option alone, and set address_verify_negative_refresh_time =
# 5m (imapd-tutorial(7), Mail from Postfix).
#
# Needs apt, python3, iproute2, an amd64 or arm64 Debian 12, and root, for a network and a view of /usr of its own.
# Exits 0 while Postfix does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download postfix=3.7.11-0+deb12u1 libdb5.3 libicu72 libnsl2 libsasl2-2 libssl3 libtirpc3 >download.log 2>&1 ||
    { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
chmod 755 "$work"

# A server with one user, by LMTP.
cat >peer.py <<'END'
import socketserver, sys

class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer LMTP\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"RCPT"):
                is_there = b"<ada@" in line
                print("yes" if is_there else "no", file=open("asked", "a"))
                self.wfile.write(b"250 2.1.5 ok\r\n" if is_there else b"550 5.1.1 No such user here\r\n")
            else:
                self.wfile.write(b"250 2.0.0 ok\r\n")

socketserver.ThreadingTCPServer(("127.0.0.1", 24), Session).serve_forever()
END
# What senders hear, each of them of an address twice.
cat >senders.py <<'END'
import re, smtplib, time

for _ in range(300):
    try:
        smtplib.SMTP("127.0.0.1", 25, timeout=60).quit()
        break
    except OSError:
        time.sleep(0.1)
for address in "ada@example.org", "nobody@example.org", "nobody@example.org":
    with smtplib.SMTP("127.0.0.1", 25, timeout=60) as sender:
        sender.ehlo("sender.example.net")
        sender.mail("bert@example.net")
        code, text = sender.rcpt(address)
        print(f"  {address}: {code}", *re.findall(r"verification in progress|No such user|$", text.decode())[:1])
END
mkdir data etc queue
for folder in active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace; do
	install -d -m 700 -o daemon queue/$folder
done
install -d queue/pid
chown daemon data
chgrp games queue/maildrop queue/public
chmod 730 queue/maildrop
chmod 710 queue/public
{
	echo '127.0.0.1:25 inet n - n - - smtpd'
	echo 'cleanup unix n - n - 0 cleanup'
	echo 'qmgr unix n - n 300 1 qmgr'
	for service in 'rewrite trivial-rewrite' 'bounce bounce' 'defer bounce' 'trace bounce' 'proxymap proxymap' 'lmtp lmtp' \
	    'error error' 'retry error'; do
		echo "${service% *} unix - - n - - ${service#* }"
	done
	echo 'verify unix - - n - 1 verify'
	echo 'anvil unix - - n - 1 anvil'
	echo 'scache unix - - n - 1 scache'
} >etc/master.cf
cat >attempt <<END
mount -t overlay -o lowerdir="$work/root/usr:/usr" overlay /usr
ip link set lo up
python3 peer.py 2>peer.log &
peer=\$!
/usr/lib/postfix/sbin/master -c "$work/etc" -d >master.log 2>&1 &
master=\$!
python3 senders.py
kill \$master \$peer
wait
END
for cache in yes no; do
	cat >etc/main.cf <<-END
	compatibility_level = 3.6
	queue_directory = $work/queue
	data_directory = $work/data
	mail_owner = daemon
	setgid_group = games
	myhostname = mx.example.org
	mydestination =
	mynetworks = 192.0.2.1
	inet_protocols = ipv4
	virtual_mailbox_domains = example.org
	virtual_transport = lmtp:inet:[127.0.0.1]:24
	smtpd_recipient_restrictions = reject_unauth_destination, reject_unverified_recipient
	unverified_recipient_reject_code = 550
	address_verify_negative_cache = $cache
	END
	rm -f data/verify_cache* asked
	echo "address_verify_negative_cache = $cache:"
	unshare --mount --net sh attempt
	echo "  the server has said:" $(sort asked | uniq -c | tr -s ' \n' ' ')
done | tee answers
cat >wanted <<'END'
address_verify_negative_cache = yes:
  ada@example.org: 250 
  nobody@example.org: 550 No such user
  nobody@example.org: 550 No such user
  the server has said: 1 no 1 yes
address_verify_negative_cache = no:
  ada@example.org: 250 
  nobody@example.org: 450 verification in progress
  nobody@example.org: 450 verification in progress
END
[ "$(head -9 answers)" = "$(cat wanted)" ] && tail -1 answers | grep -q '^  the server has said: [2-9] no 1 yes$'
