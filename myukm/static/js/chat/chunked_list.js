// The messages' elements in order, in lists of some fifty: so the browser watches a hundred boxes
// for what is in sight and not five thousand. A list out of sight is not drawn; it keeps the size
// that it had, which therefore has to be seen once after each change.

const FULL = 50;

export function before(element) {
  const chunk = element.parentNode;
  return element.previousElementSibling ?? chunk.previousElementSibling?.lastElementChild;
}

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

  /** Puts an element before another one, or at the end when there is none. */
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

  /** The element's size may be another one now. */
  changed(element) {
    const chunk = element.parentNode;
    chunk.classList.remove("is-settled");
    this.fresh.add(chunk);
    if (this.fresh.size > 1) return;
    requestAnimationFrame(() => requestAnimationFrame(() => this.rest()));
  }

  rest() {
    for (const chunk of this.fresh) chunk.classList.add("is-settled");
    this.fresh.clear();
  }
}

const isFull = (chunk) => chunk.childElementCount >= FULL;
