// The calendar strip: how many rotations are due on each of the next days.

const SPANS = [30, 90]; // days

/** Return the next days in the shown time zone, as texts. Half days, so that no clock change skips one. */
function comingDays(count) {
  const halves = Array.from({ length: 2 * count }, (_, index) => dates.format(now() + (index * DAY) / 2));
  return [...new Set(halves)].slice(0, count);
}

/** Return the rows that are due on each day. An overdue rotation counts today. */
function dueBy(rows, known) {
  const due = rows.filter((row) => row.next === "rotate" && row.nextAt && row.state !== "paused");
  const byDay = Map.groupBy(due, (row) => dates.format(Math.max(Date.parse(row.nextAt), now())));
  return known.map((day) => [day, byDay.get(day) ?? []]);
}

class Calendar {
  constructor(details, open) {
    Object.assign(this, { details, open, rows: [], day: "" });
    this.span = h("select", { change: () => this.draw() }, SPANS.map((count) => h("option", { value: count }, `${count} days`)));
    this.strip = h("div", { class: "strip", role: "group", "aria-label": "Rotations by day" });
    this.ends = h("p", { class: "fine ends" });
    this.list = h("ul", { class: "acts due" });
    details.append(h("div", { class: "pickers" }, h("label", {}, "Show the next ", this.span)), this.strip, this.ends, this.list);
    details.addEventListener("toggle", () => this.draw());
  }

  update(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    if (!this.details.open) return;
    const days = dueBy(this.rows, comingDays(Number(this.span.value)));
    const most = Math.max(1, ...days.map(([, due]) => due.length));
    refill(this.strip, [days.map(([day, due]) => [day, due.length]), this.day], () => days.map((one) => this.bar(one, most)));
    refill(this.ends, [days[0][0], days.at(-1)[0]], (ends) => ends.map((day) => h("span", {}, day)));
    const due = days.find(([day]) => day === this.day)?.[1] ?? [];
    refill(this.list, due, () => due.map((row) => h("li", {}, timeOf(row.nextAt, moment(row.nextAt)),
      h("button", { type: "button", class: "link", click: () => this.open(row) }, row.id))));
  }

  bar([day, due], most) {
    const title = `${day}: ${due.length === 1 ? "one rotation" : `${due.length} rotations`}`;
    if (!due.length) return h("span", { class: "day", title: day });
    const bar = h("button", { type: "button", class: "day", title, "aria-label": title, "aria-pressed": String(day === this.day),
      click: () => this.choose(day) }, h("span", {}));
    bar.firstChild.style.height = `${Math.max(8, (due.length / most) * 100)}%`;
    return bar;
  }

  choose(day) {
    this.day = this.day === day ? "" : day;
    this.draw();
    this.strip.querySelector("[aria-pressed=true]")?.focus();
  }
}
