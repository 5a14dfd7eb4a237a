// The event bus of the page, fed by the stream. <html> has the account (data-account), and in data-cursor
// the number of the last event that the rendered page contains.

import { accountId } from "../core/account.js";
import { now } from "../core/clock.js";
import { localized } from "../core/localized.js";
import { isReplayed } from "./event_types.js";
import { ReplayBuffer } from "./replay_buffer.js";
import { canShare, SharedConnection } from "./shared_connection.js";
import { SseConnection } from "./sse_connection.js";

const listeners = new Map();

/** Calls `listener(data)` on each event of that type; also "open", "lost", "reset" and "ended". */
export function on(type, listener) {
  listeners.set(type, [...(listeners.get(type) ?? []), listener]);
}

function emit(type, data) {
  for (const listener of listeners.get(type) ?? []) listener(localized(data));
}

const page = {
  cursor: null,
  recent: null,
  lastState: "waiting",
  /** When the stream last sent something, in milliseconds of the server's clock. */
  heardAt: null,

  event(event) {
    this.heardAt = now();
    if (isReplayed(event)) {
      if (this.cursor !== null && event.seq <= this.cursor) return;
      this.cursor = event.seq;
    } else this.goOnFrom(event.seq);
    this.recent.add(event);
    emit(event.type, event.data);
  },

  reset(data, seq) {
    this.cursor = seq;
    this.recent.begin(seq);
    emit("reset", data);
  },

  state(name) {
    if (name === "open") {
      this.recent.forgetStates();
      this.heardAt = now();
    }
    this.lastState = name;
    document.documentElement.dataset.stream = name;
    emit(name);
  },

  /** A page that was rendered without a cursor starts at the stream's current one. */
  goOnFrom(cursor) {
    if (this.cursor !== null || cursor === null) return;
    this.cursor = cursor;
    this.recent.begin(cursor);
  },
};

/** When the stream last sent something, in milliseconds of the server's clock. */
export const heardAt = () => page.heardAt;

/** Opens the stream, if somebody is logged in. Every listener must be registered by then. */
export function connect() {
  if (!accountId()) return;
  const { cursor } = document.documentElement.dataset;
  page.cursor = cursor ? Number(cursor) : null;
  page.recent = new ReplayBuffer(page.cursor);
  page.heardAt = now();
  const connection = canShare() ? new SharedConnection(`stream:${accountId()}`, page) : alone();
  // The next leader would be refused as well, and open the log-in page once more.
  on("ended", () => connection.stop());
  connection.start();
  addEventListener("pagehide", () => connection.stop());
  addEventListener("pageshow", (event) => event.persisted && connection.start());
}

function alone() {
  const source = new SseConnection(page);
  return { start: () => source.open(), stop: () => source.close() };
}
