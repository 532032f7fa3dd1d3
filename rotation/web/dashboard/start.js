// Starts the page: reads the fleet periodically and connects the parts.

const REFRESH = 30_000; // ms
const view = { text: "", vault: "", states: new Set(), sort: "state", down: false };
let fleet = null;
let rows = [];
let reading = 0;

const may = (role) => fleet?.caller.roles.includes(`Rotation.${role}`) ?? false;
const dialog = new Dialog($("dialog"));
const requests = new Requests(dialog, () => read());
const selection = new Selection($("selection"), { several: new Several(requests), shown: () => grid.rows, changed: () => grid.rebuild() });
const grid = new Grid($("grid"), { open, sort, selection, maySelect: () => may("Operate") });
const holding = new Holding($("holding"), { requests, may });
const panel = new Panel($("panel"), { may, requests, closed, changed: () => read() });

const activity = new Activity($("activity"), (row) => open(row));
const calendar = new Calendar($("upcoming"), (row) => open(row));

async function read() {
  const mine = ++reading;
  $("refresh").classList.add("busy");
  try {
    const found = await api.fleet();
    if (mine === reading) show(found);
  } catch (problem) {
    if (mine === reading) failed(problem);
  }
  if (mine === reading) $("refresh").classList.remove("busy");
}

function failed(problem) {
  $("alerts").replaceChildren(problemBox(problem));
  $("fresh").textContent = "Not up to date";
  showStale(fleet);
}

/** A page that was hidden or asleep has an old verdict until the next reply. */
function woken() {
  if (document.hidden) return;
  if (fleet && now() - Date.parse(fleet.at) > 2 * REFRESH) showStale(fleet);
  read();
}

function show(found) {
  fleet = found;
  $("alerts").replaceChildren();
  setClock(fleet.at);
  rows = rowsOf(fleet);
  $("fresh").replaceChildren("Updated ", timeOf(fleet.at));
  $("everything").hidden = !may("Emergency") || Boolean(functionKey) || !fleet.summary.accounts;
  if (!panel.row && location.hash.length > 1) reopen();
  if (panel.row) {
    const again = rows.find((row) => row.id === panel.row.id);
    if (again) panel.update(again);
    else panel.close();
  }
  showVerdict(fleet.verdict, fleet.summary.secrets);
  holding.update(fleet.hold);
  showFirst(fleet);
  activity.update(rows);
  calendar.update(rows);
  showVaults();
  selection.update(rows);
  draw();
}

function showVaults() {
  const names = [...new Set(rows.map((row) => row.vaultName).filter(Boolean))].sort();
  refill($("vault"), names, () => ["", ...names].map((name) => h("option", { value: name }, name || "All")));
  $("vault").value = view.vault = names.includes(view.vault) ? view.vault : "";
}

function changeZone(zone) {
  setZone(zone);
  forget();
  if (panel.row) panel.draw();
  holding.update(fleet?.hold);
  activity.draw();
  calendar.draw();
  if (fleet) draw();
}

function draw() {
  const found = select(rows, view);
  showSummary(fleet, rows, view, toggle);
  grid.set(found, view, panel.row?.id);
  $("empty").hidden = found.length > 0;
  $("empty").textContent = rows.length ? "No matches. Clear the search or the filters."
    : "No secrets yet.";
  return found;
}

/** Apply a change of the view and announce the number of rows. */
function changeView(change) {
  Object.assign(view, change);
  if (fleet) announce(`${draw().length.toLocaleString()} of ${rows.length.toLocaleString()} shown`);
}

function toggle(state) {
  const states = new Set(state ? view.states : []);
  if (state && !states.delete(state)) states.add(state);
  changeView({ states });
}

function sort(name) {
  changeView({ sort: name, down: view.sort === name && !view.down });
  $("sorting").value = name;
}

function open(row) {
  panel.open(row);
  history.replaceState(null, "", `#${encodeURIComponent(row.id)}`);
  grid.set(grid.rows, view, row.id);
}

function reopen() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const found = rows.find((row) => row.id === wanted);
  if (found) open(found);
}

function closed(row) {
  history.replaceState(null, "", location.pathname + location.search);
  grid.set(grid.rows, view, undefined);
  grid.focus(row.id);
}

$("sorting").append(...COLUMNS.map(({ name, title }) => h("option", { value: name }, title)));
$("sorting").addEventListener("change", (event) => changeView({ sort: event.target.value, down: false }));
$("zone").append(...[...new Set([LOCAL, "UTC"])].map((zone) =>
  h("option", { value: zone }, zone === "UTC" ? "UTC" : `Local (${zone})`)));
$("zone").addEventListener("change", (event) => changeZone(event.target.value));
$("vault").addEventListener("change", (event) => changeView({ vault: event.target.value }));
$("csv").addEventListener("click", () => download("secrets.csv", csvOf(grid.rows, SECRET_CSV)));
$("search").addEventListener("input", (event) => changeView({ text: event.target.value }));
$("refresh").addEventListener("click", () => read());
$("everything").addEventListener("click", () => requests.everything());
addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, dialog");
  if (event.key === "/" && !typing) event.preventDefault(), $("search").focus();
});
addEventListener("visibilitychange", woken);
setInterval(() => document.hidden || read(), REFRESH);
read();
