#!/bin/sh
# Dovecot takes a subject that is folded behind a space for another one, and parts the thread.
#
# RFC 5256 section 2.1, step 1: "Convert all tabs and continuations to space.  Convert all multiple spaces to a single
# space."  Some programs fold "inode-level cache object and register them" as "... object and \r\n\tregister them", with
# a space before the line end.  Dovecot 2.3.19.1 (Debian 12) keeps two spaces there: THREAD ORDEREDSUBJECT shows the
# reply apart from what it answers, and SORT (SUBJECT) puts it elsewhere.  It happens in the archive of a busy list, to
# one subject of 176 messages.
#
# imapd joins the spaces, also where they came out of a fold: both have the same base subject.
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
printf 'Subject: cache object and register them\r\n\r\ntext\r\n' >"home/Maildir/cur/1.M1P1.host:2,"
printf 'Subject: Re: cache object and\r\n\tregister them\r\n\r\ntext\r\n' >"home/Maildir/cur/2.M1P1.host:2,"
printf 'Subject: Re: cache object and \r\n\tregister them\r\n\r\ntext\r\n' >"home/Maildir/cur/3.M1P1.host:2,"
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

printf 'a SELECT INBOX\r\nb THREAD ORDEREDSUBJECT UTF-8 ALL\r\nc LOGOUT\r\n' | setpriv --reuid=nobody --regid=nogroup \
    --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" LD_LIBRARY_PATH="$libraries" \
    "$work/root/usr/bin/doveadm" -c "$work/dovecot.conf" exec imap >session.log 2>&1 || true

echo "Three messages of one subject: as it is, folded at the space, and folded behind the space:"
grep -aE '^(\* THREAD|b )' session.log
grep -aq '^\* THREAD (1 2)(3)' session.log
