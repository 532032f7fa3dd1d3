// The actions that an operator can request.

class Requests {
  constructor(dialog, changed) {
    this.dialog = dialog;
    this.changed = changed;
  }

  rotate(row) {
    this.ask({
      title: `Rotate ${row.secret}`,
      lead: "The spare key is regenerated, verified and published. Both keys work during the overlap.",
      label: "Rotate now",
      preview: (values) => this.preview({ ...named(row), ...values }),
      send: (values, _, key) => api.request({ ...named(row), ...values }, key),
    });
  }

  cancel(rotation) {
    this.ask({
      title: "Cancel the rotation",
      lead: "Cancels the rotation if nothing has changed yet.",
      label: "Cancel the rotation",
      dismiss: "Keep it running",
      send: ({ reason }) => api.cancel(rotation.id, reason),
    });
  }

  answer(rotation, what) {
    this.ask({
      title: what === "resume" ? "Resume the rotation" : "Abandon the rotation",
      lead: reasonOf(rotation),
      label: what === "resume" ? "Resume" : "Abandon",
      danger: what === "abandon",
      preview: async (values) => {
        const { will } = await api.answer(rotation.id, what, { ...values, dry_run: true });
        return { effects: [h("p", {}, sentence(will))] };
      },
      send: (values) => api.answer(rotation.id, what, values),
    });
  }

  hold(row, paused) {
    this.ask({
      title: `${paused ? "Unpause" : "Pause"} ${row.secret}`,
      lead: paused ? "Scheduled rotations resume."
        : "Scheduled rotations stop until you unpause the secret. Repairs and emergencies still run.",
      label: paused ? "Unpause" : "Pause",
      send: ({ reason }) => api.hold(row, paused ? "resume" : "pause", reason),
    });
  }

  emergency(row) {
    const body = named(row);
    this.ask({
      title: `Leaked key: ${row.accountName}`,
      lead: "The leaked key is revoked and the account's secrets are switched to a working key.",
      label: "Revoke now",
      danger: true,
      ...leakedFields(row, "now", "force"),
      preview: (values) => this.preview({ ...body, ...values }),
      send: (values, _, key) => api.request({ ...body, ...values }, key),
      done: (reply, dialog) => this.followOne(reply.id, dialog),
    });
  }

  everything() {
    this.ask({
      title: "All keys have leaked",
      lead: "The keys of all managed accounts are replaced at the same time.",
      label: "Revoke all now",
      danger: true,
      ...leakedFields({}, "now", "force", "blind"),
      preview: async (values) => {
        const found = await api.preview({ all: true, ...values });
        return { effects: effectsOfAll(found), confirm: found.accounts };
      },
      send: (values, { confirm }, key) => api.request({ all: true, ...values, confirm }, key),
      done: (reply, dialog) => this.followAll(reply, dialog),
    });
  }

  ask(plan) {
    const done = (_, dialog) => dialog.close();
    const { send } = plan;
    const sendAndRefresh = async (...given) => {
      const reply = await send(...given);
      this.changed();
      return reply;
    };
    this.dialog.open({ fields: [], values: () => ({}), done, ...plan, send: sendAndRefresh });
  }

  async preview(body) {
    const { would } = await api.preview(body);
    return { effects: would.map(effectsOf) };
  }

  followOne(id, dialog) {
    const progress = dialog.progress();
    return dialog.follow(async () => {
      const rotation = await api.rotation(id);
      refill(progress, rotation, () => [verdictOf(rotation),
        isOver(rotation) ? null : closable(), ...progressOf({ ...rotation, notRevoked: null })]);
      if (isOver(rotation)) this.changed();
      return !isOver(rotation);
    });
  }

  followAll({ batch, failed, notSeen }, dialog) {
    return followMany(dialog, this.changed, async () => {
      const { rotations, states } = await api.batch(batch);
      const total = Object.values(states).reduce((sum, count) => sum + count, 0);
      const over = OVER.reduce((sum, state) => sum + (states[state] ?? 0), 0);
      const held = rotations.filter(({ notRevoked }) => notRevoked).length;
      return { data: [rotations, states], news: `${held} ${over < total}`, isOver: over >= total,
        draw: () => batchOf(rotations, over, total, failed, notSeen) };
    });
  }
}

const reasonOf = ({ trouble, notRevoked }) =>
  sentence(notRevoked?.reason ?? trouble?.message ?? "Waiting for an operator");

const named = ({ vault, secret }) => ({ vault, secret });

function effectsOf({ effects, reason, until }) {
  const waits = until ? [" It can start ", timeOf(until), "."] : [];
  if (effects.length) return h("ol", { class: "effects" }, effects.map((text) => h("li", {}, capital(text))));
  return h("p", {}, `Nothing yet: ${sentence(reason)}`, ...waits);
}
