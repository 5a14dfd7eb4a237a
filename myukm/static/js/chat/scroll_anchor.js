// The reader's place in the messages: at the end, where the view follows new messages, or further
// up.

import { fillSlots } from "../core/dom.js";
import { number } from "../core/format.js";
import { t } from "../core/i18n.js";

const NEAR_END_PX = 96;
const HIGHLIGHT_MS = 1600;

export class ScrollAnchor {
  /** `box` is the element that scrolls. */
  constructor(box) {
    this.box = box;
    /** Whether the box is kept at its end. */
    this.follow = true;
    this.jump = document.getElementById("jump");
    this.unseen = 0;
    /** Whether messages newer than the last loaded one exist (newer_loader.js). */
    this.newerLeft = false;
    box.addEventListener("scroll", () => this.moved(), { passive: true });
    this.jump.addEventListener("click", () => this.toNewest());
    new ResizeObserver(() => this.follow && this.scrollToEnd()).observe(box);
  }

  /** Sets `follow` to whether the reader is at the end of the conversation, and returns it. */
  updateFollow() {
    this.follow = !this.newerLeft && this.isWithin(NEAR_END_PX);
    return this.follow;
  }

  /** Whether less than `pixels` of the loaded messages is below the view. */
  isWithin(pixels) {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    return scrollHeight - scrollTop - clientHeight < pixels;
  }

  /** Runs `change` and scrolls to the end if the reader was there, or if `always`; returns whether it
   * did. */
  preserve(change, always = false) {
    const follow = this.updateFollow() || always;
    change();
    if (follow) this.scrollToEnd();
    return follow;
  }

  /** Scrolls to `element`, the first unread message, or to the end; `unread` is their number. */
  restore(element, unread) {
    this.scrollToEnd();
    element?.querySelector(".message-new").scrollIntoView({ block: "start" });
    if (!this.updateFollow()) this.addUnseen(unread);
  }

  /** To be called when the reader has scrolled or messages were added at the end. */
  moved() {
    if (this.updateFollow()) this.resetUnseen();
    else this.jump.hidden = false;
  }

  /** Adds to the number of new messages on the button that leads to the end. */
  addUnseen(more = 1) {
    this.jump.hidden = false;
    if (this.newerLeft) return;
    this.unseen += more;
    fillSlots(this.jump, { label: t("jump_new", { n: number(this.unseen) }) });
  }

  resetUnseen() {
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
    if (this.follow) this.resetUnseen();
  }

  /** Scrolls to a message and highlights it for a moment. */
  show(element) {
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.classList.add("is-highlighted");
    setTimeout(() => element.classList.remove("is-highlighted"), HIGHLIGHT_MS);
  }
}
