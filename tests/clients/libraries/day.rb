# A day with Ruby's Net::IMAP; test_libraries.py says what it consists of.
require 'net/imap'

port, user, password, letter = ARGV
imap = Net::IMAP.new('127.0.0.1', port: port.to_i)
imap.authenticate('PLAIN', user, password)
uid = ->(number) { imap.uid_search(['HEADER', 'Message-ID', "<m#{number}@example.org>"]).first }
abroad = Net::IMAP.encode_utf7('Ärger')

imap.create(abroad)
imap.append(abroad, File.binread(letter), [:Draft])
imap.select('INBOX')
imap.uid_store((1..3).map(&uid), '+FLAGS.SILENT', [:Seen])
imap.uid_store(uid.(2), '-FLAGS.SILENT', [:Seen])
imap.uid_move([uid.(4), uid.(5)], abroad)
imap.uid_copy(uid.(6), abroad)
gone = uid.(7)
imap.uid_store(gone, '+FLAGS.SILENT', [:Deleted])
imap.respond_to?(:uid_expunge) ? imap.uid_expunge(gone) : imap.expunge
imap.idle(120) { |response| imap.idle_done if response.respond_to?(:name) && response.name == 'EXISTS' }
fresh = uid.(30)
imap.uid_store(fresh, '+FLAGS.SILENT', [:Flagged])
$stdout.binmode
print imap.uid_fetch(fresh, 'BODY.PEEK[]').first.attr['BODY[]']
imap.logout
