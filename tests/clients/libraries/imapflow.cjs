// imapflow on a leash: each line of standard input is {method, arguments}, each line of output its {result} or
// {error}.  `new` makes the client, `event` waits for the next event; all else are methods of the client.
'use strict';
const { createRequire } = require('module');
const readline = require('readline');
const { ImapFlow } = createRequire(process.argv[2] + '/')('imapflow');

let client;
const events = [];
let waiting = null;

// What JSON does not have: big integers as strings, sets as lists, octets as Latin-1.
function plain(key, value) {
    const original = this[key];
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Set) return [...value];
    if (value instanceof Map) return Object.fromEntries(value);
    if (Buffer.isBuffer(original)) return original.toString('latin1');
    return value;
}

function tell(answer) {
    process.stdout.write(JSON.stringify(answer, plain) + '\n');
}

function note(name, event) {
    events.push({ name, ...event });
    if (waiting) waiting();
}

async function nextEvent() {
    if (events.length === 0) await new Promise(resolve => (waiting = resolve));
    waiting = null;
    return events.shift();
}

function make(options) {
    client = new ImapFlow({ ...options, logger: false });
    for (const name of ['exists', 'expunge', 'flags']) client.on(name, event => note(name, event));
    client.on('error', error => note('error', { message: error.message }));
    return client.connect();
}

async function perform({ method, arguments: words }) {
    if (method === 'new') return make(...words);
    if (method === 'event') return nextEvent();
    if (method === 'state') return { enabled: client.enabled, mailbox: client.mailbox };
    const result = await client[method](...words);
    if (method !== 'exec') return result;
    result.next();      // the next command may be sent
    return null;
}

readline.createInterface({ input: process.stdin }).on('line', async line => {
    try {
        tell({ result: await perform(JSON.parse(line)) });
    } catch (error) {
        tell({ error: `${error.message} ${error.responseText || ''}` });
    }
}).on('close', () => process.exit(0));
