import * as api from "./api.js";
import { SpeedChart } from "./chart.js";
import { confirmed } from "./dialog.js";
import { clockSeconds, decimal, left, moment, number, percent } from "./format.js";
import { on } from "./stream.js";
import { SyncLog } from "./sync_log.js";
import { data, fill, say, setIcon } from "./text.js";
import { toast } from "./toast.js";

const ENDED = ["idle", "completed", "cancelled", "failed"];
const ALLOWED = {
  start: ENDED,
  "retry-failed": ENDED,
  reset: ENDED,
  pause: ["queued", "running"],
  resume: ["paused"],
  cancel: ["queued", "running", "paused"],
};
const COUNTS = ["total", "processed", "success", "failed", "unchanged", "cancelled", "pending", "workers"];

const page = document.getElementById("sync");
const bar = page.querySelector("progress");
const notice = document.getElementById("sync-notice");
const announcer = document.getElementById("announcer");
const statuses = data("statuses");
const chart = new SpeedChart(document.getElementById("speed"));
const log = new SyncLog(document.getElementById("log"));

let current = data("progress");
let announced = "";

const live = (progress) => !ENDED.includes(progress.status);

function showStatus(progress) {
  const { label, tone, icon } = statuses[progress.status];
  const badge = document.getElementById("sync-status");
  badge.className = `badge ${tone}`;
  setIcon(badge, icon);
  fill(badge, { label });
  page.dataset.status = progress.status;
}

function showFigures(progress) {
  for (const name of COUNTS) fill(page, { [name]: number(progress[name]) });
  fill(page, {
    percent: percent(progress.percent),
    rate: pace(progress),
    eta: progress.eta_seconds === null ? "" : left(progress.eta_seconds),
  });
  bar.value = progress.percent;
}

function pace({ status, stalled, rate_per_second: rate }) {
  if (rate !== null) return say("rate", { n: decimal(rate) });
  return status === "running" && !stalled ? say("counting") : "";
}

function showOrigin(progress) {
  const { run_id: run, started_by: name, started_at: at, finished_at: until } = progress;
  fill(page, {
    origin: run ? say(name ? "started_by" : "started", { run, name, time: clockSeconds(at) }) : say("never_started"),
    until: until ? say("finished_at", { time: clockSeconds(until) }) : "",
  });
  const link = document.getElementById("run-link");
  link.hidden = !run;
  link.href = `${page.dataset.runs}/${run}`;
  page.querySelector('[data-slot="origin"]').title = at ? moment(at) : "";
}

/** What a person has to know now: why it waits, or how it ended. */
function message(progress) {
  if (progress.status === "completed" && progress.failed > 0) return ["wait", say("completed_with_failures", counts(progress))];
  if (progress.status === "completed") return ["good", say("completed", counts(progress))];
  if (progress.status === "cancelled") return ["neutral", say("cancelled", counts(progress)), progress.reason];
  if (progress.status === "failed") return ["bad", say("failed"), progress.reason];
  if (progress.stalled) return ["wait", say("stalled"), progress.reason];
  if (progress.status === "paused") return ["wait", say("paused"), progress.reason];
  if (progress.reason) return ["neutral", progress.reason];
  return null;
}

function counts(progress) {
  return Object.fromEntries(COUNTS.map((name) => [name, number(progress[name])]));
}

function showNotice(progress) {
  const [tone, title, text] = message(progress) ?? [];
  notice.hidden = !tone;
  if (!tone) return;
  notice.className = `notice ${tone}`;
  setIcon(notice, tone === "wait" ? "warning" : tone);
  fill(notice, { title, text });
}

function showButtons(progress) {
  for (const button of page.querySelectorAll("[data-action]")) {
    const allowed = ALLOWED[button.dataset.action].includes(progress.status);
    button.disabled = !allowed || lacksCause(button.dataset.action, progress);
  }
}

function lacksCause(action, progress) {
  if (action === "retry-failed") return progress.failed === 0;
  if (action === "reset") return progress.status === "idle";
  return false;
}

/** Tells a screen reader each status and each tenth of the way, not every tick. */
function announce(progress) {
  const tenth = Math.floor(progress.percent / 10) * 10;
  const text = live(progress) && progress.total
    ? say("announcement", { status: statuses[progress.status].label, percent: number(tenth) })
    : statuses[progress.status].label;
  if (text === announced) return;
  announced = text;
  announcer.textContent = text;
}

function plot(progress) {
  if (!progress.run_id || !progress.started_at) return;
  const until = progress.finished_at ? Date.parse(progress.finished_at) : Date.now();
  const seconds = (until - Date.parse(progress.started_at)) / 1000;
  if (progress.rate_per_second === null) chart.follow(progress.run_id);
  else chart.add(progress.run_id, Math.max(0, seconds), progress.rate_per_second);
}

function tellEnd(before, progress) {
  if (before.run_id !== progress.run_id || !live(before) || live(progress)) return;
  const [tone, text] = message(progress) ?? [];
  if (tone) toast(text, tone);
}

function render(progress) {
  const before = current;
  current = progress;
  for (const show of [showStatus, showFigures, showOrigin, showNotice, showButtons, announce, plot]) show(progress);
  tellEnd(before, progress);
}

const QUESTIONS = {
  cancel: () => confirmed("confirm-cancel", say("confirm_cancel", counts(current))),
  reset: () => confirmed("confirm-reset"),
};

async function act(button) {
  const { action } = button.dataset;
  if (QUESTIONS[action] && !(await QUESTIONS[action]())) return;
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    render(await api.post(`${page.dataset.url}/${action}`));
  } catch (error) {
    toast(error.message, "bad");
    render(current);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

for (const button of page.querySelectorAll("[data-action]")) {
  button.addEventListener("click", () => act(button));
}
on("sync.progress", render);
on("sync.log", (entry) => log.add(entry));
on("reset", async () => render(await api.get(`${page.dataset.url}/progress`)));
log.load(data("log-entries"));
render(current);
