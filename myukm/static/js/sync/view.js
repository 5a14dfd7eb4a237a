// Paints a progress object on the page.

import { data, fillSlots, setIcon } from "../core/dom.js";
import { clockSeconds, decimal, left, moment, number, percent } from "../core/format.js";
import { t } from "../core/i18n.js";
import { plot, SpeedChart } from "./chart.js";
import { counts, isLive, mayDo, message } from "./state.js";

const page = document.getElementById("sync");
const notice = document.getElementById("sync-notice");
const announcer = document.getElementById("announcer");
const statuses = data("statuses");
const chart = new SpeedChart(document.getElementById("speed"), data("course"));

let announced = "";

function showStatus(progress) {
  const { label, tone, icon } = statuses[progress.status];
  const badge = document.getElementById("sync-status");
  badge.className = `badge ${tone}`;
  setIcon(badge, icon);
  fillSlots(badge, { label });
  page.dataset.status = progress.status;
  document.getElementById("dry-run").hidden = !progress.dry_run;
}

function showFigures(progress) {
  const { eta_seconds: eta, eta_range_seconds: range } = progress;
  fillSlots(page, {
    ...counts(progress),
    percent: percent(progress.percent),
    rate: pace(progress),
    eta: eta === null ? "" : left(range ?? [eta, eta]),
  });
  page.querySelector("progress").value = progress.percent;
}

function pace({ status, reason, rate_per_second: rate }) {
  if (rate !== null) return t("rate", { n: decimal(rate) });
  return status === "running" && !reason ? t("counting") : "";
}

function showOrigin(progress) {
  const { run_id: run, started_by: name, started_at: at, finished_at: until } = progress;
  fillSlots(page, {
    origin: run
      ? t(name ? "started_by" : "started", { run, name, time: clockSeconds(at) })
      : t("never_started"),
    until: until ? t("finished_at", { time: clockSeconds(until) }) : "",
  });
  const link = document.getElementById("run-link");
  link.hidden = !run;
  link.href = `${page.dataset.runs}/${run}`;
  page.querySelector('[data-slot="origin"]').title = at ? moment(at) : "";
}

function showNotice(progress) {
  const [tone, title, text] = message(progress) ?? [];
  notice.hidden = !tone;
  if (!tone) return;
  notice.className = `notice ${tone}`;
  setIcon(notice, tone === "wait" ? "warning" : tone);
  fillSlots(notice, { title, text });
}

function showButtons(progress) {
  for (const button of page.querySelectorAll("[data-action]")) {
    button.disabled = !mayDo(button.dataset.action, progress);
  }
}

/** Tells a screen reader each status and each tenth of the way, not every tick. */
function announce(progress) {
  const tenth = Math.floor(progress.percent / 10) * 10;
  const text =
    isLive(progress) && progress.total
      ? t("announcement", { status: statuses[progress.status].label, percent: number(tenth) })
      : statuses[progress.status].label;
  if (text === announced) return;
  announced = text;
  announcer.textContent = text;
}

const PARTS = [showStatus, showFigures, showOrigin, showNotice, showButtons, announce];

export function renderProgress(progress) {
  for (const show of PARTS) show(progress);
  plot(chart, progress);
}
