// The HTTP API. What goes wrong is a Problem whose detail says what to do.

const address = new URL(location.href);
// For local use only: the host's key stays in memory, and leaves the address bar at once.
const functionKey = address.searchParams.get("code") ?? "";
if (functionKey) {
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
}

class Problem extends Error {
  constructor(body) {
    super(body.title);
    Object.assign(this, body);
  }
}

async function call(method, path, body, headers = {}) {
  const answer = await sent(method, path, body, headers);
  if (answer.type === "opaqueredirect" || answer.status === 401) {
    const detail = functionKey ? "open the page with ?code= and a valid function key"
      : "reload the page to sign in again";
    throw new Problem({ title: "You are not signed in", detail, status: 401 });
  }
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  throw new Problem({
    title: `The service answered ${answer.status}`,
    detail: "try again; if it stays, look into the function app's log",
    ...found,
    status: answer.status,
  });
}

async function sent(method, path, body, more) {
  const headers = { Accept: "application/json", ...more };
  if (functionKey) headers["x-functions-key"] = functionKey;
  if (method !== "GET") headers["X-Rotation-Request"] = "1";
  if (body) headers["Content-Type"] = "application/json";
  try {
    // Signing in is a redirect to another site: a page is sent there, a call is not.
    const options = { method, headers, redirect: "manual" };
    return await fetch(path, body ? { ...options, body: JSON.stringify(body) } : options);
  } catch {
    const detail = "look whether you are online and the function app runs; then try again";
    throw new Problem({ title: "The service cannot be reached", detail, status: 0 });
  }
}

const part = encodeURIComponent;
const api = {
  fleet: () => call("GET", "secrets"),
  account: (slug) => call("GET", `accounts/${part(slug)}`),
  rotation: (id) => call("GET", `rotations/${part(id)}`),
  batch: (name) => call("GET", `rotations?batch=${part(name)}`),
  foresee: (body) => call("POST", "rotations", { ...body, dry_run: true }),
  request: (body, key) => call("POST", "rotations", body, { "Idempotency-Key": key }),
  cancel: (id, reason) => call("DELETE", `rotations/${part(id)}?reason=${part(reason)}`),
  answer: (id, what, body) => call("POST", `rotations/${part(id)}/${what}`, body),
  hold: (row, what, reason) =>
    call("POST", `secrets/${part(row.vaultName)}/${part(row.secret)}/${what}`, { reason }),
};
