// Of all tabs of this browser one does a thing. Tabs agree by web locks, because a crash releases them.

/** Whether this tab is the first to ask for `name`, which it holds for so many milliseconds. */
export function firstTab(name, heldMs) {
  if (!navigator.locks) return true;
  return new Promise((answer) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      answer(Boolean(lock));
      return lock && new Promise((stale) => setTimeout(stale, heldMs));
    });
  });
}
