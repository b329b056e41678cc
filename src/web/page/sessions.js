// Who is logged in, and sending them away.

import { find, h, say, note, confirm, size, duration, setUsable, isUsable } from "./dom.js";
import { Table, countOf } from "./table.js";
import { ask } from "./server.js";

let table, again, mayChange = true, all = [];

async function kick(session, button) {
	if (!isUsable(button) ||
	    !await confirm("End this session?", `${session.user} from ${session.address} gets BYE; the client may come back at once.`, "End session"))
		return;
	try {
		await ask("kick", session.sid);
		note(`The session of ${session.user} has ended.`);
	} catch (error) {
		note(error.message, true);
	}
	again();
}

function kickButton(session) {
	const button = h("button", { type: "button", class: "small", "data-sid": session.sid,
		"aria-label": `End session of ${session.user} from ${session.address}`, onclick: () => kick(session, button) }, "End");

	setUsable(button, mayChange);
	return button;
}

const text = (key) => (row) => row[key] ?? "";

const COLUMNS = [
	{ title: "User", value: text("user"), show: (row) => row.by && row.by !== row.user ? `${row.user} (by ${row.by})` : row.user },
	{ title: "Address", value: text("address"), show: text("address") },
	{ title: "Client", value: text("client"), show: text("client") },
	{ title: "State", value: text("state"), show: (row) => [row.state, row.command].filter(Boolean).join(" · ") },
	{ title: "TLS", value: text("tls"), show: text("tls") },
	{ title: "Age", value: (row) => row.seconds, isNumber: true, show: (row) => duration(row.seconds) },
	{ title: "In", value: (row) => row.in, isNumber: true, show: (row) => size(row.in) },
	{ title: "Out", value: (row) => row.out, isNumber: true, show: (row) => size(row.out) },
	{ title: "Id", value: text("sid"), show: text("sid") },
	{ title: "Action", show: kickButton, isKept: true },
];

function draw() {
	const wanted = find("sessions-filter").value.trim().toLowerCase();
	const rows = wanted === "" ? all : all.filter((row) =>
		[row.user, row.by, row.address, row.client, row.sid, row.mailbox, row.relay, row.state]
			.some((value) => value?.toLowerCase().includes(wanted)));

	table.set(rows);
	say(find("sessions-count"), countOf(rows.length, all.length, "session"));
}

export const sessions = {
	every: 3000,

	begin(session, poll) {
		mayChange = session.mayChange;
		again = poll;
		table = new Table("sessions-table", { caption: "Sessions", columns: COLUMNS, key: (row) => row.sid, perPage: 100, sort: "User",
			nothing: () => all.length > 0 ? "No session has this." : "Nobody is logged in." });
		find("sessions-filter").addEventListener("input", () => {
			table.page = 0;
			draw();
		});
	},

	async poll() {
		all = (await ask("who")).session ?? [];
		draw();
	},
};
