// The page of one run: live while it runs, and one cause of failure tried again at a press.

import * as api from "../core/api.js";
import { data, fillSlots } from "../core/dom.js";
import { reloadParts } from "../core/partial_reload.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { plot, SpeedChart } from "./chart.js";
import { counts } from "./state.js";

const EVERY_MS = 5_000;
const page = document.getElementById("run");
const run = Number(page.dataset.run);
const chart = new SpeedChart(document.getElementById("speed"), data("course"));

let { status } = data("progress");
let next = Date.now() + EVERY_MS;

/** Takes the rest of the page anew when the run took a step, and now and then. */
function renew(progress) {
  const step = progress.status !== status;
  if (!step && Date.now() < next) return;
  status = progress.status;
  next = Date.now() + EVERY_MS;
  reloadParts(["run-head", "run-traffic", "run-trail", ...(step ? ["run-failures"] : [])]);
}

async function retry(button) {
  button.disabled = true;
  try {
    await api.post(`${page.dataset.sync}/start`, { failed_of: run, code: button.dataset.retry });
    location.assign(page.dataset.sync);
  } catch (error) {
    button.disabled = false;
    toast(error.message, "bad");
  }
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("[data-retry]");
  if (button) retry(button);
});
on("sync.progress", (progress) => {
  if (progress.run_id !== run) return;
  fillSlots(page, counts(progress));
  plot(chart, progress);
  renew(progress);
});
