import { fillSlots, setIcon } from "../core/dom.js";
import { number, percent } from "../core/format.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { onProgress } from "./progress_events.js";
import { counts, isLive, isSuspicious } from "./state.js";

/** What the bar says of a run, as [tone, icon, text]. */
export function barState(progress) {
  const { status, stalled, reason, paused_by: name } = progress;
  if (status === "paused") return paused(progress, name);
  if (status === "completed" && progress.dry_run)
    return [progress.failed ? "wait" : "good", "info", t("run_tried", counts(progress))];
  if (status === "completed" && progress.failed > 0)
    return ["wait", "warning", t("run_completed_failures", counts(progress))];
  if (status === "completed") return ["good", "good", t("run_completed", counts(progress))];
  if (status === "cancelled") return ["neutral", "stop", t("run_cancelled", counts(progress))];
  if (status === "failed") return ["bad", "bad", t("run_failed", { reason })];
  if (stalled) return ["wait", "warning", t("run_stalled", { reason })];
  return ["neutral", status === "cancelling" ? "stop" : "sync", t(`run_${status}`)];
}

function paused(progress, name) {
  if (isSuspicious(progress)) return ["wait", "warning", t("run_guard")];
  // A pause by a person has no code; the other codes are refusals of the API.
  if (progress.reason_code) return ["bad", "warning", t("run_refused")];
  return [
    "wait",
    "pause",
    name ? t("run_paused_by", { name: bidiIsolate(name) }) : t("run_paused"),
  ];
}

/** Id, status and reason of the run that lived when the server made the page; without such a run
 * the id is null. */
export function runOfBar() {
  const { run, status, code } = document.getElementById("run-bar")?.dataset ?? {};
  return { run_id: run ? Number(run) : null, status, reason_code: code || null };
}

/** Shows the bar at the top of every page while a run lives; then how it ended. */
export function startRunBar() {
  const bar = document.getElementById("run-bar");
  if (!bar) return;
  let followed = runOfBar().run_id;
  onProgress((progress) => {
    if (isLive(progress)) followed = progress.run_id;
    bar.hidden = !isLive(progress) && (progress.run_id === null || progress.run_id !== followed);
    if (!bar.hidden) show(bar, progress);
  });
}

function show(bar, progress) {
  const [tone, icon, state] = barState(progress);
  const { processed, total, percent: done } = progress;
  bar.className = `run-bar figure tone-${tone}`;
  setIcon(bar, icon);
  bar.querySelector("progress").value = done;
  const count = `${number(processed)} / ${number(total)} · ${percent(done)}`;
  fillSlots(bar, { state, count: isLive(progress) ? count : "" });
  bar.querySelector(".run-bar-state").title = state; // the bar shows as much as fits in one line
}
