// Lets only one tab of this browser do something. Tabs agree by web locks, because a crash releases them.

/** Whether this tab is the first to ask for the lock `name`, which it then holds for `heldMs`. */
export function firstTab(name, heldMs) {
  if (!navigator.locks) return true;
  return new Promise((answer) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      answer(Boolean(lock));
      return lock && new Promise((stale) => setTimeout(stale, heldMs));
    });
  });
}
