// Users, where their mail is, and how much of it there is. Names come all at once; sizes are asked for those that are seen.

import { find, h, say, size, count } from "./dom.js";
import { Table, countOf } from "./table.js";
import { ask, Ended } from "./server.js";

const AT_ONCE = 4, GOOD_FOR_MS = 60000;

let table, all = [], isRead = false;
const quotas = new Map();	// name -> { at, storage, messages, error }; at is when it was asked
let asked = 0;

function bar(quota) {
	if (!quota || (!quota.storage && !quota.error))
		return h("span", { class: "quiet" }, "…");
	if (quota.error)
		return h("span", { class: "quiet", title: quota.error }, "not known here");
	const { used, limit, percent } = quota.storage;

	if (limit === "none")
		return h("span", {}, `${size(used)}, no limit`);
	return h("span", { class: "fill" },
		h("meter", { min: 0, max: 100, high: 90, optimum: 0, value: Math.min(100, Number(percent)), "aria-label": `${percent} percent of the quota` }),
		`${size(used)} of ${size(Number(limit))} (${percent} %)`);
}

const COLUMNS = [
	{ title: "Name", value: (row) => row.name, show: (row) => row.name },
	{ title: "Login", value: (row) => row.login, show: (row) => row.shared === "yes" ? "shared account" : row.login === "yes" ? "yes" : "no" },
	{ title: "Home", value: (row) => row.home, show: (row) => row.home === "" ? "this host" : row.home },
	{ title: "Mail", show: (row) => bar(quotas.get(row.name)) },
	{ title: "Messages", isNumber: true, show: (row) => quotas.get(row.name)?.messages ? count(quotas.get(row.name).messages.used) : "" },
];

async function measure(name) {
	const quota = { at: Date.now() };

	quotas.set(name, quota);
	try {
		for (const one of (await ask("quota", name)).quota ?? [])
			quota[one.resource] = one;
	} catch (error) {
		if (error instanceof Ended)
			throw error;
		quota.error = error.message;
	}
}

// Those of the page that is seen, a few at a time.
async function measureSeen() {
	if (asked >= AT_ONCE || find("view-users").hidden)
		return;
	const row = table.shown().find((one) => !((quotas.get(one.name)?.at ?? 0) > Date.now() - GOOD_FOR_MS));

	if (!row)
		return;
	asked++;
	measureSeen();
	try {
		await measure(row.name);
		table.draw();
	} catch {
		return;		// the next poll says why
	} finally {
		asked--;
	}
	measureSeen();
}

function draw() {
	const wanted = find("users-filter").value.trim().toLowerCase();
	const rows = wanted === "" ? all : all.filter((row) => row.name.toLowerCase().includes(wanted) || row.home.toLowerCase().includes(wanted));

	table.set(rows);
	say(find("users-count"), countOf(rows.length, all.length, "user"));
	measureSeen();
}

async function read() {
	all = (await ask("user list")).user ?? [];
	isRead = true;
	draw();
}

export const users = {
	every: 5000,

	begin() {
		table = new Table("users-table", { caption: "Users", columns: COLUMNS, key: (row) => row.name, perPage: 50, sort: "Name",
			nothing: () => all.length > 0 ? "No user has this." : "There is no user: imapctl user add makes one." });
		find("users-filter").addEventListener("input", () => {
			table.page = 0;
			draw();
		});
		find("users-table").addEventListener("click", () => measureSeen());
		find("users-again").addEventListener("click", () => {
			quotas.clear();
			isRead = false;
			users.again();
		});
	},

	async poll() {
		if (!isRead)
			await read();
		else
			measureSeen();
	},
};
