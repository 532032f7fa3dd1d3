// The activity: who rotated what, when, and how it ended. The API lists the newest 200 operations.

const ACTIVITY_CSV = {
  at: (one) => one.at, kind: (one) => one.kind, account: (one) => one.account, secrets: (one) => one.rows.map((row) => row.id).join(" "),
  person: (one) => one.requester, reason: (one) => one.reason, state: (one) => one.state, result: (one) => one.result,
  ended: (one) => one.endedAt, id: (one) => one.id,
};

/** Return the operations with the rows of their accounts. */
function activityOf(rotations, rows) {
  const byAccount = Map.groupBy(rows.filter((row) => row.account && row.secret), (row) => row.account.toLowerCase());
  return rotations.map((one) => ({ ...one,
    at: one.startedAt ?? one.requestedAt,
    kind: purposeOf(one),
    accountName: one.account.split("/").pop(),
    rows: byAccount.get(one.account.toLowerCase()) ?? [],
    result: one.notRevoked ? `NOT REVOKED: ${one.notRevoked.reason}` : one.outcome ?? one.waitingFor ?? one.state }));
}

const FILTERS = {
  Vault: (one) => one.rows.map((row) => row.vaultName),
  Account: (one) => [one.accountName],
  Person: (one) => [one.requester],
};

class Activity {
  constructor(details, open) {
    Object.assign(this, { details, open, found: [], rows: [] });
    this.pickers = Object.fromEntries(Object.keys(FILTERS).map((name) =>
      [name, h("select", { "aria-label": `${name} of the activity`, change: () => this.draw() }, h("option", { value: "" }, "All"))]));
    this.list = h("ol", { class: "acts" });
    this.problem = h("div", { role: "alert" });
    const save = () => download("activity.csv", csvOf(this.shown(), ACTIVITY_CSV));
    const labels = Object.entries(this.pickers).map(([name, select]) => h("label", {}, `${name} `, select));
    details.append(h("div", { class: "pickers" }, labels, h("button", { type: "button", click: save }, "Save activity as CSV")),
      this.problem, this.list);
    details.addEventListener("toggle", () => this.load());
  }

  /** Show the new rows of the fleet. */
  update(rows) {
    this.rows = rows;
    this.load();
  }

  async load() {
    if (!this.details.open) return;
    try {
      this.found = activityOf((await api.rotations()).rotations, this.rows);
      this.problem.replaceChildren();
    } catch (problem) {
      this.problem.replaceChildren(problemBox(problem));
    }
    for (const [name, select] of Object.entries(this.pickers)) this.choices(select, FILTERS[name]);
    this.draw();
  }

  choices(select, valuesOf) {
    const chosen = select.value;
    const names = [...new Set(this.found.flatMap(valuesOf))].sort();
    refill(select, names, () => ["", ...names].map((name) => h("option", { value: name }, name || "All")));
    select.value = names.includes(chosen) ? chosen : "";
  }

  shown() {
    const wanted = Object.entries(this.pickers).filter(([, select]) => select.value);
    return this.found.filter((one) => wanted.every(([name, select]) => FILTERS[name](one).includes(select.value)));
  }

  draw() {
    const shown = this.shown();
    refill(this.list, shown, () => (shown.length ? shown.map((one) => this.line(one))
      : h("li", { class: "fine" }, "No rotation yet, or none that matches.")));
  }

  line(one) {
    const [row] = one.rows;
    const account = row ? h("button", { type: "button", class: "link", click: () => this.open(row) }, one.accountName) : one.accountName;
    return h("li", {},
      h("time", { datetime: one.at, title: moment(one.at) }, clock(one.at)),
      h("span", { class: `purpose ${one.kind === PURPOSES.emergency ? "emergency" : one.purpose ?? ""}` }, one.kind),
      h("span", { class: "what" }, account, h("span", { class: "sub" }, one.rows.map((each) => each.id).join(", "))),
      h("span", { class: "what" }, one.requester, h("span", { class: "sub" }, one.reason)),
      h("span", { class: one.notRevoked ? "wrong" : null }, capital(one.result)));
  }
}
