// Requests for several selected secrets. Each is sent on its own, and a failure stops no other.

class Several {
  constructor(requests) {
    this.requests = requests;
  }

  rotate(rows) {
    const chosen = perAccount(rows);
    this.ask({
      title: `Rotate ${count(chosen, "account")}`,
      lead: "Each spare key is regenerated, verified and published. Both keys work during the overlap.",
      label: "Rotate now",
      preview: async (values) => ({ effects: previewOf(await each(chosen, (row) => api.preview({ ...named(row), ...values }))) }),
      send: (values, _, key) => each(chosen, (row, index) => api.request({ ...named(row), ...values }, `${key}-${index}`)),
      done: (done, dialog) => this.follow(done, dialog),
    });
  }

  pause(rows) {
    this.hold(rows, "Pause", "Scheduled rotations stop until you unpause the secrets. Repairs and emergencies still run.");
  }

  unpause(rows) {
    this.hold(rows, "Unpause", "Scheduled rotations resume.");
  }

  hold(rows, label, lead) {
    const what = label === "Pause" ? "pause" : "resume";
    this.ask({
      title: `${label} ${count(rows, "secret")}`,
      lead,
      label,
      send: ({ reason }) => each(rows, (row) => api.hold(row, what, reason)),
    });
  }

  ask(plan) {
    this.requests.ask({ done: (done, dialog) => dialog.progress().replaceChildren(...outcomeOf(done)), ...plan });
  }

  /** Show what became of the requests, and what the accepted ones do or wait for. */
  follow(done, dialog) {
    const ids = done.map(({ reply }) => reply?.id);
    return followMany(dialog, this.requests.changed, async () => {
      const rotations = (await api.rotations()).rotations.filter(({ id }) => ids.includes(id));
      const isOver = rotations.every((one) => OVER.includes(one.state));
      return { data: rotations, news: JSON.stringify(rotations.map(({ state, phase }) => [state, phase])), isOver,
        draw: () => [...outcomeOf(done), isOver ? null : closable(), linesOf(rotations)] };
    });
  }
}

/** Send one request after the other. Return {row, reply} or {row, problem} of each. */
async function each(rows, send) {
  const done = [];
  for (const [index, row] of rows.entries()) {
    done.push(await send(row, index).then((reply) => ({ row, reply }), (problem) => ({ row, problem })));
  }
  return done;
}

/** A rotation is of an account, so one secret of each account is enough. */
const perAccount = (rows) => [...new Map(rows.map((row) => [row.account.toLowerCase(), row])).values()];

const count = (rows, what) => `${rows.length.toLocaleString()} ${what}${rows.length === 1 ? "" : "s"}`;

const refusal = ({ row, problem }) =>
  errorBox(row.id, sentence(problem.detail || problem.title || String(problem)));

function previewOf(done) {
  return done.flatMap((one) => (one.problem ? refusal(one) : one.reply.would.map((found) => foldedEffects(one.row.id, found))));
}

function outcomeOf(done) {
  const failed = done.filter(({ problem }) => problem);
  return [
    h("p", { class: failed.length ? "verdict" : "verdict good" },
      `${(done.length - failed.length).toLocaleString()} of ${done.length.toLocaleString()} accepted`),
    ...failed.map(refusal),
  ];
}
