// Creates elements. Text is always inserted as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** h("p", {class: "why", click: …}, "text", child, …). Null attributes and children are skipped. */
function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

let rendered = new WeakMap();

/** Make the next refill of every element build it again. */
function forget() {
  rendered = new WeakMap();
}

/** Rebuild an element's children if its data has changed; keep the focus. */
function refill(element, data, build) {
  const text = JSON.stringify(data ?? null);
  if (rendered.get(element) === text) return;
  rendered.set(element, text);
  const focused = element.contains(document.activeElement) ? document.activeElement.textContent : null;
  element.replaceChildren(...[build(data)].flat().filter((child) => child != null));
  const again = [...element.querySelectorAll("button, summary")].find((one) => one.textContent === focused);
  again?.focus();
}

/** Announce a change to screen readers. */
function announce(text) {
  $("announcement").textContent = text;
}

/** Capitalise the first letter, unless the first word looks like the name of a resource. */
const capital = (text) => text.replace(/^[a-z]+(?![\w:-])/, (word) => word[0].toUpperCase() + word.slice(1));
/** Messages of the API may lack the capital letter and the full stop. */
const sentence = (text) => capital(text) + (/[.!?…]$/.test(text) ? "" : ".");

const stateBadge = (state) => h("span", { class: `state ${toneOf(state)}` }, state);
const slotBadge = (slot) => h("span", { class: `slot ${slot.toLowerCase()}` }, slot);

/** A box with an error and its remedy. */
function errorBox(title, detail, more) {
  return h("div", { class: "error-box" }, h("strong", {}, title), h("p", {}, detail), more);
}

function problemBox(problem) {
  const { rotation } = problem;
  const more = rotation ? h("p", { class: "fine" }, `Running rotation: ${rotation.id}`) : null;
  return errorBox(sentence(problem.title ?? "Unexpected error"), sentence(problem.detail ?? String(problem)), more);
}
