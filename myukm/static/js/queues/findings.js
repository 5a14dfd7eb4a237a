// The doctor's findings: the most severe one is open, the others are folded behind their number.

import { setIcon } from "../core/dom.js";
import { number } from "../core/format.js";
import { renderList } from "../core/template_list.js";

const LEVELS = { broken: "bad", error: "bad", warning: "wait" };
const part = (id) => document.getElementById(id);

/** Shows the findings of a report, which come with the most severe first. */
export function showFindings({ findings }) {
  const [first, ...others] = findings;
  renderList(part("findings"), "findings-row", first ? [first] : [], finish);
  renderList(part("findings-others"), "findings-row", others, finish);
  const folded = part("findings-folded");
  folded.hidden = others.length === 0;
  for (const badge of folded.querySelectorAll("[data-level]")) {
    const count = others.filter(({ level }) => level === badge.dataset.level).length;
    badge.hidden = count === 0;
    badge.querySelector("[data-count]").textContent = number(count);
  }
}

function finish(node, { level, since, host }) {
  const tone = LEVELS[level] ?? "neutral";
  node.classList.add(`tone-${tone}`);
  node.querySelector("[data-since]").hidden = !since;
  node.querySelector("[data-host]").hidden = !host;
  setIcon(node, tone === "wait" ? "warning" : tone);
}
