// The summary above the table.

const EXPIRY_WARNING = 7; // days
const SWEEP_WARNING = 2700; // seconds

function showSummary(fleet, rows, view, toggle) {
  const { summary } = fleet;
  const counts = countsOf(rows);
  $("headline").textContent = headline(counts, summary.secrets);
  $("caller").textContent = fleet.caller.name;
  $("bar").replaceChildren(...ORDER.filter((state) => counts[state] && state !== "unmanaged")
    .map((state) => {
      const piece = h("span", { class: toneOf(state), title: `${counts[state]} ${state}` });
      piece.style.flexGrow = counts[state];
      return piece;
    }));
  $("figures").replaceChildren(...figures(summary));
  showChips(counts, rows.length, view, toggle);
  showProblems(fleet);
}

function figures({ secrets, accounts, oldestKeyDays, nextExpiryDays, lastSweep }) {
  const known = (number) => (number === null ? "–" : days(number));
  const sweep = lastSweep ? timeOf(lastSweep.at) : "never";
  const scope = lastSweep ? `${lastSweep.accounts.toLocaleString()} accounts` : "";
  return [
    figure("Secrets", secrets.toLocaleString(), `in ${accounts.toLocaleString()} accounts`),
    figure("Oldest key", known(oldestKeyDays)),
    figure("Next expiry", known(nextExpiryDays), "", nextExpiryDays !== null && nextExpiryDays < EXPIRY_WARNING),
    figure("Last sweep", sweep, scope, !lastSweep || lastSweep.ageSeconds > SWEEP_WARNING),
  ];
}

function figure(name, value, more = "", worrying = false) {
  return h("div", {}, h("dt", {}, name),
    h("dd", { class: worrying ? "worrying" : null }, value, more ? h("small", {}, ` ${more}`) : null));
}

function showChips(counts, total, view, toggle) {
  const chip = (state, label, count, pressed) =>
    h("button", { type: "button", class: `chip ${state ? toneOf(state) : "none"}`, "data-state": state,
      "aria-pressed": String(pressed), click: () => toggle(state) },
    label, h("b", {}, count.toLocaleString()));
  const focused = document.activeElement?.dataset?.state;
  const found = ORDER.filter((state) => counts[state] || view.states.has(state));
  $("chips").replaceChildren(
    chip("", "all", total, !view.states.size),
    ...found.map((state) => chip(state, state, counts[state] ?? 0, view.states.has(state))));
  if (focused !== undefined) $("chips").querySelector(`[data-state="${focused}"]`)?.focus();
}

/** Show unreadable vaults and the reason why the last sweep stopped. */
function showProblems({ problems, summary: { lastSweep } }) {
  const stopped = lastSweep?.stopped ? [`The last sweep stopped: ${lastSweep.stopped}`] : [];
  const all = [...new Set([...stopped, ...problems, ...(lastSweep?.problems ?? [])])];
  refill($("alerts"), all, () => (all.length ? problemList(all) : []));
}

function problemList(all) {
  const title = all.length === 1 ? "One problem" : `${all.length} problems`;
  const items = all.slice(0, 20).map((text) => h("li", {}, sentence(text)));
  return h("div", { class: "error-box" }, h("strong", {}, title), h("ul", {}, items));
}
