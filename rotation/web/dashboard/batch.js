// Previews and follows several rotations in the dialog.

/** Draw until all are over. The page behind is read again whenever the news differ. */
function followMany(dialog, changed, read) {
  const progress = dialog.progress();
  let known;
  return dialog.follow(async () => {
    const { data, news, isOver, draw } = await read();
    refill(progress, data, draw);
    if (known !== news) changed();
    known = news;
    return !isOver;
  });
}

const lineOf = ({ id, account, state, outcome, waitingFor }) => h("li", {}, h("span", { class: `pill ${state}` }, state),
  h("span", { title: id }, `${account.split("/").pop()}: ${outcome ?? waitingFor ?? state}`));

const linesOf = (rotations) => h("ul", { class: "batch", tabindex: 0, "aria-label": "Rotations" }, rotations.map(lineOf));

const closable = () => h("p", {}, "You can close this dialog; the operation continues.");

// The API lists at most 200 rotations of a batch and counts all of them.
function batchOf(rotations, over, total, failed, notSeen) {
  const isUnproven = rotations.some(({ revoked }) => revoked === null || revoked === false);
  return [
    over < total ? closable() : null,
    heldOf(rotations),
    h("p", { class: over === total && !isUnproven ? "verdict good" : "verdict" }, `${over.toLocaleString()} of ${total.toLocaleString()} done`),
    h("progress", { max: total, value: over, "aria-label": "Done" }),
    failed.length ? errorBox(`${failed.length} could not be requested`, failed.map((one) => `${one.account.split("/").pop()}: ${one.error}`).join("; ")) : null,
    notSeen?.length ? errorBox("Some vaults could not be listed", notSeen.join("; ")) : null,
    linesOf(rotations),
  ];
}

/** One line for an account or a secret, with what happens to it; its steps are folded. */
const foldedEffects = (name, found) => h("details", { class: "past" },
  h("summary", {}, name, h("span", { class: "outcome fine" }, summaryOf(found))), effectsOf(found));

const summaryOf = ({ effects, reason }) => (effects.length ? reason : `Nothing yet: ${reason}`);

function effectsOfAll({ accounts, secrets, would }) {
  const one = (found) => foldedEffects(`${found.account.split("/").pop()} ${(found.secrets ?? []).join(", ")}`, found);
  const more = accounts - would.length;
  return [
    h("p", {}, h("strong", {}, `${accounts.toLocaleString()} accounts with ${secrets.toLocaleString()} secrets`), " get new keys."),
    ...would.map(one),
    more > 0 ? h("p", { class: "fine" }, `… and ${more.toLocaleString()} more.`) : null,
  ].filter(Boolean);
}
