// Every change is asked for here: why, then what will happen, then yes; an emergency is followed.

const REASON = 200; // characters

/**
 * plan: title, lead, label (of the last button), danger,
 *   fields: elements to fill in, values(): what they say,
 *   foresee(values): {effects: elements, confirm: a number to type or null}; absent where lead tells all,
 *   send(values, foreseen, key), done(answer, show): what to do then; show(elements) goes on in the dialog.
 */
class Dialog {
  constructor(element) {
    this.element = element;
    element.addEventListener("close", () => this.closed());
  }

  open(plan) {
    this.plan = plan;
    this.key = crypto.randomUUID(); // however often a button is pressed, it is one request
    this.opener = document.activeElement;
    this.reason = h("input", { id: "reason", required: true, maxlength: REASON, autocomplete: "off" });
    this.fill();
    this.element.showModal();
    (plan.fields[0]?.querySelector("input:checked") ?? this.reason).focus();
  }

  close() {
    this.element.close();
  }

  closed() {
    clearTimeout(this.timer);
    this.plan = null;
    this.element.replaceChildren();
    if (this.opener?.isConnected) this.opener.focus();
  }

  /** First: why, and what else is to be known. */
  fill() {
    const { plan } = this;
    const last = plan.foresee ? "Show what will happen" : plan.label;
    this.show([h("p", {}, plan.lead), ...plan.fields,
      h("label", { class: "field" }, "Why? It goes into the audit trail.", this.reason)],
    { label: last, danger: plan.danger && !plan.foresee, act: () => (plan.foresee ? this.foresee() : this.send()) });
  }

  values() {
    return { ...this.plan.values(), reason: this.reason.value.trim() };
  }

  /** Second: what will happen, and a last question. */
  async foresee() {
    const { plan } = this;
    const foreseen = await plan.foresee(this.values());
    if (this.plan !== plan) return;
    const { confirm } = foreseen;
    const typed = h("input", { id: "confirm", inputmode: "numeric", autocomplete: "off", required: true,
      pattern: String(confirm), title: `Type ${confirm}` });
    const sure = confirm ? h("label", { class: "field" }, `Type ${confirm}, the number of accounts, to confirm.`, typed) : null;
    this.show([h("h3", {}, "This will happen"), ...foreseen.effects, sure],
      { label: plan.label, danger: plan.danger, back: () => this.fill(), act: () => this.send(foreseen) });
    (confirm ? typed : this.element.querySelector("[data-back]")).focus();
  }

  async send(foreseen) {
    const { plan } = this;
    const answer = await plan.send(this.values(), foreseen, this.key);
    if (this.plan === plan) await plan.done(answer, this);
  }

  /** Third: call again and again, until it gives nothing more to wait for. */
  async follow(step) {
    const { plan } = this;
    const more = await step().catch((problem) => (this.wrong(problem), true));
    if (more && this.plan === plan) this.timer = setTimeout(() => this.follow(step), POLL);
  }

  show(children, { label, danger, act, back }) {
    this.problem = h("div", { role: "alert" });
    const press = (text, click, more = {}) => h("button", { type: "button", click, ...more }, text);
    const submit = h("button", { class: danger ? "danger solid" : "primary" }, label);
    const form = h("form", { submit: (event) => this.submitted(event, submit, act) },
      h("h2", { id: "dialog-title" }, this.plan.title), children.filter(Boolean), this.problem,
      h("footer", {}, back ? press("Back", back, { "data-back": true }) : null,
        press("Never mind", () => this.close()), submit));
    this.element.replaceChildren(form);
  }

  async submitted(event, button, act) {
    event.preventDefault();
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      this.wrong(problem);
    }
    button.disabled = false;
  }

  wrong(problem) {
    this.problem.replaceChildren(problemBox(problem));
  }

  /** The last page: children that change while it goes on. */
  progress() {
    this.problem = h("div", { role: "alert" });
    const course = h("div", { class: "course" });
    const close = h("button", { type: "button", class: "primary", click: () => this.close() }, "Close");
    this.element.replaceChildren(h("div", { class: "form" },
      h("h2", { id: "dialog-title", tabindex: -1 }, this.plan.title),
      course, this.problem, h("footer", {}, close)));
    $("dialog-title").focus();
    return course;
  }
}
