// Shows a progress object on the page of the current run.

import { data, fillSlots, setIcon } from "../core/dom.js";
import { clockSeconds, decimal, left, moment, number, percent } from "../core/format.js";
import { bidiIsolate, t } from "../core/i18n.js";
import { plot, SpeedChart } from "./chart.js";
import { counts, isLive, mayDo, message, shownStatus } from "./state.js";

export class ProgressView {
  constructor(root) {
    this.root = root;
    this.statuses = data("statuses");
    this.chart = new SpeedChart(document.getElementById("speed"), data("chart-data"));
    this.announced = "";
    /** The actions whose answer is awaited. Kept here, because a reload replaces buttons. */
    this.pending = new Set();
  }

  render(progress) {
    this.showStatus(progress);
    this.showNumbers(progress);
    this.showOrigin(progress);
    showNotice(document.getElementById("sync-notice"), progress);
    for (const button of this.root.querySelectorAll("[data-action]")) {
      const isPending = this.pending.has(button.dataset.action);
      button.setAttribute("aria-busy", isPending);
      button.disabled = isPending || !mayDo(button.dataset.action, progress);
    }
    this.announce(progress);
    plot(this.chart, progress);
  }

  showStatus(progress) {
    const { label, tone, icon } = shownStatus(progress, this.statuses);
    const badge = document.getElementById("sync-status");
    badge.className = `badge tone-${tone}`;
    setIcon(badge, icon);
    fillSlots(badge, { label });
    this.root.dataset.status = progress.status;
    this.root.dataset.tone = tone;
    document.getElementById("dry-run").hidden = !progress.dry_run;
  }

  showNumbers(progress) {
    const { eta_seconds: eta, eta_range_seconds: range } = progress;
    fillSlots(this.root, {
      ...counts(progress),
      percent: percent(progress.percent),
      rate: rate(progress),
      eta: eta === null ? "" : left(range ?? [eta, eta]),
    });
    this.root.querySelector("progress").value = progress.percent;
  }

  showOrigin({ run_id: run, started_by: name, started_at: at, finished_at: until }) {
    const values = { run, name: name && bidiIsolate(name), time: at && clockSeconds(at) };
    const started = t(name ? "started_by" : "started", values);
    fillSlots(this.root, {
      origin: run ? started : t("never_started"),
      until: until ? t("finished_at", { time: clockSeconds(until) }) : "",
    });
    const link = document.getElementById("run-link");
    link.hidden = !run;
    link.href = `${this.root.dataset.runs}/${run}`;
    this.root.querySelector('[data-slot="origin"]').title = at ? moment(at) : "";
  }

  /** Announces to screen readers each status and each tenth of the way, not every tick. */
  announce(progress) {
    const { label: status } = shownStatus(progress, this.statuses);
    const tenth = Math.floor(progress.percent / 10) * 10;
    const moving = isLive(progress) && progress.total;
    const text = moving ? t("announcement", { status, percent: number(tenth) }) : status;
    if (text === this.announced) return;
    this.announced = text;
    document.getElementById("announcer").textContent = text;
  }
}

function rate({ status, reason, rate_per_second: perSecond }) {
  if (perSecond !== null) return t("rate", { n: decimal(perSecond) });
  return status === "running" && !reason ? t("counting") : "";
}

function showNotice(notice, progress) {
  const [tone, title, text = ""] = message(progress);
  notice.className = `notice tone-${tone}`;
  setIcon(notice, tone === "wait" ? "warning" : tone);
  fillSlots(notice, { title, text });
}
