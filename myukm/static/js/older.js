import * as api from "./api.js";
import { fill, say } from "./text.js";

const PAGE = 50;
const LARGE_PAGE = 100;
const MOST_PAGES = 30;

/** Loads the page before the first one as soon as a reader comes near the top. */
class Older {
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
    fill(this.mark, { state: say("older") });
    try {
      await this.page();
    } catch {
      fill(this.mark, { state: say("older_failed") });
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
    else this.lookAgain();
  }

  /** Loads back to the message `id`; answers whether it is on the page then. */
  async reach(id) {
    for (let pages = 0; pages < MOST_PAGES && this.timeline.firstId > id; pages += 1) {
      await this.page(LARGE_PAGE);
    }
    return this.timeline.firstId <= id;
  }

  /** An observer reports changes only: the mark may still be in sight. */
  lookAgain() {
    this.watch.unobserve(this.mark);
    this.watch.observe(this.mark);
  }

  finish() {
    this.watch.disconnect();
    fill(this.mark, { state: this.timeline.firstId ? say("beginning") : "" });
  }
}

export function startOlder(timeline, url, loaded) {
  return new Older(timeline, url, loaded);
}
