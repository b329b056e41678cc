#!/bin/sh
# With Debian 13 mbsync takes each folder whose name is not ASCII for a new one, and its old copy for an orphan.
#
# isync 1.4.4 (Debian 12) names maildirs as IMAP does on the wire, in modified UTF-7: the copy of "Ärger" is the folder
# `&AMQ-rger`.  isync 1.5.1 (Debian 13) decodes names, to `Ärger`; its NEWS tells of names with non-ASCII characters as
# something new, and nothing of copies that are there.  After the upgrade the same configuration downloads each such
# folder again beside the old one, whose mailbox "cannot be opened anymore": it exits 1 at each run from then on (where
# `Remove` is not set), and what had been changed or put in the old folder offline before the upgrade never reaches the
# server.  Shown with Dovecot 2.3.19.1 (Debian 12).
#
# It is the same with every server, imapd as well.  Rename the folders before the first run after the upgrade; their
# state is inside, with `SyncState *`.
#
# Needs apt, a Debian 12 with the keys of Debian 13, and root, to run the server as nobody.  Exits 0 while it is so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download isync=1.4.4-5 dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

# Debian 13's packages, by lists of apt that nobody else sees.
mkdir -p apt/lists/partial apt/cache/archives/partial trixie
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >apt/sources
: >apt/status
trixie() {
	apt-get -q -o "Dir::Etc::SourceList=$work/apt/sources" -o Dir::Etc::SourceParts=/nonexistent \
	    -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o "Dir::State::Status=$work/apt/status" \
	    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
(trixie update && cd trixie &&
    trixie download isync=1.5.1-1 libc6 libdb5.3t64 libsasl2-2 libssl3t64 zlib1g libzstd1) >download.log 2>&1 ||
    { cat download.log >&2; exit 2; }
for package in trixie/*.deb; do dpkg-deb -x "$package" new; done

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp home/Maildir/.\&AMQ-rger/cur home/Maildir/.\&AMQ-rger/new \
    home/Maildir/.\&AMQ-rger/tmp home/copy
printf 'Subject: one\r\n\r\ntext\r\n' >'home/Maildir/.&AMQ-rger/cur/1.M1P1.host:2,'
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
SubFolders Verbatim

Channel all
Far :server:
Near :copy:
Patterns *
Create Both
SyncState *
END
chmod 755 "$work"
chown -R nobody:nogroup home

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$libraries" "$@"
}
new=$(dirname "$(find "$work/new" -name libc.so.6)")
# Debian 13's program with its own C library; the server behind it keeps Debian 12's.
new_mbsync() {
	as_nobody "$(find "$work/new" -name 'ld-linux*' | head -1)" --library-path "$new" "$work/new/usr/bin/mbsync" "$@"
}
folders() {
	find home/copy -name '*.host,U=*' -o -path '*/cur/*' -o -path '*/new/*' | sed 's,home/copy/\(.*\)/[a-z]*/.*,\1,' |
	    LC_ALL=C sort | uniq -c | tr -s ' \n' ' '
}
{
	as_nobody "$work/root/usr/bin/mbsync" -q -c mbsyncrc -a >old.log 2>&1 && status=0 || status=$?
	echo "1.4.4: exit $status, messages in:$(folders)"
	# Written offline, before the upgrade.
	printf 'Subject: two\n\ntext\n' >'home/copy/&AMQ-rger/cur/2.M2P2.host:2,S'
	chown nobody 'home/copy/&AMQ-rger/cur/2.M2P2.host:2,S'
	for run in first second; do
		new_mbsync -q -c mbsyncrc -a >new.log 2>&1 && status=0 || status=$?
		echo "1.5.1, $run run: exit $status, messages in:$(folders)"
		grep -a 'cannot be opened anymore' new.log || true
	done
	echo "on the server: $(find 'home/Maildir/.&AMQ-rger' -type f -path '*/???/*' | wc -l) of 2"
} | tee answers
grep -qxF '1.4.4: exit 0, messages in: 1 &AMQ-rger ' answers &&
    [ "$(grep -cE '^1.5.1, (first|second) run: exit 1, messages in: 2 &AMQ-rger 1 Ärger $' answers)" = 2 ] &&
    grep -q 'box &AMQ-rger cannot be opened anymore' answers && grep -qx 'on the server: 1 of 2' answers
