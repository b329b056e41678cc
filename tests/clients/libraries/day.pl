# A day with Perl's Mail::IMAPClient; test_libraries.py says what it consists of.
use strict;
use warnings;
use utf8;
use Mail::IMAPClient;

my ($port, $user, $password, $letter) = @ARGV;
my $imap = Mail::IMAPClient->new(
    Server => '127.0.0.1', Port => $port, User => $user, Password => $password, Uid => 1, Peek => 1,
    Compress => 1) or die "$@";

sub ok { my ($what, $result) = @_; defined $result or die "$what: " . $imap->LastError; return $result }

sub uid {
    my @found = $imap->search(qq(HEADER Message-ID <m$_[0]\@example.org>)) or die 'search: ' . $imap->LastError;
    return $found[0];
}

ok(create => $imap->create('&AMQ-rger'));
my $octets = do { local (@ARGV, $/) = $letter; <> };         # append_file forgets that all else is compressed
ok(append => $imap->append_string('&AMQ-rger', $octets, '\Draft'));
ok(select => $imap->select('INBOX'));
ok(store => $imap->store(join(',', map { uid($_) } 1 .. 3), '+FLAGS.SILENT', '(\Seen)'));
ok(store => $imap->store(uid(2), '-FLAGS.SILENT', '(\Seen)'));
ok(move => $imap->move('&AMQ-rger', join(',', uid(4), uid(5))));
ok(expunge => $imap->expunge);          # Mail::IMAPClient moves by COPY and STORE
ok(copy => $imap->copy('&AMQ-rger', uid(6)));
my $gone = uid(7);
ok(delete => $imap->delete_message($gone));
ok(expunge => $imap->uidexpunge($gone));
my $idle = ok(idle => $imap->idle);
my @news;
do { @news = $imap->idle_data(30) } until grep { /EXISTS/ } @news;
ok(done => $imap->done($idle));
my $new = uid(30);
ok(seen => $imap->store($new, '+FLAGS.SILENT', '(\Flagged)'));
print $imap->message_string($new);
$imap->logout;
