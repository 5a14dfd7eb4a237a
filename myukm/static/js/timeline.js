// The messages in the order of their ids, those not sent yet at the end.

import { group, isMine, show, showQuote } from "./message_view.js";
import { Place } from "./place.js";
import { changed, showReactions } from "./reactions.js";

export class Timeline {
  constructor(box) {
    this.box = box;
    this.list = box.querySelector("ol");
    this.empty = document.getElementById("messages-empty");
    this.place = new Place(box);
    this.byId = new Map();
    this.pending = new Map();
    this.fresh = [];
    /** The newest id that the server told in order; one's own answers do not count. */
    this.lastTold = 0;
  }

  get firstId() {
    return this.list.firstElementChild?.message.id ?? null;
  }

  get firstInView() {
    const top = this.box.getBoundingClientRect().top;
    let element = this.list.firstElementChild;
    while (element && element.getBoundingClientRect().bottom <= top)
      element = element.nextElementSibling;
    return element;
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
    const known = this.byId.get(message.id) ?? this.claim(message);
    const followed = this.place.keep(() => {
      const element = show({ reactions: known?.message.reactions, ...message }, known);
      if (!this.byId.has(message.id)) this.insert(element);
    });
    if (!followed && !known && !isMine(message)) this.place.count();
  }

  /** Writes a changed message, and what it says where it is quoted. */
  change(message) {
    const element = this.byId.get(message.id);
    if (element) show({ reactions: element.message.reactions, ...message }, element);
    const { deleted, message: text } = message;
    for (const reply of this.list.children) {
      const { reply_to: quoted } = reply.message;
      if (quoted?.id !== message.id) continue;
      Object.assign(quoted, { deleted, message: text.split("\n")[0] });
      showQuote(reply, reply.message);
    }
  }

  /** Takes one person's reaction, or with `reactions` all of a message's. */
  react({ message_id: id, reactions, ...change }) {
    const element = this.byId.get(id);
    if (!element) return;
    this.place.keep(() => {
      element.message.reactions = reactions ?? changed(element.message.reactions, change);
      showReactions(element, element.message);
    });
  }

  /** Puts an older page above without moving what is being read. */
  prepend(messages) {
    const anchor = this.firstInView;
    const before = anchor?.getBoundingClientRect().top;
    this.box.setAttribute("aria-busy", "true");
    for (const message of messages.toReversed()) {
      if (!this.byId.has(message.id)) this.insert(show(message));
    }
    if (anchor) this.box.scrollTop += anchor.getBoundingClientRect().top - before;
    this.box.removeAttribute("aria-busy");
  }

  /** Shows a message that is not stored yet, or its new state. */
  hold(message) {
    const known = this.pending.get(message.client_id);
    this.place.keep(() => {
      const element = show(message, known);
      if (!known) this.append(element);
    }, !known);
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
    this.restSoon(element);
  }

  settle(element) {
    group(element);
    if (element.nextElementSibling) group(element.nextElementSibling);
    this.empty.hidden = true;
  }

  /** Once its size is known, the browser need not draw it while it is out of sight. */
  restSoon(element) {
    this.fresh.push(element);
    if (this.fresh.length > 1) return;
    const rest = () => this.fresh.splice(0).forEach((each) => each.classList.add("at-rest"));
    requestAnimationFrame(() => requestAnimationFrame(rest));
  }
}
