// Lists rendered from JSON: a <template> holds one entry, data-slot names the field to show,
// data-format its format.

import { cloneTemplate } from "./dom.js";
import { decimal, number, span } from "./format.js";
import { morphChildren } from "./morph.js";
import { timeElement } from "./time.js";

const FORMATS = {
  number,
  decimal,
  span,
  list: (values) => values.join(", "),
  text: String,
};

function write(cell, value) {
  const none = value === null || value === undefined || value === "";
  if (cell.dataset.format === "time" && !none) return cell.replaceChildren(timeElement(value));
  cell.textContent = none ? "–" : FORMATS[cell.dataset.format ?? "text"](value);
}

/** Fills `list` with one copy of template `id` for each entry; `finish(node, entry)` may change it. */
export function renderList(list, id, entries, finish = () => {}) {
  morphChildren(
    list,
    entries.map((entry) => {
      const node = cloneTemplate(id);
      for (const cell of node.querySelectorAll("[data-slot]"))
        write(cell, entry[cell.dataset.slot]);
      finish(node, entry);
      return node;
    }),
  );
  const empty = document.getElementById(`${list.id}-empty`);
  if (empty) empty.hidden = entries.length > 0;
}
