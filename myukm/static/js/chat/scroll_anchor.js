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
    box.addEventListener("scroll", () => this.moved(), { passive: true });
    this.jump.addEventListener("click", () => this.scrollToEnd());
    new ResizeObserver(() => this.follow && this.scrollToEnd()).observe(box);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    this.follow = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    return this.follow;
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
    this.unseen += more;
    this.jump.hidden = false;
    fillSlots(this.jump, { label: t("jump_new", { n: number(this.unseen) }) });
  }

  seen() {
    this.unseen = 0;
    this.jump.hidden = true;
    fillSlots(this.jump, { label: t("jump") });
  }

  scrollToEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.follow = true;
    this.seen();
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
