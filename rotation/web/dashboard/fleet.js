// Turns the fleet into table rows; search, filter and sort.

// Each state's colour. The order is the sort order, the worst first.
const STATES = {
  failing: "bad", unknown: "bad", refused: "bad", drifted: "bad", due: "warn", rotating: "busy", revoking: "busy",
  overlap: "busy", paused: "idle", healthy: "good", unmanaged: "none",
};
const ORDER = Object.keys(STATES);
const toneOf = (state) => STATES[state] ?? "none";
const vaultName = (url) => /^https?:\/\/([^./]+)/.exec(url ?? "")?.[1] ?? url ?? "";

/** Return one row for each managed secret, unmanaged account and unmanaged secret. */
function rowsOf(fleet) {
  const managed = fleet.secrets.map((row) => rowOf(row, `${vaultName(row.vault)}/${row.secret}`));
  const accounts = fleet.unmanaged.accounts ?? [];
  const secrets = fleet.unmanaged.secrets ?? [];
  return [
    ...managed,
    ...accounts.map((one) => rowOf(unmanagedOf(one, `${one.kind} account`), one.account)),
    ...secrets.map((one) => rowOf(unmanagedOf(one, ""), `${vaultName(one.vault)}/${one.secret}`)),
  ];
}

const unmanagedOf = (one, kind) => ({ ...one, kind, state: "unmanaged", why: one.reason, next: "" });

function rowOf(found, id) {
  const row = { ...found, id, vaultName: vaultName(found.vault) };
  row.rank = ORDER.indexOf(row.state);
  row.reason = row.error ? `${sentence(row.error.message)} ${sentence(row.error.remedy)}` : row.why;
  row.text = [row.secret, row.vaultName, row.accountName, row.account, row.reason, row.next, row.slot]
    .join(" ").toLowerCase();
  return row;
}

const COLUMNS = [
  { name: "state", title: "State", of: (row) => row.rank },
  { name: "secret", title: "Secret", of: (row) => row.secret ?? `~${row.accountName}` },
  { name: "account", title: "Account", of: (row) => row.accountName },
  { name: "slot", title: "Key", of: (row) => row.slot },
  { name: "age", title: "Age", of: (row) => row.publishedAt && -Date.parse(row.publishedAt) },
  { name: "expires", title: "Expires", of: (row) => row.expires && Date.parse(row.expires) },
  { name: "next", title: "Next", of: (row) => row.nextAt && Date.parse(row.nextAt) },
  { name: "why", title: "Details", of: (row) => row.reason },
];

/** Filter and sort. view: {text, vault: its name or "", states: Set, sort: a column's name, down: bool}. */
function select(rows, view) {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) =>
    (!view.vault || row.vaultName === view.vault) && (!view.states.size || view.states.has(row.state)) && words.every((w) => row.text.includes(w)));
  const by = COLUMNS.find((column) => column.name === view.sort).of;
  const keyed = found.map((row) => [by(row) ?? null, row]);
  keyed.sort(([a, one], [b, other]) => compare(a, b, view.down) || compare(one.id, other.id, false));
  return keyed.map(([, row]) => row);
}

/** Compare two values; null comes last in both directions. */
function compare(a, b, down) {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return (a < b ? -1 : 1) * (down ? -1 : 1);
}

function countsOf(rows) {
  const counts = {};
  for (const row of rows) counts[row.state] = (counts[row.state] ?? 0) + 1;
  return counts;
}
