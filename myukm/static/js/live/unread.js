import { showOnIcon } from "../core/favicon.js";
import { number } from "../core/format.js";
import { on } from "./events_bus.js";

// The counts of all UKMs arrive together when the stream opens, and are shown at once after this
// delay.
const DELAY_MS = 50;

const counts = new Map();
let pageTitle = "";
let timer = null;

function total() {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function showSoon() {
  if (timer === null) timer = setTimeout(show, DELAY_MS);
}

function show() {
  timer = null;
  const sum = total();
  for (const mark of document.querySelectorAll("[data-unread-total]")) {
    mark.firstChild.textContent = sum > 99 ? "99+" : number(sum);
    mark.hidden = sum === 0;
  }
  document.title = sum ? `(${number(sum)}) ${pageTitle}` : pageTitle;
  const shown = [showOnIcon(sum), navigator.setAppBadge?.(sum)];
  Promise.all(shown).catch((error) => console.info(error.message));
}

/** Shows the number of unread messages in the navigation, the title and the icon; UKMs that this
 * person silenced do not count. */
export function startUnread() {
  pageTitle = document.title;
  on("unread", ({ ukm, count, notices }) => {
    counts.set(ukm, notices === "none" ? 0 : count);
    showSoon();
  });
  on("reset", () => {
    counts.clear(); // the counts of all UKMs follow
    showSoon();
  });
  on("membership", ({ ukm, member, muted_until: mine }) => {
    if (!member && mine !== undefined && counts.delete(ukm)) showSoon();
  });
}
