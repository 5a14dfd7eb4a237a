// Helpers for the page's elements: JSON blocks, templates, slots, icons.

/** The JSON in the block `id` of this page, or of a fresh copy of it; null without such a block. */
export function data(id, page = document) {
  const block = page.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
}

/** Shows `text` in `node`. An equal text is not written again, because a screen reader would repeat
 * it and a selection in it would be lost. */
export function setText(node, text) {
  const wanted = String(text ?? "");
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Puts text into the children of `node` that are marked with data-slot. */
export function fillSlots(node, slots) {
  for (const [name, value] of Object.entries(slots)) {
    const slot = node.querySelector(`[data-slot="${name}"]`);
    if (slot) setText(slot, value);
  }
  return node;
}

/** A fresh copy of the first element in the page's <template id=…>. */
export function cloneTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Points an icon of the sprite, already in `node`, at another symbol. */
export function setIcon(node, name) {
  const use = node.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
}
