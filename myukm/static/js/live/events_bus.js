// Client event bus fed by the SSE stream. <html> carries the cursor of the rendered state
// (data-cursor) and the account (data-account).

import { isReplayed } from "./event_types.js";
import { ReplayBuffer } from "./replay_buffer.js";
import { canShare, SharedConnection } from "./shared_connection.js";
import { SseConnection } from "./sse_connection.js";

const root = document.documentElement;
const listeners = new Map();

/** Calls `listener(data)` on each event of that type; also "open", "lost", "reset" and "ended". */
export function on(type, listener) {
  listeners.set(type, [...(listeners.get(type) ?? []), listener]);
}

function emit(type, data) {
  for (const listener of listeners.get(type) ?? []) listener(data);
}

const page = {
  cursor: root.dataset.cursor ? Number(root.dataset.cursor) : null,
  recent: null,
  lastState: "waiting",

  event(event) {
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
    if (name === "open") this.recent.forgetStates();
    this.lastState = name;
    root.dataset.stream = name;
    emit(name);
  },

  /** A page whose state has no number begins where the stream is. */
  goOnFrom(cursor) {
    if (this.cursor !== null || cursor === null) return;
    this.cursor = cursor;
    this.recent.begin(cursor);
  },
};

function start() {
  if (!root.dataset.account) return;
  page.recent = new ReplayBuffer(page.cursor);
  const connection = canShare() ? new SharedConnection(`stream:${root.dataset.account}`, page) : alone();
  connection.start();
  addEventListener("pagehide", () => connection.stop());
  addEventListener("pageshow", (event) => event.persisted && connection.start());
}

function alone() {
  const source = new SseConnection(page);
  return { start: () => source.open(), stop: () => source.close() };
}

// By then every module of the page has put its listeners in.
document.addEventListener("DOMContentLoaded", start);
