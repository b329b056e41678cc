#!/bin/sh
# Dovecot refuses a UID COPY or UID MOVE as a whole when another session has just expunged one of the messages.
#
# RFC 9051 section 6.4.9: "A nonexistent unique identifier is ignored without any error message generated."  With
# Dovecot 2.3.19.1 (Debian 12) that holds for a UID that was never there.  For one that another session has expunged,
# which this session has not been told of, it answers NO [EXPUNGEISSUED] and copies none of the others: who drags
# twenty messages into a folder while a phone deletes one of them gets an error and no message moved.
#
# imapd copies and moves what is there and says which in COPYUID; only a COPY by message numbers is refused so.
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

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp home/Maildir/.other/cur home/Maildir/.other/new \
    home/Maildir/.other/tmp
for number in 1 2 3; do
	printf 'Subject: %s\r\n\r\ntext\r\n' "$number" >"home/Maildir/cur/$number.M1P1.host:2,"
done
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

imap() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap
}

# Wait until a session has said a line that begins so.
await() {
	for _ in $(seq 100); do
		grep -aq "^$1" session.log && return
		sleep 0.1
	done
	echo "no answer to $1" >&2
	exit 2
}

mkfifo commands
imap <commands >session.log 2>&1 &
exec 3>commands
printf 'a SELECT INBOX\r\n' >&3
await 'a OK'
printf 'a SELECT INBOX\r\nb STORE 2 +FLAGS (\\Deleted)\r\nc EXPUNGE\r\nd LOGOUT\r\n' | imap >other.log 2>&1 || true
printf 'b UID COPY 1:3 other\r\n' >&3
await 'b '
printf 'c UID COPY 1:3 other\r\nd UID COPY 2 other\r\ne LOGOUT\r\n' >&3
await 'e OK'
exec 3>&-
wait || true

echo "The other session has expunged message 2, then this one says UID COPY 1:3, the same once more, and UID COPY 2:"
grep -aE '^(\* [0-9]+ EXPUNGE|[bcd] )' session.log
grep -aq '^b NO \[EXPUNGEISSUED\]' session.log && grep -aq '^c OK \[COPYUID' session.log && grep -aq '^d OK' session.log
