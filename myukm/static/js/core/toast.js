import { cloneTemplate, fillSlots } from "./dom.js";

const SHOWN_MS = 8000;

/** Shows a text at the foot of the page for some seconds; `tone` is good, wait, bad or neutral. */
export function toast(text, tone = "neutral") {
  const note = fillSlots(cloneTemplate("toast-template"), { text });
  note.classList.add(`tone-${tone}`);
  note.querySelector("button").addEventListener("click", () => note.remove());
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
