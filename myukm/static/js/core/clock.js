// The server's time. A device's clock may be wrong by a day, so it only measures how much time has
// passed since the server sent its time: with the page (data-now), or in a response's `Date`
// header.

const TOLERANCE_MS = 5000;

/** One moment on three clocks: the server's (`serverMs`), the page's monotonic clock
 * (`monotonicMs`) and the device's clock (`wallMs`). */
let reference = null;

/** The reference for a server's time `serverMs` that arrived `agoMs` milliseconds ago. */
function referenceFor(serverMs, agoMs = 0) {
  return { serverMs, monotonicMs: performance.now() - agoMs, wallMs: Date.now() - agoMs };
}

function pageReference() {
  const { now: renderedAt } = document.documentElement.dataset;
  if (!renderedAt) return referenceFor(Date.now());
  const [visit] = performance.getEntriesByType("navigation");
  return referenceFor(Date.parse(renderedAt), visit ? performance.now() - visit.responseStart : 0);
}

/** The server's time now, in milliseconds as `Date.now()` gives them. The monotonic clock stops
 * while a device sleeps, and the device's clock may be set back: the clock that advanced further is
 * right. */
export function now() {
  reference ??= pageReference();
  const { serverMs, monotonicMs, wallMs } = reference;
  return serverMs + Math.max(performance.now() - monotonicMs, Date.now() - wallMs);
}

/** Corrects the clock by a response's `Date` header, because the device's clock may have been
 * set. */
export function syncFromHeader(date) {
  const serverMs = Date.parse(date);
  if (!(Math.abs(serverMs - now()) > TOLERANCE_MS)) return;
  reference = referenceFor(serverMs);
}
