// Saves the visible rows as a CSV file.

// A spreadsheet runs a cell that begins with one of these as a formula.
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/;

function csvCell(value) {
  const text = String(value ?? "");
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** columns: {title: the cell of a row}. Lines end as RFC 4180 says. */
function csvOf(rows, columns) {
  const lines = [Object.keys(columns), ...rows.map((row) => Object.values(columns).map((of) => of(row)))];
  return lines.map((cells) => cells.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

/** Save a text as a file. The mark at its beginning tells spreadsheets that it is UTF-8. */
function download(name, text) {
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), MINUTE);
}

const SECRET_CSV = {
  state: (row) => row.state, vault: (row) => row.vaultName, secret: (row) => row.secret, account: (row) => row.account,
  slot: (row) => row.slot, published: (row) => row.publishedAt, expires: (row) => row.expires, next: (row) => row.next,
  "next at": (row) => row.nextAt, details: (row) => row.reason, operation: (row) => row.operation,
};
