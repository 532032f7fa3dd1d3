// The table. Only visible rows have elements, so that it stays fast with thousands of rows.

const MARGIN = 6; // extra rows above and below the visible ones

class Grid {
  constructor(element, { open, sort, selection, maySelect }) {
    this.element = element;
    Object.assign(this, { open, selection, maySelect });
    this.rows = [];
    this.shown = new Map(); // index → element
    this.active = 0;
    this.head = h("div", { class: "row head", role: "row", "aria-rowindex": 1 },
      COLUMNS.map((column) => h("div", { class: `cell of-${column.name}`, role: "columnheader" },
        h("button", { type: "button", click: () => sort(column.name) }, column.title))));
    this.body = h("div", { class: "body", role: "rowgroup", keydown: (event) => this.key(event) });
    element.append(h("div", { class: "heads", role: "rowgroup" }, this.head), this.body);
    addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(element);
  }

  set(rows, view, opened) {
    const focused = this.focused();
    this.rows = rows;
    this.opened = opened;
    this.active = Math.max(0, rows.findIndex((row) => row.id === (focused ?? this.current)));
    this.element.setAttribute("aria-rowcount", rows.length + 1);
    [...this.head.children].forEach((cell, index) => {
      const sorted = COLUMNS[index].name === view.sort;
      cell.setAttribute("aria-sort", !sorted ? "none" : view.down ? "descending" : "ascending");
    });
    this.rebuild();
    if (focused !== undefined) this.shown.get(this.active)?.focus({ preventScroll: true });
  }

  /** Return the id of the focused row. */
  focused() {
    return document.activeElement?.closest?.("[data-id]")?.dataset.id;
  }

  resized() {
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue("--row"));
    if (height === this.height) return this.draw();
    const first = this.height ? this.range()[0] + MARGIN : 0;
    const far = this.height && this.body.getBoundingClientRect().top < 0;
    this.height = height;
    this.rebuild();
    if (far) scrollBy(0, this.body.getBoundingClientRect().top + first * height);
  }

  rebuild() {
    this.shown.clear();
    this.body.replaceChildren();
    this.body.style.height = `${this.rows.length * (this.height || 0)}px`;
    this.draw();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.draw();
    });
  }

  range() {
    const top = this.body.getBoundingClientRect().top;
    const first = Math.floor(-top / this.height) - MARGIN;
    const last = Math.ceil((innerHeight - top) / this.height) + MARGIN;
    return [Math.max(0, first), Math.min(this.rows.length, last)];
  }

  draw() {
    if (!this.height) return;
    const [first, last] = this.range();
    for (const [index, element] of this.shown) {
      const kept = (index >= first && index < last) || index === this.active;
      if (!kept) this.shown.delete(index), element.remove();
    }
    for (let index = first; index < last; index++) this.make(index);
    if (this.active < this.rows.length) this.make(this.active); // Tab must be able to return to it
  }

  make(index) {
    if (this.shown.has(index)) return;
    const row = this.rows[index];
    const element = rowElement(row, index, () => this.open(row));
    if (this.canSelect(row)) this.addBox(element, row);
    element.tabIndex = index === this.active ? 0 : -1;
    element.addEventListener("focus", () => this.activate(index));
    element.setAttribute("aria-current", String(row.id === this.opened));
    element.style.top = `${index * this.height}px`;
    this.shown.set(index, element);
    // Keep the document order for screen readers.
    const next = [...this.shown.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    this.body.insertBefore(element, this.shown.get(next) ?? null);
  }

  canSelect(row) {
    return isSelectable(row) && this.maySelect();
  }

  /** Add the checkbox that selects a row; Shift+Space presses it. */
  addBox(element, row) {
    const box = h("input", { type: "checkbox", tabindex: -1, "aria-label": `Select ${row.id}`, change: () => {
      this.selection.toggle(row);
      element.setAttribute("aria-selected", String(box.checked));
    } });
    box.checked = this.selection.has(row);
    element.setAttribute("aria-selected", String(box.checked));
    const label = h("label", { class: "pick", click: (event) => event.stopPropagation() }, box);
    element.querySelector(".of-state").prepend(label);
  }

  activate(index) {
    const before = this.shown.get(this.active);
    if (before) before.tabIndex = -1;
    this.active = index;
    this.current = this.rows[index].id;
    this.shown.get(index).tabIndex = 0;
  }

  key(event) {
    const page = Math.max(1, Math.floor(innerHeight / this.height) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page,
      Home: -this.rows.length, End: this.rows.length };
    if (event.key === " " && event.target.matches("input")) return;
    if (event.key === " " && event.shiftKey) this.shown.get(this.active)?.querySelector(".pick input")?.click();
    else if (event.key === "Enter" || event.key === " ") this.open(this.rows[this.active]);
    else if (event.key in moves) this.go(this.active + moves[event.key]);
    else return;
    event.preventDefault();
  }

  go(wanted) {
    const index = Math.min(Math.max(wanted, 0), this.rows.length - 1);
    this.make(index);
    const element = this.shown.get(index);
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  /** Focus a row if it still exists. */
  focus(id) {
    const index = this.rows.findIndex((row) => row.id === id);
    if (index >= 0) this.go(index);
  }
}

function rowElement(row, index, open) {
  const cells = cellsOf(row);
  return h("div", { class: "row", role: "row", "aria-rowindex": index + 2, "data-id": row.id, click: open },
    COLUMNS.map(({ name }) => h("div", { class: `cell of-${name}`, role: "gridcell" }, cells[name])));
}

function cellsOf(row) {
  const lines = (first, second) => [h("span", { class: "main" }, first), h("span", { class: "sub" }, second)];
  return {
    state: [stateBadge(row.state)],
    secret: row.secret ? lines(row.secret, row.vaultName) : lines(row.accountName, row.kind),
    account: row.secret && row.accountName ? lines(row.accountName, groupOf(row.account)) : [],
    slot: row.slot ? [slotBadge(row.slot)] : [],
    age: row.publishedAt ? [timeOf(row.publishedAt, duration(now() - Date.parse(row.publishedAt)))] : [],
    expires: row.expires ? lines(timeOf(row.expires), date(row.expires)) : [],
    next: row.next ? lines(row.next, row.nextAt ? timeOf(row.nextAt) : "") : [],
    why: [h("span", { class: row.error ? "wrong" : "reason", title: row.reason }, row.reason)],
  };
}

const groupOf = (id) => /resourceGroups\/([^/]+)/i.exec(id ?? "")?.[1] ?? "";
