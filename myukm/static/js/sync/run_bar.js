import { fillSlots } from "../core/dom.js";
import { number, percent } from "../core/format.js";
import { on } from "../live/events_bus.js";

const LIVE = new Set(["queued", "running", "paused", "cancelling"]);

export function startRunBar() {
  const bar = document.getElementById("run-bar");
  if (!bar) return;
  on("sync.progress", (progress) => {
    bar.hidden = !LIVE.has(progress.status);
    bar.querySelector("progress").value = progress.percent;
    fillSlots(bar, {
      text: `${number(progress.processed)} / ${number(progress.total)} · ${percent(progress.percent)}`,
    });
  });
}
