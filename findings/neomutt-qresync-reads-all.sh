#!/bin/sh
# NeoMutt with imap_qresync reads more after a deletion elsewhere than without it, and Mutt reads next to nothing.
#
# `set imap_qresync` with a header cache is there to learn by VANISHED what others have deleted, without a list of all
# UIDs.  NeoMutt 20220429 (Debian 12) gets it from Dovecot 2.3.19.1 (Debian 12), fetches the header of a message that it
# has, finds that it has lost count, and reads the UID and flags of the whole mailbox: more than the UIDs that
# it lists with CONDSTORE alone.  Mutt 2.2.12 (Debian 12), from which it has the code, asks one question.  In a mailbox
# of 100,000 messages that would be some 4 MB (from 200, in proportion) for each opening after a deletion on a phone.
#
# imapd answers the one FETCH as it does Mutt's; with NeoMutt leave imap_qresync off where mail is deleted elsewhere.
#
# Needs apt, script(1), a Debian 12, and root, to run the server as nobody.  Exits 0 while NeoMutt does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download neomutt=20220429+dfsg1-4.1 mutt=2.2.12-0.1~deb12u2 libassuan0 libffi8 libgmime-3.0-0 libgnutls30 \
    libgpgme11 libgsasl18 libgssapi-krb5-2 libgssglue1 libidn12 libidn2-0 libk5crypto3 libkeyutils1 libkrb5-3 \
    libkrb5support0 liblua5.4-0 libncursesw6 libnotmuch5 libntlm0 libp11-kit0 libsexp1 libsqlite3-0 libtalloc2 \
    libtasn1-6 libtokyocabinet9 libunistring2 libxapian30 libglib2.0-0 ncurses-base \
    dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

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
# The server behind a pipe that keeps what passes.
cat >server <<END
#!/bin/sh
tee -a "\$HOME/sent" | "$work/root/usr/lib/dovecot/imap" -c "$work/dovecot.conf" 2>/dev/null | tee -a "\$HOME/received"
END
chmod 755 "$work" server

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH="$work/root/usr/bin:/usr/bin:/bin" USER=nobody \
	    HOME="$home" LD_LIBRARY_PATH="$libraries" TERM=xterm TERMINFO="$work/root/lib/terminfo" LC_ALL=C.UTF-8 "$@"
}
# A home with 200 messages, and a configuration: PROGRAM yes|no.
furnish() {
	home=$work/$1-$2
	mkdir -p "$home/Maildir/cur" "$home/Maildir/new" "$home/Maildir/tmp" "$home/headers"
	for number in $(seq 100 299); do
		printf 'Subject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\ntext\r\n' "$number" "$number" \
		    >"$home/Maildir/cur/$number.M1P1.host:2,S"
	done
	cat >"$home/muttrc" <<-END
	set tunnel="$work/server" folder="imap://localhost/" spoolfile="imap://localhost/INBOX"
	set header_cache="$home/headers" imap_condstore=yes imap_qresync=$2 ssl_force_tls=no ssl_starttls=no
	set quit=yes sleep_time=0 move=no delete=no imap_idle=no wait_key=no
	END
	chown -R nobody:nogroup "$home"
}
# Open the mailbox and leave.
look() {
	rm -f "$home/sent" "$home/received"
	as_nobody script -qec "timeout --foreground 60 $work/root/usr/bin/$1 -n -F $home/muttrc -e 'push <quit>' -f imap://localhost/INBOX" \
	    /dev/null >"$work/screen" 2>&1 </dev/null || { cat "$work/screen" >&2; exit 2; }
}
delete_first() {
	printf 'a SELECT INBOX\r\nb STORE 1 +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\nd LOGOUT\r\n' |
	    as_nobody "$work/root/usr/lib/dovecot/imap" -c "$work/dovecot.conf" >"$work/delete" 2>&1 || true
	grep -aq '^c OK' "$work/delete" || { cat "$work/delete" >&2; exit 2; }
}
for case in 'neomutt yes' 'neomutt no' 'mutt yes'; do
	program=${case% *} qresync=${case#* }
	furnish "$program" "$qresync"
	look "$program"
	delete_first
	look "$program"
	echo "$program imap_qresync=$qresync: $(grep -ac '^\* [0-9]* FETCH' "$home/received") messages told, asked:"
	sed -n 's/^a[0-9]* \(.*FETCH.*\)/    \1/p' "$home/sent" | tr -d '\r' | cut -c1-64
done | tee answers
# 1 header and 199 flags; 199 UIDs; nothing.
grep -qx 'neomutt imap_qresync=yes: 200 messages told, asked:' answers &&
    grep -qx 'neomutt imap_qresync=no: 199 messages told, asked:' answers &&
    grep -qx 'mutt imap_qresync=yes: 0 messages told, asked:' answers
