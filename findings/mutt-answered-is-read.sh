#!/bin/sh
# Mutt and NeoMutt show a message that was answered elsewhere as read or as new, by whether they had it in the cache.
#
# A webmail or a phone that answers from a notification sets \Answered and leaves \Seen.  Mutt 2.2.12 and NeoMutt
# 20220429 (Debian 12) show such a message as new where they see it for the first time; where the header cache knew it
# before it was answered, CONDSTORE brings the new flags and setting "replied" sets "read" with it.  They do not
# tell the server: two machines with the same mailbox count different numbers of unread messages, and so does the
# same one without its cache.  Shown with Dovecot 2.3.19.1 (Debian 12), which says (\Answered) both times.
#
# It is the same with every server; imapd keeps \Seen and \Answered apart, as it is told.
#
# Needs apt, script(1), a Debian 12, and root, to run the server as nobody.  Exits 0 while both do so.
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
chmod 755 "$work"

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH="$work/root/usr/bin:/usr/bin:/bin" USER=nobody \
	    HOME="$home" LD_LIBRARY_PATH="$libraries" TERM=xterm TERMINFO="$work/root/lib/terminfo" LC_ALL=C.UTF-8 "$@"
}
# Open the mailbox, copy all messages to a file, and leave: PROGRAM.
look() {
	rm -f "$home/copy"
	as_nobody script -qec "timeout --foreground 60 $work/root/usr/bin/$1 -n -F $home/muttrc -f imap://localhost/INBOX \
	    -e 'push \"<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>$home/copy<enter><quit>\"'" \
	    /dev/null >"$work/screen" 2>&1 </dev/null || { cat "$work/screen" >&2; exit 2; }
	case $(sed -n 's/^Status: //p' "$home/copy") in
	R*) echo read ;;
	*) echo new ;;
	esac
}
answer() {
	printf 'a SELECT INBOX\r\nb STORE 1 FLAGS (\\Answered)\r\nc LOGOUT\r\n' |
	    as_nobody "$work/root/usr/lib/dovecot/imap" -c "$work/dovecot.conf" >"$work/answer" 2>&1 || true
	grep -ao '^\* 1 FETCH (FLAGS (\\Answered[^)]*' "$work/answer" >/dev/null || { cat "$work/answer" >&2; exit 2; }
}
for program in mutt neomutt; do
	home=$work/$program
	mkdir -p "$home/Maildir/cur" "$home/Maildir/new" "$home/Maildir/tmp" "$home/headers"
	printf 'Subject: one\r\nMessage-ID: <1@example.org>\r\n\r\ntext\r\n' >"$home/Maildir/cur/1.M1P1.host:2,"
	cat >"$home/muttrc" <<-END
	set tunnel="$work/root/usr/lib/dovecot/imap -c $work/dovecot.conf" folder="imap://localhost/"
	set spoolfile="imap://localhost/INBOX" mbox_type=mbox copy=no confirmappend=no confirmcreate=no mark_old=no
	set header_cache="$home/headers" imap_condstore=yes ssl_force_tls=no ssl_starttls=no
	set quit=yes sleep_time=0 move=no delete=no imap_idle=no wait_key=no
	END
	chown -R nobody:nogroup "$home"
	before=$(look "$program")
	answer
	with=$(look "$program")
	rm -rf "$home/headers" && mkdir "$home/headers" && chown nobody "$home/headers"
	echo "$program: $before, answered elsewhere and then: $with; the same without its cache: $(look "$program")"
done | tee answers
grep -qx 'mutt: new, answered elsewhere and then: read; the same without its cache: new' answers &&
    grep -qx 'neomutt: new, answered elsewhere and then: read; the same without its cache: new' answers
