#!/bin/sh
# imapflow says that a conditional change of flags succeeded when the server has refused it.
#
# RFC 7162 section 3.1.3 answers a STORE with UNCHANGEDSINCE by OK and a code: "d105 OK [MODIFIED 7,9] Conditional STORE
# failed" is all that tells which messages somebody else has changed meanwhile.  The flag methods of imapflow 2.10.2 have
# the option `unchangedSince`, look at the OK alone, and give true, "Did the operation succeed or not": of two workers
# that claim a letter by a keyword, each believes to have it.  Shown with Dovecot 2.3.19.1 (Debian 12).
#
# It is the same with every server, imapd as well.  What `exec('STORE', ...)` resolves to has the code.
#
# Needs node, npm, apt, a Debian 12, and root, to run the server as nobody.  Exits 0 while imapflow does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" imapflow@2.10.2 >install.log 2>&1 || { cat install.log >&2; exit 2; }
apt-get -q download dovecot-core=1:2.3.19.1+dfsg1-2.1+deb12u7 dovecot-imapd=1:2.3.19.1+dfsg1-2.1+deb12u7 \
    libsodium23 libunwind8 libexttextcat-2.0-0 liblua5.4-0 libstemmer0d libtirpc3 libwrap0 \
    >download.log 2>&1 || { cat download.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} \; | sort -u | tr '\n' ':')

mkdir -p home/Maildir/cur home/Maildir/new home/Maildir/tmp
printf 'Subject: one\r\n\r\ntext\r\n' >'home/Maildir/cur/1.M1P1.host:2,'
printf 'Subject: two\r\n\r\ntext\r\n' >'home/Maildir/cur/2.M1P1.host:2,'
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

cat >store.cjs <<'END'
const net = require('net');
const { spawn } = require('child_process');
const { ImapFlow } = require('imapflow');

const lines = [];
// Each connection gets a server of its own on the same mailbox.
const listener = net.createServer(socket => {
	const [program, ...words] = process.argv.slice(2);
	const server = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
	server.stdout.on('data', data => lines.push(...data.toString().split('\r\n')));
	socket.pipe(server.stdin);
	server.stdout.pipe(socket);
});
const connect = async port => {
	const client = new ImapFlow({ host: '127.0.0.1', port, secure: false, doSTARTTLS: false, logger: false,
		auth: { user: 'a', pass: 'p' } });
	await client.connect();
	await client.mailboxOpen('INBOX');
	return client;
};
listener.listen(0, '127.0.0.1', async () => {
	const port = listener.address().port;
	const [one, two] = [await connect(port), await connect(port)];
	const { modseq } = await one.fetchOne('1', { flags: true });
	lines.length = 0;
	for (const [name, client] of [['one', one], ['two', two]])
		console.log(`${name}:`, await client.messageFlagsAdd('1', ['taken'], { unchangedSince: modseq }));
	console.log('server:', lines.filter(line => / OK /.test(line)).pop().replace(/^\S+ OK (\[.*\])?.*/, '$1'));
	const atom = value => ({ type: 'ATOM', value: `${value}` });
	const { response } = await two.exec('STORE', [{ type: 'SEQUENCE', value: '1' }, [atom('UNCHANGEDSINCE'), atom(modseq)],
		atom('+FLAGS'), atom('taken')]);
	console.log('two, by exec:', ...response.attributes[0].section.map(word => word.value));
	await one.logout();
	await two.logout();
	listener.close();
});
END
setpriv --reuid=nobody --regid=nogroup --clear-groups env -i PATH=/usr/local/bin:/usr/bin:/bin USER=nobody HOME="$work/home" \
    LD_LIBRARY_PATH="$libraries" node store.cjs "$work/root/usr/lib/dovecot/imap" -c "$work/dovecot.conf" |
    tee answers
cat >wanted <<'END'
one: true
two: true
server: [MODIFIED 1]
two, by exec: MODIFIED 1
END
cmp -s wanted answers
