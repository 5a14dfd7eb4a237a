// Numbers, times and durations in the language of the page and the time zone of the campus.

import { now } from "./clock.js";
import { t } from "./i18n.js";

const locale = () => (document.documentElement.lang === "en" ? "en-GB" : "id-ID");
const campusTime = () => ({ timeZone: document.documentElement.dataset.timezone });

/** A function that formats with the formatter of `make()`, which is made once, at first use. */
function once(make) {
  let formatter = null;
  return (value) => {
    formatter ??= make();
    return formatter.format(value);
  };
}

function numbers(options) {
  return once(() => new Intl.NumberFormat(locale(), options));
}

function times(options) {
  const format = once(() => new Intl.DateTimeFormat(locale(), { ...campusTime(), ...options }));
  return (iso) => format(new Date(iso));
}

const tenths = numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredths = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dateAndTime = times({ dateStyle: "medium", timeStyle: "short" });
const sortableDay = once(
  () => new Intl.DateTimeFormat("en-CA", { ...campusTime(), dateStyle: "short" }),
);

export const number = numbers({ maximumFractionDigits: 0 });
export const decimal = (value) => (value < 10 ? tenths(value) : number(value));
export const percent = (value) => `${value >= 100 ? number(value) : hundredths(value)}%`;
export const clock = times({ hour: "2-digit", minute: "2-digit" });
export const clockSeconds = times({ timeStyle: "medium" });
export const moment = times({ dateStyle: "full", timeStyle: "medium" });
export const day = times({ weekday: "long", day: "numeric", month: "long" });
export const dayOf = (iso) => sortableDay(new Date(iso));

/** A moment's time, with its date unless that is today. */
export const when = (iso) => (dayOf(iso) === dayOf(now()) ? clock(iso) : dateAndTime(iso));

const UNITS = [
  [60, "seconds_left", 1, number],
  [5400, "minutes_left", 60, number],
  [Infinity, "hours_left", 3600, decimal],
];

/** The remaining time in words, between two estimates in seconds: "sekitar 2–3 menit lagi". */
export function left([least, most]) {
  const [, unit, size, format] = UNITS.find(([limit]) => most < limit);
  const ends = [least, most].map((end) => format(Math.max(1, end / size)));
  const n = ends[0] === ends[1] ? ends[0] : ends.join("–");
  return t(unit, { n });
}

const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86400, "hour", 3600],
  [604800, "day", 86400],
];

/** How far away a moment is ("2 menit yang lalu"); the date itself when it is over a week. */
export function ago(iso) {
  const seconds = (new Date(iso) - now()) / 1000;
  const step = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  if (!step) return dateAndTime(iso);
  const [, unit, size] = step;
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  return relative.format(Math.trunc(seconds / size), unit);
}

const SPANS = [
  [1, "millisecond", 0.001],
  [90, "second", 1],
  [5400, "minute", 60],
  [Infinity, "hour", 3600],
];

function inUnits(seconds, unitDisplay, digits) {
  const [, unit, size] = SPANS.find(([limit]) => seconds < limit);
  const value = seconds / size;
  const options = { style: "unit", unit, unitDisplay, maximumFractionDigits: digits(value) };
  return new Intl.NumberFormat(locale(), options).format(value);
}

/** A duration in the unit that reads best ("13 md", "12 dtk", "3 mnt"); `seconds` ≥ 0. */
export const span = (seconds) => inUnits(seconds, "short", (value) => (value < 10 ? 1 : 0));

/** A duration in words ("12 detik", "3 menit"); `seconds` ≥ 0. */
export const duration = (seconds) => inUnits(Math.max(1, Math.floor(seconds)), "long", () => 0);
