// The panel for one secret: its account's two keys, its operations, and the actions.

const POLL = 1000; // ms, of what is looked at

/** Whether nothing has changed yet, as far as the page knows; the service decides. */
const mayCancel = ({ state, purpose, phase, beganIn }) =>
  !purpose || state === "waiting" || phase === "regenerate" || (["verify", "publish"].includes(phase) && beganIn !== "regenerate");

/** Whether a person can resume or abandon it. */
const isHeld = ({ state, purpose, notRevoked }) => Boolean(notRevoked || (state === "blocked" && purpose));

class Panel {
  constructor(element, { may, requests, closed, changed }) {
    Object.assign(this, { element, may, requests, closed, changed });
    const part = (name, title) => h("section", { class: `part ${name}`, "aria-label": title });
    this.parts = {
      head: h("header"), links: h("p", { class: "links" }), actions: h("div", { class: "actions" }), error: part("error", "Error"), line: h("figure", { class: "line" }),
      next: part("coming", "Next step"), running: part("now", "In progress"),
      history: part("history", "History"), settings: part("settings", "Settings"),
      readers: part("settings", "Last readers"),
    };
    this.closeButton = h("button", { type: "button", class: "quiet close", "aria-label": "Close",
      click: () => this.close() }, "✕");
    element.append(this.closeButton, ...Object.values(this.parts));
    element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    new ResizeObserver(() => this.row && this.drawLine()).observe(this.parts.line);
  }

  open(row) {
    this.account = null;
    this.whole = false;
    this.row = row;
    this.element.hidden = false;
    document.body.classList.add("beside");
    this.draw();
    this.element.scrollTop = 0;
    this.closeButton.focus({ preventScroll: true });
    this.load();
  }

  close() {
    clearTimeout(this.timer);
    const { row } = this;
    this.row = null;
    this.element.hidden = true;
    document.body.classList.remove("beside");
    if (row) this.closed(row);
  }

  /** Show new data of the fleet. */
  update(row) {
    this.row = row;
    this.draw();
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    const { row } = this;
    if (!row?.slug || row.state === "unmanaged") return;
    try {
      const found = document.hidden ? null : await api.account(row.slug);
      if (this.row?.slug !== row.slug) return;
      if (found) this.loaded(found);
    } catch (problem) {
      if (problem.status !== 404) refill(this.parts.running, problem, problemBox);
    }
    clearTimeout(this.timer);
    if (this.row) this.timer = setTimeout(() => this.load(), POLL);
  }

  loaded(found) {
    const state = ({ running, waiting } = {}) =>
      `${running?.id} ${running?.phase} ${running?.state} ${waiting?.length ?? 0} ${Boolean((running ?? waiting?.[0])?.notRevoked)}`;
    const same = (one) => JSON.stringify({ ...one, at: null });
    const before = this.account ?? undefined;
    const moved = state(before) !== state(found);
    this.account = found;
    if (same(before) !== same(found)) this.draw();
    if (moved) this.changed();
  }

  draw() {
    const { row, account, parts } = this;
    const running = account?.running ?? null;
    const waiting = account?.waiting ?? [];
    refill(parts.head, [row.id, row.state, row.slot], () => headOf(row));
    refill(parts.links, row.id, () => linksOf(row));
    refill(parts.actions, [row.id, row.state, running?.id, running?.state, running?.phase, waiting[0]?.id,
      Boolean((running ?? waiting[0])?.notRevoked)],
      () => this.actions());
    const isTold = running?.trouble || (running ?? waiting[0])?.notRevoked;
    const error = isTold ? null : row.error;
    refill(parts.error, error, () => (error ? errorOf(error) : []));
    refill(parts.next, [row.state, row.next, row.nextAt, row.reason, account?.next], () => comingOf(row, account));
    refill(parts.running, [running, waiting], () => runningOf(running, waiting));
    refill(parts.history, account?.history, () => historyOf(account?.history ?? []));
    const isEnrolled = row.secret && row.account;
    refill(parts.settings, row.id, () => (isEnrolled ? settingsOf(row) : []));
    refill(parts.readers, row.id, () => (isEnrolled ? readersOf(row) : []));
    this.drawLine();
  }

  drawLine() {
    const { line } = this.parts;
    line.hidden = this.row.state === "unmanaged" || !this.row.account;
    const width = Math.floor(line.clientWidth);
    if (!width) return;
    const focused = line.contains(document.activeElement);
    line.replaceChildren(...timelineOf(this.account, this.row, width, this.whole, () => {
      this.whole = !this.whole;
      this.drawLine();
    }));
    if (focused) line.querySelector("button")?.focus();
  }

