// The page's ear: modules say here what they listen for. Where the page's state stood when it was
// rendered is on <html> (data-cursor), and whose page it is (data-account).

import { isReplayed } from "./events.js";
import { Recent } from "./recent.js";
import { Source } from "./source.js";
import { canShare, Tabs } from "./tabs.js";

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
    this.recent.keep(event);
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
  page.recent = new Recent(page.cursor);
  const ear = canShare() ? new Tabs(`stream:${root.dataset.account}`, page) : alone();
  ear.start();
  addEventListener("pagehide", () => ear.stop());
  addEventListener("pageshow", (event) => event.persisted && ear.start());
}

function alone() {
  const source = new Source(page);
  return { start: () => source.open(), stop: () => source.close() };
}

// By then every module of the page has put its listeners in.
document.addEventListener("DOMContentLoaded", start);
