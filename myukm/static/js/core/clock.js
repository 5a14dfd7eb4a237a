// The server's time. A phone's clock may be a day off, so it is not asked: the page says when it
// was made, answers say when they were, and the time in between is measured.

const OFF_MS = 5000;

const { now: made } = document.documentElement.dataset;
const [visit] = performance.getEntriesByType("navigation");
let base = made ? Date.parse(made) : Date.now();
let at = visit?.responseStart ?? performance.now();

/** This moment in milliseconds, as `Date.now()` would tell it at the server. */
export const now = () => base + performance.now() - at;

/** Sets the clock by an answer's `Date` header; a sleeping device measures no time. */
export function syncFromHeader(date) {
  const sent = Date.parse(date);
  if (!(Math.abs(sent - now()) > OFF_MS)) return;
  base = sent;
  at = performance.now();
}
