// Rates and latencies of the last hour: the server keeps samples of it, so that a page that is opened has all of them at once.
// Drawn as SVG; each chart says the same in words and has its figures in a table.

import { find, h, say, size, count } from "./dom.js";
import { ask, Refusal } from "./server.js";

const KEPT_S = 3600, STRIP_S = 300, WIDTH = 460, HEIGHT = 150, LEFT = 66, BOTTOM = 20, TOP = 8;
let bounds = [];		// of the histograms' buckets, in microseconds
const samples = [];		// as the server's verb history has them, and at: when it was, in seconds

const rate = (number) => number === 0 ? "0/s" : `${number >= 100 ? count(Math.round(number)) : number >= 10 ? number.toFixed(0) : number.toFixed(1)}/s`;
const octets = (number) => `${size(number)}/s`;
const ms = (number) => number === 0 ? "0 ms" : number >= 1000 ? `${(number / 1000).toFixed(1)} s` : number >= 10 ? `${number.toFixed(0)} ms` : `${number.toFixed(1)} ms`;

// Series of counters are rates; of gauges, what they say; of histograms, quantiles of what came between two samples.
const CHARTS = [
	{ title: "Commands", unit: rate, least: 1, series: [{ title: "answered", of: pace("answered") }, { title: "NO and BAD", of: pace("not-ok") }] },
	{ title: "Latency of commands", strip: "Latency, 95 %", unit: ms, least: 1, series: quantiles("commands") },
	{ title: "Logins", unit: rate, least: 1, series: [{ title: "good", of: pace("logins") }, { title: "others", of: pace("logins-failed") }] },
	{ title: "Connections", unit: (number) => count(Math.round(number)), least: 4, series: [{ title: "clients", of: now("clients") },
		{ title: "in IDLE", of: now("idle") }] },
	{ title: "Traffic", unit: octets, base: 1024, least: 1024, series: [{ title: "out", of: pace("out") }, { title: "in", of: pace("in") }] },
	{ title: "Latency of commits to disk", strip: "Commits, 95 %", unit: ms, least: 1, series: quantiles("commits") },
];

// A counter that went back was begun anew, with the process: nothing is known of what was between.
function pace(name) {
	return (before, after) => after[name] < before[name] ? null : (after[name] - before[name]) / (after.at - before.at);
}

function now(name) {
	return (before, after) => after[name];
}

// Within a bucket, what it holds is taken to be spread evenly.
function quantile(name, part) {
	return (before, after) => {
		const fresh = after[name].map((value, index) => value - before[name][index]), wanted = fresh.at(-1) * part;

		if (!(fresh.at(-1) > 0))
			return null;
		const index = fresh.findIndex((value) => value >= wanted);
		const low = index === 0 ? 0 : bounds[index - 1], high = bounds[Math.min(index, bounds.length - 1)];
		const below = index === 0 ? 0 : fresh[index - 1], within = fresh[index] - below;

		return (low + (high - low) * (within > 0 ? (wanted - below) / within : 1)) / 1000;
	};
}

function quantiles(name) {
	return [["median", 0.5], ["95 %", 0.95], ["99 %", 0.99]].map(([title, part]) => ({ title, of: quantile(name, part) }));
}

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, text) {
	const element = document.createElementNS(SVG, name);

	for (const [key, value] of Object.entries(attributes))
		element.setAttribute(key, value);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

// A number that is easily halved, at least what is to be shown: octets are counted by 1024.
function roundUp(number, base = 1) {
	const unit = base > 1 && number > 0 ? base ** Math.max(0, Math.floor(Math.log(number) / Math.log(base))) : 1;
	const power = unit * 10 ** Math.floor(Math.log10(number / unit || 1));

	return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= number) ?? number;
}

// What the overview shows of a chart, in small: its first series, or of latencies the second.
function buildStrip(chart) {
	const title = h("span", { class: "quiet" }, chart.strip ?? chart.title);

	chart.small = svg("svg", { viewBox: "0 0 120 32", preserveAspectRatio: "none", "aria-hidden": "true" });
	chart.value = h("b");
	find("strip").append(h("a", { href: "#charts", class: "card" }, title, chart.value, chart.small));
}

