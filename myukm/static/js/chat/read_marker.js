import * as api from "../core/api.js";
import { retried } from "../core/retry.js";
import { on } from "../live/events_bus.js";

const SETTLE_MS = 600;
const FIRST_MS = 3000;
const SPREAD_MS = 5000;
/** Before the first report. It is below 0, because in a room without messages 0 is reported, which
 * marks its announcement as read. */
const NOTHING = -1;

/** Reports the last message that was in view for a moment as read. While unread messages before it are
 * not loaded, nothing is reported, because the marker would move past messages that nobody has seen.
 *
 * Returns `soon()`, which checks again; `again()`, which reports the same message once more, because
 * that also marks a new announcement as read, after some random seconds, because all open pages do so;
 * and `pause()`, which stops the reports, waits for the one under way, and resolves to a function that
 * ends this pause. Reports go on when every pause has ended. */
export function startReading(timeline, url) {
  let read = NOTHING;
  let timer = 0;
  let pauses = 0;
  let sending;

  const send = retried(async () => {
    const seen = Math.min(timeline.lastInView?.message.id ?? 0, timeline.lastServerId);
    const isBlank = seen === 0 && timeline.lastServerId > 0;
    if (pauses || document.hidden || isBlank || seen <= read) return;
    if (timeline.hasGap || timeline.isIncomplete) return;
    read = seen;
    sending = api.post(`${url}/read`, { last_id: read });
    await sending.catch((error) => {
      read = NOTHING;
      throw error;
    });
  });

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(send, SETTLE_MS);
  }

  timeline.box.addEventListener("scroll", soon, { passive: true });
  document.addEventListener("visibilitychange", soon);
  // Reports when the stream is open, by which the new count comes back, or after FIRST_MS without it.
  on("open", soon);
  timer = setTimeout(send, FIRST_MS);
  return {
    soon,
    again() {
      setTimeout(() => {
        read = NOTHING;
        soon();
      }, Math.random() * SPREAD_MS);
    },
    async pause() {
      pauses += 1;
      await Promise.allSettled([sending]);
      return () => {
        pauses -= 1;
      };
    },
  };
}
