// The menu of a message, one element for all messages: below or above the message, on a phone at
// the foot of the screen. Arrow keys move in the menu, Escape closes it, and the focus returns to
// the message.

import { now } from "../core/clock.js";
import { isMine } from "./message_view.js";
import { isOn } from "./reactions.js";

const EDITABLE_MS = 15 * 60_000;

export class MessageMenu {
  /** `use(tool, element)` runs the chosen action, `react(emoji, element)` toggles an emoji; `room()`
   * returns the current `{isAdmin, mayPin, closed}`. */
  constructor({ use, react, room }) {
    this.box = document.getElementById("message-menu");
    this.room = room;
    this.box.addEventListener("click", ({ target }) => {
      const item = target.closest("button");
      if (!item) return;
      const { element } = this;
      this.box.hidePopover();
      if (item.dataset.emoji) react(item.dataset.emoji, element);
      else use(item.dataset.tool, element);
    });
    this.box.addEventListener("keydown", (event) => this.move(event));
    this.box.addEventListener("toggle", ({ newState }) => newState === "closed" && this.onClosed());
  }

  open(element) {
    const { message } = element;
    if (message.state || message.deleted) return;
    this.element?.classList.remove("is-chosen"); // the menu of another message may still be open
    this.element = element;
    for (const [tool, isOffered] of Object.entries(this.offered(message))) {
      this.box.querySelector(`[data-tool="${tool}"]`).hidden = !isOffered;
    }
    for (const item of this.box.querySelectorAll("[data-emoji]")) {
      item.hidden = this.room().closed;
      item.setAttribute("aria-checked", String(isOn(message, item.dataset.emoji)));
    }
    element.classList.add("is-chosen");
    this.box.showPopover();
    this.place(element);
    this.items[0]?.focus();
  }

  offered(message) {
    const { isAdmin, mayPin, closed } = this.room();
    if (message.state || message.deleted) return {};
    const isRecent = now() - Date.parse(message.created_at) < EDITABLE_MS;
    return {
      reply: !closed,
      quoted: Boolean(message.reply_to) && !message.reply_to.deleted,
      copy: Boolean(message.message),
      link: true,
      unread: true,
      edit: isMine(message) && isRecent && !closed,
      pin: mayPin,
      delete: isMine(message) || isAdmin,
      report: !isMine(message),
    };
  }

  get items() {
    return [...this.box.querySelectorAll("button:not([hidden])")];
  }

  move(event) {
    const { items } = this;
    const index = items.indexOf(document.activeElement);
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
    const to = { Home: 0, End: items.length - 1 }[event.key] ?? index + (steps[event.key] ?? NaN);
    if (event.key === "Tab") this.box.hidePopover();
    if (Number.isNaN(to)) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  }

  /** Places the menu below the message, or above it if there is no room below. The style sheet
   * ignores these properties on a phone. */
  place(element) {
    const bubble = element.querySelector(".bubble").getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const left = Math.min(Math.max(bubble.right - width, bubble.left), innerWidth - width - 8);
    const top = bubble.bottom + height < innerHeight ? bubble.bottom : bubble.top - height;
    this.box.style.setProperty("--menu-left", `${Math.max(8, left)}px`);
    this.box.style.setProperty("--menu-top", `${Math.max(8, top)}px`);
  }

  onClosed() {
    this.element.classList.remove("is-chosen");
    const { activeElement: focused } = document;
    const isFocusHere = focused === document.body || this.box.contains(focused);
    if (isFocusHere) this.element.focus({ preventScroll: true });
  }
}
