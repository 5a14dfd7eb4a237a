import * as api from "../core/api.js";
import { confirmed } from "../core/dialog.js";
import { data } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { reloadParts } from "../core/partial_reload.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { SyncLog } from "./log.js";
import { counts, isLive, isStale, isSuspicious, message } from "./state.js";
import { renderProgress } from "./view.js";

const page = document.getElementById("sync");
const log = new SyncLog(document.getElementById("log"));

let current = data("progress");
let received = 0;

function notifyEnd(before, progress) {
  if (before.run_id !== progress.run_id || !isLive(before) || isLive(progress)) return;
  const [tone, text] = message(progress);
  toast(text, tone);
}

function render(progress) {
  const before = current;
  current = progress;
  renderProgress(progress);
  notifyEnd(before, progress);
  if (isSuspicious(before) || isSuspicious(progress)) renewGuard(before, progress);
}

/** Takes anew what the guard holds back, when it was begun, given up, or a lane brought the rest. */
async function renewGuard(before, progress) {
  const same = ["reason_code", "workers"].every((name) => before[name] === progress[name]);
  if (same) return;
  await reloadParts(["guard"]);
  renderProgress(current);
}

/** Renders what a call answers, unless the stream said something newer meanwhile. */
async function renderAnswer(call) {
  const before = received;
  const answer = await call;
  if (received === before) render(answer);
}

const QUESTIONS = {
  cancel: () => confirmed("confirm-cancel", t("confirm_cancel", counts(current))),
  reset: () => confirmed("confirm-reset"),
  accept: () => confirmed("confirm-accept"),
};

async function act(button) {
  const { action, call = action, wishes = "{}" } = button.dataset;
  if (QUESTIONS[action] && !(await QUESTIONS[action]())) return;
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    await renderAnswer(api.post(`${page.dataset.url}/${call}`, JSON.parse(wishes)));
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    button.removeAttribute("aria-busy");
    renderProgress(current);
  }
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) act(button);
});
on("sync.progress", (progress) => {
  if (isStale(progress, current)) return;
  received += 1;
  log.follow(progress.run_id);
  render(progress);
});
on("sync.log", (entry) => log.add(entry));
on("reset", () => renderAnswer(api.get(`${page.dataset.url}/progress`)));
log.load(data("log-entries"));
renderProgress(current);
