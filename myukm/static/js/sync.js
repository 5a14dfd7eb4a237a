import * as api from "./api.js";
import { confirmed } from "./dialog.js";
import { refresh } from "./refresh.js";
import { on } from "./stream.js";
import { SyncLog } from "./sync_log.js";
import { counts, isLive, isStale, isSuspicious, message } from "./sync_state.js";
import { paint } from "./sync_view.js";
import { data, say } from "./text.js";
import { toast } from "./toast.js";

const page = document.getElementById("sync");
const log = new SyncLog(document.getElementById("log"));

let current = data("progress");
let heard = 0;

function tellEnd(before, progress) {
  if (before.run_id !== progress.run_id || !isLive(before) || isLive(progress)) return;
  const [tone, text] = message(progress);
  toast(text, tone);
}

function render(progress) {
  const before = current;
  current = progress;
  paint(progress);
  tellEnd(before, progress);
  if (isSuspicious(before) || isSuspicious(progress)) renewGuard(before, progress);
}

/** Takes anew what the guard holds back, when it was begun, given up, or a lane brought the rest. */
async function renewGuard(before, progress) {
  const same = ["reason_code", "workers"].every((name) => before[name] === progress[name]);
  if (same) return;
  await refresh(["guard"]);
  paint(current);
}

/** Renders what a call answers, unless the stream said something newer meanwhile. */
async function renderAnswer(call) {
  const before = heard;
  const answer = await call;
  if (heard === before) render(answer);
}

const QUESTIONS = {
  cancel: () => confirmed("confirm-cancel", say("confirm_cancel", counts(current))),
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
    paint(current);
  }
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) act(button);
});
on("sync.progress", (progress) => {
  if (isStale(progress, current)) return;
  heard += 1;
  log.follow(progress.run_id);
  render(progress);
});
on("sync.log", (entry) => log.add(entry));
on("reset", () => renderAnswer(api.get(`${page.dataset.url}/progress`)));
log.load(data("log-entries"));
paint(current);
