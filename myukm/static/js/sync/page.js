// The page of the current run: its progress, its log and the buttons that act on it.

import * as api from "../core/api.js";
import { confirmed } from "../core/dialog.js";
import { data } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { freshPage, reloadParts } from "../core/partial_reload.js";
import { retried } from "../core/retry.js";
import { toast } from "../core/toast.js";
import { on } from "../live/events_bus.js";
import { startNotificationSwitch } from "../push/notification_switch.js";
import { ActionFocus } from "./action_focus.js";
import { plot } from "./chart.js";
import { SyncLog } from "./log.js";
import { RUN_ENDS } from "./run_end.js";
import { counts, isLive, isStale, isSuspicious, message } from "./state.js";
import { ProgressView } from "./view.js";

const GAP_TICK_MS = 1000;
const QUESTIONS = {
  cancel: (progress) => confirmed("confirm-cancel", t("confirm_cancel", counts(progress))),
  reset: () => confirmed("confirm-reset"),
  accept: () => confirmed("confirm-accept"),
};

export default function startSyncPage(root) {
  const page = new SyncPage(root);
  startNotificationSwitch(document.getElementById("notify-end"), RUN_ENDS);
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-action]");
    if (button) page.act(button);
  });
  on("sync.progress", (progress) => page.receive(progress));
  on("sync.log", (entry) => page.log.add(entry));
  on("reset", () => page.catchUp());
}

class SyncPage {
  constructor(root) {
    this.url = root.dataset.url;
    this.view = new ProgressView(root);
    this.focus = new ActionFocus(root);
    this.log = new SyncLog(document.getElementById("log"));
    this.current = data("progress");
    this.received = 0;
    this.log.load(data("log-entries"));
    this.reloadLog = retried(() => this.log.reload(logEntries));
    this.reloadGuard = retried(() => this.loadGuard());
    this.view.render(this.current);
    setInterval(() => this.extendGap(), GAP_TICK_MS);
  }

  /** Extends the chart's gap while the run is paused or stalled, because no event does. */
  extendGap() {
    const isDisconnected = document.documentElement.dataset.live === "lost";
    const standsStill = isLive(this.current) && this.current.rate_per_second === null;
    if (standsStill && !isDisconnected) plot(this.view.chart, this.current);
  }

  /** Takes a progress event of the stream. */
  receive(progress) {
    if (isStale(progress, this.current)) return;
    this.received += 1;
    this.log.follow(progress.run_id);
    this.render(progress);
  }

  render(progress) {
    const before = this.current;
    this.current = progress;
    this.focus.remember();
    this.view.render(progress);
    this.focus.settle();
    notifyEnd(before, progress);
    const changed = ["reason_code", "workers"].some((name) => before[name] !== progress[name]);
    if (changed && (isSuspicious(before) || isSuspicious(progress))) this.reloadGuard();
  }

  /** Loads the list of quarantined students again. */
  async loadGuard() {
    await reloadParts(["guard"]);
    this.view.render(this.current);
  }

  /** Renders the answer of a call, unless the stream sent something newer meanwhile. */
  async renderAnswer(call) {
    const before = this.received;
    const answer = await call;
    if (this.received === before) this.render(answer);
  }

  /** Loads the figures and the log again after a gap in the stream. */
  catchUp() {
    const call = api.get(`${this.url}/progress`);
    // A failure needs no handling: after a reset the stream sends the current progress, too.
    this.renderAnswer(call).catch((error) => console.info(error.message));
    this.reloadLog();
  }

  async act(button) {
    const { action, call = action, body = "{}" } = button.dataset;
    if (QUESTIONS[action] && !(await QUESTIONS[action](this.current))) return;
    this.focus.pressed(button);
    this.view.pending.add(action);
    this.view.render(this.current);
    try {
      await this.renderAnswer(api.post(`${this.url}/${call}`, JSON.parse(body)));
    } catch (error) {
      toast(error.message, "bad");
      this.focus.refused(button);
    } finally {
      this.view.pending.delete(action);
      this.view.render(this.current);
      this.focus.settle();
    }
  }
}

/** The log as a fresh copy of the page has it. */
async function logEntries() {
  return data("log-entries", await freshPage());
}

function notifyEnd(before, progress) {
  if (before.run_id !== progress.run_id || !isLive(before) || isLive(progress)) return;
  const [tone, title] = message(progress);
  toast(title, tone);
}
