// Fake elements with the parts of the DOM that a list of messages uses.

export class FakeElement {
  constructor(name = "li") {
    Object.assign(this, { name, children: [], parentNode: null, classes: new Set() });
    this.classList = {
      add: (name_) => this.classes.add(name_),
      remove: (name_) => this.classes.delete(name_),
    };
  }

  get childElementCount() {
    return this.children.length;
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get lastElementChild() {
    return this.children.at(-1) ?? null;
  }

  get previousElementSibling() {
    return this.sibling(-1);
  }

  get nextElementSibling() {
    return this.sibling(1);
  }

  sibling(step) {
    const { children } = this.parentNode;
    return children[children.indexOf(this) + step] ?? null;
  }

  append(child) {
    this.insertAt(this.children.length, child);
  }

  prepend(child) {
    this.insertAt(0, child);
  }

  before(element) {
    this.parentNode.insertAt(this.parentNode.children.indexOf(this), element);
  }

  insertAt(index, child) {
    child.remove();
    this.children.splice(index, 0, child);
    child.parentNode = this;
  }

  remove() {
    if (!this.parentNode) return;
    this.parentNode.children = this.parentNode.children.filter((child) => child !== this);
    this.parentNode = null;
  }
}
