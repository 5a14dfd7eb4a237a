import * as api from "../core/api.js";
import { retried } from "../core/retry.js";

const PAGE_SIZE = 50;
const NEAR_PX = 400;

/** In a room that was opened at an older message, loads newer messages when the reader comes near
 * the last loaded one. Until the end of the conversation is loaded, messages that arrive are not
 * shown, because the messages before them are missing, and nothing is reported as read. */
export class NewerLoader {
  constructor({ timeline, url, reading, addFromServer }) {
    Object.assign(this, { timeline, url, reading, addFromServer, newest: 0 });
    this.check = retried(() => this.loadNear());
  }

  /** Whether newer messages than the last loaded one exist. */
  get hasMore() {
    return this.timeline.anchor.newerLeft;
  }

  start() {
    const { anchor, box } = this.timeline;
    anchor.newerLeft = true;
    this.paused = this.reading.pause();
    box.addEventListener("scroll", this.check, { passive: true });
  }

  /** Counts a message that arrived and is not shown yet. */
  postpone({ id }) {
    this.newest = Math.max(this.newest, id);
    this.timeline.anchor.addUnseen();
  }

  /** Loads pages as long as the reader is near the last loaded message. */
  async loadNear() {
    if (!this.hasMore || this.busy || !this.timeline.anchor.isWithin(NEAR_PX)) return;
    this.busy = true;
    try {
      await this.load();
    } finally {
      this.busy = false;
    }
    requestAnimationFrame(this.check);
  }

  async load() {
    const { timeline } = this;
    const after = timeline.lastServerId;
    const { messages } = await api.get(`${this.url}/messages?after=${after}&limit=${PAGE_SIZE}`);
    this.addFromServer(messages);
    timeline.anchor.newerLeft =
      messages.length === PAGE_SIZE || this.newest > timeline.lastServerId;
    timeline.anchor.moved();
    if (this.hasMore) return;
    const resume = await this.paused;
    resume();
    this.reading.checkSoon();
  }
}
