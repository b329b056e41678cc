#!/bin/sh
# Dovecot takes no INTERNALDATE of the future, and makes other dates of those before 1970.
#
# RFC 9051 section 6.3.12: with a date-time "the internal date SHOULD be set in the resulting message".  Dovecot 2.3.19.1
# (Debian 12) answers OK, and what FETCH then shows is: for a date of next century, the time of the APPEND; for the last
# second of 1969, a day in 1901, 2038 or 2106, as the format and the file system have it.  A copier that knows messages by their dates, so as to go
# on where it stopped, brings these again and again.
#
# imapd keeps both dates.  Its `imapctl export` to another server looks for messages of such dates by their octets.
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

append() { printf '%s APPEND INBOX "%s" {14+}\r\nSubject: x\r\n\r\n\r\n' "$1" "$2"; }
{
    append a "17-Jul-1996 02:44:25 +0000"
    append b "01-Jan-2100 00:00:00 +0000"
    append c "31-Dec-1969 23:59:59 +0000"
    printf 'd SELECT INBOX\r\ne FETCH 1:* (INTERNALDATE)\r\nf LOGOUT\r\n'
} | setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
    LD_LIBRARY_PATH="$libraries" "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap >session.log 2>&1 || true

echo "Appended with dates of 1996, 2100 and 1969:"
grep -aE '^(\* [0-9]+ FETCH|[abc] )' session.log | tr -d '\r'
test "$(grep -acE '^[abc] OK' session.log)" = 3
grep -aq '^\* 1 FETCH.*"17-Jul-1996 02:44:25 +0000"' session.log
grep -aq "^\* 2 FETCH.*-$(date -u +%Y) " session.log
grep -aqE '^\* 3 FETCH.*-(1901|2038|2106) ' session.log
