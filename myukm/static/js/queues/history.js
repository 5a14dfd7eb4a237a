// The history of the queues: read once for a range, then extended by the stream.

import { get } from "../core/api.js";
import { clockSeconds, when } from "../core/format.js";
import { renderList } from "../core/template_list.js";
import { on } from "../live/events_bus.js";
import { draw } from "./history_chart.js";
import { events, extended, hasGapBefore, rows } from "./history_series.js";

/** Pages reload a range at a random moment within this time, so that their requests are spread. */
const SPREAD_MS = 10_000;
/** The step of the shortest range, whose points the stream sends. */
const SHORT_STEP_SECONDS = 10;

export default function startHistory(root) {
  const history = new History(root);
  on("queue.history", (news) => history.follow(news));
  let isLost = false;
  on("lost", () => {
    isLost = true;
  });
  on("open", () => {
    if (isLost) history.load();
    isLost = false;
  });
  root.querySelector("[data-again]").addEventListener("click", () => history.load());
  root.querySelector("select").addEventListener("change", () => history.showFigures());
  root.querySelector("[data-figures]").addEventListener("toggle", () => history.showFigures());
  history.load();
}

class History {
  series = null;
  isWaiting = false;

  constructor(root) {
    this.root = root;
  }

  async load() {
    try {
      this.series = await get(`/admin/antrian/history?range=${this.root.dataset.range}`);
      this.show();
    } catch (error) {
      // The shown history stays, because it is only out of date.
      if (this.series) return;
      this.root.querySelector("[data-problem]").textContent = error.message;
      this.root.dataset.state = "failed";
    }
  }

  follow(news) {
    if (!this.series) return;
    if (this.series.step === SHORT_STEP_SECONDS) {
      if (hasGapBefore(this.series, news)) this.loadLater();
      this.series = extended(this.series, news);
      this.show();
    } else if (Date.parse(news.to) - Date.parse(this.series.to) > this.series.step * 1000) {
      this.loadLater();
    }
  }

  loadLater() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    setTimeout(() => {
      this.isWaiting = false;
      this.load();
    }, Math.random() * SPREAD_MS);
  }

  show() {
    this.root.dataset.state = this.series.at.length > 0 ? "ready" : "empty";
    for (const figure of this.root.querySelectorAll("[data-column]")) draw(figure, this.series);
    this.showFigures();
  }

  /** Fills the table and the events, if they are unfolded. */
  showFigures() {
    if (!this.series || !this.root.querySelector("[data-figures]").open) return;
    const time = this.series.step === SHORT_STEP_SECONDS ? clockSeconds : when;
    const queue = this.root.querySelector("select").value;
    const shown = rows(this.series, queue).map((row) => ({ ...row, at: time(row.at) }));
    renderList(document.getElementById("history-rows"), "history-row", shown);
    const marked = events(this.series).map((event) => ({
      ...event,
      begin: time(event.begin),
      end: event.end && time(event.end),
    }));
    renderList(document.getElementById("history-events"), "history-event", marked, finishEvent);
  }
}

function finishEvent(node, { kind, run }) {
  for (const part of node.querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== kind;
  node.querySelector("a").href = `/admin/sync-pembayaran/runs/${run}`;
}
