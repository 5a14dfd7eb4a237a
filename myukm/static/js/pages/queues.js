// The page of the queues: tables and findings, updated by the stream.

import * as api from "../core/api.js";
import { debounced } from "../core/debounced.js";
import { confirmed } from "../core/dialog.js";
import { data, setIcon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { retried } from "../core/retry.js";
import { renderList } from "../core/template_list.js";
import { toast } from "../core/toast.js";
import { ALERTS } from "../live/alerts.js";
import { onReconnect } from "../live/connection_status.js";
import { on } from "../live/events_bus.js";
import { startNotificationSwitch } from "../push/notification_switch.js";
import { showFindings } from "../queues/findings.js";

/** After an absence many alerts come at once: the findings are loaded once for all of them. */
const SETTLE_MS = 300;

const part = (id) => document.getElementById(id);
const buttonsOf = (queue) =>
  [...part("queues").querySelectorAll("[data-change]")].filter(
    ({ dataset }) => dataset.queue === queue,
  );

export default function startQueues(root) {
  const states = data("states");
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-change]");
    if (button) change(button);
  });
  startNotificationSwitch(part("notify-alerts"), ALERTS);
  follow(states);
}

/** Shows the queues as the stream reports them. These events come through Valkey, and the first
 * event of a stream has no findings: when findings may be missing, the page requests them. */
function follow(states) {
  let received = 0;
  on("queue.health", (health) => {
    if (health.doctor) received += 1;
    show(health, states);
  });
  const refresh = retried(async () => {
    const before = received;
    const health = await api.get("/admin/antrian");
    if (received === before) show(health, states); // else the stream sent newer figures
  });
  const refreshSoon = debounced(refresh, SETTLE_MS);
  onReconnect(refreshSoon);
  on("alert", refreshSoon);
  on("heartbeat", ({ degraded }) => degraded && refreshSoon());
}

/** Shows the findings and, unless Valkey is away, the tables, whose figures come from Valkey. */
function show(health, states) {
  if (health.doctor) showFindings(health.doctor);
  if (!health.valkey) return;
  showQueues(health.queues);
  renderList(part("workers"), "workers-row", health.workers, (row, { state }) =>
    showState(row, state, states),
  );
  renderList(part("jobs"), "jobs-row", health.latest_jobs, (row, { status }) =>
    showState(row, status, states),
  );
  renderList(part("failures"), "failures-row", health.latest_failures);
}

/** Shows the rows. If the queue of the focused button is paused or resumed meanwhile, the focus moves
 * to the button that takes its place. */
function showQueues(queues) {
  const focusedQueue = document.activeElement?.closest("[data-change]")?.dataset.queue;
  renderList(part("queues"), "queues-row", queues, (row, queue) => {
    row.classList.toggle("stuck", queue.waiting > 0 && !queue.workers && !queue.paused);
    showPause(row, queue);
  });
  if (focusedQueue) focusOn(focusedQueue);
}

function focusOn(queue) {
  const button = buttonsOf(queue).find(({ hidden }) => !hidden);
  button?.focus({ preventScroll: true });
}

function setDisabled(queue, value) {
  for (const button of buttonsOf(queue)) button.disabled = value;
}

function showPause(row, { name, paused }) {
  row.querySelector("[data-paused]").hidden = !paused;
  for (const button of row.querySelectorAll("[data-change]")) {
    button.hidden = (button.dataset.change === "resume") !== paused;
    button.dataset.queue = name;
    button.setAttribute("aria-label", `${button.title} ${name}`);
  }
}

/** Pauses or resumes a queue. The stream may replace the row meanwhile, so its buttons are looked
 * up again. */
async function change({ dataset: { change: action, queue } }) {
  const pauses = action === "pause";
  const agreed = !pauses || (await confirmed("confirm-pause", t("confirm_pause", { queue })));
  focusOn(queue); // the dialog gives the focus back to a button that may be gone
  if (!agreed) return;
  setDisabled(queue, true);
  try {
    await api.post(`/admin/antrian/${queue}/${action}`);
    const row = buttonsOf(queue)[0]?.closest("tr");
    if (row) showPause(row, { name: queue, paused: pauses });
    toast(t(pauses ? "paused" : "resumed", { queue }), "good");
  } catch (error) {
    toast(error.message, "bad");
  }
  setDisabled(queue, false);
  focusOn(queue);
}

/** Shows a state in the reader's language, or RQ's name of a state without a translation. */
function showState(row, state, states) {
  const { label = state, tone = "neutral", icon = tone } = states[state] ?? {};
  const badge = row.querySelector("[data-state]");
  badge.classList.add(`tone-${tone}`);
  badge.lastElementChild.textContent = label;
  setIcon(badge, icon);
}
