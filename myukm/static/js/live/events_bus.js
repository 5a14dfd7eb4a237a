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

/** Calls `listener(data)` on each event of that type; also "open" and "lost" (the connection), "reset"
 * (events are missing), and "ended" (the session is over). */
export function on(type, listener) {
  listeners.set(type, [...(listeners.get(type) ?? []), listener]);
}

/** Calls `listener` when transient events may have been missed: each time the stream opens again, and
 * after a reset. */
export function onGap(listener) {
  let isAgain = false;
  on("open", () => {
    if (isAgain) listener();
    isAgain = true;
  });
  on("reset", listener);
}

function emit(type, data) {
  for (const listener of listeners.get(type) ?? []) {
    try {
      listener(localized(data));
    } catch (error) {
      reportError(error); // the other listeners need the event, too: it is not sent again
    }
  }
}

const stream = {
  cursor: null,
  replayBuffer: null,
  lastState: "waiting",
  /** When the stream last sent something, in milliseconds of the server's clock. */
  lastReceivedAt: null,

  event(event) {
    this.lastReceivedAt = now();
    if (isReplayed(event)) {
      if (this.cursor !== null && event.seq <= this.cursor) return;
      this.cursor = event.seq;
    } else this.startFrom(event.seq);
    this.replayBuffer.add(event);
    emit(event.type, event.data);
  },

  reset(data, seq) {
    this.cursor = seq;
    this.replayBuffer.begin(seq);
    emit("reset", data);
  },

  state(name) {
    if (name === "open") {
      this.replayBuffer.clearStates();
      this.lastReceivedAt = now();
    }
    this.lastState = name;
    document.documentElement.dataset.stream = name;
    emit(name);
  },

  /** Sets the cursor of a page that was rendered without one to the stream's current cursor. */
  startFrom(cursor) {
    if (this.cursor !== null || cursor === null) return;
    this.cursor = cursor;
    this.replayBuffer.begin(cursor);
  },
};

/** When the stream last sent something, in milliseconds of the server's clock. */
export const lastReceivedAt = () => stream.lastReceivedAt;

/** Opens the stream, if somebody is logged in. Every listener must be registered by then. */
export function connect() {
  if (!accountId()) return;
  const { cursor } = document.documentElement.dataset;
  stream.cursor = cursor ? Number(cursor) : null;
  stream.replayBuffer = new ReplayBuffer(stream.cursor);
  stream.lastReceivedAt = now();
  const connection = canShare()
    ? new SharedConnection(`stream:${accountId()}`, stream)
    : unsharedConnection();
  // Otherwise each next tab would become the leader, be refused, and open the log-in page again.
  on("ended", () => connection.stop());
  connection.start();
  addEventListener("pagehide", () => connection.stop());
  addEventListener("pageshow", (event) => event.persisted && connection.start());
}

function unsharedConnection() {
  const source = new SseConnection(stream);
  return { start: () => source.open(), stop: () => source.close() };
}
