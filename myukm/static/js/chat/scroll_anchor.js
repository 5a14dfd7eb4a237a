// The reader's place in the messages: at the end, following new ones, or further up.

import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";

const NEAR_END_PX = 96;

export class ScrollAnchor {
  constructor(box) {
    this.box = box;
    this.jump = document.getElementById("jump");
    this.unseen = 0;
    /** Whether the end of what is loaded is not the end of the conversation (newer_loader.js). */
    this.newerLeft = false;
    box.addEventListener("scroll", () => this.moved(), { passive: true });
    this.jump.addEventListener("click", () => this.toNewest());
    new ResizeObserver(() => this.follow && this.scrollToEnd()).observe(box);
  }

  get atEnd() {
    this.follow = !this.newerLeft && this.isWithin(NEAR_END_PX);
    return this.follow;
  }

  /** Whether at most so much of what is loaded is below. */
  isWithin(pixels) {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    return scrollHeight - scrollTop - clientHeight < pixels;
  }

  /** Runs `change` and stays at the end if the reader was there (or `always`). Returns whether. */
  preserve(change, always = false) {
    const follow = this.atEnd || always;
    change();
    if (follow) this.scrollToEnd();
    return follow;
  }

  /** Scrolls to the first unread message, or to the end. */
  restore(element, unread) {
    this.scrollToEnd();
    element?.querySelector(".message-new").scrollIntoView({ block: "start" });
    if (!this.atEnd) this.count(unread);
  }

  moved() {
    if (this.atEnd) this.seen();
    else this.jump.hidden = false;
  }

  count(more = 1) {
    this.jump.hidden = false;
    if (this.newerLeft) return;
    this.unseen += more;
    fillSlots(this.jump, { label: t("jump_new", { n: number(this.unseen) }) });
  }

  seen() {
    this.unseen = 0;
    this.jump.hidden = true;
    fillSlots(this.jump, { label: t("jump") });
  }

  toNewest() {
    if (this.newerLeft) location.assign(location.pathname);
    else this.scrollToEnd();
  }

  scrollToEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.follow = !this.newerLeft;
    if (this.follow) this.seen();
  }

  /** Scrolls to a message and highlights it. */
  show(element) {
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.classList.add("is-highlighted");
    element.addEventListener("animationend", () => element.classList.remove("is-highlighted"), {
      once: true,
    });
  }
}
