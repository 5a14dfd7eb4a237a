// The page's words come from the template, in the reader's language.

export function data(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
}

const words = { ...data("strings"), ...data("page-strings") };

/** The phrase `key` with each {name} replaced from `values`. */
export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A name for use inside a phrase: one that is written from right to left does not turn it. */
export const isolated = (name) => `\u2068${name}\u2069`;

/** Puts text into the children of `node` that are marked with data-slot. */
export function fill(node, slots) {
  for (const [name, value] of Object.entries(slots)) {
    const slot = node.querySelector(`[data-slot="${name}"]`);
    if (slot) slot.textContent = value ?? "";
  }
  return node;
}

/** A fresh copy of the first element in the page's <template id=…>. */
export function copy(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Points an icon of the sprite, already in `node`, at another symbol. */
export function setIcon(node, name) {
  const use = node.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}
