import * as api from "../core/api.js";
import { on } from "../live/events_bus.js";

const SETTLE_MS = 600;
const FIRST_MS = 3000;
const SPREAD_MS = 5000;
/** Less than 0, which is read in a room without a message: its announcement is. */
const NOTHING = -1;

/** Reports the last message that was in view for a moment as read. While unread messages before it are
 * not loaded, nothing is reported, because the marker would move past what nobody has seen. Returns
 * `soon()`, which checks again; `again()`, which reports it once more, because an announcement is read
 * with it, at a random moment within some seconds, because all open pages do so; and `pause()`, which
 * ends the reports until the room is opened anew, waits for the one under way, and returns a function
 * that takes the pause back. */
export function startReading(timeline, url) {
  let read = NOTHING;
  let timer = 0;
  let paused = false;
  let sending;

  function send() {
    const seen = Math.min(timeline.lastInView?.message.id ?? 0, timeline.lastServerId);
    const isBlank = seen === 0 && timeline.lastServerId > 0;
    if (paused || document.hidden || isBlank || seen <= read) return;
    if (timeline.hasGap || timeline.isIncomplete) return;
    read = seen;
    sending = api.post(`${url}/read`, { last_id: read }).catch(() => {
      read = NOTHING;
    });
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(send, SETTLE_MS);
  }

  timeline.box.addEventListener("scroll", soon, { passive: true });
  document.addEventListener("visibilitychange", soon);
  // What a report changes comes back by the stream; but it does not wait for one that does not open.
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
      const before = paused;
      paused = true;
      await sending;
      return () => {
        paused = before;
      };
    },
  };
}
