// The summary above the table.

const MOST_REASONS = 20;

// The service judges; the page only puts its verdict into words.
const HEADLINES = { ok: "Everything is healthy", attention: "Attention needed", failing: "Rotation is failing" };

function showSummary(fleet, rows, view, toggle) {
  const { summary } = fleet;
  const counts = countsOf(rows);
  $("caller").textContent = fleet.caller.name;
  $("bar").replaceChildren(...ORDER.filter((state) => counts[state] && state !== "unmanaged")
    .map((state) => {
      const piece = h("span", { class: toneOf(state), title: `${counts[state]} ${state}` });
      piece.style.flexGrow = counts[state];
      return piece;
    }));
  $("figures").replaceChildren(...figures(summary));
  showChips(counts, rows.length, view, toggle);
}

function showVerdict({ level, reasons }, secrets) {
  const nothing = level === "ok" && !secrets;
  const text = nothing ? "No secret is enrolled yet" : HEADLINES[level] ?? HEADLINES.failing;
  const { headline } = $("headline").dataset;
  if (headline && headline !== text) announce([text, ...reasons].join(". "));
  $("headline").dataset.headline = text;
  $("headline").replaceChildren(text);
  $("verdict").dataset.level = nothing ? "" : level;
  refill($("reasons"), reasons, () => reasonList(reasons));
}

function reasonList(reasons) {
  const more = reasons.length - MOST_REASONS;
  const items = reasons.slice(0, MOST_REASONS).map((text) => h("li", {}, sentence(text)));
  return more > 0 ? [...items, h("li", {}, `… and ${more.toLocaleString()} more.`)] : items;
}

/** Say since when the page is out of date; the last verdict may no longer hold. */
function showStale(fleet) {
  $("verdict").dataset.level = "stale";
  $("headline").replaceChildren(...(fleet ? ["Out of date since ", timeOf(fleet.at, clock(fleet.at))] : ["The secrets could not be read"]));
  delete $("headline").dataset.headline;
}

function figures({ secrets, accounts, oldestKeyDays, nextExpiryDays, lastSweep }) {
  const known = (number) => (number === null ? "–" : days(number));
  const sweep = lastSweep ? timeOf(lastSweep.at) : "never";
  const scope = lastSweep ? `${lastSweep.accounts.toLocaleString()} accounts` : "";
  return [
    figure("Secrets", secrets.toLocaleString(), `in ${accounts.toLocaleString()} accounts`),
    figure("Oldest key", known(oldestKeyDays)),
    figure("Next expiry", known(nextExpiryDays)),
    figure("Last sweep", sweep, scope),
  ];
}

function figure(name, value, more = "") {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, ` ${more}`) : null));
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
