// One rotation: how far it is, what it waits for, and what it has done.

const PHASES = { regenerate: "Make", verify: "Test", publish: "Publish", overlap: "Overlap",
  revoke: "Revoke", prove: "Refused", clean: "Tidy" };
const PURPOSES = { rotate: "Rotation", repair: "Repair", emergency: "Emergency", finish: "Finishing" };
const OVER = ["ended", "cancelled"];
const isOver = (rotation) => OVER.includes(rotation.state);
const purposeOf = ({ purpose, leaked }) =>
  PURPOSES[purpose] ?? (leaked && leaked !== "none" ? "Emergency" : "Rotation");

/** For a rotation that is not over: steps, what it waits for, trouble, audit trail. */
function courseOf(rotation) {
  return [
    stepsOf(rotation),
    waitingOf(rotation),
    rotation.trouble ? troubleOf(rotation.trouble) : null,
    askedBy(rotation),
    auditOf(rotation),
  ];
}

function stepsOf(rotation) {
  const phases = Object.keys(PHASES).slice(...(rotation.purpose === "repair" ? [1, 3] : [0]));
  const over = rotation.state === "ended";
  const at = phases.indexOf(rotation.phase);
  const begun = phases.indexOf(/ begins in (\w+)/.exec(rotation.audit?.[0]?.what ?? "")?.[1]);
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

function waitingOf({ state, waitingFor, waitingUntil, outcome }) {
  if (outcome) return h("p", { class: "waiting" }, `${capital(outcome)}.`);
  if (state === "waiting" && !waitingFor) return h("p", { class: "waiting" }, "It begins in a moment.");
  if (!waitingFor) return null;
  const until = waitingUntil ? [" · next look ", timeOf(waitingUntil)] : [];
  return h("p", { class: "waiting" }, capital(waitingFor), ...until);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const troubleOf = (error) => trouble(capital(error.message), capital(error.remedy),
  h("p", { class: "fine" }, `${error.code}, since `, timeOf(error.since)));

function askedBy({ requester, reason, startedAt, requestedAt }) {
  const at = startedAt ?? requestedAt;
  return h("p", { class: "fine" }, at ? [timeOf(at), ", "] : [], `by ${requester}: ${reason}`);
}

function auditOf({ audit }) {
  if (!audit?.length) return null;
  return h("ol", { class: "audit" }, audit.map((entry) =>
    h("li", {}, h("time", { datetime: entry.at, title: moment(entry.at) }, clock(entry.at)),
      h("span", {}, entry.what))));
}

/** A rotation that is over, folded. */
function pastOf(rotation) {
  const took = rotation.endedAt && rotation.startedAt
    ? `took ${length(Date.parse(rotation.endedAt) - Date.parse(rotation.startedAt))}` : "";
  const ended = rotation.endedAt ?? rotation.startedAt;
  return h("details", { class: "past" },
    h("summary", {},
      h("span", { class: `purpose ${rotation.purpose}` }, purposeOf(rotation)),
      h("span", { class: "outcome" }, rotation.outcome ?? rotation.state),
      ended ? h("time", { datetime: ended, title: moment(ended) }, date(ended)) : null),
    askedBy(rotation),
    took ? h("p", { class: "fine" }, `It ${took}. Id ${rotation.id}.`) : null,
    rotation.proof ? h("p", { class: "fine" }, `Proof: ${rotation.proof}.`) : null,
    auditOf(rotation));
}
