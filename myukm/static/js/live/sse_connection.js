// One connection to `/stream`: opened again after a while whenever it ends, from where it stood.

import { TYPES } from "./event_types.js";

const { account } = document.documentElement.dataset;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 20_000;

export class SseConnection {
  /** `to` hears `event({type, data, seq})`, `reset(data, seq)` and `state(name)`, which is "open",
   * "lost", or "ended" when the log-in is over; `to.cursor` is where to go on. */
  constructor(to) {
    this.to = to;
    this.failures = 0;
    addEventListener("online", () => this.running && this.reconnect(0));
  }

  open() {
    this.close();
    this.running = true;
    this.source = new EventSource(this.address);
    this.source.addEventListener("open", () => this.opened());
    this.source.addEventListener("error", () => this.lost());
    this.source.addEventListener("bye", (event) => this.leave(event));
    this.source.addEventListener("reset", (event) =>
      this.to.reset(JSON.parse(event.data), number(event)),
    );
    for (const type of TYPES) {
      this.source.addEventListener(type, (event) =>
        this.to.event({ type, data: JSON.parse(event.data), seq: number(event) }),
      );
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.running = false;
  }

  get address() {
    const query = new URLSearchParams({ account });
    if (this.to.cursor !== null) query.set("cursor", this.to.cursor);
    return `/stream?${query}`;
  }

  opened() {
    this.failures = 0;
    this.to.state("open");
  }

  leave(event) {
    this.reconnect(JSON.parse(event.data).retry_ms);
  }

  reconnect(wait) {
    this.close();
    this.running = true;
    this.timer = setTimeout(() => this.open(), wait);
  }

  async lost() {
    const refused = this.source.readyState === EventSource.CLOSED;
    const most = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    this.reconnect(most * (0.5 + Math.random() / 2));
    this.to.state("lost");
    if (refused && (await this.refusal()) === 401 && this.running) {
      this.close();
      this.to.state("ended");
    }
  }

  /** EventSource hides why it was refused; a plain request tells. */
  async refusal() {
    const abort = new AbortController();
    try {
      const { status } = await fetch(this.address, { signal: abort.signal });
      return status;
    } catch {
      return 0;
    } finally {
      abort.abort();
    }
  }
}

function number({ lastEventId }) {
  return lastEventId ? Number(lastEventId) : null;
}
