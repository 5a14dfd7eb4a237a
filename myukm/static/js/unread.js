import { number } from "./format.js";
import { on } from "./stream.js";

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
}

export function startUnread() {
  on("unread", ({ ukm, count }) => {
    counts.set(ukm, count);
    show();
  });
}
