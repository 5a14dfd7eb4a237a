import { ago } from "./format.js";

function refresh() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    element.textContent = ago(element.dateTime);
  }
}

export function startClocks() {
  refresh();
  setInterval(refresh, 20_000);
}
