// One connection to `/stream`, which reconnects with backoff from its cursor. The server sends at
// least a heartbeat every 15 s. A half-open connection sends nothing and reports no error, so
// silence counts as an error. If two connections in a row are silent while other requests are
// answered, a proxy buffers the stream, which is reported to the server.

import { accountId } from "../core/account.js";
import { post } from "../core/api.js";
import { backoff } from "../core/backoff.js";
import { TYPES } from "./event_types.js";

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 20_000;
const ANSWER_MS = 10_000;
const FIRST_HEARTBEAT_MS = 10_000;
const LATE_MS = 5000;
export const SILENCE_MS = 30_000;

export class SseConnection {
  /** Calls `to.event({type, data, seq})`, `to.reset(data, seq)` and `to.state(name)` with "open",
   * "lost", or "ended" when the session is over. `to.cursor` is where to resume. */
  constructor(to) {
    this.to = to;
    this.failures = 0;
    this.silences = 0;
    this.spreadMs = 0;
    addEventListener("online", () => this.running && this.reconnect(0));
  }

  open() {
    this.close();
    this.running = true;
    this.heartbeats = 0;
    this.degraded = false;
    this.source = new EventSource(this.address);
    this.source.addEventListener("error", () => this.lost());
    this.listen("open", () => this.opened());
    this.listen("bye", (event) => this.onBye(event));
    this.listen("heartbeat", (event) => this.heartbeat(JSON.parse(event.data)));
    this.listen("reset", (event) => this.to.reset(JSON.parse(event.data), number(event)));
    for (const type of TYPES) {
      this.listen(type, (event) =>
        this.to.event({ type, data: JSON.parse(event.data), seq: number(event) }),
      );
    }
    this.restartSilenceTimer();
  }

  /** The server sends the first heartbeat at once. Only the second resets the backoff, because a proxy
   * may accept every connection and cut it soon. `degraded`: the server cannot reach Valkey, so
   * transient events are lost. Once Valkey is back, a new connection brings the current presence and
   * unread counts. */
  heartbeat({ spread_ms: spreadMs = 0, degraded = false }) {
    this.spreadMs = spreadMs;
    this.heartbeats += 1;
    if (this.heartbeats > 1) this.failures = this.silences = 0;
    const isBack = this.degraded && !degraded;
    this.degraded = degraded;
    if (isBack) this.retry();
  }

  listen(type, listener) {
    this.source.addEventListener(type, (event) => {
      this.restartSilenceTimer();
      listener(event);
    });
  }

  /** Every event gives the connection another 30 s. The connection after the first counted silence has
   * only 10 s for its first heartbeat, which comes at once, so that a buffering proxy is reported
   * soon. Later connections have 30 s again. */
  restartSilenceTimer() {
    clearTimeout(this.silenceTimer);
    const isSuspected = this.silences === 1 && this.heartbeats === 0;
    const wait = isSuspected ? FIRST_HEARTBEAT_MS : SILENCE_MS;
    const due = performance.now() + wait;
    this.silenceTimer = setTimeout(() => this.onSilence(performance.now() - due), wait);
  }

  /** Counts a silence only while requests are answered. A timer that fired more than `LATE_MS` late
   * counts as no silence, because the computer was asleep. */
  async onSilence(lateMs) {
    this.retry();
    const answered = lateMs < LATE_MS && (await this.status()) === 200;
    this.silences = answered ? this.silences + 1 : 0;
    if (this.source) this.restartSilenceTimer(); // opened before the response came
    if (this.silences > 1) post("/stream/held").catch(() => {}); // reported again if it lasts
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.silenceTimer);
    this.source?.close();
    this.source = null;
    this.running = false;
  }

  get address() {
    const query = new URLSearchParams({ account: accountId() });
    if (this.to.cursor !== null) query.set("cursor", this.to.cursor);
    return `/stream?${query}`;
  }

  opened() {
    this.to.state("open");
  }

  onBye(event) {
    this.reconnect(JSON.parse(event.data).retry_ms);
  }

  reconnect(wait) {
    this.close();
    this.running = true;
    this.timer = setTimeout(() => this.open(), wait);
  }

  /** A retry comes at a random moment within the time that the server named, because all its streams
   * come back together when it is restarted. */
  retry() {
    const spread = Math.random() * this.spreadMs;
    this.reconnect(Math.max(spread, backoff(FIRST_WAIT_MS, MAX_WAIT_MS, this.failures)));
    this.failures += 1;
    this.to.state("lost");
  }

  async lost() {
    const refused = this.source.readyState === EventSource.CLOSED;
    this.silences = 0;
    this.retry();
    if (refused && (await this.status()) === 401 && this.running) {
      this.close();
      this.to.state("ended");
    }
  }

  /** The status of a HEAD request, because EventSource hides why a stream was refused; 0 without a
   * response. */
  async status() {
    const signal = AbortSignal.timeout?.(ANSWER_MS);
    try {
      return (await fetch(this.address, { method: "HEAD", signal })).status;
    } catch {
      return 0;
    }
  }
}

function number({ lastEventId }) {
  return lastEventId ? Number(lastEventId) : null;
}
