import { ago } from "./format.js";

const EVERY_MS = 20_000;

/** Writes each time of the page as its distance from now; the exact one stands in its title. */
export function renderRelativeTimes() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-exact])")) {
    element.textContent = ago(element.dateTime);
  }
}

export function startClocks() {
  renderRelativeTimes();
  setInterval(renderRelativeTimes, EVERY_MS);
}
