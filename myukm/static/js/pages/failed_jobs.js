// The page of failed jobs: shows the progress while many jobs are being retried or discarded.

import { reloadParts } from "../core/partial_reload.js";
import { poll } from "../core/poll.js";

const isRunning = () => document.querySelector("#bulk-actions [data-running]") !== null;

export default function startFailedJobs() {
  const ask = () =>
    reloadParts(["bulk-actions", "failures"]).then(
      () => true,
      () => false,
    );
  poll(isRunning, ask);
}
