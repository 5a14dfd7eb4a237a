import { now } from "./clock.js";
import { t } from "./i18n.js";

const { lang, dataset } = document.documentElement;
const locale = lang === "en" ? "en-GB" : "id-ID";
const timeZone = dataset.timezone;

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat(locale, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const clockTime = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit" });
const exactTime = new Intl.DateTimeFormat(locale, { timeZone, timeStyle: "medium" });
const fullTime = new Intl.DateTimeFormat(locale, {
  timeZone,
  dateStyle: "full",
  timeStyle: "medium",
});
const mediumTime = new Intl.DateTimeFormat(locale, {
  timeZone,
  dateStyle: "medium",
  timeStyle: "short",
});
const dayName = new Intl.DateTimeFormat(locale, {
  timeZone,
  weekday: "long",
  day: "numeric",
  month: "long",
});
const dayKey = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

export const number = (value) => whole.format(value);
export const decimal = (value) => (value < 10 ? tenth.format(value) : whole.format(value));
export const percent = (value) =>
  `${value >= 100 ? whole.format(value) : hundredth.format(value)}%`;
export const clock = (iso) => clockTime.format(new Date(iso));
export const clockSeconds = (iso) => exactTime.format(new Date(iso));
export const moment = (iso) => fullTime.format(new Date(iso));
export const day = (iso) => dayName.format(new Date(iso));
export const dayOf = (iso) => dayKey.format(new Date(iso));

const UNITS = [
  [60, "seconds_left", 1, number],
  [5400, "minutes_left", 60, number],
  [Infinity, "hours_left", 3600, decimal],
];

/** A moment's time, with its date unless that is today. */
export const when = (iso) =>
  dayOf(iso) === dayOf(now()) ? clock(iso) : mediumTime.format(new Date(iso));

/** How long something still takes, in words: so many seconds at least and at most. */
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
  if (!step) return mediumTime.format(new Date(iso));
  return relative.format(Math.trunc(seconds / step[2]), step[1]);
}

const SPANS = [
  [1, "millisecond", 0.001],
  [90, "second", 1],
  [5400, "minute", 60],
  [Infinity, "hour", 3600],
];

/** A span of time in the unit that reads best ("13 md", "12 dtk", "3 mnt"); `seconds` ≥ 0. */
export function span(seconds) {
  const [, unit, size] = SPANS.find(([limit]) => seconds < limit);
  const value = seconds / size;
  const options = {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: value < 10 ? 1 : 0,
  };
  return new Intl.NumberFormat(locale, options).format(value);
}
