// The page of one run: follows it while it lives, and retries the failures of one cause.

import * as api from "../core/api.js";
import { data, fillSlots } from "../core/dom.js";
import { reloadParts } from "../core/partial_reload.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { plot, SpeedChart } from "./chart.js";
import { counts } from "./state.js";

const RELOAD_EVERY_MS = 5_000;

export default function startRunPage(root) {
  const run = Number(root.dataset.run);
  const chart = new SpeedChart(document.getElementById("speed"), data("course"));
  const reload = reloader(data("progress").status);
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-retry]");
    if (button) retry(button, run, root.dataset.sync);
  });
  on("sync.progress", (progress) => {
    if (progress.run_id !== run) return;
    fillSlots(root, counts(progress));
    plot(chart, progress);
    reload(progress);
  });
}

/** A function that reloads the other parts of the page at each new status, and now and then. */
function reloader(shown) {
  let status = shown;
  let nextAt = Date.now() + RELOAD_EVERY_MS;
  return (progress) => {
    const isNew = progress.status !== status;
    if (!isNew && Date.now() < nextAt) return;
    status = progress.status;
    nextAt = Date.now() + RELOAD_EVERY_MS;
    reloadParts(["run-head", "run-traffic", "run-trail", ...(isNew ? ["run-failures"] : [])]);
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
