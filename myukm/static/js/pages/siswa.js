// The page of one student: syncs them on request and shows the outcome.

import * as api from "../core/api.js";
import { fillSlots, setIcon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { reloader } from "../core/partial_reload.js";
import { on } from "../live/events_bus.js";

const POLL_MS = 2_000;
const TONES = { queued: "neutral", success: "good", unchanged: "good", failed: "bad" };

export default function startSiswa(root) {
  const { page: address } = root.dataset;
  // A page with a new code is the response to a POST, whose address cannot be loaded by GET.
  if (address) history.replaceState(null, "", address);
  const page = new SiswaPage(root);
  page.button.addEventListener("click", () => page.sync());
  on("sync.siswa", ({ idperson, outcome, message }) => {
    if (idperson !== root.dataset.idperson) return;
    page.finish();
    page.showOutcome(outcome, outcome === "failed" ? message : "");
  });
  on("reset", () => page.catchUp());
  const { waits } = page.notice.dataset;
  if (waits) page.wait(waits);
}

class SiswaPage {
  constructor(root) {
    this.url = root.dataset.url;
    this.button = document.getElementById("sync-now");
    this.notice = document.getElementById("outcome");
    this.reload = reloader("siswa-summary", "siswa-detail", "siswa-history");
  }

  async sync() {
    this.setBusy(true);
    this.showOutcome("queued");
    try {
      const { waits_for: reason } = await api.post(this.url);
      // The outcome may have arrived before this answer.
      if (this.button.disabled) this.wait(reason?.text);
    } catch (error) {
      this.setBusy(false);
      this.showOutcome("failed", error.message);
    }
  }

  /** Shows what the request waits for, and polls until the outcome comes. */
  wait(text) {
    this.setBusy(true);
    this.showOutcome("queued", text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  /** After a gap in the stream: the outcome may have been in it. */
  catchUp() {
    if (this.button.disabled) this.poll();
    else this.reload();
  }

  async poll() {
    const now = await api.get(location.pathname).catch((error) => error);
    if (!this.button.disabled) return;
    if (now.status === 404) this.end(now.message);
    else if (now instanceof Error || now.waits_for) this.wait(now.waits_for?.text);
    else this.finish();
  }

  /** Shows that the student was deleted: no outcome will come. */
  end(text) {
    this.setBusy(false);
    this.showOutcome("failed", text);
  }

  /** Shows the stored data: the outcome came, by the stream or found by a poll. */
  finish() {
    clearTimeout(this.timer);
    this.setBusy(false);
    this.notice.hidden = true;
    this.reload();
  }

  setBusy(isBusy) {
    this.button.disabled = isBusy;
    this.button.setAttribute("aria-busy", isBusy);
  }

  showOutcome(outcome, text = "") {
    const tone = TONES[outcome];
    this.notice.hidden = false;
    this.notice.className = `notice tone-${tone}`;
    setIcon(this.notice, tone);
    fillSlots(this.notice, { title: t(outcome), text });
  }
}
