// The page of the queues: tables and findings, updated by the stream.

import { data, setIcon } from "../core/dom.js";
import { renderList } from "../core/template_list.js";
import { on } from "../live/events_bus.js";

const LEVELS = { broken: "bad", error: "bad", warning: "wait" };
const part = (id) => document.getElementById(id);

export default function startQueues() {
  const states = data("states");
  on("queue.health", (health) => show(health, states));
  showFindings(data("doctor"));
  show(data("health"), states);
}

function show(health, states) {
  renderList(part("queues"), "queue-row", health.queues ?? [], (row, queue) => {
    row.classList.toggle("stuck", queue.waiting > 0 && !hasWorkers(queue));
  });
  renderList(part("workers"), "worker-row", health.workers ?? [], (row, { state }) =>
    showState(row, state, states),
  );
  renderList(part("jobs"), "job-row", health.latest_jobs ?? [], (row, { status }) =>
    showState(row, status, states),
  );
  renderList(part("failures"), "failure-row", health.latest_failures ?? []);
  if (health.doctor) showFindings(health.doctor);
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

function showFindings({ findings }) {
  renderList(part("findings"), "finding", findings, (node, { level, since }) => {
    const tone = LEVELS[level] ?? "neutral";
    node.classList.add(`tone-${tone}`);
    node.querySelector("[data-since]").hidden = !since;
    setIcon(node, tone === "wait" ? "warning" : tone);
  });
}
