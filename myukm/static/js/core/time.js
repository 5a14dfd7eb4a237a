import { ago } from "./format.js";

const EVERY_MS = 20_000;

/** Shows each time of the page as its distance from now; its title keeps the exact time. */
export function renderRelativeTimes() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-exact])")) {
    element.textContent = ago(element.dateTime);
  }
}

/** Keeps the relative times of the page current. */
export function startClocks() {
  renderRelativeTimes();
  setInterval(renderRelativeTimes, EVERY_MS);
}
