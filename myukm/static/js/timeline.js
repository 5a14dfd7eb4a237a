// The messages in the order of their ids, those not sent yet at the end.

import { number } from "./format.js";
import { group, isMine, show } from "./message_view.js";
import { fill, say } from "./text.js";

const NEAR_END_PX = 96;

export class Timeline {
  constructor(box) {
    this.box = box;
    this.list = box.querySelector("ol");
    this.jump = document.getElementById("jump");
    this.empty = document.getElementById("messages-empty");
    this.byId = new Map();
    this.pending = new Map();
    this.unseen = 0;
    /** The newest id that the server told in order; one's own answers do not count. */
    this.lastTold = 0;
    box.addEventListener("scroll", () => this.atEnd && this.seen(), { passive: true });
    this.jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.follow && this.toEnd()).observe(box);
  }

  get firstId() {
    return this.list.firstElementChild?.message.id ?? null;
  }

  get firstInView() {
    const top = this.box.getBoundingClientRect().top;
    return [...this.list.children].find((element) => element.getBoundingClientRect().bottom > top);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    this.follow = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    return this.follow;
  }

  /** Takes messages that the server told (oldest first): new ones, changed ones, known ones. */
  tell(messages) {
    for (const message of messages) {
      this.lastTold = Math.max(this.lastTold, message.id);
      this.put(message);
    }
  }

  /** Puts a stored message where its id belongs; its pending twin, if any, becomes it. */
  put(message) {
    const follow = this.atEnd;
    const known = this.byId.get(message.id) ?? this.claim(message);
    const element = show(message, known);
    if (!this.byId.has(message.id)) this.insert(element);
    if (follow) this.toEnd();
    else if (!known && !isMine(message)) this.count();
  }

  /** Writes a changed message; one that is not on the page stays away. */
  change(message) {
    if (this.byId.has(message.id)) show(message, this.byId.get(message.id));
  }

  /** Puts an older page above without moving what is being read. */
  prepend(messages) {
    const anchor = this.firstInView;
    const before = anchor?.getBoundingClientRect().top;
    this.box.setAttribute("aria-busy", "true");
    for (const message of messages) {
      if (!this.byId.has(message.id)) this.insert(show(message));
    }
    if (anchor) this.box.scrollTop += anchor.getBoundingClientRect().top - before;
    this.box.removeAttribute("aria-busy");
  }

  /** Shows a message that is not stored yet, or its new state. */
  hold(message) {
    const known = this.pending.get(message.client_id);
    const follow = this.atEnd || !known;
    const element = show(message, known);
    if (!known) this.append(element);
    if (follow) this.toEnd();
  }

  append(element) {
    this.pending.set(element.message.client_id, element);
    this.list.append(element);
    this.settle(element);
  }

  drop(clientId) {
    const element = this.pending.get(clientId);
    this.pending.delete(clientId);
    element?.remove();
  }

  /** The pending element of a message of one's own that turns out to be stored. */
  claim(message) {
    const element = isMine(message) ? this.pending.get(message.client_id) : undefined;
    this.pending.delete(message.client_id);
    return element;
  }

  insert(element) {
    const { id } = element.message;
    this.byId.set(id, element);
    let next = null;
    let before = this.list.lastElementChild;
    if (id < this.firstId) {
      next = this.list.firstElementChild;
      before = null;
    }
    while (before && (before === element || !before.message.id || before.message.id > id)) {
      if (before !== element) next = before;
      before = before.previousElementSibling;
    }
    if (element.nextElementSibling !== next || !element.parentNode)
      this.list.insertBefore(element, next);
    this.settle(element);
  }

  settle(element) {
    group(element);
    if (element.nextElementSibling) group(element.nextElementSibling);
    this.empty.hidden = true;
  }

  count() {
    this.unseen += 1;
    this.jump.hidden = false;
    fill(this.jump, { label: say("jump_new", { n: number(this.unseen) }) });
  }

  seen() {
    this.unseen = 0;
    this.jump.hidden = true;
    fill(this.jump, { label: say("jump") });
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.follow = true;
    this.seen();
  }
}
