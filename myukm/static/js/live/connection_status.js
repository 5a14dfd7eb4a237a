// A line at the top of every page says when the page is not live, and how old its figures are;
// <html data-live="lost"> dims the figures. The line also says when Valkey does not answer, because
// events then come from the database, up to a second later.

import { now } from "../core/clock.js";
import { fillSlots, setIcon } from "../core/dom.js";
import { clockSeconds, duration } from "../core/format.js";
import { t } from "../core/i18n.js";
import { lastReceivedAt, on } from "./events_bus.js";
import { SILENCE_MS } from "./sse_connection.js";

const GRACE_MS = 3000;
const TICK_MS = 1000;

const listeners = [];
let line = null;
let isLost = false;
let isSlow = false;
let timer = 0;

/** Starts the line at the top of the page. */
export function startConnectionStatus() {
  line = document.getElementById("live-line");
  if (!line) return;
  on("lost", lost);
  addEventListener("offline", lost);
  on("open", opened);
  on("heartbeat", ({ degraded }) => {
    isSlow = degraded;
    if (!isLost) show();
  });
}

/** Calls `listener` each time the stream is open again after it was lost. */
export function onReconnect(listener) {
  listeners.push(listener);
}

function opened() {
  clearTimeout(timer);
  const wasLost = isLost;
  isLost = false;
  show();
  if (wasLost) for (const listener of listeners) listener();
}

/** The line is shown only after `GRACE_MS`, because a restart of the server is over sooner. */
function lost() {
  if (isLost) return;
  isLost = true;
  const certain = !navigator.onLine || now() - lastReceivedAt() >= SILENCE_MS;
  timer = setTimeout(tick, certain ? 0 : GRACE_MS);
}

function tick() {
  show();
  timer = setTimeout(tick, TICK_MS);
}

function show() {
  const state = isLost ? "lost" : isSlow ? "slow" : "";
  const { dataset } = document.documentElement;
  line.hidden = !state;
  // Only a new state is announced to screen readers, not each second.
  if (dataset.live !== state) fillSlots(line, { announced: state && t(`live_${state}`) });
  dataset.live = state;
  if (!state) return;
  setIcon(line, isLost ? "offline" : "wait");
  const seconds = Math.max(0, now() - lastReceivedAt()) / 1000;
  const values = { duration: duration(seconds), time: clockSeconds(lastReceivedAt()) };
  fillSlots(line, { text: t(isLost ? "live_lost_since" : "live_slow", values) });
}
