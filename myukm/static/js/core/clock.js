// The server's time. A phone's clock may be wrong by a day, so only differences are taken from it:
// the page carries the moment when it was made, answers carry theirs in their `Date` header.

const TOLERANCE_MS = 5000;

/** The server's time `serverMs` at the moments `measuredMs` of the page's monotonic clock and `wallMs` of
 * the device's clock. */
let reference = null;

/** The reference of a page that received `serverMs` this long ago. */
function received(serverMs, agoMs = 0) {
  return { serverMs, measuredMs: performance.now() - agoMs, wallMs: Date.now() - agoMs };
}

function pageReference() {
  const { now: made } = document.documentElement.dataset;
  if (!made) return received(Date.now());
  const [visit] = performance.getEntriesByType("navigation");
  return received(Date.parse(made), visit ? performance.now() - visit.responseStart : 0);
}

/** The server's time now, in milliseconds as `Date.now()` gives them. The monotonic clock stops while a
 * device sleeps, and the device's clock may be set back: the one that went further is right. */
export function now() {
  reference ??= pageReference();
  const { serverMs, measuredMs, wallMs } = reference;
  return serverMs + Math.max(performance.now() - measuredMs, Date.now() - wallMs);
}

/** Corrects the clock by an answer's `Date` header, because the device's clock may have been set. */
export function syncFromHeader(date) {
  const serverMs = Date.parse(date);
  if (!(Math.abs(serverMs - now()) > TOLERANCE_MS)) return;
  reference = received(serverMs);
}
