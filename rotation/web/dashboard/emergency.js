// The fields of the emergency dialog, and what it says of the leaked key.

const OVERLAPS = { PT0S: "None: revoke immediately", PT15M: "15 minutes", PT1H: "1 hour", PT4H: "4 hours" };

// While both keys of an account are in use, either may be the one that leaked.
const BOTH_IN_USE = ["publish", "overlap", "revoke"];

const FLAGS = {
  now: ["Do not wait for any secret",
    "A secret that is throttled or unavailable is left behind at once, not after a few minutes. Its consumers fail until the service can write it."],
  force: ["Revoke even if no other key works",
    "If the other key is refused, the leaked key is revoked all the same. All consumers fail until a key is accepted."],
  blind: ["Go on although no secret can be read",
    "Without this, nothing is revoked while the service can read no secret at all, because then no consumer gets a new key."],
};

/** flags: the names of those to offer. */
function leakedFields({ slot, phase }, ...flags) {
  const use = (key) => (slot ? (slot === key ? " (published)" : " (spare)") : "");
  const options = { key1: `Key1${use("Key1")}`, key2: `Key2${use("Key2")}`, unknown: "I do not know: revoke both" };
  const chosen = slot && !BOTH_IN_USE.includes(phase) ? slot.toLowerCase() : "unknown";
  const radio = ([value, text]) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "leaked", value, checked: value === chosen }), text);
  const leaked = h("fieldset", {}, h("legend", {}, "Which key leaked?"), Object.entries(options).map(radio));
  const overlap = h("select", {}, Object.entries(OVERLAPS).map(([value, text]) => h("option", { value }, text)));
  const boxes = flags.map((name) => h("input", { type: "checkbox", name, "aria-describedby": `about-${name}` }));
  const chosenFlags = () => Object.fromEntries(boxes.filter((box) => box.checked).map((box) => [box.name, true]));
  return {
    fields: [leaked, h("label", { class: "field" }, "Grace period after the new key is published", overlap),
      h("details", { class: "flags" }, h("summary", {}, "If something holds it up"), boxes.map(flagOf))],
    values: () => ({ leaked: leaked.querySelector(":checked").value, overlap: overlap.value, ...chosenFlags() }),
  };
}

function flagOf(box) {
  const [label, about] = FLAGS[box.name];
  return h("div", {}, h("label", { class: "choice" }, box, label), h("p", { class: "fine", id: `about-${box.name}` }, about));
}

/** What became of the leaked key. */
function verdictOf(rotation) {
  const { state, outcome, proven, revoked, phase, leaked } = rotation;
  if (isOver(rotation)) announce(`Finished: ${outcome ?? state}`);
  if (state === "ended" && (proven === true || revoked === true)) {
    return h("p", { class: "verdict good" }, "✓ The old key is refused");
  }
  if (rotation.notRevoked) return notRevokedBox(rotation.notRevoked);
  if (isOver(rotation) || !leaked || leaked === "none") return h("p", { class: "verdict" }, capital(outcome ?? state));
  const regenerated = ["prove", "clean"].includes(phase);
  return h("p", { class: "verdict" }, regenerated ? "The leaked key is regenerated. Whether it is refused is being checked."
    : "The leaked key still works");
}

/** What is not revoked, in a batch. */
function heldOf(rotations) {
  const held = rotations.filter((rotation) => rotation.notRevoked);
  const line = ({ account, notRevoked }) =>
    h("li", {}, `${account.split("/").pop()}: ${sentence(notRevoked.reason)} ${sentence(notRevoked.remedy)}`);
  if (!held.length) return null;
  return h("div", { class: "error-box" }, h("strong", {}, `NOT REVOKED: ${held.length.toLocaleString()} of the leaked keys`),
    h("ul", {}, held.map(line)));
}
