// Draws an account's two keys over time: published (solid), replaced but valid (hatched), next step.

const LANE = { Key1: 22, Key2: 56 };
const BAR = 26;
const LEFT = 44;
const HEIGHT = 112;
const SHOWN_SPANS = 8;
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY,
  14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY];

/** Return the spans to draw, the oldest first. Without a record, use the row's publication. */
function spansOf(account, row) {
  const found = Object.entries(account?.slots ?? {})
    .flatMap(([slot, spans]) => spans.map((span) => ({ slot, ...span })))
    .sort((a, b) => Date.parse(a.from) - Date.parse(b.from)).slice(-SHOWN_SPANS);
  if (found.length || !row.publishedAt || !row.slot) return found;
  return [{ slot: row.slot, from: row.publishedAt, until: null, overlapUntil: null }];
}

/**
 * Return the range of the time axis: from the first span to the next step, unless that is too far.
 * Zoom in on a running overlap (near) unless the user asked for the whole history.
 */
function domainOf(spans, next, near) {
  const at = now();
  const first = Date.parse((near ? spans.at(-1) : spans[0]).from);
  const past = Math.max(at - first, MINUTE);
  const ends = [next, ...spans.map((span) => span.overlapUntil)].filter(Boolean).map(Date.parse);
  const reach = near ? Infinity : at + past * 1.6;
  const far = Math.max(at + past * 0.15, ...ends.filter((end) => end <= reach));
  const before = near ? (far - first) * 0.35 : past * 0.03;
  return [first - before, far + (far - first) * 0.05];
}

function timelineOf(account, row, width, whole, rescale) {
  const spans = spansOf(account, row);
  if (!spans.length) return [h("p", { class: "fine" }, "This service has not published a key yet.")];
  const next = account?.next?.at ?? row.nextAt;
  const overlaps = spans.length > 1 && Date.parse(spans.at(-2).overlapUntil) > now();
  const [from, to] = domainOf(spans, next, overlaps && !whole);
  const x = (time) => LEFT + ((Math.min(Math.max(time, from), to) - from) / (to - from)) * (width - LEFT);
  const nextAt = Date.parse(next) > now() && Date.parse(next) <= to ? x(Date.parse(next)) : null;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" },
    hatching(), ticks(from, to, x, width),
    Object.entries(LANE).map(([slot, y]) =>
      svg("text", { class: "lane", x: 0, y: y + BAR / 2 + 4 }, slot)),
    spans.filter((span) => reaches(span) > from).flatMap((span) => spanOf(span, x, to)),
    nextAt && svg("line", { class: "next", x1: nextAt, x2: nextAt, y1: 14, y2: 90 }),
    svg("line", { class: "now", x1: x(now()), x2: x(now()), y1: 14, y2: 90 }),
    svg("text", { class: "now", x: x(now()), y: 10, "text-anchor": "middle" }, "now"));
  const scale = h("button", { type: "button", class: "quiet scale", click: rescale }, whole ? "Zoom in" : "Show all");
  return [picture, legend(spans, next, nextAt, overlaps ? scale : null), h("ul", { class: "unseen" }, spans.map(describe))];
}

const reaches = ({ until, overlapUntil }) =>
  Math.max(until ? Date.parse(until) : Infinity, Date.parse(overlapUntil) || 0);

function spanOf({ slot, from, until, overlapUntil }, x, to) {
  const [begin, end] = [x(Date.parse(from)), x(until ? Date.parse(until) : now())];
  const box = (kind, left, right, title) =>
    svg("rect", { class: `${kind} ${slot.toLowerCase()}`, x: left, y: LANE[slot], rx: 4,
      width: Math.max(right - left, 3), height: BAR }, svg("title", {}, title));
  const solid = box("published", begin, end, describePublication({ slot, from, until }));
  if (!until) return [box("ahead", end, x(to), `${slot} remains published`), solid];
  if (!overlapUntil || Date.parse(overlapUntil) <= Date.parse(until)) return [solid];
  const title = `${slot} remained valid until ${moment(overlapUntil)}`;
  return [box("overlapped", end, x(Date.parse(overlapUntil)), title), solid];
}

const describePublication = ({ slot, from, until }) =>
  `${slot} published from ${moment(from)} ${until ? `to ${moment(until)}` : "until now"}`;
const describe = (span) => h("li", {}, describePublication(span),
  span.overlapUntil && span.until ? `, valid until ${moment(span.overlapUntil)}` : null);

function hatching() {
  return svg("defs", {}, ["key1", "key2"].map((slot) =>
    svg("pattern", { id: `hatch-${slot}`, width: 6, height: 6, patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)" }, svg("line", { class: slot, x1: 1.5, x2: 1.5, y1: 0, y2: 6 }))));
}

/** Draw as many ticks at round times as fit. */
function ticks(from, to, x, width) {
  const room = Math.max(2, Math.floor((width - LEFT) / 84));
  const step = STEPS.find((size) => (to - from) / size <= room) ?? 730 * DAY;
  const zone = timeZone === LOCAL ? new Date(from).getTimezoneOffset() * MINUTE : 0;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const found = [];
  for (let at = first; at < to; at += step) {
    const label = step < DAY ? hours.format(at) : shortDates.format(at);
    const inside = Math.min(Math.max(x(at), LEFT + 18), width - 22);
    found.push(svg("line", { class: "tick", x1: x(at), x2: x(at), y1: 18, y2: 86 }),
      svg("text", { class: "tick", x: inside, y: 104, "text-anchor": "middle" }, label));
  }
  return found;
}

function legend(spans, next, isDrawn, scale) {
  const overlaps = spans.some((span) => span.until && span.overlapUntil);
  return h("figcaption", {},
    h("span", { class: "swatch published" }, "published"),
    overlaps ? h("span", { class: "swatch overlapped" }, "replaced, still valid") : null,
    next && Date.parse(next) > now()
      ? h("span", { class: isDrawn ? "swatch next" : null }, "next step ", timeOf(next))
      : null,
    scale);
}
