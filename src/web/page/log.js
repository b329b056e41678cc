// The log as it grows.

import { find, h, say, plural } from "./dom.js";
import { ask } from "./server.js";

const LEVELS = ["error", "warning", "info", "debug"], KEPT = 2000, ASKED = "200";

let lines = [];		// { text, level, fields, element }
let last = [];		// texts of the answer before
let isPaused = false;

// "TIME level=info ev=login user=alice text=\"two words\""
function parse(text) {
	const fields = [...text.matchAll(/([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)/gu)].map((match) => [match[1], match[2]]);
	const value = (key) => fields.find(([name]) => name === key)?.[1] ?? "";

	return { text, time: text.slice(0, text.indexOf(" ")), level: value("level"), event: value("ev"), fields, value };
}

function render(line) {
	const rest = line.fields.filter(([key]) => key !== "level" && key !== "ev").flatMap(([key, value]) =>
		[" ", h("span", { class: "key" }, `${key}=`), value]);

	if (!line.event)
		return h("p", {}, line.text);
	return h("p", { class: line.level }, h("span", { class: "time" }, line.time), " ", h("span", { class: "level" }, line.level), " ",
		h("span", { class: "event" }, line.event), ...rest);
}

function isWanted(line) {
	const user = find("log-user").value.trim().toLowerCase(), sid = find("log-sid").value.trim().toLowerCase();
	const text = find("log-text").value.trim().toLowerCase();
	const is = (key, wanted) => line.value(key).replace(/^"|"$/gu, "").toLowerCase().includes(wanted);

	return LEVELS.indexOf(line.level) <= Number(find("log-level").value) && (user === "" || is("user", user) || is("peer", user)) &&
		(sid === "" || is("sid", sid)) && (text === "" || line.text.toLowerCase().includes(text));
}

function count() {
	say(find("log-count"), `${plural(lines.filter((line) => !line.element.hidden).length, "line")} of the last ${lines.length}`);
}

function show(change) {
	const place = find("log-lines"), isAtEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 30;

	change(place);
	if (isAtEnd)
		place.scrollTop = place.scrollHeight;
	count();
}

function add(texts) {
	show((place) => {
		for (const text of texts) {
			const line = parse(text);

			line.element = render(line);
			line.element.hidden = !isWanted(line);
			lines.push(line);
			place.append(line.element);
		}
		for (const line of lines.splice(0, Math.max(0, lines.length - KEPT)))
			line.element.remove();
	});
}

// What has come since: behind the place where the answer before ends.
function newOnes(texts) {
	for (let from = texts.length; from > 0 && last.length > 0; from--) {
		const overlap = Math.min(from, last.length);

		if (texts[from - 1] === last.at(-1) && texts.slice(from - overlap, from).every((text, index) => text === last.at(index - overlap)))
			return texts.slice(from);
	}
	return last.length === 0 ? texts : ["… more was logged meanwhile than the server keeps for this page", ...texts];
}

export const log = {
	every: 1500,

	begin() {
		for (const id of ["log-level", "log-user", "log-sid", "log-text"])
			find(id).addEventListener("input", () => show(() => {
				for (const line of lines)
					line.element.hidden = !isWanted(line);
			}));
		find("log-pause").addEventListener("click", () => {
			isPaused = !isPaused;
			find("log-pause").setAttribute("aria-pressed", String(isPaused));
		});
	},

	async poll() {
		const texts = (await ask("log", ASKED)).line ?? [];

		if (isPaused)
			return;
		add(newOnes(texts));
		last = texts;
	},
};
