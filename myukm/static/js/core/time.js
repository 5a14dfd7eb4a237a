import { ago } from "./format.js";
import { t } from "./i18n.js";

const EVERY_MS = 20_000;

/** Shows each time of the page as its distance from now; its title keeps the exact time. */
export function renderRelativeTimes() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-exact])")) {
    element.textContent = ago(element.dateTime);
  }
}

/** "terlihat 2 menit yang lalu", as nodes of which `startClocks` keeps the time current. */
export function lastSeen(iso) {
  const time = document.createElement("time");
  time.dateTime = iso;
  time.textContent = ago(iso);
  return [t("last_seen"), " ", time];
}

/** Keeps the relative times of the page current. */
export function startClocks() {
  renderRelativeTimes();
  setInterval(renderRelativeTimes, EVERY_MS);
}
