import { fillSlots } from "../core/dom.js";
import { number, percent } from "../core/format.js";
import { on } from "../live/events_bus.js";
import { isLive } from "./state.js";

/** Shows the bar at the top of every page while a run lives. */
export function startRunBar() {
  const bar = document.getElementById("run-bar");
  if (!bar) return;
  on("sync.progress", (progress) => {
    bar.hidden = !isLive(progress);
    bar.querySelector("progress").value = progress.percent;
    fillSlots(bar, {
      text: `${number(progress.processed)} / ${number(progress.total)} · ${percent(progress.percent)}`,
    });
  });
}
