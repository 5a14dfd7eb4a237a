// The list of members of a large UKM is loaded again after changes: the server lists only some of the
// members, and publishes only one of their changes a second.

const MIN_WAIT_MS = 60_000;
const SPREAD_MS = 60_000;

/** Returns a function to call after each change of a member. If `presence` does not know all members,
 * it lets `refresh` be called once in one to two minutes, at a random moment so that many pages do not
 * ask at once; or as soon as the person opens the list (`panel`) or comes back to the page. While
 * nobody sees the list nothing is loaded. */
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
  return () => {
    if (isStale || presence.complete) return;
    isStale = true;
    timer = setTimeout(refreshIfSeen, MIN_WAIT_MS + Math.random() * SPREAD_MS);
  };
}
