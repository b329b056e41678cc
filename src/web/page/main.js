// How the page begins, which view is seen, and how each is kept up to date.

import { find, say, setState, note } from "./dom.js";
import { begin, leave, forget, Ended, Lost, Refusal } from "./server.js";
import { overview } from "./overview.js";
import { sessions } from "./sessions.js";
import { charts } from "./charts.js";
import { users } from "./users.js";
import { log } from "./log.js";

const VIEWS = { overview, sessions, charts, users, log };
const RETRY_MS = 2000;
const place = (name) => find(`view-${name}`);	// not the name itself: the browser would scroll to what the # names
let seen = null, isOver = false;

function trouble(text) {
	find("trouble").hidden = !text;
	say(find("trouble"), text ?? "");
}

// No session: how to get one.
function showDoor(why) {
	isOver = true;
	for (const name of Object.keys(VIEWS))
		place(name).hidden = true;
	find("views").hidden = find("who").hidden = true;
	find("door").hidden = false;
	if (why)
		say(find("why"), `${why.charAt(0).toUpperCase()}${why.slice(1)}${/[.!?]$/u.test(why) ? "" : "."}`);
	say(find("tunnel"), `ssh -L ${location.port}:127.0.0.1:${location.port} HOST imapctl web`);
	trouble(null);
}

function onError(error) {
	if (error instanceof Ended) {
		forget();
		showDoor("this session is over, or the server was started anew: ask for another link");
	} else if (error instanceof Lost) {
		setState(find("connection"), "lost", "not connected");
		trouble(error.message);
	} else if (error instanceof Refusal) {
		trouble(error.code === 77 ? `You may not see this: ${error.message}.` : error.message);
	} else {
		trouble(`This page has failed: ${error.message}`);
		throw error;
	}
}

// One request of a view at a time; the next one comes later when the server is slow to answer.
async function keepFresh(view, name) {
	if (isOver || view.isPolling)
		return;
	clearTimeout(view.timer);
	if (name !== seen && !view.isAlways)
		return;
	const began = Date.now();
	let wait = view.every;

	view.isPolling = true;
	try {
		await view.poll();
		if (name === seen) {
			setState(find("connection"), "running", "connected");
			trouble(null);
		}
	} catch (error) {
		if (name === seen || error instanceof Ended || error instanceof Lost)
			onError(error);
		wait = Math.max(wait, RETRY_MS);
	}
	view.isPolling = false;
	view.timer = setTimeout(() => keepFresh(view, name), Math.max(wait, 5 * (Date.now() - began)));
}

function show(name, isFirst = false) {
	seen = Object.hasOwn(VIEWS, name) ? name : "overview";
	for (const other of Object.keys(VIEWS))
		place(other).hidden = other !== seen;
	for (const link of find("views").children) {
		if (link.hash === `#${seen}`)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	}
	window.scrollTo(0, 0);
	if (!isFirst)
		find("content").focus({ preventScroll: true });
	keepFresh(VIEWS[seen], seen);
}

function start(session) {
	say(find("name"), session.mayChange ? session.user : `${session.user}, may look only`);
	find("views").hidden = find("who").hidden = false;
	for (const [name, view] of Object.entries(VIEWS)) {
		view.again = () => keepFresh(view, name);
		view.begin(session, view.again);
		if (view.isAlways)
			keepFresh(view, name);
	}
	show(location.hash.slice(1), true);
	if (seen !== "overview")
		overview.poll().catch(() => {});	// the server's name; who asks next says what is wrong
}

find("leave").addEventListener("click", async () => {
	try {
		await leave();
	} catch (error) {
		note(error.message, true);
	}
	forget();
	showDoor("you have left: the session is over. Another link opens the page again");
});

find("skip").addEventListener("click", (event) => {
	event.preventDefault();
	find("content").focus();
});

// A link's secret stands behind the #, and is not left there: neither the address bar nor the history keeps it.
function takeSecret() {
	const hash = location.hash.slice(1);

	if (!/^[\w-]{43}$/u.test(hash))
		return null;
	history.replaceState(null, "", location.pathname);
	return hash;
}

async function enter(secret) {
	try {
		const session = await begin(secret);

		if (session)
			start(session);
		else
			showDoor();
	} catch (error) {
		if (error instanceof Lost) {
			trouble(error.message);
			setTimeout(() => enter(secret), RETRY_MS);
		} else {
			showDoor(error.message);
		}
	}
}

// Another link, followed in a tab that shows the page already.
window.addEventListener("hashchange", () => {
	const secret = takeSecret();

	if (secret)
		begin(secret).then(() => location.reload(), (error) => showDoor(error.message));
	else if (!isOver)
		show(location.hash.slice(1));
});

enter(takeSecret());
