const PAUSE_MS = 1000;
const PAUSE_AFTER_FAILURE_MS = 10_000;

/** Calls `request` each second while `isWanted()` is true and the page is visible. `request`
 * resolves to whether the server answered; after a failure the next call comes after ten
 * seconds. */
export function poll(isWanted, request) {
  const next = async () => {
    if (!isWanted()) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", next, { once: true });
      return;
    }
    const answered = await request();
    setTimeout(next, answered ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS);
  };
  setTimeout(next, PAUSE_MS);
}
