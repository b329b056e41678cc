#!/bin/sh
# Dovecot does not find a subject whose encoded word names its language.
#
# RFC 2231 section 5 lets an encoded word say it behind the charset: "=?utf-8*de?Q?J=C3=A4nner?=".  Dovecot 2.3.19.1
# (Debian 12) takes "utf-8*de" for a charset that it does not know, and leaves the word as it is written: SEARCH finds
# nothing of it, not even what is ASCII.
#
# imapd leaves the language out, and finds both.
#
# Needs apt, a Debian 12, and root, to run the server as nobody.  Exits 0 while it does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
printf 'Subject: =?utf-8?Q?im_J=C3=A4nner?=\r\n\r\ntext\r\n' >"home/Maildir/cur/1.M1P1.host:2,"
printf 'Subject: =?utf-8*de?Q?im_J=C3=A4nner?=\r\n\r\ntext\r\n' >"home/Maildir/cur/2.M1P1.host:2,"
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

printf 'a SELECT INBOX\r\nb SEARCH SUBJECT "im J"\r\nc SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nJ\303\244nner\r\nd LOGOUT\r\n' |
    setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
    LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap >session.log 2>&1 || true

echo "Two messages of one subject, the second says that it is German; what is found by \"im J\", and by \"Jänner\":"
grep -aE '^(\* SEARCH|[bc] )' session.log
test "$(grep -a '^\* SEARCH' session.log | tr -d '\r' | tr '\n' ' ')" = "* SEARCH 1 * SEARCH 1 "