function drawStrip(chart, seen, from, to) {
	const index = chart.strip ? 1 : 0, line = points(chart.series[index], seen), last = line.at(-1)?.[1];
	const top = Math.max(chart.least, ...line.map(([, value]) => value ?? 0));

	say(chart.value, last === null || last === undefined ? "–" : chart.unit(last));
	const x = (at) => (at - from) / (to - from) * 120, y = (value) => 30 - value / top * 28;

	chart.small.replaceChildren(svg("path", { class: "area", d: area(line, x, y) }), svg("path", { class: "series series-0", d: path(line, x, y) }));
}

function build(chart) {
	chart.svg = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
	chart.words = h("p", { class: "quiet" });
	chart.table = h("tbody");
	chart.legend = h("span", { class: "legend" });
	chart.when = h("span", { class: "quiet when" });
	chart.svg.addEventListener("pointermove", (event) => point(chart, event));
	chart.svg.addEventListener("pointerleave", () => point(chart, null));
	chart.series.forEach((series, index) => {
		const mark = svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" });

		mark.append(svg("line", { class: `series series-${index}`, x1: 0, x2: 24, y1: 4, y2: 4 }));
		series.now = h("b");
		chart.legend.append(h("span", {}, mark, series.title, series.now));
	});
	find("charts-grid").append(h("figure", { class: "card chart" }, h("figcaption", {}, chart.title, chart.when, chart.legend), chart.svg,
		h("details", {}, h("summary", {}, "In words and figures"), chart.words,
			h("table", {}, h("caption", {}, chart.title), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"),
				...chart.series.map((series) => h("th", { scope: "col", class: "number" }, series.title)))), chart.table))));
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

// Points of a series: [seconds, value], null where nothing is known. Of many, as many as there are pixels for.
function points(series, seen) {
	const step = Math.max(1, Math.floor(seen.length / 230)), result = [];

	for (let index = step; index < seen.length; index += step)
		result.push([seen[index].at, series.of(seen[index - step], seen[index])]);
	return result;
}

function path(line, x, y) {
	let text = "", isOn = false;

	for (const [at, value] of line) {
		if (value === null) {
			isOn = false;
			continue;
		}
		text += `${isOn ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}${isOn ? "" : "h0"}`;	// a single point is a dot
		isOn = true;
	}
	return text;
}

