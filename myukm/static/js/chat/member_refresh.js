// The list of members of a large UKM is loaded again after changes: the server lists only some of the
// members, and publishes only one of their changes a second.

const MIN_WAIT_MS = 60_000;
const SPREAD_MS = 60_000;

/** Returns a function to call after each change of a member. If `presence` does not know all members,
 * a change makes the list stale. `refresh` is called after one to two minutes, at a random moment, so
 * that many pages do not ask at once. While nobody sees the list (`panel`), it is called only once
 * the person opens it, widens the window or comes back to the page. */
export function startMemberRefresh(presence, panel, refresh) {
  let isStale = false;
  let timer;

  function refreshIfSeen() {
    if (!isStale || document.hidden || !panel.checkVisibility()) return;
    clearTimeout(timer);
    isStale = false;
    refresh();
  }

  panel.addEventListener("toggle", refreshIfSeen);
  document.addEventListener("visibilitychange", refreshIfSeen);
  window.addEventListener("resize", refreshIfSeen); // a wide page shows the list without a "toggle"
  return () => {
    if (isStale || presence.complete) return;
    isStale = true;
    timer = setTimeout(refreshIfSeen, MIN_WAIT_MS + Math.random() * SPREAD_MS);
  };
}
