// The messages in the order of their ids, with the pending ones at the end.

import { after, before, ChunkedList } from "./chunked_list.js";
import { adopt, group, isMine, show, showQuote } from "./message_view.js";
import { changed, showReactions } from "./reactions.js";
import { ScrollAnchor } from "./scroll_anchor.js";

const MIN_SEEN_PX = 24;

/** Calls `run` once the browser has laid out what was just changed. */
function afterLayout(run) {
  requestAnimationFrame(() => requestAnimationFrame(run));
}

export class Timeline {
  /** `firstUnread` is the id of the first unread message, NaN when there is none. */
  constructor(box, firstUnread) {
    this.box = box;
    this.firstUnread = firstUnread;
    this.list = new ChunkedList(document.getElementById("messages"));
    this.empty = document.getElementById("messages-empty");
    this.anchor = new ScrollAnchor(box);
    this.byId = new Map();
    this.pending = new Map();
    /** The newest id of the messages that came in order, in pages or by the stream. The response to
     * this person's own POST does not count, because messages before it may still be missing. */
    this.lastServerId = 0;
    /** Whether messages before the newest one are being loaded. */
    this.isIncomplete = false;
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

  /** The last stored message whose beginning is in view or above it. Chunks that begin with a
   * pending message contain no stored message. Messages of chunks below the view are not measured,
   * because the browser would have to lay out chunks that it otherwise skips (chunked_list.js),
   * which takes seconds in a long conversation. */
  get lastInView() {
    const { bottom } = this.box.getBoundingClientRect();
    const begins = (element) => element.getBoundingClientRect().top < bottom - MIN_SEEN_PX;
    const chunks = [...this.list.box.children];
    const isSeen = (element) => element.message.id && begins(element);
    const last = chunks.findLast((chunk) => begins(chunk) && isSeen(chunk.firstElementChild));
    return [...(last?.children ?? [])].findLast(isSeen);
  }

  /** Whether unread messages before the first loaded one are missing. */
  get hasGap() {
    return this.firstUnread < this.firstId;
  }

  /** Moves the line "new" above the message with this id; NaN removes it. */
  setFirstUnread(id) {
    const moved = [this.firstUnread, id].map((each) => this.byId.get(each)).filter(Boolean);
    this.firstUnread = id;
    for (const element of moved) this.regroup(element);
  }

  /** The newest element that `fits`, if any. */
  findLast(fits) {
    let element = this.list.last;
    while (element && !fits(element)) element = before(element);
    return element;
  }

  /** Attaches `messages`, oldest first, to the elements that the server rendered for them. */
  adopt(messages) {
    const elements = [...this.list];
    for (const [index, message] of messages.entries()) {
      adopt(message, elements[index]);
      this.byId.set(message.id, elements[index]);
    }
    this.lastServerId = messages.at(-1)?.id ?? 0;
    if (elements.length) this.list.changed(elements[0]);
  }

  /** Adds messages in order (oldest first), from a page or the stream; known ones are updated. */
  addFromServer(messages) {
    for (const message of messages) {
      this.lastServerId = Math.max(this.lastServerId, message.id);
      this.upsert(message);
    }
  }

  /** Shows a message of the outbox as stored. If the response to an earlier POST was lost, the
   * message may be older than all loaded ones: then it is shown later, with its page of the
   * history. */
  confirm(message) {
    if (message.id < this.firstId && !this.byId.has(message.id)) this.drop(message.client_id);
    else this.upsert(message);
  }

  /** Shows a stored message at its place. Its pending element, if any, is reused. If the message is
   * shown already (the response to its POST was lost, and it came with a page of the history), the
   * pending element is removed. */
  upsert(message) {
    const pending = this.takePending(message);
    const known = this.byId.get(message.id) ?? pending;
    if (pending && pending !== known) this.discard(pending);
    const followed = this.anchor.preserve(() => {
      const element = show({ reactions: known?.message.reactions, ...message }, known);
      if (!this.byId.has(message.id)) this.insert(element);
    });
    if (!followed && !known && !isMine(message)) this.anchor.addUnseen();
  }

  /** Shows a changed message, also where it is quoted. */
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

  /** The messages on the page that the server has stored, oldest first. */
  stored() {
    return [...this.list].map(({ message }) => message).filter(({ id }) => id);
  }

  /** Applies one reaction, or with `reactions` the whole list. */
  react({ message_id: id, reactions, ...change }) {
    const element = this.byId.get(id);
    if (!element) return;
    this.anchor.preserve(() => {
      element.message.reactions = reactions ?? changed(element.message.reactions, change);
      showReactions(element, element.message);
    });
    this.list.changed(element);
  }

  /** Inserts an older page above without moving what is in view. */
  prepend(messages) {
    const topElement = this.firstInView;
    const was = topElement?.getBoundingClientRect().top;
    this.box.setAttribute("aria-busy", "true");
    for (const message of messages.toReversed()) {
      if (!this.byId.has(message.id)) this.insert(show(message));
    }
    if (topElement) this.box.scrollTop += topElement.getBoundingClientRect().top - was;
    afterLayout(() => this.box.removeAttribute("aria-busy"));
  }

  /** Shows a pending message or its new state. */
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

  /** Removes a pending message. */
  drop(clientId) {
    const element = this.pending.get(clientId);
    this.pending.delete(clientId);
    if (element) this.discard(element);
  }

  /** Removes an element; the focus in it goes to its neighbour. */
  discard(element) {
    const next = after(element);
    const hadFocus = element.contains(document.activeElement);
    const neighbour = next ?? before(element) ?? this.box;
    this.list.remove(element);
    if (next) this.group(next);
    if (hadFocus) neighbour.focus({ preventScroll: true });
    this.empty.hidden = this.list.first !== null;
  }

  /** Removes a stored message from `pending`; returns its pending element if this person wrote
   * it. */
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

  /** The element before which this one belongs, null at the end. Searches from the end, because
   * nearly all messages belong at the end or at the top, which is checked first. */
  nextOf(element) {
    const { id } = element.message;
    if (id < this.firstId) return this.list.first;
    let next = null;
    let each = this.list.last;
    while (each && (each === element || !each.message.id || each.message.id > id)) {
      if (each !== element) next = each;
      each = before(each);
    }
    return next;
  }

  regroup(element) {
    this.group(element);
    const next = after(element);
    if (next) this.group(next);
    this.empty.hidden = true;
  }

  /** Shows whether the message continues the one before it, which changes its height. */
  group(element) {
    group(element, this.firstUnread);
    this.list.changed(element);
  }
}
