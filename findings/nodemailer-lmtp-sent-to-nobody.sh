#!/bin/sh
# nodemailer's sendMail() succeeds over LMTP when every recipient was refused.
#
# By SMTP its promise is rejected when the server refuses the message, and when it refuses all recipients.  With
# `lmtp: true` (nodemailer 10.6.1) it is so at RCPT, but the refusals that RFC 2033 section 4.2 has behind the message,
# one for each recipient, resolve it: "452 4.2.2 Mailbox full" for the only one, and a program that awaits sendMail()
# and then forgets the message, as it does for SMTP, has lost it.  What tells is `rejected` of the result.
#
# imapd refuses at RCPT when the mailbox or the disk is full, or SIZE says that the message does not fit; nodemailer says no
# SIZE unless `envelope.size` gives it.  A disk that fails is told behind the message by every server.
#
# Needs node and npm.  Exits 0 while nodemailer does so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" nodemailer@10.6.1 >install.log 2>&1 || { cat install.log >&2; exit 2; }

cat >send.cjs <<'END'
const net = require('net');
const nodemailer = require('nodemailer');

// A server that refuses what comes in one place: RCPT, or the message.
const serve = place => net.createServer(socket => {
	const refusal = '452 4.2.2 Mailbox full\r\n';
	let pending = '', isMessage = false;
	socket.write('220 peer\r\n');
	socket.on('error', () => {});
	socket.on('data', data => {
		pending += data;
		for (let end; (end = pending.indexOf(isMessage ? '\r\n.\r\n' : '\r\n')) >= 0;) {
			const verb = isMessage ? '.' : pending.slice(0, 4).toUpperCase();
			pending = pending.slice(end + (isMessage ? 5 : 2));
			isMessage = verb == 'DATA';
			socket.write({ '.': place == 'message' ? refusal : '250 2.0.0 stored\r\n', DATA: '354 go on\r\n',
				RCPT: place == 'RCPT' ? refusal : '250 2.1.5 ok\r\n' }[verb] || '250 2.0.0 ok\r\n');
		}
	});
});
(async () => {
	for (const lmtp of [false, true])
		for (const place of ['RCPT', 'message', 'nowhere']) {
			const server = serve(place);
			await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
			const transport = nodemailer.createTransport({ host: '127.0.0.1', port: server.address().port, lmtp, ignoreTLS: true });
			const mail = { from: 'bert@example.org', to: 'ada@example.org', subject: 'one', text: 'text' };
			const told = await transport.sendMail(mail).then(
				({ accepted, rejected }) => `resolved, ${accepted.length} accepted, ${rejected.length} rejected`,
				error => `rejected, ${error.code}`);
			console.log(`${lmtp ? 'LMTP' : 'SMTP'}, refused at ${place}: ${told}`);
			transport.close();
			server.close();
		}
	process.exit();
})();
END
node send.cjs | tee answers
cat >wanted <<'END'
SMTP, refused at RCPT: rejected, EENVELOPE
SMTP, refused at message: rejected, EMESSAGE
SMTP, refused at nowhere: resolved, 1 accepted, 0 rejected
LMTP, refused at RCPT: rejected, EENVELOPE
LMTP, refused at message: resolved, 0 accepted, 1 rejected
LMTP, refused at nowhere: resolved, 1 accepted, 0 rejected
END
cmp -s wanted answers
