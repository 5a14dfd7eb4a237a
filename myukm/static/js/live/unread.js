import { showOnIcon } from "../core/favicon.js";
import { number } from "../core/format.js";
import { on } from "./events_bus.js";

const counts = new Map();
const pageTitle = document.title;

function total() {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function show() {
  const sum = total();
  for (const mark of document.querySelectorAll("[data-unread-total]")) {
    mark.textContent = sum > 99 ? "99+" : number(sum);
    mark.hidden = sum === 0;
  }
  document.title = sum ? `(${number(sum)}) ${pageTitle}` : pageTitle;
  showOnIcon(sum).catch((error) => console.info(error.message));
}

/** Counts what is unread in the UKMs that this person did not silence. */
export function startUnread() {
  on("unread", ({ ukm, count, notices }) => {
    counts.set(ukm, notices === "none" ? 0 : count);
    show();
  });
  on("membership", ({ ukm, member, muted_until: mine }) => {
    if (!member && mine !== undefined && counts.delete(ukm)) show();
  });
}
