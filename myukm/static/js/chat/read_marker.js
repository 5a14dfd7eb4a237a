import * as api from "../core/api.js";

const SETTLE_MS = 600;

/** Reports the newest message as read once it has been in view for a moment. Returns a function that
 * checks again soon. */
export function startReading(timeline, url) {
  let read = 0;
  let timer = 0;

  function send() {
    if (document.hidden || !timeline.anchor.atEnd || timeline.lastServerId <= read) return;
    read = timeline.lastServerId;
    api.post(`${url}/read`, { last_id: read }).catch(() => {
      read = 0;
    });
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(send, SETTLE_MS);
  }

  timeline.box.addEventListener("scroll", soon, { passive: true });
  document.addEventListener("visibilitychange", soon);
  soon();
  return soon;
}
