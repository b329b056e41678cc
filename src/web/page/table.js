// A table that is sorted, looked through and turned over page by page: ten thousand rows cost as much as those that
// are seen. Rows keep their elements, so that the focus stays where it is while figures change.

import { h, find, say, plural } from "./dom.js";

const order = new Intl.Collator("en", { numeric: true });

export class Table {
	// columns: { title, value(row) for sorting, isNumber, show(row) -> text or node, isKept: show() once }
	constructor(place, { caption, columns, key, perPage, sort, nothing }) {
		Object.assign(this, { columns, key, perPage, nothing });
		this.rows = [];
		this.kept = new Map();
		this.page = 0;
		this.sort = sort;
		this.isDown = false;
		this.build(find(place), caption);
	}

	build(place, caption) {
		this.head = h("tr");
		for (const column of this.columns) {
			const title = column.value ? h("button", { type: "button", onclick: () => this.turn(column) }, column.title) :
				h("span", {}, column.title);

			column.head = h("th", { scope: "col", class: column.isNumber ? "number" : null }, title);
			this.head.append(column.head);
		}
		this.body = h("tbody");
		this.empty = h("p", { class: "nothing" });
		this.table = h("table", { class: "wide" }, h("caption", {}, caption), h("thead", {}, this.head), this.body);
		this.back = h("button", { type: "button", onclick: () => this.go(-1) }, "Previous");
		this.on = h("button", { type: "button", onclick: () => this.go(1) }, "Next");
		this.where = h("span", { role: "status" });
		this.pages = h("nav", { class: "pages", "aria-label": `Pages of ${caption}` }, this.back, this.where, this.on);
		place.append(h("div", { class: "rows" }, this.table, this.empty), this.pages);
	}

	turn(column) {
		this.isDown = this.sort === column.title && !this.isDown;
		this.sort = column.title;
		this.page = 0;
		this.draw();
	}

	go(step) {
		if ((step < 0 ? this.back : this.on).getAttribute("aria-disabled") === "true")
			return;
		this.page += step;
		this.draw();
	}

	set(rows) {
		this.rows = rows;
		this.draw();
	}

	sorted() {
		const column = this.columns.find((one) => one.title === this.sort);
		const way = this.isDown ? -1 : 1;

		if (!column)
			return this.rows;
		return [...this.rows].sort((a, b) => {
			const one = column.value(a), other = column.value(b);

			return way * (column.isNumber ? one - other : order.compare(one, other));
		});
	}

	shown() {
		return this.sorted().slice(this.page * this.perPage, (this.page + 1) * this.perPage);
	}

	draw() {
		const last = Math.max(0, Math.ceil(this.rows.length / this.perPage) - 1);

		this.page = Math.min(this.page, last);
		for (const column of this.columns)
			column.head.toggleAttribute("aria-sort", false);
		this.columns.find((one) => one.title === this.sort)?.head.setAttribute("aria-sort",
			this.isDown ? "descending" : "ascending");
		this.drawRows(this.shown());
		this.table.hidden = this.rows.length === 0;
		this.empty.hidden = this.rows.length > 0;
		say(this.empty, this.nothing());
		this.pages.hidden = last === 0;
		say(this.where, `page ${this.page + 1} of ${last + 1}`);
		this.back.setAttribute("aria-disabled", this.page === 0 ? "true" : "false");
		this.on.setAttribute("aria-disabled", this.page === last ? "true" : "false");
	}

	drawRows(rows) {
		const kept = new Map();
		let place = this.body.firstElementChild;

		for (const row of rows) {
			const element = this.kept.get(this.key(row)) ?? this.make();

			kept.set(this.key(row), element);
			this.fill(element, row);
			if (element === place)
				place = place.nextElementSibling;
			else
				this.body.insertBefore(element, place);
		}
		for (const [key, element] of this.kept) {
			if (!kept.has(key))
				element.remove();
		}
		this.kept = kept;
	}

	make() {
		return h("tr", {}, ...this.columns.map((column) =>
			h("td", { class: column.isNumber ? "number" : null, "data-title": column.title })));
	}

	fill(element, row) {
		this.columns.forEach((column, index) => {
			const cell = element.children[index];

			if (column.isKept && cell.firstChild)
				return;
			const content = column.show(row);

			if (content instanceof Node)
				cell.replaceChildren(content);
			else
				say(cell, String(content));
		});
	}
}

export function countOf(shown, all, word) {
	return shown === all ? plural(all, word) : `${shown} of ${plural(all, word)}`;
}
