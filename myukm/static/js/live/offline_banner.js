import { on } from "./events_bus.js";

const DELAY_MS = 3000;

/** Shows `banner` while the stream is down, and calls `back` each time it is open again. */
export function watchConnection(banner, back) {
  let timer = 0;
  let wasLost = false;

  function lost() {
    if (wasLost) return;
    wasLost = true;
    timer = setTimeout(
      () => {
        banner.hidden = false;
      },
      navigator.onLine ? DELAY_MS : 0,
    );
  }

  on("lost", lost);
  addEventListener("offline", lost);
  on("open", () => {
    clearTimeout(timer);
    banner.hidden = true;
    if (wasLost) back();
    wasLost = false;
  });
}
