// Dialog for every change: reason, preview, confirmation, then progress.

const MAX_REASON = 200; // characters

/**
 * plan: title, lead, label (of the submit button), dismiss (label of the other button), danger,
 *   fields: elements to fill in, values(): their values,
 *   preview(values): {effects: elements, confirm: a number to type, or null}; optional,
 *   send(values, preview, key), done(reply, dialog): close the dialog or show the progress.
 */
class Dialog {
  constructor(element) {
    this.element = element;
    element.addEventListener("close", () => this.closed());
  }

  open(plan) {
    this.plan = plan;
    this.key = crypto.randomUUID(); // pressing a button twice must not make two requests
    this.opener = document.activeElement;
    this.reason = h("input", { id: "reason", required: true, maxlength: MAX_REASON, autocomplete: "off" });
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

  /** First page: the reason and the other fields. */
  fill() {
    const { plan } = this;
    const label = plan.preview ? "Preview" : plan.label;
    this.show([h("p", {}, plan.lead), ...plan.fields,
      h("label", { class: "field" }, "Reason (recorded in the audit trail)", this.reason)],
    { label, danger: plan.danger && !plan.preview, act: () => (plan.preview ? this.preview() : this.send()) });
  }

  values() {
    return { ...this.plan.values(), reason: this.reason.value.trim() };
  }

  /** Second page: the preview and the confirmation. */
  async preview() {
    const { plan } = this;
    const preview = await plan.preview(this.values());
    if (this.plan !== plan) return;
    const { confirm } = preview;
    const typed = h("input", { id: "confirm", inputmode: "numeric", autocomplete: "off", required: true,
      pattern: String(confirm), title: `Type ${confirm}` });
    const confirmation = confirm ? h("label", { class: "field" }, `Type ${confirm}, the number of accounts, to confirm.`, typed) : null;
    this.show([h("h3", {}, "What will happen"), ...preview.effects, confirmation],
      { label: plan.label, danger: plan.danger, back: () => this.fill(), act: () => this.send(preview) });
    (confirm ? typed : this.element.querySelector("[data-back]")).focus();
  }

  async send(preview) {
    const { plan } = this;
    const reply = await plan.send(this.values(), preview, this.key);
    if (this.plan === plan) await plan.done(reply, this);
  }

  /** Call step repeatedly until it returns false. */
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
        press(this.plan.dismiss ?? "Cancel", () => this.close()), submit));
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

  /** Last page. Return the element that shows the progress. */
  progress() {
    this.problem = h("div", { role: "alert" });
    const progress = h("div", { class: "progress" });
    const close = h("button", { type: "button", class: "primary", click: () => this.close() }, "Close");
    this.element.replaceChildren(h("div", { class: "form" },
      h("h2", { id: "dialog-title", tabindex: -1 }, this.plan.title),
      progress, this.problem, h("footer", {}, close)));
    $("dialog-title").focus();
    return progress;
  }
}
