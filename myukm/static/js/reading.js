import * as api from "./api.js";

const SETTLE_MS = 600;

/** Tells the server what was read: the newest message, once it stood in view for a moment. */
export function startReading(timeline, url) {
  let read = 0;
  let timer = 0;

  function tell() {
    if (document.hidden || !timeline.place.atEnd || timeline.lastTold <= read) return;
    read = timeline.lastTold;
    api.post(`${url}/read`, { last_id: read }).catch(() => {
      read = 0;
    });
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLE_MS);
  }

  timeline.box.addEventListener("scroll", soon, { passive: true });
  document.addEventListener("visibilitychange", soon);
  soon();
  return soon;
}