// The same, filled down to nothing.
function area(line, x, y) {
	let text = "", first = null, last = null;
	const close = () => first === null ? "" : `L${x(last).toFixed(1)} ${y(0).toFixed(1)}L${x(first).toFixed(1)} ${y(0).toFixed(1)}Z`;

	for (const [at, value] of line) {
		if (value === null) {
			text += close();
			first = null;
			continue;
		}
		text += `${first === null ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
		first ??= at;
		last = at;
	}
	return text + close();
}

function drawGrid(chart, top, y, from, to) {
	for (const part of [0, 0.5, 1]) {
		chart.svg.append(svg("line", { class: "grid-line", x1: LEFT, x2: WIDTH, y1: y(part * top), y2: y(part * top) }),
			svg("text", { x: LEFT - 6, y: y(part * top) + 4, "text-anchor": "end" }, chart.unit(part * top)));
	}
	for (const part of [0, 0.5, 1]) {
		const x = LEFT + part * (WIDTH - LEFT);

		chart.svg.append(svg("line", { class: "grid-line", x1: x, x2: x, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 }),
			svg("text", { x, y: HEIGHT - 4, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" },
				clock(from + part * (to - from))));
	}
}

// The point of a line that is next to a moment.
function nearest(line, at) {
	return line.reduce((best, one) => Math.abs(one[0] - at) < Math.abs(best[0] - at) ? one : best, line[0]);
}

// What the legend says: of now, or of the moment that is pointed at, which gets a mark.
function drawLegend(chart) {
	const { lines, x, y, pointed } = chart;
	const shown = lines.map((line) => pointed === null || line.length === 0 ? line.at(-1) : nearest(line, pointed));

	chart.mark.replaceChildren();
	shown.forEach((one, index) => {
		say(chart.series[index].now, one === undefined || one[1] === null ? "–" : chart.unit(one[1]));
		if (pointed !== null && one !== undefined && one[1] !== null)
			chart.mark.append(svg("circle", { class: `dot dot-${index}`, cx: x(one[0]), cy: y(one[1]), r: 3.5 }));
	});
	say(chart.when, pointed === null || shown[0] === undefined ? "" : clock(shown[0][0]));
	if (pointed !== null && shown[0] !== undefined)
		chart.mark.prepend(svg("line", { class: "pointed", x1: x(shown[0][0]), x2: x(shown[0][0]), y1: TOP, y2: HEIGHT - BOTTOM }));
}

function point(chart, event) {
	if (!chart.lines)
		return;
	const box = chart.svg.getBoundingClientRect(), x = event === null ? 0 : (event.clientX - box.left) / box.width * WIDTH;

	chart.pointed = x < LEFT ? null : chart.from + (x - LEFT) / (WIDTH - LEFT) * (chart.to - chart.from);
	drawLegend(chart);
}

function describe(chart, lines) {
	const text = chart.series.map((series, index) => {
		const values = lines[index].map(([, value]) => value).filter((value) => value !== null);

		if (values.length === 0)
			return `${series.title}: nothing yet`;
		return `${series.title}: now ${chart.unit(values.at(-1))}, highest ${chart.unit(Math.max(...values))}, ` +
			`mean ${chart.unit(values.reduce((all, value) => all + value, 0) / values.length)}`;
	}).join("; ");

	chart.svg.setAttribute("aria-label", `${chart.title}. ${text}`);
	say(chart.words, `${text}.`);
}

function drawTable(chart, lines) {
	const last = lines[0].slice(-10).reverse();

	if (!chart.table.closest("details").open)
		return;
	chart.table.replaceChildren(...last.map(([at], back) => h("tr", {}, h("td", {}, clock(at)), ...lines.map((line) => {
		const value = line.at(-1 - back)[1];

		return h("td", { class: "number" }, value === null ? "–" : chart.unit(value));
	}))));
}

function drawChart(chart, seen, from, to) {
	const lines = chart.series.map((series) => points(series, seen));
	const top = roundUp(Math.max(chart.least, ...lines.flat().map(([, value]) => value ?? 0)), chart.base);
	const x = (at) => LEFT + (at - from) / (to - from) * (WIDTH - LEFT);
	const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);

	chart.mark = svg("g", {});
	chart.pointed ??= null;
	Object.assign(chart, { lines, x, y, from, to });
	chart.svg.replaceChildren();
	drawGrid(chart, top, y, from, to);
	chart.svg.append(svg("path", { class: "area", d: area(lines[0], x, y) }));
	lines.forEach((line, index) => chart.svg.append(svg("path", { class: `series series-${index}`, d: path(line, x, y) })));
	if (lines.every((line) => line.every(([, value]) => value === null)))
		chart.svg.append(svg("text", { x: (LEFT + WIDTH) / 2, y: y(top / 2) - 6, "text-anchor": "middle" }, "nothing in this time"));
	chart.svg.append(chart.mark);
	drawLegend(chart);
	describe(chart, lines);
	drawTable(chart, lines);
}

// The span that was asked for, or what there is of it so far.
function draw() {
	const to = samples.at(-1).at, isSmall = find("view-charts").hidden;
	const from = Math.max(to - (isSmall ? STRIP_S : Number(find("charts-span").value)), Math.min(samples[0].at, to - 60));
	const seen = samples.filter((sample) => sample.at >= from);

	for (const chart of CHARTS)
		(isSmall ? drawStrip : drawChart)(chart, seen, from, to);
}

const numbers = (text) => text.split(" ").map(Number);

function keep(answer) {
	const moment = answer.moment[0], seconds = Date.now() / 1000;

	bounds = numbers(moment["bounds-us"]);
	for (const sample of answer.sample ?? []) {
		samples.push({ ...sample, at: seconds - (moment["clock-us"] - sample["clock-us"]) / 1e6,
			commands: numbers(sample.commands), commits: numbers(sample.commits) });
	}
	while (samples.length > 0 && samples[0].at < samples.at(-1).at - KEPT_S)
		samples.shift();
}

export const charts = {
	every: 5000,
	isAlways: true,		// also while another view is seen

	begin() {
		CHARTS.forEach(build);
		CHARTS.forEach(buildStrip);
		find("charts-span").addEventListener("input", () => samples.length > 0 && draw());
	},

	async poll() {
		let answer;

		try {
			answer = await ask("history", String(samples.at(-1)?.["clock-us"] ?? 0));
		} catch (error) {
			if (error instanceof Refusal)
				say(find("charts-note"), error.message);
			throw error;
		}
		keep(answer);
		if (samples.length === 0)
			return;
		say(find("charts-note"), `since ${clock(samples[0].at)}, every ${answer.moment[0]["every-ms"] / 1000} seconds`);
		draw();
	},
};
