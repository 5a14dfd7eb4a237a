import * as api from "../core/api.js";

const SETTLE_MS = 600;

/** Reports the last message that was in view for a moment as read. While the first unread message is
 * not loaded, nothing is reported, because the marker would move past what nobody has seen. Returns
 * `soon()`, which checks again, and `pause()`, which ends the reports until the room is opened anew. */
export function startReading(timeline, url) {
  let read = 0;
  let timer = 0;
  let paused = false;

  function send() {
    const seen = Math.min(timeline.lastInView?.message.id ?? 0, timeline.lastServerId);
    if (paused || document.hidden || timeline.hasGap || seen <= read) return;
    read = seen;
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
  return {
    soon,
    pause() {
      paused = true;
    },
  };
}
