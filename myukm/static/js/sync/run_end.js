// Announces to admins and treasurers, on every page, that a run ended, or that the guard or a refusal of
// the payment API paused it; also by the browser's notification, if this browser wants it.

import { accountId } from "../core/account.js";
import { now } from "../core/clock.js";
import { firstTab } from "../core/first_tab.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { show } from "../push/notification.js";
import { isWanted } from "../push/notification_switch.js";
import { onProgress } from "./progress_events.js";
import { barState, runOfBar } from "./run_bar.js";
import { isLive } from "./state.js";

const PAGE = "/admin/sync-pembayaran";
const LOCK_HELD_MS = 60_000;
export const RUN_ENDS = "sync";

/** How a run ended, or why the program paused it; null while it goes on or while a person paused it. */
export function endOf({ status, reason_code: code }) {
  if (status === "paused") return code && `paused ${code}`;
  return isLive({ status }) ? null : status;
}

/** Finds the ends among the progress objects that a page receives: each end once, and only of runs
 * that this page saw alive, or sees paused: such a run began after the page was rendered. */
export class RunEnds {
  /** `run` is what `runOfBar` returns: the run's state when the page was rendered is no news. */
  constructor(run) {
    this.followed = run.run_id;
    this.latest = run.run_id === null ? null : endOf(run);
  }

  /** Whether this progress object is an end to announce. */
  isNew(progress) {
    const end = endOf(progress);
    const seen = progress.run_id !== null && progress.run_id === this.followed;
    const isNew = end !== null && (seen ? end !== this.latest : isLive(progress));
    if (isLive(progress)) this.followed = progress.run_id;
    if (seen || isLive(progress)) this.latest = end;
    return isNew;
  }
}

export function startRunEnds() {
  if (!document.querySelector("[data-run-ends]")) return;
  const ends = new RunEnds(runOfBar());
  onProgress((progress) => ends.isNew(progress) && announce(progress));
}

async function announce(progress) {
  const [tone, , text] = barState(progress);
  // The page of the current run already shows the end, with more details.
  if (!document.getElementById("sync")) toast(text, tone, [t("run_open"), PAGE]);
  const { run_id: run } = progress;
  const name = `run:${accountId()}:${run}:${endOf(progress)}`;
  if (!isWanted(RUN_ENDS) || !(await firstTab(name, LOCK_HELD_MS))) return;
  // Tag and id as those of the pushed notification (domain/push/staff.py), so that it rings only once.
  const [tag, id] = isLive(progress) ? [`decision-${run}`, now()] : [`run-${run}`, run];
  show(t("run_title"), text, tag, { path: PAGE, id }).catch((error) => {
    console.info(error.message); // the permission may be gone, or the phone refuses
  });
}
