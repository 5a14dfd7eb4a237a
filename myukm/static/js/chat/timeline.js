// The messages in the order of their ids, those not sent yet at the end.

import { after, before, ChunkedList } from "./chunked_list.js";
import { group, isMine, show, showQuote } from "./message_view.js";
import { changed, showReactions } from "./reactions.js";
import { ScrollAnchor } from "./scroll_anchor.js";

export class Timeline {
  constructor(box) {
    this.box = box;
    this.list = new ChunkedList(document.getElementById("messages"));
    this.empty = document.getElementById("messages-empty");
    this.anchor = new ScrollAnchor(box);
    this.byId = new Map();
    this.pending = new Map();
    /** The newest id that the server told in order; one's own answers do not count. */
    this.lastServerId = 0;
  }

  get firstId() {
    return this.list.first?.message.id ?? null;
  }

  get firstInView() {
    const top = this.box.getBoundingClientRect().top;
    let element = this.list.first;
    while (element && element.getBoundingClientRect().bottom <= top) element = after(element);
    return element;
  }

  /** Takes messages that the server told (oldest first): new ones, changed ones, known ones. */
  addFromServer(messages) {
    for (const message of messages) {
      this.lastServerId = Math.max(this.lastServerId, message.id);
      this.upsert(message);
    }
  }

  /** Puts a stored message where its id belongs; its pending twin, if any, becomes it. */
  upsert(message) {
    const known = this.byId.get(message.id) ?? this.takePending(message);
    const followed = this.anchor.preserve(() => {
      const element = show({ reactions: known?.message.reactions, ...message }, known);
      if (!this.byId.has(message.id)) this.insert(element);
    });
    if (!followed && !known && !isMine(message)) this.anchor.count();
  }

  /** Writes a changed message, and what it says where it is quoted. */
  change(message) {
    const element = this.byId.get(message.id);
    if (element) this.rewrite(element, message);
    const { deleted, message: text } = message;
    for (const reply of this.list) {
      const { reply_to: quoted } = reply.message;
      if (quoted?.id !== message.id) continue;
      Object.assign(quoted, { deleted, message: text.split("\n")[0] });
      showQuote(reply, reply.message);
    }
  }

  rewrite(element, message) {
    this.anchor.preserve(() => show({ reactions: element.message.reactions, ...message }, element));
    this.list.changed(element);
  }

  /** Takes one person's reaction, or with `reactions` all of a message's. */
  react({ message_id: id, reactions, ...change }) {
    const element = this.byId.get(id);
    if (!element) return;
    this.anchor.preserve(() => {
      element.message.reactions = reactions ?? changed(element.message.reactions, change);
      showReactions(element, element.message);
    });
    this.list.changed(element);
  }

  /** Puts an older page above without moving what is being read. */
  prepend(messages) {
    const topElement = this.firstInView;
    const was = topElement?.getBoundingClientRect().top;
    this.box.setAttribute("aria-busy", "true");
    for (const message of messages.toReversed()) {
      if (!this.byId.has(message.id)) this.insert(show(message));
    }
    if (topElement) this.box.scrollTop += topElement.getBoundingClientRect().top - was;
    this.box.removeAttribute("aria-busy");
  }

  /** Shows a message that is not stored yet, or its new state. */
  showPending(message) {
    const known = this.pending.get(message.client_id);
    this.anchor.preserve(() => {
      const element = show(message, known);
      if (!known) this.append(element);
    }, !known);
  }

  append(element) {
    this.pending.set(element.message.client_id, element);
    this.list.insert(element, null);
    this.regroup(element);
  }

  drop(clientId) {
    const element = this.pending.get(clientId);
    this.pending.delete(clientId);
    if (element) this.list.remove(element);
  }

  /** The pending element of a message of one's own that turns out to be stored. */
  takePending(message) {
    const element = isMine(message) ? this.pending.get(message.client_id) : undefined;
    this.pending.delete(message.client_id);
    return element;
  }

  insert(element) {
    this.byId.set(element.message.id, element);
    const next = this.nextOf(element);
    if (!element.parentNode || (after(element) ?? null) !== next) this.list.insert(element, next);
    this.regroup(element);
  }

  /** The element before which one belongs, null at the end: nearly always there or on top. */
  nextOf(element) {
    const { id } = element.message;
    if (id < this.firstId) return this.list.first;
    let next = null;
    let at = this.list.last;
    while (at && (at === element || !at.message.id || at.message.id > id)) {
      if (at !== element) next = at;
      at = before(at);
    }
    return next;
  }

  regroup(element) {
    group(element);
    const next = after(element);
    if (next) group(next);
    this.empty.hidden = true;
  }
}
