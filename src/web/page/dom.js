// Making and changing elements. Whatever comes from the server is text and never markup.

export const find = (id) => document.getElementById(id);

// h("td", { class: "number" }, "12"): on* members are listeners.
export function h(name, attributes = {}, ...children) {
	const element = document.createElement(name);

	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children);
	return element;
}

// Leaves alone what is there already, so that nothing moves under a reader or a selection.
export function say(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

export function state(word) {
	return h("span", { class: "state", "data-state": word }, word);
}

export function setState(element, word, text = word) {
	element.dataset.state = word;
	say(element, text);
}

// A button that cannot be used keeps the focus, and says that it cannot.
export function setUsable(button, isUsable) {
	button.setAttribute("aria-disabled", isUsable ? "false" : "true");
}

export const isUsable = (button) => button.getAttribute("aria-disabled") !== "true";

export function note(text, isBad = false) {
	const line = h("p", { class: isBad ? "bad" : null }, text);

	find("notes").append(line);
	setTimeout(() => line.remove(), isBad ? 12000 : 6000);
}

// True: yes. Escape and the other button are no; the focus goes back to where it was.
export function confirm(title, text, yes, isDanger = true) {
	const dialog = find("dialog");

	say(find("dialog-title"), title);
	say(find("dialog-text"), text);
	say(find("dialog-yes"), yes);
	find("dialog-yes").className = isDanger ? "danger" : "";
	dialog.returnValue = "no";
	dialog.showModal();
	find("dialog-no").focus();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
	});
}

export function size(octets) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;

	while (octets >= 1024 && unit < units.length - 1) {
		octets /= 1024;
		unit++;
	}
	return `${unit === 0 || octets >= 100 ? Math.round(octets) : octets.toFixed(1)} ${units[unit]}`;
}

export const count = (number) => Number(number).toLocaleString("en-GB");

export function plural(number, word) {
	return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

export function duration(seconds) {
	if (seconds < 60)
		return `${Math.floor(seconds)} s`;
	if (seconds < 3600)
		return `${Math.floor(seconds / 60)} min`;
	if (seconds < 86400)
		return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
	return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

// A moment as the reader's clock has it.
export function moment(text) {
	return new Date(text).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}
