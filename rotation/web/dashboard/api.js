// A client of the HTTP API. Every failure is thrown as a Problem whose detail has the remedy.

const address = new URL(location.href);
// For local use only. The function key is kept in memory and removed from the address bar.
const functionKey = address.searchParams.get("code") ?? "";
if (functionKey) {
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
}

const PATIENCE = 60_000; // ms

class Problem extends Error {
  constructor(body) {
    super(body.title);
    Object.assign(this, body);
  }
}

async function call(method, path, body, headers = {}) {
  const response = await send(method, path, body, headers);
  if (response.type === "opaqueredirect" || response.status === 401) {
    const detail = functionKey ? "Open the page with ?code= and a valid function key."
      : "Reload the page to sign in again.";
    throw new Problem({ title: "You are not signed in", detail, status: 401 });
  }
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  throw new Problem({
    title: `The request failed (HTTP ${response.status})`,
    detail: "Try again; if the problem persists, check the function app's log.",
    ...found,
    status: response.status,
  });
}

async function send(method, path, body, more) {
  const headers = { Accept: "application/json", ...more };
  if (functionKey) headers["x-functions-key"] = functionKey;
  if (method !== "GET") headers["X-Rotation-Request"] = "1";
  if (body) headers["Content-Type"] = "application/json";
  try {
    // A redirect means that the session has expired. Do not follow it to the sign-in page.
    const options = { method, headers, redirect: "manual" };
    if (method === "GET") options.signal = AbortSignal.timeout(PATIENCE);
    return await fetch(path, body ? { ...options, body: JSON.stringify(body) } : options);
  } catch {
    const detail = "Check your connection and that the function app is running, then try again.";
    throw new Problem({ title: "The service is unreachable", detail, status: 0 });
  }
}

const segment = encodeURIComponent;
const api = {
  fleet: () => call("GET", "secrets"),
  account: (slug) => call("GET", `accounts/${segment(slug)}`),
  secret: (row) => call("GET", `secrets/${segment(row.vaultName)}/${segment(row.secret)}`),
  readers: (row) => call("GET", `secrets/${segment(row.vaultName)}/${segment(row.secret)}/readers`),
  rotation: (id) => call("GET", `rotations/${segment(id)}`),
  rotations: () => call("GET", "rotations"),
  batch: (name) => call("GET", `rotations?batch=${segment(name)}`),
  preview: (body) => call("POST", "rotations", { ...body, dry_run: true }),
  request: (body, key) => call("POST", "rotations", body, { "Idempotency-Key": key }),
  cancel: (id, reason) => call("DELETE", `rotations/${segment(id)}?reason=${segment(reason)}`),
  answer: (id, what, body) => call("POST", `rotations/${segment(id)}/${what}`, body),
  holdAll: (body) => call("POST", "hold", body),
  hold: (row, what, reason) =>
    call("POST", `secrets/${segment(row.vaultName)}/${segment(row.secret)}/${what}`, { reason }),
};
