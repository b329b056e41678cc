#!/bin/sh
# mbsync leaves out a message that has a header and no empty line behind it, and exits 0 all the same.
#
# RFC 5322 section 3.5 makes the empty line and the body optional, so a message may end with its last header field.
# isync 1.4.4 (Debian 12) says "incomplete header; skipping", copies the other messages and ends with exit code 0; the
# next run skips that message without a word.  Who moves an account with it, in a script that looks at exit codes, has
# lost that mail.  Shown with Dovecot 2.3.19.1 (Debian 12).
#
# `imapctl import NAME imap://...` brings such a message octet for octet, and imapd serves it with an empty body.
#
# Needs apt, an amd64 or arm64 Debian 12, and root, to run the server as nobody.  Exits 0 while it is so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download isync=1.4.4-5 dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp home/copy
printf 'Subject: one\r\n\r\ntext\r\n' >'home/Maildir/cur/1.M1P1.host:2,S'
printf 'From: a@example.org\r\nSubject: two\r\n' >'home/Maildir/cur/2.M2P2.host:2,S'
printf 'Subject: three\r\n\r\n' >'home/Maildir/cur/3.M3P3.host:2,S'
cat >dovecot.conf <<END
base_dir = $work/home/run
libexec_dir = $work/root/usr/lib/dovecot
mail_plugin_dir = $work/root/usr/lib/dovecot/modules
mail_location = maildir:~/Maildir
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
cat >mbsyncrc <<END
IMAPStore server
Tunnel "$work/root/usr/lib/dovecot/imap -c $work/dovecot.conf"

MaildirStore copy
Path $work/home/copy/
Inbox $work/home/copy/INBOX

Channel all
Far :server:
Near :copy:
Create Near
Sync Pull
SyncState *
END
chmod 755 "$work"
chown -R nobody:nogroup home

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$libraries" "$@"
}
for run in first second; do
	as_nobody "$work/root/usr/bin/mbsync" -c mbsyncrc -a >mbsync.log 2>&1 && status=0 || status=$?
	grep -a 'incomplete header' mbsync.log || true
	echo "$run run: exit $status, copied: $(cat home/copy/INBOX/cur/* home/copy/INBOX/new/* 2>/dev/null |
	    sed -n 's/^Subject: \([a-z]*\).*/\1/p' | sort | tr '\n' ' ')"
done | tee answers
[ "$(grep -c 'incomplete header; skipping' answers)" = 1 ] &&
    grep -qx 'first run: exit 0, copied: one three ' answers && grep -qx 'second run: exit 0, copied: one three ' answers
