// The page of one run: live while it runs, and one cause of failure tried again at a press.

import * as api from "./api.js";
import { plot, SpeedChart } from "./chart.js";
import { refresh } from "./refresh.js";
import { on } from "./stream.js";
import { counts } from "./sync_state.js";
import { data, fill } from "./text.js";
import { toast } from "./toast.js";

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
  refresh(["run-head", "run-traffic", "run-trail", ...(step ? ["run-failures"] : [])]);
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
  fill(page, counts(progress));
  plot(chart, progress);
  renew(progress);
});
