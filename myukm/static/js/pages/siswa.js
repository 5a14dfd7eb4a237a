import * as api from "../core/api.js";
import { fillSlots, setIcon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { reloadParts } from "../core/partial_reload.js";
import { on } from "../live/events_bus.js";

const LOOK_MS = 2_000;
const TONES = { queued: "neutral", success: "good", unchanged: "good", failed: "bad" };

const page = document.getElementById("siswa");
const button = document.getElementById("sync-now");
const notice = document.getElementById("outcome");
let timer = 0;

function showOutcome(outcome, text = "") {
  const tone = TONES[outcome];
  notice.hidden = false;
  notice.className = `notice ${tone}`;
  setIcon(notice, tone);
  fillSlots(notice, { title: t(outcome), text });
}

function busy(is) {
  button.disabled = is;
  button.setAttribute("aria-busy", is);
}

async function sync() {
  busy(true);
  showOutcome("queued");
  try {
    const { waits_for: reason } = await api.post(page.dataset.url);
    // The outcome may be faster than this answer.
    if (reason && button.disabled) wait(reason.text);
  } catch (error) {
    busy(false);
    showOutcome("failed", error.message);
  }
}

/** Says what the request waits for, and asks again from time to time until the outcome comes. */
function wait(text) {
  busy(true);
  showOutcome("queued", text);
  clearTimeout(timer);
  timer = setTimeout(look, LOOK_MS);
}

async function look() {
  const now = await api.get(location.pathname).catch(() => null);
  if (!button.disabled) return;
  if (now === null || now.waits_for) wait(now?.waits_for.text);
  else finish();
}

/** The outcome came, or the page is back from where it could not hear it. */
function finish() {
  clearTimeout(timer);
  busy(false);
  notice.hidden = true;
  reloadParts(["siswa-summary", "siswa-detail", "siswa-history"]);
}

on("sync.siswa", ({ idperson, outcome, message }) => {
  if (idperson !== page.dataset.idperson) return;
  finish();
  showOutcome(outcome, outcome === "failed" ? message : "");
});
button.addEventListener("click", sync);
if (notice.dataset.waits) wait(notice.dataset.waits);
