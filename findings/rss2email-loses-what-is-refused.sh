#!/bin/sh
# rss2email takes a refused APPEND for a delivery, and what was in the feed then never comes.
#
# RFC 9051 section 6.3.12 has NO for "append error: can't append to that mailbox", and section 7.1 [OVERQUOTA] and
# [TRYCREATE] for why.  rss2email 3.13.1 (Debian 12) with `email-protocol = imap` does not look at the answer to its
# APPEND: where the mailbox is not there yet, or full, it logs "send message" for each entry of the feed, exits 0, and
# notes all as seen.  When the mailbox is made the next run brings nothing, and only what is published from then on
# arrives.  Shown with Dovecot 2.3.19.1 (Debian 12).
#
# It is the same with every server, imapd as well: make the mailbox before the first run.  After a full mailbox
# `r2e reset` has all entries sent again.
#
# Needs apt, python3, a Debian 12, and root, to run the server as nobody.  Exits 0 while rss2email does so.
set -eu
work=$(mktemp -d)
peers=
trap 'kill $peers 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download rss2email=1:3.13.1-3 python3-feedparser=6.0.10-1 python3-html2text=2020.1.16-2 python3-sgmllib3k \
    dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp web
cat >dovecot.conf <<END
base_dir = $work/home/run
libexec_dir = $work/root/usr/lib/dovecot
mail_plugin_dir = $work/root/usr/lib/dovecot/modules
mail_location = maildir:$work/home/Maildir
log_path = /dev/null
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
namespace inbox {
  inbox = yes
}
END
cat >server <<END
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec $work/root/usr/lib/dovecot/imap -c $work/dovecot.conf 2>/dev/null
END
# The server, and a web server with the feed.
cat >peers.py <<'END'
import functools, http.server, socketserver, subprocess, sys, threading

class Session(socketserver.BaseRequestHandler):
    def handle(self):
        subprocess.call(sys.argv[1], stdin=self.request, stdout=self.request)

class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass

for server in (socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session),
               http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Files, directory="web"))):
    threading.Thread(target=server.serve_forever).start()
    print(server.server_address[1], flush=True)
END
chmod 755 "$work" server
chown -R nobody:nogroup home

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" "$@"
}
mkfifo ports
as_nobody python3 peers.py "$work/server" >ports 2>peers.log &
peers=$!
{ read -r imap; read -r web; } <ports
cat >home/config <<END
[DEFAULT]
from = feeds@example.org
to = ada@example.org
email-protocol = imap
imap-server = 127.0.0.1
imap-port = $imap
imap-mailbox = feeds
imap-auth = False
imap-ssl = False
[feed.news]
url = http://127.0.0.1:$web/feed.xml
END
chown nobody home/config

# A feed with so many entries.
publish() {
	{
		echo '<rss version="2.0"><channel><title>News</title><link>http://example.org/</link>'
		for number in $(seq "$1"); do
			echo "<item><title>$number</title><guid>urn:example:$number</guid><description>text</description></item>"
		done
		echo '</channel></rss>'
	} >web/feed.xml
}
imap() {
	{ printf '%s\r\n' "$@" 'z LOGOUT'; } | as_nobody "$work/server"
}
run() {
	as_nobody PYTHONPATH="$work/root/usr/lib/python3/dist-packages" \
	    /usr/bin/python3 "$work/root/usr/bin/r2e" -c "$work/home/config" -d "$work/home/seen.json" "$@" >run.log 2>&1 &&
	    status=0 || status=$?
	sed 's/^[^[]*\(\[[A-Z]*\] send message\) .*/\1/p; d' run.log
	grep -E 'WARN|ERROR|append' run.log || true
	echo "r2e $*: exit $status, messages: $(imap 'a STATUS feeds (MESSAGES)' | tr -d '\r' |
	    sed -n 's/.*(MESSAGES \([0-9]*\)).*/\1/p; s/^a \(NO\) .*/\1 mailbox/p')"
}
publish 3
{
	run run
	imap 'a CREATE feeds' >/dev/null
	run run
	publish 4
	run run
	run reset
	run run
} | tee answers
cat >wanted <<'END'
[INFO] send message
[INFO] send message
[INFO] send message
r2e run: exit 0, messages: NO mailbox
r2e run: exit 0, messages: 0
[INFO] send message
r2e run: exit 0, messages: 1
r2e reset: exit 0, messages: 1
[INFO] send message
[INFO] send message
[INFO] send message
[INFO] send message
r2e run: exit 0, messages: 5
END
cmp -s wanted answers
