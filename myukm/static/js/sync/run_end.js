// Says on every page of an admin or treasurer that a run ended, was paused by the guard or refused by
// the payment API; by the browser's notification, too, if this browser wants it.

import { accountId } from "../core/account.js";
import { now } from "../core/clock.js";
import { firstTab } from "../core/first_tab.js";
import { t } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { show } from "../push/notification.js";
import { wanted } from "../push/notification_switch.js";
import { barState, runOfBar } from "./run_bar.js";
import { isLive } from "./state.js";

const PAGE = "/admin/sync-pembayaran";
const HELD_MS = 60_000;
export const RUN_ENDS = "sync";

/** A name of what a run came to, null while it goes on or while a person paused it. */
export function endOf({ status, reason_code: code }) {
  if (status === "paused") return code && `paused ${code}`;
  return isLive({ status }) ? null : status;
}

/** Finds the ends among the progress objects that a page receives: each once, and none of a run that
 * this page never saw alive. */
export class RunEnds {
  latest = null;

  /** `followed` is the run that lived when the page was made, null without one. */
  constructor(followed = null) {
    this.followed = followed;
  }

  /** Whether this object is an end to announce. */
  isNew(progress) {
    const end = endOf(progress);
    const seen = progress.run_id !== null && progress.run_id === this.followed;
    const isNew = end !== null && seen && end !== this.latest;
    if (isLive(progress)) this.followed = progress.run_id;
    if (seen || isLive(progress)) this.latest = end;
    return isNew;
  }
}

export function startRunEnds() {
  if (!document.querySelector("[data-run-ends]")) return;
  const ends = new RunEnds(runOfBar());
  on("sync.progress", (progress) => ends.isNew(progress) && announce(progress));
}

async function announce(progress) {
  const [tone, , text] = barState(progress);
  // The page of the run says it itself, in more words.
  if (!document.getElementById("sync")) toast(text, tone, [t("run_open"), PAGE]);
  const name = `run:${accountId()}:${progress.run_id}:${endOf(progress)}`;
  if (!wanted(RUN_ENDS) || !(await firstTab(name, HELD_MS))) return;
  const options = { path: PAGE, id: now() };
  show(t("run_title"), text, `run-${progress.run_id}`, options).catch((error) => {
    console.info(error.message); // the permission may be gone, or the phone refuses
  });
}
