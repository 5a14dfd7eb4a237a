// Lets only one tab of this browser do something. The browser releases the web lock of a tab that
// crashes.

/** Whether this tab is the first to request the lock `name`, which it then holds for `heldMs`. */
export function firstTab(name, heldMs) {
  if (!navigator.locks) return true;
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      return lock && new Promise((release) => setTimeout(release, heldMs));
    });
  });
}