  actions() {
    const { row, requests, account } = this;
    if (row.state === "unmanaged" || !this.may("Operate")) return [];
    const button = (label, kind, act) =>
      h("button", { type: "button", class: kind, click: () => act() }, label);
    const under = account?.running ?? account?.waiting?.[0];
    const made = [];
    if (under && isHeld(under) && (purposeOf(under) !== "Emergency" || this.may("Emergency"))) {
      made.push(button("Resume…", "primary", () => requests.answer(under, "resume")));
      made.push(button("Abandon…", "", () => requests.answer(under, "abandon")));
    }
    if (!account?.running && row.account) {
      made.push(button("Rotate now…", "", () => requests.rotate(row)));
    }
    if (under && mayCancel(under)) made.push(button("Cancel…", "", () => requests.cancel(under)));
    const paused = row.state === "paused";
    made.push(button(paused ? "Unpause…" : "Pause…", "", () => requests.hold(row, paused)));
    if (this.may("Emergency") && row.account) {
      made.push(button("Key leaked…", "danger", () => requests.emergency({ ...row, phase: account?.running?.phase ?? row.phase })));
    }
    return made;
  }
}

function headOf(row) {
  const where = [row.vaultName, row.secret && row.accountName, row.kind].filter(Boolean);
  return [
    h("h2", { id: "panel-title" }, row.secret ?? row.accountName),
    h("p", { class: "where" }, stateBadge(row.state), row.slot ? slotBadge(row.slot) : null, where.join(" · ")),
  ];
}

function linksOf(row) {
  const shown = [...portalLinks(row), row.account ? copyButton(row.account, "the account's resource id", "Copy id") : null];
  const command = row.secret && row.state !== "unmanaged" ? commandLine(`keyrotation why ${quoted(row.id)}`) : null;
  return [...shown, command];
}

function comingOf(row, account) {
  if (row.state === "unmanaged") {
    return [h("p", { class: "reason" }, sentence(row.why)), row.secret ? tagging() : enrolling(row)];
  }
  const why = account?.next?.why || row.why;
  const at = account?.next?.at ?? row.nextAt;
  return [
    h("h3", {}, "Next step: ", row.next, at ? [", ", timeOf(at)] : []),
    why && !row.error && !account?.running ? h("p", { class: "reason" }, sentence(why)) : null,
    row.expires ? h("p", { class: "fine" }, "The published version expires ", timeOf(row.expires), ` (${date(row.expires)}).`) : null,
  ];
}

function tagging() {
  return h("p", { class: "fine" }, "To enrol it, add the tags ", h("code", {}, "ProviderAddress"),
    " (the account's ARM resource id) and ", h("code", {}, "ValidityPeriodDays"), " to the secret. ",
    "Enrolling lets the service manage both of the account's keys.");
}

function runningOf(running, waiting) {
  const found = running ? [running, ...waiting] : waiting;
  return found.flatMap((rotation) => [
    h("h3", {}, purposeOf(rotation), h("span", { class: `pill ${rotation.state}` }, rotation.state)),
    ...progressOf(rotation)]);
}

function historyOf(history) {
  return history.length ? [h("h3", {}, "History"), ...history.map(historyEntry)] : [];
}

/** A list that is read once it is looked at. */
function folded(title, read) {
  const list = h("dl", {});
  const toggle = async (event) => {
    if (!event.target.open) return;
    try {
      list.replaceChildren(...await read());
    } catch (problem) {
      list.replaceChildren(h("dd", {}, problemBox(problem)));
    }
  };
  return h("details", { toggle }, h("summary", {}, title), list);
}

function settingsOf(row) {
  return folded("Settings in force", async () => {
    const { settings } = await api.secret(row);
    return settings.flatMap(({ name, value, source }) =>
      [h("dt", {}, capital(name)), h("dd", {}, value, h("span", { class: "sub" }, `from ${source}`))]);
  });
}

/** Who read the secret, by the vault's audit log. */
function readersOf(row) {
  return folded("Last readers", async () => {
    const { readers, problem, since } = await api.readers(row);
    const note = problem && h("dd", { class: "note" }, readers ? "Note: " : "Unknown: ", `${problem}.`);
    if (!readers) return [note];
    const nobody = readers.length ? null : h("dd", { class: "note" }, `Nobody since ${date(since)}.`);
    return [...readers.flatMap(({ identity, resource, readAt, behind }) =>
      [h("dt", {}, timeOf(readAt)), h("dd", {}, behind ? "An older version" : "The latest version",
        h("span", { class: "sub" }, `by ${identity}`),
        resource && h("span", { class: "sub" }, resource))]), nobody, note].filter(Boolean);
  });
}
