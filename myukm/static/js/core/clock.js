// The server's time. A phone's clock may be wrong by a day, so only differences are taken from it:
// the page carries the moment when it was made, answers carry theirs in their `Date` header.

const TOLERANCE_MS = 5000;

/** The server's time `serverMs` at the moment `measuredMs` of the page's monotonic clock. */
let reference = null;

function pageReference() {
  const { now: made } = document.documentElement.dataset;
  const [visit] = performance.getEntriesByType("navigation");
  return {
    serverMs: made ? Date.parse(made) : Date.now(),
    measuredMs: visit?.responseStart ?? performance.now(),
  };
}

/** The server's time now, in milliseconds as `Date.now()` gives them. */
export function now() {
  reference ??= pageReference();
  return reference.serverMs + performance.now() - reference.measuredMs;
}

/** Corrects the clock by an answer's `Date` header, because the monotonic clock stops while a
 * device sleeps. */
export function syncFromHeader(date) {
  const serverMs = Date.parse(date);
  if (!(Math.abs(serverMs - now()) > TOLERANCE_MS)) return;
  reference = { serverMs, measuredMs: performance.now() };
}
