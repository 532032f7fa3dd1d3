// What can be asked for, in the words of whoever asks.

const OVERLAPS = { PT0S: "not at all: it dies as soon as possible", PT15M: "15 minutes", PT1H: "1 hour", PT4H: "4 hours" };

class Requests {
  constructor(dialog, changed) {
    this.dialog = dialog;
    this.changed = changed;
  }

  rotate(row) {
    this.ask({
      title: `Rotate ${row.secret}`,
      lead: "The spare key is made new, proven and published. Then both keys work for the overlap.",
      label: "Rotate now",
      foresee: (values) => this.foreseen({ ...named(row), ...values }),
      send: (values, _, key) => api.request({ ...named(row), ...values }, key),
    });
  }

  cancel(rotation) {
    this.ask({
      title: "Cancel the rotation",
      lead: "It ends here if nothing has been changed yet. Otherwise you are told that it is too late.",
      label: "Cancel the rotation",
      send: ({ reason }) => api.cancel(rotation.id, reason),
    });
  }

  answer(rotation, what) {
    this.ask({
      title: what === "resume" ? "Resume the rotation" : "Abandon the rotation",
      lead: rotation.trouble ? `${capital(rotation.trouble.message)}.` : "It waits for a person.",
      label: what === "resume" ? "Resume" : "Abandon",
      danger: what === "abandon",
      foresee: async (values) => {
        const { will } = await api.answer(rotation.id, what, { ...values, dry_run: true });
        return { effects: [h("p", {}, `${capital(will)}.`)] };
      },
      send: (values) => api.answer(rotation.id, what, values),
    });
  }

  hold(row, paused) {
    this.ask({
      title: `${paused ? "Unpause" : "Pause"} ${row.secret}`,
      lead: paused ? "It is rotated again when it is due."
        : "Scheduled rotations are held back until you unpause it. Repairs and emergencies go on.",
      label: paused ? "Unpause" : "Pause",
      send: ({ reason }) => api.hold(row, paused ? "resume" : "pause", reason),
    });
  }

  emergency(row) {
    const body = named(row);
    this.ask({
      title: `A key of ${row.accountName} has leaked`,
      lead: "The leaked key is made to die, and all of the account's secrets get one that works.",
      label: "Revoke it now",
      danger: true,
      ...leakedFields(row.slot),
      foresee: (values) => this.foreseen({ ...body, ...values }),
      send: (values, _, key) => api.request({ ...body, ...values }, key),
      done: (answer, dialog) => this.followOne(answer.id, dialog),
    });
  }

  everything() {
    this.ask({
      title: "Everything has leaked",
      lead: "Every managed account gets new keys, all at once.",
      label: "Revoke them all now",
      danger: true,
      ...leakedFields(null),
      foresee: async (values) => {
        const found = await api.foresee({ all: true, ...values });
        return { effects: effectsOfAll(found), confirm: found.accounts };
      },
      send: (values, { confirm }, key) => api.request({ all: true, ...values, confirm }, key),
      done: (answer, dialog) => this.followAll(answer, dialog),
    });
  }

  ask(plan) {
    const done = (_, dialog) => dialog.close();
    const { send } = plan;
    const told = async (...given) => {
      const answer = await send(...given);
      this.changed();
      return answer;
    };
    this.dialog.open({ fields: [], values: () => ({}), done, ...plan, send: told });
  }

  async foreseen(body) {
    const { would } = await api.foresee(body);
    return { effects: would.map(effectsOf) };
  }

  followOne(id, dialog) {
    const course = dialog.progress();
    return dialog.follow(async () => {
      const rotation = await api.rotation(id);
      refill(course, rotation, () => [isOver(rotation) ? finished(rotation) : goesOn(), ...courseOf(rotation)]);
      if (isOver(rotation)) this.changed();
      return !isOver(rotation);
    });
  }

  followAll({ batch, failed }, dialog) {
    const course = dialog.progress();
    return dialog.follow(async () => {
      const { rotations, states } = await api.batch(batch);
      const total = Object.values(states).reduce((sum, count) => sum + count, 0);
      const over = OVER.reduce((sum, state) => sum + (states[state] ?? 0), 0);
      refill(course, [rotations, states], () => [over < total ? goesOn() : null, ...batchOf(rotations, over, total, failed)]);
      return over < total;
    });
  }
}

const named = ({ vault, secret }) => ({ vault, secret });

function leakedFields(slot) {
  const use = (key) => (slot ? (slot === key ? ", which is published now" : ", the spare") : "");
  const options = { key1: `Key1${use("Key1")}`, key2: `Key2${use("Key2")}`, unknown: "I do not know: make both new" };
  const chosen = slot?.toLowerCase() ?? "unknown";
  const radio = ([value, text]) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "leaked", value, checked: value === chosen }), text);
  const leaked = h("fieldset", {}, h("legend", {}, "Which key has leaked?"), Object.entries(options).map(radio));
  const overlap = h("select", {}, Object.entries(OVERLAPS).map(([value, text]) => h("option", { value }, text)));
  return {
    fields: [leaked, h("label", { class: "field" }, "How long may it still work, once the new one is published?", overlap)],
    values: () => ({ leaked: leaked.querySelector(":checked").value, overlap: overlap.value }),
  };
}

function effectsOf({ effects, reason, until }) {
  const waits = until ? [" It can begin ", timeOf(until), "."] : [];
  if (effects.length) return h("ol", { class: "effects" }, effects.map((text) => h("li", {}, capital(text))));
  return h("p", {}, `Nothing for now: ${reason}.`, ...waits);
}

function effectsOfAll({ accounts, secrets, would }) {
  const one = (found) => h("details", { class: "past" },
    h("summary", {}, found.account.split("/").pop(), " ", (found.secrets ?? []).join(", ")), effectsOf(found));
  const more = accounts - would.length;
  return [
    h("p", {}, h("strong", {}, `${accounts.toLocaleString()} accounts with ${secrets.toLocaleString()} secrets`), " get new keys."),
    ...would.map(one),
    more > 0 ? h("p", { class: "fine" }, `… and ${more.toLocaleString()} more.`) : null,
  ].filter(Boolean);
}

function finished({ state, outcome }) {
  const good = state === "ended" && outcome === "the old key is refused";
  say(`It is over: ${outcome ?? state}`);
  return h("p", { class: good ? "verdict good" : "verdict" },
    good ? "✓ The old key is refused" : capital(outcome ?? state));
}

/** The service lists the newest 200 of a batch; the table shows all. */
const goesOn = () => h("p", {}, "You may close this; it goes on.");

// The API names 200 rotations at most, and counts them all.
function batchOf(rotations, over, total, failed) {
  const line = ({ id, account, state, outcome, waitingFor }) => h("li", {}, h("span", { class: `pill ${state}` }, state),
    h("span", { title: id }, `${account.split("/").pop()}: ${outcome ?? waitingFor ?? state}`));
  return [
    h("p", { class: over === total ? "verdict good" : "verdict" }, `${over.toLocaleString()} of ${total.toLocaleString()} done`),
    h("progress", { max: total, value: over, "aria-label": "Done" }),
    failed.length ? trouble(`${failed.length} could not be asked for`, failed.map((one) => `${one.account.split("/").pop()}: ${one.error}`).join("; ")) : null,
    h("ul", { class: "batch" }, rotations.map(line)),
  ];
}
