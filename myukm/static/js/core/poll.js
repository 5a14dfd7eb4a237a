const PAUSE_MS = 1000;
const PAUSE_AFTER_FAILURE_MS = 10_000;

/** Calls `ask` each second as long as `isWanted`, but not in a page that nobody sees. `ask` resolves to
 * whether the server answered; one that does not is asked less often. */
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
