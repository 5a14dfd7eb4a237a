import * as api from "../core/api.js";
import { fillSlots } from "../core/dom.js";
import { t } from "../core/i18n.js";

const PAGE = 50;
const LARGE_PAGE = 100;
const MAX_PAGES = 30;

/** Loads older messages, page by page, when the reader comes near the top. */
class HistoryLoader {
  constructor(timeline, url, loaded) {
    this.timeline = timeline;
    this.url = url;
    this.mark = document.getElementById("older");
    this.again = this.mark.querySelector("button");
    this.again.addEventListener("click", () => this.load());
    this.watch = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.load(), {
      root: timeline.box,
      rootMargin: "400px 0px 0px",
    });
    if (loaded < PAGE) this.finish();
    else this.watch.observe(this.mark);
  }

  async load() {
    if (this.busy) return;
    this.busy = true;
    this.again.hidden = true;
    fillSlots(this.mark, { state: t("older") });
    try {
      await this.page();
    } catch {
      fillSlots(this.mark, { state: t("older_failed") });
      this.again.hidden = false;
    } finally {
      this.busy = false;
    }
  }

  async page(limit = PAGE) {
    const before = this.timeline.firstId;
    const { messages } = await api.get(`${this.url}/messages?before=${before}&limit=${limit}`);
    this.timeline.prepend(messages);
    if (messages.length < limit) this.finish();
    else this.checkAgain();
  }

  /** Loads back to the message `id`, but not further than some thousand messages. Throws `ApiError`. */
  async loadUntil(id) {
    for (let pages = 0; pages < MAX_PAGES && !this.finished; pages += 1) {
      if (this.timeline.firstId <= id) return;
      await this.page(LARGE_PAGE);
    }
  }

  /** Observes anew, because an observer reports changes only and the mark may still be in sight. */
  checkAgain() {
    this.watch.unobserve(this.mark);
    this.watch.observe(this.mark);
  }

  finish() {
    this.finished = true;
    this.watch.disconnect();
    fillSlots(this.mark, { state: this.timeline.firstId ? t("beginning") : "" });
  }
}

export function startHistoryLoader(timeline, url, loaded) {
  return new HistoryLoader(timeline, url, loaded);
}
