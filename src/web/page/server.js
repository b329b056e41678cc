// Asking the server: the requests of its control socket, as the person who asked for the link.

// The server has said no; code is one of sysexits.h, 77 for who may not.
export class Refusal extends Error {
	constructor(text, code) {
		super(text);
		this.code = code;
	}
}

// The session is over, or there never was one.
export class Ended extends Error {}

// Nobody answers, or not as imapd does.
export class Lost extends Error {}

const STORE = "imapd";
let session = null;	// { user, key, mayChange }

// Kept for this tab and this origin: a reload goes on, another port of this host cannot read it.
function keep(found) {
	session = found;
	if (found)
		sessionStorage.setItem(STORE, JSON.stringify(found));
	else
		sessionStorage.removeItem(STORE);
}

async function post(path, body) {
	const headers = { "Content-Type": "text/plain;charset=UTF-8" };
	let answer;

	if (session)
		headers["X-Imapd-Key"] = session.key;
	try {
		answer = await fetch(path, { method: "POST", body, headers, credentials: "same-origin", cache: "no-store" });
	} catch {
		throw new Lost("The server does not answer. It may be stopped or restarting; this page tries again.");
	}
	if (answer.status === 401)
		throw new Ended((await answer.text()).trim());
	if (!answer.ok && answer.status !== 503)
		throw new Refusal((await answer.text()).trim(), answer.status);
	if (!answer.ok)
		throw new Lost("The server has too much to do, or is stopping; this page tries again.");
	return answer;
}

// Other tabs of this page may have a session: a new one asks them.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(STORE) : null;

function askTabs() {
	return new Promise((resolve) => {
		if (!tabs) {
			resolve(null);
			return;
		}
		const timer = setTimeout(() => resolve(null), 400);
		tabs.addEventListener("message", (event) => {
			if (event.data?.session) {
				clearTimeout(timer);
				resolve(event.data.session);
			}
		});
		tabs.postMessage({ wants: "session" });
	});
}

tabs?.addEventListener("message", (event) => {
	if (event.data?.wants === "session" && session)
		tabs.postMessage({ session });
});

// By the secret of a link, or with what this tab, or another one, has; null: there is nothing.
export async function begin(secret) {
	if (secret) {
		keep(null);
		keep(await (await post("/login", secret)).json());
		return session;
	}
	const kept = sessionStorage.getItem(STORE);
	keep(kept ? JSON.parse(kept) : await askTabs());
	return session;
}

export async function leave() {
	await post("/logout", "");
	keep(null);
}

export function forget() {
	keep(null);
}

// As include/control/words.h has it.
function quote(word) {
	if (/[\u0000-\u001f\u007f]/u.test(word))
		throw new Refusal("A control character cannot be asked for.", 64);
	return word === "" || /[ "\\{}]/u.test(word) ? `"${word.replace(/["\\]/gu, "\\$&")}"` : word;
}

// Ask by words; verb first, in one word or two. Gives the members of `imapctl --json`.
export async function ask(verb, ...words) {
	const answer = await (await post("/call", [verb, ...words.map(quote)].join(" "))).json();

	if (answer.error)
		throw new Refusal(answer.error.text, answer.error.code);
	return answer;
}
