// The page of one run: follows it while it lives, and retries the failures of one cause.

import * as api from "../core/api.js";
import { data, fillSlots } from "../core/dom.js";
import { reloader } from "../core/partial_reload.js";
import { toast } from "../core/toast.js";
import { plot, SpeedChart } from "./chart.js";
import { onProgress } from "./progress_events.js";
import { counts, isLive } from "./state.js";

const RELOAD_EVERY_MS = 5_000;
/** The status of a run whose end the page missed. */
const OVER = "idle";
const PARTS = ["run-head", "run-traffic", "run-trail"];

export default function startRunPage(root) {
  const run = Number(root.dataset.run);
  const chart = new SpeedChart(document.getElementById("speed"), data("chart-data"));
  const follow = follower(data("progress"));
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-retry]");
    if (button) retry(button, run, root.dataset.sync);
  });
  onProgress((progress) => {
    if (progress.run_id === run) {
      fillSlots(root, counts(progress));
      plot(chart, progress);
    }
    follow(progress);
  });
}

/** Returns a function that takes progress events and reloads what they do not contain. At each new
 * status it reloads everything; also when another run is current while this run still counts as
 * live, because then the page missed the end of its run. In between it reloads `PARTS`, at most every
 * `RELOAD_EVERY_MS`. After the end it reloads nothing. */
function follower({ run_id: run, status: shown }) {
  let status = shown;
  let nextAt = Date.now() + RELOAD_EVERY_MS;
  const reloadSome = reloader(...PARTS);
  const reloadAll = reloader(...PARTS, "run-figures", "run-failures");
  return (progress) => {
    const isEnded = !isLive({ status });
    const next = progress.run_id === run ? progress.status : isEnded ? status : OVER;
    if (next === status && (isEnded || Date.now() < nextAt)) return;
    nextAt = Date.now() + RELOAD_EVERY_MS;
    if (next === status) reloadSome();
    else reloadAll();
    status = next;
  };
}

async function retry(button, run, syncPage) {
  button.disabled = true;
  try {
    await api.post(`${syncPage}/start`, { failed_of: run, code: button.dataset.retry });
    location.assign(syncPage);
  } catch (error) {
    button.disabled = false;
    toast(error.message, "bad");
  }
}
