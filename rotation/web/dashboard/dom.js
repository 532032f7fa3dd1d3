// Elements are made here and nowhere else; text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** h("p", {class: "why", click: …}, "text", child, …); what is null is left out. */
function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

const drawn = new WeakMap();

/** Fill an element anew only if what it shows has changed; the focus stays where it was. */
function refill(element, data, build) {
  const text = JSON.stringify(data ?? null);
  if (drawn.get(element) === text) return;
  drawn.set(element, text);
  const focused = element.contains(document.activeElement) ? document.activeElement.textContent : null;
  element.replaceChildren(...[build(data)].flat().filter((child) => child != null));
  const again = [...element.querySelectorAll("button, summary")].find((one) => one.textContent === focused);
  again?.focus();
}

/** Say something to those who do not see the page change. */
function say(text) {
  $("spoken").textContent = text;
}

const stateBadge = (state) => h("span", { class: `state ${toneOf(state)}` }, state);
const slotBadge = (slot) => h("span", { class: `slot ${slot.toLowerCase()}` }, slot);

/** What went wrong, and what to do: an API's problem, or an account's trouble. */
function trouble(title, detail, more) {
  return h("div", { class: "trouble" }, h("strong", {}, title), h("p", {}, detail), more);
}

function problemBox(problem) {
  const found = problem.rotation?.id;
  const more = found ? h("p", { class: "fine" }, `It is rotation ${found}.`) : null;
  return trouble(problem.title ?? "Something unexpected", problem.detail ?? String(problem), more);
}
