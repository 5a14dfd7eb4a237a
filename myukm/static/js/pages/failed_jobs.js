// The page of failed jobs: while many are retried or discarded it shows how far that is.

import { reloadParts } from "../core/partial_reload.js";
import { poll } from "../core/poll.js";

const isRunning = () => document.querySelector("#works [data-running]") !== null;

export default function startFailedJobs() {
  poll(isRunning, () => reloadParts(["works", "failures"]));
}
