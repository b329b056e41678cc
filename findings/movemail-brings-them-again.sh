#!/bin/sh
# movemail brings the same letters at every run when one in the mailbox has no From field.
#
# RFC 9051 section 6.3.12 knows of "draft messages, in which required [RFC5322] header fields are omitted", and a letter of
# a script may lack From, too.  movemail of GNU mailutils 3.15 (Debian 12), from an IMAP server to an mbox, needs it for the
# separator line: it says "cannot append message 3: Requested item not found", leaves all at the server, also those that
# it has appended already, and exits 1.  Run by cron, each run appends the same once more, and what lies behind that
# message never comes.  A Return-Path does not help it; to a maildir it moves all four.  Shown with Dovecot 2.3.19.1
# (Debian 12).
#
# It is the same with every server, imapd as well: move to a maildir, or let `imapctl export USER mbox` write the file.
#
# Needs apt, python3, a Debian 12, and root, to run the server as nobody.  Exits 0 while movemail does so.
set -eu
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get -q download mailutils=1:3.15-4 libmailutils9=1:3.15-4 guile-3.0-libs libfribidi0 libgc1 libgdbm6 libgsasl18 libgssglue1 \
    libidn12 libkyotocabinet16v5 libldap-2.5-0 libltdl7 libmariadb3 libntlm0 libpam0g libpq5 libpython3.11 libtokyocabinet9 \
    libunistring2 dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
for number in 1 2 4; do
	printf 'From: ada@example.org\r\nSubject: %s\r\n\r\ntext\r\n' "$number" >"home/Maildir/cur/$number.M1P1.host:2,"
done
printf 'Return-Path: <bert@example.org>\r\nSubject: 3\r\n\r\ntext\r\n' >"home/Maildir/cur/3.M1P1.host:2,D"
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
cat >peer.py <<'END'
import socketserver, subprocess, sys

class Session(socketserver.BaseRequestHandler):
    def handle(self):
        subprocess.call(sys.argv[1], stdin=self.request, stdout=self.request)

with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
END
chmod 755 "$work" server
chown -R nobody:nogroup home
as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" "$@"
}
mkfifo port
as_nobody python3 peer.py "$work/server" >port 2>peer.log &
server=$!
read -r port <port
movemail() {
	as_nobody LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/movemail.mailutils" "imap://a:p@127.0.0.1:$port/INBOX" "$1" 2>&1 &&
	    status=0 || status=$?
	echo "exit $status, at the server: $(find home/Maildir/cur home/Maildir/new -type f | wc -l)," \
	    "moved: $(grep -rh '^Subject: ' "${1#*:}" | sed 's/.*: //' | $2 | tr '\n' ' ')"
}
{
	for run in first second; do
		movemail "mbox:$work/home/moved" cat
	done
	movemail "maildir:$work/home/maildir" sort
} | tee answers
cat >wanted <<'END'
movemail.mailutils: cannot append message 3: Requested item not found
exit 1, at the server: 4, moved: 1 2 
movemail.mailutils: cannot append message 3: Requested item not found
exit 1, at the server: 4, moved: 1 2 1 2 
exit 0, at the server: 0, moved: 1 2 3 4 
END
cmp -s wanted answers
