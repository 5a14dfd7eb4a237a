import * as api from "../core/api.js";
import { fillSlots } from "../core/dom.js";
import { t } from "../core/i18n.js";

const PAGE_SIZE = 50;
const LARGE_PAGE_SIZE = 100;
const MAX_PAGES = 30;

/** Loads older messages, page by page, when the reader comes near the top. */
class HistoryLoader {
  constructor(timeline, url, loaded) {
    this.timeline = timeline;
    this.url = url;
    this.mark = document.getElementById("older");
    this.again = this.mark.querySelector("button");
    this.again.addEventListener("click", () => this.load());
    this.observer = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.load(), {
      root: timeline.box,
      rootMargin: "400px 0px 0px",
    });
    if (loaded < PAGE_SIZE) this.finish();
    else this.observer.observe(this.mark);
  }

  async load() {
    if (this.busy) return;
    this.busy = true;
    // The hidden button would lose the focus to the page.
    if (document.activeElement === this.again) this.timeline.box.focus({ preventScroll: true });
    this.again.hidden = true;
    fillSlots(this.mark, { state: t("older") });
    try {
      await this.page();
    } catch (error) {
      console.info(error.message);
      fillSlots(this.mark, { state: t("older_failed") });
      this.again.hidden = false;
    } finally {
      this.busy = false;
    }
  }

  async page(limit = PAGE_SIZE) {
    const before = this.timeline.firstId;
    const { messages } = await api.get(`${this.url}/messages?before=${before}&limit=${limit}`);
    this.timeline.prepend(messages);
    if (messages.length < limit) this.finish();
    else this.checkAgain();
  }

  /** Loads older pages until they contain the message `id`, at most 3,000 messages. Throws
   * `ApiError`. */
  async loadUntil(id) {
    for (let pages = 0; pages < MAX_PAGES && !this.finished; pages += 1) {
      if (this.timeline.firstId <= id) return;
      await this.page(LARGE_PAGE_SIZE);
    }
  }

  /** Observes the mark anew: it may still be in view, and an observer reports only changes. */
  checkAgain() {
    this.observer.unobserve(this.mark);
    this.observer.observe(this.mark);
  }

  finish() {
    this.finished = true;
    this.observer.disconnect();
    fillSlots(this.mark, { state: this.timeline.firstId ? t("beginning") : "" });
  }
}

/** Starts the loader of a timeline to which the page brought `loaded` messages. */
export function startHistoryLoader(timeline, url, loaded) {
  return new HistoryLoader(timeline, url, loaded);
}
