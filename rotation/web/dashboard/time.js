// Formats times. Relative times use the service's clock, because this computer's may be wrong.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

let timeZone, dates, shortDates, hours, times, moments;

/** Show all times of day in a zone. */
function setZone(zone) {
  const format = (options) => new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
  timeZone = zone;
  dates = format({ dateStyle: "medium" });
  shortDates = format({ day: "numeric", month: "short" });
  hours = format({ hour: "2-digit", minute: "2-digit" });
  times = format({ timeStyle: "medium" });
  moments = format({ dateStyle: "medium", timeStyle: "medium" });
}

setZone(LOCAL);

let ahead = 0; // ms that the service's clock is ahead of this computer's

function setClock(at) {
  ahead = Date.parse(at) - Date.now();
}

const now = () => Date.now() + ahead;
const date = (iso) => dates.format(new Date(iso));
const moment = (iso) => `${moments.format(new Date(iso))} ${timeZone}`;

/** Format a duration in its largest unit: "3 min". */
function duration(ms) {
  const size = Math.abs(ms);
  if (size < MINUTE) return `${Math.round(size / 1000)} s`;
  if (size < HOUR) return `${Math.round(size / MINUTE)} min`;
  if (size < 2 * DAY) return `${Math.round(size / HOUR)} h`;
  return days(size / DAY);
}

function days(number) {
  const whole = Math.round(number);
  return `${whole.toLocaleString()} ${whole === 1 ? "day" : "days"}`;
}

/** Format a time relative to now: "in 3 h", "5 min ago". */
function when(iso) {
  const left = Date.parse(iso) - now();
  if (Math.abs(left) < 1000) return "now";
  return left > 0 ? `in ${duration(left)}` : `${duration(left)} ago`;
}

/** A relative time that stays up to date (or a fixed text), with the exact time as its tooltip. */
function timeOf(iso, text) {
  const kind = text === undefined ? "relative" : null;
  return h("time", { datetime: iso, title: moment(iso), class: kind }, text ?? when(iso));
}

setInterval(() => {
  for (const element of document.querySelectorAll("time.relative")) {
    const text = when(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);

/** Format the time of day, with the date unless it is within 24 hours. */
function clock(iso) {
  const at = new Date(iso);
  return Math.abs(now() - at) < DAY ? times.format(at) : `${shortDates.format(at)} ${hours.format(at)}`;
}
