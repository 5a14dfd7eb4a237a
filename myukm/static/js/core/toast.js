import { cloneTemplate, fillSlots } from "./dom.js";

const SHOWN_MS = 8000;

/** Says something at the foot of the page for a while; `tone` is one of the four meanings. */
export function toast(text, tone = "neutral") {
  const note = fillSlots(cloneTemplate("toast-template"), { text });
  note.classList.add(tone);
  note.querySelector("button").addEventListener("click", () => note.remove());
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}
