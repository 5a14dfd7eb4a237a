import { number, percent } from "./format.js";
import { on } from "./stream.js";
import { fill } from "./text.js";

const LIVE = new Set(["queued", "running", "paused", "cancelling"]);

export function startRunBar() {
  const bar = document.getElementById("run-bar");
  if (!bar) return;
  on("sync.progress", (progress) => {
    bar.hidden = !LIVE.has(progress.status);
    bar.querySelector("progress").value = progress.percent;
    fill(bar, {
      text: `${number(progress.processed)} / ${number(progress.total)} · ${percent(progress.percent)}`,
    });
  });
}
