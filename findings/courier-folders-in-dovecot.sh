#!/bin/sh
# Courier IMAP 5 names the folders of a maildir in UTF-8; Dovecot, pointed at that maildir, lists them and cannot
# open them.
#
# Courier IMAP 5.0.13 (Debian 12) makes `.Entwürfe` and `.R&D` for CREATE of INBOX.Entw&APw-rfe and INBOX.R&-D,
# where version 4 and Dovecot write modified UTF-7.  Dovecot 2.3.19.1 (Debian 12) shows both in LIST, so that all
# looks well, and answers SELECT with "NO Mailbox doesn't exist: Entwürfe": it looks for `.Entw&APw-rfe`.
#
# `imapctl import USER maildir PATH` takes a name for UTF-8 when it is no modified UTF-7, and brings both in.
#
# Needs apt, an amd64 or arm64 Debian 12, and root, to run both servers as nobody.  Exits 0 while both do so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download courier-imap=5.0.13+1.0.16-3+b6 courier-base=1.0.16-3+b6 courier-authlib=0.71.4-1+b2 \
    libcourier-unicode4=2.1.2-2+b2 libgamin0=0.1.10-6 \
    dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
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
chmod 755 "$work"
chown -R nobody:nogroup home

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LD_LIBRARY_PATH="$libraries" "$@"
}

# A CREATE each, one after the other: Courier reads the next command when it has answered.
{ printf 'a CREATE INBOX.Entw&APw-rfe\r\n'; sleep 2; printf 'b CREATE INBOX.R&-D\r\n'; sleep 2; printf 'c LOGOUT\r\n'; } |
    (cd home && as_nobody AUTHENTICATED=nobody AUTHADDR=nobody TCPREMOTEIP=127.0.0.1 TCPREMOTEPORT=1 IMAPLOGINTAG=x \
	IMAP_CAPABILITY=IMAP4rev1 "$work/root/usr/bin/imapd" Maildir) >courier.log 2>&1 || true
echo "Courier made:"
ls -A home/Maildir | grep '^\.' | tee folders || true

printf 'a LIST "" *\r\nb EXAMINE Entw&APw-rfe\r\nc EXAMINE R&-D\r\nd LOGOUT\r\n' |
    as_nobody "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap >dovecot.log 2>&1 || true
echo "Dovecot says:"
grep -aE '^(\* LIST|b |c )' dovecot.log | tee answers || true

grep -qx '.Entwürfe' folders && grep -qx '.R&D' folders &&
    grep -q 'LIST .* Entw&APw-rfe' answers && grep -q 'LIST .* R&-D' answers &&
    grep -q "^b NO Mailbox doesn't exist" answers && grep -q "^c NO Mailbox doesn't exist" answers
