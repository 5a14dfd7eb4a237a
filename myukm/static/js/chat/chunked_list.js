// The messages' elements in order, in chunks (<ol>) of about fifty. CSS (content-visibility) skips the
// chunks out of sight and keeps the size that they last had, so the browser watches a hundred boxes
// instead of five thousand. A changed chunk must be laid out once before it may be skipped again.

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
    this.fresh = new Set();
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
    if (chunk?.childElementCount === 0) chunk.remove();
  }

  /** To be called when the element's size may have changed: its chunk is laid out anew. */
  changed(element) {
    const chunk = element.parentNode;
    chunk.classList.remove("is-settled");
    this.fresh.add(chunk);
    if (this.fresh.size === 1) requestAnimationFrame(() => this.settleInNextFrame());
  }

  /** Settles in the next frame the chunks that are laid out in this one. One that changes between
   * the two frames waits for its own next frame, because the browser would keep the size from before
   * the change: the end of the messages would be out of reach by that change. */
  settleInNextFrame() {
    const chunks = this.fresh;
    this.fresh = new Set();
    requestAnimationFrame(() => {
      for (const chunk of chunks) if (!this.fresh.has(chunk)) chunk.classList.add("is-settled");
    });
  }
}

const isFull = (chunk) => chunk.childElementCount >= CHUNK_SIZE;
