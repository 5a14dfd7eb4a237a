// The messages' elements in order, in chunks (<ol>) of about fifty. CSS (content-visibility) skips the
// chunks out of sight and keeps the size that they last had, so the browser watches a hundred boxes
// instead of five thousand. A changed chunk must be laid out once before CSS may skip it again; then
// it is settled (`is-settled`).

const CHUNK_SIZE = 50;

/** The element before this one, in its chunk or in the one above; null or undefined at the start. */
export function before(element) {
  const chunk = element.parentNode;
  return element.previousElementSibling ?? chunk.previousElementSibling?.lastElementChild;
}

/** The element after this one, in its chunk or in the one below; null or undefined at the end. */
export function after(element) {
  const chunk = element.parentNode;
  return element.nextElementSibling ?? chunk.nextElementSibling?.firstElementChild;
}

export class ChunkedList {
  constructor(box) {
    this.box = box;
    this.changedChunks = new Set();
  }

  get first() {
    return this.box.firstElementChild?.firstElementChild ?? null;
  }

  get last() {
    return this.box.lastElementChild?.lastElementChild ?? null;
  }

  *[Symbol.iterator]() {
    for (const chunk of this.box.children) yield* chunk.children;
  }

  /** Inserts or moves `element` before the element `next`, to the end when `next` is null. */
  insert(element, next) {
    this.remove(element);
    if (next && !(next === this.first && isFull(next.parentNode))) next.before(element);
    else if (next) this.make("prepend").append(element);
    else this.end().append(element);
    this.changed(element);
  }

  end() {
    const last = this.box.lastElementChild;
    return last && !isFull(last) ? last : this.make("append");
  }

  make(where) {
    const chunk = document.createElement("ol");
    chunk.className = "message-chunk";
    this.box[where](chunk);
    return chunk;
  }

  remove(element) {
    const chunk = element.parentNode;
    element.remove();
    if (chunk?.firstElementChild) this.changed(chunk.firstElementChild);
    else chunk?.remove();
  }

  /** To be called when the element's size may have changed: its chunk is laid out anew. */
  changed(element) {
    const chunk = element.parentNode;
    chunk.classList.remove("is-settled");
    if (!this.changedChunks.size) requestAnimationFrame(() => this.settleInNextFrame());
    this.changedChunks.add(chunk);
  }

  /** The changed chunks are laid out in this frame, so they are settled in the next one. A chunk that
   * changes in between is settled after its own layout: earlier, it would keep its old height, and
   * the last messages could lie below the end of the scroll bar. */
  settleInNextFrame() {
    const chunks = this.changedChunks;
    this.changedChunks = new Set();
    requestAnimationFrame(() => {
      for (const chunk of chunks)
        if (!this.changedChunks.has(chunk)) chunk.classList.add("is-settled");
    });
  }
}

const isFull = (chunk) => chunk.childElementCount >= CHUNK_SIZE;
