const PAUSE_MS = 1000;
const PAUSE_AFTER_FAILURE_MS = 10_000;

/** Calls `ask` each second while `isWanted()` and the page is visible. `ask` resolves to whether the server
 * answered; after a failure the next call comes later. */
export function poll(isWanted, ask) {
  const next = async () => {
    if (!isWanted()) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", next, { once: true });
      return;
    }
    const answered = await ask();
    setTimeout(next, answered ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS);
  };
  setTimeout(next, PAUSE_MS);
}
