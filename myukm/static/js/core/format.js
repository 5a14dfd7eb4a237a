// Numbers, times and durations in the language of the page and the time zone of the campus.

import { now } from "./clock.js";
import { t } from "./i18n.js";

const locale = () => (document.documentElement.lang === "en" ? "en-GB" : "id-ID");
const campusTime = () => ({ timeZone: document.documentElement.dataset.timezone });

/** A function that calls `make` once and always returns its result, because a formatter takes
 * milliseconds to make. */
function lazy(make) {
  let made = null;
  return () => {
    made ??= make();
    return made;
  };
}

function numbers(options) {
  const formatter = lazy(() => new Intl.NumberFormat(locale(), options));
  return (value) => formatter().format(value);
}

function dates(language, options) {
  const formatter = lazy(
    () => new Intl.DateTimeFormat(language(), { ...campusTime(), ...options }),
  );
  return (iso) => formatter().format(new Date(iso));
}

const times = (options) => dates(locale, options);
const tenths = numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
const upToTenths = numbers({ maximumFractionDigits: 1 });
const hundredths = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dateAndTime = times({ dateStyle: "medium", timeStyle: "short" });

export const number = numbers({ maximumFractionDigits: 0 });
export const decimal = (value) => (value < 10 ? tenths(value) : number(value));
export const percent = (value) => `${value >= 100 ? number(value) : hundredths(value)}%`;
export const clock = times({ hour: "2-digit", minute: "2-digit" });
export const clockSeconds = times({ timeStyle: "medium" });
export const moment = times({ dateStyle: "full", timeStyle: "medium" });
export const dayOf = dates(() => "en-CA", { dateStyle: "short" });

const DAY = { weekday: "long", day: "numeric", month: "long" };
const dayOfThisYear = times(DAY);
const dayOfAnotherYear = times({ ...DAY, year: "numeric" });

/** The day of a moment, with its year unless it is this one. */
export const day = (iso) =>
  (dayOf(iso).slice(0, 4) === dayOf(now()).slice(0, 4) ? dayOfThisYear : dayOfAnotherYear)(iso);

const SIZES = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

/** A number of bytes in the unit that reads best: "1,4 MB", "320 kB". */
export function size(bytes) {
  const [unit, name] = SIZES.find(([least]) => bytes >= least) ?? [1, "B"];
  const value = bytes / unit;
  return `${(value < 10 ? upToTenths : number)(value)} ${name}`;
}

/** A moment's time, with its date unless that is today. */
export const when = (iso) => (dayOf(iso) === dayOf(now()) ? clock(iso) : dateAndTime(iso));

// Each with its limit and size in seconds, and its least number.
const UNITS = [
  [60, "seconds_left", 1, number, 1],
  [5400, "minutes_left", 60, number, 1],
  [Infinity, "hours_left", 3600, decimal, 0.1],
];

/** The remaining time in words, between two estimates in seconds: "sekitar 2–3 menit lagi". */
export function left([least, most]) {
  const [, unit, size, format, minimum] = UNITS.find(([limit]) => most < limit);
  const ends = [least, most].map((end) => format(Math.max(minimum, end / size)));
  const n = ends[0] === ends[1] ? ends[0] : ends.join("–");
  return t(unit, { n });
}

const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86400, "hour", 3600],
  [604800, "day", 86400],
];

const relative = lazy(() => new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }));

/** How far away a moment is ("2 menit yang lalu"); the date itself when it is over a week. */
export function ago(iso) {
  const seconds = (new Date(iso) - now()) / 1000;
  const step = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  if (!step) return dateAndTime(iso);
  const [, unit, size] = step;
  return relative().format(unit === "day" ? daysUntil(iso) : Math.trunc(seconds / size), unit);
}

/** The days of the calendar until a moment, because 47 hours ago may be the day before yesterday. */
function daysUntil(iso) {
  return Math.round((Date.parse(dayOf(iso)) - Date.parse(dayOf(now()))) / 86_400_000);
}

const SPANS = [
  [1, "millisecond", 0.001],
  [90, "second", 1],
  [5400, "minute", 60],
  [Infinity, "hour", 3600],
];

const inUnit = new Map();

function inUnits(seconds, unitDisplay, digits) {
  const [, unit, size] = SPANS.find(([limit]) => seconds < limit);
  const value = seconds / size;
  const options = { style: "unit", unit, unitDisplay, maximumFractionDigits: digits(value) };
  const key = JSON.stringify(options);
  if (!inUnit.has(key)) inUnit.set(key, numbers(options));
  return inUnit.get(key)(value);
}

/** A duration in the unit that reads best ("13 md", "12 dtk", "3 mnt"); `seconds` ≥ 0. */
export const span = (seconds) => inUnits(seconds, "short", (value) => (value < 10 ? 1 : 0));

/** A duration in words ("12 detik", "3 menit"); `seconds` ≥ 0. */
export const duration = (seconds) => inUnits(Math.max(1, Math.floor(seconds)), "long", () => 0);
