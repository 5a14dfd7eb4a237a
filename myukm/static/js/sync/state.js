// The meaning of a progress object: the actions that it allows, and the message for the reader.

import { number } from "../core/format.js";
import { t } from "../core/i18n.js";

const ENDED = ["idle", "completed", "cancelled", "failed"];
const ALLOWED = {
  start: ENDED,
  "retry-failed": ENDED,
  reset: ENDED,
  pause: ["queued", "running"],
  resume: ["paused"],
  accept: ["paused"],
  cancel: ["queued", "running", "paused"],
};
const SUSPICIOUS = "suspicious_api";
const COUNTS = [
  "total",
  "processed",
  "success",
  "failed",
  "unchanged",
  "cancelled",
  "pending",
  "workers",
  "changed",
];

/** Whether the run is not over. */
export const isLive = ({ status }) => !ENDED.includes(status);

/** Whether `next` is older than `shown`, because events may overtake each other: of an earlier run, or
 * of the same run with fewer students listed or done, or from before its end or its cancelling. */
export function isStale(next, shown) {
  if (next.run_id === null) return false; // a reset, which the page may see without the run's end
  if (next.run_id !== shown.run_id) return next.run_id < (shown.run_id ?? 0);
  const done = ({ processed, cancelled }) => processed + cancelled;
  if (next.total < shown.total || done(next) < done(shown)) return true;
  return stage(next) < stage(shown);
}

/** How far the run is: a later stage never goes back to an earlier one. */
function stage(progress) {
  if (!isLive(progress)) return 2;
  return progress.status === "cancelling" ? 1 : 0;
}

/** Whether the run waits for a person to accept or refuse the quarantined answers. */
export const isSuspicious = (progress) => progress.reason_code === SUSPICIOUS;

/** Whether the server would accept the action now. */
export function mayDo(action, progress) {
  if (!ALLOWED[action].includes(progress.status)) return false;
  if (action === "retry-failed") return progress.failed > 0;
  if (action === "resume" || action === "accept")
    return (action === "accept") === isSuspicious(progress);
  return action !== "reset" || progress.status !== "idle";
}

/** Label, tone and icon of the run; an end that left students out says so, and is not green. */
export function shownStatus(progress, statuses) {
  const own = statuses[progress.status];
  if (progress.status === "completed" && progress.failed > 0)
    return { label: t("completed_some_failed", counts(progress)), tone: "wait", icon: "warning" };
  if (progress.status === "cancelled" && progress.total > 0)
    return { ...own, label: t("cancelled_part", counts(progress)) };
  return own;
}

/** The counts, formatted for the reader's language. */
export function counts(progress) {
  const numbers = { ...progress, changed: progress.success - progress.unchanged };
  return Object.fromEntries(COUNTS.map((name) => [name, number(numbers[name])]));
}

/** The message for the reader as [tone, title, text]: why the run waits, how it ended, or what it does. */
export function message(progress) {
  if (progress.status === "completed" && progress.dry_run)
    return [progress.failed ? "wait" : "good", t("tried", counts(progress))];
  if (progress.status === "completed" && progress.failed > 0)
    return ["wait", t("completed_with_failures", counts(progress))];
  if (progress.status === "completed") return ["good", t("completed", counts(progress))];
  if (progress.status === "cancelled")
    return ["neutral", t("cancelled", counts(progress)), progress.reason];
  if (progress.status === "failed") return ["bad", t("failed"), progress.reason];
  if (progress.stalled) return ["wait", t("stalled"), progress.reason];
  if (progress.status === "paused")
    return ["wait", t(isSuspicious(progress) ? "suspicious" : "paused"), progress.reason];
  if (progress.reason) return ["neutral", progress.reason];
  return ["neutral", t(progress.status === "idle" ? "none_runs" : progress.status)];
}
