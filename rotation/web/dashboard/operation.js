// Shows one operation: its steps, what it waits for, and its audit trail.

const PHASES = { regenerate: "Regenerate", verify: "Verify", publish: "Publish", overlap: "Overlap",
  revoke: "Revoke", prove: "Confirm", clean: "Clean up" };
const PURPOSES = { rotate: "Rotation", repair: "Repair", emergency: "Emergency", finish: "Revocation" };
const OVER = ["ended", "cancelled"];
const isOver = (rotation) => OVER.includes(rotation.state);
const purposeOf = ({ purpose, leaked }) =>
  PURPOSES[purpose] ?? (leaked && leaked !== "none" ? "Emergency" : "Rotation");

/** Show an operation in full. */
function progressOf(rotation) {
  return [
    rotation.notRevoked ? notRevokedBox(rotation.notRevoked) : null,
    stepsOf(rotation),
    waitingOf(rotation),
    rotation.trouble ? errorOf(rotation.trouble) : null,
    requestedBy(rotation),
    auditOf(rotation),
  ];
}

function stepsOf(rotation) {
  const phases = Object.keys(PHASES).slice(...(rotation.purpose === "repair" ? [1, 3] : [0]));
  const over = rotation.state === "ended";
  const at = phases.indexOf(rotation.phase);
  const begun = phases.indexOf(rotation.beganIn);
  const kindOf = (index) => {
    if (index < begun) return "skipped";
    if (over || index < at) return "done";
    return index === at ? "current" : "todo";
  };
  return h("ol", { class: "steps", "aria-label": "Steps" }, phases.map((phase, index) =>
    h("li", { class: `${kindOf(index)} ${rotation.state}`,
      "aria-current": kindOf(index) === "current" ? "step" : null }, PHASES[phase],
    h("span", { class: "unseen" }, `: ${kindOf(index)}`))));
}

function waitingOf({ state, waitingFor, waitingUntil, trouble }) {
  if (state === "blocked" && trouble) return null; // the error box has the same text
  if (state === "waiting" && !waitingFor) return h("p", { class: "waiting" }, "Starting shortly.");
  if (!waitingFor) return null;
  const until = waitingUntil ? [" Next check ", timeOf(waitingUntil), "."] : [];
  return h("p", { class: "waiting" }, sentence(waitingFor), ...until);
}

const notRevokedBox = ({ reason, remedy }) => errorBox(`NOT REVOKED: ${reason}`, sentence(remedy));

const errorOf = (error) => errorBox(sentence(error.message), sentence(error.remedy),
  h("p", { class: "fine" }, `${error.code}, since `, timeOf(error.since)));

function requestedBy({ requester, reason, startedAt, requestedAt }) {
  const at = startedAt ?? requestedAt;
  return h("p", { class: "fine" }, at ? [timeOf(at), ", "] : [], `by ${requester}: ${reason}`);
}

function auditOf({ audit }) {
  if (!audit?.length) return null;
  return h("ol", { class: "audit" }, audit.map((entry) =>
    h("li", {}, h("time", { datetime: entry.at, title: moment(entry.at) }, clock(entry.at)),
      h("span", {}, entry.what))));
}

/** Show an ended operation, collapsed. */
function historyEntry(rotation) {
  const took = rotation.endedAt && rotation.startedAt
    ? `Duration: ${duration(Date.parse(rotation.endedAt) - Date.parse(rotation.startedAt))}. ` : "";
  const ended = rotation.endedAt ?? rotation.startedAt;
  return h("details", { class: "past" },
    h("summary", {},
      h("span", { class: `purpose ${rotation.purpose}` }, purposeOf(rotation)),
      h("span", { class: "outcome" }, capital(rotation.outcome ?? rotation.state)),
      ended ? h("time", { datetime: ended, title: moment(ended) }, date(ended)) : null),
    requestedBy(rotation),
    h("p", { class: "fine" }, `${took}Id: ${rotation.id}`),
    rotation.proof ? h("p", { class: "fine" }, `Proof: ${sentence(rotation.proof)}`) : null,
    auditOf(rotation));
}
