// The selected secrets, and the bar with what can be done to all of them.

class Selection {
  constructor(bar, { several, shown, changed }) {
    Object.assign(this, { bar, several, shown, changed });
    this.ids = new Set();
    this.rows = [];
  }

  /** Use the fleet's new rows; one that has gone is no longer selected. */
  update(rows) {
    this.rows = rows.filter(isSelectable);
    const existing = new Set(this.rows.map((row) => row.id));
    this.ids = new Set([...this.ids].filter((id) => existing.has(id)));
    this.draw();
  }

  has(row) {
    return this.ids.has(row.id);
  }

  toggle(row) {
    if (!this.ids.delete(row.id)) this.ids.add(row.id);
    this.draw();
    announce(this.title());
  }

  set(rows) {
    this.ids = new Set(rows.map((row) => row.id));
    this.draw();
    this.changed();
    announce(this.title());
  }

  title() {
    return `${this.ids.size.toLocaleString()} selected`;
  }

  draw() {
    this.bar.hidden = !this.ids.size;
    const rows = this.rows.filter((row) => this.has(row));
    const press = (label, click) => h("button", { type: "button", click }, label);
    refill(this.bar, rows.map((row) => row.id), () => [
      h("strong", {}, this.title()),
      press("Rotate…", () => this.several.rotate(rows)),
      press("Pause…", () => this.several.pause(rows)),
      press("Unpause…", () => this.several.unpause(rows)),
      press("Select all shown", () => this.set(this.shown().filter(isSelectable))),
      press("Clear", () => this.set([])),
    ]);
  }
}

const isSelectable = (row) => Boolean(row.secret && row.account);
