import * as api from "../core/api.js";
import { retried } from "../core/retry.js";

const PAGE = 50;
const NEAR_PX = 400;

/** In a room that was opened at an older message, loads newer ones when the reader comes near the end
 * of what is loaded. Until the end of the conversation is reached, messages that arrive are not
 * shown, because those before them are missing, and nothing is reported as read. */
export class NewerLoader {
  constructor({ timeline, url, reading, addFromServer }) {
    Object.assign(this, { timeline, url, reading, addFromServer, newest: 0 });
    this.check = retried(() => this.loadNear());
  }

  get left() {
    return this.timeline.anchor.newerLeft;
  }

  start() {
    const { anchor, box } = this.timeline;
    anchor.newerLeft = true;
    this.paused = this.reading.pause();
    box.addEventListener("scroll", this.check, { passive: true });
  }

  /** Remembers a message that arrived and is not shown yet. */
  missed({ id }) {
    this.newest = Math.max(this.newest, id);
    this.timeline.anchor.count();
  }

  /** Loads pages as long as the reader is near the end of what is loaded. */
  async loadNear() {
    if (!this.left || this.busy || !this.timeline.anchor.isWithin(NEAR_PX)) return;
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
    const { messages } = await api.get(`${this.url}/messages?after=${after}&limit=${PAGE}`);
    this.addFromServer(messages);
    timeline.anchor.newerLeft = messages.length === PAGE || this.newest > timeline.lastServerId;
    timeline.anchor.moved();
    if (this.left) return;
    const goOn = await this.paused;
    goOn();
    this.reading.soon();
  }
}
