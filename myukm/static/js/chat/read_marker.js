import * as api from "../core/api.js";
import { retried } from "../core/retry.js";
import { on } from "../live/events_bus.js";

const SETTLE_MS = 600;
const FIRST_MS = 3000;
const SPREAD_MS = 5000;
/** The last reported id before the first report. Not 0, because in a room without messages 0 is
 * reported, which marks the room's announcement as read. */
const NOTHING = -1;

/** Reports the last message that was in view for a moment as read. While unread messages before it are
 * not loaded, nothing is reported, because the marker would move past messages that nobody has seen.
 *
 * Returns three functions. `checkSoon()` checks again. `repeatReport()` repeats the last report,
 * because a report also marks a new announcement as read; it waits for a random time, because all
 * open pages repeat theirs. `pause()` stops the reports, waits for the one under way, and resolves to a
 * function that ends this pause; reports go on when every pause has ended. */
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

  function checkSoon() {
    clearTimeout(timer);
    timer = setTimeout(send, SETTLE_MS);
  }

  timeline.box.addEventListener("scroll", checkSoon, { passive: true });
  document.addEventListener("visibilitychange", checkSoon);
  // The first report waits for the stream, which brings the new unread count, but at most FIRST_MS.
  on("open", checkSoon);
  timer = setTimeout(send, FIRST_MS);
  return {
    checkSoon,
    repeatReport() {
      setTimeout(() => {
        read = NOTHING;
        checkSoon();
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
