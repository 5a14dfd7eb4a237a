// Morphs elements of the page into fresh copies, and leaves in the page what is equal: a button that
// is replaced while it is pressed gets no click, and its focus and a selection of text are lost.

/** Makes `old` equal to `fresh`. An element stays only if its tag and its attributes (`class` may
 * differ) are equal, so a button that is pressed meanwhile still belongs to the same entry. */
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (!tag(old).isEqualNode(tag(fresh))) return old.replaceWith(fresh);
  old.setAttribute("class", fresh.getAttribute("class") ?? "");
  morphEach(old, [...old.childNodes], [...fresh.childNodes]);
}

/** Makes the elements in `list` equal to `fresh`. */
export function morphChildren(list, fresh) {
  morphEach(list, [...list.children], fresh);
}

function morphEach(parent, old, fresh) {
  for (const [n, node] of fresh.entries()) {
    if (n < old.length) morph(old[n], node);
    else parent.append(node);
  }
  for (const surplus of old.slice(fresh.length)) surplus.remove();
}

/** A copy of `node` without its children and its class. */
function tag(node) {
  const copy = node.cloneNode(false);
  copy.removeAttribute?.("class");
  return copy;
}
