import * as api from "./api.js";
import { refresh } from "./refresh.js";
import { on } from "./stream.js";
import { fill, say, setIcon } from "./text.js";

const TONES = { queued: "neutral", success: "good", unchanged: "good", failed: "bad" };

const page = document.getElementById("siswa");
const button = document.getElementById("sync-now");
const notice = document.getElementById("outcome");

function tell(outcome, text = "") {
  const tone = TONES[outcome];
  notice.hidden = false;
  notice.className = `notice ${tone}`;
  setIcon(notice, tone);
  fill(notice, { title: say(outcome), text });
}

function busy(is) {
  button.disabled = is;
  button.setAttribute("aria-busy", is);
}

async function sync() {
  busy(true);
  try {
    await api.post(page.dataset.url);
    tell("queued");
  } catch (error) {
    busy(false);
    tell("failed", error.message);
  }
}

on("sync.siswa", ({ idperson, outcome, message }) => {
  if (idperson !== page.dataset.idperson) return;
  busy(false);
  tell(outcome, outcome === "failed" ? message : "");
  if (outcome !== "failed") refresh(["siswa-summary", "siswa-detail", "siswa-history"]);
});
button.addEventListener("click", sync);
