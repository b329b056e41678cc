#!/bin/sh
# Mail::IMAPClient sends the message of append_file() uncompressed into a compressed connection.
#
# With `Compress => 1`, or after compress(), all that Mail::IMAPClient 3.43 (Debian 12) says goes through deflate; only
# append_file(), which is there for messages too large to hold in memory, writes its literal past it.  Dovecot
# 2.3.19.1 (Debian 12) finds "corrupted data" in the stream, answers NO [SERVERBUG] or says nothing, and closes the
# connection, as if the server were at fault.  append_string() of the same message works, and so does append_file()
# without COMPRESS.
#
# imapd can do no better than close such a connection; use append_string(), or leave compression out.
#
# Needs apt, perl, a Debian 12, and root, to run the server as nobody.  Exits 0 while Mail::IMAPClient does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download libmail-imapclient-perl=3.43-1 libparse-recdescent-perl=1.967015+dfsg-4 \
    dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
printf 'Subject: one\n\n%s\n' "$(seq 100 | tr '\n' ' ')" >letter.eml
cat >dovecot.conf <<END
base_dir = $work/home/run
libexec_dir = $work/root/usr/lib/dovecot
mail_plugin_dir = $work/root/usr/lib/dovecot/modules
mail_location = maildir:$work/home/Maildir
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
protocol imap {
  mail_plugins = imap_zlib
}
namespace inbox {
  inbox = yes
}
END
# The server at the other end of a pair of sockets, so that no port is needed.
cat >append.pl <<'END'
use strict;
use warnings;
use Socket;
use IO::Socket;
use Mail::IMAPClient;

my ($how, $compress, @server) = @ARGV;
socketpair(my $near, my $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
if (!fork) {
    open(STDIN, '<&', $far);
    open(STDOUT, '>&', $far);
    exec(@server) or die;
}
close $far;
bless $near, 'IO::Socket';
my $imap = Mail::IMAPClient->new(Socket => $near, Timeout => 30) or die "$@";
$imap->State(Mail::IMAPClient::Authenticated());
$imap->compress or die $imap->LastError if $compress;
my $uid = $how eq 'append_file' ? $imap->append_file('INBOX', 'letter.eml')
    : $imap->append_string('INBOX', do { local (@ARGV, $/) = 'letter.eml'; <> });
print defined $uid ? "stored\n" : 'not stored: ' . $imap->LastError . "\n";
END
chmod 755 "$work"
chown -R nobody:nogroup home

attempt() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/bin:/bin USER=nobody HOME="$work/home" \
	    LD_LIBRARY_PATH="$libraries" PERL5LIB="$work/root/usr/share/perl5" perl append.pl "$1" "$2" \
	    "$work/root/usr/lib/dovecot/imap" -c "$work/dovecot.conf" 2>server.log || true
	grep -ao 'zlib.read.*corrupted data' server.log || true
}
{
	echo "append_file: $(attempt append_file 0)"
	echo "compressed, append_string: $(attempt append_string 1)"
	echo "compressed, append_file: $(attempt append_file 1 | tr '\n' ' ')"
} | tee answers
grep -qx 'append_file: stored' answers && grep -qx 'compressed, append_string: stored' answers &&
    grep -q '^compressed, append_file: not stored: .*corrupted data' answers
