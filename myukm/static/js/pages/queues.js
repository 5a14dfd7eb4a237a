// The page of the queues: tables and findings, updated by the stream.

import * as api from "../core/api.js";
import { confirmed } from "../core/dialog.js";
import { data, setIcon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { renderList } from "../core/template_list.js";
import { toast } from "../core/toast.js";
import { ALERTS } from "../live/alerts.js";
import { on } from "../live/events_bus.js";
import { startNotificationSwitch } from "../push/notification_switch.js";
import { showFindings } from "../queues/findings.js";

const part = (id) => document.getElementById(id);

export default function startQueues(root) {
  const states = data("states");
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-change]");
    if (button) change(button);
  });
  startNotificationSwitch(part("notify-alerts"), ALERTS);
  on("queue.health", (health) => show(health, states));
}

function show(health, states) {
  renderList(part("queues"), "queues-row", health.queues ?? [], (row, queue) => {
    row.classList.toggle("stuck", queue.waiting > 0 && !hasWorkers(queue) && !queue.paused);
    showPause(row, queue);
  });
  renderList(part("workers"), "workers-row", health.workers ?? [], (row, { state }) =>
    showState(row, state, states),
  );
  renderList(part("jobs"), "jobs-row", health.latest_jobs ?? [], (row, { status }) =>
    showState(row, status, states),
  );
  renderList(part("failures"), "failures-row", health.latest_failures ?? []);
  if (health.doctor) showFindings(health.doctor);
}

function showPause(row, { name, paused }) {
  row.querySelector("[data-paused]").hidden = !paused;
  for (const button of row.querySelectorAll("[data-change]")) {
    button.hidden = (button.dataset.change === "resume") !== paused;
    button.dataset.queue = name;
    button.setAttribute("aria-label", `${button.title} ${name}`);
  }
}

/** Pauses or resumes a queue; the stream shows it as soon as the workers obey. */
async function change(button) {
  const { change: action, queue } = button.dataset;
  const text = t("confirm_pause", { queue });
  if (action === "pause" && !(await confirmed("confirm-pause", text))) return;
  button.disabled = true;
  try {
    await api.post(`/admin/antrian/${queue}/${action}`);
    const row = button.closest("tr");
    showPause(row, { name: queue, paused: action === "pause" });
    row.querySelector("[data-change]:not([hidden])").focus();
    toast(t(action === "pause" ? "paused" : "resumed", { queue }), "good");
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    button.disabled = false;
  }
}

/** Shows a state in the reader's language; one without a translation stays as RQ names it. */
function showState(row, state, states) {
  const { label = state, tone = "neutral", icon = tone } = states[state] ?? {};
  const badge = row.querySelector("[data-state]");
  badge.classList.add(`tone-${tone}`);
  badge.lastElementChild.textContent = label;
  setIcon(badge, icon);
}

function hasWorkers({ workers }) {
  return Array.isArray(workers) ? workers.length > 0 : workers > 0;
}
