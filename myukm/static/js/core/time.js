import { ago, moment } from "./format.js";
import { t } from "./i18n.js";

const EVERY_MS = 20_000;

/** Shows each time of the page as its distance from now; its title keeps the exact time. */
export function renderRelativeTimes() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-exact])")) {
    element.textContent = ago(element.dateTime);
  }
}

/** A <time> with the distance of a moment from now, which `startClocks` keeps current. */
export function timeElement(iso) {
  const time = document.createElement("time");
  time.dateTime = iso;
  time.title = moment(iso);
  time.textContent = ago(iso);
  return time;
}

/** "terlihat 2 menit yang lalu", as nodes. */
export function lastSeen(iso) {
  return [t("last_seen"), " ", timeElement(iso)];
}

/** Keeps the relative times of the page current. */
export function startClocks() {
  renderRelativeTimes();
  setInterval(renderRelativeTimes, EVERY_MS);
}
