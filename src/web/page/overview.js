// The two services, what is wrong, certificates, where the server listens.

import { find, h, say, state, setState, setUsable, isUsable, note, confirm, count, plural, duration, moment } from "./dom.js";
import { ask } from "./server.js";

const TITLES = { cas: "Client access", mailbox: "Mailboxes" };

const ORDERS = [
	{ verb: "start", title: "Start", when: ["stopped", "failed", "draining"] },
	{ verb: "drain", title: "Drain", when: ["running"],
		text: (sessions) => `New clients are turned away. ${plural(sessions, "session")} may finish what they do and are then sent away one by one; Start takes it back.`, isMild: true },
	{ verb: "stop", title: "Stop", when: ["running", "draining"],
		text: (sessions) => `${plural(sessions, "session")} will be cut off with BYE, and no client gets in until it is started again.` },
	{ verb: "restart", title: "Restart", when: ["running"],
		text: (sessions) => `${plural(sessions, "session")} will be cut off with BYE; clients can come back at once.` },
];

const cards = new Map();
let mayChange = true, again;

async function order(card, one) {
	if (!isUsable(card.buttons.get(one.verb)))
		return;
	if (one.text && !await confirm(`${one.title} ${TITLES[card.name] ?? card.name}?`, one.text(card.sessions), one.title, !one.isMild))
		return;
	try {
		await ask(one.verb, card.name, "no-wait");
		note(`${one.title}: asked of ${TITLES[card.name] ?? card.name}.`);
	} catch (error) {
		note(`${one.title}: ${error.message}`, true);
	}
	again();
}

function figure(title) {
	const value = h("dd");

	return { value, element: h("div", {}, h("dt", {}, title), value) };
}

function makeCard(name) {
	const card = { name, sessions: 0, buttons: new Map(), state: state("stopped"), since: h("p", { class: "since" }),
		error: h("p", { class: "error", hidden: true }) };
	const title = `service-${name}`;

	card.figures = ["Sessions", "Connections", "Logins"].map(figure);
	for (const one of ORDERS)
		card.buttons.set(one.verb, h("button", { type: "button", "data-verb": one.verb, "aria-label": `${one.title} ${TITLES[name] ?? name}`,
			onclick: () => order(card, one) }, one.title));
	card.element = h("article", { class: "card service", id: `card-${name}`, "aria-labelledby": title },
		h("header", {}, h("h2", { id: title }, TITLES[name] ?? name, h("small", {}, name)), card.state),
		h("dl", { class: "figures" }, ...card.figures.map((one) => one.element)),
		card.since, card.error, h("div", { class: "buttons" }, ...card.buttons.values()));
	cards.set(name, card);
	find("services").append(card.element);
	return card;
}

function drawService(role, error) {
	const card = cards.get(role.name) ?? makeCard(role.name);
	const age = (Date.now() - new Date(role.since)) / 1000;

	card.sessions = role.sessions;
	setState(card.state, role.state);
	[role.sessions, role.connections, role.logins].forEach((value, index) => say(card.figures[index].value, count(value)));
	say(card.since, `${role.state} since ${moment(role.since)}${age >= 0 ? ` (${duration(age)})` : ""}, asked by ${role["asked-by"]}`);
	card.error.hidden = !error;
	say(card.error, error ?? "");
	for (const one of ORDERS)
		setUsable(card.buttons.get(one.verb), mayChange && one.when.includes(role.state));
}

// A small table; drawn anew only when something has changed.
function drawTable(place, caption, titles, rows, nothing) {
	const wanted = JSON.stringify(rows);

	if (find(place).dataset.drawn === wanted)
		return;
	find(place).dataset.drawn = wanted;
	if (rows.length === 0) {
		find(place).replaceChildren(h("p", { class: "nothing" }, nothing));
		return;
	}
	find(place).replaceChildren(h("table", { class: "wide" }, h("caption", {}, caption),
		h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)))),
		h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, index) =>
			h("td", { "data-title": titles[index] }, cell?.state ? state(cell.state) : cell)))))));
}

async function acknowledge() {
	try {
		await ask("acknowledge", "all");
		note("Problems of users were acknowledged; those that go on come back.");
	} catch (error) {
		note(error.message, true);
	}
	again();
}

function drawProblems(problems) {
	const rows = problems.map((one) => [TITLES[one.service] ?? one.service, one.kind, one.user, moment(one.since), count(one.times),
		[one.text, one.path].filter(Boolean).join(" · ")]);
	const hadButton = document.activeElement?.id === "acknowledge";

	drawTable("problems", "Problems", ["Service", "Kind", "User", "Since", "Times", "What"], rows, "Nothing is wrong.");
	if (problems.some((one) => one.user) && mayChange && !find("acknowledge"))
		find("problems").append(h("p", {}, h("button", { type: "button", id: "acknowledge", onclick: acknowledge },
			"Acknowledge those of users")));
	if (hadButton)
		find("acknowledge")?.focus();
}

function drawRest(status) {
	drawTable("certificates", "Certificates", ["Name", "Expires", "Days", "State"],
		(status.certificate ?? []).map((one) => [one.name, moment(one.expires), count(one.days),
			one.trouble ? one.trouble : { state: one.days < 14 ? "expires soon" : "good" }]), "There is no certificate: no TLS.");
	drawTable("listeners", "Addresses", ["Service", "Address"],
		(status.listener ?? []).map((one) => [TITLES[one.role] ?? one.role, one.address]), "Nowhere: no service runs.");
	find("servers-card").hidden = !status["mailbox-server"]?.length;
	drawTable("servers", "Mailbox servers", ["Name", "Address", "State", "Since", "Reason"],
		(status["mailbox-server"] ?? []).map((one) => [one.name, one.address, { state: one.state }, moment(one.since), one.reason]), "");
}

function drawServer(server) {
	say(find("host"), server.hostname);
	say(find("facts"), `imapd ${server.version}, up ${duration(server.seconds)}`);
	document.title = `${server.hostname} · imapd`;
}

export const overview = {
	every: 2000,

	begin(session, poll) {
		mayChange = session.mayChange;
		again = poll;
	},

	async poll() {
		const [status, services] = await Promise.all([ask("status"), ask("services")]);
		const errors = new Map((services.service ?? []).map((one) => [one.name, one.error]));

		if (status.server?.length)
			drawServer(status.server[0]);
		for (const role of status.role ?? [])
			drawService(role, errors.get(role.name));
		drawProblems(status.problem ?? []);
		drawRest(status);
	},
};
