// A day with node-imap; test_libraries.py says what it consists of.
'use strict';
const fs = require('fs');
const { createRequire } = require('module');
const Imap = createRequire(process.cwd() + '/')('imap');

const [port, user, password, letter] = process.argv.slice(2);
const imap = new Imap({ user, password, host: '127.0.0.1', port: Number(port), tls: false, autotls: 'never', keepalive: { forceNoop: false } });
const call = (name, ...words) => new Promise((resolve, reject) =>
    imap[name](...words, (error, result) => (error ? reject(error) : resolve(result))));
const uid = async number => (await call('search', [['HEADER', 'MESSAGE-ID', `<m${number}@example.org>`]]))[0];

async function read(source) {
    const body = await new Promise((resolve, reject) => {
        const fetch = imap.fetch(source, { bodies: '' });
        fetch.once('error', reject);
        fetch.once('message', message => message.once('body', resolve));
    });
    const pieces = [];
    for await (const piece of body) pieces.push(piece);
    return Buffer.concat(pieces);
}

async function day() {
    await call('addBox', 'Ärger');
    await call('append', fs.readFileSync(letter), { mailbox: 'Ärger', flags: ['\\Draft'] });
    await call('openBox', 'INBOX', false);
    await call('addFlags', [await uid(1), await uid(2), await uid(3)], ['\\Seen']);
    await call('delFlags', await uid(2), ['\\Seen']);
    await call('move', [await uid(4), await uid(5)], 'Ärger');
    await call('copy', await uid(6), 'Ärger');
    const gone = await uid(7);
    await call('addFlags', gone, ['\\Deleted']);
    await call('expunge', gone);
    await new Promise(resolve => imap.once('mail', resolve));      // it idles whenever nothing is asked for
    const fresh = await uid(30);
    await call('addFlags', fresh, ['\\Flagged']);
    process.stdout.write(await read(fresh));
    imap.end();
}

imap.once('ready', () => day().catch(error => { console.error(error); process.exit(1); }));
imap.once('error', error => { console.error(error); process.exit(1); });
imap.connect();
