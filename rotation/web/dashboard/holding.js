// The hold of all scheduled work: what it says above the table, and the dialogs that place and end it.

const LONGEST_HOLD = 14 * DAY;

class Holding {
  constructor(element, { requests, may }) {
    Object.assign(this, { element, requests, may });
  }

  /** Show the hold in force, or the button that places one. */
  update(hold) {
    const mayChange = this.may("Operate");
    this.element.hidden = !hold && !mayChange;
    const press = (label, click) => h("button", { type: "button", click }, label);
    refill(this.element, [hold, mayChange], () => [
      hold ? h("p", {}, "The hold ends ", timeOf(hold.until), ` (${moment(hold.until)}).`) : null,
      mayChange ? press(hold ? "Change the hold…" : "Hold scheduled work…", () => this.place(hold)) : null,
      mayChange && hold ? press("End the hold…", () => this.end()) : null,
    ]);
  }

  place(hold) {
    const until = untilField(hold?.until ?? new Date(now() + DAY));
    this.requests.ask({
      title: hold ? "Change the hold" : "Hold scheduled work",
      lead: "No rotation of any secret begins, and no old key is revoked, until the hold ends. Repairs and emergencies go on.",
      label: "Hold now",
      fields: [h("label", { class: "field" }, `Until (${timeZone})`, until)],
      values: () => ({ until: instantOf(until.value) }),
      preview: async (values) => ({ effects: [holdEffects(await api.holdAll({ ...values, dry_run: true }))] }),
      send: (values) => api.holdAll(values),
    });
  }

  end() {
    this.requests.ask({
      title: "End the hold",
      lead: "Scheduled work goes on with the next sweep.",
      label: "End the hold",
      dismiss: "Keep the hold",
      send: ({ reason }) => api.holdAll({ off: true, reason }),
    });
  }
}

/** An input for a time in the zone that the page shows. */
function untilField(at) {
  return h("input", { type: "datetime-local", required: true, min: fieldValue(now()), max: fieldValue(now() + LONGEST_HOLD),
    value: fieldValue(at) });
}

/** Format a time as the value of a datetime-local input, to the minute. */
function fieldValue(at) {
  const date = new Date(at);
  const shifted = timeZone === "UTC" ? date : new Date(date - date.getTimezoneOffset() * MINUTE);
  return shifted.toISOString().slice(0, 16);
}

const instantOf = (value) => new Date(timeZone === "UTC" ? `${value}Z` : value).toISOString();

const holdEffects = ({ until }) => h("ul", { class: "reasons" }, [
  ["Until ", moment(until), ", no rotation begins and no old key is revoked. A rotation that is publishing finishes."],
  ["Repairs and emergencies go on."],
  ["An account goes on earlier, after 7 days of being held, or if a secret would expire or its key become too old."],
].map((text) => h("li", {}, text)));
