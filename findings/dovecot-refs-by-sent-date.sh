#!/bin/sh
# Dovecot puts the threads of THREAD=REFS in the order of their Date fields, not of their arrival.
#
# draft-ietf-morg-inthread-01 section 4: "THREAD=REFS sorts threads by the most recent INTERNALDATE in each thread [...]
# This means that when a new message arrives, its thread becomes the latest thread."  Dovecot 2.3.19.1 (Debian 12)
# announces THREAD=REFS and looks at the Date field: a thread that has just got an answer stays where it was if
# another one has a message whose sender's clock runs ahead, and a message with a Date in the future is the latest for
# years.
#
# imapd goes by INTERNALDATE.
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

# Number, when it came, its Date, what it answers.
mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
letter() {
	printf 'Message-ID: <%s@example.org>\r\nDate: %s\r\nReferences: %s\r\n\r\ntext\r\n' "$1" "$3" "$4" \
	    >"home/Maildir/cur/$1.M1P1.host:2,"
	touch -d "$2" "home/Maildir/cur/$1.M1P1.host:2,"
}
letter 1 '2024-03-01 12:00Z' 'Fri, 01 Mar 2024 12:00:00 +0000' ''
letter 2 '2024-03-02 12:00Z' 'Thu, 02 Mar 2034 12:00:00 +0000' ''
letter 3 '2024-03-03 12:00Z' 'Sun, 03 Mar 2024 12:00:00 +0000' '<1@example.org>'
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

printf 'a SELECT INBOX\r\nb FETCH 1:* (INTERNALDATE)\r\nc THREAD REFS UTF-8 ALL\r\nd LOGOUT\r\n' |
    setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
    LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap >session.log 2>&1

echo "Message 3 came last and answers message 1; message 2 came before it, with a Date ten years ahead:"
grep -aE '^\* ([0-9]+ FETCH|THREAD)' session.log
tr -d '\r' <session.log | grep -aqx '\* THREAD (1 3)(2)'
