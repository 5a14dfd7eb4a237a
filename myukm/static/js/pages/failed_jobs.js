// The page of failed jobs: while many are retried or discarded it shows how far that is.

import { reloadParts } from "../core/partial_reload.js";

const POLL_MILLISECONDS = 1000;

export default function startFailedJobs() {
  const poll = async () => {
    if (!document.querySelector("#works [data-running]")) return;
    await reloadParts(["works", "failures"]).catch(() => {});
    setTimeout(poll, POLL_MILLISECONDS);
  };
  setTimeout(poll, POLL_MILLISECONDS);
}
